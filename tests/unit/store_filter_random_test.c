/*
 * store_filter_random_test.c: the suite every store passes: under random
 * filters random rows are found exactly where the host's own evaluation
 * holds.
 *
 * A filter is made as a tree of texts, written out and parsed as a user's
 * would be. A difference is shrunk to the smallest filter that still shows it
 * and told with the seed, the filter and the row. TXW_SEED runs one seed,
 * TXW_ROUNDS says how many filters each seed tries.
 */
#include "store_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/row.h"
#include "filter/filter.h"

#define N_ROWS      56
#define N_SEEDS     8
#define ROUNDS      250
#define DEPTH       4
#define NODES_MAX   80
#define TEXT_CAP    3000 /* below FILTER_TEXT_MAX */
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))
#define PICK(array) (array)[below(&r->seed, N_OF(array))]

struct tree {
	uint32_t kind;
	const char *test; /* of TXW_F_TEST */
	uint32_t n;
	struct tree *children[4];
};

struct run {
	struct kit *k;
	uint64_t seed;
	txw_tx *rows[N_ROWS]; /* as saved, in the order of their keys */
	uint32_t n_nodes;
};

/* splitmix64 */
static uint64_t random64(uint64_t *seed)
{
	uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static size_t below(uint64_t *seed, size_t n)
{
	return (size_t)(random64(seed) % n);
}

static bool one_in(struct run *r, size_t n)
{
	return below(&r->seed, n) == 0;
}

/* ---- rows ---- */

/* Whatever may trip over case, quoting, wildcards of SQL, or bytes. */
static const char *const TEXTS[] = {
    "",
    "a",
    "A",
    "ada",
    "Ada Lovelace",
    "ADA",
    "b%",
    "b_d",
    "b\\d",
    "*",
    "a*",
    "a*b",
    "it's",
    "say \"hi\"",
    "Ä",
    "ä",
    "ÄRGER",
    "straße",
    "İstanbul",
    "日本語",
    "🙂 ok",
    "e\xcc\x81",
    "\xc3\xa9",
    " a ",
    "a\tb\nc",
    "NULL",
    "0",
    "-0",
    "1.0",
    "1e3",
    "1000",
    "tx_1",
    "%",
    "_",
    "--",
    "a;b",
    "[a]",
    "a.b",
    "true",
    "open",
    "\x7f",
    "AND",
    "\u00df\u1e9e",
    "ﬁ",
};
static const char *const DECIMALS[] = {
    "0",
    "-0",
    "0.0",
    "-0.00",
    "1",
    "1.0",
    "01",
    "1.00000000000000000001",
    "-1",
    "-1.5",
    "7.5",
    "7.50",
    "0.1",
    "0.10",
    "1000",
    "0000999.9",
    "12.5",
    "12.499",
    "-12.5",
    "51",
    "99999999",
    "100000000",
    "9007199254740993",
    "9223372036854775807",
    "99999999999999999999.01",
    "-99999999999999999999.01",
    "0.000000000000000000000000000001",
    "123456789012345678901234567890123456789012345678901234567890",
};
static const char *const NUMBERS[] = {
    "0",
    "-0",
    "-0.0",
    "1",
    "1.0",
    "1e3",
    "1E+2",
    "1e-7",
    "7.5",
    "7.50",
    "-1.25",
    "1000",
    "51",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "0.1",
    "12.499",
    "1e15",
    "1e16",
    "123456.789",
    "1e-300",
    "1.7976931348623157e308",
};
static const char *const KEYS[] = {"a", "b", "n", "country", "Ä", "we\"ird", "a.b", "x y", ""};

static const char *text_of(struct run *r)
{
	return one_in(r, 3) ? PICK(DECIMALS) : PICK(TEXTS);
}

static void add_value(struct run *r, struct buf *b, int depth)
{
	switch (below(&r->seed, depth > 0 ? 8 : 6)) {
	case 0:
	case 1:
		json_str(b, str_of(text_of(r)));
		return;
	case 2:
	case 3:
		json_raw(b, str_of(PICK(NUMBERS)));
		return;
	case 4:
		json_bool(b, one_in(r, 2));
		return;
	case 5:
		json_none(b);
		return;
	case 6:
		json_open(b, '[');
		add_value(r, b, 0);
		json_close(b, ']');
		return;
	default:
		json_open(b, '{');
		for (size_t i = 0; i < N_OF(KEYS); i++) {
			if (!one_in(r, 2))
				continue;
			struct buf key = {0};
			/* json_key takes names that need no escapes */
			json_str(&key, str_of(KEYS[i]));
			if (b->ptr[b->len - 1] != '{')
				buf_char(b, ',');
			buf_str(b, buf_view(&key));
			buf_char(b, ':');
			buf_free(&key);
			add_value(r, b, depth - 1);
		}
		json_close(b, '}');
	}
}

static txw_str attributes_of(struct run *r)
{
	if (one_in(r, 6))
		return STR_NONE;
	struct buf b = {0};
	json_open(&b, '{');
	for (size_t i = 0; i < N_OF(KEYS); i++) {
		if (!one_in(r, 2))
			continue;
		if (b.ptr[b.len - 1] != '{')
			buf_char(&b, ',');
		json_str(&b, str_of(KEYS[i]));
		buf_char(&b, ':');
		add_value(r, &b, 2);
	}
	json_close(&b, '}');
	txw_str s = arena_str(&r->k->arena, buf_view(&b));
	buf_free(&b);
	return s;
}

static txw_time time_of(struct run *r)
{
	static const txw_time times[] = {0,
					 1,
					 KIT_NOW,
					 KIT_NOW - 1,
					 KIT_NOW + 1,
					 KIT_NOW - 3600 * SEC,
					 KIT_NOW - 7200 * SEC,
					 KIT_NOW + 86400 * SEC,
					 INT64_C(253402300799) * SEC};
	return one_in(r, 3) ? KIT_NOW + (txw_time)below(&r->seed, 1000) * SEC : PICK(times);
}

static void save_rows(struct run *r)
{
	static const char *const flows[] = {"payment", "Payment", "refund", "Ärger", "pay%"};
	static const char *const statuses[] = {"pending", "settled", "failed", "a_b", "aXb"};
	static const int64_t versions[] = {0, 1, 2, 3, 10, INT64_C(9007199254740993)};
	struct kit *k = r->k;
	BEGIN();
	for (size_t i = 0; i < N_ROWS; i++) {
		txw_tx *tx = kit_tx(k, kit_printf(k, "%s#%zu", text_of(r), i).ptr);
		tx->tenant = one_in(r, 3) ? STR_LIT("other") : STR_LIT("default");
		tx->flow = str_of(PICK(flows));
		tx->status = str_of(PICK(statuses));
		tx->outcome = (uint32_t)below(&r->seed, 5);
		tx->owner = str_of(text_of(r));
		tx->amount = one_in(r, 4) ? STR_NONE : str_of(PICK(DECIMALS));
		tx->currency = one_in(r, 3) ? STR_NONE : STR_LIT("EUR");
		tx->reason = str_of(text_of(r));
		tx->code = str_of(text_of(r));
		tx->attributes = attributes_of(r);
		tx->version = PICK(versions);
		tx->created_at = time_of(r);
		tx->updated_at = time_of(r);
		tx->status_since = time_of(r);
		tx->expires_at = time_of(r);
		tx->finished_at = time_of(r);
		r->rows[i] = tx;
		OK(k->v->save(k->self, &r->rows[i], 1, &k->err));
	}
	COMMIT();
}

/* ---- filters ---- */

static const char *quoted(struct run *r, txw_str s)
{
	struct buf b = {0};
	char quote = one_in(r, 2) ? '"' : '\'';
	buf_char(&b, quote);
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (c == quote || c == '\\')
			buf_char(&b, '\\');
		if (c == '\n')
			buf_text(&b, "\\n");
		else
			buf_char(&b, c);
	}
	buf_char(&b, quote);
	const char *text = arena_str(&r->k->arena, buf_view(&b)).ptr;
	buf_free(&b);
	return text;
}

static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* The text, a part of it, or the same in other letters. */
static txw_str varied(struct run *r, txw_str s)
{
	size_t from = 0, to = s.len;
	if (s.len && one_in(r, 2)) {
		from = one_in(r, 2) ? 0 : below(&r->seed, s.len);
		to = from + 1 + below(&r->seed, s.len - from);
		while (from > 0 && continues(s.ptr[from]))
			from--;
		while (to < s.len && continues(s.ptr[to]))
			to++;
	}
	char *copy = arena_alloc(&r->k->arena, to - from + 2);
	if (to > from)
		memcpy(copy, s.ptr + from, to - from);
	for (size_t i = 0; one_in(r, 3) && i < to - from; i++)
		if (copy[i] >= 'a' && copy[i] <= 'z')
			copy[i] = (char)(copy[i] - 32);
	if (one_in(r, 4))
		copy[to++ - from] = '*';
	return (txw_str){copy, to - from};
}

static const char *test_text(struct run *r)
{
	static const char *const names[] = {"flow",  "ref",    "status",   "owner",
					    "owner", "reason", "currency", "code"};
	static const char *const ops[] = {"=", "!=", ":"};
	const txw_tx *row = r->rows[below(&r->seed, N_ROWS)];
	const char *name = PICK(names), *op = PICK(ops);
	const txw_str have[] = {row->flow,   row->ref,      row->status, row->owner,
				row->reason, row->currency, row->code};
	txw_str value = one_in(r, 3) ? str_of(PICK(TEXTS)) : PICK(have);
	if (one_in(r, 8))
		return arena_printf(&r->k->arena, "%s:*", name);
	value = varied(r, value);
	if (value.len == 0 && op[0] != ':')
		value = STR_LIT("a");
	return arena_printf(&r->k->arena, "%s %s %s", name, op, quoted(r, value));
}

static const char *test_outcome(struct run *r)
{
	static const char *const tests[] = {
	    "outcome = open",     "outcome != open",     "outcome = success",
	    "outcome != failure", "outcome = cancelled", "outcome != cancelled",
	    "outcome:*",          "outcome:E",           "outcome:ex",
	    "outcome = expired",
	};
	return PICK(tests);
}

static const char *const ORDERS[] = {"=", "!=", "<", "<=", ">", ">="};

static const char *test_number(struct run *r)
{
	const char *name = one_in(r, 3) ? "version" : "amount";
	if (one_in(r, 8))
		return arena_printf(&r->k->arena, "%s:*", name);
	return arena_printf(&r->k->arena, "%s %s %s", name, PICK(ORDERS), PICK(DECIMALS));
}

static const char *test_time(struct run *r)
{
	static const char *const names[] = {"created_at", "updated_at", "status_since",
					    "expires_at", "finished_at"};
	static const char *const values[] = {
	    "now", "-1h", "+1d", "-2h", "2026-09-21", "-0s", "9999-12-31T23:59:59Z"};
	char at[TIME_TEXT_MAX];
	const char *name = PICK(names);
	if (one_in(r, 8))
		return arena_printf(&r->k->arena, "%s:*", name);
	if (one_in(r, 2))
		return arena_printf(&r->k->arena, "%s %s %s", name, PICK(ORDERS), PICK(values));
	at[time_print(at, time_of(r) + 1)] = '\0';
	return arena_printf(&r->k->arena, "%s %s %s", name, PICK(ORDERS), at);
}

static const char *test_attribute(struct run *r)
{
	static const char *const ops[] = {"=", "!=", ":", ":", "=", "<", "<=", ">", ">="};
	struct buf path = {0};
	size_t n = 1 + below(&r->seed, 3);
	buf_text(&path, "attributes");
	for (size_t i = 0; i < n; i++)
		buf_printf(&path, ".%s", quoted(r, str_of(PICK(KEYS))));
	const char *at = arena_str(&r->k->arena, buf_view(&path)).ptr, *op = PICK(ops);
	buf_free(&path);
	if (one_in(r, 8))
		return arena_printf(&r->k->arena, "%s:*", at);
	if (op[0] == '<' || op[0] == '>' || one_in(r, 3))
		return arena_printf(&r->k->arena, "%s %s %s", at, op, PICK(DECIMALS));
	txw_str value = varied(r, str_of(PICK(TEXTS)));
	return arena_printf(&r->k->arena, "%s %s %s", at, op, quoted(r, value));
}

static const char *test_id(struct run *r)
{
	char id[ID_TEXT_MAX];
	size_t n = id_print(id, "tx", r->rows[below(&r->seed, N_ROWS)]->id);
	if (one_in(r, 3))
		return arena_printf(&r->k->arena, "id:%.*s", 6, id + n - 6);
	return arena_printf(&r->k->arena, "id %s %.*s", one_in(r, 2) ? "=" : "!=", (int)n, id);
}

static struct tree *random_tree(struct run *r, int depth)
{
	static const char *(*const tests[])(struct run *) = {
	    test_text, test_text, test_outcome,   test_number,    test_number,
	    test_time, test_time, test_attribute, test_attribute, test_id,
	};
	struct tree *t = arena_alloc(&r->k->arena, sizeof(*t));
	t->kind = depth == 0 ? TXW_F_TEST : 1 + (uint32_t)below(&r->seed, 4);
	if (++r->n_nodes > NODES_MAX)
		t->kind = TXW_F_TEST;
	if (t->kind == TXW_F_TEST)
		t->test = PICK(tests)(r);
	else
		t->n = t->kind == TXW_F_NOT ? 1 : 2 + (uint32_t)below(&r->seed, 2);
	for (uint32_t i = 0; i < t->n; i++)
		t->children[i] = random_tree(r, depth - 1);
	return t;
}

static void print_tree(const struct tree *t, struct buf *b)
{
	if (t->kind == TXW_F_TEST) {
		buf_text(b, t->test);
		return;
	}
	buf_text(b, t->kind == TXW_F_NOT ? "NOT (" : "(");
	for (uint32_t i = 0; i < t->n; i++) {
		buf_text(b, i == 0 ? "" : t->kind == TXW_F_AND ? " AND " : " OR ");
		print_tree(t->children[i], b);
	}
	buf_char(b, ')');
}

static txw_str text_of_tree(struct run *r, const struct tree *t)
{
	struct buf b = {0};
	print_tree(t, &b);
	txw_str s = arena_str(&r->k->arena, buf_view(&b));
	buf_free(&b);
	return s;
}

/* ---- comparing ---- */

/* false: the host refuses it, which for these is a fault of the test. */
static bool parse(struct run *r, const struct tree *t, const txw_filter **out)
{
	struct err e = {0};
	txw_str text = text_of_tree(r, t);
	*out = NULL;
	if (text.len > TEXT_CAP)
		return false;
	if (filter_parse(&r->k->arena, text, FILTER_TX, KIT_NOW, out, &e) == 0)
		return true;
	print_error("the host refuses %.*s\n%s\n", STR_ARG(text), e.text);
	return false;
}

/* The first row that one has and the other has not, or NULL. */
static const txw_tx *difference(struct run *r, const txw_filter *f, bool *host_says)
{
	struct kit *k = r->k;
	txw_tx_query q = {.size = sizeof(q), .limit = 1000, .ascending = 1, .filter = f};
	bag_empty(k);
	OK(k->v->list_tx(k->reader, &q, bag_tx, k, &k->err));
	for (size_t i = 0, at = 0; i < N_ROWS; i++) {
		bool store_says = at < k->n && k->txs[at]->key == r->rows[i]->key;
		at += store_says;
		*host_says = filter_match_tx(f, r->rows[i]);
		if (*host_says != store_says)
			return r->rows[i];
	}
	int64_t counted = (int64_t)k->n;
	if (k->v->size > offsetof(txw_store, count_tx) && k->v->count_tx)
		OK(k->v->count_tx(k->reader, &q, 100000, &counted, &k->err));
	assert_int_equal(counted, k->n);
	return NULL;
}

static bool differs(struct run *r, const struct tree *t)
{
	const txw_filter *f;
	bool host_says;
	return parse(r, t, &f) && difference(r, f, &host_says);
}

/* A smaller tree that still differs, or NULL. */
static struct tree *smaller(struct run *r, struct tree *t)
{
	for (uint32_t i = 0; i < t->n; i++) /* a child alone */
		if (differs(r, t->children[i]))
			return t->children[i];
	for (uint32_t i = 0; t->n > 2 && i < t->n; i++) { /* one child less */
		struct tree *less = arena_alloc(&r->k->arena, sizeof(*less));
		*less = *t;
		less->children[i] = less->children[--less->n];
		if (differs(r, less))
			return less;
	}
	return NULL;
}

/* Shrinks the children too, each within the whole. */
static bool shrink_inside(struct run *r, struct tree *root, struct tree *t)
{
	for (uint32_t i = 0; i < t->n; i++) {
		struct tree *was = t->children[i];
		for (uint32_t j = 0; j < was->n; j++) {
			t->children[i] = was->children[j];
			if (differs(r, root))
				return true;
		}
		t->children[i] = was;
		if (shrink_inside(r, root, was))
			return true;
	}
	return false;
}

static void tell(struct run *r, uint64_t seed, struct tree *t)
{
	for (struct tree *next = t; next; next = smaller(r, t))
		t = next;
	while (shrink_inside(r, t, t))
		;
	const txw_filter *f;
	bool host_says = false;
	struct buf row = {0};
	parse(r, t, &f);
	json_tx(&row, difference(r, f, &host_says));
	print_error(
	    "store.%s, TXW_SEED=%llu\nfilter %.*s\nrow    %.*s\nthe host %s, the store %s\n",
	    r->k->store->name, (unsigned long long)seed, STR_ARG(text_of_tree(r, t)),
	    STR_ARG(buf_view(&row)), host_says ? "has it" : "has it not",
	    host_says ? "has it not" : "has it");
	buf_free(&row);
	fail();
}

static void run_seed(uint64_t seed, size_t rounds)
{
	void *state = NULL;
	assert_int_equal(kit_setup(&state), 0);
	struct run run = {.k = state, .seed = seed}, *r = &run;
	size_t n_parsed = 0, n_some = 0;
	save_rows(r);
	for (size_t i = 0; i < rounds; i++) {
		bool host_says;
		const txw_filter *f;
		r->n_nodes = 0;
		struct tree *t = random_tree(r, (int)below(&r->seed, DEPTH + 1));
		if (!parse(r, t, &f))
			continue;
		n_parsed++;
		if (difference(r, f, &host_says))
			tell(r, seed, t);
		n_some += r->k->n > 0 && r->k->n < N_ROWS;
	}
	/* Filters that are refused, or hold for all or none, prove little. */
	assert_true(n_parsed >= rounds * 9 / 10);
	assert_true(n_some >= rounds / 4);
	kit_teardown(&state);
}

static uint64_t env_number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	return text ? strtoull(text, NULL, 10) : otherwise;
}

static void random_filters_find_the_rows_that_the_host_would(void **state)
{
	(void)state;
	size_t rounds = (size_t)env_number("TXW_ROUNDS", ROUNDS);
	if (getenv("TXW_SEED")) {
		run_seed(env_number("TXW_SEED", 0), rounds);
		return;
	}
	for (uint64_t seed = 1; seed <= N_SEEDS; seed++)
		run_seed(seed, rounds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_filters_find_the_rows_that_the_host_would),
	};
	return cmocka_run_group_tests_name("store filters, random", tests, NULL, NULL);
}
