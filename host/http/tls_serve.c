/*
 * tls_serve.c: TLS as libmicrohttpd speaks it with gnutls: which certificate
 * a handshake shows, and who holds it.
 */
#include "http/inside.h"

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
	struct connection *c = connection_of(gnutls_session_get_ptr(session));
	if (!c)
		return -1;
	if (!c->pair)
		c->pair = tls_pair_hold(c->server->tls);
	*chain = c->pair->chain;
	*n = c->pair->n;
	*key = c->pair->key;
	return 0;
}

void tls_send(struct MHD_Connection *c, const void *bytes, size_t len)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (info && info->tls_session)
		(void)gnutls_record_send(info->tls_session, bytes, len);
}
