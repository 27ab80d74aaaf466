/*
 * txwatch/store.h: the store role: keeps rows, and the log, durable.
 *
 * A store knows rows, not rules. The engine is its one writer and works in
 * units: begin, any number of writer calls, then commit or rollback. What
 * commit acknowledged survives kill -9 and power loss. Readers see committed
 * states only, each call one snapshot.
 *
 * `seq` is commit-ordered: a reader that has seen seq n never later finds a
 * smaller one.
 *
 * Rows that a writer call hands out live until the unit ends; rows that an
 * emit callback gets live until it returns. An emit callback returns 0 to go
 * on and anything else to stop (the call then still returns TXW_OK).
 *
 * After an error from a writer call the host calls rollback, nothing else.
 */
#ifndef TXWATCH_STORE_H
#define TXWATCH_STORE_H

#include "txwatch/abi.h"
#include "txwatch/event.h"
#include "txwatch/filter.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct txw_store_info {
	uint32_t size;
	uint32_t schema_version;
	uint32_t site; /* random, made with the database; part of the
	                          * ids derived from seq: never changes */
	uint32_t reserved;
	uint64_t epoch;   /* changes when a backup is restored */
	int64_t last_seq; /* newest event; 0 = none */
	txw_time last_at; /* its time */
	txw_str location; /* for people: path or server, no secrets */
} txw_store_info;

/* Names one transaction: by id if id is not zero, else by key if not zero,
 * else by (tenant, flow, ref). */
typedef struct txw_tx_name {
	uint32_t size;
	uint32_t reserved;
	txw_id id;
	int64_t key;
	txw_str tenant;
	txw_str flow;
	txw_str ref;
} txw_tx_name;

/* Where deliveries go. */
typedef struct txw_target {
	uint32_t size;
	uint32_t disabled; /* 1: deliveries are parked */
	int64_t key;       /* the store's; 0 = not stored yet */
	txw_str tenant;
	txw_str name;           /* unique in the tenant: "sub_...", "mail:a@b" */
	txw_str reason;         /* why it is disabled or paused */
	txw_time paused_until;  /* 0 = not paused */
	txw_time failing_since; /* first failure since the last success; 0 */
	int64_t failures;       /* consecutive */
} txw_target;

#define TXW_DLV_PENDING    0u /* due at due_at */
#define TXW_DLV_BLOCKED    1u /* ordered target: waits for an earlier one */
#define TXW_DLV_DELIVERED  2u
#define TXW_DLV_DEAD       3u /* attempts used up, or refused for good */
#define TXW_DLV_PARKED     4u /* its target is disabled */
#define TXW_DLV_SUPPRESSED 5u /* decided not to send: see reason */
#define TXW_DLV_SENDING    6u /* in a host's hands until due_at (its lease) */

typedef struct txw_delivery_row {
	uint32_t size;
	uint32_t state; /* TXW_DLV_PENDING ... */
	int64_t key;    /* ascending; 0 = not stored yet */
	int64_t target; /* txw_target.key */
	int64_t seq;    /* the event */
	int64_t tx;     /* the transaction's key; 0 = none */
	txw_str tenant;
	uint32_t ordered;  /* 1: its target asks for order */
	uint32_t attempts; /* made so far */
	txw_time due_at;   /* PENDING: when */
	txw_time created_at;
	txw_time updated_at;
	uint32_t status; /* the last attempt's protocol status */
	uint32_t reserved;
	txw_str reason; /* the last attempt's, or why not sent */
} txw_delivery_row;

typedef struct txw_attempt {
	uint32_t size;
	uint32_t n;       /* 1, 2, 3 ... */
	int64_t delivery; /* txw_delivery_row.key */
	txw_time at;      /* when it began */
	uint32_t verdict; /* TXW_VERDICT_ */
	uint32_t status;
	int64_t took; /* microseconds, as in txw_verdict */
	int64_t connect_took;
	int64_t tls_took;
	int64_t first_byte_took;
	txw_str peer;
	txw_str reason;
	txw_str response;
} txw_attempt;

/* A small administrative object (a subscription, a cursor, an instance's
 * state, a stored answer): its kind, name and JSON. */
typedef struct txw_doc {
	uint32_t size;
	uint32_t reserved;
	txw_str kind;
	txw_str tenant;
	txw_str id;   /* unique with kind and tenant */
	txw_str body; /* JSON */
	int64_t version;
	txw_time created_at;
	txw_time updated_at;
	txw_time expires_at; /* 0 = never; docs_expire removes it then */
} txw_doc;

/* A key of an order: a field of txwatch/filter.h, but not ATTRIBUTES. Never
 * grows. No value sorts before any other; a NUMBER by value, a TEXT in byte
 * order (an OUTCOME is its name, an ID its text). A store keeps an index for
 * an order that begins with REF and for FINISHED_AT alone; of any other the
 * host first makes sure that it has few rows to sort. */
typedef struct txw_order {
	uint32_t field; /* TXW_FIELD_ */
	uint32_t descending;
} txw_order;

typedef struct txw_tx_query {
	uint32_t size;
	uint32_t limit;           /* 1..1000 */
	txw_str tenant;           /* empty = all */
	const txw_filter *filter; /* NULL = all */
	int64_t after;            /* row key of the last one seen; 0 = start */
	uint32_t ascending;       /* 0: newest first */
	uint32_t n_order;         /* 0: by key, as `ascending` says */
	txw_str text;             /* ref, owner, attributes or reason contains
	                          * it (ASCII case folded); empty = all */
	const txw_order *order;   /* then by key, as `ascending` says */
	const txw_tx *after_row;  /* with an order: the last row seen, of which
	                          * only the order's fields and the key count;
	                          * NULL = start */
} txw_tx_query;

typedef struct txw_event_query {
	uint32_t size;
	uint32_t limit;
	txw_str tenant;           /* empty = all */
	int64_t after;            /* seq */
	const txw_filter *filter; /* may be NULL; a store may ignore it, the
	                          * host filters again */
} txw_event_query;

#define TXW_ANY_STATE 0xffffffffu
typedef struct txw_delivery_query {
	uint32_t size;
	uint32_t limit;
	txw_str tenant;
	uint32_t state; /* TXW_ANY_STATE or one */
	uint32_t reserved;
	int64_t target; /* 0 = any */
	int64_t tx;     /* 0 = any */
	int64_t key;    /* 0 = any */
	int64_t after;  /* newest first, keys below this; 0 = start */
} txw_delivery_query;

/* How often something was counted: one row of the rollups. Unique by all
 * but count; one whose count comes to 0 goes. The host's kinds:
 *   "now"     bucket 0, key OUTCOME "/" STATUS ("open/pending"): how many
 *             transactions of the flow are in that status now.
 *   "events"  bucket a day (UTC), key the event type's name: events appended
 *             that day; flow empty for those of no transaction. A purge
 *             leaves it as it is.
 */
typedef struct txw_count {
	uint32_t size;
	uint32_t reserved;
	txw_time bucket; /* its start; 0 = of no time */
	txw_str tenant;
	txw_str flow;
	txw_str kind;
	txw_str key;
	int64_t count; /* add_counts: what to add, may be negative */
} txw_count;

typedef struct txw_count_query {
	uint32_t size;
	uint32_t reserved;
	txw_str tenant; /* empty = all */
	txw_str flow;   /* empty = all */
	txw_str kind;
	txw_time from; /* buckets from <= bucket < to; to 0 = no end */
	txw_time to;
} txw_count_query;

typedef int32_t (*txw_emit_tx)(void *ctx, const txw_tx *row);

/* Which finished transactions go, with all that hangs on them. */
typedef struct txw_purge {
	uint32_t size;
	uint32_t limit;   /* transactions in this call */
	txw_str tenant;   /* empty = all */
	txw_str flow;     /* empty = all */
	uint32_t outcome; /* TXW_SUCCESS ...; TXW_OPEN = any but open */
	uint32_t dry_run; /* 1: told, but nothing is deleted */
	txw_time finished_before;
	/* Where to go on: only those that finished later than `from`, or at it
	 * with a key greater than `after`; 0 = from the start. */
	txw_time from;
	int64_t after;
	int64_t max_seq;  /* only those with no newer event; 0 = any */
	txw_emit_tx gone; /* called with each before it goes, or NULL; what it
	                   * returns means nothing */
	void *ctx;
} txw_purge;

typedef struct txw_purged {
	uint32_t size;
	uint32_t more; /* 1: go on with reached and reached_key */
	int64_t transactions;
	int64_t events;
	int64_t last_seq; /* the newest event that went; 0 = none */
	txw_time reached; /* the last one looked at */
	int64_t reached_key;
} txw_purged;

typedef struct txw_store_stats {
	uint32_t size;
	uint32_t reserved;
	int64_t bytes;     /* on disk */
	int64_t wal_bytes; /* of it, not yet checkpointed */
	int64_t checkpoints;
} txw_store_stats;

typedef int32_t (*txw_emit_event)(void *ctx, const txw_event *event);
typedef int32_t (*txw_emit_target)(void *ctx, const txw_target *row, txw_time first_due);
/* event may be NULL where the call says so; target is the target's row. */
typedef int32_t (*txw_emit_delivery)(void *ctx, const txw_delivery_row *row,
				     const txw_target *target, const txw_event *event);
typedef int32_t (*txw_emit_attempt)(void *ctx, const txw_attempt *row);
typedef int32_t (*txw_emit_doc)(void *ctx, const txw_doc *row);
typedef int32_t (*txw_emit_count)(void *ctx, const txw_count *row);
/* value: as the field is written in a filter; empty = none. */
typedef int32_t (*txw_emit_facet)(void *ctx, uint32_t field, txw_str value, int64_t count);

typedef struct txw_store {
	uint32_t size;
	uint32_t reserved;

	/* Opens or makes the database, migrates it, checks its integrity;
	 * errors say what to do. [load] */
	int32_t (*open)(void *instance, txw_error *err);
	/* Closes it after the last unit. [load] */
	void (*close)(void *instance);
	/* Texts live until close. [load] or [writer] */
	int32_t (*info)(void *instance, txw_store_info *out, txw_error *err);

	/* ---- the unit of work: [writer] ---- */
	int32_t (*begin)(void *instance, txw_error *err);
	int32_t (*commit)(void *instance, txw_error *err);
	void (*rollback)(void *instance);

	/* out[i] = the row names[i] tells, or NULL. Rows saved in this unit
	 * are seen. */
	int32_t (*load)(void *instance, const txw_tx_name *names, size_t stride, size_t n,
			const txw_tx **out, txw_error *err);
	/* Inserts rows with key 0 (and sets key), updates the others.
	 * TXW_E_EXISTS: the id or (tenant, flow, ref) is taken. */
	int32_t (*save)(void *instance, txw_tx *const *rows, size_t n, txw_error *err);
	/* Appends, in order; sets seq: consecutive, the first one info()'s
	 * last_seq + 1. event->prev and tx are the host's; the events' tx
	 * rows must have been saved before. seq may be given: then it must be
	 * the next one (else TXW_E_INVALID). Makes it the row's last_seq; a
	 * host that saved the row with the seq to come saves that write.
	 * TXW_E_EXISTS: the transaction has that source_event_id already. */
	int32_t (*append)(void *instance, txw_event *const *events, size_t n, txw_error *err);
	/* 1 if the transaction has an event with that source_event_id, 0 if
	 * not, or an error. */
	int32_t (*seen)(void *instance, int64_t tx, txw_str source_event_id, txw_error *err);
	/* Emits at most limit rows with 0 < due_at <= now, earliest first, and
	 * no other host's. Rows live until the unit ends. */
	int32_t (*due)(void *instance, txw_time now, uint32_t limit, txw_emit_tx emit, void *ctx,
		       txw_error *err);
	/* Writes due_at, next_poll_at, polls and poll_failures only. */
	int32_t (*reschedule)(void *instance, const txw_tx *const *rows, size_t n, txw_error *err);
	/* *out = the earliest due_at; 0 = nothing is due ever. */
	int32_t (*next_due)(void *instance, txw_time *out, txw_error *err);

	/* Inserts (key 0, sets key) or updates a target. */
	int32_t (*put_target)(void *instance, txw_target *row, txw_error *err);
	/* Inserts (sets key), in order. */
	int32_t (*put_deliveries)(void *instance, txw_delivery_row *const *rows, size_t n,
				  txw_error *err);
	/* Updates state, attempts, due_at, updated_at, status, reason; inserts
	 * the attempts. */
	int32_t (*settle)(void *instance, const txw_delivery_row *const *rows, size_t n,
			  const txw_attempt *const *attempts, size_t n_attempts, txw_error *err);
	/* Of one target: emits at most limit PENDING or SENDING deliveries
	 * with due_at <= now, earliest first, with their events, and makes
	 * them SENDING, due at lease_until. */
	int32_t (*claim)(void *instance, int64_t target, txw_time now, txw_time lease_until,
			 uint32_t limit, txw_emit_delivery emit, void *ctx, txw_error *err);
	/* 1 if (target, tx) has a PENDING, SENDING or BLOCKED delivery with
	 * ordered = 1, else 0. */
	int32_t (*waiting)(void *instance, int64_t target, int64_t tx, txw_error *err);
	/* Makes the first BLOCKED delivery of (target, tx) PENDING, due at
	 * `due`. 1 = there was one, 0 = none. */
	int32_t (*unblock)(void *instance, int64_t target, int64_t tx, txw_time due,
			   txw_error *err);
	/* Moves at most limit deliveries of a target, oldest first, from one
	 * state to another and sets due_at; returns how many. What goes to
	 * PENDING becomes BLOCKED instead where an earlier ordered delivery of
	 * its transaction is PENDING, SENDING or BLOCKED. */
	int32_t (*move)(void *instance, int64_t target, uint32_t from, uint32_t to, txw_time due,
			uint32_t limit, txw_error *err);

	int32_t (*put_doc)(void *instance, const txw_doc *doc, txw_error *err);
	/* TXW_E_NOTFOUND when there is none; emits it otherwise. */
	int32_t (*get_doc)(void *instance, txw_str kind, txw_str tenant, txw_str id,
			   txw_emit_doc emit, void *ctx, txw_error *err);
	/* 1 = there was one, 0 = none. */
	int32_t (*delete_doc)(void *instance, txw_str kind, txw_str tenant, txw_str id,
			      txw_error *err);
	/* Deletes at most limit docs with 0 < expires_at <= now, oldest first;
	 * returns how many. */
	int32_t (*expire_docs)(void *instance, txw_time now, uint32_t limit, txw_error *err);
	/* A named number, as the router's cursor. get: 0 when never put. */
	int32_t (*put_mark)(void *instance, txw_str name, int64_t value, txw_error *err);
	int32_t (*get_mark)(void *instance, txw_str name, int64_t *value, txw_error *err);

	/* ---- readers: [reader] ---- */
	int32_t (*reader_open)(void *instance, void **reader, txw_error *err);
	void (*reader_close)(void *reader);
	/* TXW_E_NOTFOUND when there is none. */
	int32_t (*read_tx)(void *reader, const txw_tx_name *name, txw_emit_tx emit, void *ctx,
			   txw_error *err);
	int32_t (*list_tx)(void *reader, const txw_tx_query *query, txw_emit_tx emit, void *ctx,
			   txw_error *err);
	/* One transaction's events, newest first, those with seq < before
	 * (0 = all), at most limit. */
	int32_t (*history)(void *reader, int64_t tx, int64_t before, uint32_t limit,
			   txw_emit_event emit, void *ctx, txw_error *err);
	int32_t (*list_events)(void *reader, const txw_event_query *query, txw_emit_event emit,
			       void *ctx, txw_error *err);
	/* With the event when with_event is 1, else event is NULL. */
	int32_t (*list_deliveries)(void *reader, const txw_delivery_query *query,
				   uint32_t with_event, txw_emit_delivery emit, void *ctx,
				   txw_error *err);
	int32_t (*list_attempts)(void *reader, int64_t delivery, txw_emit_attempt emit, void *ctx,
				 txw_error *err);
	/* Every target; first_due = the earliest due_at of its PENDING and
	 * SENDING deliveries, 0 = none. */
	int32_t (*list_targets)(void *reader, txw_emit_target emit, void *ctx, txw_error *err);
	/* By id ascending, those with id > after. Empty tenant = all. */
	int32_t (*list_docs)(void *reader, txw_str kind, txw_str tenant, txw_str after,
			     uint32_t limit, txw_emit_doc emit, void *ctx, txw_error *err);
	int32_t (*stats)(void *reader, txw_store_stats *out, txw_error *err);
	/* Cheap proof that the store answers, for readiness. */
	int32_t (*ping)(void *reader, txw_error *err);

	/* ---- [writer] again ---- */
	/* *out = the earliest due_at of the target's PENDING deliveries;
	 * 0 = none. */
	int32_t (*target_due)(void *instance, int64_t target, txw_time *out, txw_error *err);
	/* At start: makes every SENDING delivery PENDING, due at `due`. */
	int32_t (*release)(void *instance, txw_time due, txw_error *err);
	/* Makes one delivery of the target PENDING, due at `due`, whatever its
	 * state, but not one that is SENDING or BLOCKED. 1 = done, 0 = not.
	 * Order is kept as by move. */
	int32_t (*resend)(void *instance, int64_t target, int64_t delivery, txw_time due,
			  txw_error *err);

	/* What follows came later: a store may leave it NULL, and the host then
	 * does without what needs it. */

	/* Enters the section in which seqs are given, until the unit ends, and
	 * tells the newest seq: no other host appends meanwhile. Called once
	 * in a unit, before its first append. [writer] */
	int32_t (*sequence)(void *instance, int64_t *last_seq, txw_error *err);
	/* Adds to the rollups, in the unit; rows may name the same count
	 * twice. [writer] */
	int32_t (*add_counts)(void *instance, const txw_count *const *rows, size_t n,
			      txw_error *err);
	/* Deletes transactions that are not held, oldest finish first, with
	 * their events, deliveries and attempts; never the log's newest event
	 * and never one with a delivery that is not settled for good. An event
	 * with a digest leaves its seq, digest and hash, which list_events
	 * does not emit and list_digests does. The rollups are the host's.
	 * [writer] */
	int32_t (*purge)(void *instance, const txw_purge *what, txw_purged *out, txw_error *err);

	/* Makes all calls see one state until it is switched off. [reader] */
	int32_t (*snapshot)(void *reader, uint32_t on, txw_error *err);
	/* By id, those beyond `after` (empty = from the start): ascending, or
	 * newest first for ids that ascend with time. Empty tenant = all.
	 * [reader] */
	int32_t (*scan_docs)(void *reader, txw_str kind, txw_str tenant, txw_str after,
			     uint32_t descending, uint32_t limit, txw_emit_doc emit, void *ctx,
			     txw_error *err);
	/* How many rows the query holds for (tenant, filter, text; the rest
	 * does not count); of more than cap rows, cap. [reader] */
	int32_t (*count_tx)(void *reader, const txw_tx_query *query, int64_t cap, int64_t *out,
			    txw_error *err);
	/* ... by each value of each of the fields, FLOW, STATUS or OUTCOME: a
	 * value once, in no order, none with count 0. Of more than cap rows
	 * TXW_E_FULL and nothing emitted. [reader] */
	int32_t (*facet_tx)(void *reader, const txw_tx_query *query, const uint32_t *fields,
			    size_t n_fields, int64_t cap, txw_emit_facet emit, void *ctx,
			    txw_error *err);
	/* In the order of bucket, tenant, flow, key (texts by their bytes).
	 * [reader] */
	int32_t (*list_counts)(void *reader, const txw_count_query *query, txw_emit_count emit,
			       void *ctx, txw_error *err);
	/* Of purged events: seq, digest and hash of those after `after`, in
	 * order; the rest is empty. [reader] */
	int32_t (*list_digests)(void *reader, int64_t after, uint32_t limit, txw_emit_event emit,
				void *ctx, txw_error *err);
	/* Calls hint(ctx), from any thread, when another host has committed
	 * events; a hint may be lost, so polling remains the truth. NULL ends
	 * it. [load] */
	int32_t (*listen)(void *instance, void (*hint)(void *ctx), void *ctx, txw_error *err);
	/* For a store whose load is a round trip: these will be loaded in this
	 * unit, one by one; it brings them at once. [writer] */
	int32_t (*prefetch)(void *instance, const txw_tx_name *names, size_t stride, size_t n,
			    txw_error *err);
} txw_store;

#ifdef __cplusplus
}
#endif

#endif
