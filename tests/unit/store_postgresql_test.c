/*
 * store_postgresql_test.c: what is store.postgresql's alone: several hosts on
 * one database, connections that break at any statement, the log's partitions,
 * hints.
 */
#include "store_work.h"

#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "pg_proxy.h"

/* One number, over a connection of its own. */
static int64_t ask(struct kit *k, const char *sql)
{
	char text[1024];
	PGconn *conn = PQconnectdb(k->path);
	snprintf(text, sizeof(text), "SET search_path = %s; %s", k->dir, sql);
	PGresult *r = PQexec(conn, text);
	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		print_error("%s: %s", sql, PQerrorMessage(conn));
	assert_int_equal(PGRES_TUPLES_OK, PQresultStatus(r));
	int64_t n = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
	PQclear(r);
	PQfinish(conn);
	return n;
}

static void expect_words(struct kit *k, const char *a)
{
	if (!strstr(k->text, a))
		print_error("the error says: %s\n", k->text);
	assert_non_null(strstr(k->text, a));
}

/* Another host on k's database. */
static struct kit *second_open(struct kit *k)
{
	struct kit *other = xcalloc(1, sizeof(*other));
	other->store = k->store;
	other->role = k->role;
	other->v = k->v;
	other->n_ids = 1000000;
	memcpy(other->dir, k->dir, sizeof(k->dir));
	memcpy(other->path, k->path, sizeof(k->path));
	kit_check(other, kit_open(other), "a second host", __FILE__, __LINE__);
	return other;
}

static void second_close(struct kit *k)
{
	kit_close(k);
	arena_free(&k->arena);
	free(k);
}

/* ---- several hosts ---- */

#define UNITS 40

struct writer {
	struct kit *k;
	_Atomic int *polls; /* of the tail */
	bool is_slow;
	_Atomic bool is_done;
};

/* The slow one holds its unit open while the tail looks some more times. */
static void *write_units(void *arg)
{
	struct writer *w = arg;
	struct kit *k = w->k;
	for (int i = 0; i < UNITS; i++) {
		int64_t last;
		txw_tx *tx = kit_tx(k, kit_printf(k, "%s-%d", w->is_slow ? "slow" : "fast", i).ptr);
		BEGIN();
		OK(k->v->sequence(k->self, &last, &k->err));
		kit_change(k, tx, "pending");
		kit_change(k, tx, "settled");
		int until = atomic_load(w->polls) + 3;
		while (w->is_slow && atomic_load(w->polls) < until)
			sched_yield();
		COMMIT();
	}
	atomic_store(&w->is_done, true);
	return NULL;
}

static void a_tail_misses_nothing_of_two_writers_one_of_them_slow(void **state)
{
	struct kit *k = *state;
	_Atomic int polls = 0;
	struct writer writers[2] = {{second_open(k), &polls, true, false},
				    {second_open(k), &polls, false, false}};
	pthread_t threads[2];
	int64_t seen = 0;
	writers[1].k->n_ids = 2000000;
	for (int i = 0; i < 2; i++)
		assert_int_equal(0, pthread_create(&threads[i], NULL, write_units, &writers[i]));
	while (seen < 2 * 2 * UNITS) {
		bool done = atomic_load(&writers[0].is_done) && atomic_load(&writers[1].is_done);
		txw_event_query q = {.size = sizeof(q), .limit = 1000, .after = seen};
		bag_empty(k);
		OK(k->v->list_events(k->reader, &q, bag_event, k, &k->err));
		for (size_t i = 0; i < k->n; i++)
			assert_int_equal(++seen, k->events[i]->seq);
		atomic_fetch_add(&polls, 1);
		assert_false(done && k->n == 0 && seen < 2 * 2 * UNITS);
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		second_close(writers[i].k);
	}
}

/* In an open unit: so many changes, each to be delivered now. */
static void deliver_changes(struct kit *k, txw_tx *tx, int64_t target, int n)
{
	for (int i = 0; i < n; i++) {
		txw_delivery_row row = {.size = sizeof(row),
					.target = target,
					.seq = kit_change(k, tx, "x")->seq,
					.tx = tx->key,
					.tenant = STR_LIT("t"),
					.due_at = KIT_NOW,
					.created_at = KIT_NOW};
		txw_delivery_row *at = &row;
		OK(k->v->put_deliveries(k->self, &at, 1, &k->err));
	}
}

static void a_claim_passes_over_what_another_host_claims(void **state)
{
	struct kit *k = *state;
	struct kit *other = second_open(k);
	txw_target target = {.size = sizeof(target), .tenant = STR_LIT("t"), .name = STR_LIT("a")};
	txw_tx *tx = kit_tx(k, "A");
	BEGIN();
	OK(k->v->put_target(k->self, &target, &k->err));
	deliver_changes(k, tx, target.key, 2);
	COMMIT();
	BEGIN();
	bag_empty(k);
	OK(k->v->claim(k->self, target.key, KIT_NOW, KIT_NOW + SEC, 1, bag_delivery, k, &k->err));
	assert_int_equal(1, k->n);
	COMMIT();
	OK(other->v->begin(other->self, &other->err));
	OK(other->v->claim(other->self, target.key, KIT_NOW, KIT_NOW + SEC, 9, bag_delivery, other,
			   &other->err));
	assert_int_equal(1, other->n);
	assert_true(other->deliveries[0].key != k->deliveries[0].key);
	OK(other->v->commit(other->self, &other->err));
	second_close(other);
}

#define ROUNDS 150

struct mixer {
	struct kit *k;
	int64_t target;
	txw_id id;
	bool is_backwards;
};

/* What the engine does in one unit, in an order of the host's own. */
static void mix(struct mixer *m, int what, int i)
{
	struct kit *k = m->k;
	const txw_tx *have = NULL;
	txw_tx_name name = {.size = sizeof(name), .id = m->id};
	txw_doc doc = {
	    .size = sizeof(doc), .kind = STR_LIT("d"), .id = STR_LIT("x"), .body = STR_LIT("{}")};
	switch (what) {
	case 0:
		OK(k->v->claim(k->self, m->target, KIT_NOW, KIT_NOW, 9, bag_delivery, k, &k->err));
		break;
	case 1:
		OK(k->v->put_doc(k->self, &doc, &k->err));
		break;
	case 2:
		OK(k->v->load(k->self, &name, sizeof(name), 1, &have, &k->err));
		txw_tx *copy = arena_alloc(&k->arena, sizeof(*copy));
		*copy = *have;
		kit_change(k, copy, "x");
		break;
	case 3:
		OK(k->v->move(k->self, m->target, i & 1 ? TXW_DLV_PARKED : TXW_DLV_PENDING,
			      i & 1 ? TXW_DLV_PENDING : TXW_DLV_PARKED, KIT_NOW, 9, &k->err));
		break;
	default:
		OK(k->v->put_mark(k->self, STR_LIT("m"), i, &k->err));
		break;
	}
}

static void *write_mixed(void *arg)
{
	struct mixer *m = arg;
	struct kit *k = m->k;
	for (int i = 0; i < ROUNDS; i++) {
		BEGIN();
		bag_empty(k);
		for (int n = 0; n < 5; n++)
			mix(m, m->is_backwards ? 4 - n : n, i);
		COMMIT();
	}
	return NULL;
}

static void hosts_that_lock_in_whatever_order_never_wait_for_each_other(void **state)
{
	struct kit *k = *state;
	txw_target target = {.size = sizeof(target), .tenant = STR_LIT("t"), .name = STR_LIT("a")};
	txw_tx *tx = kit_tx(k, "A");
	pthread_t threads[2];
	BEGIN();
	OK(k->v->put_target(k->self, &target, &k->err));
	deliver_changes(k, tx, target.key, 9);
	COMMIT();
	struct mixer mixers[2] = {{second_open(k), target.key, tx->id, false},
				  {second_open(k), target.key, tx->id, true}};
	for (int i = 0; i < 2; i++)
		assert_int_equal(0, pthread_create(&threads[i], NULL, write_mixed, &mixers[i]));
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		second_close(mixers[i].k);
	}
	assert_int_equal(9 + 2 * ROUNDS, ask(k, "SELECT last_seq FROM head"));
}

static void a_host_that_waits_too_long_for_another_is_told_to_try_again(void **state)
{
	struct kit *k = *state;
	int64_t last;
	k->busy = SEC / 5;
	struct kit *other = second_open(k);
	kit_close(other);
	other->busy = SEC / 5;
	kit_check(other, kit_open(other), "the second host", __FILE__, __LINE__);
	BEGIN();
	OK(k->v->sequence(k->self, &last, &k->err));
	OK(other->v->begin(other->self, &other->err));
	assert_int_equal(TXW_E_BUSY, other->v->sequence(other->self, &last, &other->err));
	other->v->rollback(other->self);
	COMMIT();
	OK(other->v->begin(other->self, &other->err));
	OK(other->v->sequence(other->self, &last, &other->err));
	OK(other->v->commit(other->self, &other->err));
	second_close(other);
}

struct hints {
	int fd;
};

static void on_hint(void *ctx)
{
	uint64_t one = 1;
	struct hints *h = ctx;
	if (write(h->fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
		abort();
}

static bool hinted(struct hints *h, int ms)
{
	struct pollfd fd = {.fd = h->fd, .events = POLLIN};
	uint64_t n;
	return poll(&fd, 1, ms) == 1 && read(h->fd, &n, sizeof(n)) == (ssize_t)sizeof(n);
}

static void a_commit_of_another_host_is_hinted_and_ones_own_is_not(void **state)
{
	struct kit *k = *state;
	struct kit *other = second_open(k);
	struct hints h = {.fd = eventfd(0, EFD_CLOEXEC)};
	OK(k->v->listen(k->self, on_hint, &h, &k->err));
	/* The listener connects by itself: until it does, hints are lost. */
	bool came = false;
	for (int i = 0; i < 100 && !came; i++) {
		kit_commit_change(other, kit_tx(other, kit_printf(other, "o%d", i).ptr), "x");
		came = hinted(&h, 100);
	}
	assert_true(came);
	while (hinted(&h, 100))
		;
	kit_commit_change(k, kit_tx(k, "own"), "x");
	assert_false(hinted(&h, 200));
	OK(k->v->listen(k->self, NULL, NULL, &k->err));
	kit_commit_change(other, kit_tx(other, "late"), "x");
	assert_false(hinted(&h, 100));
	close(h.fd);
	second_close(other);
}

/* ---- connections that break ---- */

/* A kit whose store reaches the server through a proxy. */
struct broken {
	struct pg_proxy *proxy;
	struct work work;
};

static void break_open(struct kit *k, struct broken *b)
{
	b->proxy = pg_proxy_start(k->path);
	k->conninfo = pg_proxy_conninfo(b->proxy);
	kit_reopen(k);
	work_open(k, &b->work);
}

static void break_close(struct kit *k, struct broken *b)
{
	kit_close(k);
	k->conninfo = NULL;
	pg_proxy_stop(b->proxy);
}

/* Is there what the acknowledged units wrote, and nothing else? */
static void expect_units(struct kit *k, const struct broken *b)
{
	work_expect(k, &b->work, ask);
	int64_t n = b->work.done;
	assert_int_equal(2 * n, ask(k, "SELECT last_seq FROM head"));
	assert_int_equal(n ? n - 1 : 0, ask(k, "SELECT count(*) FROM digest"));
	assert_int_equal(ask(k, "SELECT count(*) FROM event"),
			 ask(k, "SELECT count(*) FROM message"));
}

/* One try; whether it was acknowledged. */
static bool try_unit(struct kit *k, struct broken *b)
{
	int32_t rc = work_try(k, &b->work);
	if (rc != TXW_OK && rc != TXW_E_IO)
		print_error("%d: %s\n", rc, k->text);
	assert_true(rc == TXW_OK || rc == TXW_E_IO);
	return rc == TXW_OK;
}

static void a_cut_at_any_statement_loses_nothing_and_doubles_nothing(void **state)
{
	struct kit *k = *state;
	struct broken b;
	unsigned cuts = 0, undone = 0, kept = 0;
	break_open(k, &b);
	for (int how = PG_CUT_BEFORE; how <= PG_CUT_WITHIN; how++) {
		bool cut = true;
		for (unsigned n = 1; cut; n++) {
			pg_proxy_arm(b.proxy, n, (enum pg_cut)how);
			bool ok = try_unit(k, &b);
			cut = pg_proxy_has_cut(b.proxy);
			pg_proxy_arm(b.proxy, 0, PG_CUT_BEFORE);
			assert_true(ok || cut);
			cuts += cut;
			undone += !ok;
			kept += ok && cut;
			expect_units(k, &b);
			assert_true(n < 500);
		}
	}
	print_message("%u cuts: %u units undone, %u found committed\n", cuts, undone, kept);
	assert_true(cuts > 40 && undone > 20 && kept > 0);
	break_close(k, &b);
}

static void a_reader_asks_again_when_its_connection_is_cut(void **state)
{
	struct kit *k = *state;
	struct broken b;
	break_open(k, &b);
	for (int i = 0; i < 3; i++)
		assert_true(try_unit(k, &b));
	for (int how = PG_CUT_BEFORE; how <= PG_CUT_WITHIN; how++) {
		bool cut = true;
		for (unsigned n = 1; cut; n++) {
			pg_proxy_arm(b.proxy, n, (enum pg_cut)how);
			txw_event_query q = {.size = sizeof(q), .limit = 9};
			txw_tx_query all = {.size = sizeof(all), .limit = 9};
			bag_empty(k);
			OK(k->v->list_events(k->reader, &q, bag_event, k, &k->err));
			assert_int_equal(4, k->n);
			bag_empty(k);
			OK(k->v->list_tx(k->reader, &all, bag_tx, k, &k->err));
			assert_int_equal(4, k->n);
			cut = pg_proxy_has_cut(b.proxy);
		}
	}
	/* ... but not when it held a snapshot: that is gone. */
	OK(k->v->snapshot(k->reader, 1, &k->err));
	pg_proxy_arm(b.proxy, 1, PG_CUT_BEFORE);
	txw_tx_query all = {.size = sizeof(all), .limit = 9};
	REFUSED(TXW_E_IO, k->v->list_tx(k->reader, &all, bag_tx, k, &k->err));
	REFUSED(TXW_E_IO, k->v->list_tx(k->reader, &all, bag_tx, k, &k->err));
	expect_words(k, "snapshot");
	k->v->snapshot(k->reader, 0, &k->err);
	bag_empty(k);
	OK(k->v->list_tx(k->reader, &all, bag_tx, k, &k->err));
	assert_int_equal(4, k->n);
	break_close(k, &b);
}

static void what_takes_too_long_to_read_is_given_up_and_the_reader_goes_on(void **state)
{
	struct kit *k = *state;
	kit_commit_change(k, kit_tx(k, "A"), "x");
	k->read_timeout = SEC / 20;
	kit_reopen(k);
	char sql[128];
	txw_tx_query all = {.size = sizeof(all), .limit = 9};
	PGconn *conn = PQconnectdb(k->path);
	snprintf(sql, sizeof(sql), "BEGIN; LOCK TABLE %s.tx IN ACCESS EXCLUSIVE MODE", k->dir);
	PGresult *r = PQexec(conn, sql);
	assert_int_equal(PGRES_COMMAND_OK, PQresultStatus(r));
	PQclear(r);
	bag_empty(k);
	REFUSED(TXW_E_TIMEOUT, k->v->list_tx(k->reader, &all, bag_tx, k, &k->err));
	expect_words(k, "narrow the search");
	assert_int_equal(0, k->n);
	PQfinish(conn);
	while (k->v->list_tx(k->reader, &all, bag_tx, k, &k->err) == TXW_E_TIMEOUT)
		;
	assert_int_equal(1, k->n);
}

static void a_server_that_is_away_is_told_and_found_again(void **state)
{
	struct kit *k = *state;
	struct broken b;
	break_open(k, &b);
	assert_true(try_unit(k, &b));
	pg_proxy_set_down(b.proxy, true);
	pg_proxy_arm(b.proxy, 1, PG_CUT_BEFORE);
	assert_false(try_unit(k, &b));
	assert_false(try_unit(k, &b));
	expect_words(k, "connect");
	pg_proxy_arm(b.proxy, 1, PG_CUT_BEFORE);
	REFUSED(TXW_E_IO, k->v->ping(k->reader, &k->err));
	pg_proxy_set_down(b.proxy, false);
	assert_true(try_unit(k, &b));
	OK(k->v->ping(k->reader, &k->err));
	assert_int_equal(2, b.work.done);
	expect_units(k, &b);
	break_close(k, &b);
}

static void a_commit_whose_end_stays_unknown_is_cleared_up_when_the_server_is_back(void **state)
{
	struct kit *k = *state;
	struct broken b;
	int64_t last;
	break_open(k, &b);
	k->commit_timeout = 1;
	kit_reopen(k);
	BEGIN();
	OK(work_unit(k, &b.work));
	pg_proxy_set_down(b.proxy, true);
	pg_proxy_arm(b.proxy, 1, PG_CUT_AFTER);
	REFUSED(TXW_E_IO, k->v->commit(k->self, &k->err));
	expect_words(k, "whether it succeeded");
	ROLLBACK();
	REFUSED(TXW_E_IO, k->v->begin(k->self, &k->err));
	pg_proxy_set_down(b.proxy, false);
	BEGIN();
	OK(k->v->sequence(k->self, &last, &k->err));
	COMMIT();
	assert_true(last == 0 || last == 2); /* as the server had it */
	b.work.done = last / 2;
	expect_units(k, &b);
	assert_true(try_unit(k, &b));
	expect_units(k, &b);
	k->commit_timeout = 0;
	break_close(k, &b);
}

/* ---- the log ---- */

static void the_log_has_a_partition_for_each_month_and_the_next_one(void **state)
{
	struct kit *k = *state;
	static const int64_t DAYS[] = {0, 1, 31, 400, 31};
	const int64_t day = 86400 * SEC;
	txw_tx *tx = kit_tx(k, "A");
	for (size_t i = 0; i < 5; i++) {
		tx->updated_at = KIT_NOW + DAYS[i] * day;
		kit_commit_change(k, tx, "x");
		if (i == 2)
			kit_reopen(k);
	}
	/* September 2026, October, and what comes after; October and November
	 * 2027. */
	assert_int_equal(5, ask(k, "SELECT count(*) FROM log_partition"));
	assert_int_equal(5, ask(k, "SELECT count(*) FROM pg_inherits"
				   " WHERE inhparent = 'event'::regclass"));
	assert_int_equal(2, ask(k, "SELECT count(*) FROM event_2026_09"));
	assert_int_equal(2, ask(k, "SELECT count(*) FROM event_2026_10"));
	assert_int_equal(0, ask(k, "SELECT count(*) FROM event_2026_11"));
	assert_int_equal(1, ask(k, "SELECT count(*) FROM event_2027_10"));
	txw_event_query q = {.size = sizeof(q), .limit = 10};
	bag_empty(k);
	OK(k->v->list_events(k->reader, &q, bag_event, k, &k->err));
	assert_int_equal(5, k->n);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal((int64_t)i + 1, k->events[i]->seq);
	bag_empty(k);
	OK(k->v->history(k->reader, tx->key, 0, 10, bag_event, k, &k->err));
	assert_int_equal(5, k->n);
}

static void a_message_is_known_in_whatever_month_it_came(void **state)
{
	struct kit *k = *state;
	txw_tx *tx = kit_tx(k, "A");
	kit_commit_change(k, tx, "x");
	for (int i = 0; i < 2; i++) {
		tx->updated_at = KIT_NOW + i * 40 * 86400 * SEC;
		BEGIN();
		assert_int_equal(i, OK(k->v->seen(k->self, tx->key, STR_LIT("m"), &k->err)));
		txw_event *ev = kit_event(k, tx, "x");
		ev->source_event_id = STR_LIT("m");
		if (i == 0) {
			OK(k->v->append(k->self, &ev, 1, &k->err));
			COMMIT();
		} else {
			REFUSED(TXW_E_EXISTS, k->v->append(k->self, &ev, 1, &k->err));
			ROLLBACK();
		}
	}
}

static void a_partition_of_an_undone_unit_is_made_again(void **state)
{
	struct kit *k = *state;
	txw_tx *tx = kit_tx(k, "A");
	txw_tx before = *tx;
	BEGIN();
	kit_change(k, tx, "x");
	ROLLBACK();
	*tx = before;
	kit_commit_change(k, tx, "x");
	assert_int_equal(2, ask(k, "SELECT count(*) FROM log_partition"));
}

static int64_t months(struct kit *k)
{
	int64_t n = ask(k, "SELECT count(*) FROM log_partition");
	assert_int_equal(n, ask(k, "SELECT count(*) FROM pg_inherits"
				   " WHERE inhparent = 'event'::regclass"));
	return n;
}

static void purge_before(struct kit *k, txw_time at)
{
	txw_purge what = {.size = sizeof(what), .limit = 10, .finished_before = at};
	txw_purged out = {.size = sizeof(out)};
	BEGIN();
	OK(k->v->purge(k->self, &what, &out, &k->err));
	COMMIT();
}

static void a_month_of_which_nothing_is_left_goes_with_the_purge(void **state)
{
	struct kit *k = *state;
	const int64_t day = 86400 * SEC;
	txw_tx *old = kit_tx(k, "old"), *tx = kit_tx(k, "new");
	struct kit *other = second_open(k);
	old->held = 0;
	old->outcome = TXW_SUCCESS;
	old->finished_at = KIT_NOW;
	kit_commit_change(k, old, "settled");
	tx->updated_at = KIT_NOW + 70 * day;
	kit_commit_change(k, tx, "x");
	/* September's and October's, November's and December's. */
	assert_int_equal(4, months(k));
	/* One who reads the log is not waited for, and does not wait. */
	OK(other->v->snapshot(other->reader, 1, &other->err));
	purge_before(k, KIT_NOW + day);
	assert_int_equal(4, months(k));
	OK(other->v->snapshot(other->reader, 0, &other->err));
	BEGIN();
	txw_purge what = {.size = sizeof(what), .limit = 10, .finished_before = KIT_NOW + day};
	txw_purged out = {.size = sizeof(out)};
	OK(k->v->purge(k->self, &what, &out, &k->err));
	ROLLBACK();
	assert_int_equal(4, months(k));
	purge_before(k, KIT_NOW + day);
	assert_int_equal(3, months(k));
	purge_before(k, KIT_NOW + day);
	assert_int_equal(2, months(k));
	purge_before(k, KIT_NOW + day);
	assert_int_equal(2, months(k));
	/* Both hosts read and write on, and a month may come again. */
	for (int i = 0; i < 2; i++) {
		struct kit *at = i ? k : other;
		txw_event_query q = {.size = sizeof(q), .limit = 10};
		bag_empty(at);
		OK(at->v->list_events(at->reader, &q, bag_event, at, &at->err));
		assert_int_equal(1 + (size_t)i, at->n);
		txw_tx *more = kit_tx(at, i ? "k" : "other");
		more->updated_at = KIT_NOW + 70 * day;
		kit_commit_change(at, more, "x");
	}
	tx->updated_at = KIT_NOW;
	kit_commit_change(k, tx, "y");
	assert_int_equal(4, months(k));
	second_close(other);
}

/* ---- what the server cannot keep, or should not ---- */

static void a_text_that_is_no_utf8_is_kept_readable(void **state)
{
	struct kit *k = *state;
	txw_tx *tx = kit_tx(k, "A");
	tx->reason = (txw_str){"a\xff\0b\xc3\xa4\xe2\x82", 8};
	kit_commit_change(k, tx, "x");
	txw_tx_name name = {.size = sizeof(name), .key = tx->key};
	bag_empty(k);
	OK(k->v->read_tx(k->reader, &name, bag_tx, k, &k->err));
	assert_str(k->txs[0]->reason, "a\xef\xbf\xbd\xef\xbf\xbd"
				      "b\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd");
}

static void a_schema_of_a_newer_txwatch_is_refused(void **state)
{
	struct kit *k = *state;
	char sql[128];
	kit_close(k);
	snprintf(sql, sizeof(sql), "UPDATE %s.meta SET value = 1000 WHERE name = 'schema'", k->dir);
	assert_true(kit_postgresql_exec(k, sql));
	assert_int_equal(TXW_E_VERSION, kit_open(k));
	expect_words(k, "newer");
}

static void *open_host(void *arg)
{
	return (void *)(intptr_t)kit_open(arg);
}

static void two_hosts_may_make_the_schema_at_once(void **state)
{
	struct kit *k = *state;
	char sql[128];
	kit_close(k);
	snprintf(sql, sizeof(sql), "SET client_min_messages = warning; DROP SCHEMA %s CASCADE",
		 k->dir);
	assert_true(kit_postgresql_exec(k, sql));
	struct kit *hosts[4];
	for (int i = 0; i < 4; i++) {
		hosts[i] = xcalloc(1, sizeof(*hosts[i]));
		*hosts[i] = *k;
		hosts[i]->arena = (struct arena){0};
	}
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		assert_int_equal(0, pthread_create(&threads[i], NULL, open_host, hosts[i]));
	for (int i = 0; i < 4; i++) {
		void *rc;
		pthread_join(threads[i], &rc);
		if ((int32_t)(intptr_t)rc != TXW_OK)
			print_error("%s\n", hosts[i]->text);
		assert_int_equal(TXW_OK, (int32_t)(intptr_t)rc);
	}
	for (int i = 0; i < 4; i++)
		second_close(hosts[i]);
}

static void a_server_that_is_not_there_is_told_with_its_place(void **state)
{
	struct kit *k = *state;
	kit_close(k);
	k->conninfo = "host=127.0.0.1 port=1 dbname=nothing";
	assert_int_equal(TXW_E_IO, kit_open(k));
	expect_words(k, "127.0.0.1");
	k->conninfo = NULL;
}

static void what_the_server_refuses_is_said_with_what_to_do(void **state)
{
	static const struct {
		const char *with; /* to the conninfo */
		const char *says;
		const char *advises;
	} CASES[] = {
	    {"user=txw_nobody", "does not exist", "check `user`"},
	    {"user=txw_nologin", "not permitted to log in", "LOGIN"},
	    {"user=txw_limited", "too many connections", "max_connections"},
	    {"dbname=txw_nowhere", "does not exist", "check `dbname`"},
	    {"sslmode=require", "SSL", "check `sslmode`"},
	    {"user=txw_poor", "permission denied", "ALTER SCHEMA"},
	    {"options='-c default_transaction_read_only=on'", "read-only", "point `host` at"},
	};
	struct kit *k = *state;
	char conninfo[512], sql[1024];
	kit_close(k);
	snprintf(sql, sizeof(sql),
		 "DROP ROLE IF EXISTS txw_nologin; DROP ROLE IF EXISTS txw_limited;"
		 "DROP ROLE IF EXISTS txw_poor; CREATE ROLE txw_nologin;"
		 "CREATE ROLE txw_limited LOGIN CONNECTION LIMIT 0; CREATE ROLE txw_poor LOGIN");
	assert_true(kit_postgresql_exec(k, sql));
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		snprintf(conninfo, sizeof(conninfo), "%s %s", k->path, CASES[i].with);
		k->conninfo = conninfo;
		/* Trouble that may pass: a host that runs tries again. */
		int32_t rc = kit_note(k, kit_open(k));
		expect_words(k, CASES[i].says);
		assert_int_equal(TXW_E_IO, rc);
		expect_words(k, CASES[i].advises);
		expect_words(k, "postgresql");
	}
	k->conninfo = NULL;
	assert_true(kit_postgresql_exec(k, "DROP ROLE txw_nologin, txw_limited, txw_poor"));
}

static void a_database_of_the_first_schema_is_migrated(void **state)
{
	struct kit *k = *state;
	char sql[512];
	kit_commit_change(k, kit_tx(k, "A"), "x");
	kit_close(k);
	snprintf(
	    sql, sizeof(sql),
	    "SET search_path = %s; DROP INDEX tx_page, tx_flow, tx_open, tx_status, tx_finished;"
	    "ALTER TABLE tx DROP COLUMN done_status;"
	    "CREATE INDEX tx_finished ON tx (finished_at, key) WHERE finished_at IS NOT NULL;"
	    "UPDATE meta SET value = 1 WHERE name = 'schema'",
	    k->dir);
	assert_true(kit_postgresql_exec(k, sql));
	OK(kit_open(k));
	assert_int_equal(2, ask(k, "SELECT value FROM meta WHERE name = 'schema'"));
	assert_int_equal(5, ask(k, "SELECT count(*) FROM pg_indexes WHERE schemaname ="
				   " current_schema() AND indexname IN ('tx_page', 'tx_flow',"
				   " 'tx_open', 'tx_status', 'tx_finished')"));
	assert_int_equal(1, ask(k, "SELECT count(*) FROM tx"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(what_takes_too_long_to_read_is_given_up_and_the_reader_goes_on),
	    CASE(what_the_server_refuses_is_said_with_what_to_do),
	    CASE(a_database_of_the_first_schema_is_migrated),
	    CASE(a_tail_misses_nothing_of_two_writers_one_of_them_slow),
	    CASE(a_claim_passes_over_what_another_host_claims),
	    CASE(hosts_that_lock_in_whatever_order_never_wait_for_each_other),
	    CASE(a_host_that_waits_too_long_for_another_is_told_to_try_again),
	    CASE(a_commit_of_another_host_is_hinted_and_ones_own_is_not),
	    CASE(a_cut_at_any_statement_loses_nothing_and_doubles_nothing),
	    CASE(a_reader_asks_again_when_its_connection_is_cut),
	    CASE(a_server_that_is_away_is_told_and_found_again),
	    CASE(a_commit_whose_end_stays_unknown_is_cleared_up_when_the_server_is_back),
	    CASE(the_log_has_a_partition_for_each_month_and_the_next_one),
	    CASE(a_message_is_known_in_whatever_month_it_came),
	    CASE(a_partition_of_an_undone_unit_is_made_again),
	    CASE(a_month_of_which_nothing_is_left_goes_with_the_purge),
	    CASE(a_text_that_is_no_utf8_is_kept_readable),
	    CASE(a_schema_of_a_newer_txwatch_is_refused),
	    CASE(two_hosts_may_make_the_schema_at_once),
	    CASE(a_server_that_is_not_there_is_told_with_its_place),
	};
	return cmocka_run_group_tests_name("store.postgresql", tests, NULL, NULL);
}
