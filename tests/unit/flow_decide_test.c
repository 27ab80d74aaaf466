/* flow_decide_test.c: what a flow says to observations and deadlines. */
#include "flow_fixture.h"

/* ---- deciding ---- */

static txw_tx row_in(const struct flow *f, const char *status)
{
	txw_tx row = {.size = sizeof row, .status = str_of(status)};
	uint32_t i = flow_find(f, row.status);
	row.outcome = i < f->n_states ? f->states[i].outcome : TXW_OPEN;
	return row;
}

static struct decision decide(const struct flow *f, const txw_tx *row, struct seen seen)
{
	struct decision d;
	flow_decide(f, row, &seen, &d);
	return d;
}

#define SEEN(word) ((struct seen){.status = STR_LIT(word)})

static void every_kind_of_move_has_its_event_type(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to;
		uint32_t type;
	} rows[] = {
	    {"pending", "authorized", TXW_EV_STATUS_CHANGED},
	    {"pending", "settled", TXW_EV_SUCCEEDED},
	    {"pending", "failed", TXW_EV_FAILED},
	    {"authorized", "cancelled", TXW_EV_CANCELLED},
	    {"settled", "refunded", TXW_EV_CANCELLED},
	    {"settled", "pending", TXW_EV_REOPENED},
	};
	struct fixture x;
	build_ok(&x, PAYMENT);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		txw_tx row = row_in(x.flow, rows[i].from);
		struct decision d = decide(x.flow, &row,
					   (struct seen){.status = str_of(rows[i].to)});
		assert_int_equal(d.answer, FLOW_CHANGE);
		assert_int_equal(d.to, flow_find(x.flow, str_of(rows[i].to)));
		assert_int_equal(d.event_type, rows[i].type);
		assert_false(d.is_flagged);
		assert_int_equal(
		    flow_event_type(x.flow, flow_find(x.flow, row.status), d.to, false),
		    rows[i].type);
	}
	drop(&x);
}

static void the_first_status_of_a_new_transaction_is_its_creation(void **state)
{
	(void)state;
	struct fixture x;
	build_ok(&x, PAYMENT);
	txw_tx row = {.size = sizeof row};
	struct decision d = decide(x.flow, &row, SEEN("settled"));
	assert_int_equal(d.answer, FLOW_CHANGE);
	assert_int_equal(d.event_type, TXW_EV_CREATED);
	assert_int_equal(flow_event_type(x.flow, x.flow->n_states, 0, false), TXW_EV_CREATED);
	drop(&x);
}

static void a_deadline_s_event_is_expired_whatever_the_outcome(void **state)
{
	(void)state;
	struct fixture x;
	build_ok(&x, PAYMENT);
	const struct flow *f = x.flow;
	uint32_t pending = STATE(f, "pending");
	assert_int_equal(flow_event_type(f, pending, STATE(f, "failed"), true), TXW_EV_EXPIRED);
	assert_int_equal(flow_event_type(f, pending, STATE(f, "expired"), true), TXW_EV_EXPIRED);
	assert_int_equal(flow_event_type(f, pending, STATE(f, "expired"), false), TXW_EV_EXPIRED);
	assert_int_equal(flow_event_type(f, pending, STATE(f, "authorized"), true),
			 TXW_EV_STATUS_CHANGED);
	drop(&x);
}

static void the_same_status_again_is_nothing_new(void **state)
{
	(void)state;
	struct fixture x;
	build_ok(&x, PAYMENT);
	txw_tx row = row_in(x.flow, "pending");
	struct decision d = decide(x.flow, &row, SEEN("pending"));
	assert_int_equal(d.answer, FLOW_SAME);
	assert_int_equal(d.to, STATE(x.flow, "pending"));
	drop(&x);
}

static void a_late_observation_cannot_undo_a_newer_one(void **state)
{
	(void)state;
	static const struct {
		const char *have, *seen;
		enum flow_answer answer;
	} rows[] = {
	    {"9", "10", FLOW_CHANGE},   /* as numbers */
	    {"10", "9", FLOW_STALE},    /* as numbers */
	    {"010", "10", FLOW_CHANGE}, /* equal is not older */
	    {"7", "7", FLOW_CHANGE},    /* another status under the same version */
	    {"v9", "v10", FLOW_STALE},  /* as text */
	    {"2026-02-01", "2026-01-31", FLOW_STALE},
	    {"99999999999999999999998", "99999999999999999999999", FLOW_CHANGE},
	    {"99999999999999999999999", "99999999999999999999998", FLOW_STALE},
	    {"", "1", FLOW_CHANGE}, /* nothing to compare with */
	    {"5", "", FLOW_CHANGE},
	};
	struct fixture x;
	build_ok(&x, PAYMENT);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		txw_tx row = row_in(x.flow, "pending");
		row.source_version = str_of(rows[i].have);
		struct seen seen = SEEN("authorized");
		seen.source_version = str_of(rows[i].seen);
		assert_int_equal(decide(x.flow, &row, seen).answer, rows[i].answer);
	}
	drop(&x);
}

static void without_versions_the_upstream_s_time_decides(void **state)
{
	(void)state;
	struct fixture x;
	build_ok(&x, PAYMENT);
	txw_tx row = row_in(x.flow, "pending");
	row.source_at = 1000;
	struct seen seen = SEEN("authorized");
	seen.source_at = 999;
	assert_int_equal(decide(x.flow, &row, seen).answer, FLOW_STALE);
	seen.source_at = 1000;
	assert_int_equal(decide(x.flow, &row, seen).answer, FLOW_CHANGE);
	seen.source_at = 0;
	assert_int_equal(decide(x.flow, &row, seen).answer, FLOW_CHANGE);
	drop(&x);
}

static void a_version_outweighs_the_time(void **state)
{
	(void)state;
	struct fixture x;
	build_ok(&x, PAYMENT);
	txw_tx row = row_in(x.flow, "pending");
	row.source_at = 1000;
	row.source_version = STR_LIT("3");
	struct seen seen = {STR_LIT("authorized"), STR_LIT("4"), 10};
	assert_int_equal(decide(x.flow, &row, seen).answer, FLOW_CHANGE);
	seen = (struct seen){STR_LIT("authorized"), STR_LIT("2"), 2000};
	assert_int_equal(decide(x.flow, &row, seen).answer, FLOW_STALE);
	drop(&x);
}

static void an_old_word_is_stale_even_when_it_would_be_illegal_or_the_same(void **state)
{
	(void)state;
	struct fixture x;
	build_ok(&x, PAYMENT);
	txw_tx row = row_in(x.flow, "refunded");
	row.source_version = STR_LIT("3");
	assert_int_equal(
	    decide(x.flow, &row, (struct seen){STR_LIT("pending"), STR_LIT("1"), 0}).answer,
	    FLOW_STALE);
	assert_int_equal(
	    decide(x.flow, &row, (struct seen){STR_LIT("refunded"), STR_LIT("1"), 0}).answer,
	    FLOW_STALE);
	drop(&x);
}

static void an_unknown_word_is_told_once(void **state)
{
	(void)state;
	struct fixture x;
	build_ok(&x, PAYMENT);
	txw_tx row = row_in(x.flow, "pending");
	struct decision d = decide(x.flow, &row, SEEN("quarantined"));
	assert_int_equal(d.answer, FLOW_ANOMALY);
	assert_int_equal(d.event_type, TXW_EV_ANOMALY);
	assert_int_equal(d.to, x.flow->n_states);
	row.anomaly = STR_LIT("quarantined");
	assert_int_equal(decide(x.flow, &row, SEEN("quarantined")).answer, FLOW_UNKNOWN);
	assert_int_equal(decide(x.flow, &row, SEEN("frozen")).answer, FLOW_ANOMALY);
	drop(&x);
}

static char *payment_with(const char *illegal)
{
	static const char head[] = "flow payment {\n";
	size_t n = sizeof PAYMENT + strlen(illegal) + 40;
	char *text = malloc(n);
	snprintf(text, n, "%s illegal = \"%s\"\n%s", head, illegal, PAYMENT + sizeof head - 1);
	return text;
}

static void an_illegal_move_is_recorded_once_by_default(void **state)
{
	(void)state;
	struct fixture x;
	build_ok(&x, PAYMENT);
	txw_tx row = row_in(x.flow, "failed");
	struct decision d = decide(x.flow, &row, SEEN("settled"));
	assert_int_equal(d.answer, FLOW_ANOMALY);
	assert_int_equal(d.event_type, TXW_EV_ANOMALY);
	assert_int_equal(d.to, STATE(x.flow, "settled"));
	row.anomaly = STR_LIT("settled");
	assert_int_equal(decide(x.flow, &row, SEEN("settled")).answer, FLOW_ILLEGAL);
	drop(&x);
}

static void an_illegal_move_is_refused_without_an_event_when_asked(void **state)
{
	(void)state;
	char *text = payment_with("refuse");
	struct fixture x;
	build_ok(&x, text);
	txw_tx row = row_in(x.flow, "failed");
	struct decision d = decide(x.flow, &row, SEEN("settled"));
	assert_int_equal(d.answer, FLOW_ILLEGAL);
	assert_int_equal(d.event_type, 0);
	drop(&x);
	free(text);
}

static void an_illegal_move_is_applied_and_flagged_when_asked(void **state)
{
	(void)state;
	char *text = payment_with("flag");
	struct fixture x;
	build_ok(&x, text);
	txw_tx row = row_in(x.flow, "failed");
	struct decision d = decide(x.flow, &row, SEEN("pending"));
	assert_int_equal(d.answer, FLOW_CHANGE);
	assert_true(d.is_flagged);
	assert_int_equal(d.event_type, TXW_EV_REOPENED);
	row = row_in(x.flow, "pending");
	assert_false(decide(x.flow, &row, SEEN("settled")).is_flagged);
	drop(&x);
	free(text);
}

static void a_row_in_a_state_the_flow_lost_may_go_to_any(void **state)
{
	(void)state;
	char *text = payment_with("refuse");
	struct fixture x;
	build_ok(&x, text);
	txw_tx row = row_in(x.flow, "reviewing");
	struct decision d = decide(x.flow, &row, SEEN("settled"));
	assert_int_equal(d.answer, FLOW_CHANGE);
	assert_int_equal(d.event_type, TXW_EV_SUCCEEDED);
	row.outcome = TXW_FAILURE;
	assert_int_equal(decide(x.flow, &row, SEEN("pending")).event_type, TXW_EV_REOPENED);
	drop(&x);
	free(text);
}

static void what_may_follow_is_written_for_people(void **state)
{
	(void)state;
	struct fixture x;
	build_ok(&x, PAYMENT);
	struct buf b = {0};
	flow_allowed_text(x.flow, STATE(x.flow, "pending"), &b);
	assert_true(str_is(buf_view(&b), "\"authorized\", \"settled\", \"failed\""));
	b.len = 0;
	flow_allowed_text(x.flow, STATE(x.flow, "failed"), &b);
	assert_int_equal(b.len, 0);
	flow_allowed_text(x.flow, x.flow->n_states, &b);
	assert_int_equal(b.len, 0);
	assert_true(flow_allows(x.flow, STATE(x.flow, "settled"), STATE(x.flow, "refunded")));
	assert_false(flow_allows(x.flow, STATE(x.flow, "refunded"), STATE(x.flow, "settled")));
	assert_false(flow_allows(x.flow, x.flow->n_states, 0));
	buf_free(&b);
	drop(&x);
}

/* ---- late ---- */

static char *late(const char *policy, const char *illegal)
{
	static const char text[] =
	    "flow f {\n initial = \"a\" late = \"%s\" illegal = \"%s\"\n"
	    " state a { next = { \"b\", \"c\", \"d\" } expires = 1h expires-to = \"gone\" }\n"
	    " state d { next = { \"b\" } }\n"
	    " state b { outcome = \"success\" }\n state c { outcome = \"failure\" }\n"
	    " state gone { outcome = \"failure\" }\n"
	    " state over { outcome = \"expired\" next = { \"c\" } }\n}\n";
	size_t cap = sizeof text + 32;
	char *out = malloc(cap);
	snprintf(out, cap, text, policy, illegal);
	return out;
}

static struct decision decide_late(const char *policy, const char *illegal, const char *in,
				   txw_time expires_at, const char *seen, const char *told)
{
	char *text = late(policy, illegal);
	struct fixture x;
	build_ok(&x, text);
	txw_tx row = row_in(x.flow, in);
	row.expires_at = expires_at;
	row.anomaly = str_of(told);
	struct decision d = decide(x.flow, &row, (struct seen){.status = str_of(seen)});
	drop(&x);
	free(text);
	return d;
}

static void what_comes_late_is_told_once_and_not_applied_by_default(void **state)
{
	(void)state;
	struct decision d = decide_late("record", "flag", "over", 0, "b", NULL);
	assert_int_equal(d.answer, FLOW_ANOMALY);
	assert_true(d.is_late);
	d = decide_late("record", "refuse", "over", 0, "b", "b");
	assert_int_equal(d.answer, FLOW_ILLEGAL);
	assert_int_equal(d.event_type, 0);
}

static void what_comes_late_is_applied_where_the_flow_reopens(void **state)
{
	(void)state;
	struct decision d = decide_late("reopen", "refuse", "over", 0, "b", NULL);
	assert_int_equal(d.answer, FLOW_CHANGE);
	assert_int_equal(d.event_type, TXW_EV_SUCCEEDED);
	assert_true(d.is_late);
	assert_false(d.is_flagged);
	d = decide_late("reopen", "refuse", "over", 0, "a", NULL);
	assert_int_equal(d.event_type, TXW_EV_REOPENED);
}

static void what_comes_late_is_refused_in_silence_where_the_flow_says_so(void **state)
{
	(void)state;
	struct decision d = decide_late("refuse", "flag", "over", 0, "b", NULL);
	assert_int_equal(d.answer, FLOW_ILLEGAL);
	assert_int_equal(d.event_type, 0);
}

static void a_deadline_that_leads_to_a_failure_counts_as_one(void **state)
{
	(void)state;
	/* It kept the deadline that ended it ... */
	assert_int_equal(decide_late("reopen", "refuse", "gone", DAY, "b", NULL).answer,
			 FLOW_CHANGE);
	/* ... and one that an observation brought there has none. */
	struct decision d = decide_late("reopen", "refuse", "gone", 0, "b", NULL);
	assert_int_equal(d.answer, FLOW_ILLEGAL);
	assert_false(d.is_late);
}

static void what_next_allows_is_allowed_late_too(void **state)
{
	(void)state;
	static const char *const policies[] = {"record", "reopen", "refuse"};
	for (size_t i = 0; i < 3; i++) {
		struct decision d = decide_late(policies[i], "refuse", "over", 0, "c", NULL);
		assert_int_equal(d.answer, FLOW_CHANGE);
		assert_int_equal(d.event_type, TXW_EV_FAILED);
		assert_true(d.is_late);
	}
}

/* ---- deadlines ---- */

static void a_deadline_s_end_is_kept_and_a_reopening_gives_time_anew(void **state)
{
	(void)state;
	struct fixture x;
	build_ok(&x, "flow f {\n initial = \"a\"\n expires = 2h\n"
		     " state a { next = { \"b\", \"e\" } expires = 1h expires-to = \"b\" }\n"
		     " state b { next = { \"a\" } }\n"
		     " state e { outcome = \"success\" next = { \"a\" } }\n"
		     " state over { outcome = \"expired\" }\n}\n");
	const struct flow *f = x.flow;
	txw_time t = DAY;
	txw_tx row = {.size = sizeof row, .created_at = t};
	flow_enter(f, STATE(f, "a"), &row, t, false);
	row.version = 1;
	assert_int_equal(row.expires_at, t + HOUR);
	/* From deadline to deadline: the flow's ttl still counts. */
	flow_enter(f, STATE(f, "b"), &row, t + HOUR, true);
	assert_int_equal(row.expires_at, t + 2 * HOUR);
	txw_tx late = row;
	flow_enter(f, STATE(f, "a"), &late, t + 3 * HOUR, false); /* by a last look */
	assert_int_equal(late.expires_at, t + 2 * HOUR);
	flow_enter(f, STATE(f, "over"), &row, t + 2 * HOUR, true);
	assert_int_equal(row.expires_at, t + 2 * HOUR);
	assert_true(flow_is_expired(&row));
	/* Reopened: by the state alone. */
	row.deadline = t + HOUR;
	flow_enter(f, STATE(f, "a"), &row, t + 5 * HOUR, false);
	assert_int_equal(row.expires_at, t + 6 * HOUR);
	assert_int_equal(row.deadline, 0);
	assert_int_equal(row.finished_at, 0);
	flow_enter(f, STATE(f, "b"), &row, t + 5 * HOUR + 1, false);
	assert_int_equal(row.expires_at, 0);
	row.deadline = t + 9 * HOUR; /* one still to come stays */
	flow_enter(f, STATE(f, "e"), &row, t + 6 * HOUR, false);
	assert_int_equal(row.expires_at, 0);
	assert_false(flow_is_expired(&row));
	flow_enter(f, STATE(f, "b"), &row, t + 7 * HOUR, false);
	assert_int_equal(row.expires_at, t + 9 * HOUR);
	drop(&x);
}

static void the_earliest_deadline_wins(void **state)
{
	(void)state;
	struct fixture x;
	build_ok(&x, "flow f {\n initial = \"a\"\n expires = 1h\n"
		     " state a { next = { \"b\" } expires = 10m }\n"
		     " state b { next = { \"c\" } }\n state c { outcome = \"success\" }\n"
		     " state over { outcome = \"expired\" }\n}\n");
	const struct flow *f = x.flow;
	txw_time t = INT64_C(1700000000) * SECOND;
	uint32_t a = STATE(f, "a"), b = STATE(f, "b");
	assert_int_equal(flow_expires_at(f, a, t, t, 0), t + 10 * MINUTE);
	assert_int_equal(flow_expires_at(f, a, t, t + 55 * MINUTE, 0), t + HOUR);
	assert_int_equal(flow_expires_at(f, a, t, t, t + MINUTE), t + MINUTE);
	assert_int_equal(flow_expires_at(f, a, t, t, t + DAY), t + 10 * MINUTE);
	assert_int_equal(flow_expires_at(f, b, t, t, 0), t + HOUR);
	assert_int_equal(flow_expires_at(f, STATE(f, "c"), t, t, t + MINUTE), 0);
	assert_int_equal(flow_expires_at(f, f->n_states, t, t, 0), t + HOUR);
	drop(&x);
}

static void a_transaction_without_any_deadline_never_expires(void **state)
{
	(void)state;
	struct fixture x;
	build_ok(&x, "flow f {\n initial = \"a\"\n state a { next = { \"b\" } }\n"
		     " state b { outcome = \"success\" }\n}\n");
	assert_int_equal(flow_expires_at(x.flow, 0, 5, 5, 0), 0);
	assert_int_equal(flow_expires_at(x.flow, 0, 5, 5, 77), 77);
	drop(&x);
}

static void a_deadline_beyond_time_is_none(void **state)
{
	(void)state;
	struct fixture x;
	build_ok(&x, PAYMENT);
	assert_int_equal(flow_expires_at(x.flow, 0, 1, INT64_MAX - 5, 0), 0);
	drop(&x);
}

static void the_picture_shows_moves_and_deadlines(void **state)
{
	(void)state;
	struct fixture x;
	build_ok(&x, PAYMENT);
	struct buf b = {0};
	flow_graph(x.flow, &b);
	buf_char(&b, '\0');
	assert_non_null(strstr(b.ptr, "digraph \"payment\" {"));
	assert_non_null(strstr(b.ptr, "\"pending\" -> \"settled\";"));
	assert_non_null(
	    strstr(b.ptr, "\"authorized\" -> \"failed\" [style=dashed, label=\"7d\"];"));
	buf_free(&b);
	drop(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_kind_of_move_has_its_event_type),
	    cmocka_unit_test(the_first_status_of_a_new_transaction_is_its_creation),
	    cmocka_unit_test(a_deadline_s_event_is_expired_whatever_the_outcome),
	    cmocka_unit_test(the_same_status_again_is_nothing_new),
	    cmocka_unit_test(a_late_observation_cannot_undo_a_newer_one),
	    cmocka_unit_test(without_versions_the_upstream_s_time_decides),
	    cmocka_unit_test(a_version_outweighs_the_time),
	    cmocka_unit_test(an_old_word_is_stale_even_when_it_would_be_illegal_or_the_same),
	    cmocka_unit_test(an_unknown_word_is_told_once),
	    cmocka_unit_test(an_illegal_move_is_recorded_once_by_default),
	    cmocka_unit_test(an_illegal_move_is_refused_without_an_event_when_asked),
	    cmocka_unit_test(an_illegal_move_is_applied_and_flagged_when_asked),
	    cmocka_unit_test(a_row_in_a_state_the_flow_lost_may_go_to_any),
	    cmocka_unit_test(what_may_follow_is_written_for_people),
	    cmocka_unit_test(what_comes_late_is_told_once_and_not_applied_by_default),
	    cmocka_unit_test(what_comes_late_is_applied_where_the_flow_reopens),
	    cmocka_unit_test(what_comes_late_is_refused_in_silence_where_the_flow_says_so),
	    cmocka_unit_test(a_deadline_that_leads_to_a_failure_counts_as_one),
	    cmocka_unit_test(what_next_allows_is_allowed_late_too),
	    cmocka_unit_test(a_deadline_s_end_is_kept_and_a_reopening_gives_time_anew),
	    cmocka_unit_test(the_earliest_deadline_wins),
	    cmocka_unit_test(a_transaction_without_any_deadline_never_expires),
	    cmocka_unit_test(a_deadline_beyond_time_is_none),
	    cmocka_unit_test(the_picture_shows_moves_and_deadlines),
	};
	return cmocka_run_group_tests_name("flow_decide", tests, NULL, NULL);
}
