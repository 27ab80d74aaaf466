/* due.c: what watch has to look at. */
#include "store.h"

int32_t due_claim(void *instance, txw_time now, uint32_t limit, txw_emit_tx emit, void *ctx,
		  txw_error *err)
{
	struct store *s = instance;
	sqlite3_stmt *st = db_stmt(&s->db, SQL_TX_DUE);
	const txw_tx **rows = NULL;
	size_t n = 0;
	int32_t rc = unit_ready(s, err);
	if (rc < 0 || limit == 0)
		return rc;
	/* Collected first: emit may write, and so move what is being read. */
	bind_int(st, 1, now);
	bind_int(st, 2, limit);
	rows = arena_get(&s->arena, limit * sizeof(*rows));
	while (rows && n < limit && (rc = db_step(&s->db, st, "reading what is due", err)) > 0) {
		txw_tx row;
		columns_tx(st, 0, &s->names, &s->db, &row);
		rows[n] = arena_tx(&s->arena, &row);
		if (!rows[n++])
			rows = NULL;
	}
	sqlite3_reset(st);
	if (!rows)
		return db_say(&s->db, TXW_E_NOMEM, err, "no memory for what is due");
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		if (emit(ctx, rows[i]) != 0)
			break;
	return TXW_OK;
}

int32_t due_reschedule(void *instance, const txw_tx *const *rows, size_t n, txw_error *err)
{
	struct store *s = instance;
	sqlite3_stmt *st = db_stmt(&s->db, SQL_TX_RESCHEDULE);
	int32_t rc = unit_ready(s, err);
	for (size_t i = 0; rc == TXW_OK && i < n; i++) {
		bind_some(st, 1, rows[i]->due_at);
		bind_some(st, 2, rows[i]->next_poll_at);
		bind_int(st, 3, rows[i]->polls);
		bind_int(st, 4, rows[i]->poll_failures);
		bind_int(st, 5, rows[i]->key);
		rc = db_run(&s->db, st, "rescheduling a transaction", err);
		unit_forget(s, rows[i]->key);
	}
	return rc;
}

int32_t due_next(void *instance, txw_time *out, txw_error *err)
{
	struct store *s = instance;
	sqlite3_stmt *st = db_stmt(&s->db, SQL_TX_NEXT_DUE);
	*out = 0;
	int32_t rc = db_step(&s->db, st, "reading what is due next", err);
	if (rc > 0)
		*out = column_int(st, 0);
	sqlite3_reset(st);
	return rc < 0 ? rc : TXW_OK;
}
