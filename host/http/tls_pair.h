/* tls_pair.h: what gnutls is given of a pair; for http/ alone. */
#ifndef TXWATCH_HTTP_TLS_PAIR_H
#define TXWATCH_HTTP_TLS_PAIR_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "http/tls.h"

#define TLS_CHAIN_MAX 16

struct tls_pair {
	unsigned held;
	gnutls_pcert_st chain[TLS_CHAIN_MAX];
	unsigned n;
	gnutls_privkey_t key;
	txw_time ends;
};

#endif
