/* deliver.c: targets, deliveries and attempts as rows. */
#include "store.h"

int32_t deliver_put_target(void *instance, txw_target *row, txw_error *err)
{
	struct store *s = instance;
	bool is_new = row->key == 0;
	sqlite3_stmt *st = db_stmt(&s->db, is_new ? SQL_TARGET_INSERT : SQL_TARGET_UPDATE);
	int64_t tenant;
	int32_t rc;
	if ((rc = unit_ready(s, err)) < 0 ||
	    (rc = names_put(&s->names, &s->db, row->tenant, &tenant, err)) < 0)
		return rc;
	if (is_new) {
		bind_int(st, 1, tenant);
		bind_key(st, 2, row->name);
	} else {
		bind_int(st, 8, row->key);
	}
	bind_int(st, 3, row->disabled);
	bind_text(st, 4, row->reason);
	bind_some(st, 5, row->paused_until);
	bind_some(st, 6, row->failing_since);
	bind_int(st, 7, row->failures);
	rc = db_run(&s->db, st, "saving a target", err);
	if (rc == TXW_E_EXISTS)
		return db_say(&s->db, rc, err, "tenant %.*s has a target %.*s already",
			      (int)row->tenant.len, row->tenant.ptr, (int)row->name.len,
			      row->name.ptr);
	if (rc < 0)
		return rc;
	if (is_new)
		row->key = sqlite3_last_insert_rowid(s->db.handle);
	else if (sqlite3_changes(s->db.handle) == 0)
		return db_say(&s->db, TXW_E_NOTFOUND, err, "there is no target with key %lld",
			      (long long)row->key);
	return TXW_OK;
}

int32_t deliver_put(void *instance, txw_delivery_row *const *rows, size_t n, txw_error *err)
{
	struct store *s = instance;
	sqlite3_stmt *st = db_stmt(&s->db, SQL_DELIVERY_INSERT);
	int32_t rc = unit_ready(s, err);
	for (size_t i = 0; rc == TXW_OK && i < n; i++) {
		txw_delivery_row *row = rows[i];
		int64_t tenant;
		if ((rc = names_put(&s->names, &s->db, row->tenant, &tenant, err)) < 0)
			break;
		bind_int(st, 1, row->target);
		bind_int(st, 2, row->seq);
		bind_some(st, 3, row->tx);
		bind_some(st, 4, tenant);
		bind_int(st, 5, row->state);
		bind_int(st, 6, row->ordered);
		bind_int(st, 7, row->attempts);
		bind_some(st, 8, row->due_at);
		bind_int(st, 9, row->created_at);
		bind_some(st, 10, row->updated_at);
		bind_some(st, 11, row->status);
		bind_text(st, 12, row->reason);
		rc = db_run(&s->db, st, "saving a delivery", err);
		row->key = sqlite3_last_insert_rowid(s->db.handle);
	}
	return rc;
}

static int32_t settle_one(struct store *s, const txw_delivery_row *row, txw_error *err)
{
	sqlite3_stmt *st = db_stmt(&s->db, SQL_DELIVERY_SETTLE);
	bind_int(st, 1, row->state);
	bind_int(st, 2, row->attempts);
	bind_some(st, 3, row->due_at);
	bind_some(st, 4, row->updated_at);
	bind_some(st, 5, row->status);
	bind_text(st, 6, row->reason);
	bind_int(st, 7, row->key);
	int32_t rc = db_run(&s->db, st, "settling a delivery", err);
	if (rc == TXW_OK && sqlite3_changes(s->db.handle) == 0)
		rc = db_say(&s->db, TXW_E_NOTFOUND, err, "there is no delivery with key %lld",
			    (long long)row->key);
	return rc;
}

static int32_t record(struct store *s, const txw_attempt *a, txw_error *err)
{
	sqlite3_stmt *st = db_stmt(&s->db, SQL_ATTEMPT_INSERT);
	bind_int(st, 1, a->delivery);
	bind_int(st, 2, a->n);
	bind_int(st, 3, a->at);
	bind_int(st, 4, a->verdict);
	bind_some(st, 5, a->status);
	bind_some(st, 6, a->took);
	bind_some(st, 7, a->connect_took);
	bind_some(st, 8, a->tls_took);
	bind_some(st, 9, a->first_byte_took);
	bind_text(st, 10, a->peer);
	bind_text(st, 11, a->reason);
	bind_text(st, 12, a->response);
	int32_t rc = db_run(&s->db, st, "recording an attempt", err);
	if (rc == TXW_E_EXISTS)
		return db_say(&s->db, rc, err, "delivery %lld has an attempt %u already",
			      (long long)a->delivery, a->n);
	return rc;
}

int32_t deliver_settle(void *instance, const txw_delivery_row *const *rows, size_t n,
		       const txw_attempt *const *attempts, size_t n_attempts, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = unit_ready(s, err);
	for (size_t i = 0; rc == TXW_OK && i < n; i++)
		rc = settle_one(s, rows[i], err);
	for (size_t i = 0; rc == TXW_OK && i < n_attempts; i++)
		rc = record(s, attempts[i], err);
	return rc;
}
