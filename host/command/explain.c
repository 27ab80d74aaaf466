/* explain.c: `txwatch explain`: what may stand in a plugin's sections, or in
 * the host's own; the API's description and page. */
#include "command/explain.h"

#include <stdio.h>
#include <string.h>

#include "api/openapi.h"
#include "base/str.h"
#include "command/finding.h"

struct request {
	struct finding finding;
	const char *name; /* a plugin or a section; NULL = the host's own */
	bool is_markdown;
	bool is_all;
};

static void one_schema(const struct request *r, struct buf *out, const struct conf_schema *s)
{
	if (r->is_markdown)
		explain_markdown(out, s, 2);
	else
		explain_text(out, s);
}

/* The host's sections: all, or the one of the name. false: there is none. */
static bool explain_host(const struct request *r, struct buf *out)
{
	bool is_found = false;

	if (!r->name)
		one_schema(r, out, &CONF_ROOT_SCHEMA);
	for (const struct conf_schema *s = CONF_HOST_SCHEMAS; s->keyword; s++) {
		if (r->name && strcmp(s->keyword, r->name) != 0)
			continue;
		if (!r->name && !r->is_markdown)
			buf_char(out, '\n');
		one_schema(r, out, s);
		is_found = true;
	}
	return is_found;
}

static int explain_plugin(const struct request *r, struct buf *out)
{
	const struct plugin_file *f = plugins_load(r->finding.plugins, str_of(r->name));

	if (!f->is_loaded) {
		fprintf(stderr, "txwatch explain: %s\n", f->reason);
		return 1;
	}
	if (!r->is_markdown)
		buf_printf(out, "%s %s, by %s, %s\n%s\n\n", f->name, f->version, f->author,
			   f->license, f->path);
	for (size_t i = 0; i < f->n_roles; i++) {
		if (i > 0 && !r->is_markdown)
			buf_char(out, '\n');
		one_schema(r, out, f->roles[i].schema);
	}
	return 0;
}

/* The page is of all plugins: one that is refused would be missing in it. */
static int explain_all(const struct request *r, struct buf *out)
{
	int status = 0;

	plugins_load_all(r->finding.plugins);
	for (const struct plugin_file *f = plugins_first(r->finding.plugins); f; f = f->next) {
		if (f->is_loaded)
			continue;
		fprintf(stderr, "txwatch explain: %s\n", f->reason);
		status = 1;
	}
	if (r->is_markdown) {
		explain_reference(out, r->finding.plugins);
		return status;
	}
	explain_host(r, out);
	for (const struct plugin_file *f = plugins_first(r->finding.plugins); f; f = f->next) {
		for (size_t i = 0; f->is_loaded && i < f->n_roles; i++) {
			buf_char(out, '\n');
			explain_text(out, f->roles[i].schema);
		}
	}
	return status;
}

static int explain_openapi(const struct request *r)
{
	struct buf out = {0};

	openapi_print(&out, r->is_all);
	buf_char(&out, '\n');
	fwrite(out.ptr, 1, out.len, stdout);
	buf_free(&out);
	return 0;
}

static int explain(struct request *r)
{
	struct buf out = {0};
	int status = 0;

	if (!finding_open(&r->finding))
		return 1;
	if (r->is_all)
		status = explain_all(r, &out);
	else if (r->name && strcmp(r->name, "filter") == 0)
		explain_filter(&out, r->is_markdown);
	else if (!explain_host(r, &out))
		status = explain_plugin(r, &out);
	if (out.len)
		fwrite(out.ptr, 1, out.len, stdout);
	buf_free(&out);
	finding_close(&r->finding);
	return status;
}

int command_explain(const struct args *a)
{
	struct request r = {.name = args_word(a, 0),
			    .is_markdown = args_has(a, "markdown"),
			    .is_all = args_has(a, "all")};
	const char *page = args_get(a, "api");

	if (page)
		return explain_api(page);
	if (args_has(a, "openapi"))
		return explain_openapi(&r);
	if (r.name && r.is_all) {
		fprintf(stderr, "txwatch explain: a name or --all, not both\n");
		return EXIT_USAGE;
	}
	if (!finding_options(&r.finding, a))
		return EXIT_USAGE;
	return explain(&r);
}
