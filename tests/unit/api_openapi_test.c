/*
 * api_openapi_test.c: the description is printed from the tables, whole: every
 * name in it leads somewhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "api/openapi.h"
#include "api/problem.h"
#include "api/schema.h"
#include "base/str.h"
#include "notify/notify.h"

static json_t *document(bool is_virtual)
{
	struct buf b = {0};
	json_error_t e;
	openapi_print(&b, is_virtual);
	json_t *root = json_loadb(b.ptr, b.len, JSON_REJECT_DUPLICATES, &e);
	if (!root)
		fail_msg("the description is not JSON: column %d: %s", e.column, e.text);
	buf_free(&b);
	return root;
}

static void every_body_and_answer_of_a_route_has_a_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROUTES_N; i++) {
		const struct route *r = &ROUTES[i];
		if (!schema_names_known(r->body))
			fail_msg("%s %s: its body %s has no row in host/api/schemas.c", r->method,
				 r->path, r->body);
		if (!schema_names_known(r->answer))
			fail_msg("%s %s: its answer %s has no row in host/api/schemas.c", r->method,
				 r->path, r->answer);
	}
}

/* notify/ checks these bodies by rows of its own. */
static void a_subscription_s_bodies_are_described_as_they_are_checked(void **state)
{
	static const char *const names[] = {"NewSubscription", "SubscriptionChange"};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct schema *s = schema_find(str_of(names[i]));
		struct member m;
		size_t max, n = 0;
		for (; member_at(s, n, &m, &max); n++) {
			size_t k = 0;
			while (k < SUB_MEMBERS_N && strcmp(SUB_MEMBERS[k].name, m.name) != 0)
				k++;
			if (k == SUB_MEMBERS_N)
				fail_msg("%s.%s is not taken", names[i], m.name);
			char kind = m.kind == MEMBER_TEXT      ? 't'
				    : m.kind == MEMBER_BOOLEAN ? 'b'
							       : '*';
			if (kind != SUB_MEMBERS[k].kind)
				fail_msg("%s.%s is of another type", names[i], m.name);
		}
		assert_int_equal(n, SUB_MEMBERS_N);
	}
}

static void every_row_is_named_once_and_its_members_lead_to_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCHEMAS_N; i++) {
		struct member m;
		size_t max;
		assert_ptr_equal(schema_find(str_of(SCHEMAS[i].name)), &SCHEMAS[i]);
		assert_true(strlen(SCHEMAS[i].help) > 0);
		for (size_t k = 0; member_at(&SCHEMAS[i], k, &m, &max); k++) {
			bool is_ref = m.kind == MEMBER_OF || (m.kind == MEMBER_LIST && m.of);
			if (is_ref && !schema_names_known(m.of))
				fail_msg("%s.%s: %s has no row in host/api/schemas.c",
					 SCHEMAS[i].name, m.name, m.of);
			if (m.kind == MEMBER_ANY && !member_help(&m)[0])
				fail_msg("%s.%s: any value, and no word of what it is",
					 SCHEMAS[i].name, m.name);
			assert_false((m.kind == MEMBER_ID || m.kind == MEMBER_CHOICE) && !m.of);
		}
	}
}

/* Every "$ref" below v leads to something in the document. */
static void check_refs(const json_t *root, json_t *v)
{
	const char *key;
	json_t *one;
	size_t i;
	json_array_foreach(v, i, one) check_refs(root, one);
	json_object_foreach(v, key, one)
	{
		if (strcmp(key, "$ref") != 0) {
			check_refs(root, one);
			continue;
		}
		char kind[32], name[64];
		assert_int_equal(
		    sscanf(json_string_value(one), "#/components/%31[a-z]/%63s", kind, name), 2);
		const json_t *parts = json_object_get(root, "components");
		if (!json_object_get(json_object_get(parts, kind), name))
			fail_msg("%s leads nowhere", json_string_value(one));
	}
}

static void every_reference_leads_to_a_component(void **state)
{
	(void)state;
	json_t *root = document(true);
	check_refs(root, root);
	json_decref(root);
}

static void every_route_is_an_operation_and_the_clock_only_when_virtual(void **state)
{
	(void)state;
	for (int is_virtual = 0; is_virtual < 2; is_virtual++) {
		json_t *root = document(is_virtual);
		const json_t *paths = json_object_get(root, "paths");
		for (size_t i = 0; i < ROUTES_N; i++) {
			const struct route *r = &ROUTES[i];
			bool is_there = is_virtual || !(r->flags & ROUTE_VIRTUAL);
			char method[16] = "";
			for (size_t k = 0; r->method[k]; k++)
				method[k] = (char)(r->method[k] | 0x20);
			const json_t *op = json_object_get(json_object_get(paths, r->path), method);
			assert_int_equal(op != NULL, is_there);
			if (!op)
				continue;
			assert_string_equal(json_string_value(json_object_get(op, "summary")),
					    r->summary);
			assert_non_null(json_object_get(op, "responses"));
			assert_int_equal(json_object_get(op, "security") != NULL,
					 r->scope == SCOPE_OPEN);
		}
		json_decref(root);
	}
}

static void a_body_s_rows_are_its_schema_and_nothing_else_is_let_in(void **state)
{
	(void)state;
	json_t *root = document(false);
	const json_t *schemas = json_object_get(json_object_get(root, "components"), "schemas");
	const json_t *body = json_object_get(schemas, "NewTransaction");
	const json_t *ref = json_object_get(json_object_get(body, "properties"), "ref");
	assert_int_equal(json_integer_value(json_object_get(ref, "maxLength")), 256);
	assert_true(json_is_false(json_object_get(body, "additionalProperties")));
	assert_int_equal(json_array_size(json_object_get(body, "required")), 2);
	const json_t *owner = json_object_get(json_object_get(body, "properties"), "owner");
	assert_int_equal(json_array_size(json_object_get(owner, "type")), 2); /* or null */
	/* An answer may grow. */
	assert_null(
	    json_object_get(json_object_get(schemas, "Transaction"), "additionalProperties"));
	json_decref(root);
}

static void a_name_is_a_row_a_list_of_one_or_a_media_type(void **state)
{
	(void)state;
	assert_true(schema_names_known("Transaction"));
	assert_true(schema_names_known("TransactionList"));
	assert_true(schema_names_known("Transaction|DryRun"));
	assert_true(schema_names_known("text/csv|TransactionList"));
	assert_true(schema_names_known(NULL));
	assert_false(schema_names_known("Transactions"));
	assert_false(schema_names_known("Transaction|Nobody"));
	assert_false(schema_names_known("List"));
}

static void the_statuses_of_a_route_follow_from_what_it_is(void **state)
{
	(void)state;
	struct route r = {.method = "POST", .path = "/v1/x", .scope = SCOPE_WRITE, .answer = "X"};
	assert_int_equal(route_good_status(&r, 0), 200);
	assert_int_equal(route_good_status(&r, 1), 0);
	assert_false(route_may_fail(&r, 404));
	assert_false(route_may_fail(&r, 415));
	assert_true(route_may_fail(&r, 409));
	r.flags = ROUTE_MADE | ROUTE_ALSO_200 | ROUTE_BODY;
	assert_int_equal(route_good_status(&r, 0), 201);
	assert_int_equal(route_good_status(&r, 1), 200);
	assert_true(route_may_fail(&r, 415));
	r = (struct route){.method = "GET", .path = "/v1/x/{id}", .scope = SCOPE_OPEN};
	assert_int_equal(route_good_status(&r, 0), 204);
	assert_true(route_may_fail(&r, 404));
	assert_false(route_may_fail(&r, 401));
	assert_false(route_may_fail(&r, 507));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_body_and_answer_of_a_route_has_a_row),
	    cmocka_unit_test(a_subscription_s_bodies_are_described_as_they_are_checked),
	    cmocka_unit_test(every_row_is_named_once_and_its_members_lead_to_rows),
	    cmocka_unit_test(every_reference_leads_to_a_component),
	    cmocka_unit_test(every_route_is_an_operation_and_the_clock_only_when_virtual),
	    cmocka_unit_test(a_body_s_rows_are_its_schema_and_nothing_else_is_let_in),
	    cmocka_unit_test(a_name_is_a_row_a_list_of_one_or_a_media_type),
	    cmocka_unit_test(the_statuses_of_a_route_follow_from_what_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
