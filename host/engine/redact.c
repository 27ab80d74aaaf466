/*
 * redact.c: see redact.h.
 *
 * One pass over the text, copying. Which pointers still lead here is a set of
 * bits: those whose first n segments were the way taken so far. Where none is
 * left the value is skipped, so that only pointers make the walk deep. Names are compared as they
 * read, not as they are escaped; of members of one name each is replaced.
 */
#include "engine/redact.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

struct pointer {
	size_t n;
	txw_str segments[REDACT_DEPTH_MAX]; /* read: ~0 and ~1 are undone */
};

struct redact {
	struct arena arena;
	size_t n;
	struct pointer pointers[REDACT_POINTERS_MAX];
};

/* ---- pointers ---- */

struct redact *redact_new(void)
{
	return xcalloc(1, sizeof(struct redact));
}

void redact_free(struct redact *r)
{
	if (!r)
		return;
	arena_free(&r->arena);
	free(r);
}

static bool read_segment(struct redact *r, txw_str raw, txw_str *out)
{
	char *text = arena_alloc(&r->arena, raw.len + 1);
	size_t n = 0;
	for (size_t i = 0; i < raw.len; i++) {
		char c = raw.ptr[i];
		if (c == '~') {
			if (++i == raw.len || (raw.ptr[i] != '0' && raw.ptr[i] != '1'))
				return false;
			c = raw.ptr[i] == '0' ? '~' : '/';
		}
		text[n++] = c;
	}
	*out = (txw_str){text, n};
	return true;
}

const char *redact_add(struct redact *r, txw_str pointer)
{
	if (r->n == REDACT_POINTERS_MAX)
		return "there are more than 64 pointers";
	if (pointer.len == 0 || pointer.ptr[0] != '/')
		return "a JSON Pointer such as \"/card/number\" is needed";
	struct pointer p = {0};
	size_t at = 1;
	do {
		const char *end = memchr(pointer.ptr + at, '/', pointer.len - at);
		size_t n = end ? (size_t)(end - pointer.ptr) - at : pointer.len - at;
		if (p.n == REDACT_DEPTH_MAX)
			return "it has more than 32 segments";
		if (!read_segment(r, (txw_str){pointer.ptr + at, n}, &p.segments[p.n++]))
			return "a ~ must be followed by 0 (for ~) or 1 (for /)";
		at += n + 1;
	} while (at <= pointer.len);
	r->pointers[r->n++] = p;
	return NULL;
}

/* ---- the walk ---- */

struct walk {
	const struct redact *r;
	const char *at, *end;
	struct buf out;
	struct buf name; /* the member's, as it reads */
	bool is_changed;
};

static void skip_space(struct walk *w)
{
	while (w->at < w->end && strchr(" \t\r\n", *w->at) && *w->at)
		w->at++;
}

static bool skip_text(struct walk *w)
{
	for (w->at++; w->at < w->end; w->at++) {
		if (*w->at == '\\')
			w->at++;
		else if (*w->at == '"')
			break;
	}
	return w->at < w->end && *w->at++ == '"';
}

/* A whole value, nested or not. */
static bool skip_value(struct walk *w)
{
	size_t open = 0;
	do {
		skip_space(w);
		if (w->at >= w->end)
			return false;
		if (*w->at == '"') {
			if (!skip_text(w))
				return false;
		} else if (*w->at == '{' || *w->at == '[') {
			open++;
			w->at++;
		} else if (*w->at == '}' || *w->at == ']') {
			if (open-- == 0)
				return false;
			w->at++;
		} else if (*w->at == ',' || *w->at == ':') {
			if (open == 0)
				return false;
			w->at++;
		} else if (*w->at == '\0') {
			return false; /* strchr below finds it, and would stay */
		} else {
			while (w->at < w->end && !strchr(",:]}\"[{ \t\r\n", *w->at))
				w->at++;
		}
	} while (open);
	return true;
}

static void copy(struct walk *w, const char *from)
{
	buf_add(&w->out, from, (size_t)(w->at - from));
}

static unsigned hex4(const char *p)
{
	unsigned v = 0;
	for (int i = 0; i < 4; i++) {
		unsigned c = (unsigned char)p[i] | 0x20;
		v = v << 4 | ((c >= 'a' ? c - 'a' + 10 : c - '0') & 15);
	}
	return v;
}

static void add_utf8(struct buf *b, unsigned c)
{
	if (c < 0x80) {
		buf_char(b, (char)c);
		return;
	}
	if (c < 0x800) {
		buf_char(b, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			buf_char(b, (char)(0xe0 | c >> 12));
		} else {
			buf_char(b, (char)(0xf0 | c >> 18));
			buf_char(b, (char)(0x80 | (c >> 12 & 63)));
		}
		buf_char(b, (char)(0x80 | (c >> 6 & 63)));
	}
	buf_char(b, (char)(0x80 | (c & 63)));
}

/* The escape at p (behind its backslash); returns how much of it was read. */
static size_t add_escape(struct buf *b, const char *p, size_t left)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *at = *p ? strchr(from, *p) : NULL;
	if (*p != 'u' || left < 5) {
		buf_char(b, at ? to[at - from] : *p);
		return 1;
	}
	unsigned c = hex4(p + 1);
	bool is_pair = c >= 0xd800 && c < 0xdc00 && left >= 11 && p[5] == '\\' && p[6] == 'u';
	if (is_pair)
		c = 0x10000 + ((c - 0xd800) << 10) + ((hex4(p + 7) - 0xdc00) & 0x3ff);
	add_utf8(b, c);
	return is_pair ? 11 : 5;
}

/* The text from p to q, without its quotes. */
static void read_name(struct walk *w, const char *p, const char *q)
{
	w->name.len = 0;
	while (p < q) {
		if (*p == '\\' && q - p > 1)
			p += 1 + add_escape(&w->name, p + 1, (size_t)(q - p - 1));
		else
			buf_char(&w->name, *p++);
	}
}

/* Of the pointers in `set`, those that go on with this word. */
static uint64_t follow(const struct walk *w, uint64_t set, size_t depth, txw_str word)
{
	uint64_t next = 0;
	for (size_t i = 0; i < w->r->n; i++) {
		const struct pointer *p = &w->r->pointers[i];
		if (!(set & UINT64_C(1) << i) || depth >= p->n)
			continue;
		if (str_is(p->segments[depth], "*") || str_eq(p->segments[depth], word))
			next |= UINT64_C(1) << i;
	}
	return next;
}

static bool ends_here(const struct walk *w, uint64_t set, size_t depth)
{
	for (size_t i = 0; i < w->r->n; i++)
		if (set & UINT64_C(1) << i && w->r->pointers[i].n == depth)
			return true;
	return false;
}

static bool walk_value(struct walk *w, uint64_t set, size_t depth);

static bool walk_child(struct walk *w, uint64_t set, size_t depth)
{
	const char *from = w->at;
	if (ends_here(w, set, depth)) {
		buf_text(&w->out, "\"" REDACTED "\"");
		w->is_changed = true;
		return skip_value(w);
	}
	if (set)
		return walk_value(w, set, depth);
	if (!skip_value(w))
		return false;
	copy(w, from);
	return true;
}

static bool walk_object(struct walk *w, uint64_t set, size_t depth)
{
	const char *from = w->at++;
	for (;;) {
		skip_space(w);
		if (w->at < w->end && *w->at == '}')
			break;
		const char *name = w->at;
		if (w->at >= w->end || *w->at != '"' || !skip_text(w))
			return false;
		read_name(w, name + 1, w->at - 1);
		skip_space(w);
		if (w->at >= w->end || *w->at++ != ':')
			return false;
		skip_space(w);
		copy(w, from);
		if (!walk_child(w, follow(w, set, depth, buf_view(&w->name)), depth + 1))
			return false;
		from = w->at;
		skip_space(w);
		if (w->at < w->end && *w->at == ',')
			w->at++;
		else if (w->at >= w->end || *w->at != '}')
			return false;
	}
	w->at++;
	copy(w, from);
	return true;
}

static bool walk_array(struct walk *w, uint64_t set, size_t depth)
{
	const char *from = w->at++;
	for (int64_t i = 0;; i++) {
		skip_space(w);
		if (w->at < w->end && *w->at == ']')
			break;
		w->name.len = 0;
		buf_int(&w->name, i);
		copy(w, from);
		if (!walk_child(w, follow(w, set, depth, buf_view(&w->name)), depth + 1))
			return false;
		from = w->at;
		skip_space(w);
		if (w->at < w->end && *w->at == ',')
			w->at++;
		else if (w->at >= w->end || *w->at != ']')
			return false;
	}
	w->at++;
	copy(w, from);
	return true;
}

static bool walk_value(struct walk *w, uint64_t set, size_t depth)
{
	skip_space(w);
	const char *from = w->at;
	if (w->at >= w->end)
		return false;
	if (*w->at == '{')
		return walk_object(w, set, depth);
	if (*w->at == '[')
		return walk_array(w, set, depth);
	if (!skip_value(w))
		return false;
	copy(w, from);
	return true;
}

txw_str redact_json(const struct redact *r, struct arena *a, txw_str json)
{
	if (!r || !r->n || !json.len)
		return json;
	struct walk w = {.r = r, .at = json.ptr, .end = json.ptr + json.len};
	uint64_t all = r->n == 64 ? UINT64_MAX : (UINT64_C(1) << r->n) - 1;
	bool is_good = walk_value(&w, all, 0);
	skip_space(&w);
	txw_str out = json;
	if (!is_good || w.at != w.end)
		out = STR_LIT("{}");
	else if (w.is_changed)
		out = arena_str(a, buf_view(&w.out));
	buf_free(&w.out);
	buf_free(&w.name);
	return out;
}
