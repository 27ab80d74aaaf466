/*
 * txwatch/ext/metrics.h: extension "txw.metrics/1": an instance's own
 * metrics, shown by every exporter with the label instance="NAME".
 *
 * Limits: 32 metrics an instance, 100 series a metric (more are counted in
 * one series whose label value is "other").
 */
#ifndef TXWATCH_EXT_METRICS_H
#define TXWATCH_EXT_METRICS_H

#include "txwatch/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TXW_EXT_METRICS "txw.metrics/1"

typedef struct txw_metrics_ext {
	uint32_t size;
	uint32_t reserved;
	/* Returns a handle of 1 or more, or an error. name begins with the
	 * plugin's own prefix and ends in its unit ("_seconds", "_bytes") and,
	 * for a counter, "_total". label may be NULL: one series. bounds: only
	 * for a histogram, ascending. Texts are copied. [load] [loop] */
	int32_t (*define)(txw_instance *self, uint32_t type, const char *name, const char *help,
			  const char *label, const double *bounds, size_t n_bounds);
	/* Counter: adds. Gauge: sets. Histogram: observes. [any] */
	void (*update)(txw_instance *self, int32_t metric, txw_str label_value, double value);
} txw_metrics_ext;

#ifdef __cplusplus
}
#endif

#endif
