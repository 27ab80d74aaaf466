/* purge.c: finished transactions go, with all that hangs on them. */
#include <string.h>

#include "store.h"

static void bind_keys(struct args *a, const PGresult *picked)
{
	int n = PQntuples(picked);
	args_array(a, ARGS_INT, (size_t)n);
	for (int i = 0; i < n; i++)
		args_item_int(a, column_int(picked, i, 0));
	args_array_end(a);
}

/* The newest event of the log always stays, and so its transaction. */
static int32_t pick(struct store *s, const txw_purge *what, PGresult **out, txw_error *err)
{
	struct args *a = db_args(&s->db);
	args_key(a, what->tenant);
	args_key(a, what->flow);
	args_int(a, what->outcome);
	args_int(a, what->finished_before);
	args_int(a, what->limit);
	args_int(a, s->last_seq);
	args_int(a, what->from);
	args_int(a, what->after);
	args_int(a, what->max_seq);
	return unit_ask(s, SQL_PURGE_PICK, out, err);
}

static int32_t remove_all(struct store *s, const PGresult *picked, txw_purged *out, txw_error *err)
{
	static const enum sql_id WRITES[] = {SQL_PURGE_DIGEST, SQL_PURGE_ATTEMPT,
					     SQL_PURGE_DELIVERY, SQL_PURGE_MESSAGE};
	static const enum sql_id ASKS[] = {SQL_PURGE_NEWEST, SQL_PURGE_EVENT, SQL_PURGE_TX};
	PGresult *r[3];
	int32_t rc;
	for (size_t i = 0; i < sizeof(WRITES) / sizeof(WRITES[0]); i++) {
		bind_keys(db_args(&s->db), picked);
		if ((rc = unit_write(s, WRITES[i], err)) < 0)
			return rc;
	}
	for (size_t i = 0; i < 3; i++) {
		bind_keys(db_args(&s->db), picked);
		if ((rc = unit_write(s, ASKS[i], err)) < 0)
			return rc;
	}
	if ((rc = db_sync(&s->db, r, 3, err)) < 0)
		return unit_fail(s, rc);
	out->last_seq = column_int(r[0], 0, 0);
	out->events = db_changed(r[1]);
	out->transactions = db_changed(r[2]);
	for (size_t i = 0; i < 3; i++)
		PQclear(r[i]);
	return TXW_OK;
}

/* Tells what goes, and where it ended. */
static void tell(const PGresult *picked, const txw_purge *what, txw_purged *out)
{
	int n = PQntuples(picked);
	for (int i = 0; i < n; i++) {
		txw_tx row = {.size = sizeof(row)};
		columns_read(picked, i, 0, TX_COLUMNS, &row);
		out->reached = row.finished_at;
		out->reached_key = row.key;
		if (what->gone)
			what->gone(what->ctx, &row);
	}
	out->transactions = n;
	out->more = n > 0 && (uint32_t)n == what->limit;
}

int32_t purge(void *instance, const txw_purge *what, txw_purged *out, txw_error *err)
{
	struct store *s = instance;
	txw_purged done = {.size = sizeof(done)};
	PGresult *picked;
	int32_t rc = log_enter(s, err);
	if (rc < 0 || (rc = unit_flush(s, err)) < 0 || (rc = pick(s, what, &picked, err)) < 0)
		return rc;
	tell(picked, what, &done);
	if (PQntuples(picked) && !what->dry_run)
		rc = remove_all(s, picked, &done, err);
	PQclear(picked);
	if (rc == TXW_OK && !done.more && !what->dry_run)
		rc = log_drop_empty(s, err);
	/* What the unit had seen of them is void. */
	rows_reset(&s->rows);
	uint32_t size = out->size && out->size < sizeof(done) ? out->size : sizeof(done);
	memcpy(out, &done, size);
	out->size = size;
	return rc;
}
