/*
 * tls_serve.c: TLS as libmicrohttpd speaks it with gnutls: which certificate
 * a handshake shows, and who holds it.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "http/inside.h"

struct hold {
	struct http_server *server;
	struct tls_pair *pair; /* NULL before its handshake */
};

void *tls_hold_open(struct http_server *s)
{
	struct hold *h = xcalloc(1, sizeof(*h));
	h->server = s;
	return h;
}

void tls_hold_close(void *hold)
{
	struct hold *h = hold;
	if (!h)
		return;
	tls_pair_drop(h->pair);
	free(h);
}

/* gnutls keeps what it is given by its address, as long as the session lives:
 * so the connection holds the pair. */
int tls_choose(gnutls_session_t session, const gnutls_datum_t *issuers, int n_issuers,
	       const gnutls_pk_algorithm_t *algorithms, int n_algorithms, gnutls_pcert_st **chain,
	       unsigned *n, gnutls_privkey_t *key)
{
	(void)issuers;
	(void)n_issuers;
	(void)algorithms;
	(void)n_algorithms;
	/* libmicrohttpd makes its connection the session's pointer. */
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    gnutls_session_get_ptr(session), MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct hold *h = info ? info->socket_context : NULL;
	if (!h)
		return -1;
	if (!h->pair)
		h->pair = tls_pair_hold(h->server->tls);
	*chain = h->pair->chain;
	*n = h->pair->n;
	*key = h->pair->key;
	return 0;
}

void tls_send(struct MHD_Connection *c, const void *bytes, size_t len)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (info && info->tls_session)
		(void)gnutls_record_send(info->tls_session, bytes, len);
}
