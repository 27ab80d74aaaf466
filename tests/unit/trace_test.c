/* trace_test.c: a caller's trace goes on, and what is none begins one. */
#include "unit.h"

#include <string.h>

#include "base/str.h"
#include "http/trace.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN  "00f067aa0ba902b7"

static const uint64_t BITS[2] = {UINT64_C(0x0123456789abcdef), 7};
#define NEW "00-0123456789abcdef0000000000000007-00000000000000aa-00"

static void becomes(const char *theirs, const char *ours)
{
	char out[TRACE_TEXT_MAX];
	trace_continue(out, str_of(theirs), BITS, 0xaa);
	if (strcmp(out, ours) != 0)
		fail_msg("\"%s\" became \"%s\", not \"%s\"", theirs, out, ours);
}

static void a_good_one_is_gone_on_with_under_our_span(void **state)
{
	(void)state;
	becomes("00-" TRACE "-" SPAN "-01", "00-" TRACE "-00000000000000aa-01");
	becomes("00-" TRACE "-" SPAN "-00", "00-" TRACE "-00000000000000aa-00");
	becomes("00-" TRACE "-" SPAN "-ff", "00-" TRACE "-00000000000000aa-01");
	becomes("00-" TRACE "-" SPAN "-0a", "00-" TRACE "-00000000000000aa-00");
	/* Of a version to come what is known is read. */
	becomes("cc-" TRACE "-" SPAN "-01", "00-" TRACE "-00000000000000aa-01");
	becomes("cc-" TRACE "-" SPAN "-01-what-ever", "00-" TRACE "-00000000000000aa-01");
}

static void what_is_none_begins_a_new_one(void **state)
{
	(void)state;
	static const char *const bad[] = {
	    "",
	    "00",
	    "ff-" TRACE "-" SPAN "-01",
	    "00-" TRACE "-" SPAN "-01-more",
	    "00-" TRACE "-" SPAN "-01-",
	    "cc-" TRACE "-" SPAN "-01.what",
	    "00-" TRACE "-" SPAN "-0",
	    "00-00000000000000000000000000000000-" SPAN "-01",
	    "00-" TRACE "-0000000000000000-01",
	    "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01",
	    "00_" TRACE "-" SPAN "-01",
	    "00-" TRACE "_" SPAN "-01",
	    "00-" TRACE "-" SPAN "_01",
	    "0x-" TRACE "-" SPAN "-01",
	};
	for (size_t i = 0; i < COUNT(bad); i++)
		becomes(bad[i], NEW);
}

static void no_part_is_ever_all_zeros(void **state)
{
	(void)state;
	static const uint64_t zero[2] = {0, 0};
	char out[TRACE_TEXT_MAX];
	trace_continue(out, STR_NONE, zero, 0);
	assert_string_equal(out, "00-00000000000000010000000000000000-0000000000000001-00");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_good_one_is_gone_on_with_under_our_span),
	    cmocka_unit_test(what_is_none_begins_a_new_one),
	    cmocka_unit_test(no_part_is_ever_all_zeros),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
