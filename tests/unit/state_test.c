/*
 * state_test.c: what instances keep. The engine and the store are played by
 * this file: jobs are collected, run and answered by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "engine/engine.h"
#include "plugin/ext.h"

/* ---- the engine ---- */

static struct job *waiting[1024];
static size_t n_waiting;

void engine_submit_internal(struct engine *g, struct job *job)
{
	(void)g;
	waiting[n_waiting++] = job;
}

/* ---- the store: one doc a line ---- */

static struct buf written;
static int32_t store_answer;

static int32_t put_doc(void *self, const txw_doc *doc, txw_error *err)
{
	(void)self;
	(void)err;
	if (store_answer < 0)
		return store_answer;
	assert_true(str_is(doc->kind, "state"));
	assert_int_equal(doc->tenant.len, 0);
	buf_printf(&written, "%.*s=%.*s\n", STR_ARG(doc->id), STR_ARG(doc->body));
	return 0;
}

static int32_t delete_doc(void *self, txw_str kind, txw_str tenant, txw_str id, txw_error *err)
{
	(void)self;
	(void)kind;
	(void)tenant;
	(void)err;
	buf_printf(&written, "%.*s gone\n", STR_ARG(id));
	return TXW_E_NOTFOUND;
}

static const txw_store STORE = {.put_doc = put_doc, .delete_doc = delete_doc};

/* Applies and answers what waits. */
static void run_jobs(void)
{
	struct unit u = {.store = &STORE};
	size_t n = n_waiting;

	n_waiting = 0;
	for (size_t i = 0; i < n; i++)
		waiting[i]->rc = waiting[i]->apply(waiting[i], &u, &waiting[i]->err);
	arena_free(&u.arena);
	for (size_t i = 0; i < n; i++)
		waiting[i]->done(waiting[i]);
}

static void expect_written(const char *text)
{
	buf_char(&written, '\0');
	assert_string_equal(written.ptr, text);
	buf_free(&written);
	memset(&written, 0, sizeof(written));
}

/* ---- an instance ---- */

struct world {
	struct clock clock;
	struct services services;
	struct txw_instance in;
};

static void set_up(struct world *w)
{
	memset(w, 0, sizeof(*w));
	n_waiting = 0;
	store_answer = 0;
	clock_virtual(&w->clock, SECOND);
	w->services.loop = loop_open(&w->clock);
	w->services.engine = (struct engine *)w;
	w->in.name = "bank";
	w->in.services = &w->services;
	state_open(&w->services);
}

static void tear_down(struct world *w)
{
	state_close(w->services.state);
	loop_close(w->services.loop);
}

static int32_t put(struct world *w, const char *key, const char *value)
{
	return STATE_EXT.put(&w->in, str_of(key), str_of(value));
}

static void must_be(struct world *w, const char *key, const char *value)
{
	char text[64] = {0};
	int64_t n = STATE_EXT.get(&w->in, str_of(key), text, sizeof(text) - 1);

	if (!value) {
		assert_int_equal(n, TXW_E_NOTFOUND);
		return;
	}
	assert_int_equal(n, strlen(value));
	assert_string_equal(text, value);
}

static void a_value_is_seen_at_once_and_written_as_a_json_string(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	must_be(&w, "cursor", NULL);
	assert_int_equal(put(&w, "cursor", "a \"b\""), TXW_OK);
	must_be(&w, "cursor", "a \"b\"");
	run_jobs();
	expect_written("bank/cursor=\"a \\\"b\\\"\"\n");
	tear_down(&w);
}

static void get_cuts_and_tells_the_whole_length(void **state)
{
	char two[2];
	struct world w;

	(void)state;
	set_up(&w);
	put(&w, "k", "12345");
	assert_int_equal(STATE_EXT.get(&w.in, STR_LIT("k"), two, 2), 5);
	assert_memory_equal(two, "12", 2);
	tear_down(&w);
}

static void many_puts_of_a_key_wait_as_one_job(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	put(&w, "k", "1");
	put(&w, "k", "2");
	put(&w, "k", "3");
	assert_int_equal(n_waiting, 1);
	run_jobs();
	expect_written("bank/k=\"3\"\n");
	put(&w, "k", "3"); /* nothing new */
	assert_int_equal(n_waiting, 0);
	tear_down(&w);
}

static void a_put_during_the_commit_is_written_after_it(void **state)
{
	struct unit u = {.store = &STORE};
	struct world w;

	(void)state;
	set_up(&w);
	put(&w, "k", "1");
	struct job *first = waiting[0];
	n_waiting = 0;
	first->rc = first->apply(first, &u, &first->err);
	put(&w, "k", "2"); /* between apply and done */
	assert_int_equal(n_waiting, 1);
	first->done(first);
	run_jobs();
	expect_written("bank/k=\"1\"\nbank/k=\"2\"\n");
	arena_free(&u.arena);
	tear_down(&w);
}

static void an_empty_value_removes_the_key(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	put(&w, "k", "1");
	run_jobs();
	put(&w, "k", "");
	must_be(&w, "k", NULL);
	run_jobs();
	expect_written("bank/k=\"1\"\nbank/k gone\n");
	put(&w, "never", "");
	assert_int_equal(n_waiting, 0);
	tear_down(&w);
}

static void a_put_before_the_engine_waits_for_it(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	struct engine *engine = w.services.engine;
	w.services.engine = NULL;
	put(&w, "k", "early");
	assert_int_equal(n_waiting, 0);
	w.services.engine = engine;
	/* What was put is newer than what is loaded. */
	state_load(w.services.state, STR_LIT("bank"), STR_LIT("k"), STR_LIT("old"));
	must_be(&w, "k", "early");
	state_flush(w.services.state);
	run_jobs();
	expect_written("bank/k=\"early\"\n");
	tear_down(&w);
}

static void what_was_stored_is_loaded(void **state)
{
	txw_doc doc = {.size = sizeof(doc),
		       .kind = STR_LIT("state"),
		       .id = STR_LIT("bank/page/next"),
		       .body = STR_LIT("\"caf\\u00e9\"")};
	struct err e;
	struct world w;

	(void)state;
	set_up(&w);
	assert_int_equal(state_load_doc(w.services.state, &doc, &e), 0);
	must_be(&w, "page/next", "café");
	w.in.name = "another";
	must_be(&w, "page/next", NULL);
	doc.body = STR_LIT("{}");
	assert_int_equal(state_load_doc(w.services.state, &doc, &e), TXW_E_CORRUPT);
	assert_string_equal(e.text, "the stored state `bank/page/next` is not a JSON string");
	doc.id = STR_LIT("noslash");
	assert_int_equal(state_load_doc(w.services.state, &doc, &e), TXW_E_CORRUPT);
	tear_down(&w);
}

static void a_failed_commit_is_tried_again_later(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	put(&w, "k", "1");
	store_answer = TXW_E_FULL;
	run_jobs();
	assert_int_equal(n_waiting, 0); /* not at once */
	must_be(&w, "k", "1");
	store_answer = 0;
	state_flush(w.services.state); /* as the timer does */
	run_jobs();
	expect_written("bank/k=\"1\"\n");
	tear_down(&w);
}

static void limits_hold(void **state)
{
	static char big[65537];
	char key[80];
	struct world w;

	(void)state;
	set_up(&w);
	memset(big, 'x', sizeof(big));
	assert_int_equal(STATE_EXT.put(&w.in, STR_LIT("k"), (txw_str){big, 65537}), TXW_E_FULL);
	assert_int_equal(STATE_EXT.put(&w.in, STR_LIT("k"), (txw_str){big, 65536}), TXW_OK);
	assert_int_equal(STATE_EXT.put(&w.in, (txw_str){big, 65}, STR_LIT("v")), TXW_E_FULL);
	assert_int_equal(put(&w, "", "v"), TXW_E_INVALID);
	assert_int_equal(put(&w, "k", "\xff"), TXW_E_INVALID);
	for (int i = 1; i < 256; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(put(&w, key, "v"), TXW_OK);
	}
	assert_int_equal(put(&w, "one-more", "v"), TXW_E_FULL);
	assert_int_equal(put(&w, "k", "a change is fine"), TXW_OK);
	put(&w, "k", "");
	assert_int_equal(put(&w, "one-more", "v"), TXW_OK);
	tear_down(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_value_is_seen_at_once_and_written_as_a_json_string),
	    cmocka_unit_test(get_cuts_and_tells_the_whole_length),
	    cmocka_unit_test(many_puts_of_a_key_wait_as_one_job),
	    cmocka_unit_test(a_put_during_the_commit_is_written_after_it),
	    cmocka_unit_test(an_empty_value_removes_the_key),
	    cmocka_unit_test(a_put_before_the_engine_waits_for_it),
	    cmocka_unit_test(what_was_stored_is_loaded),
	    cmocka_unit_test(a_failed_commit_is_tried_again_later),
	    cmocka_unit_test(limits_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
