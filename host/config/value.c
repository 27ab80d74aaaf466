/*
 * value.c: texts become numbers, durations, choices and opened secrets.
 *
 * One row of TYPES a type. Every value comes to this file as text, because
 * libconfuse reads 010 as eight and knows neither durations nor bytes.
 */
#include "config/value.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "config/conf.h"

#define SHOWN_MAX 60u

const char *value_shown(struct arena *a, txw_str text)
{
	char out[SHOWN_MAX * 4 + 4];
	size_t n = 0, i;

	for (i = 0; i < text.len && i < SHOWN_MAX; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c < 0x20 || c == 0x7f)
			n += (size_t)snprintf(out + n, sizeof(out) - n, "\\x%02x", c);
		else
			out[n++] = (char)c;
	}
	if (i < text.len) {
		while (n > 0 && ((unsigned char)out[n - 1] & 0xc0) == 0x80)
			n--; /* not half a character */
		if (n > 0 && ((unsigned char)out[n - 1] & 0x80))
			n--;
	}
	return arena_printf(a, "`%.*s%s`", (int)n, out, i < text.len ? "..." : "");
}

/* ---- bytes ---- */

static const struct {
	const char *suffix;
	int64_t bytes;
} UNITS[] = {{"GB", INT64_C(1) << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}};
#define N_UNITS (sizeof(UNITS) / sizeof(UNITS[0]))

bool bytes_parse(txw_str s, int64_t *out)
{
	int64_t times = 1, n;

	for (size_t i = 0; i < N_UNITS; i++) {
		if (s.len > 2 && memcmp(s.ptr + s.len - 2, UNITS[i].suffix, 2) == 0) {
			times = UNITS[i].bytes;
			s.len -= 2;
			break;
		}
	}
	if (s.len == 0 || s.ptr[0] < '0' || s.ptr[0] > '9' || !str_int(s, &n))
		return false;
	return !__builtin_mul_overflow(n, times, out);
}

size_t bytes_print(char *out, int64_t n)
{
	for (size_t i = 0; i < N_UNITS; i++)
		if (n > 0 && n % UNITS[i].bytes == 0)
			return (size_t)snprintf(out, BYTES_TEXT_MAX, "%lld%s",
						(long long)(n / UNITS[i].bytes), UNITS[i].suffix);
	return (size_t)snprintf(out, BYTES_TEXT_MAX, "%lld", (long long)n);
}

/* ---- the types ---- */

/* Reads one text; on a mismatch false, or a code with e's text set. */
typedef int32_t (*read_fn)(struct arena *a, const txw_option *row, txw_str text, int64_t *number,
			   txw_str *opened, struct err *e);

static int32_t read_string(struct arena *a, const txw_option *row, txw_str text, int64_t *number,
			   txw_str *opened, struct err *e)
{
	(void)row;
	(void)number;
	(void)e;
	*opened = arena_str(a, text);
	return 0;
}

static bool has_leading_zero(txw_str s)
{
	size_t at = s.len > 0 && s.ptr[0] == '-';

	return s.len > at + 1 && s.ptr[at] == '0';
}

static int32_t read_integer(struct arena *a, const txw_option *row, txw_str text, int64_t *number,
			    txw_str *opened, struct err *e)
{
	*opened = arena_str(a, text);
	(void)row;
	if (has_leading_zero(text))
		return err_set(e, TXW_E_INVALID,
			       "must be a whole number, found %s: a number is decimal and does not "
			       "begin with 0",
			       value_shown(a, text));
	if (!str_int(text, number))
		return err_set(e, TXW_E_INVALID, "must be a whole number, found %s",
			       value_shown(a, text));
	return 0;
}

static int32_t read_boolean(struct arena *a, const txw_option *row, txw_str text, int64_t *number,
			    txw_str *opened, struct err *e)
{
	(void)row;
	*opened = arena_str(a, text);
	*number = str_is(text, "true");
	if (!*number && !str_is(text, "false"))
		return err_set(e, TXW_E_INVALID, "must be true or false, found %s",
			       value_shown(a, text));
	return 0;
}

static int32_t read_duration(struct arena *a, const txw_option *row, txw_str text, int64_t *number,
			     txw_str *opened, struct err *e)
{
	(void)row;
	*opened = arena_str(a, text);
	if (!duration_parse(text, number))
		return err_set(e, TXW_E_INVALID,
			       "must be a duration, found %s: write 250ms, 5s, 30m, 2h, 7d or "
			       "1h30m",
			       value_shown(a, text));
	return 0;
}

static int32_t read_bytes(struct arena *a, const txw_option *row, txw_str text, int64_t *number,
			  txw_str *opened, struct err *e)
{
	(void)row;
	*opened = arena_str(a, text);
	if (has_leading_zero(text) || !bytes_parse(text, number))
		return err_set(e, TXW_E_INVALID,
			       "must be a number of bytes, found %s: write 512, 64KB, 16MB or 2GB",
			       value_shown(a, text));
	return 0;
}

#define MAX_CHOICES 64

static size_t split_choices(struct arena *a, const char *choices, const char *out[MAX_CHOICES])
{
	size_t n = 0;

	while (n < MAX_CHOICES) {
		size_t len = strcspn(choices, "|");

		out[n++] = arena_printf(a, "%.*s", (int)len, choices);
		if (!choices[len])
			break;
		choices += len + 1;
	}
	return n;
}

static int32_t read_choice(struct arena *a, const txw_option *row, txw_str text, int64_t *number,
			   txw_str *opened, struct err *e)
{
	const char *names[MAX_CHOICES], *near;
	size_t n = split_choices(a, row->choices, names);
	char list[512] = "";
	size_t at = 0;

	(void)number;
	*opened = arena_str(a, text);
	for (size_t i = 0; i < n; i++)
		if (str_is(text, names[i]))
			return 0;
	for (size_t i = 0; i < n && at < sizeof(list); i++)
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s",
				       i == 0      ? ""
				       : i + 1 < n ? ", "
						   : " or ",
				       names[i]);
	near = str_nearest(
	    arena_printf(a, "%.*s", text.len > 60 ? 60 : (int)text.len, text.ptr ? text.ptr : ""),
	    names, n);
	return err_set(e, TXW_E_INVALID, "must be %s, found %s%s%s%s", list, value_shown(a, text),
		       near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
}

static int32_t read_secret(struct arena *a, const txw_option *row, txw_str text, int64_t *number,
			   txw_str *opened, struct err *e)
{
	(void)row;
	(void)number;
	return secret_open(a, text, opened, e);
}

static const struct {
	const char *name;
	const char *list_name;
	read_fn read;
	bool is_ranged;
	size_t (*print)(char *out, int64_t n);
} TYPES[] = {
    [TXW_OPT_STRING] = {"string", "list of strings", read_string, false, NULL},
    [TXW_OPT_INTEGER] = {"integer", "list of integers", read_integer, true, NULL},
    [TXW_OPT_BOOLEAN] = {"boolean", "list of booleans", read_boolean, false, NULL},
    [TXW_OPT_DURATION] = {"duration", "list of durations", read_duration, true, duration_print},
    [TXW_OPT_BYTES] = {"bytes", "list of bytes", read_bytes, true, bytes_print},
    [TXW_OPT_CHOICE] = {"choice", "list of choices", read_choice, false, NULL},
    [TXW_OPT_SECRET] = {"secret", "list of secrets", read_secret, false, NULL},
};

const char *conf_type_name(const txw_option *row)
{
	if (row->type >= sizeof(TYPES) / sizeof(TYPES[0]))
		return "unknown";
	return row->flags & TXW_OPT_LIST ? TYPES[row->type].list_name : TYPES[row->type].name;
}

static void print_number(char out[DURATION_TEXT_MAX], const txw_option *row, int64_t n)
{
	if (TYPES[row->type].print)
		out[TYPES[row->type].print(out, n)] = '\0';
	else
		snprintf(out, DURATION_TEXT_MAX, "%lld", (long long)n);
}

void conf_range(char out[CONF_RANGE_MAX], const txw_option *row)
{
	char min[DURATION_TEXT_MAX], max[DURATION_TEXT_MAX];

	out[0] = '\0';
	if (!TYPES[row->type].is_ranged || row->max <= row->min)
		return;
	print_number(min, row, row->min);
	print_number(max, row, row->max);
	if (row->max == INT64_MAX)
		snprintf(out, CONF_RANGE_MAX, "%s or more", min);
	else
		snprintf(out, CONF_RANGE_MAX, "%s to %s", min, max);
}

static int32_t read_one(struct arena *a, const txw_option *row, txw_str text, int64_t *number,
			txw_str *opened, struct err *e)
{
	char range[CONF_RANGE_MAX];
	int32_t rc = TYPES[row->type].read(a, row, text, number, opened, e);

	if (rc < 0 || !TYPES[row->type].is_ranged || row->max <= row->min ||
	    (*number >= row->min && *number <= row->max))
		return rc;
	conf_range(range, row);
	return err_set(e, TXW_E_INVALID, "must be %s, found %s", range, value_shown(a, text));
}

int32_t value_make(struct arena *a, const txw_option *row, const txw_str *texts, uint32_t n,
		   bool is_list, txw_value *out, struct err *e)
{
	bool takes_list = row->flags & TXW_OPT_LIST;
	txw_str *opened = arena_alloc(a, (n + 1u) * sizeof(*opened));
	int64_t number = 0;

	if (is_list && !takes_list)
		return err_set(e, TXW_E_INVALID, "takes one %s, found a list",
			       TYPES[row->type].name);
	for (uint32_t i = 0; i < n; i++) {
		int32_t rc = read_one(a, row, texts[i], &number, &opened[i], e);

		if (rc < 0 && is_list && n > 1)
			return err_prefix(e, "item %u ", i + 1u);
		if (rc < 0)
			return rc;
	}
	out->is_set = 1;
	out->n = n;
	out->texts = opened;
	out->number = takes_list ? 0 : number;
	return 0;
}

/* ---- defaults ---- */

static void trim(txw_str *s)
{
	while (s->len && strchr(" \t\n", s->ptr[0])) {
		s->ptr++;
		s->len--;
	}
	while (s->len && strchr(" \t\n", s->ptr[s->len - 1]))
		s->len--;
}

/* The next item of a list's fallback; false when it is malformed. */
static bool take_item(txw_str *rest, txw_str *item)
{
	size_t at = 0;

	trim(rest);
	if (rest->len && (rest->ptr[0] == '"' || rest->ptr[0] == '\'')) {
		const char *end = memchr(rest->ptr + 1, rest->ptr[0], rest->len - 1);

		if (!end)
			return false;
		*item = (txw_str){rest->ptr + 1, (size_t)(end - rest->ptr) - 1};
		at = item->len + 2;
		while (at < rest->len && strchr(" \t\n", rest->ptr[at]))
			at++;
		if (at < rest->len && rest->ptr[at] != ',')
			return false;
	} else {
		while (at < rest->len && rest->ptr[at] != ',')
			at++;
		*item = (txw_str){rest->ptr, at};
		trim(item);
		if (item->len == 0 || memchr(item->ptr, '"', item->len))
			return false;
	}
	if (at < rest->len)
		at++;
	rest->ptr += at;
	rest->len -= at;
	return true;
}

static int32_t list_default(struct arena *a, const txw_option *row, txw_value *out, struct err *e)
{
	txw_str rest = str_of(row->fallback);
	txw_str *items = arena_alloc(a, (rest.len + 1) * sizeof(*items));
	uint32_t n = 0;

	trim(&rest);
	if (rest.len >= 2 && rest.ptr[0] == '{' && rest.ptr[1] != '{') {
		if (rest.ptr[rest.len - 1] != '}')
			return err_set(e, TXW_E_INVALID, "is a list without its closing brace");
		rest = (txw_str){rest.ptr + 1, rest.len - 2};
		trim(&rest);
	}
	while (rest.len)
		if (!take_item(&rest, &items[n++]))
			return err_set(e, TXW_E_INVALID,
				       "is no list: write \"a\", \"b\" or { \"a\", \"b\" }");
	return value_make(a, row, items, n, VALUE_IS_LIST, out, e);
}

int32_t value_default(struct arena *a, const txw_option *row, txw_value *out, struct err *e)
{
	txw_str text;

	if (!row->fallback)
		return 0;
	if (row->flags & TXW_OPT_LIST)
		return list_default(a, row, out, e);
	text = str_of(row->fallback);
	return value_make(a, row, &text, 1, !VALUE_IS_LIST, out, e);
}
