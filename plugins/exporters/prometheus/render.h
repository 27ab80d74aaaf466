/* render.h: families as text that Prometheus reads. */
#ifndef PROMETHEUS_RENDER_H
#define PROMETHEUS_RENDER_H

#include "txwatch/exporter.h"
#include "txwatch/setup.h"

#define TEXT_004    0 /* Prometheus text format 0.0.4 */
#define OPENMETRICS 1 /* OpenMetrics 1.0.0 */

/* The format an Accept header prefers; TEXT_004 when it does not say. */
int accept_choose(txw_str accept);

/* Writes the content type and every family. Returns what write() did. */
int32_t render(int format, const txw_family *families, size_t stride, size_t n,
	       const txw_writer *out);

#endif
