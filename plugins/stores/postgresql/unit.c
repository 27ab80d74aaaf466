/*
 * unit.c: a unit of work, from its begin to what it writes at its end.
 *
 *   CLOSED -> OPEN    unit_begin()     nothing is sent yet
 *   OPEN   -> BEGUN   unit_ready()     BEGIN goes with the first statement
 *   BEGUN  -> CLOSED  unit_commit()    durable when it returns 0; commit.c
 *   any    -> CLOSED  unit_rollback()  nothing happened
 *   any    -> BROKEN  an error: every call fails until the rollback
 */
#include <stdlib.h>
#include <string.h>

#include "store.h"

bool list_add(struct list *l, const void *row)
{
	if (!row)
		return false;
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		const void **grown = realloc(l->at, cap * sizeof(*grown));
		if (!grown)
			return false;
		l->at = grown;
		l->cap = cap;
	}
	l->at[l->n++] = row;
	return true;
}

int32_t unit_fail(struct store *s, int32_t rc)
{
	s->is_broken = true;
	return rc;
}

int32_t unit_no_memory(struct store *s, txw_error *err)
{
	return unit_fail(s, db_say(&s->db, TXW_E_NOMEM, err, "no memory for a unit"));
}

int32_t unit_ready(struct store *s, txw_error *err)
{
	if (!s->is_in_unit || s->is_broken)
		return db_say(&s->db, TXW_E_INVALID, err, "%s: %s", s->db.location,
			      s->is_in_unit ? "this unit failed before: roll it back"
					    : "there is no unit: begin one");
	if (s->is_begun)
		return TXW_OK;
	int32_t rc = db_send_plain(&s->db, SQL_BEGIN, err);
	if (rc < 0)
		return unit_fail(s, rc);
	s->is_begun = true;
	return TXW_OK;
}

int32_t unit_write(struct store *s, enum sql_id id, txw_error *err)
{
	s->has_written = true;
	int32_t rc = db_send(&s->db, id, err);
	return rc < 0 ? unit_fail(s, rc) : TXW_OK;
}

int32_t unit_ask(struct store *s, enum sql_id id, PGresult **out, txw_error *err)
{
	int32_t rc = db_ask(&s->db, id, out, err);
	return rc < 0 ? unit_fail(s, rc) : TXW_OK;
}

int32_t unit_change(struct store *s, enum sql_id id, txw_error *err)
{
	PGresult *r;
	s->has_written = true;
	int32_t rc = unit_ask(s, id, &r, err);
	int64_t n = rc < 0 ? rc : db_changed(r);
	PQclear(r);
	return (int32_t)n;
}

int32_t unit_begin(void *instance, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = TXW_OK;
	if (s->is_in_unit)
		return db_say(&s->db, TXW_E_INVALID, err, "%s: a unit is open already",
			      s->db.location);
	if (s->unresolved && (rc = commit_resolve(s, err)) < 0)
		return rc;
	if (!db_is_ready(&s->db)) {
		rc = db_connect(&s->db, err);
		if (rc < 0)
			return rc;
		store_log(s, TXW_LOG_INFO, "%s: connected again", s->db.location);
	}
	s->is_in_unit = true;
	s->n_unit++;
	return TXW_OK;
}

static int32_t flush_list(struct store *s, struct list *l, const struct column *c, enum sql_id id,
			  txw_error *err)
{
	if (!l->n)
		return TXW_OK;
	columns_bind(db_args(&s->db), c, l->at, l->n);
	int32_t rc = unit_write(s, id, err);
	if (id == SQL_COUNT_ADD && rc == TXW_OK) /* what came to nothing goes */
		rc = unit_write(s, SQL_COUNT_DROP, err);
	l->n = 0;
	return rc;
}

int32_t unit_flush(struct store *s, txw_error *err)
{
	int32_t rc;
	if ((rc = tx_flush(s, err)) < 0 || (rc = log_flush(s, err)) < 0 ||
	    (rc = flush_list(s, &s->deliveries, DELIVERY_COLUMNS, SQL_DELIVERY_INSERT, err)) < 0 ||
	    (rc = flush_list(s, &s->attempts, ATTEMPT_COLUMNS, SQL_ATTEMPT_INSERT, err)) < 0)
		return rc;
	return flush_list(s, &s->counts, COUNT_COLUMNS, SQL_COUNT_ADD, err);
}

void unit_leave(struct store *s)
{
	struct list *lists[] = {&s->events, &s->deliveries, &s->attempts, &s->counts, &s->unseen};
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		lists[i]->n = 0;
	rows_reset(&s->rows);
	arena_reset(&s->arena);
	s->is_in_unit = s->is_begun = s->has_section = s->is_broken = s->has_written = false;
}

void unit_rollback(void *instance)
{
	struct store *s = instance;
	if (!s->is_in_unit)
		return;
	if (s->is_begun && db_is_ready(&s->db)) {
		/* After a failure the server skips all up to the next sync. */
		db_sync(&s->db, NULL, 0, NULL);
		/* On a new connection there is nothing to undo. */
		if (PQtransactionStatus(s->db.conn) != PQTRANS_IDLE &&
		    db_send_plain(&s->db, SQL_ROLLBACK, NULL) == TXW_OK)
			db_sync(&s->db, NULL, 0, NULL);
	}
	s->last_seq = s->committed_seq;
	s->last_at = s->committed_at;
	s->n_spans = s->committed_spans;
	unit_leave(s);
}

/* ---- numbers ---- */

void keys_fill(struct keys *k, const PGresult *r)
{
	/* What is left comes first. */
	memmove(k->list, k->list + k->at, (k->n - k->at) * sizeof(k->list[0]));
	k->n -= k->at;
	k->at = 0;
	for (int i = 0; i < PQntuples(r) && k->n < KEYS_BLOCK; i++)
		k->list[k->n++] = column_int(r, i, 0);
}

int32_t keys_next(struct store *s, struct keys *k, enum sql_id id, int64_t *out, txw_error *err)
{
	if (k->at == k->n) {
		PGresult *r;
		args_int(db_args(&s->db), KEYS_BLOCK);
		int32_t rc = unit_ask(s, id, &r, err);
		if (rc < 0)
			return rc;
		keys_fill(k, r);
		PQclear(r);
	}
	*out = k->list[k->at++];
	return TXW_OK;
}
