/*
 * op.h: operations on transactions: create, status, update, in batches.
 *
 * A batch is one job. Each operation gets a result of its own; with `atomic`
 * the first one that is not created, changed or unchanged undoes them all.
 */
#ifndef TXWATCH_ENGINE_OP_H
#define TXWATCH_ENGINE_OP_H

#include "engine/engine.h"

enum op_kind {
	OP_CREATE,   /* (flow, ref); exists already: UNCHANGED with that row */
	OP_STATUS,   /* an observation */
	OP_UPDATE,   /* owner, attributes, amount, currency, expires_at, paused */
	OP_DISCOVER, /* CREATE, or STATUS when it exists */
	OP_IMPORT,   /* the same, but a status nobody knows is INVALID */
	OP_EXPIRE,   /* its deadline has passed: expire it if that still holds */
	OP_WARN,     /* its deadline is near: tell, if that still holds */
};

enum op_result {
	OP_PENDING,
	OP_CREATED,
	OP_CHANGED,
	OP_UNCHANGED,
	OP_REFUSED, /* the flow says no; `why` names what is allowed */
	OP_STALE,   /* older than what is known */
	OP_NOT_FOUND,
	OP_INVALID,  /* `why` says what is wrong */
	OP_CONFLICT, /* if_version did not hold */
	OP_UNDONE,   /* another one of an atomic batch failed */
};

/* Which of UPDATE's fields are given. */
#define OP_SET_OWNER      1u
#define OP_SET_AMOUNT     2u
#define OP_SET_CURRENCY   4u
#define OP_SET_ATTRIBUTES 8u
#define OP_SET_EXPIRES    16u
#define OP_SET_PAUSED     32u
#define OP_SET_POLL_NOW   64u  /* next_poll_at = now */
#define OP_SET_HELD       128u /* legal hold */

struct op {
	enum op_kind kind;
	uint32_t set;     /* OP_SET_ flags */
	txw_tx_name name; /* which; CREATE: tenant, flow, ref */
	txw_str status;   /* the flow's word; CREATE: empty = initial */
	txw_str reason;
	txw_str code;
	txw_str detail; /* JSON */
	txw_str source; /* instance, or "api" */
	txw_str actor;
	txw_str trace; /* traceparent of the request behind it */
	txw_str source_event_id;
	txw_str source_version;
	txw_time source_at;
	txw_str owner;
	txw_str amount;
	txw_str currency;
	txw_str attributes;  /* a JSON object, whole */
	txw_time expires_at; /* absolute; 0 with OP_SET_EXPIRES = never */
	int64_t expires_in;  /* CREATE: microseconds from now; 0 = none */
	uint32_t paused;
	uint32_t held;
	uint32_t dry_run;            /* 1: say the result, write nothing */
	uint32_t unknown_is_anomaly; /* pollers: an unknown word is told of */
	int64_t if_version;          /* 0 = any */
	const txw_tx *asked_of;      /* STATUS: the row when the source was asked, or NULL */
	txw_time asked_at;           /* DISCOVER: when the source was asked; 0 = not known */

	/* out: */
	enum op_result result;
	const txw_tx *after; /* the row, in the batch's arena; or NULL */
	const char *why;     /* in the batch's arena; or NULL */
	uint32_t told[2];    /* types of the events it made, or would make */
	uint32_t n_told;
};

struct batch {
	struct job job;
	struct arena arena; /* ops' texts, results */
	struct op *ops;
	size_t n;
	bool atomic;
	/* Optional: a last word inside the unit, after every op (used to save
	 * a discovery's cursor, or an idempotent answer). [writer] */
	int32_t (*finish)(struct batch *b, struct unit *u, struct err *e);
	void (*done)(struct batch *b); /* [loop]; b->job.rc */
	void *ctx;
	bool internal; /* submitted by the host: never refused busy */
};

/* batch.c: allocate with xcalloc, fill ops; done must call batch_free. */
int32_t batch_submit(struct engine *g, struct batch *b);
void batch_free(struct batch *b);
/* One operation inside a unit that is open already; results' texts go to b's
 * arena. [writer] */
int32_t op_run(struct batch *b, struct unit *u, struct op *op, struct err *e);

const char *op_result_name(enum op_result r); /* "created" ... */

#endif
