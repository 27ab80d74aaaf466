/*
 * order.c: see order.h.
 *
 * No value is NULL, which SQLite sorts before any other, as the role wants
 * it; a comparison with NULL must be written out.
 */
#include "order.h"

#include <string.h>

#define AT(member) offsetof(txw_tx, member)

enum key_kind { KEY_TEXT, KEY_ALWAYS, KEY_INT, KEY_ID, KEY_DECIMAL, KEY_OUTCOME };

static const struct key {
	uint32_t field;
	enum key_kind kind; /* ALWAYS: a text that is never "none" */
	size_t offset;      /* in txw_tx */
	const char *sql;
} KEYS[] = {
    {TXW_FIELD_ID, KEY_ID, AT(id), "t.id"},
    {TXW_FIELD_FLOW, KEY_TEXT, AT(flow), "(SELECT text FROM name WHERE id = t.flow)"},
    {TXW_FIELD_REF, KEY_ALWAYS, AT(ref), "t.ref"},
    {TXW_FIELD_STATUS, KEY_TEXT, AT(status), "(SELECT text FROM name WHERE id = t.status)"},
    {TXW_FIELD_OUTCOME, KEY_OUTCOME, AT(outcome),
     "(CASE ifnull(t.outcome, 0) WHEN 0 THEN 'open' WHEN 1 THEN 'success' WHEN 2 THEN 'failure'"
     " WHEN 3 THEN 'cancelled' WHEN 4 THEN 'expired' END)"},
    {TXW_FIELD_OWNER, KEY_TEXT, AT(owner), "t.owner"},
    {TXW_FIELD_AMOUNT, KEY_DECIMAL, AT(amount), "txw_sortable(t.amount)"},
    {TXW_FIELD_CURRENCY, KEY_TEXT, AT(currency), "t.currency"},
    {TXW_FIELD_REASON, KEY_TEXT, AT(reason), "t.reason"},
    {TXW_FIELD_CODE, KEY_TEXT, AT(code), "t.code"},
    {TXW_FIELD_VERSION, KEY_INT, AT(version), "nullif(t.version, 0)"},
    {TXW_FIELD_CREATED_AT, KEY_INT, AT(created_at), "nullif(t.created_at, 0)"},
    {TXW_FIELD_UPDATED_AT, KEY_INT, AT(updated_at), "nullif(t.updated_at, 0)"},
    {TXW_FIELD_STATUS_SINCE, KEY_INT, AT(status_since), "t.status_since"},
    {TXW_FIELD_EXPIRES_AT, KEY_INT, AT(expires_at), "t.expires_at"},
    {TXW_FIELD_FINISHED_AT, KEY_INT, AT(finished_at), "t.finished_at"},
};

static const struct key *key_of(uint32_t field)
{
	for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++)
		if (KEYS[i].field == field)
			return &KEYS[i];
	return NULL;
}

int32_t order_check(const txw_tx_query *q, struct db *db, txw_error *err)
{
	for (uint32_t i = 0; i < q->n_order; i++)
		if (!key_of(q->order[i].field))
			return db_say(db, TXW_E_UNSUPPORTED, err,
				      "this store knows no order by field %u", q->order[i].field);
	return TXW_OK;
}

void order_columns(struct sql_text *t, const txw_tx_query *q)
{
	for (uint32_t i = 0; i < q->n_order; i++) {
		sql_text_add(t, ", ");
		sql_text_add(t, key_of(q->order[i].field)->sql);
		sql_text_add(t, " AS o");
		sql_text_int(t, i);
	}
}

void order_by(struct sql_text *t, const txw_tx_query *q)
{
	sql_text_add(t, " ORDER BY ");
	for (uint32_t i = 0; i < q->n_order; i++) {
		sql_text_add(t, "o");
		sql_text_int(t, i);
		sql_text_add(t, q->order[i].descending ? " DESC, " : ", ");
	}
	sql_text_add(t, q->ascending ? "key" : "key DESC");
}

/* ---- what comes after a row ---- */

static const char *const OUTCOMES[] = {"open", "success", "failure", "cancelled", "expired"};

static bool has_value(const struct key *k, const txw_tx *row)
{
	const char *at = (const char *)row + k->offset;
	txw_str text = {NULL, 0};
	int64_t number = 0;
	switch (k->kind) {
	case KEY_TEXT:
	case KEY_DECIMAL:
		memcpy(&text, at, sizeof(text));
		return text.len != 0;
	case KEY_INT:
		memcpy(&number, at, sizeof(number));
		return number != 0;
	case KEY_OUTCOME:
		return row->outcome < sizeof(OUTCOMES) / sizeof(OUTCOMES[0]);
	default:
		return true;
	}
}

bool order_has_value(const txw_tx_query *q, const txw_tx *row)
{
	return has_value(key_of(q->order[0].field), row);
}

static void bind_value(struct sql_text *t, const struct key *k, const txw_tx *row)
{
	const char *at = (const char *)row + k->offset;
	txw_str text = {NULL, 0};
	int64_t number;
	sql_text_add(t, k->kind == KEY_DECIMAL ? "txw_sortable(?)" : "?");
	switch (k->kind) {
	case KEY_INT:
		memcpy(&number, at, sizeof(number));
		sql_text_bind_int(t, number);
		return;
	case KEY_ID:
		sql_text_bind_id(t, row->id);
		return;
	case KEY_OUTCOME:
		text.ptr = OUTCOMES[row->outcome];
		text.len = strlen(text.ptr);
		break;
	default:
		memcpy(&text, at, sizeof(text));
	}
	sql_text_bind_text(t, text);
}

static void add_equal(struct sql_text *t, const struct key *k, const txw_tx *row)
{
	sql_text_add(t, k->sql);
	if (has_value(k, row)) {
		sql_text_add(t, " = ");
		bind_value(t, k, row);
	} else {
		sql_text_add(t, " IS NULL");
	}
}

static void add_beyond(struct sql_text *t, const struct key *k, const txw_tx *row, bool descending)
{
	if (!has_value(k, row)) {
		sql_text_add(t, descending ? SQL_NEVER : k->sql);
		sql_text_add(t, descending ? "" : " IS NOT NULL");
		return;
	}
	sql_text_add(t, "(");
	sql_text_add(t, k->sql);
	sql_text_add(t, descending ? " < " : " > ");
	bind_value(t, k, row);
	if (descending && k->kind != KEY_ALWAYS) {
		sql_text_add(t, " OR ");
		sql_text_add(t, k->sql);
		sql_text_add(t, " IS NULL");
	}
	sql_text_add(t, ")");
}

void order_seek(struct sql_text *t, const txw_tx_query *q)
{
	const struct key *k = key_of(q->order[0].field);
	sql_text_add(t, " AND ");
	sql_text_add(t, k->sql);
	sql_text_add(t, q->order[0].descending ? " <= " : " >= ");
	bind_value(t, k, q->after_row);
}

void order_after(struct sql_text *t, const txw_tx_query *q)
{
	const txw_tx *row = q->after_row;
	sql_text_add(t, " AND (");
	for (uint32_t i = 0; i <= q->n_order; i++) {
		sql_text_add(t, i ? " OR (" : "(");
		for (uint32_t k = 0; k < i; k++) {
			add_equal(t, key_of(q->order[k].field), row);
			sql_text_add(t, " AND ");
		}
		if (i < q->n_order) {
			add_beyond(t, key_of(q->order[i].field), row, q->order[i].descending);
		} else {
			sql_text_add(t, q->ascending ? "t.key > " : "t.key < ");
			sql_text_int(t, row->key);
		}
		sql_text_add(t, ")");
	}
	sql_text_add(t, ")");
}
