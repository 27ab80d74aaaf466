/*
 * read.c: readers: connections that see committed states only.
 *
 * A call of one statement is one snapshot by itself; a call of several opens
 * a transaction around them. Each call has its deadline: a search that finds
 * little in much ends in TXW_E_TIMEOUT instead of holding a thread, and with it
 * the WAL's end, for as long as it likes.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "filter_sql.h"
#include "store.h"

/* Instructions of SQLite's machine between two looks at the clock. */
#define LOOK_EVERY 4000

static int64_t monotonic(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int past_deadline(void *arg)
{
	const struct reader *r = arg;
	return r->deadline && monotonic() > r->deadline;
}

int32_t read_open(void *instance, void **reader, txw_error *err)
{
	struct store *s = instance;
	struct reader *r = calloc(1, sizeof(*r));
	int32_t rc;
	if (!r) {
		static const char TEXT[] = "no memory for a reader";
		if (err) {
			err->code = TXW_E_NOMEM;
			err->text = (txw_str){TEXT, sizeof(TEXT) - 1};
		}
		return TXW_E_NOMEM;
	}
	r->magic = READER_MAGIC;
	r->store = s;
	if ((rc = db_open(&r->db, s->path, SQLITE_OPEN_READONLY, s->options.busy_timeout / 1000,
			  err)) < 0 ||
	    (rc = schema_connect(&r->db, &s->options, false, err)) < 0 ||
	    (rc = filter_sql_register(&r->db, err)) < 0 ||
	    (rc = db_prepare(&r->db, SQL_READER, err)) < 0 ||
	    (rc = names_load(&r->names, &r->db, err)) < 0) {
		/* The text must outlive the reader. */
		db_say(&s->reader_failed, rc, err, "%s", r->db.text);
		read_close(r);
		return rc;
	}
	sqlite3_progress_handler(r->db.handle, LOOK_EVERY, past_deadline, r);
	*reader = r;
	return TXW_OK;
}

void read_close(void *reader)
{
	struct reader *r = reader;
	if (!r)
		return;
	db_close(&r->db);
	names_free(&r->names);
	free(r);
}

int32_t read_ready(struct reader *r, txw_error *err)
{
	if (!r->is_pinned || !sqlite3_get_autocommit(r->db.handle))
		return TXW_OK;
	return db_say(&r->db, TXW_E_IO, err,
		      "%s: an error ended the snapshot that was held; begin again", r->db.path);
}

/* After some errors SQLite has ended it by itself; to end it again would fail,
 * and hide the text of the first. */
static void end(struct reader *r)
{
	if (!sqlite3_get_autocommit(r->db.handle))
		db_run(&r->db, db_stmt(&r->db, SQL_SNAPSHOT_END), "ending to read", NULL);
}

int32_t read_begin(struct reader *r, txw_error *err)
{
	int32_t rc = read_ready(r, err);
	if (rc == TXW_OK && !r->is_pinned)
		rc = db_run(&r->db, db_stmt(&r->db, SQL_SNAPSHOT), "beginning to read", err);
	if (rc == TXW_OK)
		r->deadline = monotonic() + r->store->options.read_timeout * 1000;
	return rc;
}

void read_end(struct reader *r)
{
	r->deadline = 0;
	if (!r->is_pinned)
		end(r);
}

int32_t read_find(struct db *db, struct names *names, const txw_tx_name *name, sqlite3_stmt **out,
		  struct id_bytes *id, txw_error *err)
{
	sqlite3_stmt *st;
	if (name->id.hi || name->id.lo) {
		st = db_stmt(db, SQL_TX_BY_ID);
		id_pack(id, name->id);
		sqlite3_bind_blob(st, 1, id->at, sizeof(id->at), SQLITE_STATIC);
	} else if (name->key) {
		st = db_stmt(db, SQL_TX_BY_KEY);
		bind_int(st, 1, name->key);
	} else {
		int64_t flow = names_find(names, name->flow);
		int64_t tenant = names_find(names, name->tenant);
		if ((name->flow.len && !flow) || (name->tenant.len && !tenant))
			return 0; /* a word no row has */
		st = db_stmt(db, SQL_TX_BY_REF);
		bind_key(st, 1, name->ref);
		bind_int(st, 2, flow);
		bind_int(st, 3, tenant);
	}
	*out = st;
	return db_step(db, st, "reading a transaction", err);
}

int32_t read_tx(void *reader, const txw_tx_name *name, txw_emit_tx emit, void *ctx, txw_error *err)
{
	struct reader *r = reader;
	struct id_bytes id;
	sqlite3_stmt *st = NULL;
	txw_tx row;
	bool by_ref = !name->id.hi && !name->id.lo && !name->key;
	int32_t rc = read_ready(r, err);
	/* A word may have been added since this reader last looked. */
	if (rc == 0 && by_ref &&
	    (!names_find(&r->names, name->flow) || !names_find(&r->names, name->tenant)))
		rc = names_load(&r->names, &r->db, err);
	if (rc == 0)
		rc = read_find(&r->db, &r->names, name, &st, &id, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return db_say(&r->db, TXW_E_NOTFOUND, err, "there is no such transaction");
	columns_tx(st, 0, &r->names, &r->db, &row);
	rc = names_whole(&r->names, &r->db, err);
	if (rc == TXW_OK)
		emit(ctx, &row);
	sqlite3_reset(st);
	return rc;
}

/* The seq of the newest event below `before`: its prev if it is one of this
 * transaction's, else 0 for "look from the head". */
static int32_t start_of(struct reader *r, int64_t tx, int64_t before, int64_t *seq, txw_error *err)
{
	sqlite3_stmt *st = db_stmt(&r->db, SQL_EVENT_PREV);
	int32_t rc = 0;
	if (before) {
		bind_int(st, 1, before);
		bind_int(st, 2, tx);
		rc = db_step(&r->db, st, "reading a history", err);
	}
	if (rc == 0) {
		st = db_stmt(&r->db, SQL_TX_HEAD);
		bind_int(st, 1, tx);
		rc = db_step(&r->db, st, "reading a history", err);
	}
	*seq = rc > 0 ? column_int(st, 0) : 0;
	sqlite3_reset(st);
	return rc < 0 ? rc : TXW_OK;
}

static int32_t walk(struct reader *r, int64_t tx, int64_t before, uint32_t limit,
		    txw_emit_event emit, void *ctx, txw_error *err)
{
	sqlite3_stmt *st = db_stmt(&r->db, SQL_EVENT_BY_SEQ);
	int64_t seq;
	int32_t rc = start_of(r, tx, before, &seq, err);
	while (rc == TXW_OK && seq && limit) {
		txw_event event;
		txw_tx row;
		bind_int(st, 1, seq);
		rc = db_step(&r->db, st, "reading a history", err);
		if (rc <= 0)
			break; /* older ones are no longer kept */
		columns_event(st, &r->names, &r->db, r->store->site, &event, &row);
		int64_t prev = event.prev;
		rc = names_whole(&r->names, &r->db, err);
		if (rc < 0)
			limit = 0;
		else if (!event.tx || event.tx->key != tx || prev >= seq)
			rc = db_say(&r->db, TXW_E_CORRUPT, err,
				    "%s: event %lld does not belong to the history of "
				    "transaction %lld; restore a backup",
				    r->db.path, (long long)seq, (long long)tx);
		else if (!before || seq < before)
			limit = emit(ctx, &event) != 0 ? 0 : limit - 1;
		sqlite3_reset(st);
		seq = prev;
	}
	return rc;
}

int32_t read_history(void *reader, int64_t tx, int64_t before, uint32_t limit, txw_emit_event emit,
		     void *ctx, txw_error *err)
{
	struct reader *r = reader;
	int32_t rc = read_begin(r, err);
	if (rc < 0)
		return rc;
	rc = walk(r, tx, before, limit, emit, ctx, err);
	read_end(r);
	return rc;
}

int32_t read_attempts(void *reader, int64_t delivery, txw_emit_attempt emit, void *ctx,
		      txw_error *err)
{
	struct reader *r = reader;
	sqlite3_stmt *st = db_stmt(&r->db, SQL_ATTEMPT_LIST);
	int32_t rc = read_ready(r, err);
	if (rc < 0)
		return rc;
	bind_int(st, 1, delivery);
	while ((rc = db_step(&r->db, st, "reading attempts", err)) > 0) {
		txw_attempt row = {
		    .size = sizeof(row),
		    .n = (uint32_t)column_int(st, 1),
		    .delivery = column_int(st, 0),
		    .at = column_int(st, 2),
		    .verdict = (uint32_t)column_int(st, 3),
		    .status = (uint32_t)column_int(st, 4),
		    .took = column_int(st, 5),
		    .connect_took = column_int(st, 6),
		    .tls_took = column_int(st, 7),
		    .first_byte_took = column_int(st, 8),
		    .peer = column_text(st, 9),
		    .reason = column_text(st, 10),
		    .response = column_text(st, 11),
		};
		if (emit(ctx, &row) != 0)
			break;
	}
	sqlite3_reset(st);
	return rc < 0 ? rc : TXW_OK;
}

int32_t read_targets(void *reader, txw_emit_target emit, void *ctx, txw_error *err)
{
	struct reader *r = reader;
	sqlite3_stmt *st = db_stmt(&r->db, SQL_TARGET_LIST);
	int32_t rc = read_ready(r, err);
	if (rc < 0)
		return rc;
	while ((rc = db_step(&r->db, st, "reading targets", err)) > 0) {
		txw_target row;
		columns_target(st, &r->names, &r->db, &row);
		if ((rc = names_whole(&r->names, &r->db, err)) < 0)
			break;
		if (emit(ctx, &row, column_int(st, SQL_TARGET_WIDTH)) != 0)
			break;
	}
	sqlite3_reset(st);
	return rc < 0 ? rc : TXW_OK;
}

/* A page over all tenants does not end between two of one id: the next page
 * begins after it. */
static int32_t docs_of_all(struct reader *r, sqlite3_stmt *st, uint32_t limit, txw_emit_doc emit,
			   void *ctx, txw_error *err)
{
	char last[256];
	size_t last_len = 0;
	int32_t rc;
	for (uint32_t n = 0; (rc = db_step(&r->db, st, "reading documents", err)) > 0; n++) {
		txw_doc doc;
		columns_doc(st, &doc);
		bool same = n && doc.id.len == last_len && last_len <= sizeof(last) &&
			    memcmp(doc.id.ptr, last, last_len) == 0;
		if (n >= limit && !same)
			break;
		last_len = doc.id.len;
		if (last_len <= sizeof(last))
			memcpy(last, doc.id.ptr ? doc.id.ptr : "", last_len);
		if (emit(ctx, &doc) != 0)
			break;
	}
	return rc;
}

static int32_t docs_of_one(struct reader *r, sqlite3_stmt *st, txw_emit_doc emit, void *ctx,
			   txw_error *err)
{
	int32_t rc;
	while ((rc = db_step(&r->db, st, "reading documents", err)) > 0) {
		txw_doc doc;
		columns_doc(st, &doc);
		if (emit(ctx, &doc) != 0)
			break;
	}
	return rc;
}

int32_t read_docs(void *reader, txw_str kind, txw_str tenant, txw_str after, uint32_t limit,
		  txw_emit_doc emit, void *ctx, txw_error *err)
{
	return read_scan_docs(reader, kind, tenant, after, 0, limit, emit, ctx, err);
}

int32_t read_scan_docs(void *reader, txw_str kind, txw_str tenant, txw_str after,
		       uint32_t descending, uint32_t limit, txw_emit_doc emit, void *ctx,
		       txw_error *err)
{
	static const enum sql_id ids[2][2] = {{SQL_DOC_LIST, SQL_DOC_LIST_DOWN},
					      {SQL_DOC_LIST_ALL, SQL_DOC_LIST_ALL_DOWN}};
	struct reader *r = reader;
	bool all = tenant.len == 0;
	sqlite3_stmt *st = db_stmt(&r->db, ids[all][descending != 0]);
	int32_t rc = read_ready(r, err);
	if (rc < 0)
		return rc;
	bind_key(st, 1, kind);
	if (!all)
		bind_key(st, 2, tenant);
	if (descending && !after.len) /* any blob sorts after every text */
		sqlite3_bind_zeroblob(st, all ? 2 : 3, 1);
	else
		bind_key(st, all ? 2 : 3, after);
	if (!all)
		bind_int(st, 4, limit);
	rc = all ? docs_of_all(r, st, limit, emit, ctx, err) : docs_of_one(r, st, emit, ctx, err);
	sqlite3_reset(st);
	return rc < 0 ? rc : TXW_OK;
}

int32_t read_pin(void *reader, uint32_t on, txw_error *err)
{
	struct reader *r = reader;
	int32_t rc = TXW_OK;
	if (r->is_pinned == (on != 0))
		return TXW_OK;
	if (on)
		rc = db_run(&r->db, db_stmt(&r->db, SQL_SNAPSHOT), "holding a snapshot", err);
	/* BEGIN alone takes no snapshot: the first read does. */
	if (on && rc == TXW_OK)
		rc = read_ping(r, err);
	r->is_pinned = on && rc == TXW_OK;
	if (!r->is_pinned)
		end(r);
	return rc;
}

static int64_t size_of(const char *path, const char *suffix)
{
	char *name = sqlite3_mprintf("%s%s", path, suffix);
	struct stat st;
	int64_t n = name && stat(name, &st) == 0 ? st.st_size : 0;
	sqlite3_free(name);
	return n;
}

int32_t read_stats(void *reader, txw_store_stats *out, txw_error *err)
{
	struct reader *r = reader;
	txw_store_stats stats = {.size = sizeof(stats)};
	(void)err;
	stats.wal_bytes = size_of(r->db.path, "-wal");
	stats.bytes = size_of(r->db.path, "") + stats.wal_bytes;
	stats.checkpoints = checkpoint_count(r->store->checkpointer);
	uint32_t size = out->size && out->size < sizeof(stats) ? out->size : sizeof(stats);
	memcpy(out, &stats, size);
	out->size = size;
	return TXW_OK;
}

int32_t read_ping(void *reader, txw_error *err)
{
	struct reader *r = reader;
	sqlite3_stmt *st = db_stmt(&r->db, SQL_PING);
	int32_t rc = db_step(&r->db, st, "asking whether it answers", err);
	sqlite3_reset(st);
	return rc < 0 ? rc : TXW_OK;
}
