/*
 * render.c: families as text that Prometheus reads.
 *
 * The two formats differ in what a counter is called (OpenMetrics names the
 * family without _total), in the order of the lines before the samples, in
 * UNIT and EOF, and in how a whole number is written as a bucket's bound.
 * Characters that names may not have become '_', so that one bad name cannot
 * cost the whole scrape.
 */
#include "render.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOTAL "_total"

static const char *const CONTENT_TYPES[] = {
    [TEXT_004] = "text/plain; version=0.0.4; charset=utf-8",
    [OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

static const char *const TYPE_NAMES[] = {
    [TXW_METRIC_COUNTER] = "counter",
    [TXW_METRIC_GAUGE] = "gauge",
    [TXW_METRIC_HISTOGRAM] = "histogram",
};
#define N_TYPES (sizeof(TYPE_NAMES) / sizeof(TYPE_NAMES[0]))

/* Collects small writes; the first error stays. */
struct out {
	const txw_writer *writer;
	int format;
	int32_t rc;
	size_t n;
	char bytes[4096];
};

static void flush(struct out *o)
{
	if (o->n && o->rc >= 0)
		o->rc = o->writer->write(o->writer->ctx, o->bytes, o->n);
	o->n = 0;
}

static void put_char(struct out *o, char c)
{
	if (o->n == sizeof(o->bytes))
		flush(o);
	o->bytes[o->n++] = c;
}

static void put(struct out *o, const char *z)
{
	while (*z)
		put_char(o, *z++);
}

static int is_name_char(char c, int is_label)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || (c == ':' && !is_label);
}

static void put_name(struct out *o, txw_str s, int is_label)
{
	if (s.len == 0 || (*s.ptr >= '0' && *s.ptr <= '9'))
		put_char(o, '_');
	for (size_t i = 0; i < s.len; i++)
		put_char(o, is_name_char(s.ptr[i], is_label) ? s.ptr[i] : '_');
}

static void put_escaped(struct out *o, txw_str s, int escapes_quotes)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (c == '\n') {
			put(o, "\\n");
			continue;
		}
		if (c == '\\' || (c == '"' && escapes_quotes))
			put_char(o, '\\');
		put_char(o, c);
	}
}

/* The shortest text that reads back as the same number. */
static void put_number(struct out *o, double v, int is_bound)
{
	char text[40];
	if (isnan(v) || isinf(v)) {
		put(o, isnan(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	put(o, text);
	if (is_bound && o->format == OPENMETRICS && !strpbrk(text, ".e"))
		put(o, ".0");
}

static void put_count(struct out *o, uint64_t v)
{
	char text[24];
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	put(o, text);
}

/* ---- a family ---- */

static int ends_with(txw_str s, const char *z)
{
	size_t len = strlen(z);
	return s.len >= len && memcmp(s.ptr + s.len - len, z, len) == 0;
}

/* In OpenMetrics a counter's family has no _total; its samples have. */
static txw_str family_name(const struct out *o, const txw_family *f)
{
	txw_str name = f->name;
	if (o->format == OPENMETRICS && f->type == TXW_METRIC_COUNTER && ends_with(name, TOTAL))
		name.len -= sizeof(TOTAL) - 1;
	return name;
}

static void put_meta(struct out *o, const char *what, txw_str name)
{
	put(o, "# ");
	put(o, what);
	put_char(o, ' ');
	put_name(o, name, 0);
	put_char(o, ' ');
}

static void put_help(struct out *o, const txw_family *f, txw_str name)
{
	put_meta(o, "HELP", name);
	put_escaped(o, f->help, o->format == OPENMETRICS);
	put_char(o, '\n');
}

static void put_type(struct out *o, const txw_family *f, txw_str name)
{
	put_meta(o, "TYPE", name);
	put(o, TYPE_NAMES[f->type]);
	put_char(o, '\n');
}

/* A unit is allowed only where the name ends in it. */
static void put_unit(struct out *o, const txw_family *f, txw_str name)
{
	if (f->unit.len == 0 || name.len <= f->unit.len + 1 ||
	    memcmp(name.ptr + name.len - f->unit.len, f->unit.ptr, f->unit.len) != 0 ||
	    name.ptr[name.len - f->unit.len - 1] != '_')
		return;
	put_meta(o, "UNIT", name);
	put_name(o, f->unit, 0);
	put_char(o, '\n');
}

static void put_header(struct out *o, const txw_family *f)
{
	txw_str name = family_name(o, f);
	if (o->format == TEXT_004) {
		put_help(o, f, name);
		put_type(o, f, name);
	} else {
		put_type(o, f, name);
		put_unit(o, f, name);
		put_help(o, f, name);
	}
}

/* Name and labels; bound: a bucket's, NULL for none. */
static void put_series(struct out *o, txw_str name, const char *suffix, const txw_sample *s,
		       const double *bound)
{
	put_name(o, name, 0);
	put(o, suffix);
	const char *before = "{";
	for (uint32_t i = 0; i < s->n_labels; i++) {
		put(o, before);
		put_name(o, s->labels[i].name, 1);
		put(o, "=\"");
		put_escaped(o, s->labels[i].value, 1);
		put_char(o, '"');
		before = ",";
	}
	if (bound) {
		put(o, before);
		put(o, "le=\"");
		put_number(o, *bound, 1);
		put_char(o, '"');
		before = ",";
	}
	put(o, *before == ',' ? "} " : " ");
}

static void put_histogram(struct out *o, const txw_family *f, const txw_sample *s)
{
	static const double infinity = INFINITY;
	uint64_t so_far = 0;
	for (uint32_t i = 0; i <= f->n_bounds; i++) {
		so_far += s->counts[i];
		put_series(o, f->name, "_bucket", s, i < f->n_bounds ? &f->bounds[i] : &infinity);
		put_count(o, so_far);
		put_char(o, '\n');
	}
	put_series(o, f->name, "_sum", s, NULL);
	put_number(o, s->sum, 0);
	put_char(o, '\n');
	put_series(o, f->name, "_count", s, NULL);
	put_count(o, so_far);
	put_char(o, '\n');
}

static void put_sample(struct out *o, const txw_family *f, const txw_sample *s)
{
	if (f->type == TXW_METRIC_HISTOGRAM) {
		put_histogram(o, f, s);
		return;
	}
	int is_open_counter = o->format == OPENMETRICS && f->type == TXW_METRIC_COUNTER;
	put_series(o, family_name(o, f), is_open_counter ? TOTAL : "", s, NULL);
	put_number(o, s->value, 0);
	put_char(o, '\n');
}

int32_t render(int format, const txw_family *families, size_t stride, size_t n,
	       const txw_writer *writer)
{
	struct out o = {.writer = writer, .format = format};
	writer->content_type(writer->ctx, CONTENT_TYPES[format]);
	for (size_t i = 0; i < n; i++) {
		const txw_family *f = (const void *)((const char *)families + i * stride);
		if (f->n == 0 || f->type >= N_TYPES || !TYPE_NAMES[f->type])
			continue; /* a newer host's kind of metric */
		put_header(&o, f);
		for (size_t k = 0; k < f->n; k++)
			put_sample(&o, f, (const void *)((const char *)f->samples + k * f->stride));
	}
	if (format == OPENMETRICS)
		put(&o, "# EOF\n");
	flush(&o);
	return o.rc < 0 ? o.rc : TXW_OK;
}
