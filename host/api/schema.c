/* schema.c: rows into JSON Schema (draft 2020-12), and into words. Pure. */
#include "api/schema.h"

#include <string.h>

#include "api/route.h"
#include "base/str.h"

#define LIST_END "List"

const struct schema *schema_find(txw_str name)
{
	for (size_t i = 0; i < SCHEMAS_N; i++) {
		if (str_is(name, SCHEMAS[i].name))
			return &SCHEMAS[i];
	}
	return NULL;
}

txw_str schema_next(const char **names)
{
	const char *at = *names;
	if (!at || !*at)
		return STR_NONE;
	size_t n = strcspn(at, "|");
	*names = at + n + (at[n] == '|');
	return (txw_str){at, n};
}

/* "TransactionList" without a row of its own: what it is a page of. */
static const struct schema *list_of(txw_str name)
{
	size_t n = strlen(LIST_END);
	if (name.len <= n || memcmp(name.ptr + name.len - n, LIST_END, n) != 0)
		return NULL;
	return schema_find((txw_str){name.ptr, name.len - n});
}

bool schema_names_known(const char *names)
{
	txw_str one;
	while ((one = schema_next(&names)).len) {
		if (!memchr(one.ptr, '/', one.len) && !schema_find(one) && !list_of(one))
			return false;
	}
	return true;
}

/* ---- members ---- */

static const enum member_kind KINDS[] = {
    [INPUT_LINE] = MEMBER_TEXT,     [INPUT_TEXT] = MEMBER_TEXT,     [INPUT_DECIMAL] = MEMBER_MONEY,
    [INPUT_CURRENCY] = MEMBER_TEXT, [INPUT_OBJECT] = MEMBER_OBJECT, [INPUT_JSON] = MEMBER_ANY,
    [INPUT_TIME] = MEMBER_TIME,     [INPUT_PERIOD] = MEMBER_WAIT,   [INPUT_BOOL] = MEMBER_BOOLEAN,
    [INPUT_COUNT] = MEMBER_INTEGER, [INPUT_SKIP] = MEMBER_ANY,
};

static void from_input(const struct schema *s, const struct input_row *row, struct member *out)
{
	for (const struct member *m = s->members; m && m->name; m++) {
		if (strcmp(m->name, row->name) == 0) {
			*out = *m;
			return;
		}
	}
	*out = (struct member){.name = row->name, .kind = KINDS[row->kind]};
	if (!(row->flags & INPUT_REQUIRED))
		out->flags |= MEMBER_OPTIONAL;
	if (row->flags & INPUT_NULLABLE)
		out->flags |= MEMBER_NULLABLE;
}

bool member_at(const struct schema *s, size_t i, struct member *out, size_t *max)
{
	*max = 0;
	if (s->input) {
		if (i >= *s->n_input)
			return false;
		from_input(s, &s->input[i], out);
		*max = s->input[i].max;
		return true;
	}
	if (!s->members)
		return false;
	/* The caller goes up from 0 until it ends. */
	*out = s->members[i];
	if (s->is_part)
		out->flags |= MEMBER_OPTIONAL;
	return out->name != NULL;
}

/* ---- JSON Schema ---- */

void schema_ref(struct buf *b, const char *names)
{
	bool is_choice = strchr(names, '|') != NULL;
	txw_str one;
	json_open(b, '{');
	if (is_choice) {
		json_key(b, "anyOf");
		json_open(b, '[');
	}
	while ((one = schema_next(&names)).len) {
		if (is_choice)
			json_open(b, '{');
		json_key(b, "$ref");
		buf_printf(b, "\"#/components/schemas/%.*s\"", STR_ARG(one));
		if (is_choice)
			json_close(b, '}');
	}
	if (is_choice)
		json_close(b, ']');
	json_close(b, '}');
}

static void type_of(struct buf *b, const struct member *m, const char *type)
{
	json_key(b, "type");
	if (!(m->flags & MEMBER_NULLABLE)) {
		json_str(b, str_of(type));
		return;
	}
	json_open(b, '[');
	json_str(b, str_of(type));
	json_str(b, STR_LIT("null"));
	json_close(b, ']');
}

static void choices_of(struct buf *b, const struct member *m)
{
	const char *names = m->of;
	txw_str one;
	type_of(b, m, "string");
	json_key(b, "enum");
	json_open(b, '[');
	while ((one = schema_next(&names)).len)
		json_str(b, one);
	if (m->flags & MEMBER_NULLABLE)
		json_none(b);
	json_close(b, ']');
}

static void either(struct buf *b, const struct member *m, const char *other)
{
	json_key(b, "type");
	json_open(b, '[');
	json_str(b, STR_LIT("string"));
	json_str(b, str_of(other));
	if (m->flags & MEMBER_NULLABLE)
		json_str(b, STR_LIT("null"));
	json_close(b, ']');
}

static void items_of(struct buf *b, const struct member *m)
{
	type_of(b, m, "array");
	json_key(b, "items");
	if (m->of)
		schema_ref(b, m->of);
	else
		json_raw(b, STR_LIT("{\"type\":\"string\"}"));
}

/* In a list of its own, so that a description may stand beside it. */
static void other_of(struct buf *b, const struct member *m)
{
	bool may_be_null = m->flags & MEMBER_NULLABLE;
	json_key(b, may_be_null ? "anyOf" : "allOf");
	json_open(b, '[');
	schema_ref(b, m->of);
	if (may_be_null)
		json_raw(b, STR_LIT("{\"type\":\"null\"}"));
	json_close(b, ']');
}

static void print_kind(struct buf *b, const struct member *m)
{
	switch (m->kind) {
	case MEMBER_TIME:
		type_of(b, m, "string");
		json_m_text(b, "format", "date-time");
		return;
	case MEMBER_ID:
		type_of(b, m, "string");
		json_key(b, "pattern");
		buf_printf(b, "\"^%s_[0-9a-z]{26}$\"", m->of);
		return;
	case MEMBER_CHOICE:
		choices_of(b, m);
		return;
	case MEMBER_DECIMAL:
		type_of(b, m, "string");
		json_m_text(b, "pattern", "^-?[0-9]+(\\.[0-9]+)?$");
		return;
	case MEMBER_WAIT:
	case MEMBER_MONEY:
		either(b, m, "integer");
		return;
	case MEMBER_LIST:
		items_of(b, m);
		return;
	case MEMBER_OF:
		other_of(b, m);
		return;
	case MEMBER_ANY:
		return;
	case MEMBER_INTEGER:
		type_of(b, m, "integer");
		json_m_text(b, "format", "int64");
		return;
	case MEMBER_NUMBER:
		type_of(b, m, "number");
		return;
	case MEMBER_BOOLEAN:
		type_of(b, m, "boolean");
		return;
	case MEMBER_OBJECT:
		type_of(b, m, "object");
		return;
	default:
		type_of(b, m, "string");
	}
}

static void print_member(struct buf *b, const struct member *m, size_t max)
{
	json_key(b, m->name);
	json_open(b, '{');
	print_kind(b, m);
	if (max)
		json_m_int(b, "maxLength", (int64_t)max);
	if (member_help(m)[0])
		json_m_text(b, "description", member_help(m));
	json_close(b, '}');
}

static void print_schema(struct buf *b, const struct schema *s)
{
	struct member m;
	size_t max, n_required = 0;
	json_key(b, s->name);
	json_open(b, '{');
	json_m_text(b, "description", s->help);
	if (!s->members && !s->input) {
		json_close(b, '}');
		return;
	}
	json_m_text(b, "type", "object");
	json_key(b, "properties");
	json_open(b, '{');
	for (size_t i = 0; member_at(s, i, &m, &max); i++) {
		print_member(b, &m, max);
		n_required += !(m.flags & MEMBER_OPTIONAL);
	}
	json_close(b, '}');
	if (n_required) {
		json_key(b, "required");
		json_open(b, '[');
		for (size_t i = 0; member_at(s, i, &m, &max); i++) {
			if (!(m.flags & MEMBER_OPTIONAL))
				json_str(b, str_of(m.name));
		}
		json_close(b, ']');
	}
	/* A body with an unknown member is refused; an answer may grow. */
	if (s->is_body)
		json_m_bool(b, "additionalProperties", 0);
	json_close(b, '}');
}

static void print_list(struct buf *b, txw_str name, const struct schema *of)
{
	json_str(b, name); /* as a key: it is no C string */
	buf_char(b, ':');
	json_open(b, '{');
	json_m_text(b, "description", "A page; `next` leads to the one after it");
	json_m_text(b, "type", "object");
	json_key(b, "properties");
	buf_printf(b,
		   "{\"data\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/"
		   "%s\"}},\"next\":{\"type\":[\"string\",\"null\"]}}",
		   of->name);
	json_key(b, "required");
	json_raw(b, STR_LIT("[\"data\",\"next\"]"));
	json_close(b, '}');
}

/* Is it the first route whose answer names this list? */
static bool is_first(size_t route, txw_str name)
{
	for (size_t i = 0; i < route; i++) {
		const char *names = ROUTES[i].answer;
		txw_str one;
		while ((one = schema_next(&names)).len) {
			if (str_eq(one, name))
				return false;
		}
	}
	return true;
}

void schema_print_all(struct buf *b)
{
	for (size_t i = 0; i < SCHEMAS_N; i++)
		print_schema(b, &SCHEMAS[i]);
	for (size_t i = 0; i < ROUTES_N; i++) {
		const char *names = ROUTES[i].answer;
		txw_str one;
		while ((one = schema_next(&names)).len) {
			const struct schema *of = schema_find(one) ? NULL : list_of(one);
			if (of && is_first(i, one))
				print_list(b, one, of);
		}
	}
}

/* ---- words ---- */

static void words_of_names(struct buf *b, const char *names, const char *join)
{
	txw_str one;
	bool is_first_name = true;
	while ((one = schema_next(&names)).len) {
		buf_printf(b, "%s`%.*s`", is_first_name ? "" : join, STR_ARG(one));
		is_first_name = false;
	}
}

void schema_words(struct buf *b, const struct member *m)
{
	static const char *const words[] = {
	    [MEMBER_TEXT] = "text",     [MEMBER_INTEGER] = "integer",
	    [MEMBER_NUMBER] = "number", [MEMBER_BOOLEAN] = "boolean",
	    [MEMBER_TIME] = "time",     [MEMBER_PERIOD] = "duration",
	    [MEMBER_WAIT] = "duration", [MEMBER_DECIMAL] = "decimal",
	    [MEMBER_MONEY] = "decimal", [MEMBER_ID] = "id",
	    [MEMBER_OBJECT] = "object", [MEMBER_ANY] = "any",
	    [MEMBER_LIST] = "list of ",
	};
	if (m->kind == MEMBER_CHOICE || m->kind == MEMBER_OF) {
		words_of_names(b, m->of, " or ");
	} else {
		buf_text(b, words[m->kind]);
		if (m->kind == MEMBER_LIST && m->of)
			words_of_names(b, m->of, " or ");
		else if (m->kind == MEMBER_LIST)
			buf_text(b, "texts");
		else if (m->kind == MEMBER_ID)
			buf_printf(b, " `%s_`…", m->of);
	}
	if (m->flags & MEMBER_NULLABLE)
		buf_text(b, " or null");
}
