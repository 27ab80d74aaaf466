/* report.c: a file's mistakes, gathered, and printed in the file's order. */
#include "config/conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "config/marks.h"

/* More help nobody; a broken megabyte must not make a million lines. */
#define MAX_PROBLEMS 200u

void conf_report_init(struct conf_report *r, const char *file)
{
	*r = (struct conf_report){.last = &r->first};
	r->file = arena_printf(&r->arena, "%s", file);
}

void conf_report_free(struct conf_report *r)
{
	arena_free(&r->arena);
	*r = (struct conf_report){.last = &r->first};
}

static void add(struct conf_report *r, const struct mark_section *s, int line, bool is_warning,
		const char *text)
{
	struct conf_problem *p;
	const char *label = "", *colon = "";

	if (!is_warning)
		r->n_errors++;
	if (r->n_errors > MAX_PROBLEMS)
		return;
	for (; s && *s->keyword; s = s->parent) {
		label = arena_printf(&r->arena, "%s%s%s%s%s", s->keyword, s->title ? " " : "",
				     s->title ? s->title : "", *label ? ", " : "", label);
		colon = ": ";
	}
	p = arena_alloc(&r->arena, sizeof(*p));
	p->line = line;
	p->is_warning = is_warning;
	p->text = arena_printf(&r->arena, "%s%s%s", label, colon, text);
	*r->last = p;
	r->last = &p->next;
}

#define ADD_FORMATTED(r, section, line, is_warning, fmt)            \
	do {                                                        \
		char text_[2048];                                   \
		va_list ap_;                                        \
                                                                    \
		va_start(ap_, fmt);                                 \
		vsnprintf(text_, sizeof(text_), fmt, ap_);          \
		va_end(ap_);                                        \
		add((r), (section), (line), (is_warning), (text_)); \
	} while (0)

void conf_problem(struct conf_report *r, int line, const char *fmt, ...)
{
	ADD_FORMATTED(r, NULL, line, false, fmt);
}

void conf_warning(struct conf_report *r, int line, const char *fmt, ...)
{
	ADD_FORMATTED(r, NULL, line, true, fmt);
}

void mark_problem(struct conf_report *r, const struct mark_section *s, int line, const char *fmt,
		  ...)
{
	ADD_FORMATTED(r, s, line, false, fmt);
}

void mark_warning(struct conf_report *r, const struct mark_section *s, int line, const char *fmt,
		  ...)
{
	ADD_FORMATTED(r, s, line, true, fmt);
}

struct place {
	const struct conf_problem *problem;
	size_t order;
};

static int by_line(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->problem->line != y->problem->line)
		return x->problem->line < y->problem->line ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

void conf_report_print(const struct conf_report *r, struct buf *out)
{
	const struct conf_problem *p;
	struct place *places;
	size_t n = 0, i = 0;

	for (p = r->first; p; p = p->next)
		n++;
	places = xcalloc(n + 1, sizeof(*places));
	for (p = r->first; p; p = p->next, i++)
		places[i] = (struct place){p, i};
	qsort(places, n, sizeof(*places), by_line);
	for (i = 0; i < n; i++) {
		p = places[i].problem;
		buf_text(out, r->file);
		if (p->line > 0)
			buf_printf(out, ":%d", p->line);
		buf_printf(out, ": %s: %s\n", p->is_warning ? "warning" : "error", p->text);
	}
	free(places);
	if (r->n_errors > MAX_PROBLEMS)
		buf_printf(out, "%s: error: and %zu more\n", r->file, r->n_errors - MAX_PROBLEMS);
}
