/*
 * purge.c: see purge.h.
 *
 * The note is a document of kind "purged", one a tenant, written in the step's
 * unit, and kept in memory for those who read the log.
 */
#include "engine/purge.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/str.h"

#define KIND STR_LIT("purged")
#define NAME STR_LIT("log")

struct note {
	txw_str tenant;
	int64_t seq;
};

struct purged {
	pthread_mutex_t lock;
	struct note *notes; /* under the lock; tenants are the owner's */
	size_t n;
};

/* ---- what is known ---- */

struct purged *purged_new(void)
{
	struct purged *p = xcalloc(1, sizeof(*p));
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

void purged_free(struct purged *p)
{
	for (size_t i = 0; i < p->n; i++)
		free((char *)(uintptr_t)p->notes[i].tenant.ptr);
	free(p->notes);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static struct note *find(struct note *notes, size_t n, txw_str tenant)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(notes[i].tenant, tenant))
			return &notes[i];
	return NULL;
}

static void note(struct purged *p, txw_str tenant, int64_t seq)
{
	pthread_mutex_lock(&p->lock);
	struct note *has = find(p->notes, p->n, tenant);
	if (!has) {
		p->notes = xrealloc(p->notes, (p->n + 1) * sizeof(*p->notes));
		has = &p->notes[p->n++];
		*has = (struct note){.tenant = {str_dup(tenant), tenant.len}};
	}
	if (seq > has->seq)
		has->seq = seq;
	pthread_mutex_unlock(&p->lock);
}

int64_t purged_to(struct engine *g, txw_str tenant)
{
	struct purged *p = engine_purged(g);
	pthread_mutex_lock(&p->lock);
	const struct note *has = find(p->notes, p->n, tenant);
	int64_t seq = has ? has->seq : 0;
	pthread_mutex_unlock(&p->lock);
	return seq;
}

static int32_t take_doc(void *ctx, const txw_doc *doc)
{
	json_t *body = json_loadb(doc->body.ptr, doc->body.len, 0, NULL);
	note(ctx, doc->tenant, json_integer_value(json_object_get(body, "seq")));
	json_decref(body);
	return 0;
}

int32_t purged_load(struct engine *g, struct readers *r, struct err *e)
{
	return READ_CALL(readers_store(r), e, list_docs, readers_mine(r), KIND, STR_NONE, STR_NONE,
			 UINT32_MAX, take_doc, engine_purged(g));
}

/* ---- a step ---- */

struct step {
	struct unit *unit;
	struct note notes[PURGE_STEP]; /* a tenant each */
	size_t n;
};

static int32_t gone(void *ctx, const txw_tx *row)
{
	struct step *s = ctx;
	counts_now(s->unit, row, row->status, row->outcome, -1);
	unit_note_row(s->unit, row->id);
	struct note *has = find(s->notes, s->n, row->tenant);
	if (!has && s->n < PURGE_STEP) {
		has = &s->notes[s->n++];
		*has = (struct note){.tenant = arena_str(&s->unit->arena, row->tenant)};
	}
	if (has && row->last_seq > has->seq)
		has->seq = row->last_seq;
	return 0;
}

static int32_t save_notes(struct step *s, struct err *e)
{
	struct unit *u = s->unit;
	int32_t rc = 0;
	for (size_t i = 0; i < s->n && rc >= 0; i++) {
		struct note *n = &s->notes[i];
		int64_t known = purged_to(u->engine, n->tenant);
		/* Before the commit: a reader that sees its snapshot sees this. */
		note(engine_purged(u->engine), n->tenant, n->seq);
		if (known > n->seq)
			n->seq = known;
		txw_doc doc = {
		    .size = sizeof(doc),
		    .kind = KIND,
		    .tenant = n->tenant,
		    .id = NAME,
		    .body = str_of(arena_printf(&u->arena, "{\"seq\":%lld}", (long long)n->seq)),
		    .version = 1,
		    .created_at = u->now,
		    .updated_at = u->now};
		rc = UNIT_CALL(u, e, put_doc, &doc);
	}
	return rc;
}

int32_t purge_step(struct unit *u, const txw_purge *what, txw_purged *out, struct err *e)
{
	txw_purge w = *what;
	*out = (txw_purged){.size = sizeof(*out)};
	if (!u->store->purge)
		return err_set(e, TXW_E_UNSUPPORTED, "the store cannot purge");
	if (w.limit > PURGE_STEP)
		w.limit = PURGE_STEP;
	w.max_seq = engine_routed(u->engine);
	if (w.max_seq == 0)
		return 0;
	struct step *s = arena_alloc(&u->arena, sizeof(*s));
	s->unit = u;
	w.gone = w.dry_run ? NULL : gone;
	w.ctx = s;
	int32_t rc = UNIT_CALL(u, e, purge, &w, out);
	return rc < 0 ? rc : save_notes(s, e);
}
