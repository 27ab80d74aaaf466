/* metrics_test.c: counters, gauges and histograms, and their snapshot. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "measure/metrics.h"

static const double BOUNDS[] = {1, 5, 10};

static const struct metric_row POLLS = {
    .name = "txwatch_polls_total",
    .help = "Polls made",
    .type = TXW_METRIC_COUNTER,
    .labels = {"instance", "result"},
};
static const struct metric_row DEPTH = {
    .name = "txwatch_depth",
    .help = "Queued changes",
    .type = TXW_METRIC_GAUGE,
};
static const struct metric_row TOOK = {
    .name = "txwatch_took_seconds",
    .help = "How long it took",
    .unit = "seconds",
    .type = TXW_METRIC_HISTOGRAM,
    .bounds = BOUNDS,
    .n_bounds = 3,
};
static const struct metric_row CAPPED = {
    .name = "txwatch_capped_total",
    .help = "Has few series",
    .type = TXW_METRIC_COUNTER,
    .labels = {"who"},
    .max_series = 3,
};

static int setup(void **state)
{
	*state = metrics_open();
	return 0;
}

static int teardown(void **state)
{
	metrics_close(*state);
	return 0;
}

static struct series *capped(struct metric *metric, const char *who)
{
	const char *const values[] = {who, NULL};
	return metric_series(metric, values);
}

static void the_same_name_returns_the_metric_that_is_there(void **state)
{
	assert_ptr_equal(metric_define(*state, &DEPTH), metric_define(*state, &DEPTH));
}

static void the_same_label_values_return_the_same_series(void **state)
{
	struct metric *polls = metric_define(*state, &POLLS);
	const char *const ok[] = {"bank", "ok"}, *const also_ok[] = {"bank", "ok"};
	const char *const shifted[] = {"ban", "kok"};
	assert_ptr_equal(metric_series(polls, ok), metric_series(polls, also_ok));
	assert_ptr_not_equal(metric_series(polls, ok), metric_series(polls, shifted));
}

static void a_counter_adds_whole_and_broken_amounts_and_never_falls(void **state)
{
	struct metric *polls = metric_define(*state, &POLLS);
	const char *const values[] = {"bank", "ok"};
	struct series *s = metric_series(polls, values);
	series_add(s, 2);
	series_add(s, 0.25);
	series_add(s, 3.5);
	series_add(s, -7);
	series_add(s, NAN);
	series_add(s, INFINITY);
	assert_true(series_value(s) == 5.75);
}

static void a_gauge_is_what_it_was_last_set_to(void **state)
{
	struct series *s = metric_only(metric_define(*state, &DEPTH));
	series_set(s, 12);
	series_set(s, -1.5);
	assert_true(series_value(s) == -1.5);
}

static void values_past_the_cap_are_counted_as_other(void **state)
{
	struct metric *metric = metric_define(*state, &CAPPED);
	struct series *a = capped(metric, "a"), *b = capped(metric, "b");
	struct series *c = capped(metric, "c"), *d = capped(metric, "d");
	assert_ptr_not_equal(a, b);
	assert_ptr_equal(c, d);
	assert_ptr_not_equal(b, c);
	assert_ptr_equal(capped(metric, "a"), a);
	assert_ptr_equal(capped(metric, "other"), c);
}

#define UPDATES 20000
static void *hammer(void *arg)
{
	struct series **s = arg;
	for (int i = 0; i < UPDATES; i++) {
		series_add(s[0], i % 2 ? 1 : 0.5);
		series_observe(s[1], 2);
	}
	return NULL;
}

static void updates_from_several_threads_are_all_counted(void **state)
{
	struct series *s[2] = {capped(metric_define(*state, &CAPPED), "a"),
			       metric_only(metric_define(*state, &TOOK))};
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, hammer, s);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_true(series_value(s[0]) == 3 * UPDATES * 0.75);
	assert_true(series_value(s[1]) == 3 * UPDATES * 2.0);
}

/* ---- snapshots ---- */

struct seen {
	size_t families;
	char names[256];
	uint64_t counts[4];
	uint64_t count;
	double sum;
	double depth;
	char labels[128];
};

static void look(void *ctx, const txw_family *families, size_t n)
{
	struct seen *seen = ctx;
	seen->families = n;
	for (size_t i = 0; i < n; i++) {
		const txw_family *f = &families[i];
		size_t used = strlen(seen->names);
		(void)snprintf(seen->names + used, sizeof(seen->names) - used, "%.*s ",
			       STR_ARG(f->name));
		if (f->n_bounds == 3 && f->n == 1) {
			memcpy(seen->counts, f->samples[0].counts, sizeof(seen->counts));
			seen->count = f->samples[0].count;
			seen->sum = f->samples[0].sum;
		}
		if (str_is(f->name, "txwatch_depth"))
			seen->depth = f->samples[0].value;
		for (size_t k = 0; str_is(f->name, "txwatch_polls_total") && k < f->n; k++) {
			const txw_label *l = f->samples[k].labels;
			used = strlen(seen->labels);
			(void)snprintf(seen->labels + used, sizeof(seen->labels) - used,
				       "%.*s=%.*s,%.*s=%.*s:%g ", STR_ARG(l[0].name),
				       STR_ARG(l[0].value), STR_ARG(l[1].name), STR_ARG(l[1].value),
				       f->samples[k].value);
		}
	}
}

static void a_snapshot_is_sorted_by_name_and_series_keep_their_order(void **state)
{
	struct metric *polls = metric_define(*state, &POLLS);
	metric_define(*state, &TOOK);
	metric_define(*state, &DEPTH);
	const char *const z[] = {"z", "ok"}, *const a[] = {"a", "ok"};
	series_add(metric_series(polls, z), 1);
	series_add(metric_series(polls, a), 2);
	struct seen seen = {0};
	metrics_snapshot(*state, look, &seen);
	assert_string_equal(seen.names, "txwatch_depth txwatch_polls_total txwatch_took_seconds ");
	assert_string_equal(seen.labels, "instance=z,result=ok:1 instance=a,result=ok:2 ");
}

static void a_histogram_puts_each_value_under_the_first_bound_that_holds_it(void **state)
{
	struct series *s = metric_only(metric_define(*state, &TOOK));
	const double values[] = {0, 1, 1.5, 5, 10, 10.5, INFINITY};
	for (size_t i = 0; i < 6; i++)
		series_observe(s, values[i]);
	series_observe(s, NAN);
	struct seen seen = {0};
	metrics_snapshot(*state, look, &seen);
	assert_int_equal(seen.counts[0], 2);
	assert_int_equal(seen.counts[1], 2);
	assert_int_equal(seen.counts[2], 1);
	assert_int_equal(seen.counts[3], 1);
	assert_int_equal(seen.count, 6);
	assert_true(seen.sum == 28);
	series_observe(s, values[6]);
	metrics_snapshot(*state, look, &seen);
	assert_int_equal(seen.counts[3], 2);
}

static void set_to_nine(void *ctx)
{
	series_set(ctx, 9);
}

static void gauges_are_refreshed_before_a_snapshot(void **state)
{
	struct metrics *m = *state;
	metrics_on_collect(m, set_to_nine, metric_only(metric_define(m, &DEPTH)));
	struct seen seen = {0};
	metrics_snapshot(m, look, &seen);
	assert_true(seen.depth == 9);
}

static void an_empty_set_is_shown_as_no_families(void **state)
{
	struct seen seen = {.families = 99};
	metrics_snapshot(*state, look, &seen);
	assert_int_equal(seen.families, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_same_name_returns_the_metric_that_is_there),
	    TEST(the_same_label_values_return_the_same_series),
	    TEST(a_counter_adds_whole_and_broken_amounts_and_never_falls),
	    TEST(a_gauge_is_what_it_was_last_set_to),
	    TEST(values_past_the_cap_are_counted_as_other),
	    TEST(updates_from_several_threads_are_all_counted),
	    TEST(a_snapshot_is_sorted_by_name_and_series_keep_their_order),
	    TEST(a_histogram_puts_each_value_under_the_first_bound_that_holds_it),
	    TEST(gauges_are_refreshed_before_a_snapshot),
	    TEST(an_empty_set_is_shown_as_no_families),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
