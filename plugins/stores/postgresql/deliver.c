/* deliver.c: targets, deliveries and attempts as rows. */
#include "store.h"

static void bind_target(struct args *a, const txw_target *row)
{
	args_int(a, row->disabled);
	args_text(a, row->reason);
	args_some(a, row->paused_until);
	args_some(a, row->failing_since);
	args_int(a, row->failures);
}

static int32_t insert_target(struct store *s, txw_target *row, txw_error *err)
{
	struct args *a = db_args(&s->db);
	PGresult *r;
	args_key(a, row->tenant);
	args_key(a, row->name);
	bind_target(a, row);
	s->has_written = true;
	int32_t rc = unit_ask(s, SQL_TARGET_INSERT, &r, err);
	if (rc == TXW_E_EXISTS)
		return db_say(&s->db, rc, err, "tenant %.*s has a target %.*s already",
			      (int)row->tenant.len, row->tenant.ptr, (int)row->name.len,
			      row->name.ptr);
	if (rc < 0)
		return rc;
	row->key = column_int(r, 0, 0);
	PQclear(r);
	return TXW_OK;
}

int32_t deliver_put_target(void *instance, txw_target *row, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = log_enter(s, err);
	if (rc < 0)
		return rc;
	if (!row->key)
		return insert_target(s, row, err);
	struct args *a = db_args(&s->db);
	args_int(a, row->key);
	bind_target(a, row);
	rc = unit_change(s, SQL_TARGET_UPDATE, err);
	if (rc != 0)
		return rc < 0 ? rc : TXW_OK;
	return unit_fail(s, db_say(&s->db, TXW_E_NOTFOUND, err, "there is no target with key %lld",
				   (long long)row->key));
}

int32_t deliver_put(void *instance, txw_delivery_row *const *rows, size_t n, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = unit_ready(s, err);
	for (size_t i = 0; rc == TXW_OK && i < n; i++) {
		rc = keys_next(s, &s->delivery_keys, SQL_DELIVERY_KEYS, &rows[i]->key, err);
		if (rc == TXW_OK && !list_add(&s->deliveries, arena_delivery(&s->arena, rows[i])))
			rc = unit_no_memory(s, err);
	}
	return rc;
}

/* Which one is not there? */
static int32_t fail_settle(struct store *s, const txw_delivery_row *const *rows, size_t n,
			   txw_error *err)
{
	return unit_fail(s, db_say(&s->db, TXW_E_NOTFOUND, err,
				   n == 1 ? "there is no delivery with key %lld"
					  : "one of the deliveries from key %lld on is not there",
				   (long long)rows[0]->key));
}

int32_t deliver_settle(void *instance, const txw_delivery_row *const *rows, size_t n,
		       const txw_attempt *const *attempts, size_t n_attempts, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = log_enter(s, err);
	if (rc < 0 || (rc = unit_flush(s, err)) < 0)
		return rc;
	/* First the attempts, unasked: a repeated one then fails with the rest. */
	if (n_attempts) {
		columns_bind(db_args(&s->db), ATTEMPT_COLUMNS, (const void *const *)attempts,
			     n_attempts);
		if ((rc = unit_write(s, SQL_ATTEMPT_INSERT, err)) < 0)
			return rc;
	}
	if (n == 0)
		return TXW_OK;
	columns_bind(db_args(&s->db), DELIVERY_COLUMNS, (const void *const *)rows, n);
	rc = unit_change(s, SQL_DELIVERY_SETTLE, err);
	if (rc == TXW_E_EXISTS)
		return db_say(&s->db, rc, err, "a delivery has that attempt already");
	if (rc < 0 || (size_t)rc == n)
		return rc < 0 ? rc : TXW_OK;
	return fail_settle(s, rows, n, err);
}
