/* audit_test.c: acts and their rows, on a small site. */
#include "site_kit.h"

#include "engine/audit.h"

struct rows {
	size_t n;
	char body[4][256];
	txw_time at[4];
	txw_time expires[4];
};

static int32_t on_row(void *ctx, const txw_doc *doc)
{
	struct rows *r = ctx;
	assert_true(r->n < 4);
	snprintf(r->body[r->n], sizeof(r->body[0]), "%.*s", STR_ARG(doc->body));
	r->at[r->n] = doc->created_at;
	r->expires[r->n++] = doc->expires_at;
	return 0;
}

static struct rows rows_of(struct kit *k, const char *tenant)
{
	struct rows r = {0};
	struct err e = {0};
	int32_t rc = READ_CALL(readers_store(k->readers), &e, scan_docs, readers_mine(k->readers),
			       AUDIT_KIND, str_of(tenant), STR_NONE, 0, 10, on_row, &r);
	assert_int_equal(rc, 0);
	return r;
}

static const struct audit ACT = {.tenant = {"acme", 4},
				 .actor = {"token:boss", 10},
				 .action = "token.revoke",
				 .object = {"tok_1", 5}};

/* Two rows and then, if asked, an error of the job's own. */
struct acts {
	struct job job;
	bool fails;
	bool is_done;
};

static int32_t acts_apply(struct job *job, struct unit *u, struct err *e)
{
	int32_t rc = audit_add(u, &ACT, e);
	if (rc >= 0)
		rc = audit_add(u, &ACT, e);
	if (rc >= 0 && ((struct acts *)job)->fails)
		rc = err_set(e, TXW_E_INVALID, "played");
	return rc;
}

static void acts_done(struct job *job)
{
	((struct acts *)job)->is_done = true;
}

static void run(struct kit *k, struct acts *a)
{
	a->job.item.weight = 1;
	a->job.apply = acts_apply;
	a->job.done = acts_done;
	assert_true(engine_submit(k->engine, &a->job) >= 0);
	while (!a->is_done)
		kit_turn(k);
}

static void a_row_is_written_with_its_act_and_kept_as_long_as_the_site_says(void **state)
{
	(void)state;
	struct kit k;
	struct acts a = {.fails = false};
	kit_open(&k, KIT_FLOWS);
	engine_keep_audit(k.engine, 30 * DAY);
	run(&k, &a);
	assert_int_equal(a.job.rc, 0);
	struct rows r = rows_of(&k, "acme");
	assert_int_equal(r.n, 2);
	assert_string_equal(
	    r.body[0],
	    "{\"actor\":\"token:boss\",\"action\":\"token.revoke\",\"object\":\"tok_1\"}");
	assert_int_equal(r.expires[0], r.at[0] + 30 * DAY);
	assert_int_equal(rows_of(&k, "other").n, 0);
	kit_close(&k);
}

static void an_act_that_failed_leaves_no_row(void **state)
{
	(void)state;
	struct kit k;
	struct acts a = {.fails = true};
	kit_open(&k, KIT_FLOWS);
	run(&k, &a);
	assert_int_equal(a.job.rc, TXW_E_INVALID);
	assert_int_equal(rows_of(&k, "acme").n, 0);
	kit_close(&k);
}

static void an_act_without_a_job_gets_one_for_its_row(void **state)
{
	(void)state;
	struct kit k;
	kit_open(&k, KIT_FLOWS);
	audit_reload(k.engine, STR_LIT("signal:HUP"), TXW_E_INVALID);
	kit_rest(&k);
	struct rows r = rows_of(&k, "default");
	assert_int_equal(r.n, 1);
	assert_string_equal(r.body[0], "{\"actor\":\"signal:HUP\",\"action\":\"reload\","
				       "\"detail\":{\"result\":\"refused\"}}");
	kit_close(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_row_is_written_with_its_act_and_kept_as_long_as_the_site_says),
	    cmocka_unit_test(an_act_that_failed_leaves_no_row),
	    cmocka_unit_test(an_act_without_a_job_gets_one_for_its_row),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
