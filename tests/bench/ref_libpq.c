/*
 * ref_libpq.c: what a PostgreSQL server alone does with the rows that a change
 * writes: the statements of store.postgresql (plugins/stores/postgresql), one
 * for each kind of row and commit, in one pipeline, and nothing around them:
 * no HTTP, no JSON, no flow, no queue, no look at the row before it is
 * changed.
 *
 *   bench_ref_libpq CONNINFO SCHEMA COUNT BATCH
 *
 * SCHEMA is one that txwatch made with the flow of tests/bench/run and left:
 * its rows move between ping and pong, in an order by chance, and its newest
 * change is the template of the events. Prints one JSON.
 */
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "columns.h"
#include "sql.h"

struct raw {
	PGconn *db;
	struct sql sql;
	struct args args;
	PGresult *texts; /* the rows' */
	txw_tx *rows;
	size_t n_rows;
	size_t at;       /* the next one to change */
	txw_event event; /* the template */
	PGresult *event_texts;
	int64_t seq;
	int64_t unit;
	const void **txs;
	const void **events;
	txw_event *made;
};

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void give_up(struct raw *r, const char *what)
{
	fprintf(stderr, "%s: %s", what, PQerrorMessage(r->db));
	exit(1);
}

static void check(struct raw *r, const PGresult *result, const char *what)
{
	ExecStatusType s = PQresultStatus(result);
	if (s != PGRES_COMMAND_OK && s != PGRES_TUPLES_OK)
		give_up(r, what);
}

static void prepare(struct raw *r, enum sql_id id)
{
	char name[16];
	snprintf(name, sizeof(name), "s%d", (int)id);
	PGresult *result = PQprepare(r->db, name, r->sql.texts[id], 0, NULL);
	check(r, result, r->sql.texts[id]);
	PQclear(result);
}

/* With r->args. */
static void put(struct raw *r, enum sql_id id)
{
	char name[16];
	struct args_out out;
	snprintf(name, sizeof(name), "s%d", (int)id);
	if (!args_out(&r->args, &out) ||
	    !PQsendQueryPrepared(r->db, name, (int)r->args.n, out.values, out.lengths, out.formats,
				 1))
		give_up(r, "sending");
	args_out_free(&out);
	args_reset(&r->args);
}

static void take_all(struct raw *r)
{
	bool over = false;
	if (!PQpipelineSync(r->db))
		give_up(r, "sending");
	for (int gone = 0; !over && gone < 2;) {
		PGresult *result = PQgetResult(r->db);
		if (!result) {
			gone++;
			continue;
		}
		gone = 0;
		over = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
		if (!over)
			check(r, result, "a statement");
		PQclear(result);
	}
}

static PGresult *ask(struct raw *r, const char *sql)
{
	PGresult *result = PQexecParams(r->db, sql, 0, NULL, NULL, NULL, NULL, 1);
	check(r, result, sql);
	return result;
}

static void read_rows(struct raw *r)
{
	struct text t = {.at = NULL};
	text_add(&t, "SELECT ");
	columns_names(&t, TX_COLUMNS, "t");
	text_add(&t, " FROM tx t ORDER BY random()");
	r->texts = ask(r, t.at);
	text_free(&t);
	r->n_rows = (size_t)PQntuples(r->texts);
	r->rows = calloc(r->n_rows + 1, sizeof(*r->rows));
	for (size_t i = 0; i < r->n_rows; i++)
		columns_read(r->texts, (int)i, 0, TX_COLUMNS, &r->rows[i]);
	t = (struct text){.at = NULL};
	text_add(&t, "SELECT ");
	columns_names(&t, EVENT_COLUMNS, "e");
	text_add(&t, " FROM event e WHERE type = 3 ORDER BY seq DESC LIMIT 1");
	r->event_texts = ask(r, t.at);
	text_free(&t);
	if (!r->n_rows || !PQntuples(r->event_texts))
		give_up(r, "the schema has no rows to change");
	columns_read(r->event_texts, 0, 0, EVENT_COLUMNS, &r->event);
	PGresult *head = ask(r, "SELECT last_seq FROM head");
	r->seq = column_int(head, 0, 0);
	PQclear(head);
}

static void change(struct raw *r, size_t i, int64_t at)
{
	static const txw_str PING = {"ping", 4}, PONG = {"pong", 4};
	txw_tx *tx = &r->rows[r->at++ % r->n_rows];
	txw_event *ev = &r->made[i];
	bool was_ping = tx->status.len == 4 && memcmp(tx->status.ptr, "ping", 4) == 0;
	*ev = r->event;
	ev->seq = ++r->seq;
	ev->id.lo = (uint64_t)r->seq;
	ev->prev = tx->last_seq;
	ev->at = at;
	ev->from = was_ping ? PING : PONG;
	ev->to = was_ping ? PONG : PING;
	tx->status = ev->to;
	tx->version++;
	tx->last_seq = ev->seq;
	tx->updated_at = tx->status_since = at;
	r->txs[i] = tx;
	r->events[i] = ev;
}

static void commit(struct raw *r, size_t n)
{
	int64_t at = now();
	for (size_t i = 0; i < n; i++)
		change(r, i, at);
	put(r, SQL_BEGIN);
	put(r, SQL_HEAD_LOCK);
	columns_bind(&r->args, TX_COLUMNS, r->txs, n);
	put(r, SQL_TX_UPDATE);
	columns_bind(&r->args, EVENT_COLUMNS, r->events, n);
	columns_bind(&r->args, SNAPSHOT_COLUMNS, r->txs, n);
	put(r, SQL_EVENT_INSERT);
	args_int(&r->args, r->seq);
	args_int(&r->args, at);
	put(r, SQL_HEAD_SET);
	/* The mark that the router moves in each commit. */
	args_key(&r->args, (txw_str){"bench", 5});
	args_int(&r->args, r->seq);
	put(r, SQL_MARK_PUT);
	args_int(&r->args, 1);
	args_int(&r->args, at);
	put(r, SQL_UNIT_MARK);
	put(r, SQL_COMMIT);
	take_all(r);
}

int main(int argc, char **argv)
{
	static const enum sql_id USED[] = {SQL_BEGIN,        SQL_HEAD_LOCK, SQL_TX_UPDATE,
					   SQL_EVENT_INSERT, SQL_HEAD_SET,  SQL_MARK_PUT,
					   SQL_UNIT_MARK,    SQL_COMMIT};
	static struct raw r;
	char sql[128];
	if (argc != 5) {
		fprintf(stderr, "usage: bench_ref_libpq CONNINFO SCHEMA COUNT BATCH\n");
		return 2;
	}
	size_t count = strtoul(argv[3], NULL, 10), batch = strtoul(argv[4], NULL, 10);
	r.db = PQconnectdb(argv[1]);
	snprintf(sql, sizeof(sql), "SET search_path = %s", argv[2]);
	PQclear(ask(&r, sql));
	if (sql_make(&r.sql) < 0)
		return 1;
	read_rows(&r);
	if (batch > r.n_rows)
		batch = r.n_rows; /* a commit writes a row once */
	r.txs = calloc(batch, sizeof(*r.txs));
	r.events = calloc(batch, sizeof(*r.events));
	r.made = calloc(batch, sizeof(*r.made));
	for (size_t i = 0; i < sizeof(USED) / sizeof(USED[0]); i++)
		prepare(&r, USED[i]);
	if (!PQenterPipelineMode(r.db))
		give_up(&r, "pipeline");
	int64_t began = now();
	for (size_t i = 0; i < count; i += batch)
		commit(&r, count - i < batch ? count - i : batch);
	double took = (double)(now() - began) / 1e6;
	printf("{\"seconds\":%.4f,\"rate\":%.1f}\n", took, (double)count / took);
	PQfinish(r.db);
	PQclear(r.texts);
	PQclear(r.event_texts);
	sql_free(&r.sql);
	args_free(&r.args);
	free(r.rows);
	free(r.txs);
	free(r.events);
	free(r.made);
	return 0;
}
