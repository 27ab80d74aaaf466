/* tls.c: see tls.h. */
#include "http/tls.h"

#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/tls_pair.h"

#define KEY_ID_MAX 64

/* gnutls takes no constants, but changes nothing. */
static gnutls_datum_t datum(txw_str pem)
{
	return (gnutls_datum_t){.data = (unsigned char *)(uintptr_t)pem.ptr,
				.size = (unsigned)pem.len};
}

static int32_t load_chain(struct tls_pair *p, txw_str pem, struct err *e)
{
	gnutls_datum_t in = datum(pem);
	unsigned n = TLS_CHAIN_MAX;
	int got = gnutls_pcert_list_import_x509_raw(p->chain, &n, &in, GNUTLS_X509_FMT_PEM,
						    GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
	if (got < 0)
		return err_set(e, TXW_E_INVALID,
			       "tls-cert: not a PEM file of 1 to %d certificates: %s",
			       TLS_CHAIN_MAX, gnutls_strerror(got));
	p->n = n;
	return 0;
}

static int32_t load_key(struct tls_pair *p, txw_str pem, struct err *e)
{
	gnutls_datum_t in = datum(pem);
	int got = gnutls_privkey_init(&p->key);
	if (got >= 0)
		got = gnutls_privkey_import_x509_raw(p->key, &in, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (got < 0)
		return err_set(e, TXW_E_INVALID,
			       "tls-key: not a PEM file of a private key without a password: %s",
			       gnutls_strerror(got));
	return 0;
}

static bool belong_together(const struct tls_pair *p)
{
	unsigned char ids[2][KEY_ID_MAX];
	size_t lens[2] = {KEY_ID_MAX, KEY_ID_MAX};
	gnutls_pubkey_t mine = NULL;
	bool same = gnutls_pubkey_init(&mine) >= 0 &&
		    gnutls_pubkey_import_privkey(mine, p->key, 0, 0) >= 0 &&
		    gnutls_pubkey_get_key_id(mine, 0, ids[0], &lens[0]) >= 0 &&
		    gnutls_pubkey_get_key_id(p->chain[0].pubkey, 0, ids[1], &lens[1]) >= 0 &&
		    lens[0] == lens[1] && memcmp(ids[0], ids[1], lens[0]) == 0;
	if (mine)
		gnutls_pubkey_deinit(mine);
	return same;
}

static void note_end(struct tls_pair *p)
{
	gnutls_x509_crt_t first = NULL;
	if (gnutls_x509_crt_init(&first) < 0)
		return;
	if (gnutls_x509_crt_import(first, &p->chain[0].cert, GNUTLS_X509_FMT_DER) >= 0)
		p->ends = (txw_time)gnutls_x509_crt_get_expiration_time(first) * SECOND;
	gnutls_x509_crt_deinit(first);
}

struct tls_pair *tls_pair_load(txw_str cert, txw_str key, struct err *e)
{
	struct tls_pair *p = xcalloc(1, sizeof(*p));
	p->held = 1;
	if (load_chain(p, cert, e) < 0 || load_key(p, key, e) < 0)
		goto fail;
	if (!belong_together(p)) {
		err_set(e, TXW_E_INVALID,
			"tls-key: not the key of the first certificate in tls-cert");
		goto fail;
	}
	note_end(p);
	return p;

fail:
	tls_pair_drop(p);
	return NULL;
}

struct tls_pair *tls_pair_hold(struct tls_pair *p)
{
	p->held++;
	return p;
}

void tls_pair_drop(struct tls_pair *p)
{
	if (!p || --p->held)
		return;
	for (unsigned i = 0; i < p->n; i++)
		gnutls_pcert_deinit(&p->chain[i]);
	if (p->key)
		gnutls_privkey_deinit(p->key);
	free(p);
}

txw_time tls_pair_ends(const struct tls_pair *p)
{
	return p->ends;
}
