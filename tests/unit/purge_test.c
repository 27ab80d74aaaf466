/* purge_test.c: a step of a purge, on the real store. */
#include "engine/purge.h"
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

struct purging {
	struct job job;
	txw_purge what;
	txw_purged out;
	bool routed; /* as if this were all that was routed */
	int64_t seq;
	bool is_done;
};

static int32_t apply(struct job *job, struct unit *u, struct err *e)
{
	struct purging *p = (struct purging *)job;
	if (p->routed)
		engine_note_routed(u->engine, p->seq);
	return purge_step(u, &p->what, &p->out, e);
}

static void done(struct job *job)
{
	((struct purging *)job)->is_done = true;
}

static txw_purged purge(struct kit *k, struct purging p)
{
	p.what.size = sizeof(p.what);
	p.what.limit = PURGE_STEP;
	p.what.finished_before = KIT_START + 1;
	p.job = (struct job){.apply = apply, .done = done};
	engine_submit_internal(k->engine, &p.job);
	while (!p.is_done)
		kit_turn(k);
	assert_int_equal(p.job.rc, 0);
	return p.out;
}

static void what_was_not_routed_yet_stays(void **state)
{
	struct kit *k = *state;
	kit_op(k, op_create("payment", "P1", "settled"));
	kit_op(k, op_create("payment", "P2", "settled"));
	kit_op(k, op_create("payment", "P3", NULL));
	kit_rest(k);
	txw_purged out = purge(k, (struct purging){.routed = true, .seq = 0});
	assert_int_equal(out.transactions, 0);
	out = purge(k, (struct purging){.routed = true, .seq = 1});
	assert_int_equal(out.transactions, 1);
	assert_int_equal(purged_to(k->engine, STR_LIT("default")), 1);
	out = purge(k, (struct purging){.routed = true, .seq = 3});
	assert_int_equal(out.transactions, 1);
	assert_int_equal(purged_to(k->engine, STR_LIT("default")), 2);
	assert_int_equal(purged_to(k->engine, STR_LIT("other")), 0);
}

static void the_place_up_to_which_the_log_lacks_events_is_durable(void **state)
{
	struct err e = {0};
	struct kit *k = *state;
	kit_op(k, op_create("payment", "P1", "settled"));
	kit_op(k, op_create("payment", "P2", NULL));
	kit_rest(k);
	assert_int_equal(purge(k, (struct purging){.routed = true, .seq = 2}).transactions, 1);
	kit_reopen(k, KIT_FLOWS);
	assert_int_equal(purged_to(k->engine, STR_LIT("default")), 0);
	assert_int_equal(purged_load(k->engine, k->readers, &e), 0);
	assert_int_equal(purged_to(k->engine, STR_LIT("default")), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(what_was_not_routed_yet_stays, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_place_up_to_which_the_log_lacks_events_is_durable,
					    setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
