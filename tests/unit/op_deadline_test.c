/* op_deadline_test.c: warnings, what comes late, reopening, on the real
 * store; what a dry run tells of them. */
#include "site_kit.h"

static const char FLOWS[] =
    "flow warned {\n"
    "  initial = \"a\" warn-before = 10m expires = 12h late = \"reopen\"\n"
    "  state a { next = { \"b\", \"done\" } expires = 30m }\n"
    "  state b { next = { \"done\" } }\n"
    "  state done { outcome = \"success\" next = { \"a\", \"back\" } }\n"
    "  state back { outcome = \"cancelled\" }\n"
    "  state over { outcome = \"expired\" }\n"
    "}\n"
    "flow recorded {\n"
    "  initial = \"a\" illegal = \"flag\"\n"
    "  state a { next = { \"done\" } expires = 30m expires-to = \"lost\" }\n"
    "  state done { outcome = \"success\" }\n"
    "  state lost { outcome = \"failure\" }\n"
    "}\n"
    "flow graced {\n"
    "  initial = \"a\"\n"
    "  state a { next = { \"done\" } expires = 30m expires-to = \"grace\" }\n"
    "  state grace { next = { \"done\" } expires = 10m }\n"
    "  state done { outcome = \"success\" }\n"
    "  state over { outcome = \"expired\" }\n"
    "}\n"
    "flow refused {\n"
    "  initial = \"a\" late = \"refuse\"\n"
    "  state a { next = { \"done\" } expires = 30m }\n"
    "  state done { outcome = \"success\" }\n"
    "  state over { outcome = \"expired\" }\n"
    "}\n";

static int setup(void **state)
{
	struct kit *k = xcalloc(1, sizeof(*k));
	kit_open(k, FLOWS);
	*state = k;
	return 0;
}

static int teardown(void **state)
{
	kit_close(*state);
	free(*state);
	return 0;
}

static const struct op *does(struct kit *k, enum op_kind kind, const char *flow)
{
	struct op op = op_status(flow, "P1", NULL);
	op.kind = kind;
	return kit_op(k, op);
}

static void expire(struct kit *k, const char *flow)
{
	kit_op(k, op_create(flow, "P1", NULL));
	kit_advance(k, 30 * MINUTE);
	assert_int_equal(does(k, OP_EXPIRE, flow)->result, OP_CHANGED);
}

static void a_deadline_is_warned_of_once(void **state)
{
	struct kit *k = *state;
	const struct op *r = kit_op(k, op_create("warned", "P1", NULL));
	assert_int_equal(r->after->due_at, KIT_START + 20 * MINUTE);
	kit_advance(k, 20 * MINUTE - 1);
	assert_int_equal(does(k, OP_WARN, "warned")->result, OP_UNCHANGED);
	kit_advance(k, 1);
	r = does(k, OP_WARN, "warned");
	assert_int_equal(r->result, OP_CHANGED);
	assert_int_equal(r->after->warned, KIT_START + 30 * MINUTE);
	assert_int_equal(r->after->due_at, KIT_START + 30 * MINUTE);
	assert_int_equal(r->after->version, 2);
	assert_true(str_is(r->after->status, "a"));
	kit_advance(k, MINUTE);
	assert_int_equal(does(k, OP_WARN, "warned")->result, OP_UNCHANGED);
	kit_rest(k);
	assert_int_equal(kit_events(k, TXW_EV_EXPIRING), 1);
}

static void a_warning_whose_deadline_has_passed_is_not_told(void **state)
{
	struct kit *k = *state;
	kit_op(k, op_create("warned", "P1", NULL));
	kit_advance(k, 30 * MINUTE);
	assert_int_equal(does(k, OP_WARN, "warned")->result, OP_UNCHANGED);
	assert_int_equal(does(k, OP_EXPIRE, "warned")->result, OP_CHANGED);
	kit_rest(k);
	assert_int_equal(kit_events(k, TXW_EV_EXPIRING), 0);
}

static void what_is_paused_or_ended_is_not_warned_of(void **state)
{
	struct kit *k = *state;
	struct op op = op_create("warned", "P1", NULL);
	kit_op(k, op);
	op.kind = OP_UPDATE;
	op.set = OP_SET_PAUSED;
	op.paused = 1;
	assert_int_equal(kit_op(k, op)->after->due_at, 0);
	kit_advance(k, 25 * MINUTE);
	assert_int_equal(does(k, OP_WARN, "warned")->result, OP_UNCHANGED);
	op.paused = 0; /* and when it goes on, the time has come */
	assert_int_equal(kit_op(k, op)->after->due_at, KIT_START + 20 * MINUTE);
	kit_op(k, op_status("warned", "P1", "done"));
	assert_int_equal(does(k, OP_WARN, "warned")->result, OP_UNCHANGED);
}

static void an_extended_deadline_is_warned_of_anew(void **state)
{
	struct kit *k = *state;
	struct op op = op_create("warned", "P1", "b");
	op.expires_in = 30 * MINUTE;
	kit_op(k, op);
	kit_advance(k, 20 * MINUTE);
	assert_int_equal(does(k, OP_WARN, "warned")->result, OP_CHANGED);
	op = op_create("warned", "P1", NULL);
	op.kind = OP_UPDATE;
	op.set = OP_SET_EXPIRES;
	op.expires_at = KIT_START + 2 * HOUR;
	assert_int_equal(kit_op(k, op)->after->due_at, KIT_START + 110 * MINUTE);
	kit_advance(k, 90 * MINUTE);
	const struct op *r = does(k, OP_WARN, "warned");
	assert_int_equal(r->result, OP_CHANGED);
	assert_int_equal(r->after->warned, KIT_START + 2 * HOUR);
	kit_rest(k);
	assert_int_equal(kit_events(k, TXW_EV_EXPIRING), 2);
}

static void a_late_success_is_applied_and_marked_where_the_flow_reopens(void **state)
{
	struct kit *k = *state;
	expire(k, "warned");
	struct op op = op_status("warned", "P1", "done");
	op.reason = STR_LIT("paid by card");
	const struct op *r = kit_op(k, op);
	assert_int_equal(r->result, OP_CHANGED);
	assert_int_equal(r->after->outcome, TXW_SUCCESS);
	assert_true(str_is(r->after->reason, "late: paid by card"));
	assert_int_equal(r->after->expires_at, 0);
	kit_rest(k);
	assert_int_equal(kit_events(k, TXW_EV_SUCCEEDED), 1);
	assert_int_equal(kit_events(k, TXW_EV_ANOMALY), 0);
}

static void a_late_open_status_reopens_with_time_anew(void **state)
{
	struct kit *k = *state;
	expire(k, "warned");
	kit_advance(k, DAY);
	const struct op *r = kit_op(k, op_status("warned", "P1", "a"));
	assert_int_equal(r->result, OP_CHANGED);
	assert_non_null(strstr(r->after->reason.ptr, "late: its deadline "));
	assert_int_equal(r->after->finished_at, 0);
	/* The flow's 12 hours are over; the state's 30 minutes are not. */
	assert_int_equal(r->after->expires_at, KIT_START + DAY + HOUR);
	assert_int_equal(r->after->due_at, KIT_START + DAY + 50 * MINUTE);
	kit_rest(k);
	assert_int_equal(kit_events(k, TXW_EV_REOPENED), 1);
}

static void a_late_success_is_told_once_and_kept_out_by_default(void **state)
{
	struct kit *k = *state;
	expire(k, "recorded");
	const struct op *r = kit_op(k, op_status("recorded", "P1", "done"));
	assert_int_equal(r->result, OP_REFUSED);
	assert_non_null(strstr(r->why, "its deadline "));
	assert_true(str_is(r->after->status, "lost"));
	assert_int_equal(r->after->version, 3);
	r = kit_op(k, op_status("recorded", "P1", "done"));
	assert_int_equal(r->result, OP_REFUSED);
	assert_int_equal(r->after->version, 3);
	kit_rest(k);
	assert_int_equal(kit_events(k, TXW_EV_ANOMALY), 1);
}

static void a_late_success_is_refused_in_silence_where_the_flow_says_so(void **state)
{
	struct kit *k = *state;
	expire(k, "refused");
	const struct op *r = kit_op(k, op_status("refused", "P1", "done"));
	assert_int_equal(r->result, OP_REFUSED);
	assert_int_equal(r->after->version, 2);
	assert_int_equal(engine_last_seq(k->engine), 2);
}

static void a_deadline_may_lead_to_an_open_state_with_one_of_its_own(void **state)
{
	struct kit *k = *state;
	expire(k, "graced");
	const struct op *r = kit_op(k, op_status("graced", "P1", "grace"));
	assert_int_equal(r->result, OP_UNCHANGED);
	assert_int_equal(r->after->expires_at, KIT_START + 40 * MINUTE);
	kit_advance(k, 10 * MINUTE);
	r = does(k, OP_EXPIRE, "graced");
	assert_true(str_is(r->after->status, "over"));
	kit_rest(k);
	assert_int_equal(kit_events(k, TXW_EV_STATUS_CHANGED), 1);
	assert_int_equal(kit_events(k, TXW_EV_EXPIRED), 1);
}

static void what_expired_keeps_its_deadline_to_show_and_a_patch_does_not_move_it(void **state)
{
	struct kit *k = *state;
	expire(k, "recorded");
	struct op op = op_create("recorded", "P1", NULL);
	op.kind = OP_UPDATE;
	op.set = OP_SET_EXPIRES;
	op.expires_at = KIT_START + DAY;
	const struct op *r = kit_op(k, op);
	assert_int_equal(r->after->expires_at, KIT_START + 30 * MINUTE);
	assert_int_equal(r->after->due_at, 0);
	assert_int_equal(does(k, OP_EXPIRE, "recorded")->result, OP_UNCHANGED);
}

static void reversal_and_reopening_begin_watching_again(void **state)
{
	struct kit *k = *state;
	struct flow_entry *e = flows_find(&k->flows, STR_LIT("warned"));
	e->is_polled = true;
	e->tenant = STR_LIT("default");
	e->cadence = (struct cadence){.every = MINUTE};
	kit_op(k, op_create("warned", "P1", NULL));
	const struct op *r = kit_op(k, op_status("warned", "P1", "done"));
	assert_int_equal(r->after->next_poll_at, 0);
	assert_int_equal(r->after->due_at, 0);
	kit_advance(k, 5 * MINUTE);
	r = kit_op(k, op_status("warned", "P1", "a"));
	assert_int_equal(r->result, OP_CHANGED);
	assert_int_equal(r->after->next_poll_at, KIT_START + 6 * MINUTE);
	assert_int_equal(r->after->expires_at, KIT_START + 35 * MINUTE);
	assert_int_equal(r->after->finished_at, 0);
	kit_op(k, op_status("warned", "P1", "done"));
	r = kit_op(k, op_status("warned", "P1", "back"));
	assert_int_equal(r->after->outcome, TXW_OUT_CANCELLED);
	assert_int_equal(r->after->due_at, 0);
	/* Its end is final, and it is not late: no deadline ended it. */
	r = kit_op(k, op_status("warned", "P1", "a"));
	assert_int_equal(r->result, OP_REFUSED);
	assert_non_null(strstr(r->why, "nothing follows it"));
	kit_rest(k);
	assert_int_equal(kit_events(k, TXW_EV_REOPENED), 1);
	assert_int_equal(kit_events(k, TXW_EV_CANCELLED), 1);
}

static void a_state_s_first_look_comes_when_the_state_says(void **state)
{
	struct kit *k = *state;
	struct flow_entry *e = flows_find(&k->flows, STR_LIT("warned"));
	e->is_polled = true;
	e->tenant = STR_LIT("default");
	e->cadence = (struct cadence){.every = MINUTE, .first_after = 5 * SECOND};
	kit_op(k, op_create("warned", "P1", NULL));
	const struct op *r = kit_op(k, op_status("warned", "P1", "b"));
	assert_int_equal(r->after->next_poll_at, KIT_START + 5 * SECOND);
}

static void a_dry_run_tells_the_events_there_would_be(void **state)
{
	struct kit *k = *state;
	kit_op(k, op_create("warned", "P1", NULL));
	struct op op = op_status("warned", "P1", "b");
	op.dry_run = 1;
	const struct op *r = kit_op(k, op);
	assert_int_equal(r->n_told, 1);
	assert_int_equal(r->told[0], TXW_EV_STATUS_CHANGED);
	assert_int_equal(r->after->expires_at, KIT_START + 12 * HOUR);
	op.status = STR_LIT("a");
	assert_int_equal(kit_op(k, op)->n_told, 0);
	op.status = STR_LIT("back"); /* by default illegal = record */
	r = kit_op(k, op);
	assert_int_equal(r->result, OP_REFUSED);
	assert_int_equal(r->n_told, 1);
	assert_int_equal(r->told[0], TXW_EV_ANOMALY);
	kit_op(k, op_create("recorded", "P1", "done"));
	op = op_status("recorded", "P1", "a"); /* illegal = flag */
	op.dry_run = 1;
	r = kit_op(k, op);
	assert_int_equal(r->n_told, 2);
	assert_int_equal(r->told[0], TXW_EV_ANOMALY);
	assert_int_equal(r->told[1], TXW_EV_REOPENED);
	assert_int_equal(engine_last_seq(k->engine), 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_deadline_is_warned_of_once),
	    CASE(a_warning_whose_deadline_has_passed_is_not_told),
	    CASE(what_is_paused_or_ended_is_not_warned_of),
	    CASE(an_extended_deadline_is_warned_of_anew),
	    CASE(a_late_success_is_applied_and_marked_where_the_flow_reopens),
	    CASE(a_late_open_status_reopens_with_time_anew),
	    CASE(a_late_success_is_told_once_and_kept_out_by_default),
	    CASE(a_late_success_is_refused_in_silence_where_the_flow_says_so),
	    CASE(a_deadline_may_lead_to_an_open_state_with_one_of_its_own),
	    CASE(what_expired_keeps_its_deadline_to_show_and_a_patch_does_not_move_it),
	    CASE(reversal_and_reopening_begin_watching_again),
	    CASE(a_state_s_first_look_comes_when_the_state_says),
	    CASE(a_dry_run_tells_the_events_there_would_be),
	};
	return cmocka_run_group_tests_name("op deadlines", tests, NULL, NULL);
}
