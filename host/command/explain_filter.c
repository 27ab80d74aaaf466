/* explain_filter.c: the fields that filters ask about, for people and for
 * docs/filter.md. */
#include "command/explain.h"
#include "filter/filter.h"

static const char *kind_name(uint32_t kind)
{
	return kind == TXW_F_TIME ? "time" : kind == TXW_F_NUMBER ? "number" : "text";
}

static const char *ops(const struct filter_field *f)
{
	if (f->number == TXW_FIELD_ATTRIBUTES || f->kind != TXW_F_TEXT)
		return f->kind == TXW_F_TEXT ? "= != < <= > >= :" : "= != < <= > >= :*";
	return "= != :";
}

void explain_filter(struct buf *out, bool is_markdown)
{
	if (is_markdown)
		buf_text(out, "| field | kind | takes | of | what it is |\n"
			      "| --- | --- | --- | --- | --- |\n");
	else
		buf_text(out, "What a filter may ask about (docs/filter.md has the language):\n\n");
	for (size_t i = 0; i < FILTER_FIELDS_N; i++) {
		const struct filter_field *f = &FILTER_FIELDS[i];
		const char *part = f->number == TXW_FIELD_ATTRIBUTES ? ".NAME" : "";
		const char *of = f->scope == FILTER_EVENT ? "events" : "both";
		if (is_markdown)
			buf_printf(out, "| `%s%s` | %s | `%s` | %s | %s |\n", f->name, part,
				   kind_name(f->kind), ops(f), of, f->help);
		else
			buf_printf(out, "  %s%s (%s; %s%s)\n      %s\n", f->name, part,
				   kind_name(f->kind), ops(f),
				   f->scope == FILTER_EVENT ? "; events only" : "", f->help);
	}
}
