/*
 * store.h: the instance, its readers, and what the files here call of each
 * other.
 *
 *   options.c  the option rows and their values
 *   args.c     parameters in binary;  columns.c  rows as columns
 *   sql.c      the texts of statements;  db.c  a connection, its pipeline
 *   schema.c   migrations, what the database says of itself
 *   unit.c     begin, rollback, and what a unit writes at its end
 *   commit.c   commit, and what became of one whose answer was lost
 *   rows.c     the transactions a unit has seen;  tx.c  load, save, due
 *   log.c      the section in which seqs are given, append, partitions
 *   deliver.c  targets, deliveries, attempts;  claim.c  what is due of them
 *   docs.c     documents, marks, counts;  purge.c
 *   read.c     readers;  lists.c  pages under a filter;  filter_sql.c
 *   listen.c   hints from other hosts
 *
 * What a unit saves, appends and counts is kept in memory and written by one
 * statement for each kind of row, when the unit ends or reads what it wrote.
 *
 * Locks: whatever locks a row that another host's unit may lock too (loads,
 * saves, appends; deliveries, targets, documents, marks, counts) has the head
 * of the log first, once in a unit (log_enter). So the units of all hosts that
 * write come one after the other, and none can wait for one that waits for it.
 *
 * Threads. `struct store` belongs to [load] until open returned, then to
 * [writer], but for what is constant and `listener`. Each `struct reader`
 * belongs to the thread that calls it.
 */
#ifndef POSTGRESQL_STORE_H
#define POSTGRESQL_STORE_H

#include <stdbool.h>

#include "../shared/arena.h"
#include "columns.h"
#include "db.h"
#include "options.h"
#include "rows.h"
#include "txwatch/ext/log.h"
#include "txwatch/store.h"

#define STORE_MAGIC  0x50514c31u
#define READER_MAGIC 0x50514c32u

/* Numbers taken from a sequence at once. */
#define KEYS_BLOCK 256

struct keys {
	int64_t list[KEYS_BLOCK];
	size_t n;
	size_t at;
};

/* Pointers to copies in the unit's arena. */
struct list {
	const void **at;
	size_t n;
	size_t cap;
};

/* One partition of the log: from_at <= at < to_at. */
struct span {
	int64_t from_at;
	int64_t to_at;
};

struct listener;

struct store {
	uint32_t magic;
	struct options options; /* constant */
	struct sql sql;         /* constant */
	txw_instance *self;
	const txw_log_ext *log; /* NULL: this host has none */
	struct db db;
	struct db reader_failed; /* holds the text of a failed read_open only */
	struct listener *listener;

	uint32_t site; /* constant after open */
	uint64_t epoch;
	uint32_t schema;
	int64_t host; /* names this instance in `unit` */
	bool is_open;

	/* The unit. */
	int64_t n_unit;     /* counts them */
	int64_t unresolved; /* the unit whose end is not known; 0 */
	bool is_in_unit;
	bool is_begun; /* BEGIN was sent */
	bool has_section;
	bool is_broken; /* an error: nothing but rollback helps */
	bool has_written;
	struct arena arena;
	struct rows rows;
	struct list events; /* txw_event */
	struct list deliveries;
	struct list attempts;
	struct list counts;
	struct list unseen; /* txw_event with (tx, source_event_id) asked for */
	int64_t last_seq;   /* newest appended, committed or not */
	txw_time last_at;
	int64_t unit_seq; /* last_seq as the section found it */
	int64_t committed_seq;
	txw_time committed_at;
	struct keys tx_keys;
	struct keys delivery_keys;
	struct span *spans; /* the log's partitions, owned */
	size_t n_spans;
	size_t cap_spans;
	size_t committed_spans;
};

struct reader {
	uint32_t magic;
	struct store *store;
	struct db db;
	bool is_pinned; /* a snapshot is held over several calls */
};

/* Would the host's log take it? [any] */
bool store_logs(struct store *s, uint32_t level);
/* One line in the host's log. [any] */
void store_log(struct store *s, uint32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- unit.c ---- */

/* 0, or why writing is not possible now; sends BEGIN if that is to do. */
int32_t unit_ready(struct store *s, txw_error *err);
/* Notes that the unit failed, and returns rc. */
int32_t unit_fail(struct store *s, int32_t rc);
/* Queues a statement that writes. */
int32_t unit_write(struct store *s, enum sql_id id, txw_error *err);
/* Queues and waits; *out for PQclear. */
int32_t unit_ask(struct store *s, enum sql_id id, PGresult **out, txw_error *err);
/* ... and tells how many rows it changed, or an error. */
int32_t unit_change(struct store *s, enum sql_id id, txw_error *err);
/* Queues what the unit keeps in memory. */
int32_t unit_flush(struct store *s, txw_error *err);
int32_t unit_no_memory(struct store *s, txw_error *err);
/* The end of a unit, however it ended. */
void unit_leave(struct store *s);
/* 0 when the arena or the list has no memory. */
bool list_add(struct list *l, const void *row);

/* The next number; takes a block when there is none. */
int32_t keys_next(struct store *s, struct keys *k, enum sql_id id, int64_t *out, txw_error *err);
/* Are there few left? */
static inline bool keys_are_few(const struct keys *k)
{
	return k->n - k->at < KEYS_BLOCK / 8;
}
void keys_fill(struct keys *k, const PGresult *r);

/* ---- schema.c ---- */

int32_t schema_open(struct store *s, txw_error *err);

/* ---- commit.c ---- */

/* What became of a unit that unit_commit could not tell of. */
int32_t commit_resolve(struct store *s, txw_error *err);

/* ---- log.c ---- */

/* Once in a unit: from here to its end nobody else gives a seq. */
int32_t log_enter(struct store *s, txw_error *err);
int32_t log_read_head(struct store *s, txw_error *err);
int32_t log_read_partitions(struct store *s, txw_error *err);
int32_t log_flush(struct store *s, txw_error *err);
/* In the section: drops a partition that is empty and past, if there is one and
 * nobody reads the log just now. */
int32_t log_drop_empty(struct store *s, txw_error *err);

/* ---- tx.c ---- */

int32_t tx_flush(struct store *s, txw_error *err);

/* ---- listen.c ---- */

void listen_stop(struct store *s);
/* "txwatch_SCHEMA", at least 64 bytes. */
void listen_channel(const struct store *s, char *out, size_t cap);

/* ---- the vtable's calls, by file ---- */

int32_t unit_begin(void *instance, txw_error *err);
int32_t unit_commit(void *instance, txw_error *err);
void unit_rollback(void *instance);

int32_t tx_load(void *instance, const txw_tx_name *names, size_t stride, size_t n,
		const txw_tx **out, txw_error *err);
int32_t tx_prefetch(void *instance, const txw_tx_name *names, size_t stride, size_t n,
		    txw_error *err);
int32_t tx_save(void *instance, txw_tx *const *rows, size_t n, txw_error *err);
int32_t tx_due(void *instance, txw_time now, uint32_t limit, txw_emit_tx emit, void *ctx,
	       txw_error *err);
int32_t tx_reschedule(void *instance, const txw_tx *const *rows, size_t n, txw_error *err);
int32_t tx_next_due(void *instance, txw_time *out, txw_error *err);

int32_t log_append(void *instance, txw_event *const *events, size_t n, txw_error *err);
int32_t log_seen(void *instance, int64_t tx, txw_str source_event_id, txw_error *err);
int32_t log_sequence(void *instance, int64_t *last_seq, txw_error *err);

int32_t deliver_put_target(void *instance, txw_target *row, txw_error *err);
int32_t deliver_put(void *instance, txw_delivery_row *const *rows, size_t n, txw_error *err);
int32_t deliver_settle(void *instance, const txw_delivery_row *const *rows, size_t n,
		       const txw_attempt *const *attempts, size_t n_attempts, txw_error *err);
int32_t claim_deliveries(void *instance, int64_t target, txw_time now, txw_time lease_until,
			 uint32_t limit, txw_emit_delivery emit, void *ctx, txw_error *err);
int32_t claim_waiting(void *instance, int64_t target, int64_t tx, txw_error *err);
int32_t claim_unblock(void *instance, int64_t target, int64_t tx, txw_time due, txw_error *err);
int32_t claim_move(void *instance, int64_t target, uint32_t from, uint32_t to, txw_time due,
		   uint32_t limit, txw_error *err);
int32_t claim_target_due(void *instance, int64_t target, txw_time *out, txw_error *err);
int32_t claim_release(void *instance, txw_time due, txw_error *err);
int32_t claim_resend(void *instance, int64_t target, int64_t delivery, txw_time due,
		     txw_error *err);

int32_t docs_put(void *instance, const txw_doc *doc, txw_error *err);
int32_t docs_get(void *instance, txw_str kind, txw_str tenant, txw_str id, txw_emit_doc emit,
		 void *ctx, txw_error *err);
int32_t docs_delete(void *instance, txw_str kind, txw_str tenant, txw_str id, txw_error *err);
int32_t docs_expire(void *instance, txw_time now, uint32_t limit, txw_error *err);
int32_t docs_put_mark(void *instance, txw_str name, int64_t value, txw_error *err);
int32_t docs_get_mark(void *instance, txw_str name, int64_t *value, txw_error *err);
int32_t docs_add_counts(void *instance, const txw_count *const *rows, size_t n, txw_error *err);
int32_t purge(void *instance, const txw_purge *what, txw_purged *out, txw_error *err);

int32_t read_open(void *instance, void **reader, txw_error *err);
void read_close(void *reader);
int32_t read_tx(void *reader, const txw_tx_name *name, txw_emit_tx emit, void *ctx, txw_error *err);
int32_t read_history(void *reader, int64_t tx, int64_t before, uint32_t limit, txw_emit_event emit,
		     void *ctx, txw_error *err);
int32_t read_attempts(void *reader, int64_t delivery, txw_emit_attempt emit, void *ctx,
		      txw_error *err);
int32_t read_targets(void *reader, txw_emit_target emit, void *ctx, txw_error *err);
int32_t read_docs(void *reader, txw_str kind, txw_str tenant, txw_str after, uint32_t limit,
		  txw_emit_doc emit, void *ctx, txw_error *err);
int32_t read_scan_docs(void *reader, txw_str kind, txw_str tenant, txw_str after,
		       uint32_t descending, uint32_t limit, txw_emit_doc emit, void *ctx,
		       txw_error *err);
int32_t read_counts(void *reader, const txw_count_query *query, txw_emit_count emit, void *ctx,
		    txw_error *err);
int32_t read_digests(void *reader, int64_t after, uint32_t limit, txw_emit_event emit, void *ctx,
		     txw_error *err);
int32_t read_pin(void *reader, uint32_t on, txw_error *err);
int32_t read_stats(void *reader, txw_store_stats *out, txw_error *err);
int32_t read_ping(void *reader, txw_error *err);
/* The reader's parameters, and a statement with them: asked once more on a new
 * connection if the old one broke. */
struct args *read_args(struct reader *r);
int32_t read_ask(struct reader *r, enum sql_id id, PGresult **out, txw_error *err);
int32_t read_ask_text(struct reader *r, const char *sql, PGresult **out, txw_error *err);

int32_t lists_tx(void *reader, const txw_tx_query *query, txw_emit_tx emit, void *ctx,
		 txw_error *err);
int32_t lists_count(void *reader, const txw_tx_query *query, int64_t cap, int64_t *out,
		    txw_error *err);
int32_t lists_facet(void *reader, const txw_tx_query *query, const uint32_t *fields,
		    size_t n_fields, int64_t cap, txw_emit_facet emit, void *ctx, txw_error *err);
int32_t lists_events(void *reader, const txw_event_query *query, txw_emit_event emit, void *ctx,
		     txw_error *err);
int32_t lists_deliveries(void *reader, const txw_delivery_query *query, uint32_t with_event,
			 txw_emit_delivery emit, void *ctx, txw_error *err);

int32_t listen_start(void *instance, void (*hint)(void *ctx), void *ctx, txw_error *err);

#endif
