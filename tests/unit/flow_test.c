/* flow_test.c: which declarations of a flow are taken, and as what. */
#include "flow_fixture.h"

/* The text is refused, with a sentence that holds `words`, at `line`. */
static void refused(const char *text, int line, const char *words)
{
	struct fixture x;
	build(&x, text);
	assert_null(x.flow);
	const struct conf_problem *p = told(&x, words);
	assert_false(p->is_warning);
	assert_int_equal(p->line, line);
	drop(&x);
}

/* Accepted, with a warning that holds `words`. */
static void warned(const char *text, int line, const char *words)
{
	struct fixture x;
	build(&x, text);
	assert_non_null(x.flow);
	const struct conf_problem *p = told(&x, words);
	assert_true(p->is_warning);
	assert_int_equal(p->line, line);
	drop(&x);
}

/* ---- building ---- */

static void the_design_s_payment_flow_is_built_as_written(void **state)
{
	(void)state;
	struct fixture x;
	build_ok(&x, PAYMENT);
	const struct flow *f = x.flow;
	assert_true(str_is(f->name, "payment"));
	assert_int_equal(f->n_states, 7);
	assert_int_equal(f->initial, STATE(f, "pending"));
	assert_int_equal(f->expired, STATE(f, "expired"));
	assert_int_equal(f->illegal, ILLEGAL_RECORD);
	const struct flow_state *pending = &f->states[STATE(f, "pending")];
	assert_int_equal(pending->outcome, TXW_OPEN);
	assert_int_equal(pending->expires, 30 * MINUTE);
	assert_int_equal(pending->expires_to, STATE(f, "expired"));
	assert_int_equal(pending->n_next, 3);
	const struct flow_state *authorized = &f->states[STATE(f, "authorized")];
	assert_int_equal(authorized->expires, 7 * DAY);
	assert_int_equal(authorized->expires_to, STATE(f, "failed"));
	assert_int_equal(f->states[STATE(f, "settled")].outcome, TXW_SUCCESS);
	assert_int_equal(f->states[STATE(f, "refunded")].outcome, TXW_OUT_CANCELLED);
	assert_int_equal(f->states[STATE(f, "failed")].outcome, TXW_FAILURE);
	assert_int_equal(f->states[STATE(f, "expired")].outcome, TXW_EXPIRED);
	assert_int_equal(STATE(f, "nowhere"), f->n_states);
	drop(&x);
}

static void a_state_s_cadence_is_read(void **state)
{
	(void)state;
	struct fixture x;
	build_ok(&x, "flow f {\n initial = \"a\"\n illegal = \"flag\"\n"
		     " state a { next = { \"b\" } every = 5s slow-to = 5m first-after = 2s "
		     "multiplier = \"1.25\" }\n"
		     " state b { outcome = \"success\" }\n}\n");
	const struct cadence *c = &x.flow->states[0].cadence;
	assert_int_equal(c->every, 5 * SECOND);
	assert_int_equal(c->slow_to, 5 * MINUTE);
	assert_int_equal(c->first_after, 2 * SECOND);
	assert_int_equal(c->multiplier_milli, 1250);
	assert_int_equal(x.flow->illegal, ILLEGAL_FLAG);
	assert_int_equal(x.flow->expired, x.flow->n_states);
	drop(&x);
}

static void a_cadence_that_is_not_said_is_zero(void **state)
{
	(void)state;
	struct fixture x;
	build_ok(&x, PAYMENT);
	const struct cadence *c = &x.flow->states[0].cadence;
	assert_int_equal(c->every, 0);
	assert_int_equal(c->slow_to, 0);
	assert_int_equal(c->first_after, 0);
	assert_int_equal(c->multiplier_milli, 0);
	drop(&x);
}

static void an_unknown_initial_state_is_refused_with_the_nearest_name(void **state)
{
	(void)state;
	refused("flow f {\n initial = \"pendng\"\n state pending { next = { \"done\" } }\n"
		" state done { outcome = \"success\" }\n}\n",
		2,
		"`initial` names `pendng`, and there is no such state (did you mean `pending`?)");
}

static void an_initial_state_with_an_outcome_is_refused(void **state)
{
	(void)state;
	refused("flow f {\n initial = \"done\"\n state done { outcome = \"success\" }\n}\n", 2,
		"`initial` names `done`, which has an outcome");
}

static void an_unknown_next_state_is_refused_with_line_and_nearest_name(void **state)
{
	(void)state;
	refused("flow f {\n initial = \"a\"\n state a {\n  next = { \"setled\" }\n }\n"
		" state settled { outcome = \"success\" }\n}\n",
		4,
		"flow f: state a: `next` names `setled`, and there is no such state (did you mean "
		"`settled`?)");
}

static void an_unknown_name_does_not_also_make_the_state_a_dead_end(void **state)
{
	(void)state;
	struct fixture x;
	build(&x, "flow f {\n initial = \"a\"\n state a { next = { \"nix\" } }\n}\n");
	assert_null(x.flow);
	assert_int_equal(x.report.n_errors, 1);
	drop(&x);
}

static void an_unknown_expiry_target_is_refused(void **state)
{
	(void)state;
	refused("flow f {\n initial = \"a\"\n state a { expires = 5m expires-to = \"gone\" }\n"
		" state b { outcome = \"expired\" }\n}\n",
		3, "`expires-to` names `gone`");
	refused("flow f {\n initial = \"a\"\n expires = 1d\n expires-to = \"gone\"\n state a { }\n"
		" state b { outcome = \"expired\" }\n}\n",
		4, "flow f: `expires-to` names `gone`");
}

static void all_mistakes_are_told_not_only_the_first(void **state)
{
	(void)state;
	struct fixture x;
	build(&x, "flow f {\n initial = \"zzz\"\n state a { next = { \"qqq\" } }\n"
		  " state b { outcome = \"success\" expires = 5m }\n}\n");
	assert_null(x.flow);
	told(&x, "`initial` names `zzz`");
	told(&x, "`next` names `qqq`");
	told(&x, "an end state has no deadline");
	drop(&x);
}

static void an_unreachable_state_is_refused(void **state)
{
	(void)state;
	refused("flow f {\n initial = \"a\"\n state a { next = { \"b\" } }\n"
		" state b { outcome = \"success\" }\n state lost { next = { \"b\" } }\n}\n",
		5, "state lost: cannot be reached from the initial state `a`");
}

static void an_expiry_alone_makes_a_state_reachable(void **state)
{
	(void)state;
	struct fixture x;
	build_ok(&x, "flow f {\n initial = \"a\"\n state a { expires = 5m expires-to = \"late\" }\n"
		     " state late { expires = 1h }\n state over { outcome = \"expired\" }\n}\n");
	assert_int_equal(x.flow->states[0].expires_to, STATE(x.flow, "late"));
	drop(&x);
}

static void an_end_state_reached_only_by_an_api_deadline_counts_as_reachable(void **state)
{
	(void)state;
	struct fixture x;
	build_ok(&x,
		 "flow f {\n initial = \"a\"\n state a { next = { \"b\" } }\n"
		 " state b { outcome = \"success\" }\n state over { outcome = \"expired\" }\n}\n");
	assert_int_equal(x.flow->expired, STATE(x.flow, "over"));
	drop(&x);
}

static void an_open_state_without_a_way_out_is_refused(void **state)
{
	(void)state;
	refused("flow f {\n initial = \"a\"\n state a { next = { \"b\" } }\n state b { }\n}\n", 4,
		"state b: is open and can never be left");
}

static void a_state_that_leads_only_to_itself_is_a_dead_end(void **state)
{
	(void)state;
	refused("flow f {\n initial = \"a\"\n state a { next = { \"a\" } }\n}\n", 3,
		"state a: is open and can never be left");
}

static void the_flow_s_own_deadline_is_a_way_out(void **state)
{
	(void)state;
	struct fixture x;
	build_ok(&x, "flow f {\n initial = \"a\"\n expires = 1d\n state a { }\n"
		     " state over { outcome = \"expired\" }\n}\n");
	assert_int_equal(x.flow->ttl, DAY);
	drop(&x);
}

static void a_state_declared_twice_is_refused(void **state)
{
	(void)state;
	struct fixture x;
	build(&x, "flow f {\n initial = \"a\"\n state a { next = { \"b\" } }\n"
		  " state b { outcome = \"success\" }\n state a { next = { \"b\" } }\n}\n");
	assert_null(x.flow);
	assert_true(x.report.n_errors > 0);
	drop(&x);
}

static void a_deadline_in_an_end_state_is_refused(void **state)
{
	(void)state;
	refused("flow f {\n initial = \"a\"\n state a { next = { \"b\" } }\n"
		" state b { outcome = \"success\" expires = 5m }\n}\n",
		4, "`expires` in a state with an outcome");
	refused("flow f {\n initial = \"a\"\n state a { next = { \"b\" } }\n"
		" state b { outcome = \"success\" expires-to = \"a\" }\n}\n",
		4, "`expires-to` in a state with an outcome");
}

static void a_deadline_needs_somewhere_to_go(void **state)
{
	(void)state;
	refused("flow f {\n initial = \"a\"\n state a { expires = 5m next = { \"b\" } }\n"
		" state b { outcome = \"success\" }\n}\n",
		3, "has a deadline and nowhere to go then: no state has the outcome expired");
	refused("flow f {\n initial = \"a\"\n expires = 5m\n state a { next = { \"b\" } }\n"
		" state b { outcome = \"success\" }\n}\n",
		4, "nowhere to go");
	refused("flow f {\n initial = \"a\"\n state a { expires = 5m next = { \"b\", \"c\" } }\n"
		" state b { outcome = \"expired\" }\n state c { outcome = \"expired\" }\n}\n",
		3, "several states have the outcome expired");
}

static void the_flow_s_expires_to_decides_between_several_expired_states(void **state)
{
	(void)state;
	struct fixture x;
	build_ok(&x, "flow f {\n initial = \"a\"\n expires = 5m\n expires-to = \"c\"\n"
		     " state a { next = { \"b\", \"c\" } }\n state b { outcome = \"expired\" }\n"
		     " state c { outcome = \"expired\" }\n}\n");
	assert_int_equal(x.flow->expired, STATE(x.flow, "c"));
	drop(&x);
}

static void the_flow_s_deadline_must_end_the_transaction(void **state)
{
	(void)state;
	refused("flow f {\n initial = \"a\"\n expires = 5m\n expires-to = \"b\"\n"
		" state a { next = { \"b\" } }\n state b { next = { \"a\", \"c\" } }\n"
		" state c { outcome = \"failure\" }\n}\n",
		4, "`expires-to` names `b`, which is open");
}

static void deadlines_that_lead_in_a_circle_are_refused(void **state)
{
	(void)state;
	refused("flow f {\n initial = \"a\"\n state a { expires = 5m expires-to = \"b\" }\n"
		" state b { expires = 5m expires-to = \"a\" next = { \"c\" } }\n"
		" state c { outcome = \"success\" }\n}\n",
		3, "state a: `expires-to` leads back here");
	refused("flow f {\n initial = \"a\"\n state a { expires = 5m expires-to = \"a\" }\n}\n", 3,
		"`expires-to` names the state itself");
}

static void a_circle_entered_from_outside_is_found_too(void **state)
{
	(void)state;
	refused("flow f {\n initial = \"a\"\n state a { expires = 5m expires-to = \"b\" }\n"
		" state b { expires = 5m expires-to = \"c\" }\n"
		" state c { expires = 5m expires-to = \"b\" }\n}\n",
		4, "state b: `expires-to` leads back here");
}

static void a_circle_of_deadlines_is_shown_as_it_goes_round(void **state)
{
	(void)state;
	refused("flow f {\n initial = \"a\"\n state a { expires = 5m expires-to = \"b\" }\n"
		" state b { expires = 5m expires-to = \"c\" }\n"
		" state c { expires = 5m expires-to = \"a\" }\n}\n",
		3, "(`a` -> `b` -> `c` -> `a`): deadlines must end in a state with an outcome");
}

static void a_state_from_which_no_end_can_be_reached_is_doubted(void **state)
{
	(void)state;
	warned("flow f {\n initial = \"a\"\n state a { next = { \"b\", \"c\" } }\n"
	       " state b { next = { \"d\" } }\n state c { outcome = \"success\" }\n"
	       " state d { next = { \"b\" } }\n}\n",
	       4, "state b: no state with an outcome can be reached from here, nor from others");
}

static void a_state_s_deadline_beyond_the_flow_s_is_doubted(void **state)
{
	(void)state;
	warned("flow f {\n initial = \"a\"\n expires = 1h\n"
	       " state a { next = { \"b\" }\n expires = 1h }\n"
	       " state b { outcome = \"expired\" }\n}\n",
	       5, "`expires` is not shorter than the flow's own (1h after the creation)");
	/* One that is only reopened has left the flow's behind. */
	struct fixture x;
	build_ok(&x, "flow f {\n initial = \"a\"\n expires = 1h\n state a { next = { \"b\" } }\n"
		     " state b { outcome = \"success\" next = { \"c\" } }\n"
		     " state c { next = { \"b\" } expires = 60d }\n"
		     " state d { outcome = \"expired\" }\n}\n");
	assert_null(x.report.first);
	drop(&x);
}

static void a_mistake_says_what_to_add(void **state)
{
	(void)state;
	refused("flow f {\n initial = \"a\"\n state a { next = { \"b\" } }\n"
		" state b { outcome = \"success\" }\n state lost { outcome = \"failure\" }\n}\n",
		5, "name it in the `next` or `expires-to` of a state that can, or remove it");
	refused("flow f {\n initial = \"a\"\n state a { }\n}\n", 3,
		"give it `next`, a deadline (`expires`) or an `outcome`");
	refused("flow f {\n initial = \"a\"\n state a { expires = 5m }\n}\n", 3,
		"no state has the outcome expired; set `expires-to`");
}

static void what_is_said_of_lateness_and_warnings_is_read(void **state)
{
	(void)state;
	struct fixture x;
	build_ok(&x, "flow f {\n initial = \"a\" late = \"reopen\" warn-before = 10m\n"
		     " state a { next = { \"b\" } expires = 1h }\n"
		     " state b { next = { \"c\" } expires = 1h warn-before = 1m }\n"
		     " state c { next = { \"d\" } expires = 1h warn-before = 0 }\n"
		     " state d { outcome = \"success\" }\n state e { outcome = \"expired\" }\n}\n");
	const struct flow *f = x.flow;
	assert_int_equal(f->late, LATE_REOPEN);
	assert_int_equal(f->states[0].warn_before, 10 * MINUTE);
	assert_int_equal(f->states[1].warn_before, MINUTE);
	assert_int_equal(f->states[2].warn_before, 0);
	assert_int_equal(f->states[3].warn_before, 0);
	assert_int_equal(flow_warns_at(f, 0, DAY), DAY - 10 * MINUTE);
	assert_int_equal(flow_warns_at(f, 2, DAY), 0);
	assert_int_equal(flow_warns_at(f, 0, 0), 0);
	drop(&x);
	build_ok(&x, PAYMENT);
	assert_int_equal(x.flow->late, LATE_RECORD);
	assert_int_equal(x.flow->states[0].warn_before, 0);
	drop(&x);
}

static void a_warning_must_come_before_its_deadline_and_after_its_beginning(void **state)
{
	(void)state;
	refused("flow f {\n initial = \"a\"\n state a { next = { \"b\" } expires = 5m\n"
		" warn-before = 5m }\n state b { outcome = \"expired\" }\n}\n",
		4, "state a: `warn-before` is not shorter than `expires`");
	refused("flow f {\n initial = \"a\"\n expires = 5m\n warn-before = 1h\n"
		" state a { next = { \"b\" } }\n state b { outcome = \"expired\" }\n}\n",
		4, "flow f: `warn-before` is not shorter than `expires`");
	refused("flow f {\n initial = \"a\"\n state a { next = { \"b\" } }\n"
		" state b { outcome = \"success\" warn-before = 5m }\n}\n",
		4, "`warn-before` in a state with an outcome");
	warned("flow f {\n initial = \"a\"\n warn-before = 10m\n"
	       " state a { next = { \"b\" }\n expires = 5m }\n"
	       " state b { outcome = \"expired\" }\n}\n",
	       5, "`expires` is not longer than the flow's `warn-before`");
}

static void a_bad_multiplier_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"0.5", "x", "1.2345", "101", "-1", "1e3"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char text[300];
		snprintf(
		    text, sizeof text,
		    "flow f {\n initial = \"a\"\n state a { next = { \"b\" } multiplier = \"%s\" "
		    "}\n state b { outcome = \"success\" }\n}\n",
		    bad[i]);
		refused(text, 3, "`multiplier` is `");
	}
}

static void a_slow_interval_below_the_first_is_refused(void **state)
{
	(void)state;
	refused(
	    "flow f {\n initial = \"a\"\n state a { next = { \"b\" } every = 5m slow-to = 5s }\n"
	    " state b { outcome = \"success\" }\n}\n",
	    3, "`slow-to` is shorter than `every`");
}

static void a_cadence_on_an_end_state_is_warned_about(void **state)
{
	(void)state;
	warned("flow f {\n initial = \"a\"\n state a { next = { \"b\" } }\n"
	       " state b { outcome = \"success\" every = 5s }\n}\n",
	       4, "`every` has no effect");
}

static void a_repeated_or_own_name_in_next_is_warned_about(void **state)
{
	(void)state;
	warned("flow f {\n initial = \"a\"\n state a { next = { \"b\", \"b\" } }\n"
	       " state b { outcome = \"success\" }\n}\n",
	       3, "`next` names `b` twice");
	warned("flow f {\n initial = \"a\"\n state a { next = { \"b\", \"a\" } }\n"
	       " state b { outcome = \"success\" }\n}\n",
	       3, "`next` names `a` itself");
}

static void more_than_64_states_are_refused(void **state)
{
	(void)state;
	struct buf b = {0};
	buf_text(&b, "flow f {\n initial = \"s0\"\n");
	for (int i = 0; i < 65; i++)
		buf_printf(&b, " state s%d { next = { \"s%d\" } }\n", i, (i + 1) % 65);
	buf_text(&b, "}\n");
	buf_char(&b, '\0');
	refused(b.ptr, 1, "has 65 states; it takes 1 to 64");
	buf_free(&b);
}

static void sixty_four_states_are_fine(void **state)
{
	(void)state;
	struct buf b = {0};
	buf_text(&b, "flow f {\n initial = \"s0\"\n");
	for (int i = 0; i < 64; i++)
		buf_printf(&b, " state s%d { next = { \"s%d\" } }\n", i, (i + 1) % 64);
	buf_text(&b, "}\n");
	buf_char(&b, '\0');
	struct fixture x;
	build_ok(&x, b.ptr);
	assert_int_equal(x.flow->n_states, 64);
	drop(&x);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_design_s_payment_flow_is_built_as_written),
	    cmocka_unit_test(a_state_s_cadence_is_read),
	    cmocka_unit_test(a_cadence_that_is_not_said_is_zero),
	    cmocka_unit_test(an_unknown_initial_state_is_refused_with_the_nearest_name),
	    cmocka_unit_test(an_initial_state_with_an_outcome_is_refused),
	    cmocka_unit_test(an_unknown_next_state_is_refused_with_line_and_nearest_name),
	    cmocka_unit_test(an_unknown_name_does_not_also_make_the_state_a_dead_end),
	    cmocka_unit_test(an_unknown_expiry_target_is_refused),
	    cmocka_unit_test(all_mistakes_are_told_not_only_the_first),
	    cmocka_unit_test(an_unreachable_state_is_refused),
	    cmocka_unit_test(an_expiry_alone_makes_a_state_reachable),
	    cmocka_unit_test(an_end_state_reached_only_by_an_api_deadline_counts_as_reachable),
	    cmocka_unit_test(an_open_state_without_a_way_out_is_refused),
	    cmocka_unit_test(a_state_that_leads_only_to_itself_is_a_dead_end),
	    cmocka_unit_test(the_flow_s_own_deadline_is_a_way_out),
	    cmocka_unit_test(a_state_declared_twice_is_refused),
	    cmocka_unit_test(a_deadline_in_an_end_state_is_refused),
	    cmocka_unit_test(a_deadline_needs_somewhere_to_go),
	    cmocka_unit_test(the_flow_s_expires_to_decides_between_several_expired_states),
	    cmocka_unit_test(the_flow_s_deadline_must_end_the_transaction),
	    cmocka_unit_test(deadlines_that_lead_in_a_circle_are_refused),
	    cmocka_unit_test(a_circle_entered_from_outside_is_found_too),
	    cmocka_unit_test(a_circle_of_deadlines_is_shown_as_it_goes_round),
	    cmocka_unit_test(a_state_from_which_no_end_can_be_reached_is_doubted),
	    cmocka_unit_test(a_state_s_deadline_beyond_the_flow_s_is_doubted),
	    cmocka_unit_test(a_mistake_says_what_to_add),
	    cmocka_unit_test(what_is_said_of_lateness_and_warnings_is_read),
	    cmocka_unit_test(a_warning_must_come_before_its_deadline_and_after_its_beginning),
	    cmocka_unit_test(a_bad_multiplier_is_refused),
	    cmocka_unit_test(a_slow_interval_below_the_first_is_refused),
	    cmocka_unit_test(a_cadence_on_an_end_state_is_warned_about),
	    cmocka_unit_test(a_repeated_or_own_name_in_next_is_warned_about),
	    cmocka_unit_test(more_than_64_states_are_refused),
	    cmocka_unit_test(sixty_four_states_are_fine),
	};
	return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
