/* api_throttle_test.c: guessers are counted by who they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "api/throttle.h"
#include "base/clock.h"
#include "base/str.h"

#define NOW INT64_C(1767323045000000)

static void guess(struct throttle *t, const char *peer, int times)
{
	for (int i = 0; i < times; i++)
		throttle_failed(t, str_of(peer), NOW);
}

static void the_tenth_wrong_one_of_a_minute_is_told_once(void **state)
{
	(void)state;
	struct throttle *t = throttle_open();
	int told = 0;
	for (int i = 0; i < 30; i++)
		told += throttle_failed(t, STR_LIT("192.0.2.1"), NOW + i);
	assert_int_equal(told, 1);
	assert_int_equal(throttle_wait(t, STR_LIT("192.0.2.1"), NOW + 30 * SECOND), 31);
	assert_int_equal(throttle_wait(t, STR_LIT("192.0.2.1"), NOW + MINUTE), 0);
	for (int i = 0; i < 30; i++)
		told += throttle_failed(t, STR_LIT("192.0.2.1"), NOW + MINUTE + i);
	assert_int_equal(told, 2);
	throttle_close(t);
}

static void an_ipv6_network_is_one_peer_and_its_neighbour_another(void **state)
{
	(void)state;
	struct throttle *t = throttle_open();
	for (int i = 0; i < THROTTLE_MAX; i++) {
		char peer[64];
		snprintf(peer, sizeof(peer), "2001:db8:0:1:%x::%x", i, i * 7);
		guess(t, peer, 1);
	}
	assert_true(throttle_wait(t, STR_LIT("2001:db8:0:1:ffff::1"), NOW) > 0);
	assert_int_equal(throttle_wait(t, STR_LIT("2001:db8:0:2::1"), NOW), 0);
	throttle_close(t);
}

static void ipv4_addresses_are_peers_of_their_own_also_when_mapped(void **state)
{
	(void)state;
	struct throttle *t = throttle_open();
	guess(t, "192.0.2.1", THROTTLE_MAX);
	guess(t, "::ffff:192.0.2.7", THROTTLE_MAX);
	assert_true(throttle_wait(t, STR_LIT("192.0.2.1"), NOW) > 0);
	assert_int_equal(throttle_wait(t, STR_LIT("192.0.2.2"), NOW), 0);
	assert_int_equal(throttle_wait(t, STR_LIT("::ffff:192.0.2.8"), NOW), 0);
	throttle_close(t);
}

static void a_crowd_of_peers_takes_no_memory_and_cannot_lock_out_the_rest(void **state)
{
	(void)state;
	struct throttle *t = throttle_open();
	for (int i = 0; i < 200000; i++) {
		char peer[64];
		snprintf(peer, sizeof(peer), "2001:db8:%x:%x::1", i >> 16, i & 0xffff);
		guess(t, peer, 1);
	}
	assert_int_equal(throttle_wait(t, STR_LIT("198.51.100.1"), NOW), 0);
	guess(t, "198.51.100.1", THROTTLE_MAX);
	assert_true(throttle_wait(t, STR_LIT("198.51.100.1"), NOW) > 0);
	throttle_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_tenth_wrong_one_of_a_minute_is_told_once),
	    cmocka_unit_test(an_ipv6_network_is_one_peer_and_its_neighbour_another),
	    cmocka_unit_test(ipv4_addresses_are_peers_of_their_own_also_when_mapped),
	    cmocka_unit_test(a_crowd_of_peers_takes_no_memory_and_cannot_lock_out_the_rest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
