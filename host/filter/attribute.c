/*
 * attribute.c: a test on a value inside a transaction's attributes.
 *
 * A JSON number is compared by value with a number and as text with anything
 * else; a string that looks like a number can be ordered too, since amounts
 * are best sent as strings. true and false are their words. null is no value.
 * Arrays and objects only have: `:*`.
 *
 * A file of its own because jansson's names clash with those of base/buf.h.
 */
#include "filter/parts.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/decimal.h"
#include "base/str.h"

/* Never defined: it is jansson's value under our name. */
struct attributes;

static bool match_real(const txw_filter *f, double have)
{
	char text[64];
	int n = snprintf(text, sizeof text, "%.15g", have);
	if (f->op == TXW_F_HAS || !decimal_valid(f->text))
		return match_text(f->op, (txw_str){text, (size_t)n}, f->text);
	/* decimal_valid bounds the length. */
	snprintf(text, sizeof text, "%.*s", STR_ARG(f->text));
	double want = strtod(text, NULL);
	return match_order(f->op, (have > want) - (have < want));
}

static bool match_decimal(const txw_filter *f, txw_str have)
{
	if (f->op == TXW_F_HAS || !decimal_valid(f->text))
		return match_text(f->op, have, f->text);
	return match_order(f->op, decimal_cmp(have, f->text));
}

static bool match_string(const txw_filter *f, txw_str have)
{
	bool is_order = f->op != TXW_F_EQ && f->op != TXW_F_NE && f->op != TXW_F_HAS;
	if (!is_order)
		return match_text(f->op, have, f->text);
	return decimal_valid(have) && match_order(f->op, decimal_cmp(have, f->text));
}

static const json_t *find(txw_str path, const json_t *at)
{
	size_t start = 0;
	while (at && start <= path.len) {
		const char *end = start < path.len
				      ? memchr(path.ptr + start, '\0', path.len - start)
				      : NULL;
		size_t n = end ? (size_t)(end - path.ptr) - start : path.len - start;
		at = json_is_object(at) ? json_object_getn(at, path.ptr + start, n) : NULL;
		start += n + 1;
	}
	return at;
}

struct attributes *attributes_parse(txw_str json)
{
	return json.len ? (struct attributes *)json_loadb(json.ptr, json.len, 0, NULL) : NULL;
}

void attributes_free(struct attributes *a)
{
	json_decref((json_t *)a);
}

bool attributes_match(const struct attributes *a, const txw_filter *f)
{
	const json_t *v = find(f->path, (const json_t *)a);
	if (!v || json_is_null(v))
		return false;
	char text[24];
	int n;
	switch (json_typeof(v)) {
	case JSON_STRING:
		return match_string(f, (txw_str){json_string_value(v), json_string_length(v)});
	case JSON_INTEGER:
		n = snprintf(text, sizeof text, "%lld", (long long)json_integer_value(v));
		return match_decimal(f, (txw_str){text, (size_t)n});
	case JSON_REAL:
		return match_real(f, json_real_value(v));
	case JSON_TRUE:
		return match_text(f->op, STR_LIT("true"), f->text);
	case JSON_FALSE:
		return match_text(f->op, STR_LIT("false"), f->text);
	default:
		return f->op == TXW_F_HAS && str_is(f->text, "*");
	}
}
