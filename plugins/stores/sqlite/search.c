/*
 * search.c: transactions under a filter, a text and an order: pages, counts,
 * facets.
 *
 * Every search is the same text, once for each arm of its plan: the columns,
 * FROM tx, what holds; a page merges the arms in the order asked for. Without
 * an order that is the keys', in which each arm comes by itself: a page reads
 * what it shows. With one there is an index for `ref` and for `finished_at`;
 * any other order reads and sorts all that the query holds for, which is why
 * the host looks how much that is before it asks.
 *
 * The text depends on what is asked, so that SQLite can use the index that
 * fits; it is prepared for each call (some thirty microseconds).
 */
#include <stdlib.h>
#include <string.h>

#include "filter_sql.h"
#include "order.h"
#include "plan.h"
#include "store.h"

/* With fewer rows expected, sorting them costs less than going through an
 * index of all tenants' rows. */
#define SORTED_AT_ONCE 10000

struct search {
	struct reader *r;
	const txw_tx_query *q;
	struct plan plan;
	enum part part;    /* what one statement is about */
	const char *index; /* to read the whole by; NULL = its keys' order */
	struct sql_text text;
};

static int32_t begin(struct search *s, struct reader *r, const txw_tx_query *q, txw_error *err)
{
	*s = (struct search){.r = r, .q = q};
	int32_t rc = order_check(q, &r->db, err);
	if (rc < 0 || (rc = read_begin(r, err)) < 0)
		return rc;
	if ((rc = names_load(&r->names, &r->db, err)) < 0)
		read_end(r);
	return rc;
}

/* " AND +t.tenant = n": the plus keeps SQLite from sorting all of an index
 * for it. */
static void add_tenant(struct search *s)
{
	struct sql_text *t = &s->text;
	if (!s->q->tenant.len)
		return;
	int64_t id = names_find(&s->r->names, s->q->tenant);
	sql_text_add(t, " AND +t.tenant = ");
	sql_text_int(t, id ? id : -1);
}

static void add_arm(struct sql_text *t, const struct arm *arm)
{
	sql_text_add(t, arm->fin ? " FROM tx t INDEXED BY tx_done WHERE t.finished_at IS NOT NULL"
				 : " FROM tx t INDEXED BY tx_open WHERE t.finished_at IS NULL");
	sql_text_add(t, " AND t.tenant = ");
	sql_text_int(t, arm->tenant);
	sql_text_add(t, " AND t.flow = ");
	sql_text_int(t, arm->flow);
	if (arm->fin) {
		sql_text_add(t, " AND t.fin = ");
		sql_text_int(t, arm->fin);
	}
}

static void add_whole(struct search *s)
{
	struct sql_text *t = &s->text;
	sql_text_add(t, " FROM tx t");
	if (s->index) {
		sql_text_add(t, " INDEXED BY ");
		sql_text_add(t, s->index);
	}
	sql_text_add(t, " WHERE 1");
	add_tenant(s);
	if (s->part == PART_OPEN)
		sql_text_add(t, s->index ? " AND t.finished_at IS NULL"
					 : " AND +t.finished_at IS NULL");
	else if (s->part == PART_FINISHED)
		sql_text_add(t, " AND t.finished_at IS NOT NULL");
}

/* What holds in every arm. */
static int32_t add_conditions(struct search *s, bool with_place, txw_error *err)
{
	const txw_tx_query *q = s->q;
	struct sql_text *t = &s->text;
	if (q->text.len) {
		sql_text_add(t, " AND txw_contains(?, t.ref, t.owner, t.attributes, t.reason)");
		sql_text_bind_text(t, q->text);
	}
	if (with_place && !q->n_order && q->after) {
		sql_text_add(t, q->ascending ? " AND t.key > " : " AND t.key < ");
		sql_text_int(t, q->after);
	}
	if (with_place && q->n_order && q->after_row) {
		if (s->index && order_has_value(q, q->after_row))
			order_seek(t, q);
		order_after(t, q);
	}
	if (!q->filter)
		return TXW_OK;
	sql_text_add(t, " AND ");
	return filter_sql(t, q->filter, &s->r->db, err);
}

/* SELECT ... of every arm, joined. */
static int32_t add_selects(struct search *s, const char *columns, bool with_place, txw_error *err)
{
	struct sql_text *t = &s->text;
	size_t n = s->plan.is_whole ? 1 : s->plan.n;
	int32_t rc = TXW_OK;
	for (size_t i = 0; rc == TXW_OK && i < n; i++) {
		sql_text_add(t, i ? " UNION ALL SELECT " : "SELECT ");
		sql_text_add(t, columns);
		if (with_place)
			order_columns(t, s->q);
		if (s->plan.is_whole)
			add_whole(s);
		else
			add_arm(t, &s->plan.arms[i]);
		rc = add_conditions(s, with_place, err);
	}
	return rc;
}

/* Nothing to look for; but a filter that cannot be is one all the same. */
static int32_t refuse_filter(struct search *s, txw_error *err)
{
	sql_text_init(&s->text);
	int32_t rc = s->q->filter ? filter_sql(&s->text, s->q->filter, &s->r->db, err) : TXW_OK;
	sql_text_free(&s->text);
	return rc;
}

static bool finds_nothing(const struct search *s)
{
	return !s->plan.is_whole && s->plan.n == 0;
}

/* Tells people who wonder how the database reads: its own words. */
static void tell_plan(struct search *s, sqlite3_stmt *of)
{
	struct store *store = s->r->store;
	sqlite3_stmt *st = NULL;
	if (!store->log || !store->log->enabled(store->self, TXW_LOG_DEBUG))
		return;
	char *sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sqlite3_sql(of));
	sqlite3_str *words = sqlite3_str_new(NULL);
	if (sql && sqlite3_prepare_v2(s->r->db.handle, sql, -1, &st, NULL) == SQLITE_OK)
		while (sqlite3_step(st) == SQLITE_ROW)
			sqlite3_str_appendf(words, "%s; ", sqlite3_column_text(st, 3));
	sqlite3_finalize(st);
	sqlite3_free(sql);
	char *text = sqlite3_str_finish(words);
	store_log(store, TXW_LOG_DEBUG, "search: %s", text ? text : "");
	sqlite3_free(text);
}

static int32_t prepare(struct search *s, sqlite3_stmt **st, txw_error *err)
{
	int32_t rc = sql_text_prepare(&s->text, &s->r->db, st, err);
	if (rc == TXW_OK)
		tell_plan(s, *st);
	return rc;
}

/* "SELECT columns" of what the query holds for, at most cap rows of it, inside
 * of the text that goes around. */
static int32_t open_capped(struct search *s, const char *before, const char *columns, int64_t cap,
			   const char *after, sqlite3_stmt **st, txw_error *err)
{
	sql_text_init(&s->text);
	sql_text_add(&s->text, before);
	int32_t rc = add_selects(s, columns, false, err);
	sql_text_add(&s->text, " LIMIT ");
	sql_text_int(&s->text, cap);
	sql_text_add(&s->text, after);
	return rc < 0 ? rc : prepare(s, st, err);
}

/* ---- pages ---- */

struct found {
	txw_emit_tx emit;
	void *ctx;
	uint32_t left;
	bool is_over; /* emit said so */
};

static int32_t emit_rows(struct search *s, sqlite3_stmt *st, struct found *f, txw_error *err)
{
	struct reader *r = s->r;
	int32_t rc = TXW_OK;
	while (f->left && (rc = db_step(&r->db, st, "searching transactions", err)) > 0) {
		txw_tx row;
		columns_tx(st, 0, &r->names, &r->db, &row);
		if ((rc = names_whole(&r->names, &r->db, err)) < 0)
			break;
		f->left--;
		if (f->emit(f->ctx, &row) != 0) {
			f->is_over = true;
			break;
		}
	}
	return rc < 0 ? rc : TXW_OK;
}

/* One statement's rows. */
static int32_t run(struct search *s, struct found *f, txw_error *err)
{
	const txw_tx_query *q = s->q;
	sqlite3_stmt *st = NULL;
	if (!f->left || f->is_over)
		return TXW_OK;
	if (finds_nothing(s))
		return refuse_filter(s, err);
	sql_text_init(&s->text);
	bool is_wrapped = q->n_order && !s->plan.is_whole && s->plan.n > 1;
	sql_text_add(&s->text, is_wrapped ? "SELECT * FROM (" : "");
	int32_t rc = add_selects(s, SQL_TX_COLUMNS, true, err);
	sql_text_add(&s->text, is_wrapped ? ")" : "");
	order_by(&s->text, q);
	sql_text_add(&s->text, " LIMIT ");
	sql_text_int(&s->text, f->left);
	if (rc == TXW_OK && (rc = prepare(s, &st, err)) == TXW_OK)
		rc = emit_rows(s, st, f, err);
	sqlite3_finalize(st);
	sql_text_free(&s->text);
	return rc;
}

static int32_t plan(struct search *s, enum part part, txw_error *err)
{
	s->part = part;
	s->index = NULL;
	return plan_make(s->r, s->q, part, &s->plan, err);
}

/* How many rows of an owner there are, nobody counted. */
static int32_t weigh_named(struct search *s, txw_error *err)
{
	sqlite3_stmt *st = NULL;
	int32_t rc = open_capped(s, "SELECT count(*) FROM (", "1", SORTED_AT_ONCE + 1, ")", &st,
				 err);
	if (rc == TXW_OK && (rc = db_step(&s->r->db, st, "planning a search", err)) > 0)
		s->plan.expected = column_int(st, 0);
	sqlite3_finalize(st);
	sql_text_free(&s->text);
	return rc < 0 ? rc : TXW_OK;
}

/* Is it better to go through an index of all rows than to sort? */
static bool wants_index(const struct search *s)
{
	bool is_small = (!s->plan.is_whole || s->plan.is_named) && s->plan.expected >= 0 &&
			s->plan.expected <= SORTED_AT_ONCE;
	return !is_small;
}

static void use_index(struct search *s, const char *name)
{
	s->plan.is_whole = true;
	s->index = name;
}

/* Those that are finished by an index, those that are not by their keys; in
 * which order, and with whom to begin, the query says. */
static int32_t run_by_finish(struct search *s, struct found *f, txw_error *err)
{
	const txw_tx_query *q = s->q;
	bool descending = q->order[0].descending;
	bool is_second = q->after_row && order_has_value(q, q->after_row) != descending;
	int32_t rc = TXW_OK;
	for (int i = is_second; rc == TXW_OK && i < 2; i++) {
		bool is_finished = descending == (i == 0);
		rc = plan(s, is_finished ? PART_FINISHED : PART_OPEN, err);
		if (rc == TXW_OK && is_finished && wants_index(s))
			use_index(s, "tx_finished");
		if (rc == TXW_OK)
			rc = run(s, f, err);
	}
	return rc;
}

int32_t search_list(void *reader, const txw_tx_query *q, txw_emit_tx emit, void *ctx,
		    txw_error *err)
{
	struct search s;
	struct found f = {.emit = emit, .ctx = ctx, .left = q->limit};
	int32_t rc = begin(&s, reader, q, err);
	if (rc < 0)
		return rc;
	rc = plan(&s, PART_ALL, err);
	bool has_index = q->n_order &&
			 (q->order[0].field == TXW_FIELD_REF ||
			  (q->n_order == 1 && q->order[0].field == TXW_FIELD_FINISHED_AT));
	if (rc == TXW_OK && has_index && s.plan.is_named)
		rc = weigh_named(&s, err);
	bool is_indexed = rc == TXW_OK && has_index && wants_index(&s);
	if (is_indexed && q->order[0].field == TXW_FIELD_FINISHED_AT) {
		rc = run_by_finish(&s, &f, err);
	} else if (rc == TXW_OK) {
		if (is_indexed)
			use_index(&s, "tx_ref");
		rc = run(&s, &f, err);
	}
	read_end(s.r);
	return rc;
}

/* ---- how many ---- */

int32_t search_count(void *reader, const txw_tx_query *asked, int64_t cap, int64_t *out,
		     txw_error *err)
{
	struct search s;
	txw_tx_query q = *asked;
	sqlite3_stmt *st = NULL;
	q.n_order = 0;
	*out = 0;
	int32_t rc = begin(&s, reader, &q, err);
	if (rc < 0)
		return rc;
	rc = plan(&s, PART_ALL, err);
	if (rc == TXW_OK && finds_nothing(&s)) {
		rc = refuse_filter(&s, err);
	} else if (rc == TXW_OK) {
		rc = open_capped(&s, "SELECT count(*) FROM (", "1", cap, ")", &st, err);
		if (rc == TXW_OK && (rc = db_step(&s.r->db, st, "counting transactions", err)) > 0)
			*out = column_int(st, 0);
		sqlite3_finalize(st);
		sql_text_free(&s.text);
	}
	read_end(s.r);
	return rc < 0 ? rc : TXW_OK;
}

struct facets {
	struct facet {
		uint32_t field;
		int64_t name; /* or the outcome */
		int64_t n;
	} * rows;
	size_t n, cap;
};

static bool add_facet(struct facets *f, uint32_t field, int64_t name, int64_t n)
{
	for (size_t i = 0; i < f->n; i++) {
		if (f->rows[i].field == field && f->rows[i].name == name) {
			f->rows[i].n += n;
			return true;
		}
	}
	if (f->n == f->cap) {
		size_t cap = f->cap ? f->cap * 2 : 32;
		struct facet *rows = realloc(f->rows, cap * sizeof(*rows));
		if (!rows)
			return false;
		f->rows = rows;
		f->cap = cap;
	}
	f->rows[f->n++] = (struct facet){field, name, n};
	return true;
}

static int32_t take_facets(struct search *s, sqlite3_stmt *st, const uint32_t *fields, size_t n,
			   int64_t cap, struct facets *out, txw_error *err)
{
	struct db *db = &s->r->db;
	int64_t total = 0;
	int32_t rc;
	while ((rc = db_step(db, st, "counting transactions", err)) > 0) {
		int64_t rows = column_int(st, 3);
		if ((total += rows) > cap)
			return db_say(db, TXW_E_FULL, err, "more than %lld transactions",
				      (long long)cap);
		for (size_t i = 0; i < n; i++) {
			int at = fields[i] == TXW_FIELD_FLOW     ? 0
				 : fields[i] == TXW_FIELD_STATUS ? 1
								 : 2;
			if (!add_facet(out, fields[i], column_int(st, at), rows))
				return db_say(db, TXW_E_NOMEM, err, "no memory for facets");
		}
	}
	return rc;
}

static const char *const OUTCOMES[] = {"open", "success", "failure", "cancelled", "expired"};

static void emit_facets(struct search *s, const struct facets *f, txw_emit_facet emit, void *ctx)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct facet *x = &f->rows[i];
		txw_str value;
		if (x->field == TXW_FIELD_OUTCOME) {
			value.ptr = x->name >= 0 && x->name < 5 ? OUTCOMES[x->name] : "";
			value.len = strlen(value.ptr);
		} else {
			value = names_text(&s->r->names, &s->r->db, x->name);
		}
		if (emit(ctx, x->field, value, x->n) != 0)
			return;
	}
}

int32_t search_facets(void *reader, const txw_tx_query *asked, const uint32_t *fields,
		      size_t n_fields, int64_t cap, txw_emit_facet emit, void *ctx, txw_error *err)
{
	struct search s;
	struct facets facets = {0};
	txw_tx_query q = *asked;
	sqlite3_stmt *st = NULL;
	q.n_order = 0;
	int32_t rc = begin(&s, reader, &q, err);
	if (rc < 0)
		return rc;
	rc = plan(&s, PART_ALL, err);
	if (rc == TXW_OK && finds_nothing(&s)) {
		rc = refuse_filter(&s, err);
	} else if (rc == TXW_OK) {
		rc = open_capped(&s, "SELECT f, s, o, count(*) FROM (",
				 "t.flow AS f, t.status AS s, ifnull(t.outcome, 0) AS o", cap + 1,
				 ") GROUP BY 1, 2, 3", &st, err);
		if (rc == TXW_OK)
			rc = take_facets(&s, st, fields, n_fields, cap, &facets, err);
		if (rc == TXW_OK)
			emit_facets(&s, &facets, emit, ctx);
		sqlite3_finalize(st);
		sql_text_free(&s.text);
	}
	free(facets.rows);
	read_end(s.r);
	return rc < 0 ? rc : TXW_OK;
}
