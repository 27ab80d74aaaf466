/* input.c: see input.h. */
#include "api/input.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/str.h"

#define ROWS_MAX 32

bool input_wrong(struct input *in, const char *member, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* Not arena_str: of "" it makes none. */
	in->mistake.member = member ? arena_printf(in->arena, "%s", member) : NULL;
	in->mistake.text = arena_str(in->arena, str_of(text)).ptr;
	return false;
}

json_t *input_parse(struct input *in, txw_str body)
{
	json_error_t e;
	if (body.len == 0) {
		input_wrong(in, NULL, "the body is empty: a JSON object is needed");
		return NULL;
	}
	/* jansson reads over a NUL behind a number. */
	if (memchr(body.ptr, '\0', body.len)) {
		input_wrong(in, NULL, "the body is not JSON: there is a NUL in it");
		return NULL;
	}
	json_t *root = json_loadb(body.ptr, body.len, JSON_REJECT_DUPLICATES, &e);
	if (!root) {
		input_wrong(in, NULL, "the body is not JSON: line %d, column %d: %s", e.line,
			    e.column, e.text);
		return NULL;
	}
	if (!json_is_object(root)) {
		input_wrong(in, NULL, "the body must be a JSON object");
		json_decref(root);
		return NULL;
	}
	return root;
}

void input_end(struct input *in)
{
	buf_free(&in->scratch);
}

/* ---- JSON back to text ---- */

/* The shortest decimal text that reads back as the same double. */
static void print_real(struct buf *b, double v)
{
	char text[40];
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	json_raw(b, str_of(text));
}

static bool print(struct buf *b, const json_t *v, int depth)
{
	if (depth > INPUT_DEPTH_MAX)
		return false;
	bool ok = true;
	switch (json_typeof(v)) {
	case JSON_OBJECT: {
		json_open(b, '{');
		/* jansson's iterators take no constants. */
		json_t *object = (json_t *)(uintptr_t)v;
		for (void *i = json_object_iter(object); i && ok;
		     i = json_object_iter_next(object, i)) {
			json_str(b, str_of(json_object_iter_key(i)));
			buf_char(b, ':');
			ok = print(b, json_object_iter_value(i), depth + 1);
		}
		json_close(b, '}');
		return ok;
	}
	case JSON_ARRAY:
		json_open(b, '[');
		for (size_t i = 0; i < json_array_size(v) && ok; i++)
			ok = print(b, json_array_get(v, i), depth + 1);
		json_close(b, ']');
		return ok;
	case JSON_STRING:
		json_str(b, (txw_str){json_string_value(v), json_string_length(v)});
		return true;
	case JSON_INTEGER:
		json_int(b, json_integer_value(v));
		return true;
	case JSON_REAL:
		print_real(b, json_real_value(v));
		return true;
	case JSON_NULL:
		json_none(b);
		return true;
	default:
		json_bool(b, json_is_true(v));
		return true;
	}
}

bool input_print(struct input *in, const char *member, const json_t *value, txw_str *out)
{
	in->scratch.len = 0;
	if (!print(&in->scratch, value, 1))
		return input_wrong(in, member, "nested deeper than %d", INPUT_DEPTH_MAX);
	if (in->scratch.len > INPUT_JSON_MAX)
		return input_wrong(in, member, "longer than 64 KB as JSON");
	*out = arena_str(in->arena, buf_view(&in->scratch));
	return true;
}

/* ---- members ---- */

static txw_str text_of(const json_t *v)
{
	return (txw_str){json_string_value(v), json_string_length(v)};
}

static size_t characters(txw_str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++)
		n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
	return n;
}

static bool has_control(txw_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
			return true;
	}
	return false;
}

static bool read_text(struct input *in, const struct input_row *row, const json_t *v, void *at)
{
	if (!json_is_string(v))
		return input_wrong(in, row->name, "must be a text");
	txw_str s = text_of(v);
	if (s.len > row->max && characters(s) > row->max)
		return input_wrong(in, row->name, "longer than %zu characters", row->max);
	if (row->kind == INPUT_LINE && s.len == 0)
		return input_wrong(in, row->name, "must not be empty");
	if (row->kind == INPUT_LINE && has_control(s))
		return input_wrong(in, row->name, "must not hold control characters");
	*(txw_str *)at = s;
	return true;
}

static bool read_decimal(struct input *in, const struct input_row *row, const json_t *v, void *at)
{
	if (json_is_integer(v)) {
		*(txw_str *)at = str_of(
		    arena_printf(in->arena, "%" JSON_INTEGER_FORMAT, json_integer_value(v)));
		return true;
	}
	if (!json_is_string(v) || !decimal_valid(text_of(v)))
		return input_wrong(in, row->name,
				   "must be an exact decimal as a text, such as \"1250.00\"");
	*(txw_str *)at = text_of(v);
	return true;
}

static bool read_currency(struct input *in, const struct input_row *row, const json_t *v, void *at)
{
	txw_str s = json_is_string(v) ? text_of(v) : STR_NONE;
	bool ok = s.len >= 3 && s.len <= 12;
	for (size_t i = 0; i < s.len && ok; i++)
		ok = (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z') || (s.ptr[i] >= '0' && s.ptr[i] <= '9');
	if (!ok)
		return input_wrong(in, row->name,
				   "must be 3 to 12 upper-case letters or digits, such as \"EUR\"");
	*(txw_str *)at = s;
	return true;
}

static bool read_json(struct input *in, const struct input_row *row, const json_t *v, void *at)
{
	if (row->kind == INPUT_OBJECT && !json_is_object(v))
		return input_wrong(in, row->name, "must be an object");
	return input_print(in, row->name, v, at);
}

static bool read_time(struct input *in, const struct input_row *row, const json_t *v, void *at)
{
	if (!json_is_string(v) || !time_parse(text_of(v), at))
		return input_wrong(in, row->name,
				   "must be a time such as \"2026-01-31T23:59:59Z\"");
	return true;
}

static bool read_period(struct input *in, const struct input_row *row, const json_t *v, void *at)
{
	int64_t d = 0;
	bool ok = false;
	if (json_is_integer(v)) {
		json_int_t s = json_integer_value(v);
		ok = s <= INT64_MAX / SECOND / 4;
		d = ok ? s * SECOND : 0;
	} else if (json_is_string(v)) {
		ok = duration_parse(text_of(v), &d);
	}
	if (!ok || d <= 0)
		return input_wrong(
		    in, row->name,
		    "must be a duration such as \"36h\" or \"90s\", or whole seconds");
	*(int64_t *)at = d;
	return true;
}

static bool read_bool(struct input *in, const struct input_row *row, const json_t *v, void *at)
{
	if (!json_is_boolean(v))
		return input_wrong(in, row->name, "must be true or false");
	*(uint32_t *)at = json_is_true(v);
	return true;
}

static bool read_count(struct input *in, const struct input_row *row, const json_t *v, void *at)
{
	if (!json_is_integer(v) || json_integer_value(v) < 1)
		return input_wrong(in, row->name, "must be a whole number of 1 or more");
	*(int64_t *)at = json_integer_value(v);
	return true;
}

static bool read_skip(struct input *in, const struct input_row *row, const json_t *v, void *at)
{
	(void)in;
	(void)row;
	(void)v;
	(void)at;
	return true;
}

typedef bool (*read_fn)(struct input *, const struct input_row *, const json_t *, void *);
static const read_fn READERS[] = {
    [INPUT_LINE] = read_text,         [INPUT_TEXT] = read_text,     [INPUT_DECIMAL] = read_decimal,
    [INPUT_CURRENCY] = read_currency, [INPUT_OBJECT] = read_json,   [INPUT_JSON] = read_json,
    [INPUT_TIME] = read_time,         [INPUT_PERIOD] = read_period, [INPUT_BOOL] = read_bool,
    [INPUT_COUNT] = read_count,       [INPUT_SKIP] = read_skip,
};

static const struct input_row *find(const struct input_row *rows, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++) {
		if (rows[i].name[0] == key[0] && strcmp(rows[i].name, key) == 0)
			return &rows[i];
	}
	return NULL;
}

static bool unknown(struct input *in, const struct input_row *rows, size_t n, const char *key)
{
	const char *names[ROWS_MAX];
	for (size_t i = 0; i < n && i < ROWS_MAX; i++)
		names[i] = rows[i].name;
	const char *near = str_nearest(key, names, n < ROWS_MAX ? n : ROWS_MAX);
	return input_wrong(in, key, "there is no such member%s%s%s",
			   near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

bool input_read(struct input *in, const json_t *object, const struct input_row *rows, size_t n,
		void *out, uint32_t *set)
{
	uint32_t seen = 0;
	/* jansson's iterators take no constants. */
	json_t *o = (json_t *)(uintptr_t)object;
	for (void *i = json_object_iter(o); i; i = json_object_iter_next(o, i)) {
		const char *key = json_object_iter_key(i);
		const json_t *v = json_object_iter_value(i);
		const struct input_row *row = find(rows, n, key);
		if (!row)
			return unknown(in, rows, n, key);
		seen |= 1u << (row - rows);
		if (set)
			*set |= row->set;
		if (json_is_null(v) && (row->flags & INPUT_NULLABLE))
			continue;
		if (!READERS[row->kind](in, row, v, (char *)out + row->offset))
			return false;
	}
	for (size_t i = 0; i < n; i++) {
		if ((rows[i].flags & INPUT_REQUIRED) && !(seen & 1u << i))
			return input_wrong(in, rows[i].name, "is required");
	}
	return true;
}
