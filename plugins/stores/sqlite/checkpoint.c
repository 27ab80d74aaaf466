/* checkpoint.c: see checkpoint.h. */
#include "checkpoint.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "store.h"

/* For readers that hold the WAL's end; then the next turn tries again. */
#define BUSY_MS 100

struct checkpointer {
	struct store *store; /* borrowed */
	struct db db;
	int64_t page_size;
	pthread_t thread;
	_Atomic int64_t count;

	pthread_mutex_t lock;
	pthread_cond_t wake;   /* for the thread */
	pthread_cond_t opened; /* for the writer: the gate is open, a turn is over */
	int64_t pages;         /* in the WAL now */
	int64_t moved;         /* of them, at the last turn */
	uint64_t turns;
	bool is_in_unit;
	bool is_gate_closed;
	bool is_stopping;
	bool is_failing; /* said once, until it works again */
};

static bool has_work(const struct checkpointer *c)
{
	/* Fewer than were moved: the WAL began again since. */
	int64_t fresh = c->pages < c->moved ? c->pages : c->pages - c->moved;
	return fresh * c->page_size >= CHECKPOINT_EVERY;
}

static int checkpoint(struct checkpointer *c, int mode, int *pages)
{
	int moved = 0;
	*pages = 0;
	int rc = sqlite3_wal_checkpoint_v2(c->db.handle, NULL, mode, pages, &moved);
	if (rc == SQLITE_OK)
		atomic_fetch_add(&c->count, 1);
	return rc;
}

/* The writer is between two units, or about to begin one: keeps it there. */
static int restart(struct checkpointer *c, int *pages)
{
	pthread_mutex_lock(&c->lock);
	c->is_gate_closed = true;
	while (c->is_in_unit && !c->is_stopping)
		pthread_cond_wait(&c->wake, &c->lock);
	bool go = !c->is_in_unit;
	pthread_mutex_unlock(&c->lock);
	int rc = go ? checkpoint(c, SQLITE_CHECKPOINT_RESTART, pages) : SQLITE_BUSY;
	pthread_mutex_lock(&c->lock);
	c->is_gate_closed = false;
	if (rc == SQLITE_OK)
		c->pages = 0;
	pthread_cond_signal(&c->opened);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

static void turn(struct checkpointer *c)
{
	int pages, left;
	int rc = checkpoint(c, SQLITE_CHECKPOINT_PASSIVE, &pages);
	if (rc == SQLITE_OK && (int64_t)pages * c->page_size > CHECKPOINT_WAL_LIMIT) {
		rc = restart(c, &left);
		if (rc == SQLITE_OK)
			pages = 0;
	}
	bool failed = rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY;
	if (failed && !c->is_failing) {
		db_fail(&c->db, "moving the WAL into it", NULL);
		store_log(c->store, TXW_LOG_WARN, "%s", c->db.text);
	}
	c->is_failing = failed;
	pthread_mutex_lock(&c->lock);
	/* What failed is tried again when as much has come on top. */
	c->moved = failed ? c->pages : pages;
	c->turns++;
	pthread_cond_signal(&c->opened);
	pthread_mutex_unlock(&c->lock);
}

static void *run(void *arg)
{
	struct checkpointer *c = arg;
	pthread_mutex_lock(&c->lock);
	while (!c->is_stopping) {
		if (!has_work(c)) {
			pthread_cond_wait(&c->wake, &c->lock);
			continue;
		}
		pthread_mutex_unlock(&c->lock);
		turn(c);
		pthread_mutex_lock(&c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

struct checkpointer *checkpoint_start(struct store *s, txw_error *err)
{
	struct checkpointer *c = calloc(1, sizeof(*c));
	if (!c) {
		db_say(&s->db, TXW_E_NOMEM, err, "no memory for the checkpointer");
		return NULL;
	}
	c->store = s;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->wake, NULL);
	pthread_cond_init(&c->opened, NULL);
	/* The connection's errors are kept in c->db: say them by the store's. */
	if (db_open(&c->db, s->path, SQLITE_OPEN_READWRITE, BUSY_MS, err) < 0 ||
	    schema_connect(&c->db, &s->options, false, err) < 0 ||
	    db_number(&c->db, "PRAGMA page_size", &c->page_size, "opening it", err) < 0) {
		db_say(&s->db, err ? err->code : TXW_E_IO, err, "%s", c->db.text);
		goto undo;
	}
	if (pthread_create(&c->thread, NULL, run, c) != 0) {
		db_say(&s->db, TXW_E_NOMEM, err, "%s: no thread for the checkpointer", s->path);
		goto undo;
	}
	return c;

undo:
	db_close(&c->db);
	free(c);
	return NULL;
}

void checkpoint_stop(struct checkpointer *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->is_stopping = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	db_close(&c->db);
	pthread_cond_destroy(&c->opened);
	pthread_cond_destroy(&c->wake);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* On a machine with too little processor time the writer outruns the thread:
 * then it waits for a turn of it. One, as a reader, or a disk that fails, may
 * keep the WAL from getting shorter. */
static bool is_outrun(const struct checkpointer *c)
{
	return c->pages * c->page_size > CHECKPOINT_WAL_LIMIT + CHECKPOINT_EVERY && has_work(c);
}

void checkpoint_enter(struct checkpointer *c)
{
	pthread_mutex_lock(&c->lock);
	uint64_t before = c->turns;
	while (c->is_gate_closed || (is_outrun(c) && c->turns == before))
		pthread_cond_wait(&c->opened, &c->lock);
	c->is_in_unit = true;
	pthread_mutex_unlock(&c->lock);
}

void checkpoint_leave(struct checkpointer *c, int64_t pages)
{
	pthread_mutex_lock(&c->lock);
	c->is_in_unit = false;
	if (pages)
		c->pages = pages;
	if (c->is_gate_closed || has_work(c))
		pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
}

int64_t checkpoint_count(struct checkpointer *c)
{
	return atomic_load(&c->count);
}
