/* section.c: reading a parsed section, and a schema's rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/conf.h"
#include "config/value.h"

size_t conf_n_rows(const struct conf_schema *s)
{
	return s->n_options + s->n_more_options;
}

const txw_option *conf_row(const struct conf_schema *s, size_t i)
{
	if (i < s->n_options)
		return row_at(s->options, s->option_stride, i);
	return &s->more_options[i - s->n_options];
}

static size_t place(const struct conf_section *s, const char *name)
{
	for (size_t i = 0; i < s->n_values; i++)
		if (strcmp(s->values[i].name, name) == 0)
			return i;
	/* Only a mistake in txwatch itself asks for what no row has. */
	fprintf(stderr, "txwatch: no option `%s` in the rows of section `%s`\n", name, s->keyword);
	abort();
}

const txw_value *conf_get(const struct conf_section *s, const char *name)
{
	return &s->values[place(s, name)];
}

int conf_line(const struct conf_section *s, const char *name)
{
	int line = s->value_lines[place(s, name)];

	return line ? line : s->line;
}

bool conf_is_set(const struct conf_section *s, const char *name)
{
	return conf_get(s, name)->is_set != 0;
}

int64_t conf_number(const struct conf_section *s, const char *name)
{
	return conf_get(s, name)->number;
}

bool conf_flag(const struct conf_section *s, const char *name)
{
	return conf_number(s, name) != 0;
}

txw_str conf_text(const struct conf_section *s, const char *name)
{
	const txw_value *v = conf_get(s, name);

	return v->n ? v->texts[0] : STR_NONE;
}

size_t conf_list(const struct conf_section *s, const char *name, const txw_str **texts)
{
	const txw_value *v = conf_get(s, name);

	*texts = v->texts;
	return v->n;
}
