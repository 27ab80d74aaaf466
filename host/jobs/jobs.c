/*
 * jobs.c: which work runs, and its steps; see jobs.h.
 *
 *   QUEUED  -> RUNNING    run_next(): a place is free, and its tenant has none
 *   RUNNING -> DONE       the kind's step said WORK_OVER
 *   RUNNING -> CANCELLED  work_cancel(), at the next step
 *   RUNNING -> FAILED     the kind's open or step had an error of its own
 *
 * A step: read (on a reader's thread), then apply (in a unit), then, on the
 * loop, what was committed becomes the work's state and the next step begins.
 * At most one step of a work is under way, so nothing of it needs a lock.
 */
#include "jobs/jobs.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/str.h"
#include "engine/audit.h"
#include "jobs/inside.h"

#define KINDS_MAX 8
#define RETRY     SECOND
#define PAGE      1000

struct work_wait {
	struct work_wait *next;
	void (*fn)(void *ctx);
	void *ctx;
};

struct jobs {
	struct loop *loop;
	struct engine *engine;
	struct readers *readers;
	struct {
		const struct work_kind *kind;
		void *ctx;
	} kinds[KINDS_MAX];
	size_t n_kinds;
	struct work *first; /* unfinished ones, oldest first */
	size_t n_running;
	bool is_draining;
	struct sweep *sweep;
};

/* ---- kinds ---- */

struct jobs *jobs_open(struct loop *loop)
{
	struct jobs *j = xcalloc(1, sizeof(*j));
	j->loop = loop;
	return j;
}

void jobs_add_kind(struct jobs *j, const struct work_kind *kind, void *ctx)
{
	if (j->n_kinds == KINDS_MAX)
		abort(); /* a host's own mistake, at start */
	j->kinds[j->n_kinds].kind = kind;
	j->kinds[j->n_kinds++].ctx = ctx;
}

static bool find_kind(const struct jobs *j, txw_str name, struct work *w)
{
	for (size_t i = 0; i < j->n_kinds; i++) {
		if (!str_is(name, j->kinds[i].kind->name))
			continue;
		w->kind = j->kinds[i].kind;
		w->ctx = j->kinds[i].ctx;
		return true;
	}
	return false;
}

const struct work_kind *jobs_kind(const struct jobs *j, txw_str name)
{
	struct work found = {0};
	return find_kind(j, name, &found) ? found.kind : NULL;
}

/* ---- one work's life ---- */

static void work_free(struct work *w)
{
	if (w->is_opened && w->kind->close)
		w->kind->close(w);
	json_decref(w->params);
	json_decref(w->cursor);
	json_decref(w->progress);
	json_decref(w->next_cursor);
	json_decref(w->next_progress);
	arena_free(&w->arena);
	free(w);
}

static void append(struct jobs *j, struct work *w)
{
	struct work **end = &j->first;
	while (*end)
		end = &(*end)->next;
	*end = w;
}

static void take_off(struct jobs *j, const struct work *w)
{
	struct work **at = &j->first;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
}

static bool is_over(enum work_state s)
{
	return s == WORK_DONE || s == WORK_CANCELLED || s == WORK_FAILED;
}

/* ---- a step ---- */

static void run_next(struct jobs *j);
static void begin_step(struct work *w);

static void next_from_committed(struct work *w)
{
	json_decref(w->next_cursor);
	json_decref(w->next_progress);
	w->next_cursor = json_deep_copy(w->cursor);
	w->next_progress = json_deep_copy(w->progress);
}

/* {"kind","state"} and the numbers of its progress. */
static void print_end(const struct work *w, struct buf *b)
{
	const char *key;
	json_t *value;
	json_open(b, '{');
	json_m_text(b, "kind", w->kind->name);
	json_m_text(b, "state", work_state_name(w->next_state));
	json_object_foreach(w->next_progress, key, value)
	{
		if (json_is_integer(value))
			json_m_int(b, key, json_integer_value(value));
	}
	json_close(b, '}');
}

static int32_t note_end(const struct work *w, struct unit *u, struct err *e)
{
	struct buf b = {0};
	print_end(w, &b);
	const struct audit row = {.tenant = w->tenant,
				  .actor = w->actor,
				  .action = "job.end",
				  .object = str_of(w->id),
				  .detail = buf_view(&b)};
	int32_t rc = audit_add(u, &row, e);
	buf_free(&b);
	return rc;
}

static int32_t apply(struct job *job, struct unit *u, struct err *e)
{
	struct work *w = (struct work *)job;
	int32_t rc = WORK_MORE;
	next_from_committed(w);
	w->next_state = WORK_RUNNING;
	if (w->why.code) {
		w->next_state = WORK_FAILED;
	} else if (atomic_load(&w->cancel)) {
		w->next_state = WORK_CANCELLED;
	} else {
		rc = w->kind->step(w, u, e);
		if (rc == WORK_OVER)
			w->next_state = WORK_DONE;
	}
	if (rc < 0 || (rc = work_save(w, u, e)) < 0)
		return rc;
	return is_over(w->next_state) ? note_end(w, u, e) : 0;
}

static void tell_waits(struct work *w)
{
	for (struct work_wait *x = w->waits, *next; x; x = next) {
		next = x->next;
		x->fn(x->ctx);
		free(x);
	}
	w->waits = NULL;
}

static void on_again(struct timer *timer)
{
	begin_step((struct work *)((char *)timer - offsetof(struct work, again)));
}

static void finish(struct work *w)
{
	struct jobs *j = w->jobs;
	log_info("job ended", "job", w->id, "kind", w->kind->name, "state",
		 work_state_name(w->state));
	take_off(j, w);
	j->n_running--;
	tell_waits(w);
	work_free(w);
	run_next(j);
}

/* The store's trouble passes; any other error is the work's end. */
static void stumble(struct work *w, int32_t rc, const struct err *e)
{
	struct jobs *j = w->jobs;
	if (rc == TXW_E_CANCELLED) /* the host ends */
		return;
	if (engine_is_trouble(rc) || w->why.code) {
		log_warn("a job waits for the store", "job", w->id, "why", e->text);
		w->again.fire = on_again;
		timer_set(j->loop, &w->again, loop_now(j->loop) + RETRY);
		return;
	}
	w->why = *e;
	w->why.code = rc;
	begin_step(w);
}

static void applied(struct job *job)
{
	struct work *w = (struct work *)job;
	w->is_moving = false;
	if (job->rc < 0) {
		struct err e = job->err;
		stumble(w, job->rc, &e);
		return;
	}
	json_decref(w->cursor);
	json_decref(w->progress);
	w->cursor = w->next_cursor;
	w->progress = w->next_progress;
	w->next_cursor = w->next_progress = NULL;
	w->state = w->next_state;
	w->version++;
	if (is_over(w->state))
		finish(w);
	else
		begin_step(w);
}

static void submit_step(struct work *w)
{
	w->job = (struct job){.apply = apply, .done = applied};
	w->job.item.weight = w->weight ? w->weight : 1;
	engine_submit_internal(w->jobs->engine, &w->job);
}

static int32_t run_read(struct read_job *job, const txw_store *store, void *reader, struct err *e)
{
	struct work *w = (struct work *)((char *)job - offsetof(struct work, read));
	return w->kind->read(w, store, reader, e);
}

static void have_read(struct read_job *job)
{
	struct work *w = (struct work *)((char *)job - offsetof(struct work, read));
	if (job->rc >= 0) {
		submit_step(w);
		return;
	}
	w->is_moving = false;
	struct err e = job->err;
	stumble(w, job->rc, &e);
}

static void begin_step(struct work *w)
{
	struct jobs *j = w->jobs;
	if (j->is_draining || w->is_moving)
		return;
	timer_clear(j->loop, &w->again);
	w->is_moving = true;
	bool ends = w->why.code || atomic_load(&w->cancel);
	if (ends || !w->kind->read) {
		submit_step(w);
		return;
	}
	w->read = (struct read_job){.run = run_read, .done = have_read};
	int32_t rc = readers_submit(j->readers, &w->read);
	if (rc >= 0)
		return;
	w->is_moving = false;
	struct err e = w->read.err;
	stumble(w, rc, &e);
}

/* ---- which one ---- */

static bool tenant_runs(const struct jobs *j, txw_str tenant)
{
	for (const struct work *w = j->first; w; w = w->next) {
		if (w->state == WORK_RUNNING && str_eq(w->tenant, tenant))
			return true;
	}
	return false;
}

static void start(struct work *w)
{
	struct err e = {0};
	w->jobs->n_running++;
	w->state = WORK_RUNNING;
	if (w->started_at == 0)
		w->started_at = loop_now(w->jobs->loop);
	int32_t rc = w->kind->open ? w->kind->open(w, &e) : 0;
	w->is_opened = rc >= 0;
	if (rc < 0) {
		w->why = e;
		w->why.code = rc;
	}
	begin_step(w);
}

static void run_next(struct jobs *j)
{
	if (j->is_draining)
		return;
	for (struct work *w = j->first, *next; w && j->n_running < JOBS_RUNNING; w = next) {
		next = w->next;
		if (w->state == WORK_QUEUED && !tenant_runs(j, w->tenant))
			start(w);
	}
}

/* ---- new ones ---- */

static size_t count_open(const struct jobs *j, txw_str tenant)
{
	size_t n = 0;
	for (const struct work *w = j->first; w; w = w->next)
		n += str_eq(w->tenant, tenant);
	return n;
}

/* From a request or a document; NULL: it cannot be read. */
static struct work *work_new(struct jobs *j, txw_str tenant, txw_str id, const json_t *doc)
{
	struct work *w = xcalloc(1, sizeof(*w));
	w->jobs = j;
	w->tenant = arena_str(&w->arena, tenant);
	txw_str kind = str_of(json_string_value(json_object_get(doc, "kind")));
	if (id.len < sizeof(w->id) && find_kind(j, kind, w) && work_load(w, doc)) {
		memcpy(w->id, id.ptr, id.len);
		return w;
	}
	log_warn("a job cannot be gone on with: its document or kind is not known", "job",
		 arena_str(&w->arena, id).ptr);
	work_free(w);
	return NULL;
}

static int32_t note_act(const struct work_request *r, struct unit *u, struct err *e)
{
	struct buf b = {0};
	json_open(&b, '{');
	json_m_text(&b, "kind", json_string_value(json_object_get(r->doc, "kind")));
	json_close(&b, '}');
	int32_t rc = audit_add(u,
			       &(struct audit){.tenant = r->tenant,
					       .actor = r->actor,
					       .action = "job.create",
					       .object = str_of(r->id),
					       .detail = buf_view(&b)},
			       e);
	buf_free(&b);
	return rc;
}

static int32_t request_apply(struct job *job, struct unit *u, struct err *e)
{
	struct work_request *r = (struct work_request *)job;
	int32_t rc = work_save_new(r, u, e);
	if (rc >= 0)
		rc = note_act(r, u, e);
	if (rc < 0)
		return rc;
	return r->finish ? r->finish(r, u, e) : 0;
}

static void request_done(struct job *job)
{
	struct work_request *r = (struct work_request *)job;
	struct jobs *j = r->jobs;
	if (job->rc >= 0) {
		struct work *w = work_new(j, r->tenant, str_of(r->id), r->doc);
		if (w)
			append(j, w);
	}
	r->done(r);
	run_next(j);
}

int32_t work_submit(struct work_request *r)
{
	if (count_open(r->jobs, r->tenant) >= JOBS_OPEN)
		return err_set(&r->job.err, TXW_E_BUSY,
			       "%d jobs are unfinished, which is the most: wait for one, or "
			       "cancel it",
			       JOBS_OPEN);
	r->job.apply = request_apply;
	r->job.done = request_done;
	return engine_submit(r->jobs->engine, &r->job);
}

void work_request_free(struct work_request *r)
{
	json_decref(r->params);
	json_decref(r->doc);
	buf_free(&r->body);
	arena_free(&r->arena);
	free(r);
}

static struct work *find(const struct jobs *j, txw_str tenant, txw_str id)
{
	struct work *w = j->first;
	while (w && !(str_is(id, w->id) && str_eq(w->tenant, tenant)))
		w = w->next;
	return w;
}

const struct work_kind *work_kind_of(const struct jobs *j, txw_str tenant, txw_str id)
{
	const struct work *w = find(j, tenant, id);
	return w ? w->kind : NULL;
}

int32_t work_cancel(struct jobs *j, txw_str tenant, txw_str id, void (*fn)(void *ctx), void *ctx)
{
	struct work *w = find(j, tenant, id);
	if (!w)
		return TXW_E_NOTFOUND;
	if (j->is_draining)
		return TXW_E_BUSY;
	struct work_wait *x = xcalloc(1, sizeof(*x));
	*x = (struct work_wait){.next = w->waits, .fn = fn, .ctx = ctx};
	w->waits = x;
	atomic_store(&w->cancel, true);
	if (w->state == WORK_QUEUED) { /* its end needs no place */
		j->n_running++;
		w->state = WORK_RUNNING;
	}
	begin_step(w);
	return TXW_PENDING;
}

/* ---- life ---- */

struct loading {
	struct jobs *jobs;
	char after[ID_TEXT_MAX];
	uint32_t n;
};

static int32_t on_doc(void *ctx, const txw_doc *doc)
{
	struct loading *l = ctx;
	l->n++;
	snprintf(l->after, sizeof(l->after), "%.*s", STR_ARG(doc->id));
	if (doc->expires_at) /* finished */
		return 0;
	json_t *json = json_loadb(doc->body.ptr, doc->body.len, 0, NULL);
	struct work *w = work_new(l->jobs, doc->tenant, doc->id, json);
	json_decref(json);
	if (w) {
		w->version = doc->version;
		append(l->jobs, w);
	}
	return 0;
}

int32_t jobs_start(struct jobs *j, struct engine *g, struct readers *r, struct err *e)
{
	struct loading l = {.jobs = j};
	j->engine = g;
	j->readers = r;
	do {
		l.n = 0;
		char after[ID_TEXT_MAX];
		memcpy(after, l.after, sizeof(after));
		int32_t rc = READ_CALL(readers_store(r), e, list_docs, readers_mine(r), WORK_DOC,
				       STR_NONE, str_of(after), PAGE, on_doc, &l);
		if (rc < 0)
			return rc;
	} while (l.n == PAGE);
	j->sweep = sweep_open(j->loop, g);
	run_next(j);
	return 0;
}

void jobs_drain(struct jobs *j)
{
	j->is_draining = true;
	if (j->sweep)
		sweep_drain(j->sweep);
}

void jobs_close(struct jobs *j)
{
	for (struct work *w = j->first, *next; w; w = next) {
		next = w->next;
		timer_clear(j->loop, &w->again);
		tell_waits(w);
		work_free(w);
	}
	if (j->sweep)
		sweep_close(j->sweep);
	free(j);
}
