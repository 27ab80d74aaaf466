/*
 * filter_sql.c: a filter's tree as SQL: see filter_sql.h.
 *
 * A missing value is NULL, and a comparison with NULL is neither true nor
 * false: between AND and OR that is as good as false, under NOT it is not; so
 * tests under NOT are made 0 by ifnull(). Only there, for it hides the column
 * from the indexes.
 */
#include "filter_sql.h"
#include "../shared/id_text.h"

#include <string.h>

#include "../shared/decimal.h"

#define DEPTH_MAX 64

enum column_kind { NAME, TEXT, ID, OUTCOME, DECIMAL, TIME, ATTRIBUTE };

static const struct column {
	uint32_t field;
	enum column_kind kind;
	const char *sql; /* NULL when it has no value */
} COLUMNS[] = {
    {TXW_FIELD_ID, ID, "t.id"},
    {TXW_FIELD_FLOW, NAME, "t.flow"},
    {TXW_FIELD_REF, TEXT, "t.ref"},
    {TXW_FIELD_STATUS, NAME, "t.status"},
    {TXW_FIELD_OUTCOME, OUTCOME, "t.outcome"},
    {TXW_FIELD_OWNER, TEXT, "t.owner"},
    {TXW_FIELD_AMOUNT, DECIMAL, "t.amount"},
    {TXW_FIELD_CURRENCY, TEXT, "t.currency"},
    {TXW_FIELD_REASON, TEXT, "t.reason"},
    {TXW_FIELD_CODE, TEXT, "t.code"},
    {TXW_FIELD_VERSION, DECIMAL, "nullif(t.version, 0)"},
    {TXW_FIELD_CREATED_AT, TIME, "nullif(t.created_at, 0)"},
    {TXW_FIELD_UPDATED_AT, TIME, "nullif(t.updated_at, 0)"},
    {TXW_FIELD_STATUS_SINCE, TIME, "t.status_since"},
    {TXW_FIELD_EXPIRES_AT, TIME, "t.expires_at"},
    {TXW_FIELD_FINISHED_AT, TIME, "t.finished_at"},
    {TXW_FIELD_ATTRIBUTES, ATTRIBUTE, "t.attributes"},
};

static const char *const OPERATORS[] = {
    [TXW_F_EQ] = " = ",  [TXW_F_NE] = " <> ", [TXW_F_LT] = " < ",
    [TXW_F_LE] = " <= ", [TXW_F_GT] = " > ",  [TXW_F_GE] = " >= ",
};

static const char *const OUTCOMES[] = {"open", "success", "failure", "cancelled", "expired"};
#define N_OUTCOMES (sizeof(OUTCOMES) / sizeof(OUTCOMES[0]))
#define OUTCOME_TEXT                                                          \
	"(CASE ifnull(t.outcome, 0) WHEN 0 THEN 'open' WHEN 1 THEN 'success'" \
	" WHEN 2 THEN 'failure' WHEN 3 THEN 'cancelled' WHEN 4 THEN 'expired' END)"

static bool is_any(txw_str s)
{
	return s.len == 1 && s.ptr[0] == '*';
}

static bool is_prefix(txw_str s)
{
	return s.len && s.ptr[s.len - 1] == '*';
}

static void add_text(struct sql_text *t, const char *column, uint32_t op, txw_str text)
{
	if (op == TXW_F_HAS && is_any(text)) {
		sql_text_add(t, column);
		sql_text_add(t, " IS NOT NULL");
	} else if (op == TXW_F_HAS) {
		sql_text_add(t, "instr(lower(");
		sql_text_add(t, column);
		sql_text_add(t, "), lower(?)) > 0");
		sql_text_bind_text(t, text);
	} else if ((op == TXW_F_EQ || op == TXW_F_NE) && is_prefix(text)) {
		sql_text_add(t, "instr(");
		sql_text_add(t, column);
		sql_text_add(t, op == TXW_F_EQ ? ", ?) = 1" : ", ?) <> 1");
		sql_text_bind_text(t, (txw_str){text.ptr, text.len - 1});
	} else if (op == TXW_F_EQ || op == TXW_F_NE) {
		sql_text_add(t, column);
		sql_text_add(t, OPERATORS[op]);
		sql_text_add(t, "?");
		sql_text_bind_text(t, text);
	} else {
		sql_text_add(t, SQL_NEVER); /* text has no order */
	}
}

static void add_name(struct sql_text *t, const char *column, const txw_filter *f)
{
	sql_text_add(t, column);
	sql_text_add(t, " IN (SELECT id FROM name WHERE ");
	add_text(t, "text", f->op, f->text);
	sql_text_add(t, ")");
}

static void add_outcome(struct sql_text *t, const char *column, const txw_filter *f)
{
	size_t i = 0;
	while (i < N_OUTCOMES && (f->text.len != strlen(OUTCOMES[i]) ||
				  memcmp(f->text.ptr, OUTCOMES[i], f->text.len) != 0))
		i++;
	if (i == N_OUTCOMES || (f->op != TXW_F_EQ && f->op != TXW_F_NE)) {
		add_text(t, OUTCOME_TEXT, f->op, f->text);
		return;
	}
	sql_text_add(t, column);
	if (i == 0) {
		sql_text_add(t, f->op == TXW_F_EQ ? " IS NULL" : " IS NOT NULL");
		return;
	}
	/* = lets the partial index be used; != holds for open ones too. */
	sql_text_add(t, f->op == TXW_F_EQ ? " = " : " IS NOT ");
	sql_text_int(t, (int64_t)i);
}

static void add_id(struct sql_text *t, const char *column, const txw_filter *f)
{
	txw_id id;
	if ((f->op != TXW_F_EQ && f->op != TXW_F_NE) || !id_text_parse(f->text, &id)) {
		add_text(t, "txw_id(t.id)", f->op, f->text);
		return;
	}
	sql_text_add(t, column);
	sql_text_add(t, OPERATORS[f->op]);
	sql_text_add(t, "?");
	sql_text_bind_id(t, id);
}

static void add_decimal(struct sql_text *t, const char *column, const txw_filter *f)
{
	sql_text_add(t, "txw_decimal(");
	sql_text_add(t, column);
	if (f->op == TXW_F_HAS) {
		sql_text_add(t, ", '0') IS NOT NULL");
		return;
	}
	sql_text_add(t, ", ?)");
	sql_text_add(t, OPERATORS[f->op]);
	sql_text_add(t, "0");
	sql_text_bind_text(t, f->text);
}

static void add_time(struct sql_text *t, const char *column, const txw_filter *f)
{
	sql_text_add(t, column);
	if (f->op == TXW_F_HAS) {
		sql_text_add(t, " IS NOT NULL");
		return;
	}
	sql_text_add(t, OPERATORS[f->op]);
	sql_text_int(t, f->time);
}

static void add_attribute(struct sql_text *t, const char *column, const txw_filter *f)
{
	sql_text_add(t, "txw_attribute(");
	sql_text_add(t, column);
	sql_text_add(t, ", ?, ");
	sql_text_int(t, f->op);
	sql_text_add(t, ", ?)");
	sql_text_bind_blob(t, f->path);
	sql_text_bind_text(t, f->text);
}

static void add_test(struct sql_text *t, const txw_filter *f)
{
	static void (*const ADD[])(struct sql_text *, const char *, const txw_filter *) = {
	    [NAME] = add_name,       [ID] = add_id,     [OUTCOME] = add_outcome,
	    [DECIMAL] = add_decimal, [TIME] = add_time, [ATTRIBUTE] = add_attribute,
	};
	for (size_t i = 0; i < sizeof(COLUMNS) / sizeof(COLUMNS[0]); i++) {
		const struct column *c = &COLUMNS[i];
		if (c->field != f->field)
			continue;
		if (c->kind == TEXT)
			add_text(t, c->sql, f->op, f->text);
		else
			ADD[c->kind](t, c->sql, f);
		return;
	}
	sql_text_add(t, SQL_NEVER); /* a field of events: no row has it */
}

static int32_t add_node(struct sql_text *t, const txw_filter *f, bool is_negated, int depth,
			struct db *db, txw_error *err);

static int32_t add_children(struct sql_text *t, const txw_filter *f, bool is_negated, int depth,
			    struct db *db, txw_error *err)
{
	const char *between = f->kind == TXW_F_AND ? " AND " : " OR ";
	int32_t rc = TXW_OK;
	/* No child: all of none hold, none of none does. */
	sql_text_add(t, f->n_children ? "(" : f->kind == TXW_F_AND ? "(1" : "(" SQL_NEVER);
	for (uint32_t i = 0; rc == TXW_OK && i < f->n_children; i++) {
		sql_text_add(t, i ? between : "");
		rc = add_node(t, f->children[i], is_negated, depth + 1, db, err);
	}
	sql_text_add(t, ")");
	return rc;
}

static int32_t add_node(struct sql_text *t, const txw_filter *f, bool is_negated, int depth,
			struct db *db, txw_error *err)
{
	int32_t rc;
	if (depth > DEPTH_MAX)
		return db_say(db, TXW_E_UNSUPPORTED, err,
			      "the filter is nested deeper than %d: make it flatter", DEPTH_MAX);
	switch (f->kind) {
	case TXW_F_AND:
	case TXW_F_OR:
		return add_children(t, f, is_negated, depth, db, err);
	case TXW_F_NOT:
		sql_text_add(t, "NOT (");
		rc = f->n_children == 1
			 ? add_node(t, f->children[0], true, depth + 1, db, err)
			 : db_say(db, TXW_E_INVALID, err, "a NOT of a filter has not one child");
		sql_text_add(t, ")");
		return rc;
	case TXW_F_TEST:
		if (f->op < TXW_F_EQ || f->op > TXW_F_HAS)
			break;
		sql_text_add(t, is_negated ? "ifnull((" : "(");
		add_test(t, f);
		sql_text_add(t, is_negated ? "), 0)" : ")");
		return TXW_OK;
	}
	return db_say(db, TXW_E_UNSUPPORTED, err,
		      "this store knows no filter node of kind %u with comparison %u", f->kind,
		      f->op);
}

int32_t filter_sql(struct sql_text *t, const txw_filter *f, struct db *db, txw_error *err)
{
	return add_node(t, f, false, 0, db, err);
}

/* ---- functions ---- */

static txw_str value_text(sqlite3_value *v)
{
	const char *p = (const char *)sqlite3_value_text(v);
	return (txw_str){p, p ? (size_t)sqlite3_value_bytes(v) : 0};
}

/* txw_decimal(a, b): -1, 0, 1 by exact value; NULL if one is not a number. */
static void fn_decimal(sqlite3_context *c, int n, sqlite3_value **v)
{
	(void)n;
	txw_str a = value_text(v[0]), b = value_text(v[1]);
	if (!decimal_valid(a) || !decimal_valid(b))
		return;
	int cmp = decimal_cmp(a, b);
	sqlite3_result_int(c, (cmp > 0) - (cmp < 0));
}

/* txw_id(blob): as people see it. */
static void fn_id(sqlite3_context *c, int n, sqlite3_value **v)
{
	(void)n;
	const unsigned char *p = sqlite3_value_blob(v[0]);
	char text[ID_TEXT_LEN];
	txw_id id = {0, 0};
	if (!p || sqlite3_value_bytes(v[0]) != 16)
		return;
	for (int i = 0; i < 8; i++) {
		id.hi = id.hi << 8 | p[i];
		id.lo = id.lo << 8 | p[8 + i];
	}
	if (!id.hi && !id.lo)
		return;
	id_text_print(text, id);
	sqlite3_result_text(c, text, sizeof(text), SQLITE_TRANSIENT);
}

/* txw_attribute(attributes, path, op, text): 1 or 0. */
static void fn_attribute(sqlite3_context *c, int n, sqlite3_value **v)
{
	(void)n;
	/* An empty blob is NULL: the path of a member whose name is empty. */
	const char *blob = sqlite3_value_blob(v[1]);
	txw_str path = {blob ? blob : "", (size_t)sqlite3_value_bytes(v[1])};
	sqlite3_result_int(c, attribute_match(value_text(v[0]), path,
					      (uint32_t)sqlite3_value_int(v[2]), value_text(v[3])));
}

/* txw_contains(part, text ...): 1 if one of the texts contains the part. */
static void fn_contains(sqlite3_context *c, int n, sqlite3_value **v)
{
	txw_str part = value_text(v[0]);
	int found = 0;
	for (int i = 1; i < n && !found; i++)
		found = text_contains(value_text(v[i]), part);
	sqlite3_result_int(c, found);
}

/* txw_sortable(decimal): bytes that are ordered as the numbers are; NULL for
 * what is none. */
static void fn_sortable(sqlite3_context *c, int n, sqlite3_value **v)
{
	unsigned char key[DECIMAL_KEY_MAX];
	txw_str text = value_text(v[0]);
	(void)n;
	if (decimal_valid(text))
		sqlite3_result_blob(c, key, (int)decimal_key(text, key), SQLITE_TRANSIENT);
}

int32_t filter_sql_register(struct db *db, txw_error *err)
{
	static const struct {
		const char *name;
		int n;
		void (*call)(sqlite3_context *, int, sqlite3_value **);
	} FUNCTIONS[] = {
	    {"txw_decimal", 2, fn_decimal},     {"txw_id", 1, fn_id},
	    {"txw_attribute", 4, fn_attribute}, {"txw_contains", -1, fn_contains},
	    {"txw_sortable", 1, fn_sortable},
	};
	const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
	for (size_t i = 0; i < sizeof(FUNCTIONS) / sizeof(FUNCTIONS[0]); i++)
		if (sqlite3_create_function_v2(db->handle, FUNCTIONS[i].name, FUNCTIONS[i].n, flags,
					       NULL, FUNCTIONS[i].call, NULL, NULL,
					       NULL) != SQLITE_OK)
			return db_fail(db, "adding a function", err);
	return TXW_OK;
}
