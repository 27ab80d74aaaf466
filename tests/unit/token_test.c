/* token_test.c: what `txwatch token` prints is a token, and a section that
 * admits it. */
#include "conf_fixture.h"

#include <openssl/evp.h>
#include <unistd.h>

#include "command_fixture.h"

struct run {
	int status;
	char token[128];
	char section[1024];
};

static const struct command *token_make(void)
{
	const struct command *c = SITE_COMMANDS;

	while (strcmp(c->name, "token make") != 0)
		c++;
	return c;
}

/* Runs the command with its stdout in a file; argv[0] is its name. */
static void run(struct run *r, char **argv)
{
	FILE *out = tmpfile();
	int kept = dup(STDOUT_FILENO), argc = 0;
	struct err e = {0};
	struct args a;

	assert_non_null(out);
	while (argv[argc])
		argc++;
	*r = (struct run){0};
	fflush(stdout);
	dup2(fileno(out), STDOUT_FILENO);
	r->status = args_parse(&a, token_make(), argc - 1, argv + 1, &e) < 0 ? EXIT_USAGE
									     : command_token(&a);
	args_free(&a);
	fflush(stdout);
	dup2(kept, STDOUT_FILENO);
	close(kept);
	rewind(out);
	if (fgets(r->token, sizeof(r->token), out))
		r->token[strcspn(r->token, "\n")] = '\0';
	if (!fgets(r->section, sizeof(r->section), out))
		r->section[0] = '\0';
	fclose(out);
}

#define RUN(r, ...) run((r), (char *[]){"token", __VA_ARGS__, NULL})

static void the_section_is_read_and_holds_the_tokens_hash(void **state)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	const struct conf_section *s;
	const txw_str *scopes;
	struct buf hash = {0};
	struct trial t;
	struct run r;

	(void)state;
	RUN(&r, "shop", "--scope", "write", "--scope=read", "--scope", "write", "--tenant", "acme",
	    "--expires", "2099-01-31T00:00:00Z");
	assert_int_equal(r.status, 0);
	attempt(&t, r.section);
	assert_well(&t);
	s = child(&t.conf->root, 0);
	assert_string_equal(s->keyword, "token");
	assert_string_equal(s->title, "shop");
	assert_int_equal(conf_list(s, "scopes", &scopes), 2);
	assert_text(scopes[0], "write");
	assert_text(scopes[1], "read");
	assert_text(conf_text(s, "tenant"), "acme");
	assert_text(conf_text(s, "expires"), "2099-01-31T00:00:00Z");

	EVP_Digest(r.token, strlen(r.token), sum, NULL, EVP_sha256(), NULL);
	buf_text(&hash, "sha256:");
	for (size_t i = 0; i < 32; i++)
		buf_printf(&hash, "%02x", sum[i]);
	assert_true(str_eq(conf_text(s, "hash"), buf_view(&hash)));
	buf_free(&hash);
	end(&t);
}

static void a_token_has_256_bits_and_is_never_the_same(void **state)
{
	struct run a, b;

	(void)state;
	RUN(&a, "x");
	RUN(&b, "x");
	assert_memory_equal(a.token, "txw_", 4);
	assert_int_equal(strlen(a.token), 4 + 43); /* 256 bits, 6 a character */
	assert_int_equal(strspn(a.token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789-_"),
			 4 + 43);
	assert_string_not_equal(a.token, b.token);
	assert_null(strstr(a.section, a.token));
}

static void a_scope_that_is_not_asked_for_is_not_given(void **state)
{
	struct run r;

	(void)state;
	run(&r, (char *[]){"token", NULL});
	assert_non_null(strstr(r.section, "token operator {"));
	assert_non_null(strstr(r.section, "scopes = { \"read\" }"));
	assert_null(strstr(r.section, "tenant"));
	assert_null(strstr(r.section, "expires"));
}

static void an_expiry_may_be_a_duration_from_now(void **state)
{
	struct clock clock;
	const char *at;
	struct run r;
	txw_time t;

	(void)state;
	clock_real(&clock);
	RUN(&r, "x", "--expires", "90d");
	at = strstr(r.section, "expires = \"");
	assert_non_null(at);
	at += strlen("expires = \"");
	assert_true(time_parse((txw_str){at, strcspn(at, "\"")}, &t));
	assert_true(t > clock_now(&clock) + 89 * DAY);
	assert_true(t <= clock_now(&clock) + 90 * DAY);
}

static void what_would_spoil_the_section_is_misuse(void **state)
{
	static char *const bad[][3] = {
	    {"a b", NULL, NULL},
	    {"a\"}", NULL, NULL},
	    {"x", "y", NULL},
	    {"--scope", "root", NULL},
	    {"--tenant", "a\"b", NULL},
	    {"--expires", "yesterday", NULL},
	    {"--expires", "2001-01-01T00:00:00Z", NULL},
	    {"--nonsense", NULL, NULL},
	};
	struct run r;

	(void)state;
	for (size_t i = 0; i < N(bad); i++) {
		run(&r, (char *[]){"token", bad[i][0], bad[i][1], bad[i][2], NULL});
		assert_int_equal(r.status, 2);
		assert_string_equal(r.token, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_section_is_read_and_holds_the_tokens_hash),
	    cmocka_unit_test(a_token_has_256_bits_and_is_never_the_same),
	    cmocka_unit_test(a_scope_that_is_not_asked_for_is_not_given),
	    cmocka_unit_test(an_expiry_may_be_a_duration_from_now),
	    cmocka_unit_test(what_would_spoil_the_section_is_misuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
