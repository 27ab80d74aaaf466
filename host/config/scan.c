/*
 * scan.c: the first reading: which sections, options and plugins a file has,
 * and where.
 *
 * It reads libconfuse's grammar, less what libconfuse reads wrongly, and
 * keeps a tree of marks. A mistake in the grammar is told at once and the
 * reading goes on at the next line, so that one run tells most of them; it
 * yields no scan. A mistake within one value (a flaw) leaves the tree whole:
 * the option is marked bad, and conf_parse goes on to judge all the others.
 */
#include "config/conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/lex.h"
#include "config/marks.h"

struct reader {
	struct lexer lex;
	struct conf_scan *scan;
	struct marks *marks;
	struct conf_report *report;
	bool is_broken; /* the grammar: no scan comes of it */
	bool is_over;   /* read no further */
};

/* An arena_str that is a C string even when empty. */
static const char *text_copy(struct arena *a, txw_str s)
{
	return s.len ? arena_str(a, s).ptr : "";
}

static const char *token_name(struct reader *r)
{
	switch (r->lex.token) {
	case TOKEN_END:
		return "the end of the file";
	case TOKEN_WORD:
		return arena_printf(&r->scan->arena, "`%.*s`",
				    r->lex.value.len > 40 ? 40 : (int)r->lex.value.len,
				    r->lex.value.ptr);
	case TOKEN_STRING:
		return "a quoted text";
	case TOKEN_UNENDED:
		return "a text that does not end";
	default:
		return arena_printf(&r->scan->arena, "`%.*s`", (int)(r->lex.end - r->lex.begin),
				    r->lex.text + r->lex.begin);
	}
}

/* Past the mistake: to the first token on a later line that is not inside
 * braces opened on the way, or to the } that ends the section. */
static void recover(struct reader *r)
{
	int line = r->lex.token_line;
	size_t depth = 0;

	r->is_broken = true;
	for (;; lex_next(&r->lex)) {
		if (r->lex.token == TOKEN_END || r->lex.token == TOKEN_UNENDED)
			return;
		if (depth == 0 && (r->lex.token == TOKEN_CLOSE || r->lex.token_line > line))
			return;
		depth += r->lex.token == TOKEN_OPEN;
		depth -= r->lex.token == TOKEN_CLOSE;
	}
}

static void broken(struct reader *r, const struct mark_section *s, const char *what)
{
	if (r->lex.token == TOKEN_UNENDED)
		return; /* told where the reading ends */
	mark_problem(r->report, s, r->lex.token_line, "%s, found %s", what, token_name(r));
	recover(r);
}

static void tell_unended(struct reader *r)
{
	char first = r->lex.text[r->lex.begin];
	const char *what = first == '"' || first == '\'' ? "quote" : "comment";

	conf_problem(r->report, r->lex.token_line,
		     "the %s that begins here is not closed%s; nothing after it was read", what,
		     *what == 'q' ? " on its line (a line that ends in \\ goes on in the next)"
				  : " before the end of the file");
	r->is_broken = true;
	r->is_over = true;
}

/* ---- options ---- */

static void flaw(struct reader *r, const struct mark_section *s, struct mark_option *o,
		 const char *why)
{
	if (!o->is_bad)
		mark_problem(r->report, s, r->lex.token_line, "%s %s", o->name, why);
	o->is_bad = true;
	r->marks->is_bad = true;
}

struct texts {
	txw_str *ptr;
	size_t n, cap;
};

static void push(struct texts *t, txw_str text)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 8;
		t->ptr = xrealloc(t->ptr, t->cap * sizeof(*t->ptr));
	}
	t->ptr[t->n++] = text;
}

static bool is_text(const struct reader *r)
{
	return r->lex.token == TOKEN_WORD || r->lex.token == TOKEN_STRING;
}

static void take_text(struct reader *r, const struct mark_section *s, struct mark_option *o,
		      struct texts *t)
{
	if (r->lex.flaw)
		flaw(r, s, o, r->lex.flaw);
	push(t, r->lex.value);
	o->end = r->lex.end;
	lex_next(&r->lex);
}

/* After the opening brace. */
static bool read_list(struct reader *r, const struct mark_section *s, struct mark_option *o,
		      struct texts *t)
{
	o->is_list = true;
	while (r->lex.token != TOKEN_CLOSE) {
		if (!is_text(r)) {
			broken(r, s,
			       arena_printf(&r->scan->arena, "%s: expected a value or }", o->name));
			return false;
		}
		take_text(r, s, o, t);
		if (r->lex.token == TOKEN_COMMA) {
			lex_next(&r->lex);
		} else if (r->lex.token != TOKEN_CLOSE) {
			broken(r, s,
			       arena_printf(&r->scan->arena,
					    "%s, a list begun on line %d: expected , or }", o->name,
					    o->line));
			return false;
		}
	}
	o->end = r->lex.end;
	lex_next(&r->lex);
	return true;
}

/* After the equals sign. */
static void read_value(struct reader *r, struct mark_section *s, struct mark_option *o)
{
	struct texts t = {0};
	bool is_whole = true;

	if (r->lex.token == TOKEN_OPEN) {
		lex_next(&r->lex);
		is_whole = read_list(r, s, o, &t);
	} else if (is_text(r)) {
		int line_of_value = r->lex.token_line;
		bool is_word = r->lex.token == TOKEN_WORD;

		take_text(r, s, o, &t);
		if (r->lex.token == TOKEN_EQUALS && is_word &&
		    line_of_value > o->line) { /* url = <newline> every = 5s */
			mark_problem(r->report, s, o->line, "%s has no value", o->name);
			recover(r);
		}
	} else {
		is_whole = false;
		broken(r, s, arena_printf(&r->scan->arena, "%s: expected a value", o->name));
	}
	if (is_whole) {
		txw_str *texts = arena_alloc(&r->scan->arena, (t.n + 1) * sizeof(*texts));

		if (t.n)
			memcpy(texts, t.ptr, t.n * sizeof(*texts));
		o->texts = texts;
		o->n = (uint32_t)t.n;
		*s->last_option = o;
		s->last_option = &o->next;
	}
	free(t.ptr);
}

static struct mark_option *option_new(struct reader *r, txw_str name, size_t begin, int line)
{
	struct mark_option *o = arena_alloc(&r->scan->arena, sizeof(*o));

	o->name = text_copy(&r->scan->arena, name);
	o->line = line;
	o->begin = begin;
	o->end = r->lex.end;
	return o;
}

/* ---- sections ---- */

static void read_statements(struct reader *r, struct mark_section *s, unsigned depth);

static void section_init(struct mark_section *s)
{
	s->last_option = &s->options;
	s->last_child = &s->children;
}

/* At the opening brace. */
static void read_section(struct reader *r, struct mark_section *parent, struct mark_section *s,
			 unsigned depth)
{
	section_init(s);
	s->parent = parent;
	if (depth >= CONF_MAX_DEPTH || ++r->marks->n_sections > CONF_MAX_SECTIONS) {
		mark_problem(r->report, s, s->line,
			     "too many sections: at most %u in one another and %u in a file",
			     CONF_MAX_DEPTH, CONF_MAX_SECTIONS);
		r->is_broken = true;
		r->is_over = true;
		return;
	}
	lex_next(&r->lex);
	read_statements(r, s, depth + 1);
	if (r->is_over)
		return;
	if (r->lex.token != TOKEN_CLOSE) {
		if (!r->is_broken)
			mark_problem(r->report, s, s->line,
				     "the section that begins here is not closed: } is missing");
		r->is_broken = true;
		return;
	}
	s->end = r->lex.end;
	*parent->last_child = s;
	parent->last_child = &s->next;
	lex_next(&r->lex);
}

static void refuse_call(struct reader *r, const struct mark_section *s, const char *name)
{
	if (strcmp(name, "include") == 0)
		mark_problem(r->report, s, r->lex.token_line,
			     "include(...) is not supported: a site is one file");
	else
		mark_problem(r->report, s, r->lex.token_line,
			     "`%s(...)` is not supported: write %s = VALUE", name, name);
	recover(r);
}

/* One option or section; the lexer stands on its first word. */
static void read_statement(struct reader *r, struct mark_section *s, unsigned depth)
{
	size_t begin = r->lex.begin;
	int line = r->lex.token_line;
	const char *shown = token_name(r);
	txw_str name = r->lex.value;
	struct mark_section *child;

	if (r->lex.token != TOKEN_WORD || r->lex.flaw) {
		broken(r, s, "expected the name of an option or a section");
		return;
	}
	lex_next(&r->lex);
	if (r->lex.token == TOKEN_EQUALS || r->lex.token == TOKEN_APPEND) {
		struct mark_option *o = option_new(r, name, begin, line);

		if (r->lex.token == TOKEN_APPEND)
			flaw(r, s, o, "is added to by +=: write the whole list, with =");
		lex_next(&r->lex);
		read_value(r, s, o);
		return;
	}
	if (r->lex.token == TOKEN_PAREN) {
		refuse_call(r, s, text_copy(&r->scan->arena, name));
		return;
	}
	child = arena_alloc(&r->scan->arena, sizeof(*child));
	child->keyword = text_copy(&r->scan->arena, name);
	child->line = line;
	child->begin = begin;
	if (r->lex.token != TOKEN_OPEN && (!is_text(r) || r->lex.token_line > line)) {
		mark_problem(r->report, s, line, "%s stands alone: expected = VALUE or { after it",
			     shown);
		r->is_broken = true;
		return;
	}
	if (is_text(r)) {
		child->title = text_copy(&r->scan->arena, r->lex.value);
		if (r->lex.flaw)
			mark_problem(r->report, s, line, "the title after %s %s", shown,
				     r->lex.flaw);
		r->is_broken |= r->lex.flaw != NULL;
		lex_next(&r->lex);
		if (r->lex.token != TOKEN_OPEN) {
			mark_problem(r->report, s, line,
				     "expected = after %s (or, of a section, { after its title)",
				     shown);
			r->is_broken = true;
			if (r->lex.token_line == line)
				recover(r);
			return;
		}
	}
	read_section(r, s, child, depth);
}

/* Until a } that is not theirs, or the end. */
static void read_statements(struct reader *r, struct mark_section *s, unsigned depth)
{
	while (!r->is_over && r->lex.token != TOKEN_END && r->lex.token != TOKEN_CLOSE) {
		if (r->lex.token != TOKEN_UNENDED)
			read_statement(r, s, depth);
		if (!r->is_over && r->lex.token == TOKEN_UNENDED)
			tell_unended(r);
	}
}

static void read_file(struct reader *r)
{
	r->marks->root.keyword = "";
	section_init(&r->marks->root);
	lex_next(&r->lex);
	for (;;) {
		read_statements(r, &r->marks->root, 0);
		if (r->is_over || r->lex.token == TOKEN_END)
			return;
		if (!r->is_broken)
			conf_problem(r->report, r->lex.token_line,
				     "there is no section that this } could end");
		r->is_broken = true;
		lex_next(&r->lex);
	}
}

/* ---- the text ---- */

/* CRLF becomes LF and a byte order mark goes, before anything is counted. */
static size_t normalise(char *text, size_t len)
{
	size_t from = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	size_t to = 0;

	for (; from < len; from++) {
		if (text[from] == '\r' && from + 1 < len && text[from + 1] == '\n')
			continue;
		text[to++] = text[from];
	}
	text[to] = '\0';
	return to;
}

/* Is every line UTF-8 text without NUL? */
static bool is_readable(const char *text, size_t len, struct conf_report *report)
{
	int line = 1;

	for (size_t at = 0; at < len; line++) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end ? (size_t)(end - text) - at : len - at;

		if (memchr(text + at, '\0', n)) {
			conf_problem(report, line, "a NUL byte: this is not a text file in UTF-8");
			return false;
		}
		if (!str_utf8((txw_str){text + at, n})) {
			conf_problem(report, line,
				     "bytes that are not UTF-8: save the file as UTF-8");
			return false;
		}
		at += n + 1;
	}
	return true;
}

/* What site.c needs before conf_parse: the sections and the plugin lists. */
static void list_uses(struct conf_scan *s, const struct marks *m)
{
	const struct mark_section *c;
	const struct mark_option *o;

	for (c = m->root.children; c; c = c->next)
		s->n_uses++;
	s->uses = arena_alloc(&s->arena, (s->n_uses + 1) * sizeof(*s->uses));
	s->n_uses = 0;
	for (c = m->root.children; c; c = c->next)
		s->uses[s->n_uses++] = (struct conf_use){c->keyword, c->title ? c->title : "",
							 c->line};
	for (o = m->root.options; o; o = o->next) {
		bool is_plugins = strcmp(o->name, "plugins") == 0;
		txw_str *texts;

		if (!is_plugins && strcmp(o->name, "plugin-path") != 0)
			continue;
		if (is_plugins ? s->plugins != NULL : s->plugin_paths != NULL)
			continue; /* given twice: conf_parse says so */
		texts = arena_alloc(&s->arena, (o->n + 1u) * sizeof(*texts));
		if (o->n)
			memcpy(texts, o->texts, o->n * sizeof(*texts));
		*(is_plugins ? &s->plugins : &s->plugin_paths) = texts;
		*(is_plugins ? &s->n_plugins : &s->n_plugin_paths) = o->n;
	}
}

struct conf_scan *conf_scan_text(const char *file, const char *text, size_t len,
				 struct conf_report *report)
{
	struct reader r = {.report = report};
	struct conf_scan *s;

	if (len > CONF_MAX_BYTES) {
		conf_problem(report, 0, "the file is larger than 1 MB, the most that is read");
		return NULL;
	}
	s = xcalloc(1, sizeof(*s));
	s->file = arena_printf(&s->arena, "%s", file);
	s->text = arena_alloc(&s->arena, len + 1);
	if (len)
		memcpy(s->text, text, len);
	s->len = normalise(s->text, len);
	r.scan = s;
	r.marks = s->marks = arena_alloc(&s->arena, sizeof(*r.marks));
	if (!is_readable(s->text, s->len, report)) {
		conf_scan_free(s);
		return NULL;
	}
	lex_begin(&r.lex, &s->arena, s->text, s->len);
	read_file(&r);
	lex_end(&r.lex);
	if (r.is_broken) {
		conf_scan_free(s);
		return NULL;
	}
	list_uses(s, r.marks);
	return s;
}

struct conf_scan *conf_scan(const char *path, struct conf_report *report)
{
	struct conf_scan *s = NULL;
	char *text = xmalloc(CONF_MAX_BYTES + 1u);
	FILE *f = fopen(path, "re");
	size_t len;

	if (!f) {
		conf_problem(report, 0, "cannot be opened: %s", strerror(errno));
		goto free_text;
	}
	len = fread(text, 1, CONF_MAX_BYTES + 1u, f);
	if (ferror(f))
		conf_problem(report, 0, "cannot be read: %s", strerror(errno));
	else
		s = conf_scan_text(path, text, len, report);
	fclose(f);
free_text:
	free(text);
	return s;
}

void conf_scan_free(struct conf_scan *s)
{
	if (!s)
		return;
	arena_free(&s->arena);
	free(s);
}
