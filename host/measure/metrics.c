/*
 * metrics.c: the host's counters, gauges and histograms.
 *
 * Metrics and series are made under a lock, found in a hash, and live until
 * metrics_close; so whoever holds one updates it without the lock.
 * Invariants:
 *   - a metric has at most `cap` series; once it has cap - 1, a new label
 *     value goes to the series whose values are all "other";
 *   - a series never moves and its labels never change;
 *   - a counter's value is `whole` + `bits`: whole numbers, the common case,
 *     are one fetch_add; fractions are added to the double in `bits`;
 *   - a histogram's count is the sum of its buckets as read, so a snapshot
 *     taken beside updates is consistent in itself.
 *
 * [any], except collecting and snapshots, which are the loop's.
 */
#include "measure/metrics.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

#define uthash_malloc(n)  xmalloc(n)
#define uthash_fatal(msg) abort()
#include <uthash.h>

#define MAX_LABELS     4
#define DEFAULT_SERIES 100
#define OTHER          "other"

const double METRIC_SECONDS[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
				 0.025,  0.05,    0.1,    0.25,  0.5,    1,     2.5,
				 5,      10,      30,     60,    300,    600};
const size_t METRIC_SECONDS_N = sizeof(METRIC_SECONDS) / sizeof(METRIC_SECONDS[0]);

struct series {
	UT_hash_handle hh;
	struct series *next; /* in order of making */
	const struct metric *metric;
	char *key;                    /* the values, each with its NUL */
	txw_label labels[MAX_LABELS]; /* values point into key */
	_Atomic uint64_t whole;       /* counter */
	_Atomic uint64_t bits;        /* a double: gauge, fractions, sum */
	_Atomic uint64_t counts[];    /* histogram: n_bounds + 1 */
};

struct metric {
	UT_hash_handle hh;
	struct metrics *owner;
	struct metric_row row;
	size_t n_labels;
	size_t cap;
	struct series *by_key;
	struct series *first;
	struct series **last;
	size_t n_series;
	struct series *only; /* of a metric without labels */
};

struct collector {
	struct collector *next;
	void (*fn)(void *ctx);
	void *ctx;
};

struct metrics {
	pthread_mutex_t lock; /* guards the hashes and lists */
	struct metric *by_name;
	struct collector *collectors; /* the loop's */
};

/* ---- making and finding ---- */

struct metrics *metrics_open(void)
{
	struct metrics *m = xcalloc(1, sizeof(*m));
	pthread_mutex_init(&m->lock, NULL);
	return m;
}

static void metric_free(struct metric *metric)
{
	struct series *s, *tmp;
	HASH_ITER(hh, metric->by_key, s, tmp)
	{
		HASH_DEL(metric->by_key, s);
		free(s->key);
		free(s);
	}
	free(metric);
}

void metrics_close(struct metrics *m)
{
	if (!m)
		return;
	struct metric *metric, *tmp;
	HASH_ITER(hh, m->by_name, metric, tmp)
	{
		HASH_DEL(m->by_name, metric);
		metric_free(metric);
	}
	while (m->collectors) {
		struct collector *c = m->collectors;
		m->collectors = c->next;
		free(c);
	}
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static struct series *series_make(struct metric *metric, const char *key, size_t len)
{
	size_t n = metric->row.type == TXW_METRIC_HISTOGRAM ? metric->row.n_bounds + 1 : 0;
	struct series *s = xcalloc(1, sizeof(*s) + n * sizeof(s->counts[0]));
	s->metric = metric;
	s->key = xmalloc(len + 1);
	memcpy(s->key, key, len);
	s->key[len] = '\0';
	const char *value = s->key;
	for (size_t i = 0; i < metric->n_labels; i++) {
		s->labels[i] = (txw_label){str_of(metric->row.labels[i]), str_of(value)};
		value += s->labels[i].value.len + 1;
	}
	HASH_ADD_KEYPTR(hh, metric->by_key, s->key, len, s);
	*metric->last = s;
	metric->last = &s->next;
	metric->n_series++;
	return s;
}

static struct metric *metric_make(struct metrics *m, const struct metric_row *row)
{
	struct metric *metric = xcalloc(1, sizeof(*metric));
	metric->owner = m;
	metric->row = *row;
	metric->cap = row->max_series ? row->max_series : DEFAULT_SERIES;
	metric->last = &metric->first;
	while (metric->n_labels < MAX_LABELS && row->labels[metric->n_labels])
		metric->n_labels++;
	if (metric->n_labels == 0)
		metric->only = series_make(metric, "", 0);
	return metric;
}

struct metric *metric_define(struct metrics *m, const struct metric_row *row)
{
	struct metric *metric;
	pthread_mutex_lock(&m->lock);
	HASH_FIND_STR(m->by_name, row->name, metric);
	if (!metric) {
		metric = metric_make(m, row);
		HASH_ADD_KEYPTR(hh, m->by_name, metric->row.name, strlen(metric->row.name), metric);
	}
	pthread_mutex_unlock(&m->lock);
	return metric;
}

/* The values with their NULs, in out; NULL values are empty. */
static void key_print(struct buf *out, const char *const *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *value = values[i] ? values[i] : "";
		buf_add(out, value, strlen(value) + 1);
	}
}

static struct series *find_or_make(struct metric *metric, const struct buf *key)
{
	struct series *s;
	HASH_FIND(hh, metric->by_key, key->ptr, key->len, s);
	if (s)
		return s;
	if (metric->n_series + 1 < metric->cap)
		return series_make(metric, key->ptr, key->len);

	const char *const others[MAX_LABELS] = {OTHER, OTHER, OTHER, OTHER};
	struct buf other = {0};
	key_print(&other, others, metric->n_labels);
	HASH_FIND(hh, metric->by_key, other.ptr, other.len, s);
	if (!s)
		s = series_make(metric, other.ptr, other.len);
	buf_free(&other);
	return s;
}

struct series *metric_series(struct metric *metric, const char *const *values)
{
	if (metric->only)
		return metric->only;
	struct buf key = {0};
	key_print(&key, values, metric->n_labels);
	pthread_mutex_lock(&metric->owner->lock);
	struct series *s = find_or_make(metric, &key);
	pthread_mutex_unlock(&metric->owner->lock);
	buf_free(&key);
	return s;
}

struct series *metric_only(struct metric *metric)
{
	const char *const none[MAX_LABELS] = {NULL};
	return metric_series(metric, none);
}

/* ---- updating ---- */

static double as_double(uint64_t bits)
{
	double v;
	memcpy(&v, &bits, sizeof(v));
	return v;
}

static uint64_t as_bits(double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof(bits));
	return bits;
}

static void bits_add(_Atomic uint64_t *bits, double by)
{
	uint64_t old = atomic_load_explicit(bits, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(bits, &old, as_bits(as_double(old) + by),
						      memory_order_relaxed, memory_order_relaxed))
		;
}

void series_add(struct series *s, double by)
{
	if (!(by > 0) || isinf(by)) /* a counter never falls; NaN is no amount */
		return;
	uint64_t whole = by < 0x1p53 ? (uint64_t)by : 0;
	if (whole && (double)whole >= by)
		atomic_fetch_add_explicit(&s->whole, whole, memory_order_relaxed);
	else
		bits_add(&s->bits, by);
}

void series_set(struct series *s, double to)
{
	atomic_store_explicit(&s->bits, as_bits(to), memory_order_relaxed);
}

void series_observe(struct series *s, double v)
{
	const struct metric_row *row = &s->metric->row;
	if (isnan(v) || row->type != TXW_METRIC_HISTOGRAM)
		return;
	size_t low = 0, high = row->n_bounds;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (v <= row->bounds[mid])
			high = mid;
		else
			low = mid + 1;
	}
	atomic_fetch_add_explicit(&s->counts[low], 1, memory_order_relaxed);
	bits_add(&s->bits, v);
}

double series_value(const struct series *s)
{
	return (double)atomic_load_explicit(&s->whole, memory_order_relaxed) +
	       as_double(atomic_load_explicit(&s->bits, memory_order_relaxed));
}

/* ---- showing ---- */

void metrics_on_collect(struct metrics *m, void (*fn)(void *ctx), void *ctx)
{
	struct collector *c = xcalloc(1, sizeof(*c));
	struct collector **last = &m->collectors;
	while (*last)
		last = &(*last)->next;
	c->fn = fn;
	c->ctx = ctx;
	*last = c;
}

static void sample_fill(txw_sample *out, const struct series *s, struct arena *a)
{
	const struct metric *metric = s->metric;
	out->size = sizeof(*out);
	out->n_labels = (uint32_t)metric->n_labels;
	out->labels = s->labels;
	if (metric->row.type != TXW_METRIC_HISTOGRAM) {
		out->value = series_value(s);
		return;
	}
	size_t n = metric->row.n_bounds + 1;
	uint64_t *counts = arena_alloc(a, n * sizeof(*counts));
	for (size_t i = 0; i < n; i++) {
		counts[i] = atomic_load_explicit(&s->counts[i], memory_order_relaxed);
		out->count += counts[i];
	}
	out->counts = counts;
	out->sum = as_double(atomic_load_explicit(&s->bits, memory_order_relaxed));
}

static void family_fill(txw_family *out, const struct metric *metric, struct arena *a)
{
	txw_sample *samples = arena_alloc(a, metric->n_series * sizeof(*samples));
	size_t n = 0;
	for (const struct series *s = metric->first; s; s = s->next)
		sample_fill(&samples[n++], s, a);
	*out = (txw_family){
	    .size = sizeof(*out),
	    .type = metric->row.type,
	    .name = str_of(metric->row.name),
	    .help = str_of(metric->row.help),
	    .unit = str_of(metric->row.unit),
	    .n_bounds = (uint32_t)metric->row.n_bounds,
	    .bounds = metric->row.bounds,
	    .samples = samples,
	    .stride = sizeof(*samples),
	    .n = n,
	};
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(((const txw_family *)a)->name, ((const txw_family *)b)->name);
}

void metrics_snapshot(struct metrics *m,
		      void (*fn)(void *ctx, const txw_family *families, size_t n), void *ctx)
{
	for (struct collector *c = m->collectors; c; c = c->next)
		c->fn(c->ctx);

	struct arena a = {0};
	size_t n = 0;
	pthread_mutex_lock(&m->lock);
	txw_family *families = arena_alloc(&a, HASH_COUNT(m->by_name) * sizeof(*families));
	for (const struct metric *metric = m->by_name; metric; metric = metric->hh.next)
		family_fill(&families[n++], metric, &a);
	pthread_mutex_unlock(&m->lock);

	if (n)
		qsort(families, n, sizeof(*families), by_name);
	fn(ctx, families, n);
	arena_free(&a);
}
