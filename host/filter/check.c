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

#define NAME_MAX_SHOWN 64

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
	if (lex_follows(p, '('))
		return lex_fail(p, name->at, "there are no functions, and so no `%.*s(`", shown(s),
				s.ptr);
	if (!lex_op_follows(p))
		return lex_fail(p, name->at,
				"`%.*s` stands alone: say where to look, as in reason:%.*s",
				shown(s), s.ptr, shown(s), s.ptr);
	const char *names[TXW_FIELD_MAX];
	size_t n = 0;
	for (size_t i = 0; i < FILTER_FIELDS_N && n < TXW_FIELD_MAX; i++)
		if (p->scope == FILTER_EVENT || FILTER_FIELDS[i].scope == FILTER_TX)
			names[n++] = FILTER_FIELDS[i].name;
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
	while (i < FILTER_FIELDS_N && !str_is(name->segments[0], FILTER_FIELDS[i].name))
		i++;
	if (i == FILTER_FIELDS_N)
		return unknown_field(p, name);
	const struct filter_field *f = &FILTER_FIELDS[i];
	*out = (struct field){name->at, f->number, f->kind, f->name, STR_NONE};
	if (p->scope == FILTER_TX && f->scope == FILTER_EVENT)
		return lex_fail(p, name->at,
				"`%s` is a field of events; this filter is asked about "
				"transactions",
				out->name);
	if (out->number == TXW_FIELD_ATTRIBUTES) {
		if (name->n > 1)
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
			  txw_filter *node)
{
	txw_str s = v->text;
	int64_t span;
	/* Of a rule only the distance is known yet. */
	bool is_relative = p->now == FILTER_EACH_EVENT;
	txw_time now = is_relative ? 0 : p->now;
	if (str_is(s, "now")) {
		node->relative = is_relative;
		node->time = now;
		return 0;
	}
	if (s.len > 1 && (s.ptr[0] == '-' || s.ptr[0] == '+') &&
	    duration_parse((txw_str){s.ptr + 1, s.len - 1}, &span)) {
		bool too_far = s.ptr[0] == '-' ? __builtin_sub_overflow(now, span, &node->time)
					       : __builtin_add_overflow(now, span, &node->time);
		node->relative = is_relative;
		if (too_far)
			return lex_fail(p, v->at, "`%.*s` is too far away", shown(s), s.ptr);
		return 0;
	}
	txw_str day = s.len == 10 ? str_of(arena_printf(p->arena, "%.*sT00:00:00Z", 10, s.ptr)) : s;
	if (time_parse(day, &node->time))
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

/* attributes:NAME asks whether there is such an attribute (AIP-160: a map has
 * a key). */
static int32_t check_key(struct parser *p, struct field *f, uint32_t op, struct value *v)
{
	if (op != TXW_F_HAS || str_is(v->text, "*") || v->text.len == 0)
		return lex_fail(p, f->at,
				"say which attribute, as in attributes.country = \"DE\" or "
				"attributes:country");
	f->path = v->text;
	v->text = STR_LIT("*");
	return 0;
}

static int32_t check_cost(struct parser *p, const struct field *f, uint32_t op,
			  const struct value *v)
{
	p->cost += f->number == TXW_FIELD_ATTRIBUTES ? 8 : op == TXW_F_HAS ? 4 : 1;
	if (p->cost > FILTER_COST_MAX)
		return lex_fail(p, f->at,
				"the filter is too dear from here on: it may cost %d, where a test "
				"costs 1, with : 4, and on an attribute 8",
				FILTER_COST_MAX);
	if (op == TXW_F_HAS && v->text.len > FILTER_HAS_MAX)
		return lex_fail(p, v->at, "after : at most %d bytes can be looked for",
				FILTER_HAS_MAX);
	return 0;
}

int32_t check_test(struct parser *p, const struct field *field, uint32_t op,
		   const struct value *value, txw_filter *node)
{
	struct value v = *value;
	struct field copy = *field, *f = &copy;
	int32_t rc = check_op(p, f, op, &v);
	if (rc >= 0)
		rc = check_cost(p, f, op, &v);
	if (rc >= 0 && f->number == TXW_FIELD_ATTRIBUTES && !f->path.ptr)
		rc = check_key(p, f, op, &v);
	if (rc < 0)
		return rc;
	if (op == TXW_F_HAS && v.text.len > 1 && is_prefix(v.text))
		v.text.len--;
	if (op != TXW_F_HAS && f->kind == TXW_F_TIME)
		rc = check_time(p, f, &v, node);
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
