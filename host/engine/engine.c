/*
 * engine.c: the engine as others see it: its queue, its life, what it tells.
 * What its thread does is in group.c.
 *
 * What others call is marked [any] in engine.h.
 */
#include <stdlib.h>

#include "engine/evidence.h"
#include "engine/inside.h"
#include "engine/purge.h"

/* ---- what others may ask ---- */

const txw_store_info *engine_info(const struct engine *g)
{
	return &g->info;
}

int64_t engine_last_seq(const struct engine *g)
{
	return atomic_load(&g->last_seq);
}

bool engine_note_seq(struct engine *g, int64_t seq)
{
	int64_t known = atomic_load(&g->last_seq);
	while (seq > known)
		if (atomic_compare_exchange_weak(&g->last_seq, &known, seq))
			return true;
	return false;
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

int32_t engine_health(struct engine *g, struct err *e)
{
	pthread_mutex_lock(&g->health_lock);
	int32_t rc = g->health.code;
	if (rc < 0 && e)
		*e = g->health;
	pthread_mutex_unlock(&g->health_lock);
	return rc;
}

static void on_done(struct task *task)
{
	struct job *job = (struct job *)((char *)task - offsetof(struct job, task));
	job->done(job);
}

void job_answer(struct engine *g, struct job *job, int32_t rc, const struct err *e)
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
	job_answer(g, job, TXW_E_CANCELLED, &e);
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

bool engine_is_trouble(int32_t rc)
{
	return rc == TXW_E_FULL || rc == TXW_E_IO || rc == TXW_E_CORRUPT || rc == TXW_E_BUSY ||
	       rc == TXW_E_NOMEM;
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

void engine_start(struct engine *g)
{
	if (pthread_create(&g->thread, NULL, group_thread, g) != 0)
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
			job_answer(g, job_of(i), TXW_E_CANCELLED, &e);
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
