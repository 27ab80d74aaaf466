/*
 * metrics.h: the host's counters, gauges and histograms.
 *
 * Series are found once and kept by whoever updates them; an update is one
 * atomic operation. A metric never has more than its cap of series: further
 * label values are counted in the series "other".
 */
#ifndef TXWATCH_MEASURE_METRICS_H
#define TXWATCH_MEASURE_METRICS_H

#include "txwatch/exporter.h"

struct metrics;
struct metric;
struct series;

struct metrics *metrics_open(void);
void metrics_close(struct metrics *m);

struct metric_row {
	const char *name; /* txwatch_..., with unit and _total */
	const char *help;
	const char *unit;      /* "seconds", "bytes" or NULL */
	uint32_t type;         /* TXW_METRIC_COUNTER ... */
	const char *labels[4]; /* names, NULL-ended */
	const double *bounds;  /* histogram: ascending */
	size_t n_bounds;
	size_t max_series; /* 0 = 100 */
};

/* Bounds for durations: 1 ms .. 10 min, and for sub-millisecond work. */
extern const double METRIC_SECONDS[];
extern const size_t METRIC_SECONDS_N;

/* Texts of the row are borrowed for life. The same name again returns the
 * metric that is there. [any] */
struct metric *metric_define(struct metrics *m, const struct metric_row *row);
/* The series of these label values (as many as labels), made if new. [any] */
struct series *metric_series(struct metric *metric, const char *const *values);
/* For a metric without labels. */
struct series *metric_only(struct metric *metric);

void series_add(struct series *s, double by);    /* counter [any] */
void series_set(struct series *s, double to);    /* gauge [any] */
void series_observe(struct series *s, double v); /* histogram [any] */
double series_value(const struct series *s);     /* [any] */

/* Called before each snapshot, to refresh gauges. [loop] */
void metrics_on_collect(struct metrics *m, void (*fn)(void *ctx), void *ctx);

/* Hands the families, sorted by name, to fn; borrowed for the call. [loop] */
void metrics_snapshot(struct metrics *m,
		      void (*fn)(void *ctx, const txw_family *families, size_t n), void *ctx);

#endif
