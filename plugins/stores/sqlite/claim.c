/*
 * claim.c: which deliveries are due, and which wait for another.
 *
 * A claim makes a delivery SENDING, due at the end of its lease, in the
 * claiming unit: were it never settled, it would come again by itself. The
 * row that is handed out tells when it was due.
 */
#include "store.h"

static int32_t no_memory(struct store *s, txw_error *err)
{
	return db_say(&s->db, TXW_E_NOMEM, err, "no memory for deliveries");
}

/* 1 and *out, 0 if there is none. */
static int32_t find_target(struct store *s, int64_t key, const txw_target **out, txw_error *err)
{
	sqlite3_stmt *st = db_stmt(&s->db, SQL_TARGET_BY_KEY);
	txw_target row;
	bind_int(st, 1, key);
	int32_t rc = db_step(&s->db, st, "reading a target", err);
	if (rc <= 0)
		return rc;
	columns_target(st, &s->names, &s->db, &row);
	*out = arena_target(&s->arena, &row);
	sqlite3_reset(st);
	return *out ? 1 : no_memory(s, err);
}

/* With its event, straight from the row: whoever needs it longer copies it.
 * 1 to stop. */
static int32_t hand_out(struct store *s, const txw_delivery_row *row, const txw_target *target,
			txw_emit_delivery emit, void *ctx, txw_error *err)
{
	sqlite3_stmt *st = db_stmt(&s->db, SQL_EVENT_BY_SEQ);
	txw_event event;
	txw_tx tx;
	bind_int(st, 1, row->seq);
	int32_t rc = db_step(&s->db, st, "reading an event", err);
	if (rc == 0)
		return db_say(&s->db, TXW_E_CORRUPT, err,
			      "%s: event %lld is missing, which a delivery needs; restore a backup",
			      s->path, (long long)row->seq);
	if (rc < 0)
		return rc;
	columns_event(st, &s->names, &s->db, s->site, &event, &tx);
	rc = emit(ctx, row, target, &event) != 0;
	sqlite3_reset(st);
	return rc;
}

/* How many, or an error. */
static int32_t collect(struct store *s, int64_t target, txw_time now, uint32_t limit,
		       const txw_delivery_row **out, txw_error *err)
{
	sqlite3_stmt *st = db_stmt(&s->db, SQL_DELIVERY_CLAIM);
	uint32_t n = 0;
	int32_t rc = 0;
	bind_int(st, 1, target);
	bind_int(st, 2, now);
	bind_int(st, 3, limit);
	while (n < limit && (rc = db_step(&s->db, st, "reading due deliveries", err)) > 0) {
		txw_delivery_row row;
		columns_delivery(st, &s->names, &s->db, &row);
		out[n] = arena_delivery(&s->arena, &row);
		if (!out[n]) {
			rc = no_memory(s, err);
			break;
		}
		n++;
	}
	sqlite3_reset(st);
	return rc < 0 ? rc : (int32_t)n;
}

/* Rows that were added together are mostly due together: of keys in a row one
 * statement leases all. */
static int32_t lease(struct store *s, const txw_delivery_row **rows, int32_t n, txw_time until,
		     txw_error *err)
{
	sqlite3_stmt *st = db_stmt(&s->db, SQL_DELIVERY_LEASE);
	int32_t rc = TXW_OK;
	for (int32_t i = 0, end; rc == TXW_OK && i < n; i = end) {
		for (end = i + 1; end < n && rows[end]->key == rows[end - 1]->key + 1;)
			end++;
		bind_some(st, 1, until);
		bind_int(st, 2, rows[i]->key);
		bind_int(st, 3, rows[end - 1]->key);
		rc = db_run(&s->db, st, "claiming deliveries", err);
	}
	return rc;
}

int32_t claim_deliveries(void *instance, int64_t target, txw_time now, txw_time lease_until,
			 uint32_t limit, txw_emit_delivery emit, void *ctx, txw_error *err)
{
	struct store *s = instance;
	const txw_target *to = NULL;
	int32_t rc = unit_ready(s, err);
	if (rc < 0 || limit == 0)
		return rc;
	if ((rc = find_target(s, target, &to, err)) <= 0)
		return rc < 0 ? rc
			      : db_say(&s->db, TXW_E_NOTFOUND, err,
				       "there is no target with key %lld", (long long)target);
	const txw_delivery_row **list = arena_get(&s->arena, limit * sizeof(*list));
	if (!list)
		return no_memory(s, err);
	int32_t n = collect(s, target, now, limit, list, err);
	if (n < 0)
		return n;
	if ((rc = lease(s, list, n, lease_until, err)) < 0)
		return rc;
	for (int32_t i = 0; rc == TXW_OK && i < n; i++)
		rc = hand_out(s, list[i], to, emit, ctx, err);
	return rc < 0 ? rc : TXW_OK;
}

int32_t claim_waiting(void *instance, int64_t target, int64_t tx, txw_error *err)
{
	struct store *s = instance;
	sqlite3_stmt *st = db_stmt(&s->db, SQL_DELIVERY_WAITING);
	bind_int(st, 1, target);
	bind_int(st, 2, tx);
	int32_t rc = db_step(&s->db, st, "looking for an earlier delivery", err);
	sqlite3_reset(st);
	return rc;
}

int32_t claim_unblock(void *instance, int64_t target, int64_t tx, txw_time due, txw_error *err)
{
	struct store *s = instance;
	sqlite3_stmt *st = db_stmt(&s->db, SQL_DELIVERY_UNBLOCK);
	int32_t rc = unit_ready(s, err);
	if (rc < 0)
		return rc;
	bind_int(st, 1, target);
	bind_int(st, 2, tx);
	bind_some(st, 3, due);
	rc = db_run(&s->db, st, "unblocking a delivery", err);
	return rc < 0 ? rc : sqlite3_changes(s->db.handle);
}

/* Blocks what an earlier delivery of its transaction precedes. */
static int32_t keep_order(struct store *s, int64_t target, txw_error *err)
{
	sqlite3_stmt *st = db_stmt(&s->db, SQL_DELIVERY_KEEP_ORDER);
	bind_int(st, 1, target);
	return db_run(&s->db, st, "keeping the order", err);
}

int32_t claim_resend(void *instance, int64_t target, int64_t delivery, txw_time due, txw_error *err)
{
	struct store *s = instance;
	sqlite3_stmt *st = db_stmt(&s->db, SQL_DELIVERY_RESEND);
	int32_t rc = unit_ready(s, err);
	if (rc < 0)
		return rc;
	bind_int(st, 1, target);
	bind_int(st, 2, delivery);
	bind_some(st, 3, due);
	if ((rc = db_run(&s->db, st, "sending a delivery again", err)) < 0)
		return rc;
	int32_t changed = sqlite3_changes(s->db.handle);
	return changed && (rc = keep_order(s, target, err)) < 0 ? rc : changed;
}

int32_t claim_move(void *instance, int64_t target, uint32_t from, uint32_t to, txw_time due,
		   uint32_t limit, txw_error *err)
{
	static const enum sql_id BY_STATE[] = {
	    [TXW_DLV_PENDING] = SQL_MOVE_LIVE,    [TXW_DLV_SENDING] = SQL_MOVE_LIVE,
	    [TXW_DLV_BLOCKED] = SQL_MOVE_BLOCKED, [TXW_DLV_DELIVERED] = SQL_MOVE_DELIVERED,
	    [TXW_DLV_DEAD] = SQL_MOVE_HELD,       [TXW_DLV_PARKED] = SQL_MOVE_HELD,
	    [TXW_DLV_SUPPRESSED] = SQL_MOVE_HELD,
	};
	struct store *s = instance;
	int32_t rc = unit_ready(s, err);
	if (rc < 0)
		return rc;
	if (from >= sizeof(BY_STATE) / sizeof(BY_STATE[0]))
		return db_say(&s->db, TXW_E_INVALID, err, "there is no delivery state %u", from);
	sqlite3_stmt *st = db_stmt(&s->db, BY_STATE[from]);
	bind_int(st, 1, target);
	bind_int(st, 2, from);
	bind_int(st, 3, to);
	bind_some(st, 4, due);
	bind_int(st, 5, limit);
	if ((rc = db_run(&s->db, st, "moving deliveries", err)) < 0)
		return rc;
	int32_t moved = sqlite3_changes(s->db.handle);
	if (moved && to == TXW_DLV_PENDING && (rc = keep_order(s, target, err)) < 0)
		return rc;
	return moved;
}

int32_t claim_target_due(void *instance, int64_t target, txw_time *out, txw_error *err)
{
	struct store *s = instance;
	sqlite3_stmt *st = db_stmt(&s->db, SQL_DELIVERY_DUE);
	*out = 0;
	bind_int(st, 1, target);
	int32_t rc = db_step(&s->db, st, "reading what is due next", err);
	if (rc > 0)
		*out = column_int(st, 0);
	sqlite3_reset(st);
	return rc < 0 ? rc : TXW_OK;
}

int32_t claim_release(void *instance, txw_time due, txw_error *err)
{
	struct store *s = instance;
	sqlite3_stmt *st = db_stmt(&s->db, SQL_DELIVERY_RELEASE);
	int32_t rc = unit_ready(s, err);
	if (rc < 0)
		return rc;
	bind_some(st, 1, due);
	return db_run(&s->db, st, "releasing deliveries", err);
}
