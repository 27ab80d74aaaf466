/*
 * purge.c: finished transactions go, with all that hangs on them.
 *
 * They are looked at in the order they finished (tx_finished), a bounded number
 * a call; whoever calls again says where the last call ended. What an event with
 * a digest leaves is a row of `purged`, so that the chain stays provable.
 */
#include <string.h>

#include "store.h"

#define LOOK_MAX   1000 /* transactions looked at in a call */
#define EVENTS_MAX 5000 /* ... and events deleted: then no further one is begun */

struct purge {
	struct store *s;
	const txw_purge *what;
	txw_purged out;
	const txw_tx **rows; /* in the arena */
	size_t n;
	size_t looked;
};

static bool same(txw_str a, txw_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* What the row alone says. The log's newest event must stay: its seq is what
 * the next one is counted from. */
static bool is_wanted(const struct purge *p, const txw_tx *row)
{
	const txw_purge *w = p->what;
	return !row->held && row->outcome != TXW_OPEN &&
	       (w->outcome == TXW_OPEN || w->outcome == row->outcome) &&
	       (!w->tenant.len || same(w->tenant, row->tenant)) &&
	       (!w->flow.len || same(w->flow, row->flow)) && row->last_seq < p->s->last_seq &&
	       (!w->max_seq || row->last_seq <= w->max_seq);
}

/* ---- one transaction's events ---- */

/* 1: settled for good, all of them; 0: not. */
static int32_t is_settled(struct purge *p, const txw_tx *row, txw_error *err)
{
	struct db *db = &p->s->db;
	sqlite3_stmt *open = db_stmt(db, SQL_PURGE_UNSETTLED);
	bind_int(open, 1, row->key);
	bind_int(open, 2, row->last_seq);
	int32_t rc = db_step(db, open, "looking for deliveries", err);
	sqlite3_reset(open);
	return rc < 0 ? rc : !rc;
}

static int32_t run(struct purge *p, enum sql_id id, int64_t seq, txw_error *err)
{
	sqlite3_stmt *st = db_stmt(&p->s->db, id);
	bind_int(st, 1, seq);
	return db_run(&p->s->db, st, "purging", err);
}

/* The seq of the one before; 0: there is none. */
static int32_t before(struct purge *p, int64_t seq, int64_t *prev, txw_error *err)
{
	sqlite3_stmt *st = db_stmt(&p->s->db, SQL_PURGE_PREV);
	bind_int(st, 1, seq);
	int32_t rc = db_step(&p->s->db, st, "purging", err);
	*prev = rc > 0 ? column_int(st, 0) : 0;
	sqlite3_reset(st);
	return rc < 0 ? rc : TXW_OK;
}

static int32_t remove_events(struct purge *p, const txw_tx *row, txw_error *err)
{
	static const enum sql_id steps[] = {SQL_PURGE_ATTEMPTS, SQL_PURGE_DELIVERIES,
					    SQL_PURGE_KEEP_DIGEST, SQL_PURGE_EVENT};
	int32_t rc = TXW_OK;
	for (int64_t prev, seq = row->last_seq; seq && rc == TXW_OK; seq = prev) {
		rc = before(p, seq, &prev, err);
		for (size_t i = 0; rc == TXW_OK && i < sizeof(steps) / sizeof(steps[0]); i++)
			rc = run(p, steps[i], seq, err);
		p->out.events += sqlite3_changes(p->s->db.handle);
		if (prev >= seq)
			break; /* no chain: verify tells */
	}
	if (row->last_seq > p->out.last_seq)
		p->out.last_seq = row->last_seq;
	return rc;
}

static int32_t purge_one(struct purge *p, const txw_tx *row, txw_error *err)
{
	int32_t rc = is_settled(p, row, err);
	if (rc <= 0)
		return rc;
	p->out.transactions++;
	if (p->what->gone)
		p->what->gone(p->what->ctx, row);
	if (p->what->dry_run)
		return TXW_OK;
	if ((rc = remove_events(p, row, err)) == TXW_OK)
		rc = run(p, SQL_PURGE_TX, row->key, err);
	unit_forget(p->s, row->key);
	return rc;
}

/* ---- the call ---- */

static int32_t look(struct purge *p, txw_error *err)
{
	struct store *s = p->s;
	sqlite3_stmt *st = db_stmt(&s->db, SQL_PURGE_LOOK);
	int32_t rc = TXW_OK;
	bind_int(st, 1, p->what->from);
	bind_int(st, 2, p->what->finished_before);
	bind_int(st, 3, p->what->after);
	while (p->n < p->what->limit && p->looked < LOOK_MAX &&
	       (rc = db_step(&s->db, st, "looking for what to purge", err)) > 0) {
		txw_tx row;
		columns_tx(st, 0, &s->names, &s->db, &row);
		p->looked++;
		p->out.reached = row.finished_at;
		p->out.reached_key = row.key;
		if (!is_wanted(p, &row))
			continue;
		if (!(p->rows[p->n++] = arena_tx(&s->arena, &row))) {
			rc = db_say(&s->db, TXW_E_NOMEM, err, "no memory for a transaction");
			break;
		}
	}
	p->out.more = rc != TXW_OK;
	sqlite3_reset(st);
	return rc < 0 ? rc : TXW_OK;
}

int32_t purge_run(void *instance, const txw_purge *what, txw_purged *out, txw_error *err)
{
	struct store *s = instance;
	struct purge p = {.s = s, .what = what, .out = {.size = sizeof(p.out)}};
	int32_t rc = unit_ready(s, err);
	if (rc < 0)
		return rc;
	size_t most = what->limit < LOOK_MAX ? what->limit : LOOK_MAX;
	p.rows = arena_get(&s->arena, (most + 1) * sizeof(*p.rows));
	if (!p.rows)
		return db_say(&s->db, TXW_E_NOMEM, err, "no memory for what to purge");
	rc = look(&p, err);
	for (size_t i = 0; i < p.n && rc >= 0; i++) {
		rc = purge_one(&p, p.rows[i], err);
		if (p.out.events < EVENTS_MAX || i + 1 == p.n)
			continue;
		p.out.more = 1;
		p.out.reached = p.rows[i]->finished_at;
		p.out.reached_key = p.rows[i]->key;
		break;
	}
	uint32_t size = out->size && out->size < sizeof(p.out) ? out->size : sizeof(p.out);
	memcpy(out, &p.out, size);
	out->size = size;
	return rc < 0 ? rc : TXW_OK;
}

int32_t purge_digests(void *reader, int64_t after, uint32_t limit, txw_emit_event emit, void *ctx,
		      txw_error *err)
{
	struct reader *r = reader;
	sqlite3_stmt *st = db_stmt(&r->db, SQL_PURGED_LIST);
	int32_t rc = read_ready(r, err);
	if (rc < 0)
		return rc;
	bind_int(st, 1, after);
	bind_int(st, 2, limit);
	while ((rc = db_step(&r->db, st, "reading digests", err)) > 0) {
		txw_event event = {.size = sizeof(event), .seq = column_int(st, 0)};
		event.digest = column_bytes(st, 1);
		event.hash = column_bytes(st, 2);
		if (emit(ctx, &event) != 0)
			break;
	}
	sqlite3_reset(st);
	return rc < 0 ? rc : TXW_OK;
}
