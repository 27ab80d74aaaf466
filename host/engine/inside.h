/* inside.h: the engine's own: what engine.c and group.c share. */
#ifndef TXWATCH_ENGINE_INSIDE_H
#define TXWATCH_ENGINE_INSIDE_H

#include <stdatomic.h>

#include "engine/engine.h"
#include "measure/metrics.h"

#define MAX_TAILS 4

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

static inline struct job *job_of(struct qitem *item)
{
	return item ? (struct job *)((char *)item - offsetof(struct job, item)) : NULL;
}

/* In a list of them; NULL: it is the last. */
static inline struct job *job_next(const struct job *job)
{
	return job_of(job->item.next);
}

/* Posts the job's done to the loop. [any] */
void job_answer(struct engine *g, struct job *job, int32_t rc, const struct err *e);
/* The thread's main: until the queue is closed and drained. */
void *group_thread(void *engine);

#endif
