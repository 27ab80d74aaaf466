/*
 * store_sqlite_fault_test.c: store.sqlite on a disk that fails: each call that
 * reaches it fails once, and from there on, in units, in pages, at the opening
 * and under the checkpointer. What is said, what is left, and that it goes on.
 */
#include "faulty_vfs.h"
#include "store_work.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int64_t ask(struct kit *k, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *st;
	assert_int_equal(SQLITE_OK, sqlite3_open(k->path, &db));
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		print_error("%s: %s\n", sql, sqlite3_errmsg(db));
	assert_int_equal(SQLITE_ROW, sqlite3_step(st));
	int64_t n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static void expect_sound(struct kit *k, const struct work *w)
{
	work_expect(k, w, ask);
	assert_int_equal(w->done ? w->done - 1 : 0, ask(k, "SELECT count(*) FROM purged"));
	assert_int_equal(1, ask(k, "SELECT count(*) FROM pragma_integrity_check"
				   " WHERE integrity_check = 'ok'"));
}

/* What a failing disk is called, with the file and what to do. */
static void expect_told(struct kit *k, int32_t rc)
{
	if (rc != TXW_E_IO && rc != TXW_E_FULL)
		print_error("%d: %s\n", rc, k->text);
	assert_true(rc == TXW_E_IO || rc == TXW_E_FULL);
	assert_non_null(strstr(k->text, k->path));
	assert_non_null(strchr(k->text, ';'));
	if (strstr(k->text, "please report it"))
		print_error("%s\n", k->text);
	assert_null(strstr(k->text, "please report it"));
}

struct way {
	bool lasting;
	enum faulty_write write;
};
static const struct way WAYS[] = {
    {false, FAULTY_EIO}, {true, FAULTY_EIO}, {false, FAULTY_FULL}, {true, FAULTY_FULL}};
#define N_WAYS (sizeof(WAYS) / sizeof(WAYS[0]))

/* Tries it with the first call failing, the second ... until none is left;
 * `after`, when the disk is well again. */
static unsigned sweep(struct kit *k, struct work *w, const struct way *way,
		      int32_t (*attempt)(struct kit *k, struct work *w),
		      void (*after)(struct kit *k, struct work *w))
{
	unsigned failed = 1, n = 0;
	while (failed) {
		faulty_arm(FAULTY_CALLER, ++n, way->lasting, way->write);
		int32_t rc = attempt(k, w);
		failed = faulty_disarm();
		assert_true(rc == TXW_OK || failed);
		if (rc != TXW_OK)
			expect_told(k, rc);
		if (after)
			after(k, w);
		work_expect(k, w, ask);
		assert_true(n < 2000);
	}
	return n - 1;
}

static void a_disk_that_fails_in_a_unit_undoes_that_unit_alone(void **state)
{
	struct kit *k = *state;
	struct work w;
	work_open(k, &w);
	for (size_t i = 0; i < N_WAYS; i++) {
		unsigned n = sweep(k, &w, &WAYS[i], work_try, NULL);
		assert_true(n > 10);
		assert_int_equal(TXW_OK, work_try(k, &w)); /* without being opened again */
		expect_sound(k, &w);
	}
	kit_reopen(k);
	expect_sound(k, &w);
}

/* A cache without anything: the file is read again. */
static int32_t in_a_cold_unit(struct kit *k, struct work *w)
{
	int32_t rc = kit_open(k);
	return rc == TXW_OK ? work_try(k, w) : rc;
}

static void close_it(struct kit *k, struct work *w)
{
	(void)w;
	kit_close(k);
}

static void a_disk_that_fails_at_the_opening_is_told_and_leaves_the_file_as_it_was(void **state)
{
	struct kit *k = *state;
	struct work w;
	work_open(k, &w);
	assert_int_equal(TXW_OK, work_try(k, &w));
	kit_close(k);
	for (size_t i = 0; i < N_WAYS; i++)
		assert_true(sweep(k, &w, &WAYS[i], in_a_cold_unit, close_it) > 40);
	assert_int_equal(TXW_OK, kit_open(k));
	expect_sound(k, &w);
}

static void a_disk_that_fails_while_the_file_is_made_leaves_one_that_opens(void **state)
{
	struct kit *k = *state;
	kit_close(k);
	for (size_t i = 0; i < N_WAYS; i++) {
		unsigned failed = 1, n = 0;
		while (failed) {
			struct work w;
			char wal[160];
			snprintf(wal, sizeof(wal), "%s-wal", k->path);
			unlink(wal);
			unlink(k->path);
			faulty_arm(FAULTY_CALLER, ++n, WAYS[i].lasting, WAYS[i].write);
			int32_t rc = kit_open(k);
			failed = faulty_disarm();
			assert_true(rc == TXW_OK || failed);
			if (rc == TXW_OK)
				kit_close(k);
			else
				expect_told(k, rc);
			assert_int_equal(TXW_OK, kit_open(k));
			work_open(k, &w);
			assert_int_equal(TXW_OK, work_try(k, &w));
			expect_sound(k, &w);
			kit_close(k);
			assert_true(n < 2000);
		}
		assert_true(n > 40);
	}
}

/* ---- readers ---- */

static int32_t one_facet(void *ctx, uint32_t field, txw_str value, int64_t count)
{
	(void)field;
	(void)value;
	*(int64_t *)ctx += count;
	return 0;
}

#define EMITS(n_rows, call)                     \
	do {                                    \
		bag_empty(k);                   \
		TRY(call);                      \
		assert_int_equal(n_rows, k->n); \
	} while (0)

/* Each kind of page; what is answered is all there is. */
static int32_t pages(struct kit *k, const struct work *w)
{
	const txw_store *v = k->v;
	static const uint32_t FIELDS[] = {TXW_FIELD_STATUS};
	const txw_order by_owner = {.field = TXW_FIELD_OWNER};
	txw_tx_query all = {.size = sizeof(all), .limit = 1000};
	txw_tx_query text = all, ordered = all;
	txw_event_query log = {.size = sizeof(log), .limit = 1000};
	txw_delivery_query out = {.size = sizeof(out), .limit = 1000, .state = TXW_ANY_STATE};
	int64_t n = 0, sum = 0;
	text.text = STR_LIT("ref-0");
	ordered.order = &by_owner;
	ordered.n_order = 1;
	EMITS(w->done + 1, v->list_tx(k->reader, &all, bag_tx, k, &k->err));
	EMITS(w->done + 1, v->list_tx(k->reader, &ordered, bag_tx, k, &k->err));
	EMITS(1, v->list_tx(k->reader, &text, bag_tx, k, &k->err));
	EMITS(1, v->history(k->reader, 2, 0, 9, bag_event, k, &k->err));
	EMITS(w->done + 1, v->list_events(k->reader, &log, bag_event, k, &k->err));
	EMITS(w->done, v->list_deliveries(k->reader, &out, 1, bag_delivery, k, &k->err));
	EMITS(1, v->list_targets(k->reader, bag_target, k, &k->err));
	EMITS(w->done,
	      v->list_docs(k->reader, STR_LIT("d"), STR_NONE, STR_NONE, 1000, bag_doc, k, &k->err));
	TRY(v->count_tx(k->reader, &all, 1000, &n, &k->err));
	assert_int_equal(w->done + 1, n);
	TRY(v->facet_tx(k->reader, &all, FIELDS, 1, 1000, one_facet, &sum, &k->err));
	assert_int_equal(w->done + 1, sum);
	return TXW_OK;
}

static int32_t in_cold_pages(struct kit *k, struct work *w)
{
	int32_t rc = kit_note(k, k->v->reader_open(k->self, &k->reader, &k->err));
	return rc == TXW_OK ? pages(k, w) : rc;
}

/* The same reader goes on. */
static void read_again(struct kit *k, struct work *w)
{
	if (k->reader) {
		assert_int_equal(TXW_OK, pages(k, w));
		k->v->reader_close(k->reader);
	}
	k->reader = NULL;
}

static void a_disk_that_fails_under_a_page_fails_that_page_alone(void **state)
{
	struct kit *k = *state;
	struct work w;
	work_open(k, &w);
	for (int i = 0; i < 30; i++)
		assert_int_equal(TXW_OK, work_try(k, &w));
	kit_reopen(k); /* what was in the WAL is in the file */
	k->v->reader_close(k->reader);
	k->reader = NULL;
	for (size_t i = 0; i < N_WAYS; i++)
		assert_true(sweep(k, &w, &WAYS[i], in_cold_pages, read_again) > 20);
	assert_int_equal(TXW_OK, k->v->reader_open(k->self, &k->reader, &k->err));
}

/* Words that the reader has not seen yet are read with the page. */
static int32_t in_pages_of_new_words(struct kit *k, struct work *w)
{
	txw_tx_query q = {.size = sizeof(q), .limit = 9, .tenant = w->target.name};
	txw_event_query log = {.size = sizeof(log), .limit = 9, .tenant = q.tenant};
	txw_tx_name name = {.size = sizeof(name), .key = w->target.key};
	EMITS(1, k->v->read_tx(k->reader, &name, bag_tx, k, &k->err));
	assert_true(str_eq(w->target.name, k->txs[0]->tenant));
	EMITS(1, k->v->list_tx(k->reader, &q, bag_tx, k, &k->err));
	assert_true(str_eq(w->target.name, k->txs[0]->tenant));
	EMITS(1, k->v->list_events(k->reader, &log, bag_event, k, &k->err));
	assert_true(str_eq(w->target.name, k->events[0]->tx->status));
	return TXW_OK;
}

static void a_row_whose_words_cannot_be_read_is_not_shown_without_them(void **state)
{
	struct kit *k = *state;
	for (size_t i = 0; i < N_WAYS; i++) {
		unsigned failed = 1, n = 0;
		while (failed) {
			struct work w = {0};
			txw_tx *tx = kit_tx(k, "A");
			w.target.name = tx->tenant = kit_printf(k, "new-%zu-%u", i, ++n);
			kit_commit_change(k, tx, tx->tenant.ptr);
			w.target.key = tx->key;
			faulty_arm(FAULTY_CALLER, n, WAYS[i].lasting, WAYS[i].write);
			int32_t rc = in_pages_of_new_words(k, &w);
			failed = faulty_disarm();
			assert_true(rc == TXW_OK || failed);
			if (rc != TXW_OK)
				expect_told(k, rc);
			assert_int_equal(TXW_OK, in_pages_of_new_words(k, &w));
			assert_true(n < 200);
		}
		assert_true(n > 2);
	}
}

static int64_t count_all(struct kit *k)
{
	txw_tx_query all = {.size = sizeof(all), .limit = 9};
	int64_t n;
	OK(k->v->count_tx(k->reader, &all, 1000, &n, &k->err));
	return n;
}

/* A page as the host makes it: in one state. */
static int32_t in_a_snapshot(struct kit *k)
{
	txw_tx_query all = {.size = sizeof(all), .limit = 9};
	int64_t n;
	int32_t rc = kit_note(k, k->v->snapshot(k->reader, 1, &k->err));
	if (rc < 0)
		return rc;
	bag_empty(k);
	rc = kit_note(k, k->v->list_tx(k->reader, &all, bag_tx, k, &k->err));
	if (rc == TXW_OK)
		rc = kit_note(k, k->v->count_tx(k->reader, &all, 1000, &n, &k->err));
	txw_error ignored = {.size = sizeof(ignored)};
	k->v->snapshot(k->reader, 0, &ignored);
	return rc;
}

static void a_snapshot_that_a_failing_disk_ended_is_none_and_the_next_is_one(void **state)
{
	struct kit *k = *state;
	kit_commit_change(k, kit_tx(k, "first"), "x");
	for (size_t i = 0; i < N_WAYS; i++) {
		unsigned failed = 1, n = 0;
		while (failed) {
			/* What another has written is not in the reader's cache. */
			kit_commit_change(k, kit_tx(k, kit_printf(k, "a-%zu-%u", i, ++n).ptr), "x");
			faulty_arm(FAULTY_CALLER, n, WAYS[i].lasting, WAYS[i].write);
			int32_t rc = in_a_snapshot(k);
			failed = faulty_disarm();
			assert_true(rc == TXW_OK || failed);
			if (rc != TXW_OK)
				expect_told(k, rc);
			OK(k->v->snapshot(k->reader, 1, &k->err));
			int64_t before = count_all(k);
			kit_commit_change(k, kit_tx(k, kit_printf(k, "b-%zu-%u", i, n).ptr), "x");
			assert_int_equal(before, count_all(k));
			OK(k->v->snapshot(k->reader, 0, &k->err));
			assert_int_equal(before + 1, count_all(k));
			assert_true(n < 200);
		}
		assert_true(n > 2);
	}
}

/* ---- the checkpointer ---- */

static void fill_wal(struct kit *k, int megabytes)
{
	char *big = xmalloc(1024 * 1024);
	txw_doc doc = {.size = sizeof(doc),
		       .kind = STR_LIT("big"),
		       .id = STR_LIT("1"),
		       .body = {big, 1024 * 1024}};
	for (int i = 0; i < megabytes; i++) {
		memset(big, 'a' + i % 26, 1024 * 1024); /* what is the same is not written */
		BEGIN();
		OK(k->v->put_doc(k->self, &doc, &k->err));
		COMMIT();
	}
	free(big);
}

static txw_store_stats stats(struct kit *k)
{
	txw_store_stats s = {.size = sizeof(s)};
	OK(k->v->stats(k->reader, &s, &k->err));
	return s;
}

static void a_file_that_cannot_take_the_wal_stops_no_unit_and_is_tried_again(void **state)
{
	struct kit *k = *state;
	struct work w;
	work_open(k, &w);
	faulty_arm(FAULTY_OTHERS, 1, true, FAULTY_FULL);
	fill_wal(k, 100);
	assert_int_equal(TXW_OK, work_try(k, &w));
	unsigned failed = faulty_disarm();
	assert_true(failed > 0);
	assert_true(failed < 100); /* it does not run in circles */
	assert_true(stats(k).wal_bytes > INT64_C(90) * 1024 * 1024);
	int64_t before = stats(k).checkpoints;
	fill_wal(k, 40);
	assert_true(stats(k).checkpoints > before);
	assert_true(stats(k).wal_bytes < INT64_C(96) * 1024 * 1024);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
	faulty_register();
	const struct CMUnitTest tests[] = {
	    CASE(a_disk_that_fails_in_a_unit_undoes_that_unit_alone),
	    CASE(a_disk_that_fails_at_the_opening_is_told_and_leaves_the_file_as_it_was),
	    CASE(a_disk_that_fails_while_the_file_is_made_leaves_one_that_opens),
	    CASE(a_disk_that_fails_under_a_page_fails_that_page_alone),
	    CASE(a_row_whose_words_cannot_be_read_is_not_shown_without_them),
	    CASE(a_snapshot_that_a_failing_disk_ended_is_none_and_the_next_is_one),
	    CASE(a_file_that_cannot_take_the_wal_stops_no_unit_and_is_tried_again),
	};
	return cmocka_run_group_tests_name("store.sqlite on a failing disk", tests, NULL, NULL);
}
