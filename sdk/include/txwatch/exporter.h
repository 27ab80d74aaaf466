/*
 * txwatch/exporter.h: the exporter role: shows the host's metrics.
 *
 * A pulled exporter (Prometheus) has a path at the host's HTTP listener and
 * renders on request; a pushed one (OTLP, StatsD) has an interval.
 */
#ifndef TXWATCH_EXPORTER_H
#define TXWATCH_EXPORTER_H

#include "txwatch/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TXW_METRIC_COUNTER   1u /* name ends in _total */
#define TXW_METRIC_GAUGE     2u
#define TXW_METRIC_HISTOGRAM 3u /* seconds or bytes */

typedef struct txw_label {
	txw_str name;
	txw_str value;
} txw_label; /* frozen */

/* One series of a family. */
typedef struct txw_sample {
	uint32_t size;
	uint32_t n_labels;
	const txw_label *labels;
	double value; /* COUNTER, GAUGE */
	/* HISTOGRAM: counts[i] observations were <= bounds[i], counts not
	 * cumulative; counts[n_bounds] those above the last bound. */
	const uint64_t *counts;
	uint64_t count;
	double sum;
} txw_sample;

typedef struct txw_family {
	uint32_t size;
	uint32_t type; /* TXW_METRIC_COUNTER ... */
	txw_str name;  /* with unit and suffix: x_seconds, x_total */
	txw_str help;
	txw_str unit;      /* "seconds", "bytes" or empty */
	uint32_t n_bounds; /* HISTOGRAM */
	uint32_t reserved;
	const double *bounds;
	const txw_sample *samples;
	size_t stride;
	size_t n;
} txw_family;

/* Takes what an exporter writes. write() copies; an error is TXW_E_NOMEM. */
typedef struct txw_writer {
	uint32_t size;
	uint32_t reserved;
	void *ctx;
	int32_t (*write)(void *ctx, const char *bytes, size_t len);
	void (*content_type)(void *ctx, const char *type);
} txw_writer;

typedef struct txw_exporter {
	uint32_t size;
	uint32_t reserved;

	/* Where the host serves render(): "/metrics"; NULL or NULL result =
	 * not pulled. Asked once after create; lives as the instance. [load] */
	const char *(*path)(void *instance);

	/* Renders the families. `accept` is the request's Accept header.
	 * [loop] */
	int32_t (*render)(void *instance, const txw_family *families, size_t stride, size_t n,
			  txw_str accept, const txw_writer *out, txw_error *err);

	/* How often push() is due, in microseconds; 0 or NULL = never. [load] */
	int64_t (*push_every)(void *instance);

	/* Sends the families. [loop], or [worker] with TXW_BLOCKING */
	int32_t (*push)(void *instance, const txw_family *families, size_t stride, size_t n,
			txw_error *err);
} txw_exporter;

#ifdef __cplusplus
}
#endif

#endif
