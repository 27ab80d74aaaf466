/* Jobs: steps, ends, what a restart goes on with. */
#include "site_kit.h"

#include "jobs/jobs.h"

/* A kind that counts to `params.to` in its cursor, one a step. */
struct counting {
	int n_opened, n_closed, n_steps;
	int32_t opens_with;
	int32_t fails_with; /* its step, at 3 */
};

static int32_t count_open(struct work *w, struct err *e)
{
	struct counting *c = w->ctx;
	c->n_opened++;
	return c->opens_with ? err_set(e, c->opens_with, "it does not open") : 0;
}

static int32_t count_read(struct work *w, const txw_store *store, void *reader, struct err *e)
{
	(void)e;
	w->weight = 1;
	return store->ping(reader, NULL);
}

static int32_t count_step(struct work *w, struct unit *u, struct err *e)
{
	struct counting *c = w->ctx;
	json_int_t at = json_integer_value(json_object_get(w->next_cursor, "at")) + 1;
	(void)u;
	c->n_steps++;
	if (at == 3 && c->fails_with)
		return err_set(e, c->fails_with, "three is too many");
	json_object_set_new(w->next_cursor, "at", json_integer(at));
	json_object_set_new(w->next_progress, "done", json_integer(at));
	return at < json_integer_value(json_object_get(w->params, "to")) ? WORK_MORE : WORK_OVER;
}

static void count_close(struct work *w)
{
	((struct counting *)w->ctx)->n_closed++;
}

static const struct work_kind COUNTING = {
    .name = "count",
    .open = count_open,
    .read = count_read,
    .step = count_step,
    .close = count_close,
};

struct world {
	struct kit k;
	struct jobs *jobs;
	struct counting c;
	char id[ID_TEXT_MAX]; /* of the last one begun */
	int32_t rc;
};

static void begin_jobs(struct world *w)
{
	struct err e = {0};
	w->jobs = jobs_open(w->k.loop);
	jobs_add_kind(w->jobs, &COUNTING, &w->c);
	assert_int_equal(jobs_start(w->jobs, w->k.engine, w->k.readers, &e), 0);
}

static void end_jobs(struct world *w)
{
	jobs_drain(w->jobs);
	kit_rest(&w->k);
	jobs_close(w->jobs);
}

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	kit_open(&w->k, KIT_FLOWS);
	begin_jobs(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	end_jobs(w);
	kit_close(&w->k);
	free(w);
	return 0;
}

static void begun(struct work_request *r)
{
	struct world *w = r->ctx;
	w->rc = r->job.rc;
	memcpy(w->id, r->id, sizeof(w->id));
	work_request_free(r);
}

static int32_t begin_for(struct world *w, const char *tenant, int64_t to)
{
	struct work_request *r = xcalloc(1, sizeof(*r));
	r->jobs = w->jobs;
	r->kind = jobs_kind(w->jobs, STR_LIT("count"));
	r->tenant = str_of(arena_printf(&r->arena, "%s", tenant));
	r->actor = STR_LIT("token:t");
	r->params = json_pack("{s:I}", "to", (json_int_t)to);
	r->done = begun;
	r->ctx = w;
	int32_t rc = work_submit(r);
	if (rc < 0)
		work_request_free(r);
	return rc;
}

static void begin(struct world *w, int64_t to)
{
	assert_int_equal(begin_for(w, "default", to), TXW_PENDING);
}

struct look {
	const char *id;
	struct buf text;
};

static int32_t on_doc(void *ctx, const txw_doc *doc)
{
	struct look *l = ctx;
	if (str_is(doc->id, l->id))
		assert_true(work_render(&l->text, doc->id, doc->body));
	return 0;
}

/* The job as the API shows it, now. */
static json_t *shown(struct world *w)
{
	struct look l = {.id = w->id};
	struct err e = {0};
	assert_true(READ_CALL(readers_store(w->k.readers), &e, list_docs,
			      readers_mine(w->k.readers), WORK_DOC, STR_NONE, STR_NONE, 1000,
			      on_doc, &l) >= 0);
	json_t *job = json_loadb(l.text.ptr, l.text.len, 0, NULL);
	assert_non_null(job);
	buf_free(&l.text);
	return job;
}

static void expect(struct world *w, const char *state, int64_t done)
{
	json_t *job = shown(w);
	assert_string_equal(json_string_value(json_object_get(job, "state")), state);
	assert_int_equal(
	    json_integer_value(json_object_get(json_object_get(job, "progress"), "done")), done);
	json_decref(job);
}

static void a_job_goes_in_steps_to_its_end(void **state)
{
	struct world *w = *state;
	begin(w, 10);
	kit_rest(&w->k);
	assert_int_equal(w->rc, 0);
	expect(w, "done", 10);
	assert_int_equal(w->c.n_steps, 10);
	assert_int_equal(w->c.n_opened, 1);
	assert_int_equal(w->c.n_closed, 1);
}

static void a_step_that_fails_by_itself_ends_the_job(void **state)
{
	struct world *w = *state;
	w->c.fails_with = TXW_E_INVALID;
	begin(w, 10);
	kit_rest(&w->k);
	expect(w, "failed", 2);
	json_t *job = shown(w);
	assert_string_equal(json_string_value(json_object_get(job, "why")), "three is too many");
	json_decref(job);
	assert_int_equal(w->c.n_closed, 1);
}

static void what_cannot_be_opened_fails(void **state)
{
	struct world *w = *state;
	w->c.opens_with = TXW_E_INVALID;
	begin(w, 10);
	kit_rest(&w->k);
	expect(w, "failed", 0);
	assert_int_equal(w->c.n_steps, 0);
}

static void the_store_s_trouble_is_waited_out(void **state)
{
	struct world *w = *state;
	w->c.fails_with = TXW_E_IO;
	begin(w, 5);
	kit_rest(&w->k);
	expect(w, "running", 2);
	kit_advance(&w->k, 3 * SECOND);
	expect(w, "running", 2);
	w->c.fails_with = 0;
	kit_advance(&w->k, 2 * SECOND);
	expect(w, "done", 5);
}

static void a_restart_goes_on_where_the_last_commit_was(void **state)
{
	struct world *w = *state;
	w->c.fails_with = TXW_E_IO; /* stops at 2 */
	begin(w, 6);
	kit_rest(&w->k);
	end_jobs(w);
	w->c = (struct counting){0};
	kit_reopen(&w->k, KIT_FLOWS);
	begin_jobs(w);
	kit_rest(&w->k);
	expect(w, "done", 6);
	assert_int_equal(w->c.n_steps, 4);
	assert_int_equal(w->c.n_opened, 1);
}

static void note(void *ctx)
{
	(*(int *)ctx)++;
}

static void a_cancelled_job_tells_who_waits_and_only_once(void **state)
{
	struct world *w = *state;
	int told = 0;
	w->c.fails_with = TXW_E_IO;
	begin(w, 10);
	kit_rest(&w->k);
	assert_int_equal(work_cancel(w->jobs, STR_LIT("other"), str_of(w->id), note, &told),
			 TXW_E_NOTFOUND);
	assert_int_equal(work_cancel(w->jobs, STR_LIT("default"), str_of(w->id), note, &told),
			 TXW_PENDING);
	kit_rest(&w->k);
	assert_int_equal(told, 1);
	expect(w, "cancelled", 2);
	assert_int_equal(work_cancel(w->jobs, STR_LIT("default"), str_of(w->id), note, &told),
			 TXW_E_NOTFOUND);
}

static void of_a_tenant_one_runs_and_sixteen_wait(void **state)
{
	struct world *w = *state;
	w->c.fails_with = TXW_E_IO; /* each stops at 2 */
	for (int i = 0; i < JOBS_OPEN; i++) {
		begin(w, 10);
		kit_rest(&w->k);
	}
	assert_int_equal(w->c.n_opened, 1);
	assert_int_equal(begin_for(w, "default", 1), TXW_E_BUSY);
	assert_int_equal(begin_for(w, "other", 1), TXW_PENDING);
	kit_rest(&w->k);
	assert_int_equal(w->c.n_opened, 2);
	w->c.fails_with = 0;
	kit_advance(&w->k, 2 * SECOND);
	assert_int_equal(w->c.n_opened, JOBS_OPEN + 1);
	assert_int_equal(w->c.n_closed, JOBS_OPEN + 1);
}

static void a_finished_job_goes_after_its_time(void **state)
{
	struct world *w = *state;
	struct look l = {0};
	struct err e = {0};
	begin(w, 1);
	kit_rest(&w->k);
	expect(w, "done", 1);
	kit_advance(&w->k, JOBS_KEPT + 2 * HOUR);
	l.id = w->id;
	assert_true(READ_CALL(readers_store(w->k.readers), &e, list_docs,
			      readers_mine(w->k.readers), WORK_DOC, STR_NONE, STR_NONE, 1000,
			      on_doc, &l) >= 0);
	assert_int_equal(l.text.len, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_job_goes_in_steps_to_its_end),
	    T(a_step_that_fails_by_itself_ends_the_job),
	    T(what_cannot_be_opened_fails),
	    T(the_store_s_trouble_is_waited_out),
	    T(a_restart_goes_on_where_the_last_commit_was),
	    T(a_cancelled_job_tells_who_waits_and_only_once),
	    T(of_a_tenant_one_runs_and_sixteen_wait),
	    T(a_finished_job_goes_after_its_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
