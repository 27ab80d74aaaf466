/*
 * parse.c: libconfuse reads the text strictly; its values become sections.
 *
 * The option tree is built from the schemas. Every option is a string or a
 * list of strings to libconfuse, and without a default: what it would make of
 * numbers (010 is eight) and of bad list defaults (it aborts) never comes up;
 * value.c converts. Before that, check.c has told every mistake libconfuse
 * would stop at, and what it told is blanked out. So libconfuse does not fail
 * here on any input; if it does, that is told too.
 *
 * libconfuse keeps its lexer in static memory: one parse at a time, on the
 * thread that loads a site.
 */
#include <confuse.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/marks.h"
#include "config/value.h"

struct parse {
	struct conf *conf;
	struct conf_report *report;
};

static size_t n_children(const struct conf_schema *s)
{
	size_t n = 0;

	while (s->children && s->children[n].keyword)
		n++;
	return n;
}

/* ---- libconfuse's side ---- */

static cfg_opt_t *build_options(struct arena *a, const struct conf_schema *s)
{
	size_t n = conf_n_rows(s), children = n_children(s), i;
	cfg_opt_t *opts = arena_alloc(a, (n + children + 1) * sizeof(*opts));

	for (i = 0; i < n; i++) {
		const txw_option *row = conf_row(s, i);

		if (row->flags & TXW_OPT_LIST)
			opts[i] = (cfg_opt_t)CFG_STR_LIST(row->name, NULL, CFGF_NODEFAULT);
		else
			opts[i] = (cfg_opt_t)CFG_STR(row->name, NULL, CFGF_NODEFAULT);
	}
	for (i = 0; i < children; i++) {
		const struct conf_schema *c = &s->children[i];
		cfg_flag_t flags = CFGF_MULTI | (c->is_titled ? CFGF_TITLE : 0);

		opts[n + i] = (cfg_opt_t)CFG_SEC(c->keyword, build_options(a, c), flags);
	}
	opts[n + children] = (cfg_opt_t)CFG_END();
	return opts;
}

static void blank(char *text, size_t begin, size_t end)
{
	for (; begin < end; begin++)
		if (text[begin] != '\n')
			text[begin] = ' ';
}

static void blank_dropped(char *text, const struct mark_section *s)
{
	for (const struct mark_option *o = s->options; o; o = o->next)
		if (o->is_dropped)
			blank(text, o->begin, o->end);
	for (const struct mark_section *c = s->children; c; c = c->next) {
		if (c->is_dropped)
			blank(text, c->begin, c->end);
		else
			blank_dropped(text, c);
	}
}

static void say_nothing(cfg_t *cfg, const char *fmt, va_list ap)
{
	(void)cfg;
	(void)fmt;
	(void)ap;
}

/* ---- our side ---- */

static void disagree(const struct parse *p, int line, const char *what)
{
	conf_problem(p->report, line,
		     "libconfuse reads %s otherwise than txwatch: simplify the file near here, "
		     "and report this",
		     what);
}

static void init_values(struct conf_section *s, struct arena *a, txw_value **values, int **lines)
{
	s->n_values = conf_n_rows(s->schema);
	s->values = *values = arena_alloc(a, (s->n_values + 1) * sizeof(**values));
	s->value_lines = *lines = arena_alloc(a, (s->n_values + 1) * sizeof(**lines));
	for (size_t i = 0; i < s->n_values; i++) {
		const txw_option *row = conf_row(s->schema, i);

		(*values)[i].size = sizeof(**values);
		(*values)[i].type = row->type;
		(*values)[i].name = row->name;
	}
}

static void take_value(const struct parse *p, const struct mark_section *mark,
		       const struct mark_option *o, cfg_t *cfg, const txw_option *row,
		       txw_value *out)
{
	struct arena *a = &p->conf->arena;
	uint32_t n = cfg_size(cfg, row->name);
	txw_str *texts = arena_alloc(a, (n + 1u) * sizeof(*texts));
	struct err e = {0};

	for (uint32_t i = 0; i < n; i++)
		texts[i] = str_of(cfg_getnstr(cfg, row->name, i));
	if (n != o->n) {
		disagree(p, o->line, "a value");
		return;
	}
	if (value_make(a, row, texts, n, o->is_list, out, &e) < 0) {
		mark_problem(p->report, mark, o->line, "%s %s", o->name, e.text);
		return;
	}
	if ((row->flags & TXW_OPT_REQUIRED) && (row->flags & TXW_OPT_LIST) && n == 0)
		mark_problem(p->report, mark, o->line, "%s must not be empty: %s", o->name,
			     row->help);
}

/* conf_check_rows has refused defaults that do not parse; those of the host
 * are tested. */
static void fill_defaults(const struct parse *p, struct conf_section *s, txw_value *values,
			  const int *lines)
{
	struct err e = {0};

	for (size_t i = 0; i < s->n_values; i++)
		if (lines[i] == 0 &&
		    value_default(&p->conf->arena, conf_row(s->schema, i), &values[i], &e) < 0)
			conf_problem(p->report, s->line, "%s: the default of %s %s", s->keyword,
				     values[i].name, e.text);
}

static void take_section(const struct parse *p, const struct mark_section *mark, cfg_t *cfg,
			 struct conf_section *s);

/* A single section that is not there is as one that is empty. */
static size_t add_absent(const struct parse *p, struct conf_section *s, struct conf_section *out,
			 const uint32_t *counts)
{
	size_t n = 0;

	for (size_t i = 0; i < n_children(s->schema); i++) {
		const struct conf_schema *c = &s->schema->children[i];
		struct conf_section absent = {.keyword = c->keyword, .title = "", .schema = c};
		bool has_required = false;
		txw_value *values;
		int *lines;

		for (size_t j = 0; j < conf_n_rows(c); j++)
			has_required |= (conf_row(c, j)->flags & TXW_OPT_REQUIRED) != 0;
		if (!c->is_single || c->is_titled || counts[i] || has_required)
			continue;
		absent.file = s->file;
		init_values(&absent, &p->conf->arena, &values, &lines);
		fill_defaults(p, &absent, values, lines);
		out[n++] = absent;
	}
	return n;
}

static void take_children(const struct parse *p, const struct mark_section *mark, cfg_t *cfg,
			  struct conf_section *s)
{
	struct arena *a = &p->conf->arena;
	size_t kinds = n_children(s->schema), n = 0;
	uint32_t *counts = arena_alloc(a, (kinds + 1) * sizeof(*counts));
	struct conf_section *out;

	for (const struct mark_section *c = mark->children; c; c = c->next)
		n++;
	s->children = out = arena_alloc(a, (n + kinds + 1) * sizeof(*out));
	n = 0;
	for (const struct mark_section *c = mark->children; c; c = c->next) {
		cfg_t *sub;
		const char *title;

		if (c->is_dropped)
			continue;
		sub = cfg_getnsec(cfg, c->keyword, counts[c->schema_place]++);
		title = sub ? cfg_title(sub) : NULL;
		if (!sub || (c->title && (!title || strcmp(title, c->title) != 0))) {
			disagree(p, c->line, "a section");
			continue;
		}
		out[n].keyword = arena_printf(a, "%s", c->keyword);
		out[n].title = c->title ? arena_printf(a, "%s", c->title) : "";
		out[n].line = c->line;
		out[n].file = s->file;
		out[n].schema = c->schema;
		take_section(p, c, sub, &out[n++]);
	}
	s->n_children = n + add_absent(p, s, out + n, counts);
}

static void take_section(const struct parse *p, const struct mark_section *mark, cfg_t *cfg,
			 struct conf_section *s)
{
	txw_value *values;
	int *lines;

	init_values(s, &p->conf->arena, &values, &lines);
	for (const struct mark_option *o = mark->options; o; o = o->next) {
		if (o->is_dropped)
			continue;
		lines[o->row] = o->line;
		take_value(p, mark, o, cfg, conf_row(s->schema, o->row), &values[o->row]);
	}
	fill_defaults(p, s, values, lines);
	take_children(p, mark, cfg, s);
	if (mark->parent)
		check_rules(s, mark, p->report);
}

static void read_by_libconfuse(const struct parse *p, const struct conf_scan *scan)
{
	const struct marks *marks = scan->marks;
	struct conf_section *root = &p->conf->root;
	struct arena scratch = {0};
	char *text = arena_alloc(&scratch, scan->len + 1);
	cfg_opt_t *opts = build_options(&scratch, root->schema);
	cfg_t *cfg = cfg_init(opts, CFGF_NONE);

	if (!cfg) {
		conf_problem(p->report, 0, "out of memory");
		goto free_scratch;
	}
	cfg_set_error_function(cfg, say_nothing);
	memcpy(text, scan->text, scan->len);
	blank_dropped(text, &marks->root);
	if (cfg_parse_buf(cfg, text) != CFG_SUCCESS)
		disagree(p, cfg->line, "the file");
	else
		take_section(p, &marks->root, cfg, root);
	cfg_free(cfg);
free_scratch:
	arena_free(&scratch);
}

/* The list may move with the next plugin that is loaded; sections point to it. */
static const struct conf_schema *copy_schemas(struct arena *a, const struct conf_schema *from)
{
	struct conf_schema *to;
	size_t n = 0;

	while (from && from[n].keyword)
		n++;
	to = arena_alloc(a, (n + 1) * sizeof(*to));
	if (n)
		memcpy(to, from, n * sizeof(*to));
	return to;
}

struct conf *conf_parse(const struct conf_scan *scan, const struct conf_schema *schemas,
			const char *const *refused, struct conf_report *report)
{
	struct marks *marks = scan->marks;
	size_t before = report->n_errors;
	struct conf *c = xcalloc(1, sizeof(*c));
	struct conf_schema *schema = arena_alloc(&c->arena, sizeof(*schema));
	struct parse p = {.conf = c, .report = report};
	struct check check = {.report = report,
			      .refused = refused,
			      .plugins = scan->plugins,
			      .n_plugins = scan->n_plugins};

	*schema = CONF_ROOT_SCHEMA;
	schema->children = copy_schemas(&c->arena, schemas);
	c->file = arena_printf(&c->arena, "%s", scan->file);
	c->root = (struct conf_section){
	    .keyword = "", .title = "", .file = c->file, .schema = schema};
	check_section(&check, &marks->root, schema);
	read_by_libconfuse(&p, scan);
	if (report->n_errors > before || marks->is_bad) {
		conf_free(c);
		return NULL;
	}
	return c;
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	arena_free(&c->arena);
	free(c);
}
