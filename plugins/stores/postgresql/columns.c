/* columns.c: see columns.h. */
#include "columns.h"

#include <string.h>

#define TX(name, kind)                                       \
	{                                                    \
#name, COLUMN_##kind, offsetof(txw_tx, name) \
	}
#define EV(name, kind)                                          \
	{                                                       \
#name, COLUMN_##kind, offsetof(txw_event, name) \
	}
#define DLV(name, kind)                                                \
	{                                                              \
#name, COLUMN_##kind, offsetof(txw_delivery_row, name) \
	}
#define ATT(name, kind)                                           \
	{                                                         \
#name, COLUMN_##kind, offsetof(txw_attempt, name) \
	}
#define TGT(name, kind)                                          \
	{                                                        \
#name, COLUMN_##kind, offsetof(txw_target, name) \
	}
#define DOC(name, kind)                                       \
	{                                                     \
#name, COLUMN_##kind, offsetof(txw_doc, name) \
	}
#define CNT(name, kind)                                         \
	{                                                       \
#name, COLUMN_##kind, offsetof(txw_count, name) \
	}
#define AS(as, type, name, kind)                        \
	{                                               \
		as, COLUMN_##kind, offsetof(type, name) \
	}
#define END                         \
	{                           \
		NULL, COLUMN_INT, 0 \
	}

/* What an event's row and a transaction's have in common. */
#define SNAPSHOT                                                                                   \
	TX(status, KEY), TX(version, INT), TX(outcome, SOME32), TX(owner, TEXT), TX(amount, TEXT), \
	    TX(currency, TEXT), TX(attributes, TEXT), TX(source_version, TEXT), TX(anomaly, TEXT), \
	    TX(updated_at, INT), TX(status_since, SOME), TX(expires_at, SOME),                     \
	    TX(finished_at, SOME), TX(next_poll_at, SOME), TX(due_at, SOME), TX(polls, INT),       \
	    TX(poll_failures, INT), TX(paused, INT32), TX(deadline, SOME), TX(warned, SOME),       \
	    TX(held, SOME32)

const struct column TX_COLUMNS[] = {
    TX(key, INT),     TX(id, ID),          TX(tenant, KEY),    TX(flow, KEY),
    TX(ref, KEY),     TX(created_at, INT), TX(last_seq, SOME), TX(source_at, SOME),
    TX(reason, TEXT), TX(code, TEXT),      SNAPSHOT,           END};

const struct column EVENT_COLUMNS[] = {EV(seq, INT),
				       EV(id, ID),
				       EV(prev, SOME),
				       EV(tenant, KEY),
				       EV(type, INT32),
				       EV(at, INT),
				       AS("from_status", txw_event, from, TEXT),
				       AS("to_status", txw_event, to, TEXT),
				       EV(source, TEXT),
				       EV(actor, TEXT),
				       EV(source_event_id, TEXT),
				       EV(source_at, SOME),
				       EV(reason, TEXT),
				       EV(code, TEXT),
				       EV(detail, TEXT),
				       EV(digest, BYTES),
				       EV(hash, BYTES),
				       EV(trace, TEXT),
				       END};

const struct column SNAPSHOT_COLUMNS[] = {AS("tx", txw_tx, key, SOME),
					  AS("tx_reason", txw_tx, reason, TEXT),
					  AS("tx_code", txw_tx, code, TEXT),
					  AS("tx_source_at", txw_tx, source_at, SOME),
					  SNAPSHOT,
					  END};

const struct column SNAPSHOT_TX[] = {TX(id, ID), TX(flow, KEY), TX(ref, KEY), TX(created_at, INT),
				     END};

const struct column DELIVERY_COLUMNS[] = {DLV(key, INT),         DLV(target, INT),
					  DLV(seq, INT),         DLV(tx, SOME),
					  DLV(tenant, KEY),      DLV(state, INT32),
					  DLV(ordered, INT32),   DLV(attempts, INT32),
					  DLV(due_at, SOME),     DLV(created_at, INT),
					  DLV(updated_at, SOME), DLV(status, SOME32),
					  DLV(reason, TEXT),     END};

const struct column ATTEMPT_COLUMNS[] = {ATT(delivery, INT),
					 ATT(n, INT32),
					 ATT(at, INT),
					 ATT(verdict, INT32),
					 ATT(status, SOME32),
					 ATT(took, SOME),
					 ATT(connect_took, SOME),
					 ATT(tls_took, SOME),
					 ATT(first_byte_took, SOME),
					 ATT(peer, TEXT),
					 ATT(reason, TEXT),
					 ATT(response, TEXT),
					 END};

const struct column TARGET_COLUMNS[] = {TGT(key, INT),
					TGT(tenant, KEY),
					TGT(name, KEY),
					TGT(disabled, INT32),
					TGT(reason, TEXT),
					TGT(paused_until, SOME),
					TGT(failing_since, SOME),
					TGT(failures, INT),
					END};

const struct column DOC_COLUMNS[] = {
    DOC(kind, KEY),       DOC(tenant, KEY),      DOC(id, KEY),
    DOC(body, TEXT),      DOC(version, INT),     DOC(created_at, INT),
    DOC(updated_at, INT), DOC(expires_at, SOME), END};

const struct column COUNT_COLUMNS[] = {CNT(bucket, INT),
				       CNT(tenant, KEY),
				       CNT(flow, KEY),
				       CNT(kind, KEY),
				       CNT(key, KEY),
				       CNT(count, INT),
				       END};

const struct column DIGEST_COLUMNS[] = {EV(seq, INT), EV(digest, BYTES), EV(hash, BYTES), END};

size_t columns_count(const struct column *c)
{
	size_t n = 0;
	while (c[n].name)
		n++;
	return n;
}

void columns_names(struct text *t, const struct column *c, const char *alias)
{
	for (size_t i = 0; c[i].name; i++)
		text_print(t, "%s%s.%s", i ? ", " : "", alias, c[i].name);
}

static uint32_t oid_of(enum column_kind kind)
{
	switch (kind) {
	case COLUMN_KEY:
	case COLUMN_TEXT:
		return ARGS_TEXT;
	case COLUMN_BYTES:
		return ARGS_BYTES;
	case COLUMN_ID:
		return ARGS_ID;
	default:
		return ARGS_INT;
	}
}

void columns_arrays(struct text *t, const struct column *c, size_t first)
{
	for (size_t i = 0; c[i].name; i++) {
		uint32_t oid = oid_of(c[i].kind);
		const char *type = oid == ARGS_TEXT    ? "text"
				   : oid == ARGS_BYTES ? "bytea"
				   : oid == ARGS_ID    ? "uuid"
						       : "bigint";
		text_print(t, "%s$%zu::%s[]", i ? ", " : "", first + i, type);
	}
}

static void bind_one(struct args *a, const struct column *c, const char *row)
{
	const void *at = row + c->at;
	int64_t number = 0;
	uint32_t small = 0;
	txw_str text = {NULL, 0};
	txw_id id;
	switch (c->kind) {
	case COLUMN_INT:
	case COLUMN_SOME:
		memcpy(&number, at, sizeof(number));
		break;
	case COLUMN_INT32:
	case COLUMN_SOME32:
		memcpy(&small, at, sizeof(small));
		number = small;
		break;
	case COLUMN_ID:
		memcpy(&id, at, sizeof(id));
		args_item_id(a, id);
		return;
	default:
		memcpy(&text, at, sizeof(text));
		if (c->kind == COLUMN_BYTES)
			args_item_bytes(a, text);
		else
			args_item_text(a, text, c->kind == COLUMN_KEY);
		return;
	}
	if (number == 0 && (c->kind == COLUMN_SOME || c->kind == COLUMN_SOME32))
		args_item_null(a);
	else
		args_item_int(a, number);
}

void columns_bind(struct args *a, const struct column *c, const void *const *rows, size_t n)
{
	for (; c->name; c++) {
		args_array(a, oid_of(c->kind), n);
		for (size_t i = 0; i < n; i++) {
			if (rows[i])
				bind_one(a, c, rows[i]);
			else
				args_item_null(a);
		}
		args_array_end(a);
	}
}

int64_t column_int(const PGresult *r, int row, int at)
{
	const unsigned char *p = (const unsigned char *)PQgetvalue(r, row, at);
	int n = PQgetlength(r, row, at);
	if (n == 0 || PQgetisnull(r, row, at))
		return 0;
	uint64_t v = p[0] & 0x80 ? UINT64_MAX : 0; /* smaller ones are signed too */
	for (int i = 0; i < n; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

txw_str column_text(const PGresult *r, int row, int at)
{
	int n = PQgetlength(r, row, at);
	return n ? (txw_str){PQgetvalue(r, row, at), (size_t)n} : (txw_str){NULL, 0};
}

static txw_id column_id(const PGresult *r, int row, int at)
{
	const unsigned char *p = (const unsigned char *)PQgetvalue(r, row, at);
	txw_id id = {0, 0};
	if (PQgetlength(r, row, at) != 16)
		return id;
	for (int k = 0; k < 8; k++) {
		id.hi = id.hi << 8 | p[k];
		id.lo = id.lo << 8 | p[8 + k];
	}
	return id;
}

int columns_read(const PGresult *r, int row, int at, const struct column *c, void *out)
{
	for (; c->name; c++, at++) {
		char *to = (char *)out + c->at;
		int64_t number;
		uint32_t small;
		txw_str text;
		txw_id id;
		switch (c->kind) {
		case COLUMN_INT:
		case COLUMN_SOME:
			number = column_int(r, row, at);
			memcpy(to, &number, sizeof(number));
			break;
		case COLUMN_INT32:
		case COLUMN_SOME32:
			small = (uint32_t)column_int(r, row, at);
			memcpy(to, &small, sizeof(small));
			break;
		case COLUMN_ID:
			id = column_id(r, row, at);
			memcpy(to, &id, sizeof(id));
			break;
		default:
			text = column_text(r, row, at);
			memcpy(to, &text, sizeof(text));
			break;
		}
	}
	return at;
}

void columns_event_names(struct text *t)
{
	columns_names(t, EVENT_COLUMNS, "e");
	text_add(t, ", ");
	columns_names(t, SNAPSHOT_COLUMNS, "e");
	text_add(t, ", ");
	columns_names(t, SNAPSHOT_TX, "t");
}

int columns_event(const PGresult *r, int row, int at, txw_event *out, txw_tx *tx)
{
	*out = (txw_event){.size = sizeof(*out)};
	*tx = (txw_tx){.size = sizeof(*tx)};
	at = columns_read(r, row, at, EVENT_COLUMNS, out);
	at = columns_read(r, row, at, SNAPSHOT_COLUMNS, tx);
	at = columns_read(r, row, at, SNAPSHOT_TX, tx);
	if (tx->key) {
		tx->tenant = out->tenant;
		tx->last_seq = out->seq;
		out->tx = tx;
	}
	return at;
}
