/*
 * write.h: operations on their way through the engine and back as an answer.
 */
#ifndef TXWATCH_API_WRITE_H
#define TXWATCH_API_WRITE_H

#include "api/etag.h"
#include "api/inside.h"
#include "engine/op.h"

/*
 * One request's batch. Lives in the call's arena, but for the batch itself,
 * which the engine works in. With an Idempotency-Key the answer is rendered
 * inside the unit and stored in it; else on the loop.
 */
struct write {
	struct call *call;
	struct batch *batch;
	json_t *json;    /* the operations' texts are borrowed from it */
	struct input in; /* its arena is the batch's */
	bool is_dry;
	bool shows_whole; /* :batch: whole transactions in the results */
	bool is_rendered;
	struct answer answer;
	/* Pure; from the operations' results. [loop] [writer] */
	void (*render)(struct write *w, struct answer *a);
};

/* n operations, zeroed but for the tenant, source and actor. */
struct write *write_new(struct call *c, size_t n, void (*render)(struct write *, struct answer *));
void write_ops(struct write *w, size_t n);
void write_submit(struct write *w);
/* May the caller do all of it? What a legal hold keeps, only an admin may let
 * go. false: answered with 403, and the write is freed. */
bool write_may(struct write *w);
/* The same of one operation; answers nothing. */
bool op_may(const struct call *c, const struct op *op);
void call_no_admin(struct call *c, const char *for_what);
/* The body was wrong (w->in.mistake), or nothing will be submitted. */
void write_wrong(struct write *w);
void write_free(struct write *w);

/* ---- render.c ---- */

/* One operation: the transaction, or the problem. */
void render_one(struct write *w, struct answer *a);
void render_batch(struct write *w, struct answer *a);

/* ---- members.c: the rows of the bodies ---- */

extern const struct input_row CREATE_ROWS[];
extern const size_t CREATE_ROWS_N;
extern const struct input_row STATUS_ROWS[];
extern const size_t STATUS_ROWS_N;
extern const struct input_row UPDATE_ROWS[];
extern const size_t UPDATE_ROWS_N;
extern const struct input_row IMPORT_ROWS[];
extern const size_t IMPORT_ROWS_N;
extern const struct input_row BATCH_CREATE_ROWS[];
extern const size_t BATCH_CREATE_ROWS_N;
extern const struct input_row BATCH_STATUS_ROWS[];
extern const size_t BATCH_STATUS_ROWS_N;
extern const struct input_row BATCH_UPDATE_ROWS[];
extern const size_t BATCH_UPDATE_ROWS_N;
/* tokens.c */
extern const struct input_row TOKEN_ROWS[];
extern const size_t TOKEN_ROWS_N;
/* purge.c */
extern const struct input_row PURGE_ROWS[];
extern const size_t PURGE_ROWS_N;
/* bulk.c */
extern const struct input_row BULK_ROWS[];
extern const size_t BULK_ROWS_N;
/* batch.c */
extern const struct input_row BATCH_ROWS[];
extern const size_t BATCH_ROWS_N;

/* Reads one operation of :batch, `{"op":...}`. */
bool members_batch_op(struct input *in, const json_t *object, txw_time now, struct op *op);
/* redact.c: replaces what is not to be kept in the object's detail and
 * attributes; false: it cannot. */
bool redact_members(struct call *c, json_t *object);
/* What rows cannot say: times in the future, one kind of expiry. */
bool members_check(struct input *in, txw_time now, struct op *op);

#endif
