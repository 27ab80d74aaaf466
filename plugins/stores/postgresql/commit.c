/*
 * commit.c: the end of a unit, and what became of it when the answer was lost.
 *
 * A connection that breaks while COMMIT is under way leaves the end unknown.
 * So each unit that writes also inserts a row (host, n) into `unit`, just
 * before COMMIT. Whoever wants to know inserts the same row, marked as a
 * fence, over a new connection:
 *   - it goes in: the unit was not committed, and never will be, for its own
 *     insert must now fail (what the old connection still holds included);
 *   - it meets the unit's row: the unit was committed. The insert waits for a
 *     unit that is still ending.
 * Plain SQL, so that any server can do it.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "store.h"

#define PAUSE_MIN_MS 50
#define PAUSE_MAX_MS 1000

static int64_t monotonic_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void pause_ms(int64_t ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	nanosleep(&t, NULL);
}

static void bind_unit(struct store *s, int64_t n)
{
	struct args *a = db_args(&s->db);
	args_int(a, s->host);
	args_int(a, n);
}

/* 1: it was committed, 0: it never will be, or an error. */
static int32_t ask(struct store *s, int64_t n, txw_error *err)
{
	PGresult *r;
	int32_t rc = db_is_ready(&s->db) ? TXW_OK : db_connect(&s->db, err);
	if (rc < 0)
		return rc;
	bind_unit(s, n);
	if ((rc = db_ask(&s->db, SQL_UNIT_FENCE, &r, err)) < 0)
		return rc;
	PQclear(r);
	bind_unit(s, n);
	if ((rc = db_ask(&s->db, SQL_UNIT_READ, &r, err)) < 0)
		return rc;
	rc = PQntuples(r) && column_int(r, 0, 0) == 0;
	PQclear(r);
	return rc;
}

static void note_committed(struct store *s)
{
	if (s->has_section) {
		s->committed_seq = s->last_seq;
		s->committed_at = s->last_at;
	}
	s->committed_spans = s->n_spans;
}

/* Tries until it knows, or for as long as the option says. */
static int32_t learn(struct store *s, int32_t rc, txw_error *err)
{
	int64_t deadline = monotonic_ms() + s->options.commit_timeout / 1000;
	int64_t pause = PAUSE_MIN_MS;
	char why[DB_TEXT_MAX];
	snprintf(why, sizeof(why), "%s", s->db.text);
	for (;;) {
		int32_t end = ask(s, s->n_unit, NULL);
		if (end >= 0) {
			store_log(s, TXW_LOG_WARN,
				  "%s: the connection was lost in a commit, which %s",
				  s->db.location, end ? "had succeeded" : "was undone");
			return end ? TXW_OK : db_say(&s->db, rc, err, "%s", why);
		}
		if (monotonic_ms() + pause > deadline)
			break;
		pause_ms(pause);
		pause = pause * 2 < PAUSE_MAX_MS ? pause * 2 : PAUSE_MAX_MS;
	}
	s->unresolved = s->n_unit;
	return db_say(&s->db, TXW_E_IO, err,
		      "%s: the connection was lost in a commit, and whether it succeeded will be "
		      "known when the server answers again",
		      s->db.location);
}

int32_t commit_resolve(struct store *s, txw_error *err)
{
	int32_t end = ask(s, s->unresolved, err);
	if (end < 0)
		return end;
	store_log(s, TXW_LOG_WARN, "%s: the commit whose end was not known %s", s->db.location,
		  end ? "had succeeded" : "was undone");
	s->unresolved = 0;
	s->n_spans = s->committed_spans = 0; /* read again when the next unit appends */
	return TXW_OK;
}

/* The last statements of a unit. */
static int32_t finish(struct store *s, txw_error *err)
{
	int32_t rc = unit_flush(s, err);
	if (rc < 0)
		return rc;
	if (s->has_section && s->last_seq != s->unit_seq) {
		struct args *a = db_args(&s->db);
		args_int(a, s->last_seq);
		args_int(a, s->last_at);
		if ((rc = unit_write(s, SQL_HEAD_SET, err)) < 0)
			return rc;
	}
	if (s->has_section && s->last_seq != s->unit_seq && s->options.notify) {
		char channel[64], host[24];
		listen_channel(s, channel, sizeof(channel));
		int n = snprintf(host, sizeof(host), "%lld", (long long)s->host);
		struct args *a = db_args(&s->db);
		args_key(a, (txw_str){channel, strlen(channel)});
		args_key(a, (txw_str){host, (size_t)n});
		if ((rc = unit_write(s, SQL_NOTIFY, err)) < 0)
			return rc;
	}
	if (s->has_written) {
		bind_unit(s, s->n_unit);
		if ((rc = unit_write(s, SQL_UNIT_FORGET, err)) < 0 ||
		    (rc = unit_write(s, SQL_UNIT_MARK, err)) < 0)
			return rc;
	}
	return db_send_plain(&s->db, SQL_COMMIT, err);
}

int32_t unit_commit(void *instance, txw_error *err)
{
	struct store *s = instance;
	PGresult *r = NULL;
	int32_t rc = TXW_OK;
	/* A unit that did nothing has sent nothing. */
	if (!s->is_in_unit || s->is_broken)
		return unit_ready(s, err);
	if (s->is_begun) {
		if ((rc = finish(s, err)) == TXW_OK)
			rc = db_sync(&s->db, &r, 1, err);
		/* A failed unit's COMMIT answers ROLLBACK. */
		if (rc == TXW_OK && strcmp(PQcmdStatus(r), "COMMIT") != 0)
			rc = db_say(&s->db, TXW_E_IO, err, "%s: the server undid the unit",
				    s->db.location);
		PQclear(r);
		if (rc < 0 && s->db.is_lost && s->has_written)
			rc = learn(s, rc, err);
	}
	if (rc < 0)
		return unit_fail(s, rc);
	note_committed(s);
	unit_leave(s);
	return TXW_OK;
}
