/*
 * store.h: the instance, its readers, and what the files here call of each
 * other.
 *
 *   options.c     the option rows and their values
 *   lock.c        one host for one file
 *   schema.c      migrations, integrity, what the database says of itself
 *   names.c       repeated words as numbers
 *   columns.c     rows in and out of statements
 *   unit.c        begin, commit, rollback; load and save
 *   due.c         what watch has to look at
 *   log.c         append, seen
 *   deliver.c     targets, deliveries, attempts;  claim.c  what is due of them
 *   docs.c        documents and marks
 *   counts.c      rollups
 *   purge.c       what is no longer kept
 *   read.c        readers: single rows, history;  lists.c  events, deliveries
 *   search.c      transactions;  plan.c  where to read;  order.c  in which order
 *   shapes.c      what there has been of flows, statuses, outcomes
 *   filter_sql.c  a filter's tree as SQL;  decimal.c  its exact numbers
 *   checkpoint.c  moves the WAL into the file on a thread of its own
 *
 * Threads. `struct store` belongs to [load] until open returned, then to
 * [writer], but for what is constant and `checkpointer`, which locks. Each
 * `struct reader` belongs to the thread that calls it.
 */
#ifndef SQLITE_STORE_H
#define SQLITE_STORE_H

#include <stdbool.h>

#include "../shared/arena.h"
#include "checkpoint.h"
#include "db.h"
#include "names.h"
#include "options.h"
#include "shapes.h"
#include "txwatch/ext/log.h"
#include "txwatch/store.h"

#define STORE_MAGIC  0x53514c31u
#define READER_MAGIC 0x53514c32u

/* A row as the unit loaded it; unit.c. */
#define STORE_LOADED_BITS 12
struct loaded {
	uint64_t unit;     /* of which it is; older ones are void */
	const txw_tx *row; /* in the arena */
};

struct store {
	uint32_t magic;
	struct options options; /* constant */
	txw_instance *self;
	const txw_log_ext *log; /* NULL: this host has none */

	int lock;   /* descriptor of the lock file, -1 = not held */
	char *path; /* the file's real path */
	struct db db;
	struct names names;
	struct shapes shapes;
	struct checkpointer *checkpointer;
	struct db reader_failed; /* holds the text of a failed read_open only */

	uint32_t site; /* constant after open */
	uint64_t epoch;
	uint32_t schema;

	/* The unit. */
	struct arena arena;
	bool is_in_unit;
	int64_t last_seq; /* newest appended, committed or not */
	txw_time last_at;
	int64_t committed_seq;
	txw_time committed_at;
	int64_t wal_pages; /* as the last commit left it */
	uint64_t unit;     /* counts them, from 1 */
	struct loaded loaded[1 << STORE_LOADED_BITS];
};

struct reader {
	uint32_t magic;
	struct store *store;
	struct db db;
	struct names names;
	int64_t deadline; /* monotonic nanoseconds; 0 = none */
	bool is_pinned;   /* a snapshot is held over several calls */
};

/* One line in the host's log. [any] */
void store_log(struct store *s, uint32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* 0, or why writing is not possible now. */
int32_t unit_ready(struct store *s, txw_error *err);
/* Its indexed columns were written beside save(). */
void unit_forget(struct store *s, int64_t key);

/* ---- lock.c ---- */

/* Resolves the path, takes PATH.lock, makes the file if there is none. */
int32_t lock_take(struct store *s, txw_error *err);
void lock_release(struct store *s);

/* ---- schema.c ---- */

/* Checks that the file is ours and sound, and brings it to this schema. */
int32_t schema_open(struct store *s, txw_error *err);
/* Pragmas of every connection; the writer's ask for more. */
int32_t schema_connect(struct db *db, const struct options *o, bool writer, txw_error *err);

/* ---- columns.c ---- */

/* Of TX_INSERT, TX_UPDATE and TX_UPDATE_PLAIN all but 24..28. */
int32_t columns_bind_tx(struct store *s, sqlite3_stmt *st, const txw_tx *row, bool plain,
			txw_error *err);
/* SQL_TX_COLUMNS from column `at`. Texts live until the next step. */
void columns_tx(sqlite3_stmt *st, int at, struct names *names, struct db *db, txw_tx *out);
/* SQL_EVENT_COLUMNS from column 0; *tx is filled and out->tx points to it if
 * the event has a transaction. */
void columns_event(sqlite3_stmt *st, struct names *names, struct db *db, uint32_t site,
		   txw_event *out, txw_tx *tx);
int32_t columns_bind_event(struct store *s, sqlite3_stmt *st, const txw_event *event,
			   struct id_bytes *id, txw_error *err);
void columns_delivery(sqlite3_stmt *st, struct names *names, struct db *db, txw_delivery_row *out);
void columns_target(sqlite3_stmt *st, struct names *names, struct db *db, txw_target *out);
void columns_doc(sqlite3_stmt *st, txw_doc *out);

/* ---- the vtable's calls, by file ---- */

int32_t unit_begin(void *instance, txw_error *err);
int32_t unit_commit(void *instance, txw_error *err);
void unit_rollback(void *instance);
int32_t unit_load(void *instance, const txw_tx_name *names, size_t stride, size_t n,
		  const txw_tx **out, txw_error *err);
int32_t unit_save(void *instance, txw_tx *const *rows, size_t n, txw_error *err);

int32_t due_claim(void *instance, txw_time now, uint32_t limit, txw_emit_tx emit, void *ctx,
		  txw_error *err);
int32_t due_reschedule(void *instance, const txw_tx *const *rows, size_t n, txw_error *err);
int32_t due_next(void *instance, txw_time *out, txw_error *err);

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

int32_t counts_add(void *instance, const txw_count *const *rows, size_t n, txw_error *err);
/* The same for a call that has begun to read. */
int32_t counts_read(struct reader *r, const txw_count_query *q, txw_emit_count emit, void *ctx,
		    txw_error *err);
int32_t counts_list(void *reader, const txw_count_query *query, txw_emit_count emit, void *ctx,
		    txw_error *err);

int32_t purge_run(void *instance, const txw_purge *what, txw_purged *out, txw_error *err);
int32_t purge_digests(void *reader, int64_t after, uint32_t limit, txw_emit_event emit, void *ctx,
		      txw_error *err);

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
int32_t read_pin(void *reader, uint32_t on, txw_error *err);
int32_t read_stats(void *reader, txw_store_stats *out, txw_error *err);
int32_t read_ping(void *reader, txw_error *err);
/* TXW_E_IO if the reader should hold a snapshot, but an error ended it. */
int32_t read_ready(struct reader *r, txw_error *err);
/* A call of several statements sees one snapshot; from then on the call has
 * its deadline. */
int32_t read_begin(struct reader *r, txw_error *err);
void read_end(struct reader *r);
/* Finds one by id, key or reference: 1, 0, or an error; *st is then on it. */
int32_t read_find(struct db *db, struct names *names, const txw_tx_name *name, sqlite3_stmt **st,
		  struct id_bytes *id, txw_error *err);

int32_t search_list(void *reader, const txw_tx_query *query, txw_emit_tx emit, void *ctx,
		    txw_error *err);
int32_t search_count(void *reader, const txw_tx_query *query, int64_t cap, int64_t *out,
		     txw_error *err);
int32_t search_facets(void *reader, const txw_tx_query *query, const uint32_t *fields,
		      size_t n_fields, int64_t cap, txw_emit_facet emit, void *ctx, txw_error *err);
int32_t lists_events(void *reader, const txw_event_query *query, txw_emit_event emit, void *ctx,
		     txw_error *err);
int32_t lists_deliveries(void *reader, const txw_delivery_query *query, uint32_t with_event,
			 txw_emit_delivery emit, void *ctx, txw_error *err);

#endif
