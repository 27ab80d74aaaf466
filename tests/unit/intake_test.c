/* intake_test.c: what a malformed table gets instead of a crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "plugin/intake.h"

static int32_t create(const txw_setup *setup, void **out, txw_error *err)
{
	(void)setup;
	(void)out;
	(void)err;
	return TXW_OK;
}

static void some_call(void)
{
}

/* A store that has everything, with room to spoil it. */
struct made {
	txw_plugin plugin;
	txw_role role;
	txw_store store;
	txw_option rows[2];
	struct arena arena;
	struct plugin_file file;
	struct err e;
};

static void make(struct made *m)
{
	void (*fn)(void) = some_call;

	memset(m, 0, sizeof(*m));
	for (size_t at = offsetof(txw_store, open); at < sizeof(m->store); at += sizeof(fn))
		memcpy((char *)&m->store + at, &fn, sizeof(fn));
	m->store.size = sizeof(m->store);
	for (int i = 0; i < 2; i++)
		m->rows[i] = (txw_option){
		    .size = sizeof(txw_option), .name = i ? "path" : "cache", .help = "Something"};
	m->role = (txw_role){.size = sizeof(m->role),
			     .kind = TXW_ROLE_STORE,
			     .name = "memory",
			     .n_options = 2,
			     .options = m->rows,
			     .option_stride = sizeof(m->rows[0]),
			     .vtable = &m->store,
			     .create = create};
	m->plugin = (txw_plugin){.size = sizeof(m->plugin),
				 .abi_major = TXW_ABI_MAJOR,
				 .n_roles = 1,
				 .roles = &m->role,
				 .role_stride = sizeof(m->role)};
	m->file.path = "/x.so";
}

static void expect(struct made *m, const char *why)
{
	char sentence[512];
	int32_t rc = intake_plugin(&m->arena, &m->plugin, &m->file, &m->e);

	snprintf(sentence, sizeof(sentence),
		 "/x.so is malformed: %s: report it to the plugin's author", why);
	assert_true(rc < 0);
	assert_string_equal(m->e.text, sentence);
	assert_int_equal(m->file.n_roles, 0);
	arena_free(&m->arena);
}

static void a_whole_store_is_taken(void **state)
{
	struct made m;

	(void)state;
	make(&m);
	if (intake_plugin(&m.arena, &m.plugin, &m.file, &m.e) < 0)
		fail_msg("%s", m.e.text);
	assert_int_equal(m.file.n_roles, 1);
	assert_string_equal(m.file.roles[0].full_name, "store.memory");
	assert_string_equal(m.file.version, "");
	assert_ptr_equal(m.file.roles[0].v.store.ping, m.store.ping);
	assert_ptr_equal(m.file.roles[0].schema->options, m.file.roles[0].row.options);
	arena_free(&m.arena);
}

static void a_store_needs_every_call(void **state)
{
	struct made m;
	size_t n = 0;

	(void)state;
	/* What came after resend may be absent. */
	for (size_t at = offsetof(txw_store, open); at <= offsetof(txw_store, resend);
	     at += sizeof(void *)) {
		make(&m);
		memset((char *)&m.store + at, 0, sizeof(void *));
		assert_true(intake_plugin(&m.arena, &m.plugin, &m.file, &m.e) < 0);
		assert_non_null(strstr(m.e.text, "its store.memory has no "));
		arena_free(&m.arena);
		n++;
	}
	assert_true(n > 30);
}

static void an_exporter_must_render_or_push(void **state)
{
	txw_exporter exporter = {.size = sizeof(exporter)};
	struct made m;

	(void)state;
	make(&m);
	m.role.kind = TXW_ROLE_EXPORTER;
	m.role.vtable = &exporter;
	expect(&m, "its exporter.memory has neither render() nor push()");
	make(&m);
	m.role.kind = TXW_ROLE_EXPORTER;
	m.role.vtable = &exporter;
	void (*fn)(void) = some_call;
	memcpy(&exporter.push, &fn, sizeof(fn));
	assert_int_equal(intake_plugin(&m.arena, &m.plugin, &m.file, &m.e), 0);
	arena_free(&m.arena);
}

static void sizes_that_cannot_be_are_refused(void **state)
{
	struct made m;
	char why[128];

	(void)state;
	make(&m);
	m.plugin.size = 16;
	expect(&m, "its table has size 16, and at least 56 is needed");
	make(&m);
	m.plugin.size = UINT32_MAX;
	expect(&m, "its table has size 4294967295, which cannot be");
	make(&m);
	m.role.size = 0;
	expect(&m, "its role 1 has size 0, and at least 64 is needed");
	make(&m);
	m.store.size = 100;
	snprintf(why, sizeof(why),
		 "its store.memory's vtable has size 100, and at least %zu is needed",
		 offsetof(txw_store, resend) + sizeof(m.store.resend));
	expect(&m, why);
	make(&m);
	m.rows[1].size = 4096;
	expect(&m, "its store.memory's option row 2 has size 4096, beyond its array's stride 64");
}

static void strides_that_cannot_be_are_refused(void **state)
{
	struct made m;

	(void)state;
	make(&m);
	m.plugin.role_stride = 3;
	expect(&m, "its role 1: its array has stride 3, which cannot be");
	make(&m);
	m.role.option_stride = 0;
	expect(&m, "its store.memory's option row 1: its array has stride 0, which cannot be");
}

static void counts_that_cannot_be_are_refused(void **state)
{
	struct made m;

	(void)state;
	make(&m);
	m.plugin.n_roles = 0;
	expect(&m, "it offers 0 roles; 1 to 32 are possible");
	make(&m);
	m.plugin.n_roles = 4000000000u;
	expect(&m, "it offers 4000000000 roles; 1 to 32 are possible");
	make(&m);
	m.role.n_options = 4000000000u;
	expect(&m, "its store.memory has 4000000000 options; at most 256 are allowed");
}

static void null_where_something_must_be_is_refused(void **state)
{
	struct made m;

	(void)state;
	make(&m);
	m.plugin.roles = NULL;
	expect(&m, "its role 1: its array is NULL");
	make(&m);
	m.role.vtable = NULL;
	expect(&m, "its store.memory's vtable is NULL");
	make(&m);
	m.role.create = NULL;
	expect(&m, "its store.memory has no create()");
	make(&m);
	m.role.options = NULL;
	expect(&m, "its store.memory's option row 1: its array is NULL");
	make(&m);
	m.rows[0].name = NULL;
	expect(&m, "its store.memory's option row 1 has no name");
}

static void names_and_kinds_must_be_ones(void **state)
{
	static const char *const bad[] = {NULL, "", "Memory", "9x", "a.b", "a b"};
	struct made m;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		make(&m);
		m.role.name = bad[i];
		expect(&m, "its role 1, a store, has no valid name: lower case letters, digits and "
			   "'-', at most 64");
	}
	make(&m);
	m.role.kind = 9;
	expect(&m, "its role 1 is of kind 9, which does not exist");
}

static void one_role_twice_in_a_file_is_refused(void **state)
{
	txw_role two[2];
	struct made m;

	(void)state;
	make(&m);
	two[0] = two[1] = m.role;
	m.plugin.roles = two;
	m.plugin.n_roles = 2;
	expect(&m, "it offers store.memory twice");
}

static void a_misaligned_table_is_not_followed(void **state)
{
	struct made m;

	(void)state;
	make(&m);
	m.role.vtable = (const char *)&m.store + 4;
	expect(&m, "its store.memory's vtable is at a misaligned address");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_whole_store_is_taken),
	    cmocka_unit_test(a_store_needs_every_call),
	    cmocka_unit_test(an_exporter_must_render_or_push),
	    cmocka_unit_test(sizes_that_cannot_be_are_refused),
	    cmocka_unit_test(strides_that_cannot_be_are_refused),
	    cmocka_unit_test(counts_that_cannot_be_are_refused),
	    cmocka_unit_test(null_where_something_must_be_is_refused),
	    cmocka_unit_test(names_and_kinds_must_be_ones),
	    cmocka_unit_test(one_role_twice_in_a_file_is_refused),
	    cmocka_unit_test(a_misaligned_table_is_not_followed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
