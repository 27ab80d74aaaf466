/*
 * claim.c: which deliveries are due, and which wait for another.
 *
 * A claim makes a delivery SENDING, due at the end of its lease, in the
 * claiming unit: were it never settled, it would come again by itself. The
 * row that is handed out tells when it was due. Rows that another unit holds
 * are passed over (SKIP LOCKED).
 */
#include <string.h>

#include "store.h"

/* Everything here reads deliveries, so what the unit has of them goes first. */
static int32_t ready(struct store *s, txw_error *err)
{
	int32_t rc = unit_ready(s, err);
	return rc < 0 ? rc : unit_flush(s, err);
}

/* ... and what locks them has the section: see store.h. */
static int32_t enter(struct store *s, txw_error *err)
{
	int32_t rc = log_enter(s, err);
	return rc < 0 ? rc : unit_flush(s, err);
}

struct claimed {
	const txw_delivery_row *row;
	const txw_event *event;
};

static int32_t take_target(struct store *s, const PGresult *r, int64_t key, const txw_target **out,
			   txw_error *err)
{
	txw_target row = {.size = sizeof(row)};
	if (!PQntuples(r))
		return unit_fail(s, db_say(&s->db, TXW_E_NOTFOUND, err,
					   "there is no target with key %lld", (long long)key));
	columns_read(r, 0, 0, TARGET_COLUMNS, &row);
	*out = arena_target(&s->arena, &row);
	return *out ? TXW_OK : unit_no_memory(s, err);
}

static int32_t take_claimed(struct store *s, const PGresult *r, struct claimed *list,
			    txw_error *err)
{
	for (int i = 0; i < PQntuples(r); i++) {
		txw_delivery_row row = {.size = sizeof(row)};
		txw_event event;
		txw_tx tx;
		columns_event(r, i, columns_read(r, i, 0, DELIVERY_COLUMNS, &row), &event, &tx);
		if (!event.seq)
			return unit_fail(s, db_say(&s->db, TXW_E_CORRUPT, err,
						   "%s: event %lld is missing, which a delivery "
						   "needs; restore a backup",
						   s->db.location, (long long)row.seq));
		list[i].row = arena_delivery(&s->arena, &row);
		list[i].event = arena_event(&s->arena, &event);
		if (!list[i].row || !list[i].event)
			return unit_no_memory(s, err);
	}
	return TXW_OK;
}

static int32_t lease(struct store *s, const struct claimed *list, size_t n, txw_time until,
		     txw_error *err)
{
	struct args *a = db_args(&s->db);
	if (!n)
		return TXW_OK;
	args_some(a, until);
	args_array(a, ARGS_INT, n);
	for (size_t i = 0; i < n; i++)
		args_item_int(a, list[i].row->key);
	args_array_end(a);
	return unit_write(s, SQL_DELIVERY_LEASE, err);
}

/* Both results at once; the claim's rows stand in *list. */
static int32_t pick(struct store *s, int64_t target, txw_time now, uint32_t limit,
		    const txw_target **to, struct claimed **list, size_t *n, txw_error *err)
{
	PGresult *r[2];
	int32_t rc;
	args_int(db_args(&s->db), target);
	if ((rc = db_send(&s->db, SQL_TARGET_BY_KEY, err)) < 0)
		return unit_fail(s, rc);
	struct args *a = db_args(&s->db);
	args_int(a, target);
	args_int(a, now);
	args_int(a, limit);
	if ((rc = db_send(&s->db, SQL_DELIVERY_CLAIM, err)) < 0 ||
	    (rc = db_sync(&s->db, r, 2, err)) < 0)
		return unit_fail(s, rc);
	*n = (size_t)PQntuples(r[1]);
	*list = arena_get(&s->arena, (*n + 1) * sizeof(**list));
	rc = *list ? take_target(s, r[0], target, to, err) : unit_no_memory(s, err);
	if (rc == TXW_OK)
		rc = take_claimed(s, r[1], *list, err);
	PQclear(r[0]);
	PQclear(r[1]);
	return rc;
}

int32_t claim_deliveries(void *instance, int64_t target, txw_time now, txw_time lease_until,
			 uint32_t limit, txw_emit_delivery emit, void *ctx, txw_error *err)
{
	struct store *s = instance;
	const txw_target *to = NULL;
	struct claimed *list = NULL;
	size_t n = 0;
	int32_t rc = enter(s, err);
	if (rc < 0 || limit == 0)
		return rc;
	if ((rc = pick(s, target, now, limit, &to, &list, &n, err)) < 0 ||
	    (rc = lease(s, list, n, lease_until, err)) < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		if (emit(ctx, list[i].row, to, list[i].event) != 0)
			break;
	return TXW_OK;
}

int32_t claim_waiting(void *instance, int64_t target, int64_t tx, txw_error *err)
{
	struct store *s = instance;
	PGresult *r;
	int32_t rc = ready(s, err);
	if (rc < 0)
		return rc;
	struct args *a = db_args(&s->db);
	args_int(a, target);
	args_int(a, tx);
	if ((rc = unit_ask(s, SQL_DELIVERY_WAITING, &r, err)) < 0)
		return rc;
	rc = PQntuples(r) > 0;
	PQclear(r);
	return rc;
}

int32_t claim_unblock(void *instance, int64_t target, int64_t tx, txw_time due, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = enter(s, err);
	if (rc < 0)
		return rc;
	struct args *a = db_args(&s->db);
	args_int(a, target);
	args_int(a, tx);
	args_some(a, due);
	return unit_change(s, SQL_DELIVERY_UNBLOCK, err);
}

/* Blocks what an earlier delivery of its transaction precedes. */
static int32_t keep_order(struct store *s, int64_t target, txw_error *err)
{
	args_int(db_args(&s->db), target);
	return unit_write(s, SQL_DELIVERY_KEEP_ORDER, err);
}

int32_t claim_resend(void *instance, int64_t target, int64_t delivery, txw_time due, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = enter(s, err);
	if (rc < 0)
		return rc;
	struct args *a = db_args(&s->db);
	args_int(a, target);
	args_int(a, delivery);
	args_some(a, due);
	int32_t changed = unit_change(s, SQL_DELIVERY_RESEND, err);
	if (changed > 0 && (rc = keep_order(s, target, err)) < 0)
		return rc;
	return changed;
}

int32_t claim_move(void *instance, int64_t target, uint32_t from, uint32_t to, txw_time due,
		   uint32_t limit, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = enter(s, err);
	if (rc < 0)
		return rc;
	if (from > TXW_DLV_SENDING || to > TXW_DLV_SENDING)
		return unit_fail(s, db_say(&s->db, TXW_E_INVALID, err,
					   "there is no state %u of a delivery",
					   from > TXW_DLV_SENDING ? from : to));
	struct args *a = db_args(&s->db);
	args_int(a, target);
	args_int(a, from);
	args_int(a, to);
	args_some(a, due);
	args_int(a, limit);
	int32_t moved = unit_change(s, SQL_DELIVERY_MOVE, err);
	if (moved > 0 && to == TXW_DLV_PENDING && (rc = keep_order(s, target, err)) < 0)
		return rc;
	return moved;
}

int32_t claim_target_due(void *instance, int64_t target, txw_time *out, txw_error *err)
{
	struct store *s = instance;
	PGresult *r;
	*out = 0;
	int32_t rc = ready(s, err);
	if (rc < 0)
		return rc;
	args_int(db_args(&s->db), target);
	if ((rc = unit_ask(s, SQL_DELIVERY_DUE, &r, err)) < 0)
		return rc;
	if (PQntuples(r))
		*out = column_int(r, 0, 0);
	PQclear(r);
	return TXW_OK;
}

int32_t claim_release(void *instance, txw_time due, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = enter(s, err);
	if (rc < 0)
		return rc;
	args_some(db_args(&s->db), due);
	return unit_write(s, SQL_DELIVERY_RELEASE, err);
}
