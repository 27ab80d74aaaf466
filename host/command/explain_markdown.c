/*
 * explain_markdown.c: option rows as Markdown, and docs/configuration.md.
 *
 * The page depends on the rows alone, neither on where plugins lie nor on
 * their versions, so that a test can compare it with the one that is kept.
 */
#include <stdlib.h>
#include <string.h>

#include "command/explain.h"
#include "config/conf.h"

static const char INTRO[] =
    "# Configuration\n"
    "\n"
    "<!-- Printed by `txwatch explain --markdown --all`: change the option rows, not this "
    "page. -->\n"
    "\n"
    "A site is one file, by default `/etc/txwatch/txwatch.conf`. `txwatch check -c FILE` tells "
    "every mistake in it without running anything; `txwatch explain PLUGIN` prints the part of "
    "this page that is about one plugin.\n"
    "\n"
    "## How a file is written\n"
    "\n"
    "```\n"
    "plugins = { \"store.sqlite\", \"poller.http\" }    # an option that takes a list\n"
    "log-level = info                                # an option\n"
    "\n"
    "poller.http bank {                              # a section: its keyword and its title\n"
    "    flow = \"payment\"\n"
    "    url = \"https://bank.example/payments/{{ref}}\"\n"
    "    every = 5s  slow-to = 5m                    # several on a line need no separator\n"
    "}\n"
    "```\n"
    "\n"
    "- The full name of a plugin is the keyword of its sections; the title is the name of the "
    "instance. One plugin may have several sections. Titles are letters, digits, `_`, `-` and "
    "`.`.\n"
    "- Comments begin with `#` or `//` and end with the line, or stand between `/*` and `*/`.\n"
    "- A value of letters, digits and `_ - . : / @ %` needs no quotes; anything else does. In "
    "double quotes `\\\\`, `\\\"`, `\\n`, `\\r` and `\\t` are escapes; in single quotes only "
    "`\\'` and `\\\\` are. A quoted text ends on its line, unless the line ends in `\\`.\n"
    "- Every option may be given once in a section. Unknown options and sections are errors.\n"
    "- `${NAME}` is not expanded and `include` does not exist: a file says all there is.\n"
    "\n"
    "| type | is written |\n"
    "| --- | --- |\n"
    "| string | `\"any text\"` |\n"
    "| integer | `10`, decimal, without leading zeros |\n"
    "| boolean | `true` or `false` |\n"
    "| duration | `250ms`, `5s`, `30m`, `2h`, `7d`, `1h30m` |\n"
    "| bytes | `512`, `64KB`, `16MB`, `2GB`; a KB is 1024 bytes |\n"
    "| choice | one of the words that are listed |\n"
    "| secret | `\"env:NAME\"`, an environment variable, or `\"file:/path\"`, a file's content "
    "without its last newline; never the secret itself |\n"
    "| list of … | `{ \"a\", \"b\" }` |\n"
    "\n"
    "## The site\n"
    "\n";

/* In a table's cell. */
static void cell(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|' || *text == '<')
			buf_char(out, '\\');
		buf_char(out, *text);
	}
}

static void code(struct buf *out, const char *text, size_t len)
{
	buf_char(out, '`');
	buf_add(out, text, len);
	buf_char(out, '`');
}

static void allowed(struct buf *out, const txw_option *row)
{
	char range[CONF_RANGE_MAX];

	conf_range(range, row);
	buf_text(out, range);
	for (const char *c = row->choices; c && *c;) {
		size_t n = strcspn(c, "|");

		code(out, c, n);
		c += n;
		if (*c) {
			buf_text(out, ", ");
			c++;
		}
	}
}

static void table_row(struct buf *out, const txw_option *row)
{
	const char *fallback = row->fallback && !*row->fallback ? "\"\"" : row->fallback;

	buf_text(out, "| ");
	code(out, row->name, strlen(row->name));
	buf_printf(out, " | %s | ", conf_type_name(row));
	if (row->flags & TXW_OPT_REQUIRED)
		buf_text(out, "required");
	else if (fallback)
		code(out, fallback, strlen(fallback));
	buf_text(out, " | ");
	allowed(out, row);
	buf_text(out, " | ");
	if (row->flags & TXW_OPT_DEPRECATED)
		buf_text(out, "**Deprecated.** ");
	cell(out, row->help);
	buf_text(out, ". |\n");
}

static void table_head(struct buf *out)
{
	buf_text(out, "| option | type | default | allowed | meaning |\n"
		      "| --- | --- | --- | --- | --- |\n");
}

static void table(struct buf *out, const struct conf_schema *s)
{
	if (conf_n_rows(s) == 0) {
		buf_text(out, "It has no options.\n\n");
		return;
	}
	table_head(out);
	for (size_t i = 0; i < conf_n_rows(s); i++)
		table_row(out, conf_row(s, i));
	buf_char(out, '\n');
}

static void heading(struct buf *out, const struct conf_schema *s, int level)
{
	while (level-- > 0)
		buf_char(out, '#');
	buf_printf(out, " %s\n\n%s: `", s->keyword, s->help);
	explain_form(out, s);
	buf_text(out, "`\n\n");
}

void explain_markdown(struct buf *out, const struct conf_schema *schema, int level)
{
	if (*schema->keyword)
		heading(out, schema, level);
	table(out, schema);
	for (const struct conf_schema *c = schema->children; c && c->keyword; c++)
		explain_markdown(out, c, level + 1);
}

/* ---- the whole page ---- */

static const struct {
	uint32_t kind;
	const char *heading, *all, *anchor, *intro;
} KINDS[] = {
    {TXW_ROLE_STORE, "Stores", "Options of every store", "options-of-every-store",
     "A store keeps the transactions, their log and the deliveries. A site has exactly one."},
    {TXW_ROLE_POLLER, "Pollers", "Options of every poller", "options-of-every-poller",
     "A poller asks another system how the transactions of a flow are."},
    {TXW_ROLE_NOTIFIER, "Notifiers", "Options of every notifier", "options-of-every-notifier",
     "A notifier brings events to targets: those of `route` sections, and those that are "
     "registered through the API."},
    {TXW_ROLE_EXPORTER, "Exporters", "Options of every exporter", "options-of-every-exporter",
     "An exporter shows metrics."},
};

static bool is_common(const char *name, const txw_option *common, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(common[i].name, name) == 0)
			return true;
	return false;
}

static void role_section(struct buf *out, const struct role *role, size_t kind)
{
	const struct conf_schema *s = role->schema;
	size_t n, own = 0;
	const txw_option *common = conf_role_options(KINDS[kind].kind, &n);

	heading(out, s, 3);
	for (size_t i = 0; i < s->n_options; i++) {
		const txw_option *row = conf_row(s, i);

		if (is_common(row->name, common, n))
			continue;
		if (own++ == 0)
			table_head(out);
		table_row(out, row);
	}
	if (own)
		buf_char(out, '\n');
	if (n)
		buf_printf(out, "%s the [options of every %s](#%s).\n\n",
			   own ? "Also takes" : "Takes", role_kind_name(KINDS[kind].kind),
			   KINDS[kind].anchor);
	else if (!own)
		buf_text(out, "It has no options.\n\n");
}

static int by_name(const void *a, const void *b)
{
	const struct role *const *x = a, *const *y = b;

	return strcmp((*x)->full_name, (*y)->full_name);
}

/* Roles of a kind by name: the order files were found in must not show. */
static size_t collect(const struct plugins *p, uint32_t kind, const struct role ***out)
{
	const struct role **roles = NULL;
	size_t n = 0;

	for (const struct plugin_file *f = plugins_first(p); f; f = f->next) {
		for (size_t i = 0; f->is_loaded && i < f->n_roles; i++) {
			if (f->roles[i].row.kind != kind)
				continue;
			roles = xrealloc(roles, (n + 1) * sizeof(*roles));
			roles[n++] = &f->roles[i];
		}
	}
	if (n)
		qsort(roles, n, sizeof(*roles), by_name);
	*out = roles;
	return n;
}

static void kind_chapter(struct buf *out, const struct plugins *p, size_t kind)
{
	const struct role **roles;
	size_t n = collect(p, KINDS[kind].kind, &roles), n_common;
	const txw_option *common = conf_role_options(KINDS[kind].kind, &n_common);

	buf_printf(out, "## %s\n\n%s\n\n", KINDS[kind].heading, KINDS[kind].intro);
	if (n_common) {
		buf_printf(out, "### %s\n\n", KINDS[kind].all);
		table_head(out);
		for (size_t i = 0; i < n_common; i++)
			table_row(out, &common[i]);
		buf_char(out, '\n');
	}
	for (size_t i = 0; i < n; i++)
		role_section(out, roles[i], kind);
	free(roles);
}

void explain_reference(struct buf *out, const struct plugins *plugins)
{
	buf_text(out, INTRO);
	explain_markdown(out, &CONF_ROOT_SCHEMA, 2);
	for (const struct conf_schema *s = CONF_HOST_SCHEMAS; s->keyword; s++)
		explain_markdown(out, s, 2);
	for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++)
		kind_chapter(out, plugins, i);
	while (out->len > 1 && out->ptr[out->len - 1] == '\n' && out->ptr[out->len - 2] == '\n')
		out->len--;
}
