/*
 * engine.c: the writer's thread: groups, commits, answers.
 *
 * A group:
 *   TAKEN     -> APPLIED    every job wrote into the unit
 *   APPLIED   -> ROUTED     the unit's step (the router) added its rows
 *   ROUTED    -> COMMITTED  durable: answers go out, then the tails
 *   any       -> UNDONE     an error. The store's: every job of the group is
 *                           told. A job's own: it alone is told; those
 *                           before it are applied again and committed, those
 *                           behind it are the next group
 *
 * Runs on its own thread; what others call is marked [any].
 */
#include "engine/engine.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/row.h"
#include "base/str.h"
#include "engine/evidence.h"
#include "engine/purge.h"
#include "measure/metrics.h"

#define MAX_TAILS  4
#define STEP_RETRY SECOND /* real; after the router's unit failed */

struct tail {
	engine_tail fn;
	void *ctx;
};

struct engine {
	instance *store;
	struct loop *loop;
	struct flows *flows;
	struct metrics *metrics;
	struct queue queue;
	pthread_t thread;
	txw_store_info info; /* as at start */
	_Atomic int64_t last_seq;
	_Atomic int64_t routed;
	struct purged *purged;

	struct unit unit;
	struct tail tails[MAX_TAILS];
	size_t n_tails;

	int32_t (*step)(void *ctx, struct unit *u, struct err *e);
	void (*committed)(void *ctx, bool ok);
	void *step_ctx;
	engine_rows rows;
	void *rows_ctx;
	void (*due)(void *ctx, txw_time due);
	void *due_ctx;
	bool step_wanted;   /* the writer's own */
	int64_t step_after; /* ticks: not before, after a failure */
	struct job nudge;
	_Atomic bool nudged;
	int64_t audit_kept;

	pthread_mutex_t health_lock;
	struct err health; /* under the lock */

	struct series *m_commit;
	struct series *m_group;
	struct series *m_failed;
	struct series *m_queue;
	struct metric *m_events;
	struct series *event_series[TXW_EV_MAX]; /* found as they come */
};

/* ---- what others may ask ---- */

const txw_store_info *engine_info(const struct engine *g)
{
	return &g->info;
}

int64_t engine_last_seq(const struct engine *g)
{
	return atomic_load(&g->last_seq);
}

size_t engine_waiting(struct engine *g)
{
	return queue_weight(&g->queue);
}

void engine_note_routed(struct engine *g, int64_t seq)
{
	atomic_store(&g->routed, seq);
}

int64_t engine_routed(const struct engine *g)
{
	return atomic_load(&g->routed);
}

struct purged *engine_purged(const struct engine *g)
{
	return g->purged;
}

instance *engine_store(const struct engine *g)
{
	return g->store;
}

void engine_keep_audit(struct engine *g, int64_t period)
{
	g->audit_kept = period;
}

int64_t engine_audit_kept(const struct engine *g)
{
	return g->audit_kept;
}

struct flows *engine_flows(const struct engine *g)
{
	return g->flows;
}

struct loop *engine_loop(const struct engine *g)
{
	return g->loop;
}

static void set_health(struct engine *g, int32_t rc, const struct err *e)
{
	pthread_mutex_lock(&g->health_lock);
	if (rc < 0)
		g->health = *e;
	else
		g->health.code = 0;
	pthread_mutex_unlock(&g->health_lock);
}

int32_t engine_health(struct engine *g, struct err *e)
{
	pthread_mutex_lock(&g->health_lock);
	int32_t rc = g->health.code;
	if (rc < 0 && e)
		*e = g->health;
	pthread_mutex_unlock(&g->health_lock);
	return rc;
}

static struct job *job_of(struct qitem *item)
{
	return (struct job *)((char *)item - offsetof(struct job, item));
}

static void on_done(struct task *task)
{
	struct job *job = (struct job *)((char *)task - offsetof(struct job, task));
	job->done(job);
}

static void answer(struct engine *g, struct job *job, int32_t rc, const struct err *e)
{
	if (rc < 0) {
		job->rc = rc;
		job->err = *e;
	}
	job->task.run = on_done;
	loop_post(g->loop, &job->task);
}

static int32_t submit(struct engine *g, struct job *job, bool force)
{
	if (job->item.weight == 0)
		job->item.weight = 1;
	job->rc = 0;
	loop_hold(g->loop);
	if (!queue_put(&g->queue, &job->item, force)) {
		loop_release(g->loop);
		return err_set(&job->err, TXW_E_BUSY,
			       "too many changes are waiting for the store: try again");
	}
	return TXW_PENDING;
}

int32_t engine_submit(struct engine *g, struct job *job)
{
	return submit(g, job, false);
}

void engine_submit_internal(struct engine *g, struct job *job)
{
	if (submit(g, job, true) == TXW_PENDING)
		return;
	/* Only a stopped engine takes nothing. */
	struct err e;
	err_set(&e, TXW_E_CANCELLED, "the host is stopping");
	answer(g, job, TXW_E_CANCELLED, &e);
}

void engine_nudge(struct engine *g)
{
	if (!atomic_exchange(&g->nudged, true)) {
		loop_hold(g->loop);
		if (!queue_put(&g->queue, &g->nudge.item, true))
			loop_release(g->loop);
	}
}

void engine_on_tail(struct engine *g, engine_tail fn, void *ctx)
{
	if (g->n_tails == MAX_TAILS)
		abort(); /* a host's own mistake, at start */
	g->tails[g->n_tails++] = (struct tail){fn, ctx};
}

void engine_on_unit(struct engine *g, int32_t (*step)(void *, struct unit *, struct err *),
		    void (*committed)(void *, bool), void *ctx)
{
	g->step = step;
	g->committed = committed;
	g->step_ctx = ctx;
}

void engine_on_rows(struct engine *g, engine_rows fn, void *ctx)
{
	g->rows = fn;
	g->rows_ctx = ctx;
}

void engine_on_due(struct engine *g, void (*fn)(void *, txw_time), void *ctx)
{
	g->due = fn;
	g->due_ctx = ctx;
}

/* ---- one group ---- */

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

bool engine_is_trouble(int32_t rc)
{
	return rc == TXW_E_FULL || rc == TXW_E_IO || rc == TXW_E_CORRUPT || rc == TXW_E_BUSY ||
	       rc == TXW_E_NOMEM;
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
		atomic_store(&g->last_seq, u->info.last_seq);
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
	while (last->item.next)
		last = job_of(last->item.next);
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
		put_off(job->item.next ? job_of(job->item.next) : NULL, rest);
		*at = NULL;
		answer(g, job, rc, e);
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
	for (struct job *j = list; j; j = j->item.next ? job_of(j->item.next) : NULL)
		cap += j->names ? j->item.weight : 0;
	if (cap < 2)
		return 0;
	txw_tx_name *names = arena_alloc(&u->arena, cap * sizeof(*names));
	for (struct job *j = list; j; j = j->item.next ? job_of(j->item.next) : NULL)
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
	for (; list; list = list->item.next ? job_of(list->item.next) : NULL)
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
		struct job *next = list->item.next ? job_of(list->item.next) : NULL;
		answer(g, list, rc, &e);
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
	return first ? job_of(first) : NULL;
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

static void *engine_thread(void *arg)
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

/* ---- life ---- */

static const double GROUP_BOUNDS[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000};

static void collect(void *ctx)
{
	struct engine *g = ctx;
	series_set(g->m_queue, (double)queue_weight(&g->queue));
}

static void define_metrics(struct engine *g)
{
	struct metrics *m = g->metrics;
	g->m_commit = metric_only(
	    metric_define(m, &(struct metric_row){.name = "txwatch_store_commit_seconds",
						  .help = "Time of a durable commit",
						  .unit = "seconds",
						  .type = TXW_METRIC_HISTOGRAM,
						  .bounds = METRIC_SECONDS,
						  .n_bounds = METRIC_SECONDS_N}));
	g->m_group = metric_only(metric_define(
	    m, &(struct metric_row){.name = "txwatch_store_group_jobs",
				    .help = "Jobs that shared one commit",
				    .type = TXW_METRIC_HISTOGRAM,
				    .bounds = GROUP_BOUNDS,
				    .n_bounds = sizeof(GROUP_BOUNDS) / sizeof(GROUP_BOUNDS[0])}));
	g->m_failed = metric_only(
	    metric_define(m, &(struct metric_row){.name = "txwatch_store_commit_failures_total",
						  .help = "Commits that the store refused",
						  .type = TXW_METRIC_COUNTER}));
	g->m_queue = metric_only(
	    metric_define(m, &(struct metric_row){.name = "txwatch_engine_queue_operations",
						  .help = "Operations waiting for the writer",
						  .type = TXW_METRIC_GAUGE}));
	g->m_events = metric_define(m, &(struct metric_row){.name = "txwatch_events_total",
							    .help = "Events committed to the log",
							    .type = TXW_METRIC_COUNTER,
							    .labels = {"type"}});
	metrics_on_collect(m, collect, g);
}

static int32_t open_store(struct engine *g, struct err *e)
{
	const txw_store *v = &g->store->role->v.store;
	txw_error from = ERR_ABI_INIT;
	int32_t rc = err_from_plugin(e, v->open(g->store->self, &from), &from);
	if (rc < 0)
		return rc;
	g->info.size = sizeof(g->info);
	rc = err_from_plugin(e, v->info(g->store->self, &g->info, &from), &from);
	if (rc < 0)
		v->close(g->store->self);
	return rc;
}

struct engine *engine_open(instance *store, struct loop *loop, struct flows *flows,
			   struct metrics *metrics, struct err *e)
{
	struct engine *g = xcalloc(1, sizeof(*g));
	g->store = store;
	g->loop = loop;
	g->flows = flows;
	g->metrics = metrics;
	if (open_store(g, e) < 0) {
		err_prefix(e, "%s %s: ", store->role->full_name, store->name);
		free(g);
		return NULL;
	}
	atomic_store(&g->last_seq, g->info.last_seq);
	g->unit.engine = g;
	g->unit.store = &store->role->v.store;
	g->unit.self = store->self;
	g->unit.info = g->info;
	g->nudge.item.weight = 1;
	g->purged = purged_new();
	queue_init(&g->queue, ENGINE_QUEUE_LIMIT);
	pthread_mutex_init(&g->health_lock, NULL);
	define_metrics(g);
	return g;
}

int32_t engine_keep_evidence(struct engine *g, struct err *e)
{
	g->unit.evidence = evidence_new();
	return evidence_open(g->unit.evidence, g->store, e);
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

void engine_start(struct engine *g)
{
	if (pthread_create(&g->thread, NULL, engine_thread, g) != 0)
		abort(); /* no threads at start: nothing can work */
	pthread_setname_np(g->thread, "engine");
}

void engine_stop(struct engine *g)
{
	queue_close(&g->queue);
	if (g->thread)
		pthread_join(g->thread, NULL);
	g->thread = 0;
	/* A site that could not start has jobs that nobody took. */
	struct err e;
	err_set(&e, TXW_E_CANCELLED, "the host is stopping");
	for (struct qitem *next, *i = queue_take(&g->queue, SIZE_MAX, false); i; i = next) {
		next = i->next;
		if (i != &g->nudge.item)
			answer(g, job_of(i), TXW_E_CANCELLED, &e);
	}
}

void engine_close(struct engine *g)
{
	engine_stop(g);
	evidence_free(g->unit.evidence);
	purged_free(g->purged);
	g->unit.store->close(g->unit.self);
	queue_destroy(&g->queue);
	pthread_mutex_destroy(&g->health_lock);
	arena_free(&g->unit.arena);
	counts_free(&g->unit.counts);
	free(g->unit.events);
	free(g->unit.rows);
	free(g);
}
