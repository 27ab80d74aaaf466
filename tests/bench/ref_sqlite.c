/*
 * ref_sqlite.c: what SQLite alone does with the rows that a change writes:
 * the statements of store.sqlite (plugins/stores/sqlite/sql.h), its settings,
 * its separate checkpointer, and nothing around them: no HTTP, no JSON, no
 * flow, no queue, no look at the row before it is changed.
 *
 *   bench_ref_sqlite DATABASE create|status COUNT BATCH
 *
 * DATABASE is one that txwatch made with the flow of tests/bench/run and left:
 * the newest creation and the newest change in it are the templates of what is
 * written. `status` moves random rows between ping and pong. Prints one JSON.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "sql.h"

#define EVENT_COLUMNS                                                                         \
	"seq, id, prev, tx, tenant, type, at, from_status, to_status, source, actor,"         \
	" source_event_id, source_at, reason, code, detail, status, version, outcome, owner," \
	" amount, currency, attributes, tx_reason, tx_code, source_version, anomaly,"         \
	" tx_source_at, updated_at, status_since, expires_at, finished_at, next_poll_at,"     \
	" due_at, polls, poll_failures, paused, deadline, warned, held, digest, hash, trace"
#define EVENT_WIDTH 43
#define TX_COLUMNS                                                                           \
	"status, version, last_seq, updated_at, status_since, next_poll_at, expires_at,"     \
	" outcome, source_at, polls, poll_failures, paused, amount, currency, attributes,"   \
	" reason, code, source_version, anomaly, deadline, finished_at, owner, due_at, id, " \
	"tenant,"                                                                            \
	" flow, ref, created_at, warned, held, fin"
#define TX_WIDTH 31
/* Parameters of the statements that differ from row to row. */
enum { EV_SEQ = 1, EV_PREV = 3, EV_TX = 4, EV_AT = 7, EV_FROM = 8, EV_TO = 9, EV_VERSION = 18 };
enum {
	TX_STATUS = 1,
	TX_VERSION = 2,
	TX_LAST_SEQ = 3,
	TX_UPDATED_AT = 4,
	TX_STATUS_SINCE = 5,
	TX_PLAIN_WIDTH = 20,
	TX_KEY = 24, /* of the update */
	TX_ID = 24,  /* of the insert */
	TX_REF = 27,
	TX_CREATED_AT = 28
};

#define CHECKPOINT_PAGES 4096 /* 16 MB, as the store */

#define SQL_TEXT(sym, users, text) text,
static const char *const SQL[SQL_COUNT] = {SQL_STATEMENTS(SQL_TEXT)};
#undef SQL_TEXT

struct row {
	int64_t key, version, last_seq;
	bool is_pong;
};

struct raw {
	sqlite3 *db;
	sqlite3_stmt *st[SQL_COUNT];
	sqlite3_value *event[EVENT_WIDTH + 1]; /* by parameter, from 1 */
	sqlite3_value *tx[TX_WIDTH + 1];
	int64_t ping, pong, seq, at;
	struct row *rows;
	int64_t n_rows;
	uint64_t random;
};

/* Moves the WAL into the file while the writer writes. */
struct checkpointer {
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	pthread_t thread;
	sqlite3 *db;
	bool is_due, is_over;
};

static void die(sqlite3 *db, const char *what)
{
	fprintf(stderr, "bench_ref_sqlite: %s: %s\n", what, db ? sqlite3_errmsg(db) : "");
	exit(1);
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void *checkpoint(void *ctx)
{
	struct checkpointer *c = ctx;

	pthread_mutex_lock(&c->mutex);
	for (;;) {
		while (!c->is_due && !c->is_over)
			pthread_cond_wait(&c->wake, &c->mutex);
		if (c->is_over)
			break;
		c->is_due = false;
		pthread_mutex_unlock(&c->mutex);
		sqlite3_wal_checkpoint_v2(c->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
		pthread_mutex_lock(&c->mutex);
	}
	pthread_mutex_unlock(&c->mutex);
	return NULL;
}

static int committed(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct checkpointer *c = ctx;

	(void)db;
	(void)name;
	if (pages >= CHECKPOINT_PAGES) {
		pthread_mutex_lock(&c->mutex);
		c->is_due = true;
		pthread_cond_signal(&c->wake);
		pthread_mutex_unlock(&c->mutex);
	}
	return SQLITE_OK;
}

static sqlite3 *connect_to(const char *path)
{
	sqlite3 *db;

	if (sqlite3_open(path, &db) != SQLITE_OK)
		die(db, path);
	if (sqlite3_exec(db,
			 "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			 "PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;"
			 "PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = OFF;"
			 "PRAGMA journal_size_limit = 67108864;",
			 NULL, NULL, NULL) != SQLITE_OK)
		die(db, "settings");
	return db;
}

static sqlite3_stmt *prepare(struct raw *r, const char *sql)
{
	sqlite3_stmt *st;

	if (sqlite3_prepare_v3(r->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) != SQLITE_OK)
		die(r->db, sql);
	return st;
}

static int64_t number(struct raw *r, const char *sql)
{
	sqlite3_stmt *st = prepare(r, sql);

	if (sqlite3_step(st) != SQLITE_ROW)
		die(r->db, sql);
	int64_t n = sqlite3_column_int64(st, 0);

	sqlite3_finalize(st);
	return n;
}

static void template(struct raw *r, const char *sql, sqlite3_value **out, int width)
{
	sqlite3_stmt *st = prepare(r, sql);

	if (sqlite3_step(st) != SQLITE_ROW)
		die(r->db, "there is no row to take as a template");
	for (int i = 0; i < width; i++)
		out[i + 1] = sqlite3_value_dup(sqlite3_column_value(st, i));
	sqlite3_finalize(st);
}

static void load(struct raw *r)
{
	sqlite3_stmt *st = prepare(r, "SELECT key, version, last_seq, status FROM tx ORDER BY key");

	r->rows = calloc((size_t)number(r, "SELECT count(*) FROM tx") + 1, sizeof(*r->rows));
	if (r->rows == NULL)
		die(NULL, "memory");
	while (sqlite3_step(st) == SQLITE_ROW)
		r->rows[r->n_rows++] = (struct row){
		    sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1),
		    sqlite3_column_int64(st, 2), sqlite3_column_int64(st, 3) == r->pong};
	sqlite3_finalize(st);
}

static void run(struct raw *r, enum sql_id id)
{
	if (r->st[id] == NULL)
		r->st[id] = prepare(r, SQL[id]);
	if (sqlite3_step(r->st[id]) != SQLITE_DONE)
		die(r->db, SQL[id]);
	sqlite3_reset(r->st[id]);
}

static sqlite3_stmt *filled(struct raw *r, enum sql_id id, sqlite3_value *const *from, int width)
{
	if (r->st[id] == NULL)
		r->st[id] = prepare(r, SQL[id]);
	for (int i = 1; i <= width; i++)
		sqlite3_bind_value(r->st[id], i, from[i]);
	return r->st[id];
}

static void append(struct raw *r, const struct row *row, int64_t from, int64_t to)
{
	sqlite3_stmt *st = filled(r, SQL_EVENT_INSERT, r->event, EVENT_WIDTH);

	sqlite3_bind_int64(st, EV_SEQ, ++r->seq);
	if (row->last_seq)
		sqlite3_bind_int64(st, EV_PREV, row->last_seq);
	sqlite3_bind_int64(st, EV_TX, row->key);
	sqlite3_bind_int64(st, EV_AT, r->at);
	if (from)
		sqlite3_bind_int64(st, EV_FROM, from);
	sqlite3_bind_int64(st, EV_TO, to);
	sqlite3_bind_int64(st, EV_VERSION, row->version);
	run(r, SQL_EVENT_INSERT);
}

static void change(struct raw *r)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	struct row *row = &r->rows[r->random % (uint64_t)r->n_rows];
	int64_t from = row->is_pong ? r->pong : r->ping, to = row->is_pong ? r->ping : r->pong;
	sqlite3_stmt *st = filled(r, SQL_TX_UPDATE_PLAIN, r->tx, TX_PLAIN_WIDTH);

	row->is_pong = !row->is_pong;
	row->version++;
	sqlite3_bind_int64(st, TX_STATUS, to);
	sqlite3_bind_int64(st, TX_VERSION, row->version);
	sqlite3_bind_int64(st, TX_LAST_SEQ, r->seq + 1);
	sqlite3_bind_int64(st, TX_UPDATED_AT, r->at);
	sqlite3_bind_int64(st, TX_STATUS_SINCE, r->at);
	sqlite3_bind_int64(st, TX_KEY, row->key);
	run(r, SQL_TX_UPDATE_PLAIN);
	if (sqlite3_changes(r->db) != 1)
		die(NULL, "a change that changed no row: the statements have other parameters");
	append(r, row, from, to);
	row->last_seq = r->seq;
}

static void create(struct raw *r, int64_t i)
{
	uint64_t id[2] = {__builtin_bswap64((uint64_t)(r->at / 1000) << 16), 0};
	char ref[32];
	struct row row = {.version = 1};
	sqlite3_stmt *st = filled(r, SQL_TX_INSERT, r->tx, TX_WIDTH);

	/* As a UUIDv7: the time first, then chance. */
	if (getrandom((char *)id + 6, sizeof(id) - 6, 0) < 0)
		die(NULL, "random");
	sqlite3_bind_int64(st, TX_VERSION, 1);
	sqlite3_bind_int64(st, TX_LAST_SEQ, r->seq + 1);
	sqlite3_bind_int64(st, TX_UPDATED_AT, r->at);
	sqlite3_bind_int64(st, TX_STATUS_SINCE, r->at);
	sqlite3_bind_int64(st, TX_STATUS, r->ping);
	sqlite3_bind_blob(st, TX_ID, id, sizeof(id), SQLITE_STATIC);
	sqlite3_bind_text(st, TX_REF, ref, snprintf(ref, sizeof(ref), "s%lld", (long long)i),
			  SQLITE_STATIC);
	sqlite3_bind_int64(st, TX_CREATED_AT, r->at);
	run(r, SQL_TX_INSERT);
	row.key = sqlite3_last_insert_rowid(r->db);
	append(r, &row, 0, r->ping);
}

/* The mark that the router moves in each commit. */
static void mark(struct raw *r)
{
	if (r->st[SQL_MARK_PUT] == NULL)
		r->st[SQL_MARK_PUT] = prepare(r, SQL[SQL_MARK_PUT]);
	sqlite3_bind_text(r->st[SQL_MARK_PUT], 1, "bench", 5, SQLITE_STATIC);
	sqlite3_bind_int64(r->st[SQL_MARK_PUT], 2, r->seq);
	run(r, SQL_MARK_PUT);
}

static void open_all(struct raw *r, struct checkpointer *c, const char *path, bool is_create)
{
	char sql[1024];

	r->db = connect_to(path);
	r->random = (uint64_t)now() | 1;
	r->ping = number(r, "SELECT id FROM name WHERE text = 'ping'");
	r->pong = number(r, "SELECT id FROM name WHERE text = 'pong'");
	r->seq = number(r, "SELECT max(seq) FROM event");
	snprintf(sql, sizeof(sql), "SELECT %s FROM event WHERE type = %d ORDER BY seq DESC LIMIT 1",
		 EVENT_COLUMNS, is_create ? 1 : 3);
	template(r, sql, r->event, EVENT_WIDTH);
	snprintf(sql, sizeof(sql), "SELECT %s FROM tx WHERE key = %lld", TX_COLUMNS,
		 (long long)sqlite3_value_int64(r->event[EV_TX]));
	template(r, sql, r->tx, TX_WIDTH);
	load(r);
	c->db = connect_to(path);
	sqlite3_wal_hook(r->db, committed, c);
	pthread_create(&c->thread, NULL, checkpoint, c);
}

int main(int argc, char **argv)
{
	static struct raw r;
	static struct checkpointer c = {.mutex = PTHREAD_MUTEX_INITIALIZER,
					.wake = PTHREAD_COND_INITIALIZER};

	if (argc != 5) {
		fprintf(stderr, "usage: bench_ref_sqlite DATABASE create|status COUNT BATCH\n");
		return 2;
	}
	bool is_create = strcmp(argv[2], "create") == 0;
	long count = strtol(argv[3], NULL, 10), batch = strtol(argv[4], NULL, 10);

	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* as the store */
	open_all(&r, &c, argv[1], is_create);
	int64_t began = now();

	for (long i = 0; i < count;) {
		r.at = now();
		run(&r, SQL_BEGIN);
		for (long end = i + batch; i < end && i < count; i++) {
			if (is_create)
				create(&r, began % 1000000000 * 1000000 + i);
			else
				change(&r);
		}
		mark(&r);
		run(&r, SQL_COMMIT);
	}
	double took = (double)(now() - began) / 1e6;

	pthread_mutex_lock(&c.mutex);
	c.is_over = true;
	pthread_cond_signal(&c.wake);
	pthread_mutex_unlock(&c.mutex);
	pthread_join(c.thread, NULL);
	printf("{\"seconds\":%.4f,\"rate\":%.1f}\n", took, (double)count / took);
	return 0;
}
