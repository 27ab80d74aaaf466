/* explain_text.c: option rows for a terminal of 80 columns. */
#include <string.h>

#include "command/explain.h"
#include "config/conf.h"

#define WIDTH 80u

void explain_form(struct buf *out, const struct conf_schema *schema)
{
	buf_text(out, schema->keyword);
	if (schema->is_titled)
		buf_text(out, " NAME");
	buf_text(out, " { ... }");
}

static void indent(struct buf *out, size_t n)
{
	while (n-- > 0)
		buf_char(out, ' ');
}

/* Words filled into lines that begin `at` columns in. */
static void fill(struct buf *out, const char *text, size_t at)
{
	size_t column = 0;

	while (*text) {
		size_t n = strcspn(text, " ");

		if (column && column + 1 + n > WIDTH) {
			buf_char(out, '\n');
			column = 0;
		}
		if (column == 0) {
			indent(out, at);
			column = at;
		} else {
			buf_char(out, ' ');
			column++;
		}
		buf_add(out, text, n);
		column += n;
		text += n + (text[n] == ' ');
	}
	buf_char(out, '\n');
}

/* "duration, 10ms to 366d, default 30s" */
static void row_line(struct buf *out, const txw_option *row)
{
	char range[CONF_RANGE_MAX];

	conf_range(range, row);
	buf_text(out, conf_type_name(row));
	if (row->choices) {
		buf_text(out, ": ");
		buf_text(out, row->choices);
	}
	if (*range)
		buf_printf(out, ", %s", range);
	if (row->flags & TXW_OPT_REQUIRED)
		buf_text(out, ", required");
	if (row->fallback)
		buf_printf(out, ", default %s", *row->fallback ? row->fallback : "\"\"");
	if (row->flags & TXW_OPT_DEPRECATED)
		buf_text(out, ", deprecated");
}

static void print_schema(struct buf *out, const struct conf_schema *s, size_t at)
{
	struct buf help = {0};

	if (*s->keyword) {
		indent(out, at);
		buf_printf(out, "%s%s {\n", s->keyword, s->is_titled ? " NAME" : "");
		at += 4;
	}
	for (size_t i = 0; i < conf_n_rows(s); i++) {
		const txw_option *row = conf_row(s, i);

		indent(out, at);
		buf_printf(out, "%-16s ", row->name);
		row_line(out, row);
		buf_char(out, '\n');
		help.len = 0;
		buf_printf(&help, "%s.", row->help);
		buf_char(&help, '\0');
		fill(out, help.ptr, at + 4);
	}
	for (const struct conf_schema *c = s->children; c && c->keyword; c++) {
		buf_char(out, '\n');
		print_schema(out, c, at);
	}
	if (*s->keyword) {
		indent(out, at - 4);
		buf_text(out, "}\n");
	}
	buf_free(&help);
}

void explain_text(struct buf *out, const struct conf_schema *schema)
{
	buf_printf(out, "%s.\n\n", schema->help);
	print_schema(out, schema, 0);
}
