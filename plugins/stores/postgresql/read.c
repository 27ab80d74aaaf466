/*
 * read.c: readers: connections that see committed states only.
 *
 * Every call is one statement, so one snapshot. The server ends one that takes
 * longer than `read-timeout`. A connection that broke is made anew, and the
 * question asked again, once: reading twice does no harm.
 */
#include <stdlib.h>
#include <string.h>

#include "store.h"

int32_t read_open(void *instance, void **reader, txw_error *err)
{
	struct store *s = instance;
	struct reader *r = calloc(1, sizeof(*r));
	if (!r)
		return db_say(&s->reader_failed, TXW_E_NOMEM, err, "no memory for a reader");
	r->magic = READER_MAGIC;
	r->store = s;
	db_init(&r->db, &s->options, &s->sql, DB_READER);
	int32_t rc = db_connect(&r->db, err);
	if (rc < 0) {
		/* The text must outlive the reader. */
		db_say(&s->reader_failed, rc, err, "%s", r->db.text);
		read_close(r);
		return rc;
	}
	*reader = r;
	return TXW_OK;
}

void read_close(void *reader)
{
	struct reader *r = reader;
	if (!r)
		return;
	db_close(&r->db);
	free(r);
}

struct args *read_args(struct reader *r)
{
	return db_args(&r->db);
}

/* text NULL: the statement. */
static int32_t ask(struct reader *r, enum sql_id id, const char *text, PGresult **out,
		   txw_error *err)
{
	struct db *db = &r->db;
	*out = NULL;
	for (int try = 0;; try++) {
		int32_t rc = TXW_OK;
		if (!db_is_ready(db)) {
			struct args kept = db->args;
			db->args = (struct args){.bytes = NULL};
			rc = r->is_pinned ? db_say(db, TXW_E_IO, err,
						   "%s: the connection that held the snapshot is "
						   "gone: begin again",
						   db->location)
					  : db_connect(db, err);
			args_free(&db->args);
			db->args = kept;
		}
		if (rc == TXW_OK)
			rc = text ? db_ask_text(db, text, out, err) : db_ask(db, id, out, err);
		if (rc == TXW_OK || !db->is_lost || r->is_pinned || try > 0)
			return rc;
	}
}

int32_t read_ask(struct reader *r, enum sql_id id, PGresult **out, txw_error *err)
{
	return ask(r, id, NULL, out, err);
}

int32_t read_ask_text(struct reader *r, const char *sql, PGresult **out, txw_error *err)
{
	return ask(r, SQL_COUNT, sql, out, err);
}

/* ---- transactions and their histories ---- */

static enum sql_id bind_name(struct args *a, const txw_tx_name *name)
{
	const txw_str texts[] = {name->tenant, name->flow, name->ref};
	bool by_id = name->id.hi || name->id.lo;
	if (by_id || name->key) {
		args_array(a, by_id ? ARGS_ID : ARGS_INT, 1);
		if (by_id)
			args_item_id(a, name->id);
		else
			args_item_int(a, name->key);
		args_array_end(a);
		return by_id ? SQL_TX_BY_ID : SQL_TX_BY_KEY;
	}
	for (size_t i = 0; i < 3; i++) {
		args_array(a, ARGS_TEXT, 1);
		args_item_text(a, texts[i], true);
		args_array_end(a);
	}
	return SQL_TX_BY_REF;
}

int32_t read_tx(void *reader, const txw_tx_name *name, txw_emit_tx emit, void *ctx, txw_error *err)
{
	struct reader *r = reader;
	PGresult *found;
	txw_tx row = {.size = sizeof(row)};
	int32_t rc = read_ask(r, bind_name(read_args(r), name), &found, err);
	if (rc < 0)
		return rc;
	if (PQntuples(found)) {
		columns_read(found, 0, 0, TX_COLUMNS, &row);
		emit(ctx, &row);
	} else {
		rc = db_say(&r->db, TXW_E_NOTFOUND, err, "there is no such transaction");
	}
	PQclear(found);
	return rc;
}

int32_t read_history(void *reader, int64_t tx, int64_t before, uint32_t limit, txw_emit_event emit,
		     void *ctx, txw_error *err)
{
	struct reader *r = reader;
	PGresult *found;
	struct args *a = read_args(r);
	args_int(a, tx);
	args_int(a, before ? before : INT64_MAX);
	args_int(a, limit);
	int32_t rc = read_ask(r, SQL_HISTORY, &found, err);
	for (int i = 0; rc == TXW_OK && i < PQntuples(found); i++) {
		txw_event event;
		txw_tx row;
		columns_event(found, i, 0, &event, &row);
		if (emit(ctx, &event) != 0)
			break;
	}
	PQclear(found);
	return rc;
}

int32_t read_attempts(void *reader, int64_t delivery, txw_emit_attempt emit, void *ctx,
		      txw_error *err)
{
	struct reader *r = reader;
	PGresult *found;
	args_int(read_args(r), delivery);
	int32_t rc = read_ask(r, SQL_ATTEMPT_LIST, &found, err);
	for (int i = 0; rc == TXW_OK && i < PQntuples(found); i++) {
		txw_attempt row = {.size = sizeof(row)};
		columns_read(found, i, 0, ATTEMPT_COLUMNS, &row);
		if (emit(ctx, &row) != 0)
			break;
	}
	PQclear(found);
	return rc;
}

int32_t read_targets(void *reader, txw_emit_target emit, void *ctx, txw_error *err)
{
	struct reader *r = reader;
	PGresult *found;
	read_args(r);
	int32_t rc = read_ask(r, SQL_TARGET_LIST, &found, err);
	for (int i = 0; rc == TXW_OK && i < PQntuples(found); i++) {
		txw_target row = {.size = sizeof(row)};
		int at = columns_read(found, i, 0, TARGET_COLUMNS, &row);
		if (emit(ctx, &row, column_int(found, i, at)) != 0)
			break;
	}
	PQclear(found);
	return rc;
}

/* ---- documents, counts, digests ---- */

int32_t read_docs(void *reader, txw_str kind, txw_str tenant, txw_str after, uint32_t limit,
		  txw_emit_doc emit, void *ctx, txw_error *err)
{
	return read_scan_docs(reader, kind, tenant, after, 0, limit, emit, ctx, err);
}

int32_t read_scan_docs(void *reader, txw_str kind, txw_str tenant, txw_str after,
		       uint32_t descending, uint32_t limit, txw_emit_doc emit, void *ctx,
		       txw_error *err)
{
	static const enum sql_id IDS[2][2] = {{SQL_DOC_LIST, SQL_DOC_LIST_DOWN},
					      {SQL_DOC_LIST_ALL, SQL_DOC_LIST_ALL_DOWN}};
	struct reader *r = reader;
	bool all = tenant.len == 0;
	PGresult *found;
	if (limit == 0)
		return TXW_OK;
	struct args *a = read_args(r);
	args_key(a, kind);
	if (!all)
		args_key(a, tenant);
	args_key(a, after);
	args_int(a, limit);
	int32_t rc = read_ask(r, IDS[all][descending != 0], &found, err);
	for (int i = 0; rc == TXW_OK && i < PQntuples(found); i++) {
		txw_doc doc = {.size = sizeof(doc)};
		columns_read(found, i, 0, DOC_COLUMNS, &doc);
		if (emit(ctx, &doc) != 0)
			break;
	}
	PQclear(found);
	return rc;
}

int32_t read_counts(void *reader, const txw_count_query *q, txw_emit_count emit, void *ctx,
		    txw_error *err)
{
	struct reader *r = reader;
	PGresult *found;
	struct args *a = read_args(r);
	args_key(a, q->kind);
	args_key(a, q->tenant);
	args_key(a, q->flow);
	args_int(a, q->from);
	args_int(a, q->to);
	int32_t rc = read_ask(r, SQL_COUNT_LIST, &found, err);
	for (int i = 0; rc == TXW_OK && i < PQntuples(found); i++) {
		txw_count row = {.size = sizeof(row)};
		columns_read(found, i, 0, COUNT_COLUMNS, &row);
		if (emit(ctx, &row) != 0)
			break;
	}
	PQclear(found);
	return rc;
}

int32_t read_digests(void *reader, int64_t after, uint32_t limit, txw_emit_event emit, void *ctx,
		     txw_error *err)
{
	struct reader *r = reader;
	PGresult *found;
	struct args *a = read_args(r);
	args_int(a, after);
	args_int(a, limit);
	int32_t rc = read_ask(r, SQL_DIGEST_LIST, &found, err);
	for (int i = 0; rc == TXW_OK && i < PQntuples(found); i++) {
		txw_event event = {.size = sizeof(event)};
		columns_read(found, i, 0, DIGEST_COLUMNS, &event);
		if (emit(ctx, &event) != 0)
			break;
	}
	PQclear(found);
	return rc;
}

/* ---- the rest ---- */

int32_t read_pin(void *reader, uint32_t on, txw_error *err)
{
	struct reader *r = reader;
	PGresult *found;
	if (r->is_pinned == (on != 0))
		return TXW_OK;
	read_args(r);
	int32_t rc = read_ask(r, on ? SQL_SNAPSHOT : SQL_COMMIT, &found, err);
	PQclear(found);
	if (rc < 0 && on)
		return rc;
	r->is_pinned = on != 0;
	if (!on)
		return TXW_OK;
	/* BEGIN alone takes no snapshot: the first read does. */
	read_args(r);
	rc = read_ask(r, SQL_SNAPSHOT_TAKE, &found, err);
	PQclear(found);
	return rc;
}

int32_t read_stats(void *reader, txw_store_stats *out, txw_error *err)
{
	struct reader *r = reader;
	txw_store_stats stats = {.size = sizeof(stats)};
	const char *schema = r->store->options.schema;
	PGresult *found;
	args_key(read_args(r), (txw_str){schema, strlen(schema)});
	int32_t rc = read_ask(r, SQL_SIZE, &found, err);
	if (rc < 0)
		return rc;
	stats.bytes = column_int(found, 0, 0);
	PQclear(found);
	uint32_t size = out->size && out->size < sizeof(stats) ? out->size : sizeof(stats);
	memcpy(out, &stats, size);
	out->size = size;
	return TXW_OK;
}

int32_t read_ping(void *reader, txw_error *err)
{
	struct reader *r = reader;
	PGresult *found;
	read_args(r);
	int32_t rc = read_ask(r, SQL_PING, &found, err);
	PQclear(found);
	return rc;
}
