/*
 * jobs.h: long work in bounded steps, which a kill interrupts and the next
 * start goes on with.
 *
 * A job is a document (kind "job", id "job_..."): what was asked for, how far
 * it is and what came of it. Every step is one job of the engine that writes
 * the step's changes and the document in the same commit, so no part of the
 * work is done twice and none is left out. Between two steps everybody else's
 * changes get their turn.
 *
 * Here `work` is one such job, since `struct job` is the engine's.
 */
#ifndef TXWATCH_JOBS_JOBS_H
#define TXWATCH_JOBS_JOBS_H

#include <jansson.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/id.h"
#include "engine/engine.h"
#include "engine/readers.h"

struct jobs;
struct work;

#define JOBS_RUNNING 4         /* at once; of a tenant one */
#define JOBS_OPEN    16        /* unfinished ones of a tenant; more are refused */
#define JOBS_KEPT    (7 * DAY) /* a finished one's document */

#define WORK_MORE 0
#define WORK_OVER 1

struct work_kind {
	const char *name; /* "bulk" */
	bool is_admin;    /* cancelling needs the scope admin */
	/* From w->params to w->own, before the first step and again after a
	 * restart; an error ends the job as failed. May be NULL. [loop] */
	int32_t (*open)(struct work *w, struct err *e);
	/* Reads what the next step needs, bounded; may be NULL. [reader] */
	int32_t (*read)(struct work *w, const txw_store *store, void *reader, struct err *e);
	/* One step, bounded: changes w->next_cursor and w->next_progress (copies
	 * of the committed ones) and may be called again after a rollback.
	 * WORK_MORE, WORK_OVER or an error: the store's trouble is tried again,
	 * any other ends the job as failed. [writer] */
	int32_t (*step)(struct work *w, struct unit *u, struct err *e);
	/* Frees w->own. May be NULL. [loop] */
	void (*close)(struct work *w);
};

enum work_state { WORK_QUEUED, WORK_RUNNING, WORK_DONE, WORK_CANCELLED, WORK_FAILED };

struct work {
	struct job job;       /* the step under way */
	struct read_job read; /* ... and what it needs */
	struct jobs *jobs;
	const struct work_kind *kind;
	void *ctx; /* the kind's, of jobs_add_kind */
	void *own; /* the kind's */
	struct arena arena;
	txw_str tenant;
	txw_str actor;
	txw_str trace; /* traceparent of the request behind it; none: it had none */
	char id[ID_TEXT_MAX];
	/* As committed; a step in flight only reads them. */
	json_t *params;
	json_t *cursor;   /* an object, not shown */
	json_t *progress; /* an object, shown */
	/* The step's. */
	json_t *next_cursor;
	json_t *next_progress;
	size_t weight; /* operations of the next step; set by read */
	/* The rest is jobs.c's. */
	enum work_state state;
	enum work_state next_state;
	txw_time created_at;
	txw_time started_at;
	txw_time finished_at;
	int64_t version;
	_Atomic bool cancel;
	bool is_opened;
	bool is_moving; /* a step is under way */
	struct err why; /* why it failed; code 0: it did not */
	struct timer again;
	struct work_wait *waits;
	struct work *next;
};

struct jobs *jobs_open(struct loop *loop);
/* Before jobs_start. The kind must outlive the jobs. */
void jobs_add_kind(struct jobs *j, const struct work_kind *kind, void *ctx);
const struct work_kind *jobs_kind(const struct jobs *j, txw_str name); /* or NULL */
/* Reads the unfinished ones and goes on with them. [load] */
int32_t jobs_start(struct jobs *j, struct engine *g, struct readers *r, struct err *e);
void jobs_drain(struct jobs *j); /* begins no more steps */
void jobs_close(struct jobs *j); /* when no step is under way any more */

/* A new one. */
struct work_request {
	struct job job;
	struct jobs *jobs;
	const struct work_kind *kind;
	txw_str tenant; /* texts: in the arena */
	txw_str actor;
	txw_str trace;
	json_t *params; /* owned; an object */
	struct arena arena;
	char id[ID_TEXT_MAX]; /* set by it */
	struct buf body;      /* the API's object, as queued; set by it */
	json_t *doc;          /* jobs' own */
	/* Optional: a last word inside the unit. [writer] */
	int32_t (*finish)(struct work_request *r, struct unit *u, struct err *e);
	void (*done)(struct work_request *r); /* [loop]; frees it */
	void *ctx;
};
/* TXW_PENDING, or TXW_E_BUSY with job.err: too many are unfinished. [loop] */
int32_t work_submit(struct work_request *r);
void work_request_free(struct work_request *r);

/* The kind of an unfinished one; NULL: there is none of that id. [loop] */
const struct work_kind *work_kind_of(const struct jobs *j, txw_str tenant, txw_str id);

/*
 * Ends it before its next step. fn(ctx) is called once that is durable, or it
 * ended by itself; NOTFOUND: it is not unfinished here. [loop]
 */
int32_t work_cancel(struct jobs *j, txw_str tenant, txw_str id, void (*fn)(void *ctx), void *ctx);

#define WORK_DOC STR_LIT("job")
/* The API's object from a document; false: it cannot be read. Pure. */
bool work_render(struct buf *out, txw_str id, txw_str body);

#endif
