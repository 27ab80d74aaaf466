/*
 * token_uses.c: tokens from the store, and when they were used back to it.
 *
 * The first use arms a timer; when it fires, all tokens used since are written
 * in one job. So a token costs at most one row a minute, however often it is
 * used, and an idle site nothing.
 */
#include <jansson.h>
#include <stdlib.h>

#include "api/tokens.h"

#define KIND    STR_LIT("token")
#define WRITTEN MINUTE

struct token_uses {
	struct timer timer; /* first */
	struct api *api;
};

/* ---- from the store ---- */

static bool sum_parse(const char *hex, unsigned char out[32])
{
	static const char digits[] = "0123456789abcdef";
	if (!hex || strlen(hex) != 64)
		return false;
	for (size_t i = 0; i < 64; i++) {
		const char *at = strchr(digits, hex[i]);
		if (!at)
			return false;
		unsigned v = (unsigned)(at - digits);
		out[i / 2] = (unsigned char)(i % 2 ? out[i / 2] | v : v << 4);
	}
	return true;
}

static int32_t take_doc(void *ctx, const txw_doc *doc)
{
	struct api *api = ctx;
	struct arena arena = {0};
	struct token t = {.tenant = doc->tenant};
	json_t *body = json_loadb(doc->body.ptr, doc->body.len, 0, NULL);
	size_t i;
	json_t *v;
	t.name = arena_str(&arena, doc->id).ptr;
	json_array_foreach(json_object_get(body, "scopes"), i, v)
	{
		for (enum scope s = SCOPE_READ; s <= SCOPE_ADMIN; s++) {
			if (json_is_string(v) && s > t.scope &&
			    strcmp(json_string_value(v), scope_name(s)) == 0)
				t.scope = s;
		}
	}
	const char *expires = json_string_value(json_object_get(body, "expires_at"));
	bool ok = sum_parse(json_string_value(json_object_get(body, "sum")), t.sum) &&
		  (!expires || time_parse(str_of(expires), &t.expires));
	if (!ok || !auth_admit(api->auth, &t))
		log_warn("a token in the store cannot be read and opens nothing", "token", t.name);
	json_decref(body);
	arena_free(&arena);
	return 0;
}

int32_t tokens_load(struct api *api, struct err *e)
{
	struct readers *r = api->site->readers;
	return READ_CALL(readers_store(r), e, list_docs, readers_mine(r), KIND, STR_NONE, STR_NONE,
			 UINT32_MAX, take_doc, api);
}

/* ---- to the store ---- */

struct use {
	struct use *next;
	txw_str tenant;
	txw_str id;
	txw_time at;
};

struct uses_job {
	struct job job; /* first */
	struct arena arena;
	struct use *first;
	size_t n;
};

struct kept {
	struct arena *arena;
	txw_doc doc;
};

static int32_t keep_doc(void *ctx, const txw_doc *doc)
{
	struct kept *k = ctx;
	k->doc = *doc;
	k->doc.body = arena_str(k->arena, doc->body);
	return 0;
}

static int32_t write_use(struct unit *u, const struct use *use, struct err *e)
{
	struct kept k = {.arena = &u->arena};
	int32_t rc = UNIT_CALL(u, e, get_doc, KIND, use->tenant, use->id, keep_doc, &k);
	if (rc == TXW_E_NOTFOUND)
		return 0; /* ended meanwhile */
	if (rc < 0)
		return rc;
	char text[TIME_TEXT_MAX];
	size_t n = time_print(text, use->at);
	json_t *body = json_loadb(k.doc.body.ptr, k.doc.body.len, 0, NULL);
	if (!json_is_object(body)) {
		json_decref(body);
		return 0;
	}
	json_object_set_new(body, "last_used_at", json_stringn(text, n));
	char *dump = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	k.doc.kind = KIND;
	k.doc.tenant = use->tenant;
	k.doc.id = use->id;
	k.doc.body = str_of(dump);
	k.doc.version++;
	k.doc.updated_at = u->now;
	rc = UNIT_CALL(u, e, put_doc, &k.doc);
	free(dump);
	return rc;
}

static int32_t uses_apply(struct job *job, struct unit *u, struct err *e)
{
	const struct uses_job *j = (struct uses_job *)job;
	int32_t rc = 0;
	for (const struct use *use = j->first; use && rc >= 0; use = use->next)
		rc = write_use(u, use, e);
	return rc < 0 ? rc : 0;
}

static void uses_done(struct job *job)
{
	struct uses_job *j = (struct uses_job *)job;
	if (job->rc < 0)
		log_warn("when tokens were last used could not be written", "why", job->err.text);
	arena_free(&j->arena);
	free(j);
}

static void add_use(void *ctx, const struct token *t)
{
	struct uses_job *j = ctx;
	struct use *use = arena_alloc(&j->arena, sizeof(*use));
	*use = (struct use){.next = j->first,
			    .tenant = arena_str(&j->arena, t->tenant),
			    .id = arena_str(&j->arena, str_of(t->name)),
			    .at = t->used_at};
	j->first = use;
	j->n++;
}

void token_uses_flush(struct token_uses *u)
{
	struct uses_job *j = xcalloc(1, sizeof(*j));
	timer_clear(u->api->site->loop, &u->timer);
	auth_take_used(u->api->auth, add_use, j);
	if (j->n == 0) {
		free(j);
		return;
	}
	j->job.item.weight = (uint32_t)j->n;
	j->job.apply = uses_apply;
	j->job.done = uses_done;
	engine_submit_internal(u->api->site->engine, &j->job);
}

static void on_timer(struct timer *timer)
{
	token_uses_flush((struct token_uses *)timer);
}

struct token_uses *token_uses_open(struct api *api)
{
	struct token_uses *u = xcalloc(1, sizeof(*u));
	u->api = api;
	u->timer.fire = on_timer;
	return u;
}

void token_uses_note(struct token_uses *u)
{
	struct loop *loop = u->api->site->loop;
	if (u->timer.place == 0)
		timer_set(loop, &u->timer, loop_now(loop) + WRITTEN);
}

void token_uses_close(struct token_uses *u)
{
	if (!u)
		return;
	timer_clear(u->api->site->loop, &u->timer);
	free(u);
}
