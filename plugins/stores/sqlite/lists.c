/*
 * lists.c: pages of events and deliveries.
 *
 * The text of a page depends on what is asked, so that SQLite can use the
 * index that fits; it is prepared for each call (some thirty microseconds).
 */
#include "filter_sql.h"
#include "store.h"

/* Ends the text, prepares and binds it. NULL: *err says why. */
static sqlite3_stmt *prepare(struct reader *r, struct sql_text *text, int32_t *rc, txw_error *err)
{
	sqlite3_stmt *st = NULL;
	*rc = sql_text_prepare(text, &r->db, &st, err);
	return st;
}

/* A tenant's rows only. The plus keeps SQLite from sorting all of an index
 * for it: a tenant's rows are never few. */
static void add_tenant(struct reader *r, struct sql_text *text, const char *column, txw_str tenant)
{
	if (!tenant.len)
		return;
	int64_t id = names_find(&r->names, tenant);
	sql_text_add(text, " AND +");
	sql_text_add(text, column);
	sql_text_add(text, " = ");
	sql_text_int(text, id ? id : -1);
}

/* The filter is left to the host: a page then always gets on, however little
 * of the log it selects. */
int32_t lists_events(void *reader, const txw_event_query *q, txw_emit_event emit, void *ctx,
		     txw_error *err)
{
	struct reader *r = reader;
	sqlite3_stmt *st = db_stmt(&r->db,
				   q->tenant.len ? SQL_EVENT_AFTER_TENANT : SQL_EVENT_AFTER);
	int32_t rc = read_begin(r, err);
	if (rc < 0)
		return rc;
	bind_int(st, 1, q->after);
	bind_int(st, 2, q->limit);
	if (q->tenant.len) {
		rc = names_load(&r->names, &r->db, err);
		bind_int(st, 3, names_find(&r->names, q->tenant));
	}
	while (rc >= 0 && (rc = db_step(&r->db, st, "reading events", err)) > 0) {
		txw_event event;
		txw_tx tx;
		columns_event(st, &r->names, &r->db, r->store->site, &event, &tx);
		if ((rc = names_whole(&r->names, &r->db, err)) < 0)
			break;
		if (emit(ctx, &event) != 0)
			break;
	}
	sqlite3_reset(st);
	read_end(r);
	return rc < 0 ? rc : TXW_OK;
}

/* A transaction's events, and by them its deliveries: schema.c says why. */
#define OF_TX                                                                                \
	" AND d.seq IN (WITH RECURSIVE chain (seq) AS (SELECT last_seq FROM tx WHERE key = " \
	"?1 UNION ALL SELECT e.prev FROM chain CROSS JOIN event e ON e.seq = chain.seq"      \
	" WHERE e.prev IS NOT NULL) SELECT seq FROM chain)"

static void delivery_text(struct reader *r, struct sql_text *text, const txw_delivery_query *q)
{
	sql_text_add(text, "SELECT " SQL_DELIVERY_COLUMNS " FROM delivery d WHERE 1");
	if (q->tx) {
		/* First, so that it is parameter 1. */
		sql_text_add(text, OF_TX);
		sql_text_bind_int(text, q->tx);
	}
	if (q->key) {
		sql_text_add(text, " AND d.key = ");
		sql_text_int(text, q->key);
	}
	if (q->after) {
		sql_text_add(text, " AND d.key < ");
		sql_text_int(text, q->after);
	}
	add_tenant(r, text, "d.tenant", q->tenant);
	if (q->target) {
		sql_text_add(text, q->tx ? " AND +d.target = " : " AND d.target = ");
		sql_text_int(text, q->target);
	}
	if (q->state != TXW_ANY_STATE) {
		sql_text_add(text, " AND d.state = ");
		sql_text_int(text, q->state == TXW_DLV_SENDING ? TXW_DLV_PENDING : q->state);
		if (q->state == TXW_DLV_SENDING)
			sql_text_add(text, " AND d.lease IS NOT NULL");
		if (q->state == TXW_DLV_PENDING)
			sql_text_add(text, " AND d.lease IS NULL");
		bool is_held = q->state >= TXW_DLV_DEAD && q->state <= TXW_DLV_SUPPRESSED;
		if (is_held && q->target && !q->tx)
			sql_text_add(text,
				     " AND d.state >= 3 AND d.state <= 5"); /* delivery_held */
	}
	sql_text_add(text, " ORDER BY d.key DESC LIMIT ");
	sql_text_int(text, q->limit);
}

/* By a statement of its own. 1, 0 or an error; *st is to be reset. */
static int32_t by_key(struct reader *r, enum sql_id id, int64_t key, sqlite3_stmt **st,
		      txw_error *err)
{
	*st = db_stmt(&r->db, id);
	bind_int(*st, 1, key);
	return db_step(&r->db, *st, "reading deliveries", err);
}

/* TXW_OK to go on, 1 to stop. */
static int32_t emit_one(struct reader *r, sqlite3_stmt *st, uint32_t with_event,
			txw_emit_delivery emit, void *ctx, txw_error *err)
{
	sqlite3_stmt *to = NULL, *of = NULL;
	txw_delivery_row row;
	txw_target target = {.size = sizeof(target)};
	txw_event event;
	txw_tx tx;
	bool has_event = false;
	columns_delivery(st, &r->names, &r->db, &row);
	int32_t rc = by_key(r, SQL_TARGET_BY_KEY, row.target, &to, err);
	if (rc > 0)
		columns_target(to, &r->names, &r->db, &target);
	if (rc >= 0 && with_event) {
		rc = by_key(r, SQL_EVENT_BY_SEQ, row.seq, &of, err);
		has_event = rc > 0;
	}
	if (has_event)
		columns_event(of, &r->names, &r->db, r->store->site, &event, &tx);
	int32_t words = names_whole(&r->names, &r->db, rc < 0 ? NULL : err);
	if (rc >= 0)
		rc = words < 0 ? words : emit(ctx, &row, &target, has_event ? &event : NULL) != 0;
	sqlite3_reset(to);
	sqlite3_reset(of);
	return rc;
}

int32_t lists_deliveries(void *reader, const txw_delivery_query *q, uint32_t with_event,
			 txw_emit_delivery emit, void *ctx, txw_error *err)
{
	struct reader *r = reader;
	struct sql_text text;
	int32_t rc = read_begin(r, err);
	if (rc < 0)
		return rc;
	sqlite3_stmt *st = NULL;
	rc = names_load(&r->names, &r->db, err);
	sql_text_init(&text);
	delivery_text(r, &text, q);
	if (rc == TXW_OK)
		st = prepare(r, &text, &rc, err);
	while (st && (rc = db_step(&r->db, st, "searching deliveries", err)) > 0)
		if ((rc = emit_one(r, st, with_event, emit, ctx, err)) != 0)
			break;
	sqlite3_finalize(st);
	sql_text_free(&text);
	read_end(r);
	return rc < 0 ? rc : TXW_OK;
}
