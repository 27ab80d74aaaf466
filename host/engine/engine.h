/*
 * engine.h: the one writer: jobs in, one commit for many, answers out.
 *
 * A thread drains a bounded queue, opens one unit of the store's work, lets
 * every job of the group write into it, commits once, and posts each job's
 * `done` to the loop. A job is answered only after the commit is durable.
 * Groups form by themselves: what arrives during a commit is the next group.
 */
#ifndef TXWATCH_ENGINE_ENGINE_H
#define TXWATCH_ENGINE_ENGINE_H

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/queue.h"
#include "engine/counts.h"
#include "plugin/instance.h"

struct engine;
struct flows;
struct metrics;
struct purged;
struct unit;

/* Weight a queue holds before it is full (one operation weighs 1). */
#define ENGINE_QUEUE_LIMIT 65536
/* Weight a group takes. */
#define ENGINE_GROUP_LIMIT 4096

struct job {
	struct qitem item; /* item.weight: set before submitting */
	struct task task;  /* the engine's: brings done to the loop */
	/* Writes into the unit. May be called again after a rollback: it must
	 * begin anew each time. An error undoes what it wrote: TXW_E_FULL,
	 * _IO, _CORRUPT, _BUSY and _NOMEM are the store's and fail the whole
	 * group, any other is the job's own. One that wrote nothing may also
	 * set job->rc and job->err itself and return 0. [writer] */
	int32_t (*apply)(struct job *job, struct unit *unit, struct err *e);
	/* rc 0: durable. Else nothing of it happened. [loop] */
	void (*done)(struct job *job);
	/* Optional: the transactions that apply will load, at most as many as
	 * the job weighs; how many. [writer] */
	size_t (*names)(const struct job *job, txw_tx_name *out);
	int32_t rc;
	struct err err; /* set when rc < 0 */
};

/* What a job writes with. Lives for one unit. */
struct unit {
	struct engine *engine;
	const txw_store *store; /* the role's calls */
	void *self;             /* ... and their instance */
	txw_time now;
	struct arena arena;  /* freed after the commit */
	txw_store_info info; /* last_seq: as of unit_last_seq */
	bool has_sequence;
	/* Events appended in this unit, in order; live until the routers and
	 * streams have seen them. */
	size_t n_events;
	txw_event **events;
	size_t cap_events;
	struct unit_hook *hooks, *last_hook; /* unit_on_commit's */
	struct counts counts;
	size_t n_rows; /* unit_note_row's */
	txw_id *rows;
	size_t cap_rows;
	struct evidence *evidence; /* NULL: the site keeps none */
	/* The earliest due_at written in this unit; 0 = none. */
	txw_time earliest_due;
};

/* Called on the engine's thread with each unit's committed events. The array
 * and rows live until it returns. */
typedef void (*engine_tail)(void *ctx, txw_event *const *events, size_t n);

/* Opens the store (migration, integrity). */
struct engine *engine_open(instance *store, struct loop *loop, struct flows *flows,
			   struct metrics *metrics, struct err *e);
/* From here on every event carries digest and hash (evidence.h). Before any
 * unit. [load] */
int32_t engine_keep_evidence(struct engine *g, struct err *e);
/* Runs fn in a unit of its own and commits, before the thread runs or after
 * engine_stop. [load] */
int32_t engine_first(struct engine *g, int32_t (*fn)(void *ctx, struct unit *u, struct err *e),
		     void *ctx, struct err *e);
/* Starts the thread, when every tail and step is registered. */
void engine_start(struct engine *g);
/* Drains, commits, joins; answers posted by then are the loop's. */
void engine_stop(struct engine *g);
/* Closes the store. */
void engine_close(struct engine *g);

/* TXW_PENDING: done will be called. TXW_E_BUSY: the queue is full.
 * [any] */
int32_t engine_submit(struct engine *g, struct job *job);
/* Is it the store's trouble, which passes, and not the job's own? [any] */
bool engine_is_trouble(int32_t rc);
/* Never full: for work whose amount is bounded by its owner. A stopped engine
 * answers TXW_E_CANCELLED, by the loop: free, and do not try again. [any] */
void engine_submit_internal(struct engine *g, struct job *job);

const txw_store_info *engine_info(const struct engine *g); /* as at start */
int64_t engine_last_seq(const struct engine *g);           /* [any] */
/* Another host's event was seen: is it news? [any] */
bool engine_note_seq(struct engine *g, int64_t seq);
/* Operations that wait for the writer. [any] */
size_t engine_waiting(struct engine *g);
/* Up to which event the router is through; 0: none yet. */
void engine_note_routed(struct engine *g, int64_t seq);
int64_t engine_routed(const struct engine *g);        /* [any] */
struct purged *engine_purged(const struct engine *g); /* purge.h */
/* Disk full, I/O error: the last commit's failure; 0 when it went well. */
int32_t engine_health(struct engine *g, struct err *e); /* [any] */
instance *engine_store(const struct engine *g);
struct flows *engine_flows(const struct engine *g);
struct loop *engine_loop(const struct engine *g);

/* How long rows of the audit log are kept; 0 = for ever, until it is said.
 * Set before engine_start. */
void engine_keep_audit(struct engine *g, int64_t period);
int64_t engine_audit_kept(const struct engine *g);

/* Before engine_start. At most four. */
void engine_on_tail(struct engine *g, engine_tail tail, void *ctx);
/* Called once in each unit after its jobs, and when idle for as long as it
 * says there is more to do: the router. Returns 0, an error, or: [writer] */
#define ENGINE_STEP_MORE  1 /* call again at once */
#define ENGINE_STEP_LATER 2 /* ... or in a second, if no unit comes before */
void engine_on_unit(struct engine *g, int32_t (*step)(void *ctx, struct unit *u, struct err *e),
		    void (*committed)(void *ctx, bool ok), void *ctx);
/* Called after a commit that wrote rows of transactions, before its answers go
 * out, with their ids. The engine has one. [writer] */
typedef void (*engine_rows)(void *ctx, const txw_id *ids, size_t n);
void engine_on_rows(struct engine *g, engine_rows fn, void *ctx);
/* Called after a commit that wrote a due_at, with the earliest. [writer] */
void engine_on_due(struct engine *g, void (*fn)(void *ctx, txw_time due), void *ctx);
/* There is work for the step. [any] */
void engine_nudge(struct engine *g);

/* ---- for apply functions: [writer] ---- */

/* Appends an event without a transaction, or with ev->tx already saved:
 * copies it into the unit, gives it seq, id and prev; the copy is
 * returned in *out if wanted. */
int32_t unit_append(struct unit *u, const txw_event *ev, txw_event **out, struct err *e);
/* The newest seq; from here to the unit's end nobody else gives one. */
int32_t unit_last_seq(struct unit *u, int64_t *out, struct err *e);
/* fn(ctx) runs once the unit is durable, before its answers and tails go
 * out; not at all if it is undone. [writer] */
void unit_on_commit(struct unit *u, void (*fn)(void *ctx), void *ctx);
/* The engine's: what unit_on_commit was given, in order. */
void unit_run_hooks(struct unit *u);
/* A transaction's row was written, with whatever call. */
void unit_note_row(struct unit *u, txw_id id);
/* A row with that due_at was written. */
void unit_note_due(struct unit *u, txw_time due);
/* Wraps a call's error: `UNIT_CALL(u, e, put_doc, &doc)`. */
#define UNIT_CALL(u, e, fn, ...)                                                             \
	({                                                                                   \
		txw_error unit_call_err = ERR_ABI_INIT;                                      \
		err_from_plugin((e), (u)->store->fn((u)->self, __VA_ARGS__, &unit_call_err), \
				&unit_call_err);                                             \
	})

#endif
