/*
 * attribute.c: a test on a value inside a transaction's attributes, as
 * txwatch/filter.h says it.
 *
 * Not SQLite's own JSON: there a path cannot name every member, and a number
 * is no longer what was written.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../shared/decimal.h"
#include "filter_sql.h"

static char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

bool text_contains(txw_str have, txw_str part)
{
	char first = part.len ? fold(part.ptr[0]) : '\0';
	for (size_t i = 0; i + part.len <= have.len; i++) {
		size_t k = 0;
		if (part.len && fold(have.ptr[i]) != first)
			continue;
		while (k < part.len && fold(have.ptr[i + k]) == fold(part.ptr[k]))
			k++;
		if (k == part.len)
			return true;
	}
	return false;
}

static bool equal(txw_str have, txw_str want)
{
	if (want.len && want.ptr[want.len - 1] == '*')
		return have.len >= want.len - 1 && memcmp(have.ptr, want.ptr, want.len - 1) == 0;
	return have.len == want.len && memcmp(have.ptr, want.ptr, want.len) == 0;
}

bool text_match(uint32_t op, txw_str have, txw_str want)
{
	if (op == TXW_F_EQ || op == TXW_F_NE)
		return equal(have, want) == (op == TXW_F_EQ);
	bool any = want.len == 1 && want.ptr[0] == '*';
	return op == TXW_F_HAS && (any || text_contains(have, want));
}

static bool match_order(uint32_t op, int cmp)
{
	switch (op) {
	case TXW_F_EQ:
		return cmp == 0;
	case TXW_F_NE:
		return cmp != 0;
	case TXW_F_LT:
		return cmp < 0;
	case TXW_F_LE:
		return cmp <= 0;
	case TXW_F_GT:
		return cmp > 0;
	case TXW_F_GE:
		return cmp >= 0;
	default:
		return false;
	}
}

static bool match_string(uint32_t op, txw_str have, txw_str want)
{
	if (op == TXW_F_EQ || op == TXW_F_NE || op == TXW_F_HAS)
		return text_match(op, have, want);
	return decimal_valid(have) && decimal_valid(want) &&
	       match_order(op, decimal_cmp(have, want));
}

static bool match_integer(uint32_t op, json_int_t have, txw_str want)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%lld", (long long)have);
	txw_str s = {text, (size_t)n};
	if (op == TXW_F_HAS || !decimal_valid(want))
		return text_match(op, s, want);
	return match_order(op, decimal_cmp(s, want));
}

static bool match_real(uint32_t op, double have, txw_str want)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%.15g", have);
	if (op == TXW_F_HAS || !decimal_valid(want))
		return text_match(op, (txw_str){text, (size_t)n}, want);
	snprintf(text, sizeof(text), "%.*s", (int)want.len, want.ptr); /* at most 60 */
	double than = strtod(text, NULL);
	return match_order(op, (have > than) - (have < than));
}

static const json_t *find(const json_t *at, txw_str path)
{
	size_t start = 0;
	while (at && start <= path.len) {
		size_t left = path.len - start;
		const char *end = left ? memchr(path.ptr + start, '\0', left) : NULL;
		size_t n = end ? (size_t)(end - path.ptr) - start : left;
		at = json_is_object(at) ? json_object_getn(at, path.ptr + start, n) : NULL;
		start += n + 1;
	}
	return at;
}

static bool match(const json_t *v, uint32_t op, txw_str text)
{
	switch (json_typeof(v)) {
	case JSON_STRING:
		return match_string(op, (txw_str){json_string_value(v), json_string_length(v)},
				    text);
	case JSON_INTEGER:
		return match_integer(op, json_integer_value(v), text);
	case JSON_REAL:
		return match_real(op, json_real_value(v), text);
	case JSON_TRUE:
		return text_match(op, (txw_str){"true", 4}, text);
	case JSON_FALSE:
		return text_match(op, (txw_str){"false", 5}, text);
	case JSON_NULL:
		return false;
	default:
		return op == TXW_F_HAS && text.len == 1 && text.ptr[0] == '*';
	}
}

bool attribute_match(txw_str attributes, txw_str path, uint32_t op, txw_str text)
{
	json_t *root = attributes.len ? json_loadb(attributes.ptr, attributes.len, 0, NULL) : NULL;
	const json_t *v = find(root, path);
	bool holds = v && match(v, op, text);
	json_decref(root);
	return holds;
}
