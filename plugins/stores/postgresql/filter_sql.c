/*
 * filter_sql.c: a filter's tree as SQL: see filter_sql.h.
 *
 * A missing value is NULL, and a comparison with NULL is neither true nor
 * false: between AND and OR that is as good as false, under NOT it is not; so
 * tests under NOT are made false by coalesce(). Only there, for it hides the
 * column from the indexes.
 *
 * Attributes are read as `json`, not `jsonb`, which keeps numbers as they were
 * written: 1 is an integer and compared exactly, 1.0 a real and compared as
 * one, as the host does.
 */
#include "filter_sql.h"

#include <stdlib.h>
#include <string.h>

#include "../shared/decimal.h"
#include "../shared/id_text.h"

#define DEPTH_MAX 64

enum column_class {
	TEXT_CLASS,
	KEY_CLASS,
	ID_CLASS,
	OUTCOME_CLASS,
	DECIMAL_CLASS,
	INT_CLASS,
	TIME_CLASS,
	ATTRIBUTE_CLASS
};

/* An amount as a number; what is none has no value. */
#define IS_DECIMAL(x) x " ~ '^-?[0-9]+([.][0-9]+)?$' AND length(" x ") <= 60"
#define AS_DECIMAL(x) "(CASE WHEN " IS_DECIMAL(x) " THEN " x "::numeric END)"

/* "tx_" and 26 characters of base 32, as the TypeID specification has them. */
#define ID_TEXT                                                                      \
	"(SELECT 'tx_' || string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz', 1 +" \
	" substring(B'00' || ('x' || replace(t.id::text, '-', ''))::bit(128)"        \
	" from 5 * i + 1 for 5)::bit(5)::int, 1), '' ORDER BY i) COLLATE \"C\""      \
	" FROM generate_series(0, 25) AS g (i))"

static const struct field {
	uint32_t field;
	enum column_class class;
	const char *sql;
	const char *order; /* NULL: sql */
	bool is_total;     /* `order` has a value in every row */
} FIELDS[] = {
    {TXW_FIELD_ID, ID_CLASS, "t.id", NULL, false},
    {TXW_FIELD_FLOW, KEY_CLASS, "t.flow", "nullif(t.flow, '')", false},
    {TXW_FIELD_REF, KEY_CLASS, "t.ref", "t.ref", true},
    {TXW_FIELD_STATUS, KEY_CLASS, "t.status", "nullif(t.status, '')", false},
    {TXW_FIELD_OUTCOME, OUTCOME_CLASS, "t.outcome", FILTER_SQL_OUTCOME " COLLATE \"C\"", false},
    {TXW_FIELD_OWNER, TEXT_CLASS, "t.owner", NULL, false},
    {TXW_FIELD_AMOUNT, DECIMAL_CLASS, "t.amount", AS_DECIMAL("t.amount"), false},
    {TXW_FIELD_CURRENCY, TEXT_CLASS, "t.currency", NULL, false},
    {TXW_FIELD_REASON, TEXT_CLASS, "t.reason", NULL, false},
    {TXW_FIELD_CODE, TEXT_CLASS, "t.code", NULL, false},
    {TXW_FIELD_VERSION, INT_CLASS, "nullif(t.version, 0)", NULL, false},
    {TXW_FIELD_CREATED_AT, TIME_CLASS, "nullif(t.created_at, 0)", NULL, false},
    {TXW_FIELD_UPDATED_AT, TIME_CLASS, "nullif(t.updated_at, 0)", NULL, false},
    {TXW_FIELD_STATUS_SINCE, TIME_CLASS, "t.status_since", NULL, false},
    {TXW_FIELD_EXPIRES_AT, TIME_CLASS, "t.expires_at", NULL, false},
    {TXW_FIELD_FINISHED_AT, TIME_CLASS, "t.finished_at", "coalesce(t.finished_at, 0)", true},
    {TXW_FIELD_ATTRIBUTES, ATTRIBUTE_CLASS, "t.attributes", NULL, false},
};

static const char *const OPERATORS[] = {
    [TXW_F_EQ] = " = ",  [TXW_F_NE] = " <> ", [TXW_F_LT] = " < ",
    [TXW_F_LE] = " <= ", [TXW_F_GT] = " > ",  [TXW_F_GE] = " >= ",
};

static const struct field *field_find(uint32_t field)
{
	for (size_t i = 0; i < sizeof(FIELDS) / sizeof(FIELDS[0]); i++)
		if (FIELDS[i].field == field)
			return &FIELDS[i];
	return NULL;
}

void query_text(struct query *q, txw_str s)
{
	args_key(q->args, s);
	text_print(&q->text, "$%zu::text", q->args->n);
}

void query_int(struct query *q, int64_t v)
{
	args_int(q->args, v);
	text_print(&q->text, "$%zu::bigint", q->args->n);
}

static void add_all(struct query *q, const char *a, const char *b, const char *c)
{
	text_add(&q->text, a);
	text_add(&q->text, b);
	text_add(&q->text, c);
}

/* ASCII only, as the host does; the server's lower() with COLLATE "C" too. */
static void add_folded(struct query *q, txw_str s)
{
	char *folded = malloc(s.len + 1);
	if (!folded) {
		q->text.failed = true;
		return;
	}
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		folded[i] = c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
	}
	query_text(q, (txw_str){folded, s.len});
	free(folded);
}

static bool is_any(txw_str s)
{
	return s.len == 1 && s.ptr[0] == '*';
}

static bool is_prefix(txw_str s)
{
	return s.len && s.ptr[s.len - 1] == '*';
}

static void add_contains(struct query *q, const char *sql, txw_str text)
{
	text_add(&q->text, "position(");
	add_folded(q, text);
	add_all(q, " in lower(", sql, " COLLATE \"C\")) > 0");
}

/* sql: an expression whose NULL is "no value". */
static void add_text(struct query *q, const char *sql, uint32_t op, txw_str text)
{
	bool is_equality = op == TXW_F_EQ || op == TXW_F_NE;
	if (op == TXW_F_HAS && is_any(text)) {
		add_all(q, "", sql, " IS NOT NULL");
	} else if (op == TXW_F_HAS) {
		add_contains(q, sql, text);
	} else if (is_equality && is_prefix(text)) {
		add_all(q, "strpos(", sql, ", ");
		query_text(q, (txw_str){text.ptr, text.len - 1});
		text_add(&q->text, op == TXW_F_EQ ? ") = 1" : ") <> 1");
	} else if (is_equality) {
		add_all(q, "", sql, OPERATORS[op]);
		query_text(q, text);
	} else {
		text_add(&q->text, "false"); /* text has no order */
	}
}

bool filter_sql_is_plain(txw_str text)
{
	return text.len && !is_prefix(text);
}

static void add_key(struct query *q, const struct field *c, const txw_filter *f)
{
	bool plain = f->op == TXW_F_EQ && filter_sql_is_plain(f->text);
	add_text(q, plain ? c->sql : c->order, f->op, f->text);
}

static void add_outcome(struct query *q, const txw_filter *f)
{
	static const char *const NAMES[] = {"open", "success", "failure", "cancelled", "expired"};
	const size_t n = sizeof(NAMES) / sizeof(NAMES[0]);
	size_t i = 0;
	while (i < n &&
	       (f->text.len != strlen(NAMES[i]) || memcmp(f->text.ptr, NAMES[i], f->text.len) != 0))
		i++;
	if (i == n || f->op != TXW_F_EQ)
		add_text(q, FILTER_SQL_OUTCOME, f->op, f->text);
	else if (i == 0)
		text_add(&q->text, "t.outcome IS NULL");
	else /* lets the partial index be used */
		text_print(&q->text, "t.outcome = %zu", i);
}

static void add_id(struct query *q, const txw_filter *f)
{
	txw_id id;
	if ((f->op != TXW_F_EQ && f->op != TXW_F_NE) || !id_text_parse(f->text, &id)) {
		add_text(q, ID_TEXT, f->op, f->text);
		return;
	}
	add_all(q, "t.id", OPERATORS[f->op], "");
	args_id(q->args, id);
	text_print(&q->text, "$%zu::uuid", q->args->n);
}

static void add_number(struct query *q, const char *sql, const txw_filter *f)
{
	if (f->op == TXW_F_HAS) {
		add_all(q, "", sql, " IS NOT NULL");
	} else if (!decimal_valid(f->text)) {
		text_add(&q->text, "false");
	} else {
		add_all(q, "", sql, OPERATORS[f->op]);
		query_text(q, f->text);
		text_add(&q->text, "::numeric");
	}
}

static void add_time(struct query *q, const char *sql, const txw_filter *f)
{
	add_all(q, "", sql, f->op == TXW_F_HAS ? " IS NOT NULL" : OPERATORS[f->op]);
	if (f->op != TXW_F_HAS)
		query_int(q, f->time);
}

/* ---- attributes ---- */

/* "t.attributes::json -> 'a' -> 'b'": only by name, never into arrays. */
static void add_value(struct query *q, txw_str path)
{
	text_add(&q->text, "t.attributes::json");
	for (size_t start = 0; start <= path.len;) {
		size_t left = path.len - start;
		const char *end = left ? memchr(path.ptr + start, '\0', left) : NULL;
		size_t n = end ? (size_t)(end - path.ptr) - start : left;
		text_add(&q->text, " -> ");
		query_text(q, (txw_str){path.ptr + start, n});
		start += n + 1;
	}
}

static void add_string_case(struct query *q, const txw_filter *f)
{
	text_add(&q->text, " WHEN 'string' THEN ");
	if (f->op == TXW_F_EQ || f->op == TXW_F_NE || f->op == TXW_F_HAS) {
		add_text(q, "a.s", f->op, f->text);
		return;
	}
	add_number(q, AS_DECIMAL("a.s"), f);
}

/* How the host prints a number that is compared as text. -0 is 0 to it. */
#define INTEGER_TEXT "a.s::numeric::text"
/* What is too small for a double is 0 to the host, and an error to the server,
 * which has numerics that small, but none of five digits' exponent. */
#define REAL                                                                             \
	"(CASE WHEN a.s ~ '[eE]-0*[1-9][0-9]{4,}$' THEN '0.0' WHEN a.s ~ '[1-9].*[eE]-'" \
	" AND abs(a.s::numeric) < 2.5e-324 THEN '0.0' ELSE a.s END)::double precision"

static void add_number_case(struct query *q, const txw_filter *f)
{
	bool as_text = f->op == TXW_F_HAS || !decimal_valid(f->text);
	text_add(&q->text, " WHEN 'number' THEN CASE WHEN a.s ~ '[.eE]' THEN ");
	if (as_text) {
		add_text(q, "(" REAL ")::text", f->op, f->text);
	} else {
		add_all(q, REAL, OPERATORS[f->op], "");
		query_text(q, f->text);
		text_add(&q->text, "::double precision");
	}
	text_add(&q->text, " ELSE ");
	if (as_text)
		add_text(q, "(" INTEGER_TEXT ")", f->op, f->text);
	else
		add_number(q, "a.s::numeric", f);
	text_add(&q->text, " END");
}

static void add_attribute(struct query *q, const txw_filter *f)
{
	bool has_any = f->op == TXW_F_HAS && is_any(f->text);
	text_add(&q->text, "(SELECT CASE a.kind");
	add_string_case(q, f);
	add_number_case(q, f);
	text_add(&q->text, " WHEN 'boolean' THEN ");
	add_text(q, "a.s", f->op, f->text);
	text_add(&q->text, " WHEN 'null' THEN false ELSE ");
	text_add(&q->text, has_any ? "a.kind IS NOT NULL" : "false");
	text_add(&q->text, " END FROM (SELECT json_typeof(v.j) AS kind, v.j #>> '{}' AS s"
			   " FROM (SELECT ");
	add_value(q, f->path);
	text_add(&q->text, " AS j OFFSET 0) v OFFSET 0) a)");
}

/* ---- the tree ---- */

static void add_test(struct query *q, const txw_filter *f)
{
	const struct field *c = field_find(f->field);
	if (!c) {
		text_add(&q->text, "false"); /* a field of events: no row has it */
		return;
	}
	switch (c->class) {
	case TEXT_CLASS:
		add_text(q, c->sql, f->op, f->text);
		break;
	case KEY_CLASS:
		add_key(q, c, f);
		break;
	case ID_CLASS:
		add_id(q, f);
		break;
	case OUTCOME_CLASS:
		add_outcome(q, f);
		break;
	case DECIMAL_CLASS:
		add_number(q, c->order, f);
		break;
	case INT_CLASS:
		add_number(q, c->sql, f);
		break;
	case TIME_CLASS:
		add_time(q, c->sql, f);
		break;
	case ATTRIBUTE_CLASS:
		add_attribute(q, f);
		break;
	}
}

static int32_t add_node(struct query *q, const txw_filter *f, bool is_negated, int depth,
			struct db *db, txw_error *err);

static int32_t add_children(struct query *q, const txw_filter *f, bool is_negated, int depth,
			    struct db *db, txw_error *err)
{
	const char *between = f->kind == TXW_F_AND ? " AND " : " OR ";
	int32_t rc = TXW_OK;
	/* No child: all of none hold, none of none does. */
	text_add(&q->text, f->n_children ? "(" : f->kind == TXW_F_AND ? "(true" : "(false");
	for (uint32_t i = 0; rc == TXW_OK && i < f->n_children; i++) {
		text_add(&q->text, i ? between : "");
		rc = add_node(q, f->children[i], is_negated, depth + 1, db, err);
	}
	text_add(&q->text, ")");
	return rc;
}

static int32_t add_node(struct query *q, const txw_filter *f, bool is_negated, int depth,
			struct db *db, txw_error *err)
{
	int32_t rc;
	if (depth > DEPTH_MAX)
		return db_say(db, TXW_E_UNSUPPORTED, err,
			      "the filter is nested deeper than %d: make it flatter", DEPTH_MAX);
	switch (f->kind) {
	case TXW_F_AND:
	case TXW_F_OR:
		return add_children(q, f, is_negated, depth, db, err);
	case TXW_F_NOT:
		text_add(&q->text, "NOT (");
		rc = f->n_children == 1
			 ? add_node(q, f->children[0], true, depth + 1, db, err)
			 : db_say(db, TXW_E_INVALID, err, "a NOT of a filter has not one child");
		text_add(&q->text, ")");
		return rc;
	case TXW_F_TEST:
		if (f->op < TXW_F_EQ || f->op > TXW_F_HAS)
			break;
		text_add(&q->text, is_negated ? "coalesce((" : "(");
		add_test(q, f);
		text_add(&q->text, is_negated ? "), false)" : ")");
		return TXW_OK;
	}
	return db_say(db, TXW_E_UNSUPPORTED, err,
		      "this store knows no filter node of kind %u with comparison %u", f->kind,
		      f->op);
}

int32_t filter_sql(struct query *q, const txw_filter *f, struct db *db, txw_error *err)
{
	return add_node(q, f, false, 0, db, err);
}

void filter_sql_contains(struct query *q, txw_str text)
{
	static const char *const COLUMNS[] = {"t.ref", "t.owner", "t.attributes", "t.reason"};
	text_add(&q->text, "(");
	for (size_t i = 0; i < sizeof(COLUMNS) / sizeof(COLUMNS[0]); i++) {
		text_add(&q->text, i ? " OR " : "");
		add_contains(q, COLUMNS[i], text);
	}
	text_add(&q->text, ")");
}

/* ---- orders ---- */

const char *filter_sql_order(uint32_t field)
{
	const struct field *c = field_find(field);
	if (!c || c->class == ATTRIBUTE_CLASS)
		return NULL;
	return c->order ? c->order : c->sql;
}

bool filter_sql_is_total(uint32_t field)
{
	const struct field *c = field_find(field);
	return c && c->is_total;
}

static bool value_text(struct query *q, txw_str s)
{
	if (s.len)
		query_text(q, s);
	return s.len != 0;
}

static bool value_int(struct query *q, int64_t v)
{
	if (v)
		query_int(q, v);
	return v != 0;
}

bool filter_sql_value(struct query *q, uint32_t field, const txw_tx *row)
{
	static const char *const OUTCOMES[] = {"open", "success", "failure", "cancelled",
					       "expired"};
	const char *outcome = row->outcome < 5 ? OUTCOMES[row->outcome] : "";
	switch (field) {
	case TXW_FIELD_ID:
		args_id(q->args, row->id);
		text_print(&q->text, "$%zu::uuid", q->args->n);
		return true;
	case TXW_FIELD_FLOW:
		return value_text(q, row->flow);
	case TXW_FIELD_REF:
		query_text(q, row->ref);
		return true;
	case TXW_FIELD_STATUS:
		return value_text(q, row->status);
	case TXW_FIELD_OUTCOME:
		return value_text(q, (txw_str){outcome, strlen(outcome)});
	case TXW_FIELD_OWNER:
		return value_text(q, row->owner);
	case TXW_FIELD_AMOUNT:
		if (!decimal_valid(row->amount))
			return false;
		query_text(q, row->amount);
		text_add(&q->text, "::numeric");
		return true;
	case TXW_FIELD_CURRENCY:
		return value_text(q, row->currency);
	case TXW_FIELD_REASON:
		return value_text(q, row->reason);
	case TXW_FIELD_CODE:
		return value_text(q, row->code);
	case TXW_FIELD_VERSION:
		return value_int(q, row->version);
	case TXW_FIELD_CREATED_AT:
		return value_int(q, row->created_at);
	case TXW_FIELD_UPDATED_AT:
		return value_int(q, row->updated_at);
	case TXW_FIELD_STATUS_SINCE:
		return value_int(q, row->status_since);
	case TXW_FIELD_EXPIRES_AT:
		return value_int(q, row->expires_at);
	case TXW_FIELD_FINISHED_AT:
		query_int(q, row->finished_at);
		return true;
	default:
		return false;
	}
}
