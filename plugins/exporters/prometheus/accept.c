/*
 * accept.c: which of the two formats a scraper prefers (RFC 9110, 12.5.1).
 *
 * OpenMetrics is given only to those who ask for it, by its own name, in
 * version 1.0.0 or none, and who do not like plain text better. Pure.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "render.h"

struct range {
	txw_str type;
	txw_str version;
	double q;
};

static txw_str trim(txw_str s)
{
	while (s.len && (*s.ptr == ' ' || *s.ptr == '\t')) {
		s.ptr++;
		s.len--;
	}
	while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* Takes what stands before the next `at` off *rest. */
static txw_str next(txw_str *rest, char at)
{
	const char *end = rest->len ? memchr(rest->ptr, at, rest->len) : NULL;
	size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
	txw_str part = {rest->ptr, len};
	size_t skip = end ? len + 1 : len;
	rest->ptr = skip ? rest->ptr + skip : rest->ptr;
	rest->len -= skip;
	return trim(part);
}

static int is(txw_str s, const char *z)
{
	return s.len == strlen(z) && (s.len == 0 || strncasecmp(s.ptr, z, s.len) == 0);
}

static double weight(txw_str s)
{
	char text[8] = "";
	memcpy(text, s.ptr, s.len < sizeof(text) ? s.len : sizeof(text) - 1);
	double q = strtod(text, NULL);
	return q >= 0 && q <= 1 ? q : 0;
}

static struct range range_parse(txw_str text)
{
	struct range r = {.q = 1};
	r.type = next(&text, ';');
	while (text.len) {
		txw_str value = next(&text, ';');
		txw_str name = next(&value, '=');
		value = trim(value);
		if (value.len >= 2 && *value.ptr == '"')
			value = (txw_str){value.ptr + 1, value.len - 2};
		if (is(name, "version"))
			r.version = value;
		else if (is(name, "q") && value.len)
			r.q = weight(value);
	}
	return r;
}

int accept_choose(txw_str accept)
{
	double text = 0, open = 0;
	while (accept.len) {
		struct range r = range_parse(next(&accept, ','));
		if (is(r.type, "application/openmetrics-text") &&
		    (r.version.len == 0 || is(r.version, "1.0.0")) && r.q > open)
			open = r.q;
		if ((is(r.type, "text/plain") || is(r.type, "text/*")) && r.q > text)
			text = r.q;
	}
	return open > 0 && open >= text ? OPENMETRICS : TEXT_004;
}
