/*
 * explain_api.c: docs/api.md, made whole: below each heading `METHOD /path`
 * comes what the route table says of it, below "Objects" what bodies and
 * answers hold, below "Problems" the problems. What was printed there before
 * stands between two comments and is replaced, so that the page is its own
 * source: a test prints it and compares. Prose and examples are written into
 * the page.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/openapi.h"
#include "api/problem.h"
#include "api/schema.h"
#include "base/mem.h"
#include "command/explain.h"

#define OPEN  "<!-- printed -->\n"
#define CLOSE "<!-- /printed -->\n"

struct page {
	const char *path;
	struct buf out;
	bool *seen; /* by route */
	const struct route *section;
	bool has_example;
	bool in_printed;
	int wrong;
};

static void complain(struct page *p, const char *what, const struct route *r)
{
	fprintf(stderr, "txwatch explain: %s: %s `%s %s`\n", p->path, what, r->method, r->path);
	p->wrong = 1;
}

/* ---- a route ---- */

static void print_names(struct buf *b, const char *names)
{
	txw_str one;
	bool is_first = true;
	while ((one = schema_next(&names)).len) {
		buf_printf(b, "%s`%.*s`", is_first ? "" : " or ", (int)one.len, one.ptr);
		is_first = false;
	}
}

static void print_route(struct buf *b, const struct route *r)
{
	buf_text(b, OPEN);
	buf_printf(b, "%s. ", r->summary);
	if (r->scope == SCOPE_OPEN)
		buf_text(b, "Open to all. ");
	else
		buf_printf(b, "Scope `%s`. ", scope_name(r->scope));
	if (r->body) {
		buf_text(b, "Takes ");
		print_names(b, r->body);
		buf_text(b, ". ");
	}
	buf_text(b, "Answers ");
	for (size_t i = 0; route_good_status(r, i); i++)
		buf_printf(b, "%s%d", i ? " or " : "", route_good_status(r, i));
	if (r->answer) {
		buf_text(b, " with ");
		print_names(b, r->answer);
	}
	buf_text(b, r->flags & ROUTE_ONCE ? ". Honours `Idempotency-Key`.\n" : ".\n");
	if (r->queries) {
		buf_text(b, "\n| parameter | |\n| --- | --- |\n");
		for (const struct route_query *q = r->queries; q->name; q++)
			buf_printf(b, "| `%s` | %s |\n", q->name, q->help);
	}
	buf_text(b, CLOSE);
}

/* ---- all there is ---- */

static void print_schema(struct buf *b, const struct schema *s)
{
	struct member m;
	size_t max;
	if (!member_at(s, 0, &m, &max))
		return;
	buf_printf(b, "\n### `%s`\n%s.\n\n| member | holds | |\n| --- | --- | --- |\n", s->name,
		   s->help);
	for (size_t i = 0; member_at(s, i, &m, &max); i++) {
		buf_printf(b, "| `%s`%s | ", m.name, m.flags & MEMBER_OPTIONAL ? "?" : "");
		schema_words(b, &m);
		if (max)
			buf_printf(b, ", at most %zu", max);
		buf_printf(b, " | %s |\n", member_help(&m));
	}
}

static void print_objects(struct buf *b)
{
	buf_text(b, OPEN "A `?` marks what may be absent. `XList` is a page of `X`.\n");
	for (size_t i = 0; i < SCHEMAS_N; i++)
		print_schema(b, &SCHEMAS[i]);
	buf_text(b, CLOSE);
}

static void print_problems(struct buf *b)
{
	buf_text(b,
		 OPEN "| type `urn:txwatch:problem:…` | status | means |\n| --- | --- | --- |\n");
	for (size_t i = 0; i < PROBLEM_N; i++)
		buf_printf(b, "| `%s` | %d | %s |\n", PROBLEM_ROWS[i].name, PROBLEM_ROWS[i].status,
			   PROBLEM_ROWS[i].help);
	buf_text(b, CLOSE);
}

/* ---- the page, line by line ---- */

static void end_section(struct page *p)
{
	if (p->section && !p->has_example)
		complain(p, "no example (a block of sh) of", p->section);
	p->section = NULL;
	p->has_example = false;
}

/* "### `GET /v1/events`" */
static void begin_route(struct page *p, const char *line)
{
	char method[16], path[128];
	if (sscanf(line, "### `%15[A-Z] %127[^`]`", method, path) != 2)
		return;
	for (size_t i = 0; i < ROUTES_N; i++) {
		const struct route *r = &ROUTES[i];
		if (strcmp(r->method, method) != 0 || strcmp(r->path, path) != 0)
			continue;
		if (p->seen[i])
			complain(p, "two sections of", r);
		p->seen[i] = true;
		p->section = r;
		print_route(&p->out, r);
		return;
	}
	fprintf(stderr, "txwatch explain: %s: there is no route `%s %s`\n", p->path, method, path);
	p->wrong = 1;
}

static void take_line(struct page *p, const char *line)
{
	if (p->in_printed) {
		p->in_printed = strcmp(line, CLOSE) != 0;
		return;
	}
	if (strcmp(line, OPEN) == 0) {
		p->in_printed = true;
		return;
	}
	buf_text(&p->out, line);
	if (strncmp(line, "```sh", 5) == 0)
		p->has_example = true;
	if (strncmp(line, "## ", 3) != 0 && strncmp(line, "### ", 4) != 0)
		return;
	end_section(p);
	if (strcmp(line, "## Objects\n") == 0)
		print_objects(&p->out);
	else if (strcmp(line, "## Problems\n") == 0)
		print_problems(&p->out);
	else
		begin_route(p, line);
}

int explain_api(const char *path)
{
	struct page p = {.path = path};
	char *line = NULL;
	size_t cap = 0;
	FILE *f = fopen(path, "re");
	if (!f) {
		fprintf(stderr, "txwatch explain: %s: %s\n", path, strerror(errno));
		return 1;
	}
	p.seen = xcalloc(ROUTES_N, sizeof(bool));
	while (getline(&line, &cap, f) > 0)
		take_line(&p, line);
	end_section(&p);
	for (size_t i = 0; i < ROUTES_N; i++) {
		if (!p.seen[i])
			complain(&p, "no section (### and the route) of", &ROUTES[i]);
	}
	fwrite(p.out.ptr, 1, p.out.len, stdout);
	free(line);
	fclose(f);
	free(p.seen);
	buf_free(&p.out);
	return p.wrong;
}
