/*
 * evidence.c: see evidence.h.
 *
 * The content is a row of netstrings, so that no two events have the same one
 * and everybody can take it apart. Its fields never change their order or
 * meaning under one version; what is added to an event makes a new version.
 *
 * The chain's end is kept in memory, and read from the store where it is not
 * known: after a start, and when another host appended meanwhile.
 */
#include "engine/evidence.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/row.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/readers.h"

const unsigned char EVIDENCE_START[EVIDENCE_BYTES] = {0};

struct head {
	int64_t seq; /* -1: not known */
	unsigned char hash[EVIDENCE_BYTES];
};

struct evidence {
	EVP_MD *sha256;
	EVP_MD_CTX *ctx;
	struct buf content;
	struct head head;      /* of the unit */
	struct head committed; /* ... before it */
	const txw_store *store;
	void *reader;
};

/* ---- the content ---- */

static void put(struct buf *out, txw_str s)
{
	buf_int(out, (int64_t)s.len);
	buf_char(out, ':');
	buf_str(out, s);
	buf_char(out, ',');
}

static void put_int(struct buf *out, int64_t v)
{
	char text[24];
	size_t at = sizeof(text);
	uint64_t left = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	do {
		text[--at] = (char)('0' + left % 10);
	} while (left /= 10);
	if (v < 0)
		text[--at] = '-';
	put(out, (txw_str){text + at, sizeof(text) - at});
}

static void put_id(struct buf *out, const char *prefix, txw_id id)
{
	char text[ID_TEXT_MAX];
	size_t n = id_print(text, prefix, id);
	put(out, (txw_str){text, n});
}

static void put_row(struct buf *out, const txw_tx *tx)
{
	put_id(out, "tx", tx->id);
	put(out, tx->flow);
	put(out, tx->ref);
	put(out, tx->status);
	put(out, str_of(outcome_name(tx->outcome)));
	put_int(out, tx->version);
	put(out, tx->owner);
	put(out, tx->amount);
	put(out, tx->currency);
	put(out, tx->attributes);
	put(out, tx->reason);
	put(out, tx->code);
	put(out, tx->source_version);
	put_int(out, tx->source_at);
	put(out, tx->anomaly);
	put_int(out, tx->paused);
	put_int(out, tx->held);
	put_int(out, tx->created_at);
	put_int(out, tx->updated_at);
	put_int(out, tx->status_since);
	put_int(out, tx->expires_at);
	put_int(out, tx->finished_at);
	put_int(out, tx->next_poll_at);
	put_int(out, tx->due_at);
	put_int(out, tx->polls);
	put_int(out, tx->poll_failures);
	put_int(out, tx->deadline);
	put_int(out, tx->warned);
}

void evidence_content(struct buf *out, const txw_event *ev)
{
	buf_reserve(out, 768);
	put(out, STR_LIT("txwatch.event/1"));
	put_int(out, ev->seq);
	put_int(out, ev->prev);
	put_id(out, "evt", ev->id);
	put(out, str_of(event_type_name(ev->type)));
	put_int(out, ev->at);
	put(out, ev->tenant);
	put(out, ev->from);
	put(out, ev->to);
	put(out, ev->source);
	put(out, ev->actor);
	put(out, ev->source_event_id);
	put_int(out, ev->source_at);
	put(out, ev->reason);
	put(out, ev->code);
	put(out, ev->detail);
	put(out, ev->trace);
	if (ev->tx)
		put_row(out, ev->tx);
}

/* ---- hashes ---- */

struct evidence *evidence_new(void)
{
	struct evidence *v = xcalloc(1, sizeof(*v));
	v->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	v->ctx = EVP_MD_CTX_new();
	if (!v->sha256 || !v->ctx)
		abort(); /* SHA-256 is always there */
	v->committed.seq = -1;
	v->head.seq = -1;
	return v;
}

void evidence_free(struct evidence *v)
{
	if (!v)
		return;
	if (v->reader)
		v->store->reader_close(v->reader);
	EVP_MD_CTX_free(v->ctx);
	EVP_MD_free(v->sha256);
	buf_free(&v->content);
	free(v);
}

/* Of a followed by b. */
static void hash(struct evidence *v, txw_str a, txw_str b, unsigned char out[EVIDENCE_BYTES])
{
	unsigned len = 0;
	if (EVP_DigestInit_ex2(v->ctx, v->sha256, NULL) != 1 ||
	    EVP_DigestUpdate(v->ctx, a.ptr, a.len) != 1 ||
	    EVP_DigestUpdate(v->ctx, b.ptr, b.len) != 1 ||
	    EVP_DigestFinal_ex(v->ctx, out, &len) != 1)
		abort();
}

void evidence_digest(struct evidence *v, const txw_event *ev, unsigned char out[EVIDENCE_BYTES])
{
	v->content.len = 0;
	evidence_content(&v->content, ev);
	hash(v, buf_view(&v->content), STR_NONE, out);
}

void evidence_link(struct evidence *v, const unsigned char prev[EVIDENCE_BYTES],
		   const unsigned char digest[EVIDENCE_BYTES], unsigned char out[EVIDENCE_BYTES])
{
	hash(v, (txw_str){(const char *)prev, EVIDENCE_BYTES},
	     (txw_str){(const char *)digest, EVIDENCE_BYTES}, out);
}

/* ---- the chain ---- */

int32_t evidence_open(struct evidence *v, instance *store, struct err *e)
{
	txw_error from = ERR_ABI_INIT;
	v->store = &store->role->v.store;
	return err_from_plugin(e, v->store->reader_open(store->self, &v->reader, &from), &from);
}

void evidence_begin(struct evidence *v)
{
	if (v)
		v->head = v->committed;
}

void evidence_commit(struct evidence *v)
{
	if (v)
		v->committed = v->head;
}

static int32_t take_hash(void *ctx, const txw_event *ev)
{
	struct head *h = ctx;
	if (ev->seq == h->seq && ev->hash.len == EVIDENCE_BYTES)
		memcpy(h->hash, ev->hash.ptr, EVIDENCE_BYTES);
	return 1;
}

/* An event without a hash before it: the chain begins here. */
static int32_t find_end(struct evidence *v, int64_t seq, struct err *e)
{
	struct head h = {.seq = seq};
	txw_event_query q = {.size = sizeof(q), .limit = 1, .after = seq - 1};
	int32_t rc = 0;
	if (seq > 0)
		rc = READ_CALL(v->store, e, list_events, v->reader, &q, take_hash, &h);
	if (rc >= 0)
		v->head = h;
	return rc;
}

int32_t evidence_add(struct evidence *v, struct unit *u, txw_event *ev, struct err *e)
{
	int32_t rc;
	if (v->head.seq != ev->seq - 1 && (rc = find_end(v, ev->seq - 1, e)) < 0)
		return rc;
	char *both = arena_alloc(&u->arena, 2 * (size_t)EVIDENCE_BYTES);
	unsigned char *digest = (unsigned char *)both;
	evidence_digest(v, ev, digest);
	evidence_link(v, v->head.hash, digest, digest + EVIDENCE_BYTES);
	ev->digest = (txw_str){both, EVIDENCE_BYTES};
	ev->hash = (txw_str){both + EVIDENCE_BYTES, EVIDENCE_BYTES};
	v->head.seq = ev->seq;
	memcpy(v->head.hash, digest + EVIDENCE_BYTES, EVIDENCE_BYTES);
	return 0;
}
