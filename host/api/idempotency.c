/*
 * idempotency.c: the same Idempotency-Key gives the same answer.
 *
 * A key belongs to (tenant, token, method, path). While its first request is
 * under way a twin is told to wait (409); once answered, the answer is a
 * document of kind "idempotency", written in the same unit as what it tells
 * of, and is replayed for a day. Another body under the key is refused.
 * Answers that never reached the engine (a mistake in the body, a full queue)
 * are not kept: nothing happened, so the key is free.
 *
 *   absent -> in flight   once_begin()
 *   in flight -> stored   once_save(), committed with its unit
 *   in flight -> absent   once_end() without a save
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <uthash.h>

#include "api/inside.h"

#define KEY_MAX  255
#define KEPT_FOR DAY
#define SUM_TEXT 64
#define KIND     STR_LIT("idempotency")

struct idempotent {
	char id[SUM_TEXT + 1];
	char sum[SUM_TEXT + 1]; /* of the body */
	txw_str tenant;
	UT_hash_handle hh;
};

static void hex(const unsigned char sum[32], char out[SUM_TEXT + 1])
{
	for (int i = 0; i < 32; i++) {
		out[i * 2] = "0123456789abcdef"[sum[i] >> 4];
		out[i * 2 + 1] = "0123456789abcdef"[sum[i] & 15];
	}
	out[SUM_TEXT] = '\0';
}

static void sum_of(const txw_str *parts, size_t n, char out[SUM_TEXT + 1])
{
	unsigned char sum[32];
	unsigned len = 0;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (!ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
		abort(); /* SHA-256 is always there */
	for (size_t i = 0; i < n; i++) {
		EVP_DigestUpdate(ctx, parts[i].ptr, parts[i].len);
		EVP_DigestUpdate(ctx, "", 1); /* so that parts cannot flow together */
	}
	EVP_DigestFinal_ex(ctx, sum, &len);
	EVP_MD_CTX_free(ctx);
	hex(sum, out);
}

/* ---- the stored answer ---- */

struct lookup {
	const struct idempotent *once;
	struct arena *arena;
	txw_time now;
	txw_str body; /* none: not stored */
};

static int32_t take_doc(void *ctx, const txw_doc *doc)
{
	struct lookup *l = ctx;
	bool alive = doc->expires_at == 0 || doc->expires_at > l->now;
	if (alive && str_is(doc->id, l->once->id))
		l->body = arena_str(l->arena, doc->body);
	return 1;
}

/* There is no read by id: the page after the id less its last digit begins
 * with it (or, once in 2^252, with one that agrees in all other digits). */
static int32_t look_up(struct call *c, struct lookup *l)
{
	struct readers *readers = c->api->site->readers;
	struct err e = {0};
	txw_str before = {l->once->id, SUM_TEXT - 1};
	return READ_CALL(readers_store(readers), &e, list_docs, readers_mine(readers), KIND,
			 c->tenant, before, 1, take_doc, l);
}

static void copy_text(const json_t *doc, const char *member, char *out, size_t cap)
{
	txw_str s = str_of(json_string_value(json_object_get(doc, member)));
	size_t n = s.len < cap ? s.len : 0;
	if (n)
		memcpy(out, s.ptr, n);
	out[n] = '\0';
}

static void replay(struct call *c, const json_t *doc)
{
	struct answer a = {0};
	const json_t *body = json_object_get(doc, "body");
	a.status = (int)json_integer_value(json_object_get(doc, "status"));
	a.is_problem = json_is_true(json_object_get(doc, "problem"));
	copy_text(doc, "etag", a.etag, sizeof(a.etag));
	copy_text(doc, "location", a.location, sizeof(a.location));
	buf_add(&a.body, json_string_value(body), json_string_length(body));
	series_add(c->api->replays, 1);
	http_set_header(c->request, "Idempotency-Replayed", STR_LIT("true"));
	call_answer(c, &a);
}

/* true: the call is answered. */
static bool answer_from(struct call *c, const struct idempotent *o, txw_str stored)
{
	json_t *doc = json_loadb(stored.ptr, stored.len, 0, NULL);
	if (!json_is_string(json_object_get(doc, "body"))) {
		json_decref(doc);
		log_warn("a stored answer cannot be read; the request is carried out again",
			 "request", http_request_id(c->request).ptr);
		return false;
	}
	if (strcmp(o->sum, json_string_value(json_object_get(doc, "sum"))) != 0)
		call_problem(c, PROBLEM_KEY_REUSED, NULL);
	else
		replay(c, doc);
	json_decref(doc);
	return true;
}

/* ---- the request ---- */

static bool key_is_sane(txw_str key)
{
	if (key.len == 0 || key.len > KEY_MAX)
		return false;
	for (size_t i = 0; i < key.len; i++) {
		if (key.ptr[i] < 0x20 || key.ptr[i] == 0x7f)
			return false;
	}
	return true;
}

bool once_begin(struct call *c)
{
	struct idempotent *twin = NULL;
	txw_str key = http_header(c->request, "Idempotency-Key");
	if (!key.ptr || !(c->route->flags & ROUTE_ONCE))
		return true;
	if (!key_is_sane(key)) {
		call_problem(c, PROBLEM_INVALID,
			     "Idempotency-Key must be 1 to %d printable ASCII characters", KEY_MAX);
		return false;
	}
	struct idempotent *o = arena_alloc(c->arena, sizeof(*o));
	txw_str names[] = {c->tenant, str_of(c->token->name), http_method(c->request),
			   http_path(c->request), key};
	txw_str body[] = {http_body(c->request), http_query(c->request, "dry_run", NULL)};
	sum_of(names, sizeof(names) / sizeof(names[0]), o->id);
	sum_of(body, sizeof(body) / sizeof(body[0]), o->sum);
	o->tenant = c->tenant;
	HASH_FIND_STR(c->api->in_flight, o->id, twin);
	if (twin) {
		http_set_header(c->request, "Retry-After", STR_LIT("1"));
		call_problem(c, PROBLEM_IN_FLIGHT, NULL);
		return false;
	}
	struct lookup l = {.once = o, .arena = c->arena, .now = loop_now(c->api->site->loop)};
	struct err e = {0};
	int32_t rc = look_up(c, &l);
	if (rc < 0) {
		call_failed(c, rc, &e, NULL);
		return false;
	}
	if (l.body.len && answer_from(c, o, l.body))
		return false;
	HASH_ADD_STR(c->api->in_flight, id, o);
	c->once = o;
	return true;
}

int32_t once_save(struct idempotent *o, struct unit *u, const struct answer *a, struct err *e)
{
	struct buf b = {0};
	json_open(&b, '{');
	json_m_text(&b, "sum", o->sum);
	json_m_int(&b, "status", a->status);
	json_m_bool(&b, "problem", a->is_problem);
	json_m_text(&b, "etag", a->etag);
	json_m_text(&b, "location", a->location);
	json_m_str(&b, "body", buf_view(&a->body));
	json_close(&b, '}');
	txw_doc doc = {
	    .size = sizeof(doc),
	    .kind = KIND,
	    .tenant = o->tenant,
	    .id = {o->id, SUM_TEXT},
	    .body = buf_view(&b),
	    .version = 1,
	    .created_at = u->now,
	    .updated_at = u->now,
	    .expires_at = u->now + KEPT_FOR,
	};
	int32_t rc = UNIT_CALL(u, e, put_doc, &doc);
	buf_free(&b);
	return rc;
}

void once_end(struct call *c)
{
	HASH_DEL(c->api->in_flight, c->once);
	c->once = NULL;
}
