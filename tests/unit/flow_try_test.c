/* flow_try_test.c: what a walk through a flow tells. */
#include "flow_fixture.h"

static const char FLOW[] =
    "flow f {\n initial = \"open\" warn-before = 10m\n"
    " state open { next = { \"taken\", \"done\" } expires = 30m }\n"
    " state taken { next = { \"done\" } expires = 1h expires-to = \"lost\" warn-before = 0 }\n"
    " state done { outcome = \"success\" next = { \"open\" } }\n"
    " state lost { outcome = \"failure\" }\n"
    " state over { outcome = \"expired\" }\n}\n";

/* The walk's last line begins so; it was good or not. */
static void ends(const char *const *steps, size_t n, bool is_good, const char *last)
{
	struct fixture x;
	struct buf b = {0};
	build_ok(&x, FLOW);
	assert_int_equal(flow_try(x.flow, steps, n, &b), is_good);
	assert_int_equal(b.ptr[b.len - 1], '\n');
	b.ptr[b.len - 1] = '\0';
	const char *line = strrchr(b.ptr, '\n');
	line = line ? line + 1 : b.ptr;
	if (strcmp(line, last) != 0)
		fail_msg("expected \"%s\", got \"%s\"", last, line);
	buf_free(&b);
	drop(&x);
}
#define ENDS(is_good, last, ...)            \
	ends((const char *[]){__VA_ARGS__}, \
	     sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *), is_good, last)

static void it_begins_in_the_first_state(void **state)
{
	(void)state;
	ends(NULL, 0, true,
	     "created in \"open\": transaction.created; expires in 30m to \"over\", warned of in "
	     "20m");
}

static void a_move_tells_its_event_and_its_deadline(void **state)
{
	(void)state;
	ENDS(true,
	     "taken: \"open\" -> \"taken\": transaction.status_changed; expires in 1h to \"lost\"",
	     "taken");
	ENDS(true, "done: \"open\" -> \"done\": transaction.succeeded", "done");
	ENDS(true, "open: unchanged, no event", "open");
	ENDS(true,
	     "open: \"done\" -> \"open\": transaction.reopened; expires in 30m to \"over\", warned "
	     "of in 20m",
	     "done", "+2h", "open");
}

static void a_refusal_says_why_and_what_is_allowed(void **state)
{
	(void)state;
	ENDS(false,
	     "open: refused: not allowed from \"taken\", transaction.anomaly tells; allowed: "
	     "\"done\"",
	     "taken", "open");
	/* told of once */
	ENDS(false, "open: refused: not allowed from \"taken\"; allowed: \"done\"", "taken", "open",
	     "open");
	ENDS(false,
	     "dome: refused: there is no such state (of a poller's word transaction.anomaly "
	     "tells); allowed: \"taken\", \"done\"",
	     "dome");
	ENDS(false, "+soon: is no duration, as +30m or +2h", "+soon");
	/* One refused step is told by the whole, and the walk goes on. */
	ENDS(false, "done: \"taken\" -> \"done\": transaction.succeeded", "taken", "open", "done");
}

static void time_brings_the_warning_and_then_the_expiry(void **state)
{
	(void)state;
	ENDS(true, "  after 20m: \"open\": transaction.expiring; expires in 10m to \"over\"",
	     "+25m");
	ENDS(true, "  after 30m: \"open\" -> \"over\": transaction.expired, its deadline passed",
	     "+25m", "+5m");
	ENDS(true, "+1h:", "taken", "+59m", "+1h", "+1h");
	ENDS(false,
	     "done: refused: its deadline ended it in \"lost\", transaction.anomaly tells; nothing "
	     "follows it",
	     "taken", "+2h", "done");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_begins_in_the_first_state),
	    cmocka_unit_test(a_move_tells_its_event_and_its_deadline),
	    cmocka_unit_test(a_refusal_says_why_and_what_is_allowed),
	    cmocka_unit_test(time_brings_the_warning_and_then_the_expiry),
	};
	return cmocka_run_group_tests_name("flow_try", tests, NULL, NULL);
}
