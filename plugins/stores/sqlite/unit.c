/*
 * unit.c: begin, commit, rollback; transactions in and out.
 *
 *   CLOSED -> OPEN    unit_begin()     takes the write lock
 *   OPEN   -> CLOSED  unit_commit()    durable when it returns 0
 *   OPEN   -> CLOSED  unit_rollback()  nothing happened
 *   OPEN   -> BROKEN  SQLite undid the transaction by itself (no space, I/O
 *                     error): every writer call fails until rollback
 *
 * What a unit has loaded is remembered for its end, so that a save that leaves
 * the indexed columns alone is an UPDATE that no index sees.
 */
#include <stdlib.h>
#include <string.h>

#include "store.h"

int32_t unit_ready(struct store *s, txw_error *err)
{
	if (s->is_in_unit && !sqlite3_get_autocommit(s->db.handle))
		return TXW_OK;
	return db_say(&s->db, TXW_E_INVALID, err,
		      s->is_in_unit ? "%s: this unit failed before: roll it back"
				    : "%s: there is no unit: begin one",
		      s->path);
}

int32_t unit_begin(void *instance, txw_error *err)
{
	struct store *s = instance;
	if (s->is_in_unit)
		return db_say(&s->db, TXW_E_INVALID, err, "%s: a unit is open already", s->path);
	checkpoint_enter(s->checkpointer);
	int32_t rc = db_run(&s->db, db_stmt(&s->db, SQL_BEGIN), "beginning a unit", err);
	if (rc < 0) {
		checkpoint_leave(s->checkpointer, 0);
		return rc;
	}
	s->is_in_unit = true;
	s->unit++;
	return TXW_OK;
}

static void leave(struct store *s)
{
	s->is_in_unit = false;
	arena_reset(&s->arena);
	checkpoint_leave(s->checkpointer, s->wal_pages);
}

int32_t unit_commit(void *instance, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = unit_ready(s, err);
	if (rc < 0)
		return rc;
	rc = db_run(&s->db, db_stmt(&s->db, SQL_COMMIT), "committing", err);
	if (rc < 0)
		return rc; /* still open: the host rolls back */
	s->committed_seq = s->last_seq;
	s->committed_at = s->last_at;
	names_commit(&s->names);
	shapes_commit(&s->shapes);
	leave(s);
	return TXW_OK;
}

void unit_rollback(void *instance)
{
	struct store *s = instance;
	if (!s->is_in_unit)
		return;
	if (!sqlite3_get_autocommit(s->db.handle))
		db_run(&s->db, db_stmt(&s->db, SQL_ROLLBACK), "rolling back", NULL);
	s->last_seq = s->committed_seq;
	s->last_at = s->committed_at;
	names_rollback(&s->names);
	shapes_rollback(&s->shapes);
	leave(s);
}

/* ---- what this unit has loaded ---- */

static struct loaded *slot(struct store *s, int64_t key)
{
	uint64_t h = (uint64_t)key * UINT64_C(0x9e3779b97f4a7c15);
	return &s->loaded[h >> (64 - STORE_LOADED_BITS)];
}

static bool str_same(txw_str a, txw_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Do the indexes see no difference? Forgets the old row if they do. */
static bool is_plain(struct store *s, const txw_tx *row)
{
	struct loaded *l = slot(s, row->key);
	if (l->unit != s->unit || l->row->key != row->key)
		return false;
	if (l->row->finished_at == row->finished_at && l->row->due_at == row->due_at &&
	    (row->finished_at == 0 || str_same(l->row->status, row->status)) &&
	    str_same(l->row->owner, row->owner))
		return true;
	l->unit = 0;
	return false;
}

void unit_forget(struct store *s, int64_t key)
{
	slot(s, key)->unit = 0;
}

int32_t unit_load(void *instance, const txw_tx_name *names, size_t stride, size_t n,
		  const txw_tx **out, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = unit_ready(s, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		const txw_tx_name *name = (const txw_tx_name *)((const char *)names + i * stride);
		struct id_bytes id;
		sqlite3_stmt *st;
		txw_tx row;
		out[i] = NULL;
		rc = read_find(&s->db, &s->names, name, &st, &id, err);
		if (rc < 0)
			return rc;
		if (!rc)
			continue;
		columns_tx(st, 0, &s->names, &s->db, &row);
		out[i] = arena_tx(&s->arena, &row);
		sqlite3_reset(st);
		if (!out[i])
			return db_say(&s->db, TXW_E_NOMEM, err, "no memory for a transaction");
		*slot(s, row.key) = (struct loaded){s->unit, out[i]};
	}
	return TXW_OK;
}

/* Says which of the names is taken. */
static int32_t fail_save(struct store *s, const txw_tx *row, int32_t rc, bool by_id, txw_error *err)
{
	if (rc != TXW_E_EXISTS)
		return rc;
	if (by_id)
		return db_say(&s->db, rc, err,
			      "a transaction with this id exists already (ref %.*s)",
			      (int)row->ref.len, row->ref.ptr);
	return db_say(&s->db, rc, err,
		      "tenant %.*s has a transaction with flow %.*s and ref %.*s already",
		      (int)row->tenant.len, row->tenant.ptr, (int)row->flow.len, row->flow.ptr,
		      (int)row->ref.len, row->ref.ptr);
}

static int32_t note_shape(struct store *s, const txw_tx *row, txw_error *err)
{
	struct shape shape = {
	    .tenant = names_find(&s->names, row->tenant),
	    .flow = names_find(&s->names, row->flow),
	    .status = names_find(&s->names, row->status),
	    .outcome = row->outcome,
	    .is_finished = row->finished_at != 0,
	};
	return shapes_note(&s->shapes, &s->db, &shape, err);
}

static int32_t insert(struct store *s, txw_tx *row, txw_error *err)
{
	sqlite3_stmt *st = db_stmt(&s->db, SQL_TX_INSERT);
	struct id_bytes id;
	int64_t tenant, flow;
	int32_t rc;
	if ((rc = columns_bind_tx(s, st, row, false, err)) < 0 ||
	    (rc = names_put(&s->names, &s->db, row->tenant, &tenant, err)) < 0 ||
	    (rc = names_put(&s->names, &s->db, row->flow, &flow, err)) < 0)
		return rc;
	id_pack(&id, row->id);
	sqlite3_bind_blob(st, 24, id.at, sizeof(id.at), SQLITE_STATIC);
	/* 0, not NULL: NULLs would never be equal in the unique index. */
	bind_int(st, 25, tenant);
	bind_int(st, 26, flow);
	bind_key(st, 27, row->ref);
	bind_int(st, 28, row->created_at);
	rc = db_run(&s->db, st, "saving a transaction", err);
	if (rc < 0)
		return fail_save(s, row, rc, strstr(sqlite3_errmsg(s->db.handle), "tx.id") != NULL,
				 err);
	row->key = sqlite3_last_insert_rowid(s->db.handle);
	return note_shape(s, row, err);
}

static int32_t update(struct store *s, const txw_tx *row, txw_error *err)
{
	bool plain = is_plain(s, row);
	sqlite3_stmt *st = db_stmt(&s->db, plain ? SQL_TX_UPDATE_PLAIN : SQL_TX_UPDATE);
	int32_t rc = columns_bind_tx(s, st, row, plain, err);
	if (rc < 0)
		return rc;
	bind_int(st, 24, row->key);
	rc = db_run(&s->db, st, "saving a transaction", err);
	if (rc == TXW_OK && sqlite3_changes(s->db.handle) == 0)
		rc = db_say(&s->db, TXW_E_NOTFOUND, err, "there is no transaction with key %lld",
			    (long long)row->key);
	return rc < 0 ? rc : note_shape(s, row, err);
}

int32_t unit_save(void *instance, txw_tx *const *rows, size_t n, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = unit_ready(s, err);
	for (size_t i = 0; rc == TXW_OK && i < n; i++)
		rc = rows[i]->key ? update(s, rows[i], err) : insert(s, rows[i], err);
	return rc;
}
