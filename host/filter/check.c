/*
 * check.c: fields, comparators and values of a filter, as far as they can be
 * known wrong without looking at a row.
 *
 * Text ending in '*' after = or != is a prefix ("transaction.*"); after ':'
 * the star is dropped, because ':' looks anywhere in the text.
 */
#include "filter/parts.h"

#include "base/clock.h"
#include "base/decimal.h"
#include "base/id.h"
#include "base/row.h"
#include "base/str.h"

#define FIRST_EVENT_FIELD TXW_FIELD_TYPE
#define NAME_MAX_SHOWN    64

#define FIELD_ROW(sym, num, name, kind) {name, num, kind},
static const struct {
	const char *name;
	uint32_t number;
	uint32_t kind;
} fields[] = {TXW_FILTER_FIELDS(FIELD_ROW)};
#define N_FIELDS (sizeof fields / sizeof fields[0])

#define TYPE_NAME(sym, num, name, help) name,
static const char *const type_names[] = {TXW_EVENT_TYPES(TYPE_NAME)};
#define N_TYPES (sizeof type_names / sizeof type_names[0])

static const char *const outcome_names[] = {"open", "success", "failure", "cancelled", "expired"};
#define N_OUTCOMES (sizeof outcome_names / sizeof outcome_names[0])

static int shown(txw_str s)
{
	return (int)(s.len > NAME_MAX_SHOWN ? NAME_MAX_SHOWN : s.len);
}

/* " (did you mean `x`?)" or "". */
static const char *hint(struct parser *p, txw_str word, const char *const *names, size_t n)
{
	const char *near = NULL;
	if (word.len <= NAME_MAX_SHOWN)
		near = str_nearest(arena_str(p->arena, word).ptr, names, n);
	return near ? arena_printf(p->arena, " (did you mean `%s`?)", near) : "";
}

static int32_t unknown_field(struct parser *p, const struct dotted *name)
{
	txw_str s = name->segments[0];
	static const char *const lower[] = {"and", "or", "not", "And", "Or", "Not"};
	for (size_t i = 0; i < sizeof lower / sizeof lower[0]; i++)
		if (str_is(s, lower[i]))
			return lex_fail(p, name->at, "write %s in capitals",
					(const char *[]){"AND", "OR", "NOT"}[i % 3]);
	static const char *const words[] = {"AND", "OR"};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (str_is(s, words[i]))
			return lex_fail(p, name->at, "expected a field, NOT or (, found `%s`",
					words[i]);
	const char *names[N_FIELDS];
	size_t n = 0;
	for (size_t i = 0; i < N_FIELDS; i++)
		if (p->scope == FILTER_EVENT || fields[i].number < FIRST_EVENT_FIELD)
			names[n++] = fields[i].name;
	return lex_fail(p, name->at, "there is no field `%.*s`%s", shown(s), s.ptr,
			hint(p, s, names, n));
}

/* Member names joined by zero bytes. */
static txw_str join_path(struct parser *p, const struct dotted *name)
{
	size_t n = 0;
	for (size_t i = 1; i < name->n; i++)
		n += name->segments[i].len + 1;
	char *path = arena_alloc(p->arena, n);
	size_t at = 0;
	for (size_t i = 1; i < name->n; i++) {
		if (i > 1)
			path[at++] = '\0';
		memcpy(path + at, name->segments[i].ptr, name->segments[i].len);
		at += name->segments[i].len;
	}
	return (txw_str){path, at};
}

int32_t check_field(struct parser *p, const struct dotted *name, struct field *out)
{
	size_t i = 0;
	while (i < N_FIELDS && !str_is(name->segments[0], fields[i].name))
		i++;
	if (i == N_FIELDS)
		return unknown_field(p, name);
	*out = (struct field){name->at, fields[i].number, fields[i].kind, fields[i].name, STR_NONE};
	if (p->scope == FILTER_TX && out->number >= FIRST_EVENT_FIELD)
		return lex_fail(p, name->at,
				"`%s` is a field of events; this filter is asked about "
				"transactions",
				out->name);
	if (out->number == TXW_FIELD_ATTRIBUTES) {
		if (name->n < 2)
			return lex_fail(p, name->at,
					"say which attribute, as in attributes.country");
		out->path = join_path(p, name);
	} else if (name->n > 1) {
		return lex_fail(p, name->at, "`%s` has no parts; only attributes.NAME has",
				out->name);
	}
	return 0;
}

static bool is_order(uint32_t op)
{
	return op == TXW_F_LT || op == TXW_F_LE || op == TXW_F_GT || op == TXW_F_GE;
}

static bool is_prefix(txw_str s)
{
	return s.len && s.ptr[s.len - 1] == '*';
}

static int32_t check_op(struct parser *p, const struct field *f, uint32_t op, const struct value *v)
{
	if (f->kind == TXW_F_TEXT && f->number != TXW_FIELD_ATTRIBUTES && is_order(op))
		return lex_fail(p, f->at, "`%s` is text: it takes = != and :", f->name);
	if (f->kind != TXW_F_TEXT && op == TXW_F_HAS && !str_is(v->text, "*"))
		return lex_fail(p, v->at, "`%s` is a %s: after : it takes only *, any value",
				f->name, f->kind == TXW_F_TIME ? "time" : "number");
	return 0;
}

static int32_t check_time(struct parser *p, const struct field *f, const struct value *v,
			  txw_time *out)
{
	txw_str s = v->text;
	int64_t span;
	if (str_is(s, "now")) {
		*out = p->now;
		return 0;
	}
	if (s.len > 1 && (s.ptr[0] == '-' || s.ptr[0] == '+') &&
	    duration_parse((txw_str){s.ptr + 1, s.len - 1}, &span)) {
		bool too_far = s.ptr[0] == '-' ? __builtin_sub_overflow(p->now, span, out)
					       : __builtin_add_overflow(p->now, span, out);
		if (too_far)
			return lex_fail(p, v->at, "`%.*s` is too far away", shown(s), s.ptr);
		return 0;
	}
	txw_str day = s.len == 10 ? str_of(arena_printf(p->arena, "%.*sT00:00:00Z", 10, s.ptr)) : s;
	if (time_parse(day, out))
		return 0;
	return lex_fail(p, v->at,
			"`%s` takes a time: 2026-01-31T12:00:00Z, 2026-01-31, -2h, +1d or "
			"now; found `%.*s`",
			f->name, shown(s), s.ptr);
}

static int32_t check_name(struct parser *p, const struct field *f, const struct value *v,
			  const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_is(v->text, names[i]))
			return 0;
	return lex_fail(p, v->at, "there is no %s `%.*s`%s", f->name, shown(v->text), v->text.ptr,
			hint(p, v->text, names, n));
}

static int32_t check_type(struct parser *p, const struct field *f, const struct value *v)
{
	txw_str start = {v->text.ptr, v->text.len - 1};
	if (!is_prefix(v->text))
		return check_name(p, f, v, type_names, N_TYPES);
	for (size_t i = 0; i < N_TYPES; i++)
		if (str_starts(str_of(type_names[i]), start))
			return 0;
	return lex_fail(p, v->at, "no event type begins with `%.*s`", shown(start), start.ptr);
}

static int32_t check_text(struct parser *p, const struct field *f, uint32_t op,
			  const struct value *v)
{
	txw_id id;
	if (op == TXW_F_HAS)
		return 0;
	if (v->text.len == 0 && f->number != TXW_FIELD_ATTRIBUTES)
		return lex_fail(p, v->at, "to ask for no value at all write NOT %s:*", f->name);
	switch (f->number) {
	case TXW_FIELD_OUTCOME:
		return check_name(p, f, v, outcome_names, N_OUTCOMES);
	case TXW_FIELD_TYPE:
		return check_type(p, f, v);
	case TXW_FIELD_ID:
		if (!id_parse(v->text, "tx", &id))
			return lex_fail(p, v->at,
					"`id` takes a transaction's id (tx_ and 26 letters "
					"and digits), found `%.*s`",
					shown(v->text), v->text.ptr);
		return 0;
	case TXW_FIELD_ATTRIBUTES:
		if (is_order(op) && !decimal_valid(v->text))
			return lex_fail(p, v->at,
					"< <= > >= on an attribute take a number, found "
					"`%.*s`",
					shown(v->text), v->text.ptr);
		return 0;
	default:
		return 0;
	}
}

int32_t check_test(struct parser *p, const struct field *f, uint32_t op, const struct value *value,
		   txw_filter *node)
{
	struct value v = *value;
	int32_t rc = check_op(p, f, op, &v);
	if (rc < 0)
		return rc;
	if (op == TXW_F_HAS && v.text.len > 1 && is_prefix(v.text))
		v.text.len--;
	if (op != TXW_F_HAS && f->kind == TXW_F_TIME)
		rc = check_time(p, f, &v, &node->time);
	else if (op != TXW_F_HAS && f->kind == TXW_F_NUMBER && !decimal_valid(v.text))
		rc = lex_fail(p, v.at, "`%s` takes a number, as in 1250.00; found `%.*s`", f->name,
			      shown(v.text), v.text.ptr);
	else if (f->kind == TXW_F_TEXT)
		rc = check_text(p, f, op, &v);
	if (rc < 0)
		return rc;
	node->op = op;
	node->field = f->number;
	node->path = f->path;
	node->text = v.text;
	return 0;
}
