/*
 * tx.c: transactions in and out of a unit.
 *
 * Every load is in the log's section, so that what a unit decides on stands
 * still until it commits. Keys are given when a row is saved, from numbers
 * taken in blocks; the rows are written when the unit ends or reads by
 * anything but a name.
 */
#include <stdlib.h>
#include <string.h>

#include "store.h"

/* Copies the result's rows into the unit, but those it has already: they may
 * have been saved in it. */
static int32_t take(struct store *s, const PGresult *r, const txw_tx **out, txw_error *err)
{
	for (int i = 0; i < PQntuples(r); i++) {
		txw_tx tx = {.size = sizeof(tx)};
		columns_read(r, i, 0, TX_COLUMNS, &tx);
		struct row *row = rows_by_key(&s->rows, tx.key);
		if (!row) {
			const txw_tx *copy = arena_tx(&s->arena, &tx);
			row = copy ? rows_add(&s->rows, copy) : NULL;
		}
		if (!row)
			return unit_no_memory(s, err);
		if (out)
			out[i] = row->tx;
	}
	return TXW_OK;
}

static const txw_tx_name *name_at(const txw_tx_name *names, size_t stride, size_t i)
{
	return (const txw_tx_name *)((const char *)names + i * stride);
}

static int way_of(const txw_tx_name *n)
{
	return n->id.hi || n->id.lo ? ROWS_BY_ID : n->key ? ROWS_BY_KEY : ROWS_BY_REF;
}

/* The parameters of the statement for those of one way. */
static void bind_names(struct args *a, int way, const txw_tx_name *const *list, size_t n)
{
	args_array(a, way == ROWS_BY_ID ? ARGS_ID : way == ROWS_BY_KEY ? ARGS_INT : ARGS_TEXT, n);
	for (size_t i = 0; i < n; i++) {
		if (way == ROWS_BY_ID)
			args_item_id(a, list[i]->id);
		else if (way == ROWS_BY_KEY)
			args_item_int(a, list[i]->key);
		else
			args_item_text(a, list[i]->tenant, true);
	}
	args_array_end(a);
	for (int part = 0; way == ROWS_BY_REF && part < 2; part++) {
		args_array(a, ARGS_TEXT, n);
		for (size_t i = 0; i < n; i++)
			args_item_text(a, part ? list[i]->ref : list[i]->flow, true);
		args_array_end(a);
	}
}

static int32_t fetch(struct store *s, int way, const txw_tx_name *const *list, size_t n,
		     txw_error *err)
{
	static const enum sql_id BY[] = {[ROWS_BY_KEY] = SQL_TX_BY_KEY,
					 [ROWS_BY_ID] = SQL_TX_BY_ID,
					 [ROWS_BY_REF] = SQL_TX_BY_REF};
	PGresult *r;
	if (!n)
		return TXW_OK;
	bind_names(db_args(&s->db), way, list, n);
	int32_t rc = unit_ask(s, BY[way], &r, err);
	if (rc < 0)
		return rc;
	rc = take(s, r, NULL, err);
	PQclear(r);
	return rc;
}

/* Notes that there is no such reference, so that saving it needs no look. */
static int32_t note_absent(struct store *s, const txw_tx_name *name, txw_error *err)
{
	txw_tx tx = {
	    .size = sizeof(tx), .tenant = name->tenant, .flow = name->flow, .ref = name->ref};
	const txw_tx *copy = arena_tx(&s->arena, &tx);
	return copy && rows_add_absent(&s->rows, copy) ? TXW_OK : unit_no_memory(s, err);
}

int32_t tx_load(void *instance, const txw_tx_name *names, size_t stride, size_t n,
		const txw_tx **out, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = log_enter(s, err);
	if (rc < 0 || n == 0)
		return rc;
	const txw_tx_name **list = arena_get(&s->arena, n * sizeof(*list));
	if (!list)
		return unit_no_memory(s, err);
	for (int way = 0; way < ROWS_WAYS; way++) {
		size_t m = 0;
		for (size_t i = 0; i < n; i++) {
			const txw_tx_name *name = name_at(names, stride, i);
			if (way_of(name) == way && !rows_find(&s->rows, name))
				list[m++] = name;
		}
		if ((rc = fetch(s, way, list, m, err)) < 0)
			return rc;
	}
	for (size_t i = 0; i < n; i++) {
		const txw_tx_name *name = name_at(names, stride, i);
		const struct row *row = rows_find(&s->rows, name);
		out[i] = row && !row->is_absent ? row->tx : NULL;
		if (!row && way_of(name) == ROWS_BY_REF && (rc = note_absent(s, name, err)) < 0)
			return rc;
	}
	return TXW_OK;
}

/* What a load has brought, or not found, is not asked for again. */
int32_t tx_prefetch(void *instance, const txw_tx_name *names, size_t stride, size_t n,
		    txw_error *err)
{
	struct store *s = instance;
	const txw_tx **rows = arena_get(&s->arena, (n + 1) * sizeof(*rows));
	return rows ? tx_load(s, names, stride, n, rows, err) : unit_no_memory(s, err);
}

/* ---- save ---- */

static int32_t taken(struct store *s, const txw_tx *row, bool by_id, txw_error *err)
{
	if (by_id)
		return unit_fail(s, db_say(&s->db, TXW_E_EXISTS, err,
					   "a transaction with this id exists already (ref %.*s)",
					   (int)row->ref.len, row->ref.ptr));
	return unit_fail(s,
			 db_say(&s->db, TXW_E_EXISTS, err,
				"tenant %.*s has a transaction with flow %.*s and ref %.*s already",
				(int)row->tenant.len, row->tenant.ptr, (int)row->flow.len,
				row->flow.ptr, (int)row->ref.len, row->ref.ptr));
}

/* Is its reference free? Its id the host has made itself; where nobody looked
 * for the reference before, both are looked for. */
static int32_t check_free(struct store *s, const txw_tx *row, txw_error *err)
{
	txw_tx_name names[2] = {
	    {.size = sizeof(names[0]), .tenant = row->tenant, .flow = row->flow, .ref = row->ref},
	    {.size = sizeof(names[0]), .id = row->id},
	};
	const struct row *seen = rows_find(&s->rows, &names[0]);
	const txw_tx *have[2] = {NULL, NULL};
	if (seen && !seen->is_absent)
		return taken(s, row, false, err);
	if (seen)
		return rows_find(&s->rows, &names[1]) ? taken(s, row, true, err) : TXW_OK;
	int32_t rc = tx_load(s, names, sizeof(names[0]), 2, have, err);
	if (rc < 0)
		return rc;
	return have[0] || have[1] ? taken(s, row, !have[0], err) : TXW_OK;
}

static int32_t insert(struct store *s, txw_tx *row, txw_error *err)
{
	int32_t rc = check_free(s, row, err);
	if (rc < 0 || (rc = keys_next(s, &s->tx_keys, SQL_TX_KEYS, &row->key, err)) < 0)
		return rc;
	const txw_tx *copy = arena_tx(&s->arena, row);
	struct row *at = copy ? rows_add(&s->rows, copy) : NULL;
	if (!at)
		return unit_no_memory(s, err);
	at->is_dirty = at->is_new = true;
	return TXW_OK;
}

static int32_t update(struct store *s, const txw_tx *row, txw_error *err)
{
	txw_tx_name name = {.size = sizeof(name), .key = row->key};
	const txw_tx *have;
	int32_t rc = tx_load(s, &name, sizeof(name), 1, &have, err);
	if (rc < 0)
		return rc;
	if (!have)
		return unit_fail(s, db_say(&s->db, TXW_E_NOTFOUND, err,
					   "there is no transaction with key %lld",
					   (long long)row->key));
	txw_tx *copy = arena_tx(&s->arena, row);
	if (!copy)
		return unit_no_memory(s, err);
	/* What a save does not change, and the maps go by. */
	copy->id = have->id;
	copy->tenant = have->tenant;
	copy->flow = have->flow;
	copy->ref = have->ref;
	copy->created_at = have->created_at;
	struct row *at = rows_by_key(&s->rows, row->key);
	at->tx = copy;
	at->is_dirty = true;
	return TXW_OK;
}

int32_t tx_save(void *instance, txw_tx *const *rows, size_t n, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = log_enter(s, err);
	for (size_t i = 0; rc == TXW_OK && i < n; i++)
		rc = rows[i]->key ? update(s, rows[i], err) : insert(s, rows[i], err);
	return rc;
}

static int32_t flush_some(struct store *s, bool is_new, const void **list, enum sql_id id,
			  txw_error *err)
{
	size_t n = 0;
	for (size_t i = 0; i < s->rows.n; i++)
		if (s->rows.list[i].is_dirty && s->rows.list[i].is_new == is_new)
			list[n++] = s->rows.list[i].tx;
	if (!n)
		return TXW_OK;
	columns_bind(db_args(&s->db), TX_COLUMNS, list, n);
	return unit_write(s, id, err);
}

int32_t tx_flush(struct store *s, txw_error *err)
{
	bool any = false;
	for (size_t i = 0; i < s->rows.n && !any; i++)
		any = s->rows.list[i].is_dirty;
	if (!any)
		return TXW_OK;
	const void **list = arena_get(&s->arena, s->rows.n * sizeof(*list));
	if (!list)
		return unit_no_memory(s, err);
	int32_t rc = flush_some(s, true, list, SQL_TX_INSERT, err);
	if (rc == TXW_OK)
		rc = flush_some(s, false, list, SQL_TX_UPDATE, err);
	for (size_t i = 0; i < s->rows.n; i++)
		s->rows.list[i].is_dirty = s->rows.list[i].is_new = false;
	return rc;
}

/* ---- what watch has to look at ---- */

int32_t tx_due(void *instance, txw_time now, uint32_t limit, txw_emit_tx emit, void *ctx,
	       txw_error *err)
{
	struct store *s = instance;
	PGresult *r;
	int32_t rc = log_enter(s, err);
	if (rc < 0 || limit == 0 || (rc = unit_flush(s, err)) < 0)
		return rc;
	struct args *a = db_args(&s->db);
	args_int(a, now);
	args_int(a, limit);
	if ((rc = unit_ask(s, SQL_TX_DUE, &r, err)) < 0)
		return rc;
	size_t n = (size_t)PQntuples(r);
	const txw_tx **rows = arena_get(&s->arena, (n + 1) * sizeof(*rows));
	rc = rows ? take(s, r, rows, err) : unit_no_memory(s, err);
	PQclear(r);
	for (size_t i = 0; rc == TXW_OK && i < n; i++)
		if (emit(ctx, rows[i]) != 0)
			break;
	return rc;
}

int32_t tx_reschedule(void *instance, const txw_tx *const *rows, size_t n, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = log_enter(s, err);
	for (size_t i = 0; rc == TXW_OK && i < n; i++) {
		txw_tx_name name = {.size = sizeof(name), .key = rows[i]->key};
		const txw_tx *have;
		rc = tx_load(s, &name, sizeof(name), 1, &have, err);
		if (rc < 0 || !have)
			continue; /* one that is gone has no time to keep */
		txw_tx *copy = arena_tx(&s->arena, have);
		if (!copy)
			return unit_no_memory(s, err);
		copy->due_at = rows[i]->due_at;
		copy->next_poll_at = rows[i]->next_poll_at;
		copy->polls = rows[i]->polls;
		copy->poll_failures = rows[i]->poll_failures;
		struct row *at = rows_by_key(&s->rows, copy->key);
		at->tx = copy;
		at->is_dirty = true;
	}
	return rc;
}

int32_t tx_next_due(void *instance, txw_time *out, txw_error *err)
{
	struct store *s = instance;
	PGresult *r;
	*out = 0;
	int32_t rc = unit_ready(s, err);
	if (rc < 0 || (rc = unit_flush(s, err)) < 0)
		return rc;
	db_args(&s->db);
	if ((rc = unit_ask(s, SQL_TX_NEXT_DUE, &r, err)) < 0)
		return rc;
	if (PQntuples(r))
		*out = column_int(r, 0, 0);
	PQclear(r);
	return TXW_OK;
}
