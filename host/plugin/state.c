/*
 * state.c: extension "txw.state/1": a few values that instances keep.
 *
 * Values are in memory; each change of one becomes an engine job that writes
 * or deletes its doc. A value:
 *
 *   SAVED  -> DIRTY    put()        it differs from what is stored
 *   DIRTY  -> QUEUED   submit()     a job will write it (needs the engine)
 *   QUEUED -> DIRTY    put()        still the same job: it writes the newest
 *   QUEUED -> SAVED    apply()      the job took the value
 *   SAVED  -> DIRTY    on_done()    its commit failed: tried again later
 *   SAVED  -> freed    on_done()    it was removed, and that is durable
 *
 * So a value has at most one job that has not begun, and what waits is
 * bounded by the number of keys, however often a plugin puts.
 *
 * One lock guards everything; put and get are [any], apply is [writer], done
 * and the retry timer are [loop].
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/engine.h"
#include "plugin/ext.h"

#define uthash_malloc(n)  xmalloc(n)
#define uthash_fatal(msg) abort()
#include <uthash.h>

#define KEYS_MAX    256u
#define KEY_MAX     64u
#define VALUE_MAX   65536u
#define RETRY_AFTER (5 * SECOND)

struct value {
	struct owner *owner;
	char *text; /* NULL: removed */
	size_t len;
	bool is_dirty;
	bool is_queued;
	unsigned jobs; /* not done */
	UT_hash_handle hh;
	size_t key_len;
	char key[];
};

/* An instance's values. Lives as long as the state: instances come again. */
struct owner {
	struct value *values; /* with those removed but not yet durably */
	unsigned n_live;
	UT_hash_handle hh;
	size_t name_len;
	char name[];
};

struct state_job {
	struct job job;
	struct plugin_state *state;
	struct value *value;
	struct state_job *next;
	struct state_job **link;
};

struct plugin_state {
	struct services *services;
	struct timer retry; /* [loop] */
	struct metric_defs defs;
	pthread_mutex_t lock; /* guards what follows */
	struct owner *owners;
	struct state_job *jobs; /* not done */
};

static struct owner *find_owner(struct plugin_state *s, txw_str name)
{
	struct owner *o = NULL;

	HASH_FIND(hh, s->owners, name.ptr, name.len, o);
	if (o)
		return o;
	o = xcalloc(1, sizeof(*o) + name.len + 1);
	memcpy(o->name, name.ptr, name.len);
	o->name_len = name.len;
	HASH_ADD(hh, s->owners, name[0], (unsigned)name.len, o);
	return o;
}

static struct value *find_value(struct owner *o, txw_str key)
{
	struct value *v = NULL;

	HASH_FIND(hh, o->values, key.ptr, key.len, v);
	return v;
}

static struct value *add_value(struct owner *o, txw_str key)
{
	struct value *v = xcalloc(1, sizeof(*v) + key.len + 1);

	v->owner = o;
	memcpy(v->key, key.ptr, key.len);
	v->key_len = key.len;
	HASH_ADD(hh, o->values, key[0], (unsigned)key.len, v);
	return v;
}

static void set_text(struct value *v, txw_str text)
{
	if (v->text)
		v->owner->n_live--;
	if (text.len)
		v->owner->n_live++;
	free(v->text);
	v->text = text.len ? str_dup(text) : NULL;
	v->len = text.len;
}

static void free_value(struct value *v)
{
	HASH_DEL(v->owner->values, v);
	free(v->text);
	free(v);
}

/* ---- the jobs ---- */

static void free_job(struct state_job *j)
{
	*j->link = j->next;
	if (j->next)
		j->next->link = j->link;
	free(j);
}

/* The value as it is now, into the unit's arena. */
static void take_value(struct state_job *j, struct unit *u, txw_doc *doc, bool *is_removed)
{
	struct value *v = j->value;
	struct buf body = {0};

	pthread_mutex_lock(&j->state->lock);
	v->is_queued = false;
	v->is_dirty = false;
	*is_removed = v->text == NULL;
	doc->id = str_of(
	    arena_printf(&u->arena, "%s/%.*s", v->owner->name, (int)v->key_len, v->key));
	if (v->text) {
		json_str(&body, (txw_str){v->text, v->len});
		doc->body = arena_str(&u->arena, buf_view(&body));
	}
	pthread_mutex_unlock(&j->state->lock);
	buf_free(&body);
}

static int32_t apply(struct job *job, struct unit *u, struct err *e)
{
	struct state_job *j = (struct state_job *)job;
	txw_doc doc = {.size = sizeof(doc), .kind = STR_LIT("state"), .version = 1};
	bool is_removed;

	take_value(j, u, &doc, &is_removed);
	doc.created_at = doc.updated_at = u->now;
	if (!is_removed)
		return UNIT_CALL(u, e, put_doc, &doc);
	int32_t rc = UNIT_CALL(u, e, delete_doc, doc.kind, doc.tenant, doc.id);
	return rc == TXW_E_NOTFOUND ? 0 : rc;
}

static void on_done(struct job *job)
{
	struct state_job *j = (struct state_job *)job;
	struct plugin_state *s = j->state;
	struct value *v = j->value;
	bool is_failed = job->rc < 0;

	if (is_failed && !s->retry.place) {
		log_warn("the state of an instance is not saved: trying again", "instance",
			 v->owner->name, "why", job->err.text);
		timer_set(s->services->loop, &s->retry, loop_now(s->services->loop) + RETRY_AFTER);
	}
	pthread_mutex_lock(&s->lock);
	v->jobs--;
	v->is_dirty |= is_failed;
	if (!v->text && !v->is_dirty && v->jobs == 0)
		free_value(v);
	free_job(j);
	pthread_mutex_unlock(&s->lock);
}

/* The caller holds the lock. */
static void submit(struct plugin_state *s, struct value *v)
{
	struct engine *engine = s->services->engine;

	if (!engine || !v->is_dirty || v->is_queued)
		return;
	struct state_job *j = xcalloc(1, sizeof(*j));
	j->job.item.weight = 1;
	j->job.apply = apply;
	j->job.done = on_done;
	j->state = s;
	j->value = v;
	j->next = s->jobs;
	j->link = &s->jobs;
	if (j->next)
		j->next->link = &j->next;
	s->jobs = j;
	v->is_queued = true;
	v->jobs++;
	engine_submit_internal(engine, &j->job);
}

void state_flush(struct plugin_state *s)
{
	pthread_mutex_lock(&s->lock);
	for (struct owner *o = s->owners; o; o = o->hh.next)
		for (struct value *v = o->values; v; v = v->hh.next)
			submit(s, v);
	pthread_mutex_unlock(&s->lock);
}

static void on_retry(struct timer *t)
{
	state_flush((struct plugin_state *)((char *)t - offsetof(struct plugin_state, retry)));
}

/* ---- what plugins call ---- */

static int64_t get(txw_instance *self, txw_str key, char *out, size_t cap)
{
	struct plugin_state *s = self->services->state;
	int64_t rc = TXW_E_NOTFOUND;

	if (!s || !key.len)
		return rc;
	pthread_mutex_lock(&s->lock);
	const struct value *v = find_value(find_owner(s, str_of(self->name)), key);
	if (v && v->text) {
		size_t n = v->len < cap ? v->len : cap;
		if (n)
			memcpy(out, v->text, n);
		rc = (int64_t)v->len;
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* The caller holds the lock. */
static int32_t change(struct plugin_state *s, struct owner *o, txw_str key, txw_str value)
{
	struct value *v = find_value(o, key);
	bool is_there = v && v->text;

	if (value.len && !is_there && o->n_live >= KEYS_MAX)
		return TXW_E_FULL;
	/* Keys that are on their way out take room too. */
	if (!v && value.len && HASH_COUNT(o->values) >= 2 * KEYS_MAX)
		return TXW_E_FULL;
	if (!is_there && !value.len)
		return TXW_OK;
	if (is_there && str_eq((txw_str){v->text, v->len}, value))
		return TXW_OK;
	if (!v)
		v = add_value(o, key);
	set_text(v, value);
	v->is_dirty = true;
	submit(s, v);
	return TXW_OK;
}

static int32_t put(txw_instance *self, txw_str key, txw_str value)
{
	struct plugin_state *s = self->services->state;

	if (!s)
		return TXW_E_UNSUPPORTED;
	if (key.len == 0 || !str_utf8(key) || !str_utf8(value))
		return TXW_E_INVALID;
	if (key.len > KEY_MAX || value.len > VALUE_MAX)
		return TXW_E_FULL;
	pthread_mutex_lock(&s->lock);
	int32_t rc = change(s, find_owner(s, str_of(self->name)), key, value);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

const txw_state_ext STATE_EXT = {.size = sizeof(STATE_EXT), .get = get, .put = put};

/* ---- what the site calls ---- */

struct plugin_state *state_open(struct services *services)
{
	struct plugin_state *s = xcalloc(1, sizeof(*s));

	s->services = services;
	s->retry.fire = on_retry;
	pthread_mutex_init(&s->lock, NULL);
	services->state = s;
	return s;
}

void state_close(struct plugin_state *s)
{
	struct owner *o;

	if (!s)
		return;
	if (s->retry.place)
		timer_clear(s->services->loop, &s->retry);
	while (s->jobs)
		free_job(s->jobs);
	while ((o = s->owners)) {
		while (o->values)
			free_value(o->values);
		HASH_DEL(s->owners, o);
		free(o);
	}
	metric_defs_free(&s->defs);
	s->services->state = NULL;
	pthread_mutex_destroy(&s->lock);
	free(s);
}

struct metric_defs *state_metric_defs(struct plugin_state *s)
{
	return &s->defs;
}

void state_load(struct plugin_state *s, txw_str instance_name, txw_str key, txw_str value)
{
	if (!instance_name.len || !key.len || !value.len)
		return;
	pthread_mutex_lock(&s->lock);
	struct owner *o = find_owner(s, instance_name);
	if (!find_value(o, key))
		set_text(add_value(o, key), value);
	pthread_mutex_unlock(&s->lock);
}

int32_t state_load_doc(struct plugin_state *s, const txw_doc *doc, struct err *e)
{
	const char *slash = doc->id.len ? memchr(doc->id.ptr, '/', doc->id.len) : NULL;
	json_t *json = doc->body.len
			   ? json_loadb(doc->body.ptr, doc->body.len, JSON_DECODE_ANY, NULL)
			   : NULL;
	int32_t rc = 0;

	if (slash && json_is_string(json)) {
		size_t n = (size_t)(slash - doc->id.ptr);
		state_load(s, (txw_str){doc->id.ptr, n}, (txw_str){slash + 1, doc->id.len - n - 1},
			   (txw_str){json_string_value(json), json_string_length(json)});
	} else {
		rc = err_set(e, TXW_E_CORRUPT, "the stored state `%.*s` is not a JSON string",
			     STR_ARG(doc->id));
	}
	json_decref(json);
	return rc;
}
