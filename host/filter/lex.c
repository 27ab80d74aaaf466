/*
 * lex.c: words, quotes and comparators of a filter's text.
 *
 * The parser asks for what the grammar wants next, because the same
 * characters mean different things: a ':' compares after a field, but is part
 * of a value (2026-01-31T12:00:00Z).
 */
#include "filter/parts.h"

#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || (unsigned char)c >= 0x80;
}

/* Of a bare value: whatever cannot end it. */
static bool is_bare(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f && !strchr("()\"'\\,=<>!", c);
}

static bool at_end(const struct parser *p, size_t at)
{
	return at >= p->text.len;
}

int32_t lex_fail(struct parser *p, size_t at, const char *fmt, ...)
{
	char text[512];
	size_t column = 1;
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	/* People count characters: bytes that continue one do not count. */
	for (size_t i = 0; i < at && i < p->text.len; i++)
		column += ((unsigned char)p->text.ptr[i] & 0xc0) != 0x80;
	return err_set(p->err, TXW_E_INVALID, "column %zu: %s", column, text);
}

const char *lex_found(struct parser *p, size_t at)
{
	while (!at_end(p, at) && is_space(p->text.ptr[at]))
		at++;
	if (at_end(p, at))
		return "the end";
	size_t n = 0;
	while (!at_end(p, at + n) && is_bare(p->text.ptr[at + n]))
		n++;
	if (n > 32) {
		n = 32;
		while (((unsigned char)p->text.ptr[at + n] & 0xc0) == 0x80)
			n--;
	}
	return arena_printf(p->arena, "`%.*s`", (int)(n ? n : 1), p->text.ptr + at);
}

void lex_space(struct parser *p)
{
	while (!lex_at_end(p) && is_space(p->text.ptr[p->pos]))
		p->pos++;
}

bool lex_at_end(const struct parser *p)
{
	return at_end(p, p->pos);
}

bool lex_char(struct parser *p, char c)
{
	lex_space(p);
	if (lex_at_end(p) || p->text.ptr[p->pos] != c)
		return false;
	p->pos++;
	return true;
}

bool lex_keyword(struct parser *p, const char *word)
{
	lex_space(p);
	txw_str rest = {p->text.ptr + p->pos, p->text.len - p->pos};
	size_t n = strlen(word);
	if (!str_starts(rest, str_of(word)))
		return false;
	if (rest.len > n && (is_name(rest.ptr[n]) || strchr(".:=<>!", rest.ptr[n])))
		return false;
	p->pos += n;
	return true;
}

/* A string in either quotes; the first one is at p->pos. */
static int32_t quoted(struct parser *p, txw_str *out)
{
	static const char escapes[] = "\"\"''\\\\n\nt\t";
	size_t start = p->pos;
	char quote = p->text.ptr[p->pos++];
	char *text = arena_alloc(p->arena, p->text.len - p->pos + 1);
	size_t n = 0;
	for (;; p->pos++) {
		if (lex_at_end(p))
			return lex_fail(p, start, "this %c is never closed", quote);
		char c = p->text.ptr[p->pos];
		if (c == quote)
			break;
		if (c == '\\') {
			const char *e = escapes;
			char want = at_end(p, ++p->pos) ? '\0' : p->text.ptr[p->pos];
			while (*e && *e != want)
				e += 2;
			if (!*e)
				return lex_fail(p, p->pos - 1,
						"a \\ is followed by one of \" ' \\ n t");
			c = e[1];
		}
		text[n++] = c;
	}
	p->pos++;
	*out = (txw_str){text, n};
	return 0;
}

int32_t lex_field(struct parser *p, struct dotted *out)
{
	lex_space(p);
	*out = (struct dotted){.at = p->pos};
	for (;;) {
		size_t start = p->pos;
		if (out->n == SEGMENTS_MAX)
			return lex_fail(p, out->at, "a path of more than %d names", SEGMENTS_MAX);
		txw_str *s = &out->segments[out->n++];
		if (out->n > 1 && !lex_at_end(p) &&
		    (p->text.ptr[p->pos] == '"' || p->text.ptr[p->pos] == '\'')) {
			int32_t rc = quoted(p, s);
			if (rc < 0)
				return rc;
		} else {
			while (!lex_at_end(p) && is_name(p->text.ptr[p->pos]))
				p->pos++;
			*s = (txw_str){p->text.ptr + start, p->pos - start};
		}
		if (out->n == 1 && p->pos == start && !lex_at_end(p) &&
		    (p->text.ptr[start] == '"' || p->text.ptr[start] == '\''))
			return lex_fail(
			    p, start,
			    "a text stands alone: say where to look, as in reason:%c...%c",
			    p->text.ptr[start], p->text.ptr[start]);
		if (p->pos == start)
			return lex_fail(p, start, "expected %s, found %s",
					out->n > 1 ? "a name after the dot" : "a field, NOT or (",
					lex_found(p, start));
		if (lex_at_end(p) || p->text.ptr[p->pos] != '.')
			return 0;
		p->pos++;
	}
}

bool lex_follows(struct parser *p, char c)
{
	lex_space(p);
	return !lex_at_end(p) && p->text.ptr[p->pos] == c;
}

bool lex_op_follows(struct parser *p)
{
	lex_space(p);
	return !lex_at_end(p) && strchr("=!<>:", p->text.ptr[p->pos]);
}

int32_t lex_op(struct parser *p, const struct dotted *field, uint32_t *op)
{
	static const struct {
		const char *text;
		uint32_t op;
	} rows[] = {
	    /* the longer ones first */
	    {"!=", TXW_F_NE}, {"<=", TXW_F_LE}, {">=", TXW_F_GE}, {"=", TXW_F_EQ},
	    {"<", TXW_F_LT},  {">", TXW_F_GT},  {":", TXW_F_HAS},
	};
	lex_space(p);
	txw_str rest = {p->text.ptr + p->pos, p->text.len - p->pos};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (!str_starts(rest, str_of(rows[i].text)))
			continue;
		p->pos += strlen(rows[i].text);
		*op = rows[i].op;
		return 0;
	}
	return lex_fail(p, p->pos, "expected = != < <= > >= or : after `%.*s`, found %s",
			(int)(field->segments[0].len > 64 ? 64 : field->segments[0].len),
			field->segments[0].ptr, lex_found(p, p->pos));
}

int32_t lex_value(struct parser *p, struct value *out)
{
	lex_space(p);
	out->at = p->pos;
	if (!lex_at_end(p) && (p->text.ptr[p->pos] == '"' || p->text.ptr[p->pos] == '\''))
		return quoted(p, &out->text);
	while (!lex_at_end(p) && is_bare(p->text.ptr[p->pos]))
		p->pos++;
	out->text = (txw_str){p->text.ptr + out->at, p->pos - out->at};
	if (out->text.len == 0)
		return lex_fail(p, out->at, "expected a value, found %s", lex_found(p, out->at));
	static const char *const keywords[] = {"AND", "OR", "NOT"};
	for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
		if (str_is(out->text, keywords[i]))
			return lex_fail(p, out->at,
					"expected a value, found `%s` (to mean the word, put it "
					"in quotes)",
					keywords[i]);
	return 0;
}
