/* engine_test.c: groups, commits, answers; the store's trouble. */
#include "site_kit.h"

#include <stdatomic.h>

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

/* ---- a job of the test's own ---- */

struct probe {
	struct job job;
	struct kit *k;
	int32_t fails_with;
	_Atomic bool *gate; /* waits for it, if there is one */
	_Atomic bool begun; /* it waits */
	int n_applied;
	int n_hooked;
	int n_done;
	int order; /* of being done */
	txw_event ev;
};

static int n_done;

static void on_hook(void *ctx)
{
	((struct probe *)ctx)->n_hooked++;
}

static int32_t probe_apply(struct job *job, struct unit *u, struct err *e)
{
	struct probe *p = (struct probe *)job;
	atomic_store(&p->begun, true);
	while (p->gate && !atomic_load(p->gate))
		sched_yield();
	p->n_applied++;
	unit_on_commit(u, on_hook, p);
	p->ev = (txw_event){
	    .size = sizeof(p->ev), .type = TXW_EV_TEST, .at = u->now, .tenant = STR_LIT("default")};
	int32_t rc = unit_append(u, &p->ev, NULL, e);
	if (rc < 0)
		return rc;
	if (p->fails_with)
		return err_set(e, p->fails_with, "the probe fails");
	return 0;
}

static void probe_done(struct job *job)
{
	struct probe *p = (struct probe *)job;
	p->n_done++;
	p->order = n_done++;
}

static void probe_submit(struct kit *k, struct probe *p)
{
	p->k = k;
	p->job.apply = probe_apply;
	p->job.done = probe_done;
	assert_int_equal(engine_submit(k->engine, &p->job), TXW_PENDING);
}

/* Makes the engine wait, so that what follows becomes one group. */
static void hold_engine(struct kit *k, struct probe *p, _Atomic bool *gate)
{
	*p = (struct probe){.gate = gate};
	probe_submit(k, p);
}

static void many_jobs_share_a_commit_and_are_answered_in_order(void **state)
{
	struct kit *k = *state;
	enum { N = 500 };
	_Atomic bool gate = false;
	struct probe first, *p = xcalloc(N, sizeof(*p));
	n_done = 0;
	hold_engine(k, &first, &gate);
	for (int i = 0; i < N; i++)
		probe_submit(k, &p[i]);
	atomic_store(&gate, true);
	kit_rest(k);
	for (int i = 0; i < N; i++) {
		assert_int_equal(p[i].n_applied, 1);
		assert_int_equal(p[i].n_hooked, 1);
		assert_int_equal(p[i].n_done, 1);
		assert_int_equal(p[i].job.rc, 0);
		assert_int_equal(p[i].order, i + 1);
	}
	assert_int_equal(engine_last_seq(k->engine), N + 1);
	assert_int_equal(k->n_seen, N + 1);
	for (size_t i = 0; i < k->n_seen; i++)
		assert_int_equal(k->seen[i].seq, i + 1);
	free(p);
}

static void a_job_s_own_error_is_its_own(void **state)
{
	struct kit *k = *state;
	enum { N = 50 };
	_Atomic bool gate = false;
	struct probe first, p[N] = {0};
	n_done = 0;
	hold_engine(k, &first, &gate);
	for (int i = 0; i < N; i++) {
		p[i].fails_with = i % 10 == 3 ? TXW_E_INVALID : 0;
		probe_submit(k, &p[i]);
	}
	atomic_store(&gate, true);
	kit_rest(k);
	for (int i = 0; i < N; i++) {
		bool bad = i % 10 == 3;
		assert_int_equal(p[i].n_done, 1);
		assert_int_equal(p[i].job.rc, bad ? TXW_E_INVALID : 0);
		assert_int_equal(p[i].n_hooked, bad ? 0 : 1);
		/* However many fail, nobody is applied for each of them. */
		assert_in_range(p[i].n_applied, 1, 2);
		if (bad)
			assert_string_equal(p[i].job.err.text, "the probe fails");
	}
	assert_int_equal(engine_last_seq(k->engine), 1 + N - N / 10);
	assert_int_equal(k->n_seen, 1 + N - N / 10);
	assert_int_equal(kit_events(k, TXW_EV_TEST), 1 + N - N / 10);
	assert_int_equal(engine_health(k->engine, NULL), 0);
}

static void the_store_s_trouble_fails_the_group_and_passes(void **state)
{
	struct kit *k = *state;
	struct err e = {0};
	struct probe p[10] = {0};
	kit_op(k, op_create("payment", "P1", NULL));
	kit_fail_commits(TXW_E_FULL);
	for (size_t i = 0; i < COUNT(p); i++)
		probe_submit(k, &p[i]);
	kit_rest(k);
	for (size_t i = 0; i < COUNT(p); i++) {
		assert_int_equal(p[i].job.rc, TXW_E_FULL);
		assert_int_equal(p[i].n_hooked, 0);
		assert_non_null(strstr(p[i].job.err.text, "disk is full"));
	}
	assert_int_equal(engine_health(k->engine, &e), TXW_E_FULL);
	assert_non_null(strstr(e.text, "disk is full"));
	assert_int_equal(engine_last_seq(k->engine), 1);
	kit_fail_commits(0);
	assert_int_equal(kit_op(k, op_create("payment", "P2", NULL))->result, OP_CREATED);
	assert_int_equal(engine_health(k->engine, NULL), 0);
	assert_int_equal(engine_last_seq(k->engine), 2);
	assert_int_equal(kit_events(k, TXW_EV_TEST), 0);
	kit_rest(k);
	assert_int_equal(k->n_seen, 2);
}

static void a_full_queue_refuses_and_what_was_taken_is_done(void **state)
{
	struct kit *k = *state;
	_Atomic bool gate = false;
	struct probe first, heavy = {0}, late = {0}, forced = {0};
	hold_engine(k, &first, &gate);
	while (!atomic_load(&first.begun)) /* so that the queue is empty */
		sched_yield();
	heavy.job.item.weight = ENGINE_QUEUE_LIMIT;
	late.job.item.weight = ENGINE_QUEUE_LIMIT;
	late.job.apply = probe_apply;
	late.job.done = probe_done;
	forced = late;
	probe_submit(k, &heavy);
	assert_int_equal(engine_submit(k->engine, &late.job), TXW_E_BUSY);
	assert_true(late.job.err.text[0] != '\0');
	engine_submit_internal(k->engine, &forced.job);
	atomic_store(&gate, true);
	kit_rest(k);
	assert_int_equal(heavy.n_done, 1);
	assert_int_equal(forced.n_done, 1);
	assert_int_equal(late.n_done, 0);
}

static void what_was_submitted_before_the_stop_is_committed(void **state)
{
	struct kit *k = *state;
	_Atomic bool gate = false;
	struct probe first, p[20] = {0};
	hold_engine(k, &first, &gate);
	for (size_t i = 0; i < COUNT(p); i++)
		probe_submit(k, &p[i]);
	atomic_store(&gate, true);
	engine_stop(k->engine);
	struct probe late = {0};
	late.job.apply = probe_apply;
	late.job.done = probe_done;
	engine_submit_internal(k->engine, &late.job);
	uv_run(loop_uv(k->loop), UV_RUN_NOWAIT);
	for (size_t i = 0; i < COUNT(p); i++) {
		assert_int_equal(p[i].n_done, 1);
		assert_int_equal(p[i].job.rc, 0);
	}
	assert_int_equal(late.n_done, 1);
	assert_int_equal(late.job.rc, TXW_E_CANCELLED);
	assert_int_equal(engine_last_seq(k->engine), COUNT(p) + 1);
}

static void seq_goes_on_after_a_restart(void **state)
{
	struct kit *k = *state;
	for (int i = 0; i < 5; i++) {
		char ref[16];
		snprintf(ref, sizeof(ref), "P%d", i);
		kit_op(k, op_create("payment", ref, NULL));
		kit_reopen(k, KIT_FLOWS);
		assert_int_equal(engine_last_seq(k->engine), i + 1);
		assert_int_equal(kit_op(k, op_create("payment", ref, NULL))->result, OP_UNCHANGED);
	}
	assert_int_equal(kit_events(k, TXW_EV_CREATED), 5);
}

/* ---- submitting from many threads ---- */

enum { THREADS = 4, EACH = 300 };

static void *submit_many(void *arg)
{
	struct probe *p = arg;
	for (int i = 0; i < EACH; i++)
		engine_submit_internal(p[i].k->engine, &p[i].job);
	return NULL;
}

static void jobs_of_many_threads_are_all_done_once(void **state)
{
	struct kit *k = *state;
	pthread_t t[THREADS];
	struct probe *p = xcalloc(THREADS * EACH, sizeof(*p));
	for (int i = 0; i < THREADS * EACH; i++) {
		p[i].k = k;
		p[i].job.apply = probe_apply;
		p[i].job.done = probe_done;
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, submit_many, p + i * EACH), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	kit_rest(k);
	for (int i = 0; i < THREADS * EACH; i++)
		assert_int_equal(p[i].n_done, 1);
	assert_int_equal(k->n_seen, THREADS * EACH);
	for (size_t i = 0; i < k->n_seen; i++)
		assert_int_equal(k->seen[i].seq, i + 1);
	free(p);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(many_jobs_share_a_commit_and_are_answered_in_order),
	    T(a_job_s_own_error_is_its_own),
	    T(the_store_s_trouble_fails_the_group_and_passes),
	    T(a_full_queue_refuses_and_what_was_taken_is_done),
	    T(what_was_submitted_before_the_stop_is_committed),
	    T(seq_goes_on_after_a_restart),
	    T(jobs_of_many_threads_are_all_done_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
