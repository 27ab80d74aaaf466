/*
 * tx_count.c: how many transactions there are, and of what; tx_query.h.
 *
 * What is asked of flows, statuses and outcomes alone was counted as it
 * happened (the rollups of kind "now"): exact, and as quick for a million rows
 * as for ten. Anything else is counted by looking, up to a limit.
 */
#include <stdlib.h>

#include "api/handlers.h"
#include "api/tx_query.h"
#include "filter/filter.h"

static const struct {
	const char *name;
	uint32_t field;
} FACETS[] = {
    {"flow", TXW_FIELD_FLOW}, {"status", TXW_FIELD_STATUS}, {"outcome", TXW_FIELD_OUTCOME}};
#define N_FACETS (sizeof(FACETS) / sizeof(FACETS[0]))

static bool take_facet(struct tx_counts *k, txw_str word)
{
	for (size_t i = 0; i < N_FACETS; i++) {
		if (!str_is(word, FACETS[i].name))
			continue;
		for (size_t n = 0; n < k->n_fields; n++)
			if (k->fields[n] == FACETS[i].field)
				return true;
		k->fields[k->n_fields++] = FACETS[i].field;
		return true;
	}
	return false;
}

bool tx_counts_parse(struct call *c, struct tx_counts *k)
{
	size_t n = 0;
	*k = (struct tx_counts){0};
	if (!query_bool(c, "count", &k->wants_total))
		return false;
	txw_str text = http_query(c->request, "facets", &n);
	while (n && text.len) {
		const char *comma = memchr(text.ptr, ',', text.len);
		size_t len = comma ? (size_t)(comma - text.ptr) : text.len;
		txw_str word = {text.ptr, len};
		text = comma ? (txw_str){comma + 1, text.len - len - 1} : STR_NONE;
		if (take_facet(k, word))
			continue;
		call_problem(c, PROBLEM_INVALID,
			     "facets: there are flow, status and outcome, not \"%.*s\"",
			     STR_ARG(word));
		return false;
	}
	return true;
}

/* Is it about flow, status and outcome, and nothing else? */
static bool is_of_states(const txw_filter *f)
{
	if (!f)
		return true;
	if (f->kind == TXW_F_TEST)
		return f->field == TXW_FIELD_FLOW || f->field == TXW_FIELD_STATUS ||
		       f->field == TXW_FIELD_OUTCOME;
	for (uint32_t i = 0; i < f->n_children; i++)
		if (!is_of_states(f->children[i]))
			return false;
	return true;
}

/* What was found, by field and value. */
struct tally {
	const txw_tx_query *q;
	const struct tx_counts *asked;
	int64_t total;
	struct facet {
		uint32_t field;
		char *value;
		int64_t count;
	} * rows;
	size_t n, cap;
};

static void tally_add(struct tally *t, uint32_t field, txw_str value, int64_t count)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->rows[i].field == field && str_is(value, t->rows[i].value)) {
			t->rows[i].count += count;
			return;
		}
	}
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 32;
		t->rows = xrealloc(t->rows, t->cap * sizeof(*t->rows));
	}
	t->rows[t->n++] = (struct facet){field, str_dup(value), count};
}

static void tally_free(struct tally *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->rows[i].value);
	free(t->rows);
}

/* A count of kind "now": its key is OUTCOME/STATUS. */
static int32_t take_count(void *ctx, const txw_count *row)
{
	struct tally *t = ctx;
	const char *slash = row->key.len ? memchr(row->key.ptr, '/', row->key.len) : NULL;
	if (!slash)
		return 0;
	size_t at = (size_t)(slash - row->key.ptr);
	txw_str outcome = {row->key.ptr, at};
	txw_tx tx = {
	    .size = sizeof(tx), .flow = row->flow, .status = {slash + 1, row->key.len - at - 1}};
	if (!outcome_parse(outcome, &tx.outcome) || !filter_match_tx(t->q->filter, &tx))
		return 0;
	t->total += row->count;
	for (size_t i = 0; i < t->asked->n_fields; i++) {
		uint32_t field = t->asked->fields[i];
		tally_add(t, field,
			  field == TXW_FIELD_FLOW     ? tx.flow
			  : field == TXW_FIELD_STATUS ? tx.status
						      : outcome,
			  row->count);
	}
	return 0;
}

static int32_t take_facet_row(void *ctx, uint32_t field, txw_str value, int64_t count)
{
	tally_add(ctx, field, value, count);
	return 0;
}

static bool is_counted(const txw_tx_query *q, const txw_store *store)
{
	return store->list_counts && store->add_counts && q->text.len == 0 && q->tenant.len &&
	       is_of_states(q->filter);
}

static int32_t read_counts(struct tally *t, const txw_store *store, void *reader, struct err *e)
{
	txw_count_query now = {.size = sizeof(now), .tenant = t->q->tenant, .kind = STR_LIT("now")};
	return READ_CALL(store, e, list_counts, reader, &now, take_count, t);
}

/* Most first, then by value. */
static int by_count(const void *x, const void *y)
{
	const struct facet *a = x, *b = y;
	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	return strcmp(a->value, b->value);
}

static void add_facets(struct tally *t, struct buf *b)
{
	json_key(b, "facets");
	json_open(b, '{');
	if (t->n)
		qsort(t->rows, t->n, sizeof(*t->rows), by_count);
	for (size_t i = 0; i < t->asked->n_fields; i++) {
		for (size_t n = 0; n < N_FACETS; n++)
			if (FACETS[n].field == t->asked->fields[i])
				json_key(b, FACETS[n].name);
		json_open(b, '[');
		for (size_t n = 0; n < t->n; n++) {
			if (t->rows[n].field != t->asked->fields[i] || t->rows[n].count <= 0)
				continue;
			json_open(b, '{');
			json_m_text(b, "value", t->rows[n].value);
			json_m_int(b, "count", t->rows[n].count);
			json_close(b, '}');
		}
		json_close(b, ']');
	}
	json_close(b, '}');
}

int32_t tx_counts_exceed(const txw_tx_query *q, const txw_store *store, void *reader, int64_t limit,
			 bool *out, struct err *e)
{
	static const struct tx_counts NONE;
	struct tally t = {.q = q, .asked = &NONE};
	int32_t rc;
	if (is_counted(q, store))
		rc = read_counts(&t, store, reader, e);
	else if (store->count_tx)
		rc = READ_CALL(store, e, count_tx, reader, q, limit + 1, &t.total);
	else
		rc = err_set(e, TXW_E_INVALID, "this site's store does not count");
	*out = t.total > limit;
	return rc;
}

static int32_t add_total(struct tally *t, bool is_known, const txw_store *store, void *reader,
			 struct buf *b, struct err *e)
{
	int32_t rc = 0;
	if (!is_known)
		rc = READ_CALL(store, e, count_tx, reader, t->q, COUNT_MAX + 1, &t->total);
	bool is_more = !is_known && t->total > COUNT_MAX;
	json_m_int(b, "total", is_more ? COUNT_MAX : t->total);
	if (is_more)
		json_m_bool(b, "total_is_at_least", 1);
	return rc;
}

int32_t tx_counts_add(const struct tx_counts *k, const struct call *c, const txw_tx_query *q,
		      const txw_store *store, void *reader, struct answer *a, struct err *e)
{
	struct tally t = {.q = q, .asked = k};
	bool is_known = is_counted(q, store);
	int32_t rc = 0;
	if (!k->wants_total && k->n_fields == 0)
		return 0;
	if (is_known)
		rc = read_counts(&t, store, reader, e);
	else if (!store->count_tx || !store->facet_tx)
		rc = err_set(e, TXW_E_INVALID, "this site's store does not count");
	else if (k->n_fields)
		rc = READ_CALL(store, e, facet_tx, reader, q, k->fields, k->n_fields,
			       FACET_ROWS_MAX, take_facet_row, &t);
	if (rc >= 0 && k->wants_total)
		rc = add_total(&t, is_known, store, reader, &a->body, e);
	if (rc >= 0 && k->n_fields)
		add_facets(&t, &a->body);
	if (rc == TXW_E_FULL) {
		answer_problem(a, c, PROBLEM_TOO_BROAD,
			       "facets of such a query are counted over at most %d transactions, "
			       "and there are more: narrow it",
			       FACET_ROWS_MAX);
		rc = 0;
	}
	tally_free(&t);
	return rc;
}
