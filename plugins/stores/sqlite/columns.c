/*
 * columns.c: rows of the ABI as parameters and columns of statements.
 *
 * The order of parameters and columns is that of sql.h. Two things are kept
 * smaller than they look:
 *   - an event's times are kept as their distance back from `at`: most are
 *     equal to it, and the rest take four to six bytes instead of eight;
 *   - an event's id that the host derived from `at`, the site and `seq` is
 *     not kept at all, any other one is.
 */
#include "store.h"

#define ID_KEY_BITS 44

/* As the host derives ids from row keys. A mistake here costs 16 bytes an
 * event, never an id: what differs is stored. */
static txw_id derived_id(txw_time at, uint32_t site, int64_t seq)
{
	uint64_t key = (uint64_t)seq & ((UINT64_C(1) << ID_KEY_BITS) - 1);
	txw_id id;
	id.hi = (uint64_t)(at / 1000) << 16 | UINT64_C(0x7000) | (site >> 18 & 0xfff);
	id.lo = UINT64_C(1) << 63 | (uint64_t)(site & 0x3ffff) << ID_KEY_BITS | key;
	return id;
}

static void bind_ago(sqlite3_stmt *st, int i, txw_time at, txw_time t)
{
	if (t)
		bind_int(st, i, (int64_t)((uint64_t)at - (uint64_t)t));
	else
		sqlite3_bind_null(st, i);
}

static txw_time column_ago(sqlite3_stmt *st, int i, txw_time at)
{
	if (sqlite3_column_type(st, i) == SQLITE_NULL)
		return 0;
	return (txw_time)((uint64_t)at - (uint64_t)column_int(st, i));
}

int32_t columns_bind_tx(struct store *s, sqlite3_stmt *st, const txw_tx *row, bool plain,
			txw_error *err)
{
	int64_t status;
	int32_t rc = names_put(&s->names, &s->db, row->status, &status, err);
	if (rc < 0)
		return rc;
	bind_int(st, 1, status);
	bind_int(st, 2, row->version);
	bind_some(st, 3, row->last_seq);
	bind_int(st, 4, row->updated_at);
	bind_some(st, 5, row->status_since);
	bind_some(st, 6, row->next_poll_at);
	bind_some(st, 7, row->expires_at);
	bind_some(st, 8, row->outcome);
	bind_some(st, 9, row->source_at);
	bind_int(st, 10, row->polls);
	bind_int(st, 11, row->poll_failures);
	bind_int(st, 12, row->paused);
	bind_text(st, 13, row->amount);
	bind_text(st, 14, row->currency);
	bind_text(st, 15, row->attributes);
	bind_text(st, 16, row->reason);
	bind_text(st, 17, row->code);
	bind_text(st, 18, row->source_version);
	bind_text(st, 19, row->anomaly);
	bind_some(st, 20, row->deadline);
	bind_some(st, 29, row->warned);
	bind_some(st, 30, row->held);
	if (plain)
		return TXW_OK;
	bind_some(st, 21, row->finished_at);
	bind_text(st, 22, row->owner);
	bind_some(st, 23, row->due_at);
	bind_some(st, 31, row->finished_at ? status : 0);
	return TXW_OK;
}

void columns_tx(sqlite3_stmt *st, int at, struct names *names, struct db *db, txw_tx *out)
{
	*out = (txw_tx){.size = sizeof(*out)};
	out->key = column_int(st, at);
	out->id = column_id(st, at + 1);
	out->tenant = names_text(names, db, column_int(st, at + 2));
	out->flow = names_text(names, db, column_int(st, at + 3));
	out->ref = column_text(st, at + 4);
	out->created_at = column_int(st, at + 5);
	out->status = names_text(names, db, column_int(st, at + 6));
	out->version = column_int(st, at + 7);
	out->last_seq = column_int(st, at + 8);
	out->updated_at = column_int(st, at + 9);
	out->status_since = column_int(st, at + 10);
	out->next_poll_at = column_int(st, at + 11);
	out->expires_at = column_int(st, at + 12);
	out->finished_at = column_int(st, at + 13);
	out->source_at = column_int(st, at + 14);
	out->polls = column_int(st, at + 15);
	out->poll_failures = column_int(st, at + 16);
	out->paused = (uint32_t)column_int(st, at + 17);
	out->amount = column_text(st, at + 18);
	out->currency = column_text(st, at + 19);
	out->attributes = column_text(st, at + 20);
	out->reason = column_text(st, at + 21);
	out->code = column_text(st, at + 22);
	out->source_version = column_text(st, at + 23);
	out->anomaly = column_text(st, at + 24);
	out->outcome = (uint32_t)column_int(st, at + 25);
	out->owner = column_text(st, at + 26);
	out->due_at = column_int(st, at + 27);
	out->deadline = column_int(st, at + 28);
	out->warned = column_int(st, at + 29);
	out->held = (uint32_t)column_int(st, at + 30);
}

/* Parameters 17..40: the row after the event. */
static int32_t bind_snapshot(struct store *s, sqlite3_stmt *st, const txw_event *ev, txw_error *err)
{
	const txw_tx *tx = ev->tx;
	int64_t status, to = names_find(&s->names, ev->to);
	int32_t rc = names_put(&s->names, &s->db, tx->status, &status, err);
	if (rc < 0)
		return rc;
	bind_some(st, 17, status == to ? 0 : status); /* NULL: as to_status */
	bind_int(st, 18, tx->version);
	bind_some(st, 19, tx->outcome);
	bind_text(st, 20, tx->owner);
	bind_text(st, 21, tx->amount);
	bind_text(st, 22, tx->currency);
	bind_text(st, 23, tx->attributes);
	bind_text(st, 24, tx->reason);
	bind_text(st, 25, tx->code);
	bind_text(st, 26, tx->source_version);
	bind_text(st, 27, tx->anomaly);
	bind_ago(st, 28, ev->at, tx->source_at);
	bind_ago(st, 29, ev->at, tx->updated_at);
	bind_ago(st, 30, ev->at, tx->status_since);
	bind_ago(st, 31, ev->at, tx->expires_at);
	bind_ago(st, 32, ev->at, tx->finished_at);
	bind_ago(st, 33, ev->at, tx->next_poll_at);
	bind_ago(st, 34, ev->at, tx->due_at);
	bind_int(st, 35, tx->polls);
	bind_int(st, 36, tx->poll_failures);
	bind_int(st, 37, tx->paused);
	bind_ago(st, 38, ev->at, tx->deadline);
	bind_ago(st, 39, ev->at, tx->warned);
	bind_some(st, 40, tx->held);
	return TXW_OK;
}

int32_t columns_bind_event(struct store *s, sqlite3_stmt *st, const txw_event *ev,
			   struct id_bytes *id, txw_error *err)
{
	const txw_str words[] = {ev->tenant, ev->from, ev->to, ev->source};
	int64_t ids[4];
	for (int i = 0; i < 4; i++) {
		int32_t rc = names_put(&s->names, &s->db, words[i], &ids[i], err);
		if (rc < 0)
			return rc;
	}
	txw_id derived = derived_id(ev->at, s->site, ev->seq);
	bind_int(st, 1, ev->seq);
	if (ev->id.hi == derived.hi && ev->id.lo == derived.lo) {
		sqlite3_bind_null(st, 2);
	} else {
		id_pack(id, ev->id);
		sqlite3_bind_blob(st, 2, id->at, sizeof(id->at), SQLITE_STATIC);
	}
	bind_some(st, 3, ev->prev);
	bind_some(st, 4, ev->tx ? ev->tx->key : 0);
	bind_some(st, 5, ids[0]);
	bind_int(st, 6, ev->type);
	bind_int(st, 7, ev->at);
	bind_some(st, 8, ids[1]);
	bind_some(st, 9, ids[2]);
	bind_some(st, 10, ids[3]);
	bind_text(st, 11, ev->actor);
	bind_text(st, 12, ev->source_event_id);
	bind_ago(st, 13, ev->at, ev->source_at);
	bind_text(st, 14, ev->reason);
	bind_text(st, 15, ev->code);
	bind_text(st, 16, ev->detail);
	bind_bytes(st, 41, ev->digest);
	bind_bytes(st, 42, ev->hash);
	bind_text(st, 43, ev->trace);
	if (ev->tx)
		return bind_snapshot(s, st, ev, err);
	for (int i = 17; i <= 40; i++)
		sqlite3_bind_null(st, i);
	return TXW_OK;
}

static void read_snapshot(sqlite3_stmt *st, struct names *names, struct db *db, const txw_event *ev,
			  txw_tx *tx)
{
	*tx = (txw_tx){.size = sizeof(*tx)};
	tx->key = column_int(st, 3);
	tx->tenant = ev->tenant;
	tx->last_seq = ev->seq;
	int64_t status = column_int(st, 16);
	tx->status = status ? names_text(names, db, status) : ev->to;
	tx->version = column_int(st, 17);
	tx->outcome = (uint32_t)column_int(st, 18);
	tx->owner = column_text(st, 19);
	tx->amount = column_text(st, 20);
	tx->currency = column_text(st, 21);
	tx->attributes = column_text(st, 22);
	tx->reason = column_text(st, 23);
	tx->code = column_text(st, 24);
	tx->source_version = column_text(st, 25);
	tx->anomaly = column_text(st, 26);
	tx->source_at = column_ago(st, 27, ev->at);
	tx->updated_at = column_ago(st, 28, ev->at);
	tx->status_since = column_ago(st, 29, ev->at);
	tx->expires_at = column_ago(st, 30, ev->at);
	tx->finished_at = column_ago(st, 31, ev->at);
	tx->next_poll_at = column_ago(st, 32, ev->at);
	tx->due_at = column_ago(st, 33, ev->at);
	tx->polls = column_int(st, 34);
	tx->poll_failures = column_int(st, 35);
	tx->paused = (uint32_t)column_int(st, 36);
	tx->deadline = column_ago(st, 37, ev->at);
	tx->id = column_id(st, 38);
	tx->flow = names_text(names, db, column_int(st, 39));
	tx->ref = column_text(st, 40);
	tx->created_at = column_int(st, 41);
	tx->warned = column_ago(st, 42, ev->at);
	tx->held = (uint32_t)column_int(st, 43);
}

void columns_event(sqlite3_stmt *st, struct names *names, struct db *db, uint32_t site,
		   txw_event *out, txw_tx *tx)
{
	*out = (txw_event){.size = sizeof(*out)};
	out->seq = column_int(st, 0);
	out->at = column_int(st, 6);
	out->id = sqlite3_column_type(st, 1) == SQLITE_NULL ? derived_id(out->at, site, out->seq)
							    : column_id(st, 1);
	out->prev = column_int(st, 2);
	out->tenant = names_text(names, db, column_int(st, 4));
	out->type = (uint32_t)column_int(st, 5);
	out->from = names_text(names, db, column_int(st, 7));
	out->to = names_text(names, db, column_int(st, 8));
	out->source = names_text(names, db, column_int(st, 9));
	out->actor = column_text(st, 10);
	out->source_event_id = column_text(st, 11);
	out->source_at = column_ago(st, 12, out->at);
	out->reason = column_text(st, 13);
	out->code = column_text(st, 14);
	out->detail = column_text(st, 15);
	out->digest = column_bytes(st, 44);
	out->hash = column_bytes(st, 45);
	out->trace = column_text(st, 46);
	if (sqlite3_column_type(st, 3) == SQLITE_NULL)
		return;
	read_snapshot(st, names, db, out, tx);
	out->tx = tx;
}

void columns_delivery(sqlite3_stmt *st, struct names *names, struct db *db, txw_delivery_row *out)
{
	*out = (txw_delivery_row){
	    .size = sizeof(*out),
	    .key = column_int(st, 0),
	    .target = column_int(st, 1),
	    .seq = column_int(st, 2),
	    .tx = column_int(st, 3),
	    .tenant = names_text(names, db, column_int(st, 4)),
	    .state = (uint32_t)column_int(st, 5),
	    .ordered = (uint32_t)column_int(st, 6),
	    .attempts = (uint32_t)column_int(st, 7),
	    .due_at = column_int(st, 8),
	    .created_at = column_int(st, 9),
	    .updated_at = column_int(st, 10),
	    .status = (uint32_t)column_int(st, 11),
	    .reason = column_text(st, 12),
	};
}

void columns_target(sqlite3_stmt *st, struct names *names, struct db *db, txw_target *out)
{
	*out = (txw_target){
	    .size = sizeof(*out),
	    .key = column_int(st, 0),
	    .tenant = names_text(names, db, column_int(st, 1)),
	    .name = column_text(st, 2),
	    .disabled = (uint32_t)column_int(st, 3),
	    .reason = column_text(st, 4),
	    .paused_until = column_int(st, 5),
	    .failing_since = column_int(st, 6),
	    .failures = column_int(st, 7),
	};
}

void columns_doc(sqlite3_stmt *st, txw_doc *out)
{
	*out = (txw_doc){
	    .size = sizeof(*out),
	    .kind = column_text(st, 0),
	    .tenant = column_text(st, 1),
	    .id = column_text(st, 2),
	    .body = column_text(st, 3),
	    .version = column_int(st, 4),
	    .created_at = column_int(st, 5),
	    .updated_at = column_int(st, 6),
	    .expires_at = column_int(st, 7),
	};
}
