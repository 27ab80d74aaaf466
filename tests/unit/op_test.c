/* op_test.c: what operations do to transactions, on the real store. */
#include "site_kit.h"

static int setup(void **state)
{
	struct kit *k = xcalloc(1, sizeof(*k));
	kit_open(k, KIT_FLOWS);
	*state = k;
	return 0;
}

static int teardown(void **state)
{
	kit_close(*state);
	free(*state);
	return 0;
}

static void assert_status(const struct op *op, enum op_result result, const char *status,
			  int64_t version)
{
	if (op->result != result)
		fail_msg("%s, not %s: %s", op_result_name(op->result), op_result_name(result),
			 op->why ? op->why : "");
	assert_non_null(op->after);
	assert_true(str_is(op->after->status, status));
	assert_int_equal(op->after->version, version);
}

static void one_is_created_in_its_first_state_and_only_once(void **state)
{
	struct kit *k = *state;
	struct op op = op_create("payment", "P1", NULL);
	op.owner = STR_LIT("ann");
	op.amount = STR_LIT("12.50");
	op.attributes = STR_LIT("{\"a\":1}");
	const struct op *r = kit_op(k, op);
	assert_status(r, OP_CREATED, "pending", 1);
	assert_int_equal(r->after->created_at, KIT_START);
	assert_int_equal(r->after->expires_at, KIT_START + 30 * MINUTE);
	assert_int_equal(r->after->due_at, KIT_START + 30 * MINUTE);
	assert_int_equal(r->after->outcome, TXW_OPEN);
	txw_id id = r->after->id;
	op.owner = STR_LIT("bob");
	r = kit_op(k, op);
	assert_status(r, OP_UNCHANGED, "pending", 1);
	assert_true(id_eq(r->after->id, id));
	assert_true(str_is(r->after->owner, "ann"));
	assert_int_equal(kit_events(k, TXW_EV_CREATED), 1);
}

static void one_may_be_created_in_any_state_of_its_flow(void **state)
{
	struct kit *k = *state;
	const struct op *r = kit_op(k, op_create("payment", "P1", "settled"));
	assert_status(r, OP_CREATED, "settled", 1);
	assert_int_equal(r->after->outcome, TXW_SUCCESS);
	assert_int_equal(r->after->finished_at, KIT_START);
	assert_int_equal(r->after->due_at, 0);
}

static void creating_with_an_unknown_flow_or_state_says_what_is_near(void **state)
{
	struct kit *k = *state;
	const struct op *r = kit_op(k, op_create("paiment", "P1", NULL));
	assert_int_equal(r->result, OP_INVALID);
	assert_non_null(strstr(r->why, "did you mean \"payment\""));
	r = kit_op(k, op_create("payment", "P1", "setled"));
	assert_int_equal(r->result, OP_INVALID);
	assert_non_null(strstr(r->why, "did you mean \"settled\""));
	assert_int_equal(kit_op(k, op_status("payment", "P1", "settled"))->result, OP_NOT_FOUND);
	assert_int_equal(engine_last_seq(k->engine), 0);
}

static void an_absolute_deadline_and_a_span_are_kept(void **state)
{
	struct kit *k = *state;
	struct op op = op_create("timed", "P1", NULL);
	op.expires_in = 5 * MINUTE;
	assert_int_equal(kit_op(k, op)->after->expires_at, KIT_START + 5 * MINUTE);
	op = op_create("timed", "P2", NULL);
	op.expires_at = KIT_START + HOUR;
	assert_int_equal(kit_op(k, op)->after->expires_at, KIT_START + HOUR);
	assert_int_equal(kit_op(k, op_create("timed", "P3", NULL))->after->expires_at, 0);
	op = op_create("payment", "P4", NULL); /* the state's is earlier */
	op.expires_in = HOUR;
	assert_int_equal(kit_op(k, op)->after->expires_at, KIT_START + 30 * MINUTE);
}

static void a_move_makes_the_event_of_its_outcome(void **state)
{
	struct kit *k = *state;
	kit_op(k, op_create("payment", "P1", NULL));
	struct op op = op_status("payment", "P1", "authorized");
	op.reason = STR_LIT("bank says so");
	op.code = STR_LIT("00");
	kit_advance(k, MINUTE);
	const struct op *r = kit_op(k, op);
	assert_status(r, OP_CHANGED, "authorized", 2);
	assert_int_equal(r->after->status_since, KIT_START + MINUTE);
	assert_int_equal(r->after->expires_at, KIT_START + MINUTE + 7 * DAY);
	assert_true(str_is(r->after->reason, "bank says so"));
	assert_status(kit_op(k, op_status("payment", "P1", "settled")), OP_CHANGED, "settled", 3);
	r = kit_op(k, op_status("payment", "P1", "pending"));
	assert_status(r, OP_CHANGED, "pending", 4);
	assert_int_equal(r->after->finished_at, 0);
	kit_rest(k);
	assert_int_equal(kit_events(k, TXW_EV_STATUS_CHANGED), 1);
	assert_int_equal(kit_events(k, TXW_EV_SUCCEEDED), 1);
	assert_int_equal(kit_events(k, TXW_EV_REOPENED), 1);
	for (size_t i = 0; i < k->n_seen; i++) {
		assert_int_equal(k->seen[i].seq, i + 1);
		assert_int_equal(k->seen[i].version, i + 1);
	}
}

static void the_same_status_again_makes_no_event(void **state)
{
	struct kit *k = *state;
	kit_op(k, op_create("payment", "P1", NULL));
	for (int i = 0; i < 3; i++)
		assert_status(kit_op(k, op_status("payment", "P1", "pending")), OP_UNCHANGED,
			      "pending", 1);
	assert_int_equal(engine_last_seq(k->engine), 1);
}

static void a_late_word_cannot_undo_a_newer_one(void **state)
{
	struct kit *k = *state;
	kit_op(k, op_create("strict", "P1", NULL));
	struct op op = op_status("strict", "P1", "b");
	op.source_at = KIT_START + 10 * SECOND;
	assert_status(kit_op(k, op), OP_CHANGED, "b", 2);
	op.status = STR_LIT("a"); /* allowed from b, but older */
	op.source_at = KIT_START + 9 * SECOND;
	assert_status(kit_op(k, op), OP_STALE, "b", 2);
	op.source_at = KIT_START + 11 * SECOND;
	assert_status(kit_op(k, op), OP_CHANGED, "a", 3);
}

static void what_was_asked_before_the_row_moved_is_stale_unless_its_source_tells(void **state)
{
	struct kit *k = *state;
	txw_tx asked = *kit_op(k, op_create("strict", "P1", NULL))->after;
	asked.status = STR_LIT("a"); /* the batch's arena has ended */
	struct op op = op_status("strict", "P1", "b");
	op.source_version = STR_LIT("1");
	assert_status(kit_op(k, op), OP_CHANGED, "b", 2);
	op = op_status("strict", "P1", "a");
	op.asked_of = &asked;
	assert_status(kit_op(k, op), OP_STALE, "b", 2);
	op.status = STR_LIT("b"); /* a twin */
	assert_status(kit_op(k, op), OP_UNCHANGED, "b", 2);
	op.status = STR_LIT("a");
	op.source_version = STR_LIT("2");
	assert_status(kit_op(k, op), OP_CHANGED, "a", 3);
}

static void a_list_that_was_asked_for_before_the_row_moved_is_stale(void **state)
{
	struct kit *k = *state;
	kit_op(k, op_create("strict", "P1", NULL));
	kit_advance(k, MINUTE);
	kit_op(k, op_status("strict", "P1", "b"));
	struct op op = op_create("strict", "P1", "a");
	op.kind = OP_DISCOVER;
	op.asked_at = KIT_START + SECOND;
	assert_status(kit_op(k, op), OP_STALE, "b", 2);
	op.asked_at = KIT_START + MINUTE;
	assert_status(kit_op(k, op), OP_CHANGED, "a", 3);
}

static void versions_of_the_source_are_compared_as_numbers(void **state)
{
	struct kit *k = *state;
	kit_op(k, op_create("strict", "P1", NULL));
	struct op op = op_status("strict", "P1", "b");
	op.source_version = STR_LIT("10");
	assert_status(kit_op(k, op), OP_CHANGED, "b", 2);
	op.status = STR_LIT("a");
	op.source_version = STR_LIT("9");
	assert_status(kit_op(k, op), OP_STALE, "b", 2);
}

/* The version decided, by a clock that went back: what is known of the time
 * stays the latest. */
static void a_newer_version_does_not_take_the_source_s_time_back(void **state)
{
	struct kit *k = *state;
	kit_op(k, op_create("strict", "P1", NULL));
	struct op op = op_status("strict", "P1", "b");
	op.source_version = STR_LIT("6");
	op.source_at = KIT_START + 10 * SECOND;
	assert_status(kit_op(k, op), OP_CHANGED, "b", 2);
	op.status = STR_LIT("a");
	op.source_version = STR_LIT("7");
	op.source_at = KIT_START + 8 * SECOND;
	const struct op *r = kit_op(k, op);
	assert_status(r, OP_CHANGED, "a", 3);
	assert_int_equal(r->after->source_at, KIT_START + 10 * SECOND);
	op.status = STR_LIT("b");
	op.source_version = STR_NONE;
	op.source_at = KIT_START + 9 * SECOND;
	assert_status(kit_op(k, op), OP_STALE, "a", 3);
}

static void the_same_status_told_later_still_outdates_what_came_between(void **state)
{
	struct kit *k = *state;
	kit_op(k, op_create("strict", "P1", NULL));
	struct op op = op_status("strict", "P1", "b");
	op.source_at = KIT_START + 10 * SECOND;
	assert_status(kit_op(k, op), OP_CHANGED, "b", 2);
	op.source_at = KIT_START + 30 * SECOND;
	assert_status(kit_op(k, op), OP_UNCHANGED, "b", 2);
	op.status = STR_LIT("a");
	op.source_at = KIT_START + 20 * SECOND;
	assert_status(kit_op(k, op), OP_STALE, "b", 2);
	assert_int_equal(engine_last_seq(k->engine), 2);
}

static void a_forbidden_move_is_told_once_and_not_made(void **state)
{
	struct kit *k = *state;
	kit_op(k, op_create("payment", "P1", "authorized"));
	const struct op *r = kit_op(k, op_status("payment", "P1", "pending"));
	assert_status(r, OP_REFUSED, "authorized", 2);
	assert_non_null(strstr(r->why, "\"settled\""));
	assert_int_equal(kit_events(k, TXW_EV_ANOMALY), 1);
	for (int i = 0; i < 3; i++)
		assert_status(kit_op(k, op_status("payment", "P1", "pending")), OP_REFUSED,
			      "authorized", 2);
	assert_int_equal(kit_events(k, TXW_EV_ANOMALY), 1);
	assert_status(kit_op(k, op_status("payment", "P1", "settled")), OP_CHANGED, "settled", 3);
}

static void a_strict_flow_refuses_in_silence(void **state)
{
	struct kit *k = *state;
	kit_op(k, op_create("strict", "P1", NULL));
	assert_status(kit_op(k, op_status("strict", "P1", "c")), OP_REFUSED, "a", 1);
	assert_int_equal(engine_last_seq(k->engine), 1);
}

static void a_lax_flow_moves_and_flags(void **state)
{
	struct kit *k = *state;
	kit_op(k, op_create("lax", "P1", NULL));
	assert_status(kit_op(k, op_status("lax", "P1", "c")), OP_CHANGED, "c", 3);
	kit_rest(k);
	assert_int_equal(k->n_seen, 3);
	assert_int_equal(k->seen[1].type, TXW_EV_ANOMALY);
	assert_int_equal(k->seen[2].type, TXW_EV_SUCCEEDED);
}

static void an_unknown_word_is_told_once_when_a_poller_says_it(void **state)
{
	struct kit *k = *state;
	kit_op(k, op_create("payment", "P1", NULL));
	struct op op = op_status("payment", "P1", "WEIRD");
	assert_int_equal(kit_op(k, op)->result, OP_INVALID); /* the API's: no event */
	assert_int_equal(kit_events(k, TXW_EV_ANOMALY), 0);
	op.unknown_is_anomaly = 1;
	assert_status(kit_op(k, op), OP_INVALID, "pending", 2);
	assert_status(kit_op(k, op), OP_INVALID, "pending", 2);
	assert_int_equal(kit_events(k, TXW_EV_ANOMALY), 1);
	op.status = STR_LIT("ODD");
	assert_status(kit_op(k, op), OP_INVALID, "pending", 3);
	assert_int_equal(kit_events(k, TXW_EV_ANOMALY), 2);
}

static void a_message_that_was_heard_is_not_heard_again(void **state)
{
	struct kit *k = *state;
	kit_op(k, op_create("strict", "P1", NULL));
	struct op op = op_status("strict", "P1", "b");
	op.source_event_id = STR_LIT("m-1");
	assert_status(kit_op(k, op), OP_CHANGED, "b", 2);
	assert_status(kit_op(k, op_status("strict", "P1", "a")), OP_CHANGED, "a", 3);
	assert_status(kit_op(k, op), OP_UNCHANGED, "a", 3);
	/* Twins within one unit, too. */
	op.source_event_id = STR_LIT("m-2");
	struct op twins[] = {op, op_status("strict", "P1", "a"), op};
	struct batch *b = kit_batch(k, twins, 3, false);
	assert_int_equal(b->ops[0].result, OP_CHANGED);
	assert_int_equal(b->ops[1].result, OP_CHANGED);
	assert_int_equal(b->ops[2].result, OP_UNCHANGED);
	/* Of another transaction the same id is another message. */
	kit_op(k, op_create("strict", "P2", NULL));
	op.name.ref = STR_LIT("P2");
	assert_status(kit_op(k, op), OP_CHANGED, "b", 2);
}

static void an_update_changes_what_is_given_and_nothing_else(void **state)
{
	struct kit *k = *state;
	struct op op = op_create("payment", "P1", NULL);
	op.owner = STR_LIT("ann");
	op.amount = STR_LIT("1.00");
	kit_op(k, op);
	op.kind = OP_UPDATE;
	op.owner = STR_LIT("bob");
	op.amount = STR_LIT("2.00");
	op.set = OP_SET_OWNER;
	const struct op *r = kit_op(k, op);
	assert_status(r, OP_CHANGED, "pending", 2);
	assert_true(str_is(r->after->owner, "bob"));
	assert_true(str_is(r->after->amount, "1.00"));
	assert_status(kit_op(k, op), OP_UNCHANGED, "pending", 2);
	op.owner = STR_NONE;
	assert_int_equal(kit_op(k, op)->after->owner.len, 0);
	assert_int_equal(kit_events(k, TXW_EV_UPDATED), 2);
	op.set = OP_SET_EXPIRES;
	op.expires_at = KIT_START + MINUTE;
	r = kit_op(k, op);
	assert_int_equal(r->after->expires_at, KIT_START + MINUTE);
	assert_int_equal(r->after->due_at, KIT_START + MINUTE);
	op.expires_at = 0; /* the flow's own stays */
	assert_int_equal(kit_op(k, op)->after->expires_at, KIT_START + 30 * MINUTE);
}

static void a_paused_one_is_not_due_until_it_goes_on(void **state)
{
	struct kit *k = *state;
	flows_find(&k->flows, STR_LIT("payment"))->is_polled = true;
	flows_find(&k->flows, STR_LIT("payment"))->tenant = STR_LIT("default");
	flows_find(&k->flows, STR_LIT("payment"))->cadence = (struct cadence){
	    .every = MINUTE, .first_after = 3 * SECOND};
	assert_int_equal(kit_op(k, op_create("payment", "P1", NULL))->after->due_at,
			 KIT_START + 3 * SECOND);
	struct op op = op_create("payment", "P1", NULL);
	op.kind = OP_UPDATE;
	op.set = OP_SET_PAUSED;
	op.paused = 1;
	const struct op *r = kit_op(k, op);
	assert_status(r, OP_CHANGED, "pending", 2);
	assert_int_equal(r->after->due_at, 0);
	assert_int_equal(r->after->next_poll_at, 0);
	/* A move while paused does not wake it. */
	r = kit_op(k, op_status("payment", "P1", "authorized"));
	assert_int_equal(r->after->due_at, 0);
	struct op expire = op_status("payment", "P1", NULL);
	expire.kind = OP_EXPIRE;
	kit_advance(k, 30 * DAY);
	assert_status(kit_op(k, expire), OP_UNCHANGED, "authorized", 3);
	op.paused = 0;
	r = kit_op(k, op);
	assert_status(r, OP_CHANGED, "authorized", 4);
	assert_true(r->after->due_at != 0);
	assert_true(r->after->next_poll_at >= KIT_START + 30 * DAY);
}

static void poll_now_needs_no_event(void **state)
{
	struct kit *k = *state;
	flows_find(&k->flows, STR_LIT("payment"))->is_polled = true;
	flows_find(&k->flows, STR_LIT("payment"))->tenant = STR_LIT("default");
	flows_find(&k->flows, STR_LIT("payment"))->cadence = (struct cadence){
	    .every = MINUTE, .first_after = MINUTE};
	kit_op(k, op_create("payment", "P1", NULL));
	struct op op = op_create("payment", "P1", NULL);
	op.kind = OP_UPDATE;
	op.set = OP_SET_POLL_NOW;
	assert_int_equal(kit_op(k, op)->after->due_at, KIT_START);
	op = op_create("payment", "P1", NULL);
	assert_int_equal(kit_op(k, op)->after->due_at, KIT_START); /* it was saved */
	assert_int_equal(engine_last_seq(k->engine), 1);
}

static void one_expires_when_its_deadline_has_passed_and_not_before(void **state)
{
	struct kit *k = *state;
	kit_op(k, op_create("payment", "P1", NULL));
	kit_op(k, op_create("payment", "P2", "authorized"));
	struct op op = op_status("payment", "P1", NULL);
	op.kind = OP_EXPIRE;
	kit_advance(k, 30 * MINUTE - 1);
	assert_status(kit_op(k, op), OP_UNCHANGED, "pending", 1);
	kit_advance(k, 1);
	const struct op *r = kit_op(k, op);
	assert_status(r, OP_CHANGED, "expired", 2);
	assert_int_equal(r->after->outcome, TXW_EXPIRED);
	assert_true(r->after->reason.len > 0);
	assert_status(kit_op(k, op), OP_UNCHANGED, "expired", 2);
	kit_advance(k, 8 * DAY);
	op.name.ref = STR_LIT("P2");
	r = kit_op(k, op);
	assert_status(r, OP_CHANGED, "failed", 2);
	kit_rest(k);
	assert_int_equal(kit_events(k, TXW_EV_EXPIRED), 2);
}

static void a_deadline_that_leads_nowhere_is_refused(void **state)
{
	struct kit *k = *state;
	struct op op = op_create("strict", "P1", NULL);
	op.expires_in = MINUTE;
	const struct op *r = kit_op(k, op);
	assert_int_equal(r->result, OP_INVALID);
	assert_non_null(strstr(r->why, "expires-to"));
	kit_op(k, op_create("strict", "P1", NULL));
	op.kind = OP_UPDATE;
	op.set = OP_SET_EXPIRES;
	op.expires_at = KIT_START + MINUTE;
	assert_int_equal(kit_op(k, op)->result, OP_INVALID);
	/* A discovered one is kept, without it. */
	op = op_create("strict", "P2", NULL);
	op.kind = OP_DISCOVER;
	op.expires_at = KIT_START + MINUTE;
	r = kit_op(k, op);
	assert_status(r, OP_CREATED, "a", 1);
	assert_int_equal(r->after->due_at, 0);
}

static void a_dry_run_says_what_would_be_and_writes_nothing(void **state)
{
	struct kit *k = *state;
	struct op op = op_create("payment", "P1", NULL);
	op.dry_run = 1;
	assert_status(kit_op(k, op), OP_CREATED, "pending", 1);
	assert_int_equal(kit_op(k, op_status("payment", "P1", "settled"))->result, OP_NOT_FOUND);
	op.dry_run = 0;
	kit_op(k, op);
	struct op change = op_status("payment", "P1", "settled");
	change.dry_run = 1;
	assert_status(kit_op(k, change), OP_CHANGED, "settled", 2);
	change.status = STR_LIT("refunded");
	assert_int_equal(kit_op(k, change)->result, OP_REFUSED);
	change.status = STR_LIT("pending");
	change.source_at = KIT_START;
	assert_status(kit_op(k, change), OP_UNCHANGED, "pending", 1);
	struct op update = op_create("payment", "P1", NULL);
	update.kind = OP_UPDATE;
	update.set = OP_SET_OWNER | OP_SET_POLL_NOW;
	update.owner = STR_LIT("bob");
	update.dry_run = 1;
	assert_status(kit_op(k, update), OP_CHANGED, "pending", 2);
	const struct op *r = kit_op(k, op_create("payment", "P1", NULL));
	assert_status(r, OP_UNCHANGED, "pending", 1);
	assert_int_equal(r->after->owner.len, 0);
	assert_int_equal(engine_last_seq(k->engine), 1);
}

static void a_version_that_is_not_the_expected_one_is_a_conflict(void **state)
{
	struct kit *k = *state;
	kit_op(k, op_create("payment", "P1", NULL));
	struct op op = op_status("payment", "P1", "authorized");
	op.if_version = 2;
	assert_status(kit_op(k, op), OP_CONFLICT, "pending", 1);
	op.if_version = 1;
	assert_status(kit_op(k, op), OP_CHANGED, "authorized", 2);
	op.status = STR_LIT("settled");
	assert_status(kit_op(k, op), OP_CONFLICT, "authorized", 2);
}

static void another_tenant_s_transaction_does_not_exist(void **state)
{
	struct kit *k = *state;
	txw_id id = kit_op(k, op_create("payment", "P1", NULL))->after->id;
	struct op op = op_status("payment", "P1", "settled");
	op.name = (txw_tx_name){.id = id, .tenant = STR_LIT("other")};
	assert_int_equal(kit_op(k, op)->result, OP_NOT_FOUND);
	op.name = (txw_tx_name){
	    .tenant = STR_LIT("other"), .flow = STR_LIT("payment"), .ref = STR_LIT("P1")};
	assert_int_equal(kit_op(k, op)->result, OP_NOT_FOUND);
	op.name = (txw_tx_name){.id = id, .tenant = STR_LIT("default")};
	assert_status(kit_op(k, op), OP_CHANGED, "settled", 2);
	/* The same ref of another tenant is another transaction. */
	struct op make = op_create("payment", "P1", NULL);
	make.name.tenant = STR_LIT("other");
	assert_status(kit_op(k, make), OP_CREATED, "pending", 1);
}

static void a_discovery_creates_moves_and_keeps_what_it_does_not_understand(void **state)
{
	struct kit *k = *state;
	struct op op = op_create("payment", "P1", "authorized");
	op.kind = OP_DISCOVER;
	assert_status(kit_op(k, op), OP_CREATED, "authorized", 1);
	assert_status(kit_op(k, op), OP_UNCHANGED, "authorized", 1);
	op.status = STR_LIT("settled");
	assert_status(kit_op(k, op), OP_CHANGED, "settled", 2);
	op.status = STR_NONE;
	assert_status(kit_op(k, op), OP_UNCHANGED, "settled", 2);
	op = op_create("payment", "P2", "WEIRD");
	op.kind = OP_DISCOVER;
	op.unknown_is_anomaly = 1;
	assert_status(kit_op(k, op), OP_CREATED, "pending", 2);
	assert_int_equal(kit_events(k, TXW_EV_ANOMALY), 1);
	assert_status(kit_op(k, op), OP_INVALID, "pending", 2); /* told before */
	assert_int_equal(kit_events(k, TXW_EV_ANOMALY), 1);
	op = op_create("payment", "P3", "WEIRD"); /* unknown = ignore */
	op.kind = OP_DISCOVER;
	assert_status(kit_op(k, op), OP_CREATED, "pending", 1);
	assert_int_equal(kit_events(k, TXW_EV_ANOMALY), 1);
}

static void a_batch_s_operations_have_results_of_their_own(void **state)
{
	struct kit *k = *state;
	struct op ops[] = {
	    op_create("payment", "P1", NULL),         op_create("payment", "P1", NULL),
	    op_status("payment", "P1", "authorized"), op_status("payment", "P2", "settled"),
	    op_status("payment", "P1", "pending"),    op_create("nothing", "P1", NULL),
	};
	static const enum op_result want[] = {OP_CREATED,   OP_UNCHANGED, OP_CHANGED,
					      OP_NOT_FOUND, OP_REFUSED,   OP_INVALID};
	struct batch *b = kit_batch(k, ops, COUNT(ops), false);
	assert_int_equal(b->job.rc, 0);
	for (size_t i = 0; i < COUNT(ops); i++)
		assert_int_equal(b->ops[i].result, want[i]);
}

static void an_atomic_batch_is_undone_as_a_whole_and_hurts_no_other(void **state)
{
	struct kit *k = *state;
	struct op bad[] = {op_create("payment", "B1", NULL), op_status("payment", "B1", "settled"),
			   op_status("payment", "nobody", "settled"),
			   op_create("payment", "B2", NULL)};
	struct op good[] = {op_create("payment", "G1", NULL)};
	/* All wait in one group. */
	struct batch *g1 = kit_submit(k, good, 1, true);
	struct batch *b = kit_submit(k, bad, 4, true);
	good[0].name.ref = STR_LIT("G2");
	struct batch *g2 = kit_submit(k, good, 1, false);
	kit_rest(k);
	assert_int_equal(b->job.rc, TXW_E_CANCELLED);
	assert_int_equal(b->ops[0].result, OP_UNDONE);
	assert_int_equal(b->ops[1].result, OP_UNDONE);
	assert_int_equal(b->ops[2].result, OP_NOT_FOUND);
	assert_int_equal(b->ops[3].result, OP_UNDONE);
	assert_null(b->ops[0].after);
	assert_int_equal(g1->job.rc, 0);
	assert_int_equal(g1->ops[0].result, OP_CREATED);
	assert_int_equal(g2->ops[0].result, OP_CREATED);
	assert_int_equal(engine_last_seq(k->engine), 2);
	assert_int_equal(kit_op(k, op_status("payment", "B1", "settled"))->result, OP_NOT_FOUND);
	bad[2] = op_status("payment", "B1", "settled"); /* unchanged is good */
	b = kit_batch(k, bad, 4, true);
	assert_int_equal(b->job.rc, 0);
}

static void many_operations_of_one_transaction_keep_its_versions_gapless(void **state)
{
	struct kit *k = *state;
	enum { N = 2000 };
	struct op *ops = xcalloc(N, sizeof(*ops));
	ops[0] = op_create("strict", "P1", NULL);
	for (int i = 1; i < N; i++)
		ops[i] = op_status("strict", "P1", i % 2 ? "b" : "a");
	struct batch *b = kit_batch(k, ops, N, true);
	assert_int_equal(b->job.rc, 0);
	assert_int_equal(b->ops[N - 1].after->version, N);
	kit_rest(k);
	assert_int_equal(k->n_seen, N);
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(k->seen[i].seq, i + 1);
		assert_int_equal(k->seen[i].version, i + 1);
	}
	free(ops);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(one_is_created_in_its_first_state_and_only_once),
	    T(one_may_be_created_in_any_state_of_its_flow),
	    T(creating_with_an_unknown_flow_or_state_says_what_is_near),
	    T(an_absolute_deadline_and_a_span_are_kept),
	    T(a_move_makes_the_event_of_its_outcome),
	    T(the_same_status_again_makes_no_event),
	    T(a_late_word_cannot_undo_a_newer_one),
	    T(what_was_asked_before_the_row_moved_is_stale_unless_its_source_tells),
	    T(a_list_that_was_asked_for_before_the_row_moved_is_stale),
	    T(versions_of_the_source_are_compared_as_numbers),
	    T(a_newer_version_does_not_take_the_source_s_time_back),
	    T(the_same_status_told_later_still_outdates_what_came_between),
	    T(a_forbidden_move_is_told_once_and_not_made),
	    T(a_strict_flow_refuses_in_silence),
	    T(a_lax_flow_moves_and_flags),
	    T(an_unknown_word_is_told_once_when_a_poller_says_it),
	    T(a_message_that_was_heard_is_not_heard_again),
	    T(an_update_changes_what_is_given_and_nothing_else),
	    T(a_paused_one_is_not_due_until_it_goes_on),
	    T(poll_now_needs_no_event),
	    T(one_expires_when_its_deadline_has_passed_and_not_before),
	    T(a_deadline_that_leads_nowhere_is_refused),
	    T(a_dry_run_says_what_would_be_and_writes_nothing),
	    T(a_version_that_is_not_the_expected_one_is_a_conflict),
	    T(another_tenant_s_transaction_does_not_exist),
	    T(a_discovery_creates_moves_and_keeps_what_it_does_not_understand),
	    T(a_batch_s_operations_have_results_of_their_own),
	    T(an_atomic_batch_is_undone_as_a_whole_and_hurts_no_other),
	    T(many_operations_of_one_transaction_keep_its_versions_gapless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
