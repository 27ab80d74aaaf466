/*
 * group.c: the writer's thread: groups, commits, answers.
 *
 * A group:
 *   TAKEN     -> APPLIED    every job wrote into the unit
 *   APPLIED   -> ROUTED     the unit's step (the router) added its rows
 *   ROUTED    -> COMMITTED  durable: answers go out, then the tails
 *   any       -> UNDONE     an error. The store's: every job of the group is
 *                           told. A job's own: it alone is told; those
 *                           before it are applied again and committed, those
 *                           behind it are the next group
 */
#include <stdlib.h>

#include "base/log.h"
#include "base/row.h"
#include "engine/evidence.h"
#include "engine/inside.h"

#define STEP_RETRY SECOND /* real; after the router's unit failed */

static void set_health(struct engine *g, int32_t rc, const struct err *e)
{
	pthread_mutex_lock(&g->health_lock);
	if (rc < 0)
		g->health = *e;
	else
		g->health.code = 0;
	pthread_mutex_unlock(&g->health_lock);
}

/* Posted behind a group's answers, so that a walk of the virtual clock sees
 * the engine at rest only after they were taken. */
struct rest {
	struct task task;
	struct loop *loop;
	int n;
};

static void on_rest(struct task *task)
{
	struct rest *r = (struct rest *)task;
	for (int i = 0; i < r->n; i++)
		loop_release(r->loop);
	free(r);
}

static void post_rest(struct engine *g, int n)
{
	struct rest *r = xmalloc(sizeof(*r));
	*r = (struct rest){.task = {.run = on_rest}, .loop = g->loop, .n = n};
	loop_post(g->loop, &r->task);
}

static int32_t unit_begin(struct engine *g, struct err *e)
{
	struct unit *u = &g->unit;
	arena_reset(&u->arena);
	u->n_events = 0;
	u->earliest_due = 0;
	u->hooks = NULL;
	u->n_rows = 0;
	counts_reset(&u->counts);
	u->has_sequence = false;
	evidence_begin(u->evidence);
	u->now = loop_now(g->loop);
	u->info.last_seq = atomic_load(&g->last_seq);
	txw_error from = ERR_ABI_INIT;
	return err_from_plugin(e, u->store->begin(u->self, &from), &from);
}

static void unit_undo(struct engine *g)
{
	g->unit.store->rollback(g->unit.self);
	g->unit.n_events = 0;
}

static int32_t unit_commit(struct engine *g, struct err *e)
{
	struct unit *u = &g->unit;
	int64_t start = clock_ticks();
	txw_error from = ERR_ABI_INIT;
	int32_t rc = counts_save(u, e);
	if (rc >= 0)
		rc = err_from_plugin(e, u->store->commit(u->self, &from), &from);
	if (rc >= 0) {
		series_observe(g->m_commit, (double)(clock_ticks() - start) / 1e6);
		engine_note_seq(g, u->info.last_seq);
		evidence_commit(u->evidence);
	}
	return rc;
}

/* The jobs behind one that failed, before those that wait already. */
static void put_off(struct job *followers, struct job **rest)
{
	if (!followers)
		return;
	struct job *last = followers;
	while (job_next(last))
		last = job_next(last);
	last->item.next = *rest ? &(*rest)->item : NULL;
	*rest = followers;
}

/* Applies the jobs of *list. One with an error of its own is answered; *again
 * says that the unit was undone for it. Those before it, which went well, are
 * what is left of *list, those behind it go to *rest: so each job is applied
 * twice at most, however many of a group fail. */
static int32_t apply_all(struct engine *g, struct job **list, struct job **rest, bool *again,
			 struct err *e)
{
	for (struct job **at = list; *at; at = (struct job **)&(*at)->item.next) {
		struct job *job = *at;
		int32_t rc = job->apply ? job->apply(job, &g->unit, e) : 0;
		if (rc >= 0)
			continue;
		if (engine_is_trouble(rc))
			return rc;
		put_off(job_next(job), rest);
		*at = NULL;
		job_answer(g, job, rc, e);
		*again = true;
		return 0;
	}
	return 0;
}

static bool step_is_due(struct engine *g)
{
	return g->step && g->step_wanted && clock_ticks() >= g->step_after;
}

/* The router's part of a unit. Its failure must not fail the jobs: the unit
 * is undone and made again without it. */
static int32_t run_step(struct engine *g, bool *again, struct err *e)
{
	int32_t rc = g->step(g->step_ctx, &g->unit, e);
	if (rc >= 0) {
		g->step_wanted = rc > 0;
		g->step_after = rc == ENGINE_STEP_LATER ? clock_ticks() + STEP_RETRY : 0;
		return 0;
	}
	log_error("routing failed", "why", e->text);
	g->step_after = clock_ticks() + STEP_RETRY;
	*again = true;
	return 0;
}

static void count_events(struct engine *g)
{
	for (size_t i = 0; i < g->unit.n_events; i++) {
		uint32_t type = g->unit.events[i]->type;
		struct series **s = &g->event_series[type];
		if (!*s)
			*s = metric_series(g->m_events, (const char *[]){event_type_name(type)});
		series_add(*s, 1);
	}
}

static void hand_on(struct engine *g)
{
	struct unit *u = &g->unit;
	if (u->earliest_due && g->due)
		g->due(g->due_ctx, u->earliest_due);
	if (u->n_events == 0)
		return;
	count_events(g);
	for (size_t i = 0; i < g->n_tails; i++)
		g->tails[i].fn(g->tails[i].ctx, u->events, u->n_events);
	g->step_wanted = g->step != NULL;
	g->step_after = 0;
}

/* A store whose load is a round trip gets to know at once what the group will
 * load. */
static int32_t foresee(struct engine *g, struct job *list, struct err *e)
{
	struct unit *u = &g->unit;
	size_t cap = 0, n = 0;
	if (!u->store->prefetch)
		return 0;
	for (struct job *j = list; j; j = job_next(j))
		cap += j->names ? j->item.weight : 0;
	if (cap < 2)
		return 0;
	txw_tx_name *names = arena_alloc(&u->arena, cap * sizeof(*names));
	for (struct job *j = list; j; j = job_next(j))
		n += j->names ? j->names(j, names + n) : 0;
	return UNIT_CALL(u, e, prefetch, names, sizeof(*names), n);
}

/* One unit of work for the whole list. With *again the unit was undone and
 * what is left of the list must be tried anew. */
static int32_t try_group(struct engine *g, struct job **list, struct job **rest, bool *again,
			 struct err *e)
{
	bool stepped = false;
	int32_t rc = unit_begin(g, e);
	if (rc < 0)
		return rc;
	if ((rc = foresee(g, *list, e)) < 0 || (rc = apply_all(g, list, rest, again, e)) < 0 ||
	    *again)
		goto undo;
	if (step_is_due(g)) {
		stepped = true;
		rc = run_step(g, again, e);
		if (rc < 0 || *again)
			goto undo;
	}
	if ((rc = unit_commit(g, e)) < 0)
		goto undo;
	if (g->unit.n_rows && g->rows)
		g->rows(g->rows_ctx, g->unit.rows, g->unit.n_rows);
	unit_run_hooks(&g->unit);
	if (stepped)
		g->committed(g->step_ctx, true);
	return 0;

undo:
	unit_undo(g);
	if (stepped) {
		g->committed(g->step_ctx, false);
		g->step_wanted = true;
	}
	return rc;
}

static int count_jobs(const struct job *list)
{
	int n = 0;
	for (; list; list = job_next(list))
		n++;
	return n;
}

/* Commits the list up to the first job that fails by itself; what is behind
 * that goes to *rest. */
static void run_part(struct engine *g, struct job *list, struct job **rest)
{
	struct err e = {0};
	int32_t rc;
	bool again, has_jobs = list != NULL;
	do {
		again = false;
		rc = try_group(g, &list, rest, &again, &e);
	} while (rc >= 0 && again && (list || !has_jobs));
	if (rc >= 0 && again)
		return; /* the first one failed: there is nothing before it */
	if (rc < 0) {
		log_error("commit failed", "why", e.text);
		series_add(g->m_failed, 1);
		if (g->step_wanted)
			g->step_after = clock_ticks() + STEP_RETRY;
	}
	set_health(g, rc, &e);
	int n = count_jobs(list);
	while (list) {
		struct job *next = job_next(list);
		job_answer(g, list, rc, &e);
		list = next;
	}
	if (rc >= 0) {
		series_observe(g->m_group, n);
		hand_on(g);
	}
}

static void run_group(struct engine *g, struct job *list)
{
	struct job *rest;
	do {
		rest = NULL;
		run_part(g, list, &rest);
		list = rest;
	} while (list);
}

/* Takes the nudge out of a list and counts the jobs. */
static struct job *sort_group(struct engine *g, struct qitem *items, int *n, bool *nudged)
{
	struct qitem *first = NULL, **tail = &first;
	*n = 0;
	for (struct qitem *next; items; items = next) {
		next = items->next;
		if (items == &g->nudge.item) {
			atomic_store(&g->nudged, false);
			g->step_wanted = g->step != NULL;
			g->step_after = 0;
			*nudged = true;
			continue;
		}
		items->next = NULL;
		*tail = items;
		tail = &items->next;
		(*n)++;
	}
	return job_of(first);
}

/* Waits for jobs, but not when there is routing to do. NULL: nothing came in
 * time, or the queue is closed and drained. */
static struct qitem *take_items(struct engine *g)
{
	if (step_is_due(g))
		return queue_take(&g->queue, ENGINE_GROUP_LIMIT, false);
	if (g->step_wanted)
		return queue_take_within(&g->queue, ENGINE_GROUP_LIMIT,
					 g->step_after - clock_ticks());
	return queue_take(&g->queue, ENGINE_GROUP_LIMIT, true);
}

void *group_thread(void *arg)
{
	struct engine *g = arg;
	bool holding = false; /* for the step's sake */
	for (;;) {
		struct qitem *items = take_items(g);
		if (!items && queue_is_closed(&g->queue))
			break; /* what is not routed yet is, after a restart */
		int n;
		bool nudged = false;
		struct job *list = sort_group(g, items, &n, &nudged);
		if (list || step_is_due(g))
			run_group(g, list);
		/* While routing goes on the engine is not at rest. */
		bool busy = step_is_due(g);
		if (busy && !holding)
			loop_hold(g->loop);
		int release = n + (nudged ? 1 : 0) + (holding && !busy ? 1 : 0);
		holding = busy;
		if (release)
			post_rest(g, release);
	}
	return NULL;
}

int32_t engine_first(struct engine *g, int32_t (*fn)(void *ctx, struct unit *u, struct err *e),
		     void *ctx, struct err *e)
{
	int32_t rc = unit_begin(g, e);
	if (rc < 0)
		return rc;
	if ((rc = fn(ctx, &g->unit, e)) < 0 || (rc = unit_commit(g, e)) < 0)
		unit_undo(g);
	return rc;
}
