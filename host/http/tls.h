/*
 * tls.h: the listener's certificate.
 *
 * A pair is a certificate chain and its key, proven to belong together. It is
 * counted: the server holds the newest, and each connection the one it was
 * opened with, so that a new one takes none away. All on the loop.
 */
#ifndef TXWATCH_HTTP_TLS_H
#define TXWATCH_HTTP_TLS_H

#include <stdbool.h>

#include "base/err.h"

/* For gnutls: what is safe, of TLS 1.2 and 1.3 alone. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct tls_pair;

/* Of the texts of two PEM files; NULL and e: which one is wrong, and how. */
struct tls_pair *tls_pair_load(txw_str cert, txw_str key, struct err *e);
struct tls_pair *tls_pair_hold(struct tls_pair *p);
void tls_pair_drop(struct tls_pair *p);
/* When the first of its certificates ends. */
txw_time tls_pair_ends(const struct tls_pair *p);

#endif
