/*
 * check.c: a section's marks compared with its schema.
 *
 * libconfuse stops at its first mistake, lets a repeated option win in
 * silence and cannot pass over a section it does not know. So every such
 * mistake is found here, told, and dropped (blanked out of what libconfuse
 * reads): the rest of the file is still judged in the same run.
 */
#include <string.h>

#include "base/str.h"
#include "config/marks.h"
#include "config/value.h"

static bool in_list(const char *word, const char *const *list)
{
	for (; list && *list; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

static const struct conf_schema *find_child(const struct conf_schema *s, const char *keyword)
{
	for (const struct conf_schema *c = s->children; c && c->keyword; c++)
		if (strcmp(c->keyword, keyword) == 0)
			return c;
	return NULL;
}

/* "; did you mean `every`?", or all there are when none is near. */
static const char *suggestion(struct arena *a, const char *word, const char *const *names, size_t n)
{
	const char *near = strlen(word) <= 100 ? str_nearest(word, names, n) : NULL;
	const char *all = "";

	if (near)
		return arena_printf(a, "; did you mean `%s`?", near);
	for (size_t i = 0; i < n; i++)
		all = arena_printf(a, "%s%s%s", all, i ? ", " : "; there are: ", names[i]);
	return all;
}

/* ---- options ---- */

static void unknown_option(const struct check *c, struct mark_section *s, struct mark_option *o,
			   const struct conf_schema *schema)
{
	struct arena *a = &c->report->arena;
	const char **names = arena_alloc(a, (conf_n_rows(schema) + 1) * sizeof(*names));
	const char *shown = value_shown(a, str_of(o->name));

	o->is_dropped = true;
	if (find_child(schema, o->name)) {
		mark_problem(c->report, s, o->line, "%s is a section: write %s { ... }", shown,
			     o->name);
		return;
	}
	for (size_t i = 0; i < conf_n_rows(schema); i++)
		names[i] = conf_row(schema, i)->name;
	mark_problem(c->report, s, o->line, "no option %s%s", shown,
		     suggestion(a, o->name, names, conf_n_rows(schema)));
}

static void check_option(const struct check *c, struct mark_section *s, struct mark_option *o,
			 const struct conf_schema *schema, const struct mark_option **seen)
{
	size_t i = 0;

	while (i < conf_n_rows(schema) && strcmp(conf_row(schema, i)->name, o->name) != 0)
		i++;
	if (i == conf_n_rows(schema)) {
		unknown_option(c, s, o, schema);
		return;
	}
	o->row = i;
	o->is_dropped = o->is_bad;
	if (seen[i]) {
		mark_problem(c->report, s, o->line, "%s is given twice, first on line %d", o->name,
			     seen[i]->line);
		o->is_dropped = true;
		return;
	}
	seen[i] = o;
	if (o->is_list && !(conf_row(schema, i)->flags & TXW_OPT_LIST)) {
		mark_problem(c->report, s, o->line, "%s takes one %s, found a list", o->name,
			     conf_type_name(conf_row(schema, i)));
		o->is_dropped = true;
	}
	if (conf_row(schema, i)->flags & TXW_OPT_DEPRECATED)
		mark_warning(c->report, s, o->line, "%s is deprecated: %s", o->name,
			     conf_row(schema, i)->help);
}

static void check_options(const struct check *c, struct mark_section *s,
			  const struct conf_schema *schema)
{
	const struct mark_option **seen = arena_alloc(&c->report->arena,
						      (conf_n_rows(schema) + 1) * sizeof(*seen));

	for (struct mark_option *o = s->options; o; o = o->next)
		check_option(c, s, o, schema, seen);
	for (size_t i = 0; i < conf_n_rows(schema); i++)
		if ((conf_row(schema, i)->flags & TXW_OPT_REQUIRED) && !seen[i])
			mark_problem(c->report, s, s->line, "%s is missing: %s",
				     conf_row(schema, i)->name, conf_row(schema, i)->help);
}

/* ---- sections ---- */

static bool is_listed(const struct check *c, const char *plugin)
{
	for (size_t i = 0; i < c->n_plugins; i++)
		if (str_is(c->plugins[i], plugin))
			return true;
	return false;
}

static void unknown_section(const struct check *c, struct mark_section *s,
			    struct mark_section *child, const struct conf_schema *schema)
{
	struct arena *a = &c->report->arena;
	const char *shown = value_shown(a, str_of(child->keyword));
	const char **names, *near;
	size_t n = 0, n_known = 0;

	for (size_t i = 0; i < conf_n_rows(schema); i++) {
		if (strcmp(conf_row(schema, i)->name, child->keyword) == 0) {
			mark_problem(c->report, s, child->line, "%s is an option: write %s = ...",
				     shown, child->keyword);
			return;
		}
	}
	while (schema->children && schema->children[n_known].keyword)
		n_known++;
	names = arena_alloc(a, (n_known + 1) * sizeof(*names));
	for (; n < n_known; n++)
		names[n] = schema->children[n].keyword;
	near = strlen(child->keyword) <= 100 ? str_nearest(child->keyword, names, n) : NULL;
	if (*s->keyword || !strchr(child->keyword, '.'))
		mark_problem(c->report, s, child->line, "no section %s%s", shown,
			     n ? suggestion(a, child->keyword, names, n)
			       : ": this section holds options only");
	else if (is_listed(c, child->keyword))
		mark_problem(c->report, s, child->line,
			     "no section %s: the plugin of that name is loaded but offers no such "
			     "role",
			     shown);
	else if (near)
		mark_problem(c->report, s, child->line,
			     "no section %s; did you mean `%s`? (if it is another plugin, add it "
			     "to plugins)",
			     shown, near);
	else
		mark_problem(c->report, s, child->line,
			     "no section %s: its plugin is not in `plugins`; add it to plugins",
			     shown);
}

#define TITLE_MAX 64u

static bool is_title(const char *t)
{
	size_t len = strspn(t, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

	return len > 0 && len <= TITLE_MAX && !t[len] && *t != '-' && *t != '.';
}

/* false: told, and to be dropped. */
static bool check_title(const struct check *c, const struct mark_section *child)
{
	const struct mark_section *s = child->parent;
	const char *shown;

	if (!child->schema->is_titled) {
		if (!child->title)
			return true;
		mark_problem(c->report, s, child->line, "`%s` takes no title: write %s { ... }",
			     child->keyword, child->keyword);
		return false;
	}
	if (!child->title) {
		mark_problem(c->report, s, child->line, "`%s` needs a title: write %s NAME { ... }",
			     child->keyword, child->keyword);
		return false;
	}
	if (is_title(child->title))
		return true;
	shown = value_shown(&c->report->arena, str_of(child->title));
	mark_problem(c->report, s, child->line,
		     "the title %s of `%s` must be 1 to %u letters, digits, `_`, `-` or `.`, and "
		     "begin with a letter, digit or `_`",
		     shown, child->keyword, TITLE_MAX);
	return false;
}

/* The first of the same name before it that is kept, or NULL. */
static const struct mark_section *twin(const struct mark_section *child)
{
	const struct mark_section *o = child->parent->children;

	for (; o != child; o = o->next)
		if (!o->is_dropped && o->schema == child->schema &&
		    (child->schema->is_titled
			 ? o->title && child->title && strcmp(o->title, child->title) == 0
			 : child->schema->is_single != 0))
			return o;
	return NULL;
}

static void check_child(const struct check *c, struct mark_section *s, struct mark_section *child,
			const struct conf_schema *schema)
{
	const struct mark_section *first;

	child->is_dropped = true;
	child->schema = NULL;
	if (!*s->keyword && in_list(child->keyword, c->refused))
		return;
	child->schema = find_child(schema, child->keyword);
	if (!child->schema) {
		unknown_section(c, s, child, schema);
		return;
	}
	child->schema_place = (size_t)(child->schema - schema->children);
	if (check_title(c, child)) {
		first = twin(child);
		child->is_dropped = first != NULL;
		if (first)
			mark_problem(c->report, s, child->line,
				     "there is a section `%s%s%s` already, on line %d",
				     child->keyword, child->title ? " " : "",
				     child->title ? child->title : "", first->line);
	}
	check_section(c, child, child->schema);
}

void check_section(const struct check *c, struct mark_section *s, const struct conf_schema *schema)
{
	check_options(c, s, schema);
	for (struct mark_section *child = s->children; child; child = child->next)
		check_child(c, s, child, schema);
}
