/*
 * log.c: the event log: append only, numbered without gaps, in partitions by
 * time.
 *
 * The one row of `head` holds the newest seq. A unit locks it before its first
 * load of a transaction, so of all hosts one at a time decides, and keeps it
 * until its commit: a reader that has seen seq n finds no smaller one later.
 *
 * A partition holds a calendar month of `at`. The unit that appends first to
 * a month makes it, and the next month's too; a purge that comes to its end drops
 * one of which nothing is left. That ids of messages are unique
 * in a transaction a partitioned table cannot keep; the table `message` does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store.h"

/* ---- the section ---- */

static void take_head(struct store *s, const PGresult *r)
{
	s->last_seq = PQntuples(r) ? column_int(r, 0, 0) : 0;
	s->last_at = PQntuples(r) ? column_int(r, 0, 1) : 0;
	s->unit_seq = s->last_seq;
}

int32_t log_enter(struct store *s, txw_error *err)
{
	PGresult *r[2] = {NULL, NULL};
	int32_t rc = unit_ready(s, err);
	if (rc < 0 || s->has_section)
		return rc;
	bool more = keys_are_few(&s->tx_keys);
	if ((rc = db_send_plain(&s->db, SQL_HEAD_LOCK, err)) < 0)
		return unit_fail(s, rc);
	if (more) {
		args_int(db_args(&s->db), KEYS_BLOCK);
		if ((rc = db_send(&s->db, SQL_TX_KEYS, err)) < 0)
			return unit_fail(s, rc);
	}
	if ((rc = db_sync(&s->db, r, more ? 2 : 1, err)) < 0)
		return unit_fail(s, rc);
	take_head(s, r[0]);
	if (more)
		keys_fill(&s->tx_keys, r[1]);
	PQclear(r[0]);
	PQclear(r[1]);
	s->has_section = true;
	return TXW_OK;
}

int32_t log_sequence(void *instance, int64_t *last_seq, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = log_enter(s, err);
	*last_seq = s->last_seq;
	return rc;
}

int32_t log_read_head(struct store *s, txw_error *err)
{
	PGresult *r;
	db_args(&s->db);
	int32_t rc = db_ask(&s->db, SQL_HEAD_READ, &r, err);
	if (rc < 0)
		return rc;
	take_head(s, r);
	PQclear(r);
	s->committed_seq = s->last_seq;
	s->committed_at = s->last_at;
	return TXW_OK;
}

/* ---- partitions ---- */

static bool span_add(struct store *s, struct span span)
{
	if (s->n_spans == s->cap_spans) {
		size_t cap = s->cap_spans ? s->cap_spans * 2 : 32;
		struct span *grown = realloc(s->spans, cap * sizeof(*grown));
		if (!grown)
			return false;
		s->spans = grown;
		s->cap_spans = cap;
	}
	s->spans[s->n_spans++] = span;
	return true;
}

int32_t log_read_partitions(struct store *s, txw_error *err)
{
	PGresult *r;
	db_args(&s->db);
	int32_t rc = db_ask(&s->db, SQL_PARTITION_LIST, &r, err);
	if (rc < 0)
		return rc;
	s->n_spans = 0;
	for (int i = 0; i < PQntuples(r) && rc == TXW_OK; i++)
		if (!span_add(s, (struct span){column_int(r, i, 0), column_int(r, i, 1)}))
			rc = db_say(&s->db, TXW_E_NOMEM, err, "no memory for partitions");
	PQclear(r);
	return rc;
}

static bool is_kept(const struct store *s, txw_time at)
{
	for (size_t i = s->n_spans; i-- > 0;)
		if (at >= s->spans[i].from_at && at < s->spans[i].to_at)
			return true;
	return false;
}

/* The calendar month, UTC, that holds `at`. */
static struct span month_of(txw_time at, char *name, size_t cap)
{
	time_t t = (time_t)(at / 1000000 - (at % 1000000 < 0));
	struct tm tm;
	gmtime_r(&t, &tm);
	struct tm from = {.tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = 1};
	struct tm to = {.tm_year = tm.tm_year, .tm_mon = tm.tm_mon + 1, .tm_mday = 1};
	snprintf(name, cap, "event_%d_%02d", tm.tm_year + 1900, tm.tm_mon + 1);
	return (struct span){timegm(&from) * INT64_C(1000000), timegm(&to) * INT64_C(1000000)};
}

/* Attaching a table of its own waits for no reader, as making it a partition
 * from the start would. */
static int32_t make_partition(struct store *s, const char *name, struct span span, txw_error *err)
{
	struct text t = {.at = NULL};
	text_print(&t, "CREATE TABLE %s (LIKE event INCLUDING ALL)", name);
	db_args(&s->db);
	int32_t rc = db_send_text(&s->db, t.failed ? NULL : t.at, err);
	t.len = 0;
	text_print(&t, "ALTER TABLE event ATTACH PARTITION %s FOR VALUES FROM (%lld) TO (%lld)",
		   name, (long long)span.from_at, (long long)span.to_at);
	if (rc == TXW_OK)
		rc = db_send_text(&s->db, t.failed ? NULL : t.at, err);
	text_free(&t);
	if (rc < 0)
		return unit_fail(s, rc);
	struct args *a = db_args(&s->db);
	args_key(a, (txw_str){name, strlen(name)});
	args_int(a, span.from_at);
	args_int(a, span.to_at);
	if ((rc = unit_write(s, SQL_PARTITION_ADD, err)) < 0)
		return rc;
	return span_add(s, span) ? TXW_OK : unit_no_memory(s, err);
}

/* DROP waits for every reader of the log and has new ones wait behind it; so
 * it is tried only while nobody reads, and in a savepoint: the unit goes on
 * either way. */
static int32_t try_drop(struct store *s, const char *name, struct span span, txw_error *err)
{
	static const char *const FORMATS[] = {
	    "LOCK TABLE ONLY event, ONLY %s IN ACCESS EXCLUSIVE MODE NOWAIT",
	    "ALTER TABLE event DETACH PARTITION %s", "DROP TABLE %s"};
	int32_t rc = db_exec(&s->db, "SAVEPOINT partition", err);
	if (rc < 0)
		return unit_fail(s, rc);
	for (size_t i = 0; rc == TXW_OK && i < sizeof(FORMATS) / sizeof(FORMATS[0]); i++) {
		char sql[128];
		snprintf(sql, sizeof(sql), FORMATS[i], name);
		rc = db_exec(&s->db, sql, err);
	}
	if (rc == TXW_OK) {
		args_int(db_args(&s->db), span.from_at);
		s->n_spans = s->committed_spans = 0; /* read again by who appends next */
		return unit_write(s, SQL_PARTITION_FORGET, err);
	}
	store_log(s, TXW_LOG_DEBUG, "%s; the partition stays until the next purge", s->db.text);
	rc = db_exec(&s->db, "ROLLBACK TO SAVEPOINT partition", err);
	return rc < 0 ? unit_fail(s, rc) : TXW_OK;
}

int32_t log_drop_empty(struct store *s, txw_error *err)
{
	char name[48], newest[48];
	PGresult *r;
	args_int(db_args(&s->db), month_of(s->last_at, newest, sizeof(newest)).from_at);
	int32_t rc = unit_ask(s, SQL_PARTITION_EMPTY, &r, err);
	if (rc < 0)
		return rc;
	bool any = PQntuples(r) > 0;
	struct span span = {any ? column_int(r, 0, 0) : 0, any ? column_int(r, 0, 1) : 0};
	PQclear(r);
	if (!any)
		return TXW_OK;
	month_of(span.from_at, name, sizeof(name));
	s->has_written = true;
	return try_drop(s, name, span, err);
}

static int32_t keep_place(struct store *s, txw_time at, txw_error *err)
{
	char name[48];
	if (is_kept(s, at))
		return TXW_OK;
	/* Another host may have made it; in the section nobody does now. */
	int32_t rc = log_read_partitions(s, err);
	if (rc < 0)
		return unit_fail(s, rc);
	if (is_kept(s, at))
		return TXW_OK;
	struct span span = month_of(at, name, sizeof(name));
	return make_partition(s, name, span, err);
}

/* For an event at `at`, and ahead for the month after. */
static int32_t keep_places(struct store *s, txw_time at, txw_error *err)
{
	char name[48];
	int32_t rc = keep_place(s, at, err);
	if (rc < 0)
		return rc;
	return keep_place(s, month_of(at, name, sizeof(name)).to_at, err);
}

/* ---- append ---- */

static bool same_message(const txw_event *a, int64_t tx, txw_str id)
{
	return a->tx && a->tx->key == tx && a->source_event_id.len == id.len &&
	       memcmp(a->source_event_id.ptr, id.ptr, id.len) == 0;
}

static bool in_list(const struct list *l, int64_t tx, txw_str id)
{
	for (size_t i = l->n; i-- > 0;) {
		const txw_event *ev = l->at[i];
		if (ev->source_event_id.len && same_message(ev, tx, id))
			return true;
	}
	return false;
}

/* Notes that (tx, id) is not in the database. */
static bool note_unseen(struct store *s, int64_t tx, txw_str id)
{
	txw_tx row = {.size = sizeof(row), .key = tx};
	txw_event ev = {.size = sizeof(ev), .source_event_id = id, .tx = &row};
	return list_add(&s->unseen, arena_event(&s->arena, &ev));
}

int32_t log_seen(void *instance, int64_t tx, txw_str source_event_id, txw_error *err)
{
	struct store *s = instance;
	PGresult *r;
	int32_t rc = log_enter(s, err);
	if (rc < 0)
		return rc;
	if (!source_event_id.len)
		return 0;
	if (in_list(&s->events, tx, source_event_id))
		return 1;
	struct args *a = db_args(&s->db);
	args_int(a, tx);
	args_key(a, source_event_id);
	if ((rc = unit_ask(s, SQL_MESSAGE_SEEN, &r, err)) < 0)
		return rc;
	rc = PQntuples(r) > 0;
	PQclear(r);
	if (!rc && !note_unseen(s, tx, source_event_id))
		return unit_no_memory(s, err);
	return rc;
}

static int32_t check_message(struct store *s, const txw_event *ev, txw_error *err)
{
	int64_t tx = ev->tx ? ev->tx->key : 0;
	int32_t rc = 0;
	if (!tx || !ev->source_event_id.len)
		return TXW_OK;
	if (in_list(&s->events, tx, ev->source_event_id))
		rc = 1;
	else if (!in_list(&s->unseen, tx, ev->source_event_id))
		rc = log_seen(s, tx, ev->source_event_id, err);
	if (rc <= 0)
		return rc;
	return unit_fail(
	    s, db_say(&s->db, TXW_E_EXISTS, err,
		      "transaction %lld has an event with source_event_id %.*s already",
		      (long long)tx, (int)ev->source_event_id.len, ev->source_event_id.ptr));
}

/* Makes it its row's newest event. */
static int32_t note_newest(struct store *s, const txw_event *ev, txw_error *err)
{
	struct row *row = rows_by_key(&s->rows, ev->tx->key);
	if (row && row->tx->last_seq == ev->seq)
		return TXW_OK;
	if (row) {
		txw_tx *tx = arena_tx(&s->arena, row->tx);
		if (!tx)
			return unit_no_memory(s, err);
		tx->last_seq = ev->seq;
		row->tx = tx;
		row->is_dirty = true;
		return TXW_OK;
	}
	struct args *a = db_args(&s->db);
	args_int(a, ev->tx->key);
	args_int(a, ev->seq);
	return unit_write(s, SQL_TX_LAST_SEQ, err);
}

static int32_t append_one(struct store *s, txw_event *ev, txw_error *err)
{
	int64_t seq = s->last_seq + 1;
	int32_t rc;
	if (ev->seq && ev->seq != seq)
		return unit_fail(s, db_say(&s->db, TXW_E_INVALID, err,
					   "an event was given seq %lld, but the next one is %lld",
					   (long long)ev->seq, (long long)seq));
	if (ev->tx && !ev->tx->key)
		return unit_fail(s, db_say(&s->db, TXW_E_INVALID, err,
					   "event %lld is of a transaction that was not saved",
					   (long long)seq));
	if ((rc = check_message(s, ev, err)) < 0 || (rc = keep_places(s, ev->at, err)) < 0)
		return rc;
	ev->seq = seq;
	if (!list_add(&s->events, arena_event(&s->arena, ev)))
		return unit_no_memory(s, err);
	s->last_seq = seq;
	s->last_at = ev->at;
	return ev->tx ? note_newest(s, ev, err) : TXW_OK;
}

int32_t log_append(void *instance, txw_event *const *events, size_t n, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = log_enter(s, err);
	for (size_t i = 0; rc == TXW_OK && i < n; i++)
		rc = append_one(s, events[i], err);
	return rc;
}

static int32_t flush_messages(struct store *s, txw_error *err)
{
	struct args *a = db_args(&s->db);
	size_t n = 0;
	for (size_t i = 0; i < s->events.n; i++) {
		const txw_event *ev = s->events.at[i];
		n += ev->tx && ev->source_event_id.len;
	}
	if (!n)
		return TXW_OK;
	args_array(a, ARGS_INT, n);
	for (size_t i = 0; i < s->events.n; i++) {
		const txw_event *ev = s->events.at[i];
		if (ev->tx && ev->source_event_id.len)
			args_item_int(a, ev->tx->key);
	}
	args_array_end(a);
	args_array(a, ARGS_TEXT, n);
	for (size_t i = 0; i < s->events.n; i++) {
		const txw_event *ev = s->events.at[i];
		if (ev->tx && ev->source_event_id.len)
			args_item_text(a, ev->source_event_id, true);
	}
	args_array_end(a);
	return unit_write(s, SQL_MESSAGE_INSERT, err);
}

int32_t log_flush(struct store *s, txw_error *err)
{
	size_t n = s->events.n;
	if (!n)
		return TXW_OK;
	const void **txs = arena_get(&s->arena, n * sizeof(*txs));
	if (!txs)
		return unit_no_memory(s, err);
	for (size_t i = 0; i < n; i++)
		txs[i] = ((const txw_event *)s->events.at[i])->tx;
	struct args *a = db_args(&s->db);
	columns_bind(a, EVENT_COLUMNS, s->events.at, n);
	columns_bind(a, SNAPSHOT_COLUMNS, txs, n);
	int32_t rc = unit_write(s, SQL_EVENT_INSERT, err);
	if (rc == TXW_OK)
		rc = flush_messages(s, err);
	s->events.n = 0;
	s->unseen.n = 0; /* some of them are there now */
	return rc;
}
