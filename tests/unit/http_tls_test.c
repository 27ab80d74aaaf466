/* http_tls_test.c: a certificate and its key, and who holds them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "http/tls_pair.h"

/* Made by openssl for this test alone: CN=first, for a hundred years. */
#define CERT                                                                 \
	"-----BEGIN CERTIFICATE-----\n"                                      \
	"MIIBeDCCAR2gAwIBAgIUWmZ4ppQ/8oqgStG2+aq4oqGDOSAwCgYIKoZIzj0EAwIw\n" \
	"EDEOMAwGA1UEAwwFZmlyc3QwIBcNMjYxMTI1MTQyMjA2WhgPMjEyNjExMDExNDIy\n" \
	"MDZaMBAxDjAMBgNVBAMMBWZpcnN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n" \
	"xd0TGrQsOhlRRcNR1AGL34LvETXWYk1jpm2i75xxdmOBXVT37yWDOGezdT+TeSnj\n" \
	"wRxk6Hss3n7JTq052Dr2lKNTMFEwHQYDVR0OBBYEFMt4bYvHfE2+0/MFI1bP0Quc\n" \
	"yIBCMB8GA1UdIwQYMBaAFMt4bYvHfE2+0/MFI1bP0QucyIBCMA8GA1UdEwEB/wQF\n" \
	"MAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAORtsAvY4jdgcd8q+1Q80UXxPdZ/cMwS\n" \
	"G/mC/nL0ehpnAiEA5YlN+fGKVWUh3/ZlNiO+RDO8TiBsROj++GH2NxzY0Ew=\n"     \
	"-----END CERTIFICATE-----\n"
#define KEY                                                                  \
	"-----BEGIN PRIVATE KEY-----\n"                                      \
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgbf5E8DK7JeOH49wb\n" \
	"wDiuk2L2TOhHDPweafzBzfl5yC+hRANCAATF3RMatCw6GVFFw1HUAYvfgu8RNdZi\n" \
	"TWOmbaLvnHF2Y4FdVPfvJYM4Z7N1P5N5KePBHGToeyzefslOrTnYOvaU\n"         \
	"-----END PRIVATE KEY-----\n"
#define OTHER_KEY                                                            \
	"-----BEGIN PRIVATE KEY-----\n"                                      \
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/URXsnokmnVqgMZz\n" \
	"uQ0700B1MBQ4aCWiD9JrI1yiCbyhRANCAASRHGHmQP1CuT7pvIDcIQ4ob8cmqraY\n" \
	"GaPeEgMpITUQV4CNmq2wuBM2K457WXRH+imD/nIFSda9GYGRX18zVJGq\n"         \
	"-----END PRIVATE KEY-----\n"

static void refused(const char *cert, const char *key, const char *words)
{
	struct err e = {0};
	struct tls_pair *p = tls_pair_load(str_of(cert), str_of(key), &e);
	if (p)
		fail_msg("a pair of %u; expected \"%s\"", p->n, words);
	if (!strstr(e.text, words))
		fail_msg("expected \"%s\", came \"%s\"", words, e.text);
}

static void a_certificate_and_its_key_are_a_pair(void **state)
{
	(void)state;
	struct err e = {0};
	struct clock real;
	struct tls_pair *p = tls_pair_load(STR_LIT(CERT), STR_LIT(KEY), &e);
	if (!p)
		fail_msg("%s", e.text);
	clock_real(&real);
	assert_int_equal(p->n, 1);
	assert_true(tls_pair_ends(p) > clock_now(&real));
	tls_pair_drop(p);
}

static void a_chain_is_taken_whole(void **state)
{
	(void)state;
	struct err e = {0};
	struct tls_pair *p = tls_pair_load(STR_LIT(CERT CERT CERT), STR_LIT(KEY), &e);
	if (!p)
		fail_msg("%s", e.text);
	assert_int_equal(p->n, 3);
	tls_pair_drop(p);
}

static void what_is_no_pair_is_refused_with_the_option_that_is_wrong(void **state)
{
	(void)state;
	refused(CERT, OTHER_KEY, "tls-key: not the key");
	refused("", KEY, "tls-cert: not a PEM");
	refused(KEY, KEY, "tls-cert: not a PEM");
	refused(CERT, "", "tls-key: not a PEM");
	refused(CERT, CERT, "tls-key: not a PEM");
	char half[sizeof(CERT)];
	memcpy(half, CERT, sizeof(CERT));
	half[sizeof(CERT) / 2] = '\0';
	refused(half, KEY, "tls-cert: not a PEM");
	refused(
	    CERT CERT CERT CERT CERT CERT CERT CERT CERT CERT CERT CERT CERT CERT CERT CERT CERT,
	    KEY, "1 to 16 certificates");
}

static void a_pair_lives_as_long_as_somebody_holds_it(void **state)
{
	(void)state;
	struct err e = {0};
	struct tls_pair *p = tls_pair_load(STR_LIT(CERT), STR_LIT(KEY), &e);
	assert_non_null(p);
	assert_ptr_equal(tls_pair_hold(p), p);
	tls_pair_drop(p); /* the server has a newer one */
	assert_int_equal(p->held, 1);
	assert_int_equal(p->n, 1);
	tls_pair_drop(p); /* the connection ends */
	tls_pair_drop(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_certificate_and_its_key_are_a_pair),
	    cmocka_unit_test(a_chain_is_taken_whole),
	    cmocka_unit_test(what_is_no_pair_is_refused_with_the_option_that_is_wrong),
	    cmocka_unit_test(a_pair_lives_as_long_as_somebody_holds_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
