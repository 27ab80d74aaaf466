/* plugins.c: `txwatch plugins`: what plugins there are, and why one is not
 * used. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "command/finding.h"

#define N_COLUMNS 6
static const char *const HEADINGS[N_COLUMNS] = {"PLUGIN", "VERSION", "ABI",
						"STATE",  "ROLES",   "PATH"};

static const char *or_dash(const char *z)
{
	return z && *z ? z : "-";
}

static void fill_row(struct arena *a, const struct plugin_file *f, const char *row[N_COLUMNS])
{
	const char *roles = "";

	for (size_t i = 0; i < f->n_roles; i++)
		roles = arena_printf(a, "%s%s%s", roles, i ? "," : "", f->roles[i].full_name);
	row[0] = f->name;
	row[1] = or_dash(f->version);
	row[2] = f->abi_major ? arena_printf(a, "%u.%u", f->abi_major, f->abi_minor) : "-";
	row[3] = f->is_loaded ? "loaded" : "refused";
	row[4] = or_dash(roles);
	row[5] = or_dash(f->path);
}

static void print_row(const char *const row[N_COLUMNS], const size_t widths[N_COLUMNS])
{
	for (size_t i = 0; i + 1 < N_COLUMNS; i++)
		printf("%-*s  ", (int)widths[i], row[i]);
	printf("%s\n", row[N_COLUMNS - 1]);
}

static void print_table(const struct plugins *p)
{
	const char *row[N_COLUMNS];
	size_t widths[N_COLUMNS];
	struct arena a = {0};

	for (size_t i = 0; i < N_COLUMNS; i++)
		widths[i] = strlen(HEADINGS[i]);
	for (const struct plugin_file *f = plugins_first(p); f; f = f->next) {
		fill_row(&a, f, row);
		for (size_t i = 0; i < N_COLUMNS; i++)
			if (strlen(row[i]) > widths[i])
				widths[i] = strlen(row[i]);
	}
	print_row(HEADINGS, widths);
	for (const struct plugin_file *f = plugins_first(p); f; f = f->next) {
		fill_row(&a, f, row);
		print_row(row, widths);
		if (f->reason)
			printf("    %s\n", f->reason);
		if (f->warning)
			printf("    %s\n", f->warning);
	}
	arena_free(&a);
}

static void add_json(struct buf *b, const struct plugin_file *f)
{
	struct arena a = {0};

	json_open(b, '{');
	json_m_text(b, "name", f->name);
	json_m_text(b, "state", f->is_loaded ? "loaded" : "refused");
	json_m_opt(b, "path", str_of(f->path));
	json_m_opt(b, "version", str_of(f->version));
	if (f->abi_major)
		json_m_text(b, "abi", arena_printf(&a, "%u.%u", f->abi_major, f->abi_minor));
	json_m_opt(b, "reason", str_of(f->reason));
	json_m_opt(b, "warning", str_of(f->warning));
	json_key(b, "roles");
	json_open(b, '[');
	for (size_t i = 0; i < f->n_roles; i++) {
		json_open(b, '{');
		json_m_text(b, "name", f->roles[i].full_name);
		json_m_text(b, "kind", role_kind_name(f->roles[i].row.kind));
		json_m_opt(b, "summary", str_of(f->roles[i].row.summary));
		json_close(b, '}');
	}
	json_close(b, ']');
	json_close(b, '}');
	arena_free(&a);
}

static void print_json(const struct plugins *p)
{
	struct buf b = {0};

	json_open(&b, '[');
	for (const struct plugin_file *f = plugins_first(p); f; f = f->next)
		add_json(&b, f);
	json_close(&b, ']');
	buf_char(&b, '\n');
	if (b.len)
		fwrite(b.ptr, 1, b.len, stdout);
	buf_free(&b);
}

int command_plugins(const struct args *a)
{
	struct finding finding = {0};
	int status = EXIT_WELL;

	if (!finding_options(&finding, a))
		return EXIT_USAGE;
	if (!finding_open(&finding))
		return EXIT_FAILED;
	finding_load(&finding);
	if (args_has(a, "json"))
		print_json(finding.plugins);
	else
		print_table(finding.plugins);
	/* A site whose plugin is refused does not run as written. */
	for (const struct plugin_file *f = plugins_first(finding.plugins); f; f = f->next)
		if (finding.conf_path && !f->is_loaded)
			status = EXIT_FAILED;
	finding_close(&finding);
	return status;
}
