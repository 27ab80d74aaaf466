/*
 * loader_test.c: plugin files, loaded and refused.
 *
 * The files are built by tests/abi/CMakeLists.txt into BUILD/tests/badplugins.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "plugin/plugin.h"

#define DIR_ TXW_BUILD_DIR "/tests/badplugins"
#define NOW  "; this txwatch " TXW_VERSION " offers 1.0: "

static struct plugins *open_plugins(void)
{
	struct plugins *p = plugins_open();
	struct conf_report report;

	conf_report_init(&report, "test.conf");
	plugins_add_path(p, STR_LIT(DIR_), &report, 1);
	assert_null(report.first);
	conf_report_free(&report);
	return p;
}

/* Loads one file, expects it to be refused with this sentence. */
static void expect_refusal(const char *name, const char *sentence)
{
	struct plugins *p = open_plugins();
	const struct plugin_file *f = plugins_load(p, str_of(name));

	assert_false(f->is_loaded);
	assert_non_null(f->reason);
	assert_string_equal(f->reason, sentence);
	assert_int_equal(f->n_roles, 0);
	assert_null(plugins_role(p, name));
	assert_string_equal(plugins_refused(p)[0], name);
	assert_null(plugins_refused(p)[1]);
	plugins_close(p);
}

static const struct role *expect_role(struct plugins *p, const char *name)
{
	const struct plugin_file *f = plugins_load(p, str_of(name));

	if (!f->is_loaded)
		fail_msg("%s", f->reason);
	assert_null(f->reason);
	const struct role *role = plugins_role(p, name);
	assert_non_null(role);
	return role;
}

static void a_good_plugin_is_loaded(void **state)
{
	struct plugins *p = open_plugins();

	(void)state;
	const struct role *role = expect_role(p, "notifier.good");
	assert_string_equal(role->full_name, "notifier.good");
	assert_string_equal(role->file->path, DIR_ "/notifier.good.so");
	assert_string_equal(role->file->version, "1.2.3");
	assert_string_equal(role->file->license, "Apache-2.0");
	assert_int_equal(role->file->abi_major, 1);
	assert_null(role->file->warning);
	assert_int_equal(role->row.kind, TXW_ROLE_NOTIFIER);
	assert_string_equal(role->row.options[0].name, "pause");
	assert_int_equal(role->v.notifier.max_batch, 4);
	assert_non_null(role->v.notifier.send);
	assert_null(role->v.notifier.check);
	assert_null(plugins_refused(p)[0]);
	plugins_close(p);
}

static void the_same_name_again_is_the_same_file(void **state)
{
	struct plugins *p = open_plugins();

	(void)state;
	const struct plugin_file *f = plugins_load(p, STR_LIT("notifier.good"));
	assert_ptr_equal(plugins_load(p, STR_LIT("notifier.good")), f);
	assert_ptr_equal(plugins_first(p), f);
	assert_null(f->next);
	plugins_close(p);
}

static void a_newer_major_is_refused(void **state)
{
	(void)state;
	expect_refusal("notifier.major", DIR_ "/notifier.major.so was built for plugin ABI 2.0" NOW
					      "upgrade txwatch");
}

static void a_newer_major_under_its_own_symbol_is_refused(void **state)
{
	(void)state;
	expect_refusal("notifier.symbol2", DIR_
		       "/notifier.symbol2.so was built for plugin ABI 2.0" NOW "upgrade txwatch");
}

static void an_older_major_is_refused(void **state)
{
	(void)state;
	expect_refusal("notifier.older", DIR_ "/notifier.older.so was built for plugin ABI 0.0" NOW
					      "rebuild the plugin");
}

static void a_too_new_minor_is_refused(void **state)
{
	(void)state;
	expect_refusal("notifier.minor", DIR_ "/notifier.minor.so was built for plugin ABI 1.7" NOW
					      "upgrade txwatch");
}

static void a_library_without_the_symbol_is_refused(void **state)
{
	(void)state;
	expect_refusal("notifier.nosymbol",
		       DIR_ "/notifier.nosymbol.so is not a txwatch plugin: it has no "
			    "txw_plugin_1: remove it from `plugins`");
}

static void a_missing_library_is_named(void **state)
{
	(void)state;
	expect_refusal("notifier.nolibrary",
		       DIR_ "/notifier.nolibrary.so cannot be loaded: libtxwatch_absent.so: cannot "
			    "open shared object file: No such file or directory: install what is "
			    "missing, or rebuild the plugin");
}

static void a_null_table_is_refused(void **state)
{
	(void)state;
	expect_refusal("notifier.nulltable",
		       DIR_ "/notifier.nulltable.so offers nothing: its txw_plugin_1() answered "
			    "NULL: report it to the plugin's author");
}

static void a_missing_call_is_named(void **state)
{
	(void)state;
	expect_refusal("notifier.nocall",
		       DIR_ "/notifier.nocall.so is malformed: its notifier.nocall has no send(): "
			    "report it to the plugin's author");
}

static void malformed_rows_are_refused_by_name(void **state)
{
	struct plugins *p = open_plugins();

	(void)state;
	const struct plugin_file *f = plugins_load(p, STR_LIT("notifier.rows"));
	assert_false(f->is_loaded);
	static const char begin[] = DIR_ "/notifier.rows.so is malformed: its notifier.rows's ";
	if (strncmp(f->reason, begin, sizeof(begin) - 1) != 0 || !strstr(f->reason, "pause") ||
	    !strstr(f->reason, "soon"))
		fail_msg("%s", f->reason);
	plugins_close(p);
}

static void of_two_files_with_one_role_the_second_is_refused(void **state)
{
	struct plugins *p = open_plugins();

	(void)state;
	expect_role(p, "notifier.good");
	const struct plugin_file *f = plugins_load(p, STR_LIT("notifier.duplicate"));
	assert_false(f->is_loaded);
	assert_string_equal(f->reason,
			    DIR_ "/notifier.duplicate.so offers notifier.good, which " DIR_
				 "/notifier.good.so offers already: load only one of "
				 "the two");
	assert_string_equal(plugins_role(p, "notifier.good")->file->name, "notifier.good");
	assert_string_equal(plugins_refused(p)[0], "notifier.duplicate");
	plugins_close(p);
}

static void a_role_that_is_there_is_not_among_the_refused(void **state)
{
	struct plugins *p = open_plugins();

	(void)state;
	/* notifier.duplicate offers notifier.good first: now that is the one. */
	assert_true(plugins_load(p, STR_LIT("notifier.duplicate"))->is_loaded);
	assert_false(plugins_load(p, STR_LIT("notifier.good"))->is_loaded);
	assert_null(plugins_refused(p)[0]);
	assert_non_null(plugins_role(p, "notifier.good"));
	plugins_close(p);
}

static void a_shorter_struct_loads_and_what_it_lacks_is_zero(void **state)
{
	struct plugins *p = open_plugins();

	(void)state;
	const struct role *role = expect_role(p, "notifier.short");
	assert_non_null(role->v.notifier.send);
	assert_null(role->v.notifier.cancel);
	assert_null(role->row.destroy); /* the file has one, beyond its size */
	assert_int_equal(role->row.options[0].max, 0);
	plugins_close(p);
}

static void a_longer_struct_loads_by_its_stride(void **state)
{
	struct plugins *p = open_plugins();

	(void)state;
	expect_role(p, "notifier.long");
	assert_non_null(plugins_role(p, "notifier.long-two"));
	assert_null(plugins_role(p, "notifier.long-three"));
	plugins_close(p);
}

static void a_file_named_otherwise_loads_with_a_warning(void **state)
{
	struct plugins *p = open_plugins();

	(void)state;
	const struct plugin_file *f = plugins_load(p, STR_LIT("notifier.misnamed"));
	assert_true(f->is_loaded);
	assert_string_equal(f->warning, DIR_ "/notifier.misnamed.so offers no notifier.misnamed: "
					     "its sections are named notifier.another");
	assert_non_null(plugins_role(p, "notifier.another"));
	plugins_close(p);
}

static void a_common_option_is_shared_when_the_type_is_the_same(void **state)
{
	struct plugins *p = open_plugins();

	(void)state;
	const struct role *role = expect_role(p, "notifier.shared");
	const txw_option *row = &role->row.options[1];
	assert_string_equal(row->name, "timeout");
	assert_string_equal(row->fallback, "15s"); /* the host's row */
	for (size_t i = 0; i < role->schema->n_more_options; i++)
		assert_string_not_equal(role->schema->more_options[i].name, "timeout");
	plugins_close(p);
}

static void a_common_option_of_another_type_is_refused(void **state)
{
	(void)state;
	expect_refusal("notifier.clash",
		       DIR_ "/notifier.clash.so is malformed: its notifier.clash's option "
			    "`timeout` differs in type from the option that every notifier has "
			    "under this name: report it to the plugin's author");
}

static void a_refused_file_does_not_harm_the_others(void **state)
{
	struct plugins *p = open_plugins();
	size_t n = 0;

	(void)state;
	plugins_load(p, STR_LIT("notifier.major"));
	plugins_load(p, STR_LIT("notifier.rows"));
	expect_role(p, "notifier.good");
	const struct conf_schema *s = plugins_schemas(p);
	while (CONF_HOST_SCHEMAS[n].keyword)
		assert_string_equal(s[n].keyword, CONF_HOST_SCHEMAS[n].keyword), n++;
	assert_string_equal(s[n].keyword, "notifier.good");
	assert_int_equal(s[n].is_titled, 1);
	assert_int_equal(s[n].n_options, 1);
	assert_true(s[n].n_more_options > 0);
	assert_null(s[n + 1].keyword);
	plugins_close(p);
}

/* ---- finding ---- */

static void a_file_that_is_not_there_suggests_one_that_is(void **state)
{
	(void)state;
	expect_refusal("notifier.goood", "plugin notifier.goood: there is no notifier.goood.so "
					 "in " DIR_ ": did you mean notifier.good?");
	expect_refusal("poller.fax-machine",
		       "plugin poller.fax-machine: there is no poller.fax-machine.so in " DIR_);
}

static void a_name_cannot_lead_out_of_the_directories(void **state)
{
	static const char *const bad[] = {"../badplugins/notifier.good", "/tmp/notifier.good",
					  "notifier..good", ".good", "a b"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char sentence[256];
		snprintf(sentence, sizeof(sentence),
			 "plugin `%s`: a plugin is named KIND.NAME (\"poller.http\"), not by a "
			 "path: say where it is with `plugin-path`",
			 bad[i]);
		expect_refusal(bad[i], sentence);
	}
	expect_refusal("", "a plugin's name is empty");
}

static char *make_dir(void)
{
	char *dir = strdup("/tmp/txwatch-loader-XXXXXX");

	assert_non_null(mkdtemp(dir));
	return dir;
}

static char *write_file(const char *dir, const char *name, const char *text)
{
	struct buf path = {0};

	buf_printf(&path, "%s/%s", dir, name);
	char *z = buf_steal(&path, NULL);
	FILE *f = fopen(z, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	return z;
}

static void a_file_that_is_no_library_is_refused(void **state)
{
	struct plugins *p = plugins_open();
	struct conf_report report;
	char *dir = make_dir();
	char *text = write_file(dir, "poller.text.so", "hello");
	char *empty = write_file(dir, "poller.empty.so", "");
	char *cut = write_file(dir, "poller.cut.so", "\177ELF and then no more");
	char *broken = write_file(dir, "poller.broken.so",
				  "\177ELF and then nonsense, as long as the head of such a file "
				  "would be and then some");

	(void)state;
	conf_report_init(&report, "test.conf");
	plugins_add_path(p, str_of(dir), &report, 1);
	for (int i = 0; i < 2; i++) {
		const struct plugin_file *f = plugins_load(
		    p, str_of(i ? "poller.empty" : "poller.text"));
		assert_false(f->is_loaded);
		assert_non_null(strstr(f->reason, "is not a shared object"));
	}
	const struct plugin_file *f = plugins_load(p, STR_LIT("poller.broken"));
	assert_false(f->is_loaded);
	assert_non_null(strstr(f->reason, "cannot be loaded: "));
	f = plugins_load(p, STR_LIT("poller.cut"));
	assert_false(f->is_loaded);
	assert_non_null(strstr(f->reason, "is cut off"));
	conf_report_free(&report);
	plugins_close(p);
	unlink(text);
	unlink(empty);
	unlink(cut);
	unlink(broken);
	rmdir(dir);
	free(text);
	free(empty);
	free(cut);
	free(broken);
	free(dir);
}

static void a_directory_that_cannot_be_read_is_a_warning_with_its_line(void **state)
{
	struct plugins *p = plugins_open();
	struct conf_report report;

	(void)state;
	conf_report_init(&report, "test.conf");
	plugins_add_path(p, STR_LIT("/nonexistent/plugins"), &report, 7);
	assert_non_null(report.first);
	assert_true(report.first->is_warning);
	assert_int_equal(report.first->line, 7);
	assert_string_equal(report.first->text,
			    "plugin-path: /nonexistent/plugins cannot be read: No such file or "
			    "directory: no plugin is looked for there");
	assert_int_equal(report.n_errors, 0);
	plugins_add_path(p, STR_LIT(DIR_), &report, 8);
	expect_role(p, "notifier.good");
	conf_report_free(&report);
	plugins_close(p);
}

static void the_first_directory_that_has_it_wins(void **state)
{
	struct plugins *p = plugins_open();
	struct conf_report report;
	char *dir = make_dir();
	char *text = write_file(dir, "notifier.good.so", "in the way");

	(void)state;
	conf_report_init(&report, "test.conf");
	plugins_add_path(p, str_of(dir), &report, 1);
	plugins_add_path(p, STR_LIT(DIR_), &report, 1);
	const struct plugin_file *f = plugins_load(p, STR_LIT("notifier.good"));
	assert_string_equal(f->path, text);
	assert_true(plugins_load(p, STR_LIT("notifier.short"))->is_loaded);
	conf_report_free(&report);
	plugins_close(p);
	unlink(text);
	rmdir(dir);
	free(text);
	free(dir);
}

static void without_any_directory_it_says_so(void **state)
{
	struct plugins *p = plugins_open();

	(void)state;
	const struct plugin_file *f = plugins_load(p, STR_LIT("poller.http"));
	assert_string_equal(f->reason,
			    "plugin poller.http: there is no poller.http.so in any "
			    "directory, for there is none to look in: set `plugin-path`");
	plugins_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_good_plugin_is_loaded),
	    cmocka_unit_test(the_same_name_again_is_the_same_file),
	    cmocka_unit_test(a_newer_major_is_refused),
	    cmocka_unit_test(a_newer_major_under_its_own_symbol_is_refused),
	    cmocka_unit_test(an_older_major_is_refused),
	    cmocka_unit_test(a_too_new_minor_is_refused),
	    cmocka_unit_test(a_library_without_the_symbol_is_refused),
	    cmocka_unit_test(a_missing_library_is_named),
	    cmocka_unit_test(a_null_table_is_refused),
	    cmocka_unit_test(a_missing_call_is_named),
	    cmocka_unit_test(malformed_rows_are_refused_by_name),
	    cmocka_unit_test(of_two_files_with_one_role_the_second_is_refused),
	    cmocka_unit_test(a_role_that_is_there_is_not_among_the_refused),
	    cmocka_unit_test(a_shorter_struct_loads_and_what_it_lacks_is_zero),
	    cmocka_unit_test(a_longer_struct_loads_by_its_stride),
	    cmocka_unit_test(a_file_named_otherwise_loads_with_a_warning),
	    cmocka_unit_test(a_common_option_is_shared_when_the_type_is_the_same),
	    cmocka_unit_test(a_common_option_of_another_type_is_refused),
	    cmocka_unit_test(a_refused_file_does_not_harm_the_others),
	    cmocka_unit_test(a_file_that_is_not_there_suggests_one_that_is),
	    cmocka_unit_test(a_name_cannot_lead_out_of_the_directories),
	    cmocka_unit_test(a_file_that_is_no_library_is_refused),
	    cmocka_unit_test(a_directory_that_cannot_be_read_is_a_warning_with_its_line),
	    cmocka_unit_test(the_first_directory_that_has_it_wins),
	    cmocka_unit_test(without_any_directory_it_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
