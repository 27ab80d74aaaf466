/* counts_test.c: the rollups say what a recount of the rows would. */
#include "site_kit.h"

#include "engine/readers.h"

static int setup(void **state)
{
	struct kit *k = xcalloc(1, sizeof(*k));
	kit_open(k, KIT_FLOWS);
	*state = k;
	return 0;
}

static int teardown(void **state)
{
	kit_fail_commits(0);
	kit_close(*state);
	free(*state);
	return 0;
}

/* flow, outcome/status -> how many. */
struct tally {
	size_t n;
	struct {
		char name[128];
		int64_t count;
	} rows[64];
};

static void tally_add(struct tally *t, const char *name, int64_t by)
{
	size_t i = 0;
	while (i < t->n && strcmp(t->rows[i].name, name) != 0)
		i++;
	assert_true(i < COUNT(t->rows));
	if (i == t->n)
		snprintf(t->rows[t->n++].name, sizeof(t->rows[i].name), "%s", name);
	t->rows[i].count += by;
}

static int64_t tally_get(const struct tally *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->rows[i].name, name) == 0)
			return t->rows[i].count;
	return 0;
}

static int32_t take_count(void *ctx, const txw_count *c)
{
	char name[128];
	assert_true(c->count > 0);
	snprintf(name, sizeof(name), "%.*s %.*s", STR_ARG(c->flow), STR_ARG(c->key));
	tally_add(ctx, name, c->count);
	return 0;
}

static int32_t take_tx(void *ctx, const txw_tx *row)
{
	char name[128];
	snprintf(name, sizeof(name), "%.*s %s/%.*s", STR_ARG(row->flow), outcome_name(row->outcome),
		 STR_ARG(row->status));
	tally_add(ctx, name, 1);
	return 0;
}

static int32_t take_event(void *ctx, const txw_event *ev)
{
	char name[128];
	snprintf(name, sizeof(name), "%.*s %s", STR_ARG(ev->tx->flow), event_type_name(ev->type));
	tally_add(ctx, name, 1);
	return 0;
}

static void same_tallies(const struct tally *a, const struct tally *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		if (a->rows[i].count != tally_get(b, a->rows[i].name))
			print_error("%s\n", a->rows[i].name);
		assert_int_equal(a->rows[i].count, tally_get(b, a->rows[i].name));
	}
}

static void expect_recount(struct kit *k)
{
	void *reader = readers_mine(k->readers);
	const txw_store *v = readers_store(k->readers);
	struct err e;
	struct tally counted = {0}, real = {0};
	txw_count_query now = {.size = sizeof(now), .kind = STR_LIT("now")};
	txw_tx_query all = {.size = sizeof(all), .limit = 1000};
	assert_true(READ_CALL(v, &e, list_counts, reader, &now, take_count, &counted) >= 0);
	assert_true(READ_CALL(v, &e, list_tx, reader, &all, take_tx, &real) >= 0);
	same_tallies(&counted, &real);

	struct tally events = {0}, log = {0};
	txw_count_query days = {.size = sizeof(days), .kind = STR_LIT("events")};
	txw_event_query query = {.size = sizeof(query), .limit = 1000};
	assert_true(READ_CALL(v, &e, list_counts, reader, &days, take_count, &events) >= 0);
	assert_true(READ_CALL(v, &e, list_events, reader, &query, take_event, &log) >= 0);
	same_tallies(&events, &log);
}

static uint32_t draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % below;
}

static void counts_equal_a_recount_after_refusals_and_undone_batches(void **state)
{
	static const char *const WORDS[] = {"pending", "settled", "failed", "nosuch"};
	static char refs[16][16];
	struct kit *k = *state;
	uint32_t seed = 7;
	size_t undone = 0;
	for (int i = 0; i < 16; i++)
		snprintf(refs[i], sizeof(refs[i]), "P%d", i);
	for (int round = 0; round < 25; round++) {
		struct op ops[8];
		for (size_t i = 0; i < COUNT(ops); i++) {
			const char *ref = refs[draw(&seed, 16)];
			const char *word = WORDS[draw(&seed, 40) ? draw(&seed, 3) : 3];
			ops[i] = draw(&seed, 2) ? op_create("payment", ref, NULL)
						: op_status("payment", ref, word);
			ops[i].dry_run = draw(&seed, 10) == 0;
		}
		kit_fail_commits(draw(&seed, 6) == 0 ? TXW_E_FULL : 0);
		const struct batch *b = kit_batch(k, ops, COUNT(ops), draw(&seed, 2));
		undone += b->job.rc != 0;
		kit_fail_commits(0);
		expect_recount(k);
	}
	assert_true(undone > 3);
	kit_reopen(k, KIT_FLOWS);
	expect_recount(k);
}

static void an_undone_batch_in_a_group_counts_nothing_of_the_others_twice(void **state)
{
	struct kit *k = *state;
	struct op good[] = {op_create("payment", "A", NULL), op_status("payment", "A", "settled")};
	struct op bad[] = {op_create("payment", "B", NULL), op_status("payment", "C", "settled")};
	/* One group of three: the second is undone and the others made anew. */
	kit_submit(k, good, 1, false);
	kit_submit(k, bad, COUNT(bad), true);
	kit_batch(k, good, COUNT(good), false);
	expect_recount(k);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(counts_equal_a_recount_after_refusals_and_undone_batches),
	    T(an_undone_batch_in_a_group_counts_nothing_of_the_others_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
