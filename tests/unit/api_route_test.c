/*
 * api_route_test.c: the table of routes dispatches as it reads, and the docs
 * tell of every route and every problem.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/problem.h"
#include "api/route.h"
#include "base/str.h"

static struct route_match find(const char *method, const char *path)
{
	struct route_match m;
	route_find(str_of(method), str_of(path), false, &m);
	return m;
}

static void leads_to(const char *method, const char *path, const char *route)
{
	struct route_match m = find(method, path);
	assert_non_null(m.route);
	assert_string_equal(m.route->path, route);
}

static void a_path_finds_its_route_and_parameters(void **state)
{
	(void)state;
	leads_to("GET", "/v1/transactions", "/v1/transactions");
	leads_to("POST", "/v1/transactions:batch", "/v1/transactions:batch");
	leads_to("GET", "/healthz", "/healthz");
	leads_to("HEAD", "/v1/events", "/v1/events");
	struct route_match m = find("POST", "/v1/transactions/tx_1/status");
	assert_string_equal(m.route->path, "/v1/transactions/{id}/status");
	assert_true(str_is(m.param[0], "tx_1"));
	m = find("GET", "/v1/transactions/by-ref/payment/a/b c/");
	assert_string_equal(m.route->path, "/v1/transactions/by-ref/{flow}/{ref}");
	assert_true(str_is(m.param[0], "payment"));
	assert_true(str_is(m.param[1], "a/b c/"));
}

static void what_is_not_in_the_table_is_not_found(void **state)
{
	(void)state;
	static const char *const paths[] = {
	    "/",
	    "/v1",
	    "/v1/transactions/",
	    "/v1/transactions//status",
	    "/v1/transaction",
	    "/v1/transactions/a/b/c",
	    "/v1/flows/x",
	    "/healthz/",
	    "//healthz",
	    "/v1/test/clock",
	};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct route_match m = find("GET", paths[i]);
		assert_null(m.route);
		assert_string_equal(m.allow, "");
	}
}

static void another_method_is_told_which_there_are(void **state)
{
	(void)state;
	struct route_match m = find("PUT", "/v1/transactions");
	assert_null(m.route);
	assert_string_equal(m.allow, "POST, GET, HEAD");
	m = find("DELETE", "/v1/transactions/tx_1");
	assert_string_equal(m.allow, "GET, HEAD, PATCH");
	assert_string_equal(find("get", "/healthz").allow, "GET, HEAD");
}

static void the_clock_has_a_route_only_when_it_is_virtual(void **state)
{
	(void)state;
	struct route_match m;
	route_find(STR_LIT("POST"), STR_LIT("/v1/test/clock"), true, &m);
	assert_non_null(m.route);
	route_find(STR_LIT("POST"), STR_LIT("/v1/test/clock"), false, &m);
	assert_null(m.route);
}

static void every_row_is_complete_and_reached_by_its_own_path(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROUTES_N; i++) {
		const struct route *r = &ROUTES[i];
		struct route_match m;
		assert_non_null(r->run);
		assert_non_null(r->summary);
		assert_true((r->flags & ROUTE_BODY) == 0 || r->body);
		route_find(str_of(r->method), str_of(r->path), true, &m);
		assert_ptr_equal(m.route, r); /* no row before it hides it */
		size_t n = 0;
		while (r->queries && r->queries[n].name)
			n++;
		assert_true(n < ROUTE_QUERIES_MAX);
		if (strcmp(r->method, "GET") != 0)
			assert_true(r->scope >= SCOPE_WRITE);
	}
}

static char *read_docs(void)
{
	FILE *f = fopen(TXW_SOURCE_DIR "/docs/api.md", "r");
	assert_non_null(f);
	char *text = calloc(1, 1 << 20);
	size_t n = fread(text, 1, (1 << 20) - 1, f);
	fclose(f);
	assert_true(n > 0);
	return text;
}

static void the_docs_tell_of_every_route_and_parameter(void **state)
{
	(void)state;
	char *docs = read_docs();
	for (size_t i = 0; i < ROUTES_N; i++) {
		const struct route *r = &ROUTES[i];
		char name[160];
		snprintf(name, sizeof(name), "`%s %s`", r->method, r->path);
		if (!strstr(docs, name))
			fail_msg("docs/api.md does not tell of %s", name);
		for (const struct route_query *q = r->queries; q && q->name; q++) {
			snprintf(name, sizeof(name), "`%s`", q->name);
			if (!strstr(docs, name))
				fail_msg("docs/api.md does not tell of the parameter %s", name);
		}
	}
	free(docs);
}

static void the_docs_have_the_table_of_problems(void **state)
{
	(void)state;
	char *docs = read_docs();
	for (size_t i = 0; i < PROBLEM_N; i++) {
		char row[600];
		snprintf(row, sizeof(row), "| `%s` | %d | %s |", PROBLEM_ROWS[i].name,
			 PROBLEM_ROWS[i].status, PROBLEM_ROWS[i].help);
		if (!strstr(docs, row))
			fail_msg("docs/api.md lacks the row: %s", row);
	}
	free(docs);
}

static void problem_names_are_unique_and_fit_a_urn(void **state)
{
	(void)state;
	for (size_t i = 0; i < PROBLEM_N; i++) {
		const struct problem_row *row = &PROBLEM_ROWS[i];
		assert_true(row->status >= 400 && row->status < 600);
		for (const char *c = row->name; *c; c++)
			assert_true(islower((unsigned char)*c) || *c == '-');
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(row->name, PROBLEM_ROWS[k].name);
	}
}

static void a_problem_is_an_object_with_its_five_members(void **state)
{
	(void)state;
	struct buf b = {0};
	problem_open(&b, PROBLEM_NOT_FOUND, "no \"x\"", STR_LIT("req-1"));
	json_m_text(&b, "more", "yes");
	json_close(&b, '}');
	buf_char(&b, '\0');
	assert_string_equal(b.ptr,
			    "{\"type\":\"urn:txwatch:problem:not-found\",\"title\":\"Not found\","
			    "\"status\":404,\"detail\":\"no \\\"x\\\"\",\"instance\":\"req-1\","
			    "\"more\":\"yes\"}");
	buf_free(&b);
	assert_int_equal(problem_of(TXW_E_FULL), PROBLEM_FULL);
	assert_int_equal(problem_of(TXW_E_BUSY), PROBLEM_BUSY);
	assert_int_equal(problem_of(TXW_E_IO), PROBLEM_STORE);
	assert_int_equal(problem_of(TXW_E_NOMEM), PROBLEM_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_path_finds_its_route_and_parameters),
	    cmocka_unit_test(what_is_not_in_the_table_is_not_found),
	    cmocka_unit_test(another_method_is_told_which_there_are),
	    cmocka_unit_test(the_clock_has_a_route_only_when_it_is_virtual),
	    cmocka_unit_test(every_row_is_complete_and_reached_by_its_own_path),
	    cmocka_unit_test(the_docs_tell_of_every_route_and_parameter),
	    cmocka_unit_test(the_docs_have_the_table_of_problems),
	    cmocka_unit_test(problem_names_are_unique_and_fit_a_urn),
	    cmocka_unit_test(a_problem_is_an_object_with_its_five_members),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
