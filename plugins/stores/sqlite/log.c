/*
 * log.c: the event log: append only, numbered without gaps.
 *
 * `seq` is the row key, so the log is written at its end. A transaction's
 * history hangs together by `prev`, from tx.last_seq backwards: no index.
 */
#include "store.h"

static int32_t fail_append(struct store *s, const txw_event *ev, int32_t rc, txw_error *err)
{
	if (rc != TXW_E_EXISTS)
		return rc;
	return db_say(&s->db, rc, err,
		      "transaction %lld has an event with source_event_id %.*s already",
		      (long long)(ev->tx ? ev->tx->key : 0), (int)ev->source_event_id.len,
		      ev->source_event_id.ptr ? ev->source_event_id.ptr : "");
}

static int32_t append_one(struct store *s, txw_event *ev, txw_error *err)
{
	sqlite3_stmt *st = db_stmt(&s->db, SQL_EVENT_INSERT);
	struct id_bytes id;
	int64_t seq = s->last_seq + 1;
	int32_t rc;
	if (ev->seq && ev->seq != seq)
		return db_say(&s->db, TXW_E_INVALID, err,
			      "an event was given seq %lld, but the next one is %lld",
			      (long long)ev->seq, (long long)seq);
	if (ev->tx && !ev->tx->key)
		return db_say(&s->db, TXW_E_INVALID, err,
			      "event %lld is of a transaction that was not saved", (long long)seq);
	ev->seq = seq;
	if ((rc = columns_bind_event(s, st, ev, &id, err)) < 0)
		return rc;
	if ((rc = db_run(&s->db, st, "appending an event", err)) < 0)
		return fail_append(s, ev, rc, err);
	s->last_seq = seq;
	s->last_at = ev->at;
	if (!ev->tx || ev->tx->last_seq == seq)
		return TXW_OK;
	st = db_stmt(&s->db, SQL_TX_LAST_SEQ);
	bind_int(st, 1, ev->tx->key);
	bind_int(st, 2, seq);
	return db_run(&s->db, st, "saving a transaction's newest event", err);
}

int32_t log_append(void *instance, txw_event *const *events, size_t n, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = unit_ready(s, err);
	for (size_t i = 0; rc == TXW_OK && i < n; i++)
		rc = append_one(s, events[i], err);
	return rc;
}

int32_t log_seen(void *instance, int64_t tx, txw_str source_event_id, txw_error *err)
{
	struct store *s = instance;
	sqlite3_stmt *st = db_stmt(&s->db, SQL_EVENT_SEEN);
	bind_int(st, 1, tx);
	bind_text(st, 2, source_event_id);
	int32_t rc = db_step(&s->db, st, "looking for a message", err);
	sqlite3_reset(st);
	return rc;
}

/* One file has one writer: a unit is the section. */
int32_t log_sequence(void *instance, int64_t *last_seq, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = unit_ready(s, err);
	*last_seq = s->last_seq;
	return rc;
}
