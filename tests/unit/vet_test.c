/* vet_test.c: which addresses may be connected to. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/str.h"
#include "egress/vet.h"

/* The verdict on an address written as text. */
static const char *vet(const char *text, const struct network *allowed, size_t n)
{
	struct sockaddr_storage ss = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&ss;
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
		v4->sin_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
		v6->sin6_family = AF_INET6;
	else
		fail_msg("%s is no address", text);
	return vet_address((struct sockaddr *)&ss, allowed, n);
}

static struct network net(const char *text)
{
	struct network out;
	struct err e;
	if (network_parse(str_of(text), &out, &e) != 0)
		fail_msg("%s: %s", text, e.text);
	return out;
}

struct row {
	const char *address;
	const char *kind; /* NULL: allowed */
};

static void check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *kind = vet(rows[i].address, NULL, 0);
		if ((kind == NULL) != (rows[i].kind == NULL) ||
		    (kind && strcmp(kind, rows[i].kind) != 0))
			fail_msg("%s: expected %s, got %s", rows[i].address,
				 rows[i].kind ? rows[i].kind : "allowed", kind ? kind : "allowed");
	}
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof((rows)[0]))

static void every_special_ipv4_block_is_refused_to_its_edges(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"0.0.0.0", "\"this network\""},
	    {"0.255.255.255", "\"this network\""},
	    {"1.0.0.0", NULL},
	    {"9.255.255.255", NULL},
	    {"10.0.0.0", "private"},
	    {"10.255.255.255", "private"},
	    {"11.0.0.0", NULL},
	    {"100.63.255.255", NULL},
	    {"100.64.0.0", "shared (carrier-grade NAT)"},
	    {"100.127.255.255", "shared (carrier-grade NAT)"},
	    {"100.128.0.0", NULL},
	    {"126.255.255.255", NULL},
	    {"127.0.0.1", "loopback"},
	    {"127.255.255.254", "loopback"},
	    {"128.0.0.0", NULL},
	    {"168.63.129.16", "cloud metadata"},
	    {"169.253.255.255", NULL},
	    {"169.254.0.1", "link-local"},
	    {"169.254.169.254", "cloud metadata"},
	    {"169.255.0.0", NULL},
	    {"172.15.255.255", NULL},
	    {"172.16.0.0", "private"},
	    {"172.31.255.255", "private"},
	    {"172.32.0.0", NULL},
	    {"192.0.0.1", "protocol assignment"},
	    {"192.0.0.9", NULL},
	    {"192.0.0.170", "protocol assignment"},
	    {"192.0.1.0", NULL},
	    {"192.0.2.1", "documentation"},
	    {"192.31.196.1", NULL},
	    {"192.88.99.1", "6to4 relay"},
	    {"192.167.255.255", NULL},
	    {"192.168.1.1", "private"},
	    {"192.169.0.0", NULL},
	    {"198.17.255.255", NULL},
	    {"198.18.0.0", "benchmarking"},
	    {"198.19.255.255", "benchmarking"},
	    {"198.20.0.0", NULL},
	    {"198.51.100.7", "documentation"},
	    {"203.0.113.7", "documentation"},
	    {"223.255.255.255", NULL},
	    {"224.0.0.1", "multicast"},
	    {"239.255.255.255", "multicast"},
	    {"240.0.0.1", "reserved"},
	    {"255.255.255.255", "broadcast"},
	    {"8.8.8.8", NULL},
	};
	CHECK(rows);
}

static void every_special_ipv6_block_is_refused_to_its_edges(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"::", "unspecified"},
	    {"::1", "loopback"},
	    {"::2", "reserved"},
	    {"::127.0.0.1", "reserved"},
	    {"64:ff9b:1::1", "local NAT64"},
	    {"100::1", "discard-only"},
	    {"200::1", "reserved"},
	    {"1fff::1", "reserved"},
	    {"2000::1", NULL},
	    {"2001:1::1", NULL},
	    {"2001:1::4", "protocol assignment"},
	    {"2001:2::1", "benchmarking"},
	    {"2001:3::1", NULL},
	    {"2001:4:112::1", NULL},
	    {"2001:4:113::1", "protocol assignment"},
	    {"2001:10::1", "ORCHID"},
	    {"2001:20::1", NULL},
	    {"2001:1ff::1", "protocol assignment"},
	    {"2001:200::1", NULL},
	    {"2001:db8::1", "documentation"},
	    {"2001:db9::1", NULL},
	    {"2606:4700::1111", NULL},
	    {"3fff::1", "documentation"},
	    {"3fff:fff:ffff::1", "documentation"},
	    {"3fff:1000::1", NULL},
	    {"4000::1", "reserved"},
	    {"5f00::1", "segment routing"},
	    {"fbff::1", "reserved"},
	    {"fc00::1", "private"},
	    {"fd00:ec2::254", "private"},
	    {"fe00::1", "reserved"},
	    {"fe80::1", "link-local"},
	    {"febf::1", "link-local"},
	    {"fec0::1", "site-local"},
	    {"ff02::1", "multicast"},
	};
	CHECK(rows);
}

static void ipv4_inside_ipv6_is_judged_by_the_ipv4_address(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"::ffff:127.0.0.1", "loopback"},
	    {"::ffff:8.8.8.8", NULL},
	    {"::ffff:169.254.169.254", "cloud metadata"},
	    {"::ffff:0:10.0.0.1", "private"},
	    {"::ffff:0:8.8.8.8", NULL},
	    {"64:ff9b::192.168.1.1", "private"},
	    {"64:ff9b::8.8.8.8", NULL},
	    {"2002:7f00:1::1", "loopback"},
	    {"2002:808:808::1", NULL},
	    /* Teredo: server 8.8.8.8, client 127.0.0.1 and 8.8.4.4 inverted */
	    {"2001:0:808:808:0:0:80ff:fffe", "loopback"},
	    {"2001:0:808:808:0:0:f7f7:fbfb", NULL},
	    {"2001:0:7f00:1:0:0:f7f7:fbfb", "loopback"},
	};
	CHECK(rows);
}

static void a_network_of_the_policy_admits_its_addresses_and_no_others(void **state)
{
	(void)state;
	struct network allowed[] = {net("10.1.0.0/16"), net("127.0.0.1"), net("fd00:1::/32")};
	assert_null(vet("10.1.255.255", allowed, 3));
	assert_string_equal(vet("10.2.0.0", allowed, 3), "private");
	assert_null(vet("127.0.0.1", allowed, 3));
	assert_string_equal(vet("127.0.0.2", allowed, 3), "loopback");
	assert_null(vet("fd00:1:ffff::1", allowed, 3));
	assert_string_equal(vet("fd00:2::1", allowed, 3), "private");
	assert_null(vet("::ffff:10.1.2.3", allowed, 3));
	assert_string_equal(vet("::ffff:10.2.2.3", allowed, 3), "private");
	assert_null(vet("8.8.8.8", allowed, 3));
}

static void a_network_of_ipv4_does_not_admit_ipv6(void **state)
{
	(void)state;
	struct network all4[] = {net("0.0.0.0/0")};
	assert_null(vet("127.0.0.1", all4, 1));
	assert_null(vet("255.255.255.255", all4, 1));
	assert_string_equal(vet("::1", all4, 1), "loopback");
}

static void addresses_that_are_not_internet_addresses_are_refused(void **state)
{
	(void)state;
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	assert_string_equal(vet_address((struct sockaddr *)&un, NULL, 0), "non-internet");
}

static void a_network_is_an_address_with_or_without_a_prefix_length(void **state)
{
	(void)state;
	assert_int_equal(net("10.1.0.0/16").bits, 16);
	assert_int_equal(net("10.1.0.1").bits, 32);
	assert_int_equal(net("0.0.0.0/0").bits, 0);
	assert_int_equal(net("::1").bits, 128);
	assert_int_equal(net("fe80::/10").bits, 10);
}

static void what_is_not_a_network_is_named_in_the_error(void **state)
{
	(void)state;
	static const char *const wrong[] = {"",
					    "/8",
					    "10.0.0.0/",
					    "10.0.0.0/33",
					    "10.0.0.0/-1",
					    "10.0.0.0/8x",
					    "10.0.0/8",
					    "300.1.1.1",
					    "localhost",
					    "::/129",
					    "10.1.2.3/16",
					    "fe80::1/64",
					    "1111:2222:3333:4444:5555:6666:7777:8888:9999/8"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct network out;
		struct err e = {0};
		if (network_parse(str_of(wrong[i]), &out, &e) != TXW_E_INVALID)
			fail_msg("\"%s\" was taken for a network", wrong[i]);
		if (!strstr(e.text, wrong[i]))
			fail_msg("\"%s\" does not name \"%s\"", e.text, wrong[i]);
	}
	struct network out;
	assert_int_equal(network_parse((txw_str){"10.0.0.0\0/8", 11}, &out, NULL), TXW_E_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_special_ipv4_block_is_refused_to_its_edges),
	    cmocka_unit_test(every_special_ipv6_block_is_refused_to_its_edges),
	    cmocka_unit_test(ipv4_inside_ipv6_is_judged_by_the_ipv4_address),
	    cmocka_unit_test(a_network_of_the_policy_admits_its_addresses_and_no_others),
	    cmocka_unit_test(a_network_of_ipv4_does_not_admit_ipv6),
	    cmocka_unit_test(addresses_that_are_not_internet_addresses_are_refused),
	    cmocka_unit_test(a_network_is_an_address_with_or_without_a_prefix_length),
	    cmocka_unit_test(what_is_not_a_network_is_named_in_the_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
