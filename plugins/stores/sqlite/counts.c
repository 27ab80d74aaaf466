/* counts.c: the rollups: counts by kind, tenant, time, flow and key. */
#include "store.h"

static void bind_count(sqlite3_stmt *st, const txw_count *row)
{
	bind_key(st, 1, row->kind);
	bind_key(st, 2, row->tenant);
	bind_int(st, 3, row->bucket);
	bind_key(st, 4, row->flow);
	bind_key(st, 5, row->key);
}

static int32_t add_one(struct store *s, const txw_count *row, txw_error *err)
{
	sqlite3_stmt *st = db_stmt(&s->db, SQL_COUNT_ADD);
	if (row->count == 0)
		return TXW_OK;
	bind_count(st, row);
	bind_int(st, 6, row->count);
	int32_t rc = db_run(&s->db, st, "counting", err);
	if (rc < 0 || row->count > 0)
		return rc;
	st = db_stmt(&s->db, SQL_COUNT_DROP);
	bind_count(st, row);
	return db_run(&s->db, st, "counting", err);
}

int32_t counts_add(void *instance, const txw_count *const *rows, size_t n, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = unit_ready(s, err);
	for (size_t i = 0; rc == TXW_OK && i < n; i++)
		rc = add_one(s, rows[i], err);
	return rc;
}

int32_t counts_read(struct reader *r, const txw_count_query *q, txw_emit_count emit, void *ctx,
		    txw_error *err)
{
	int32_t rc;
	sqlite3_stmt *st = db_stmt(&r->db, q->tenant.len ? SQL_COUNT_LIST_TENANT : SQL_COUNT_LIST);
	bind_key(st, 1, q->kind);
	bind_key(st, 2, q->tenant);
	bind_key(st, 3, q->flow);
	bind_int(st, 4, q->from);
	bind_int(st, 5, q->to);
	while ((rc = db_step(&r->db, st, "reading counts", err)) > 0) {
		txw_count row = {
		    .size = sizeof(row),
		    .bucket = column_int(st, 0),
		    .tenant = column_text(st, 1),
		    .flow = column_text(st, 2),
		    .kind = column_text(st, 3),
		    .key = column_text(st, 4),
		    .count = column_int(st, 5),
		};
		if (emit(ctx, &row) != 0)
			break;
	}
	sqlite3_reset(st);
	return rc < 0 ? rc : TXW_OK;
}

int32_t counts_list(void *reader, const txw_count_query *q, txw_emit_count emit, void *ctx,
		    txw_error *err)
{
	struct reader *r = reader;
	int32_t rc = read_begin(r, err);
	if (rc < 0)
		return rc;
	rc = counts_read(r, q, emit, ctx, err);
	read_end(r);
	return rc;
}
