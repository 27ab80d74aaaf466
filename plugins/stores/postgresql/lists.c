/*
 * lists.c: pages: transactions under a filter, events, deliveries.
 *
 * The text of a page depends on what is asked, so that the server can plan for
 * it; it is planned for each call.
 */
#include <string.h>

#include "filter_sql.h"
#include "store.h"

/* " AND ..." for everything that says which rows, but not from where on. */
static int32_t add_where(struct reader *r, struct query *q, const txw_tx_query *ask, txw_error *err)
{
	text_add(&q->text, " WHERE true");
	if (ask->tenant.len) {
		/* Rows in an order are found by the index that has it, not by
		 * their tenant and then sorted. */
		text_add(&q->text,
			 ask->n_order ? " AND t.tenant IS NOT DISTINCT FROM " : " AND t.tenant = ");
		query_text(q, ask->tenant);
	}
	if (ask->text.len) {
		text_add(&q->text, " AND ");
		filter_sql_contains(q, ask->text);
	}
	if (!ask->filter)
		return TXW_OK;
	text_add(&q->text, " AND ");
	return filter_sql(q, ask->filter, &r->db, err);
}

/* Rows after the last one seen: those beyond it in the first key, or equal in
 * it and beyond in the next, and so on; the row's own key decides last. No
 * value sorts before any other. */
static void add_after_row(struct query *q, const txw_tx_query *ask)
{
	const txw_tx *row = ask->after_row;
	bool first_down = ask->order[0].descending != 0;
	/* What an index can begin at. */
	if (filter_sql_is_total(ask->order[0].field)) {
		text_print(&q->text, " AND %s", filter_sql_order(ask->order[0].field));
		text_add(&q->text, first_down ? " <= " : " >= ");
		filter_sql_value(q, ask->order[0].field, row);
	}
	text_add(&q->text, " AND (");
	for (uint32_t i = 0; i < ask->n_order; i++) {
		const char *sql = filter_sql_order(ask->order[i].field);
		bool down = ask->order[i].descending != 0;
		text_print(&q->text, "(%s", sql);
		text_add(&q->text, down ? " < " : " > ");
		if (!filter_sql_value(q, ask->order[i].field, row)) {
			text_add(&q->text, "NULL"); /* only what has a value is beyond */
			text_print(&q->text, "%s%s%s", down ? "" : " OR ", down ? "" : sql,
				   down ? "" : " IS NOT NULL");
		} else if (down) {
			text_print(&q->text, " OR %s IS NULL", sql);
		}
		text_print(&q->text, ") OR (%s", sql);
		text_add(&q->text, " IS NOT DISTINCT FROM ");
		if (!filter_sql_value(q, ask->order[i].field, row))
			text_add(&q->text, "NULL");
		text_add(&q->text, " AND (");
	}
	text_add(&q->text, ask->ascending ? "t.key > " : "t.key < ");
	query_int(q, row->key);
	for (uint32_t i = 0; i < ask->n_order; i++)
		text_add(&q->text, "))");
	text_add(&q->text, ")");
}

static void add_order(struct query *q, const txw_tx_query *ask, const char *key)
{
	text_add(&q->text, " ORDER BY ");
	for (uint32_t i = 0; i < ask->n_order; i++) {
		uint32_t field = ask->order[i].field;
		bool down = ask->order[i].descending != 0;
		text_print(&q->text, "%s %s", filter_sql_order(field), down ? "DESC" : "ASC");
		if (!filter_sql_is_total(field))
			text_add(&q->text, down ? " NULLS LAST" : " NULLS FIRST");
		text_add(&q->text, ", ");
	}
	text_print(&q->text, "%s%s", key, ask->ascending ? "" : " DESC");
	text_add(&q->text, " LIMIT ");
	query_int(q, ask->limit);
}

static int32_t check_order(struct reader *r, const txw_tx_query *ask, txw_error *err)
{
	for (uint32_t i = 0; i < ask->n_order; i++)
		if (!filter_sql_order(ask->order[i].field))
			return db_say(&r->db, TXW_E_UNSUPPORTED, err,
				      "this store cannot order by field %u", ask->order[i].field);
	return TXW_OK;
}

/* A host of the first revision has a shorter query. */
static txw_tx_query whole(const txw_tx_query *given)
{
	txw_tx_query q = {.size = sizeof(q)};
	memcpy(&q, given, given->size && given->size < sizeof(q) ? given->size : sizeof(q));
	return q;
}

/* How the server reads for it, for the log. */
static void explain(struct reader *r, const struct query *q)
{
	struct text t = {.at = NULL}, plan = {.at = NULL};
	PGresult *found = NULL;
	if (q->text.failed || !store_logs(r->store, TXW_LOG_DEBUG))
		return;
	text_add(&t, "EXPLAIN (COSTS OFF) ");
	text_add(&t, q->text.at);
	if (read_ask_text(r, t.failed ? NULL : t.at, &found, NULL) == TXW_OK) {
		for (int i = 0; i < PQntuples(found); i++) {
			const char *line = PQgetvalue(found, i, 0);
			text_add(&plan, i ? "; " : "search: ");
			text_add(&plan, line + strspn(line, " "));
		}
		store_log(r->store, TXW_LOG_DEBUG, "%s", plan.at && !plan.failed ? plan.at : "");
	}
	PQclear(found);
	text_free(&t);
	text_free(&plan);
}

/* Runs the text and frees it. */
static int32_t run(struct reader *r, struct query *q, int32_t rc, PGresult **out, txw_error *err)
{
	*out = NULL;
	if (rc == TXW_OK)
		explain(r, q);
	if (rc == TXW_OK)
		rc = read_ask_text(r, q->text.failed ? NULL : q->text.at, out, err);
	text_free(&q->text);
	return rc;
}

#define DEPTH_MAX 8

/* A test of equality with the field that every row must pass, or NULL; looked
 * for in the upper levels only. */
static const txw_filter *demanded(const txw_filter *f, uint32_t field, int depth)
{
	const txw_filter *found = NULL;
	if (!f || depth == DEPTH_MAX)
		return NULL;
	if (f->kind == TXW_F_TEST)
		return f->field == field && f->op == TXW_F_EQ ? f : NULL;
	for (uint32_t i = 0; f->kind == TXW_F_AND && f->children && i < f->n_children && !found;
	     i++)
		found = demanded(f->children[i], field, depth + 1);
	return found;
}

static bool is_of_open(const txw_filter *f)
{
	static const char OPEN[] = "open";
	const txw_filter *test = demanded(f, TXW_FIELD_OUTCOME, 0);
	return test && test->text.len == strlen(OPEN) &&
	       memcmp(test->text.ptr, OPEN, test->text.len) == 0;
}

enum part { ALL_ROWS, OPEN_ROWS, FINISHED_ROWS };

/* The index of open rows has `key + 0`, so that the server does not walk over
 * all rows instead, in the hope of finding open ones soon. */
static int32_t add_page(struct reader *r, struct query *q, const txw_tx_query *ask, enum part part,
			txw_error *err)
{
	static const char *const TESTS[] = {"", " AND t.outcome IS NULL",
					    " AND t.outcome IS NOT NULL"};
	const char *key = part == OPEN_ROWS ? "(t.key + 0)" : "t.key";
	text_add(&q->text, " FROM tx t");
	int32_t rc = add_where(r, q, ask, err);
	text_add(&q->text, TESTS[part]);
	if (part == FINISHED_ROWS) {
		const txw_filter *test = demanded(ask->filter, TXW_FIELD_STATUS, 0);
		if (filter_sql_is_plain(test->text)) {
			text_add(&q->text, " AND t.done_status = ");
			query_text(q, test->text);
		}
	}
	if (ask->n_order && ask->after_row) {
		add_after_row(q, ask);
	} else if (!ask->n_order && ask->after) {
		text_print(&q->text, " AND %s ", key);
		text_add(&q->text, ask->ascending ? "> " : "< ");
		query_int(q, ask->after);
	}
	add_order(q, ask, key);
	return rc;
}

/* Rows in a status: among the finished ones an index has it; the open ones are
 * walked over (schema.c says why). */
static int32_t add_two_pages(struct reader *r, struct query *q, const txw_tx_query *ask,
			     txw_error *err)
{
	text_add(&q->text, " FROM ((SELECT *");
	int32_t rc = add_page(r, q, ask, OPEN_ROWS, err);
	text_add(&q->text, ") UNION ALL (SELECT *");
	if (rc == TXW_OK)
		rc = add_page(r, q, ask, FINISHED_ROWS, err);
	text_add(&q->text, ")) t");
	add_order(q, ask, "t.key");
	return rc;
}

static int32_t add_pages(struct reader *r, struct query *q, const txw_tx_query *ask, txw_error *err)
{
	if (!ask->n_order && is_of_open(ask->filter))
		return add_page(r, q, ask, OPEN_ROWS, err);
	if (!ask->n_order && demanded(ask->filter, TXW_FIELD_STATUS, 0))
		return add_two_pages(r, q, ask, err);
	return add_page(r, q, ask, ALL_ROWS, err);
}

int32_t lists_tx(void *reader, const txw_tx_query *given, txw_emit_tx emit, void *ctx,
		 txw_error *err)
{
	struct reader *r = reader;
	txw_tx_query ask = whole(given);
	struct query q = {.args = read_args(r)};
	PGresult *found;
	int32_t rc = check_order(r, &ask, err);
	if (rc < 0)
		return rc;
	text_add(&q.text, "SELECT ");
	columns_names(&q.text, TX_COLUMNS, "t");
	rc = add_pages(r, &q, &ask, err);
	rc = run(r, &q, rc, &found, err);
	for (int i = 0; rc == TXW_OK && i < PQntuples(found); i++) {
		txw_tx row = {.size = sizeof(row)};
		columns_read(found, i, 0, TX_COLUMNS, &row);
		if (emit(ctx, &row) != 0)
			break;
	}
	PQclear(found);
	return rc;
}

int32_t lists_count(void *reader, const txw_tx_query *given, int64_t cap, int64_t *out,
		    txw_error *err)
{
	struct reader *r = reader;
	txw_tx_query ask = whole(given);
	struct query q = {.args = read_args(r)};
	PGresult *found;
	*out = 0;
	text_add(&q.text, "SELECT count(*) FROM (SELECT 1 FROM tx t");
	int32_t rc = add_where(r, &q, &ask, err);
	text_add(&q.text, " LIMIT ");
	query_int(&q, cap);
	text_add(&q.text, ") x");
	rc = run(r, &q, rc, &found, err);
	if (rc == TXW_OK)
		*out = column_int(found, 0, 0);
	PQclear(found);
	return rc;
}

/* ---- facets ---- */

static const char *facet_sql(uint32_t field)
{
	return field == TXW_FIELD_FLOW      ? "t.flow"
	       : field == TXW_FIELD_STATUS  ? "t.status"
	       : field == TXW_FIELD_OUTCOME ? FILTER_SQL_OUTCOME
					    : NULL;
}

static int32_t facet_text(struct reader *r, struct query *q, const txw_tx_query *ask,
			  const uint32_t *fields, size_t n, int64_t cap, txw_error *err)
{
	text_add(&q->text, "WITH m AS (SELECT true AS one");
	for (size_t i = 0; i < n; i++) {
		const char *sql = facet_sql(fields[i]);
		if (!sql)
			return db_say(&r->db, TXW_E_UNSUPPORTED, err,
				      "this store cannot count by field %u", fields[i]);
		text_print(&q->text, ", %s AS v%zu", sql, i);
	}
	text_add(&q->text, " FROM tx t");
	int32_t rc = add_where(r, q, ask, err);
	text_add(&q->text, " LIMIT ");
	query_int(q, cap + 1);
	/* The first row says how many there were. */
	text_add(&q->text, ") SELECT (-1)::bigint, NULL::text, count(*) FROM m");
	for (size_t i = 0; i < n; i++)
		text_print(&q->text,
			   " UNION ALL SELECT %zu::bigint, v%zu, count(*) FROM m GROUP BY 2", i, i);
	text_add(&q->text, " ORDER BY 1, 2");
	return rc;
}

int32_t lists_facet(void *reader, const txw_tx_query *given, const uint32_t *fields,
		    size_t n_fields, int64_t cap, txw_emit_facet emit, void *ctx, txw_error *err)
{
	struct reader *r = reader;
	txw_tx_query ask = whole(given);
	struct query q = {.args = read_args(r)};
	PGresult *found;
	int32_t rc = facet_text(r, &q, &ask, fields, n_fields, cap, err);
	rc = run(r, &q, rc, &found, err);
	if (rc == TXW_OK && column_int(found, 0, 2) > cap)
		rc = db_say(&r->db, TXW_E_FULL, err, "more than %lld transactions match",
			    (long long)cap);
	for (int i = 1; rc == TXW_OK && i < PQntuples(found); i++)
		if (emit(ctx, fields[column_int(found, i, 0)], column_text(found, i, 1),
			 column_int(found, i, 2)) != 0)
			break;
	PQclear(found);
	return rc;
}

/* ---- events and deliveries ---- */

/* The filter is left to the host: a page then always gets on, however little
 * of the log it selects. */
int32_t lists_events(void *reader, const txw_event_query *q, txw_emit_event emit, void *ctx,
		     txw_error *err)
{
	struct reader *r = reader;
	PGresult *found;
	struct args *a = read_args(r);
	args_int(a, q->after);
	args_int(a, q->limit);
	if (q->tenant.len)
		args_key(a, q->tenant);
	int32_t rc = read_ask(r, q->tenant.len ? SQL_EVENT_AFTER_TENANT : SQL_EVENT_AFTER, &found,
			      err);
	for (int i = 0; rc == TXW_OK && i < PQntuples(found); i++) {
		txw_event event;
		txw_tx tx;
		columns_event(found, i, 0, &event, &tx);
		if (emit(ctx, &event) != 0)
			break;
	}
	PQclear(found);
	return rc;
}

static void add_state(struct query *q, uint32_t state)
{
	if (state == TXW_ANY_STATE)
		return;
	text_print(&q->text, " AND d.state = %u", state == TXW_DLV_SENDING ? 0 : state);
	if (state == TXW_DLV_SENDING)
		text_add(&q->text, " AND d.lease IS NOT NULL");
	if (state == TXW_DLV_PENDING)
		text_add(&q->text, " AND d.lease IS NULL");
	if (state >= TXW_DLV_DEAD && state <= TXW_DLV_SUPPRESSED)
		text_add(&q->text, " AND d.state IN (3, 4, 5)"); /* delivery_held */
}

static void delivery_text(struct query *q, const txw_delivery_query *ask, bool with_event)
{
	const struct {
		int64_t value;
		const char *sql;
	} NUMBERS[] = {{ask->tx, " AND d.tx = "},
		       {ask->key, " AND d.key = "},
		       {ask->after, " AND d.key < "},
		       {ask->target, " AND d.target = "}};
	sql_delivery_names(&q->text);
	text_add(&q->text, ", ");
	columns_names(&q->text, TARGET_COLUMNS, "g");
	if (with_event) {
		text_add(&q->text, ", ");
		columns_event_names(&q->text);
	}
	text_add(&q->text, " FROM delivery d LEFT JOIN target g ON g.key = d.target");
	if (with_event)
		text_add(&q->text, " LEFT JOIN event e ON e.seq = d.seq"
				   " LEFT JOIN tx t ON t.key = e.tx");
	text_add(&q->text, " WHERE true");
	for (size_t i = 0; i < sizeof(NUMBERS) / sizeof(NUMBERS[0]); i++) {
		if (!NUMBERS[i].value)
			continue;
		text_add(&q->text, NUMBERS[i].sql);
		query_int(q, NUMBERS[i].value);
	}
	if (ask->tenant.len) {
		text_add(&q->text, " AND d.tenant = ");
		query_text(q, ask->tenant);
	}
	add_state(q, ask->state);
	text_add(&q->text, " ORDER BY d.key DESC LIMIT ");
	query_int(q, ask->limit);
}

int32_t lists_deliveries(void *reader, const txw_delivery_query *ask, uint32_t with_event,
			 txw_emit_delivery emit, void *ctx, txw_error *err)
{
	struct reader *r = reader;
	struct query q = {.args = read_args(r)};
	PGresult *found;
	text_add(&q.text, "SELECT ");
	delivery_text(&q, ask, with_event != 0);
	int32_t rc = run(r, &q, TXW_OK, &found, err);
	for (int i = 0; rc == TXW_OK && i < PQntuples(found); i++) {
		txw_delivery_row row = {.size = sizeof(row)};
		txw_target target = {.size = sizeof(target)};
		txw_event event = {.size = sizeof(event)};
		txw_tx tx;
		int at = columns_read(found, i, 0, DELIVERY_COLUMNS, &row);
		at = columns_read(found, i, at, TARGET_COLUMNS, &target);
		if (with_event)
			columns_event(found, i, at, &event, &tx);
		if (emit(ctx, &row, &target, event.seq ? &event : NULL) != 0)
			break;
	}
	PQclear(found);
	return rc;
}
