/* api_auth_test.c: tokens, scopes, expiry, and the throttle of guessers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "api/auth.h"
#include "base/clock.h"
#include "base/str.h"

#define NOW   INT64_C(1767323045000000) /* 2026-01-02 */
#define PEER  STR_LIT("192.0.2.1")
#define PLAIN "tok_0123456789abcdefghij"
#define OTHER "another-token-0123456789"

struct row {
	const char *title;
	const char *value;
	const char *hash;
	const char *scopes[4];
	const char *tenant;
	const char *expires;
};

/* A conf as conf_parse makes it, by hand. */
struct made {
	struct conf conf;
	struct conf_section sections[4];
	txw_value values[4][5];
	txw_str texts[4][5][4];
	txw_option options[5];
	int lines[5];
	struct conf_schema schema;
};

static const char *const NAMES[] = {"value", "hash", "scopes", "tenant", "expires"};

static void put(txw_value *v, txw_str *texts, const char *name, const char *const *words)
{
	uint32_t n = 0;
	for (; words[n]; n++)
		texts[n] = str_of(words[n]);
	*v = (txw_value){.size = sizeof(*v),
			 .type = TXW_OPT_STRING,
			 .name = name,
			 .is_set = n > 0,
			 .n = n,
			 .texts = texts};
}

static void make(struct made *m, const struct row *rows, size_t n)
{
	memset(m, 0, sizeof(*m));
	for (size_t i = 0; i < 5; i++)
		m->options[i] = (txw_option){.size = sizeof(txw_option), .name = NAMES[i]};
	m->schema = (struct conf_schema){.keyword = "token",
					 .options = m->options,
					 .option_stride = sizeof(txw_option),
					 .n_options = 5};
	for (size_t i = 0; i < n; i++) {
		const char *one[5][2] = {
		    {rows[i].value}, {rows[i].hash}, {NULL}, {rows[i].tenant}, {rows[i].expires}};
		for (size_t k = 0; k < 5; k++)
			put(&m->values[i][k], m->texts[i][k], NAMES[k],
			    k == 2 ? rows[i].scopes : one[k]);
		m->sections[i] = (struct conf_section){.keyword = "token",
						       .title = rows[i].title,
						       .file = "t",
						       .line = (int)i + 1,
						       .schema = &m->schema,
						       .n_values = 5,
						       .values = m->values[i],
						       .value_lines = m->lines};
	}
	m->conf.root.n_children = n;
	m->conf.root.children = m->sections;
}

static struct auth *open_rows(const struct row *rows, size_t n, size_t *errors)
{
	struct made m;
	struct conf_report report;
	make(&m, rows, n);
	conf_report_init(&report, "t");
	struct auth *a = auth_open(&m.conf, &report);
	*errors = report.n_errors;
	conf_report_free(&report);
	return a;
}

static const struct row GOOD[] = {
    {"reader", PLAIN, NULL, {"read"}, "default", NULL},
    {"boss", "boss-0123456789abcdef", NULL, {"read", "admin"}, "acme", NULL},
    {"old", "old-0123456789abcdefg", NULL, {"write"}, "default", "2026-01-01T00:00:00Z"},
};

static struct auth *open_good(void)
{
	size_t errors;
	struct auth *a = open_rows(GOOD, 3, &errors);
	assert_int_equal(errors, 0);
	assert_non_null(a);
	return a;
}

static enum auth_answer ask(struct auth *a, const char *header, txw_time now,
			    const struct token **t)
{
	int64_t wait = 0;
	return auth_check(a, str_of(header), PEER, now, t, &wait);
}

static void a_known_token_opens_its_tenant_with_its_highest_scope(void **state)
{
	(void)state;
	struct auth *a = open_good();
	const struct token *t = NULL;
	assert_int_equal(ask(a, "Bearer " PLAIN, NOW, &t), AUTH_OK);
	assert_string_equal(t->name, "reader");
	assert_int_equal(t->scope, SCOPE_READ);
	assert_int_equal(ask(a, "bearer  boss-0123456789abcdef", NOW, &t), AUTH_OK);
	assert_int_equal(t->scope, SCOPE_ADMIN);
	assert_true(str_is(t->tenant, "acme"));
	auth_close(a);
}

static void what_is_not_a_known_token_is_refused(void **state)
{
	(void)state;
	struct auth *a = open_good();
	const struct token *t = NULL;
	assert_int_equal(ask(a, NULL, NOW, &t), AUTH_MISSING);
	assert_int_equal(ask(a, "Bearer " PLAIN "x", NOW, &t), AUTH_WRONG);
	assert_int_equal(ask(a, "Bearer ", NOW, &t), AUTH_WRONG);
	assert_int_equal(ask(a, "Basic " PLAIN, NOW, &t), AUTH_WRONG);
	assert_int_equal(ask(a, PLAIN, NOW, &t), AUTH_WRONG);
	assert_int_equal(ask(a, "Bearer old-0123456789abcdefg", NOW, &t), AUTH_EXPIRED);
	assert_null(t);
	auth_close(a);
}

static void a_token_works_until_the_moment_it_expires(void **state)
{
	(void)state;
	struct auth *a = open_good();
	const struct token *t = NULL;
	txw_time end = 0;
	assert_true(time_parse(STR_LIT("2026-01-01T00:00:00Z"), &end));
	assert_int_equal(ask(a, "Bearer old-0123456789abcdefg", end - 1, &t), AUTH_OK);
	assert_int_equal(ask(a, "Bearer old-0123456789abcdefg", end, &t), AUTH_EXPIRED);
	auth_close(a);
}

static void ten_wrong_tokens_in_a_minute_end_their_peers_guessing(void **state)
{
	(void)state;
	struct auth *a = open_good();
	const struct token *t = NULL;
	int64_t wait = 0;
	for (int i = 0; i < THROTTLE_MAX; i++)
		assert_int_equal(ask(a, "Bearer wrong", NOW + i * SECOND, &t), AUTH_WRONG);
	assert_int_equal(auth_check(a, STR_LIT("Bearer wrong"), PEER, NOW + 20 * SECOND, &t, &wait),
			 AUTH_THROTTLED);
	assert_in_range(wait, 40, 41);
	/* Behind a proxy all are one peer: a good token goes through. */
	assert_int_equal(ask(a, "Bearer " PLAIN, NOW + 20 * SECOND, &t), AUTH_OK);
	assert_int_equal(auth_check(a, STR_LIT("Bearer wrong"), STR_LIT("192.0.2.2"),
				    NOW + 20 * SECOND, &t, &wait),
			 AUTH_WRONG);
	assert_int_equal(ask(a, "Bearer wrong", NOW + 61 * SECOND, &t), AUTH_WRONG);
	auth_close(a);
}

static void nine_wrong_tokens_shut_out_nobody_and_a_missing_one_does_not_count(void **state)
{
	(void)state;
	struct auth *a = open_good();
	const struct token *t = NULL;
	for (int i = 0; i < THROTTLE_MAX - 1; i++)
		assert_int_equal(ask(a, "Bearer wrong", NOW, &t), AUTH_WRONG);
	for (int i = 0; i < 50; i++)
		assert_int_equal(ask(a, NULL, NOW, &t), AUTH_MISSING);
	assert_int_equal(ask(a, "Bearer " PLAIN, NOW, &t), AUTH_OK);
	auth_close(a);
}

static void the_throttles_table_is_bounded_and_still_works_when_full(void **state)
{
	(void)state;
	struct auth *a = open_good();
	const struct token *t = NULL;
	int64_t wait = 0;
	for (int i = 0; i < 100000; i++) {
		char peer[32];
		snprintf(peer, sizeof(peer), "2001:db8::%x", i);
		auth_check(a, STR_LIT("Bearer wrong"), str_of(peer), NOW + i, &t, &wait);
	}
	for (int i = 0; i < THROTTLE_MAX; i++)
		ask(a, "Bearer wrong", NOW + SECOND, &t);
	assert_int_equal(ask(a, "Bearer wrong", NOW + SECOND, &t), AUTH_THROTTLED);
	auth_close(a);
}

static void mistakes_in_token_sections_are_all_reported(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"none", NULL, NULL, {"read"}, NULL, NULL},
	    {"both", PLAIN, "sha256:00", {"read"}, NULL, NULL},
	    {"short", NULL, "sha256:00", {"read"}, NULL, NULL},
	    {"weak", "secret", NULL, {"read"}, NULL, "soon"},
	};
	size_t errors = 0;
	assert_null(open_rows(rows, 4, &errors));
	assert_int_equal(errors, 5);
}

static void a_token_given_by_its_hash_works(void **state)
{
	(void)state;
	/* printf %s another-token-0123456789 | sha256sum */
	static const struct row rows[] = {
	    {"hashed",
	     NULL,
	     "sha256:993b1be274d81438a4472fb044321f2c0966e4d6ecdd225f29d453ecc99c3a8f",
	     {"write"},
	     NULL,
	     NULL},
	};
	size_t errors = 0;
	const struct token *t = NULL;
	struct auth *a = open_rows(rows, 1, &errors);
	assert_non_null(a);
	assert_int_equal(ask(a, "Bearer " OTHER, NOW, &t), AUTH_OK);
	assert_int_equal(t->scope, SCOPE_WRITE);
	assert_true(str_is(t->tenant, "default"));
	auth_close(a);
}

static void admit(struct auth *a, const char *name, const char *value, txw_time expires)
{
	struct token t = {
	    .name = name, .tenant = STR_LIT("acme"), .scope = SCOPE_WRITE, .expires = expires};
	auth_sum(a, str_of(value), t.sum);
	assert_true(auth_admit(a, &t));
}

static void tokens_that_ended_long_ago_are_forgotten_and_count_until_then(void **state)
{
	(void)state;
	struct auth *a = open_good();
	const struct token *t = NULL;
	admit(a, "tok_1", "one-0123456789abcdefgh", NOW + MINUTE);
	admit(a, "tok_2", "two-0123456789abcdefgh", 0);
	assert_int_equal(auth_count(a, STR_LIT("acme"), NOW), 2);
	assert_int_equal(auth_count(a, STR_LIT("other"), NOW), 0);
	assert_int_equal(auth_count(a, STR_LIT("acme"), NOW + HOUR), 2);
	assert_int_equal(ask(a, "Bearer one-0123456789abcdefgh", NOW + HOUR, &t), AUTH_EXPIRED);
	assert_int_equal(auth_count(a, STR_LIT("acme"), NOW + HOUR + MINUTE), 1);
	assert_false(auth_forget(a, STR_LIT("tok_1")));
	assert_int_equal(ask(a, "Bearer two-0123456789abcdefgh", NOW + DAY, &t), AUTH_OK);
	auth_close(a);
}

static void a_token_is_good_until_it_ends_or_is_forgotten(void **state)
{
	(void)state;
	struct auth *a = open_good();
	const struct token *t = NULL;
	admit(a, "tok_1", "one-0123456789abcdefgh", NOW + MINUTE);
	assert_int_equal(ask(a, "Bearer one-0123456789abcdefgh", NOW, &t), AUTH_OK);
	struct token mine = *t;
	assert_true(auth_admits(a, STR_LIT("Bearer one-0123456789abcdefgh"), NOW, SCOPE_WRITE));
	assert_false(auth_admits(a, STR_LIT("Bearer one-0123456789abcdefgh"), NOW, SCOPE_ADMIN));
	assert_false(auth_admits(a, STR_LIT("Bearer guess"), NOW, SCOPE_READ));
	assert_true(auth_is_good(a, &mine, NOW));
	assert_false(auth_is_good(a, &mine, NOW + MINUTE));
	assert_true(auth_forget(a, STR_LIT("tok_1")));
	assert_false(auth_is_good(a, &mine, NOW));
	auth_close(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tokens_that_ended_long_ago_are_forgotten_and_count_until_then),
	    cmocka_unit_test(a_token_is_good_until_it_ends_or_is_forgotten),
	    cmocka_unit_test(a_known_token_opens_its_tenant_with_its_highest_scope),
	    cmocka_unit_test(what_is_not_a_known_token_is_refused),
	    cmocka_unit_test(a_token_works_until_the_moment_it_expires),
	    cmocka_unit_test(ten_wrong_tokens_in_a_minute_end_their_peers_guessing),
	    cmocka_unit_test(nine_wrong_tokens_shut_out_nobody_and_a_missing_one_does_not_count),
	    cmocka_unit_test(the_throttles_table_is_bounded_and_still_works_when_full),
	    cmocka_unit_test(mistakes_in_token_sections_are_all_reported),
	    cmocka_unit_test(a_token_given_by_its_hash_works),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
