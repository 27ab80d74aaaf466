/*
 * conf.h: the site's file, parsed and checked against rows.
 *
 * What a section may hold is data (conf_schema: txw_option rows and child
 * sections), the host's own and the plugins' alike. From the same rows come
 * `txwatch explain` and docs/configuration.md.
 *
 * Two steps, because plugins bring rows: conf_scan() reads the text once with
 * a small reader of ours (positions, sections, quotes, comments; it works
 * around libconfuse's faults), so that the plugins in use are known;
 * conf_parse() builds the option tree from all schemas and lets libconfuse
 * parse strictly.
 */
#ifndef TXWATCH_CONFIG_CONF_H
#define TXWATCH_CONFIG_CONF_H

#include <stdbool.h>

#include "base/err.h"
#include "base/mem.h"
#include "txwatch/abi.h"

/* Mistakes, all of them, with where and what. */
struct conf_problem {
	int line; /* 0 = the file as a whole */
	bool is_warning;
	const char *text; /* "poller.http bank: no option `evry` ..." */
	struct conf_problem *next;
};

struct conf_report {
	struct arena arena;
	const char *file;
	struct conf_problem *first;
	struct conf_problem **last; /* set by conf_report_init */
	size_t n_errors;
};

void conf_report_init(struct conf_report *r, const char *file);
void conf_report_free(struct conf_report *r);
void conf_problem(struct conf_report *r, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void conf_warning(struct conf_report *r, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "FILE:LINE: error: TEXT" lines, sorted by line. */
struct buf;
void conf_report_print(const struct conf_report *r, struct buf *out);

/* What a section may hold. */
struct conf_schema {
	const char *keyword; /* "flow", "poller.http"; NULL ends a list */
	const char *help;    /* one line */
	uint32_t is_titled;  /* 1: KEYWORD TITLE { }; else KEYWORD { } */
	uint32_t is_single;  /* 1: at most one in its parent */
	const txw_option *options;
	size_t option_stride;
	size_t n_options;
	const txw_option *more_options; /* a second block: the host's common
	                                 * rows of the role; its stride is
	                                 * sizeof(txw_option) */
	size_t n_more_options;
	const struct conf_schema *children; /* NULL, or a NULL-ended list */
};

/* A section as found, its values checked and defaults filled in. */
struct conf_section {
	const char *keyword;
	const char *title; /* "" when untitled */
	const char *file;
	int line;
	const struct conf_schema *schema;
	size_t n_values; /* options, then more_options */
	const txw_value *values;
	const int *value_lines; /* 0 = a default */
	size_t n_children;
	const struct conf_section *children;
};

struct conf {
	struct arena arena;
	const char *file;
	struct conf_section root; /* top-level options are its values */
};

/* What the first reading found. */
struct conf_use {
	const char *keyword;
	const char *title;
	int line;
};
struct conf_scan {
	struct arena arena;
	const char *file;
	char *text; /* comments blanked, newlines kept */
	size_t len;
	size_t n_uses;
	struct conf_use *uses; /* top-level sections, in file order */
	size_t n_plugins;      /* the `plugins` list */
	txw_str *plugins;
	size_t n_plugin_paths; /* the `plugin-path` list */
	txw_str *plugin_paths;
	void *marks; /* conf_scan.c's own: where everything is */
};

/* NULL if the file cannot be read or scanned; the report says why. */
struct conf_scan *conf_scan(const char *path, struct conf_report *report);
/* The same of a text in memory; file is the name for messages. */
struct conf_scan *conf_scan_text(const char *file, const char *text, size_t len,
				 struct conf_report *report);
void conf_scan_free(struct conf_scan *s);

/*
 * schemas: a NULL-keyword-ended list of the top-level sections allowed (the
 * host's and those of every loaded plugin's roles). refused: keywords of
 * sections whose plugin could not be loaded, NULL-ended: they are passed over.
 * NULL if there was an error; warnings may be there all the same.
 */
struct conf *conf_parse(const struct conf_scan *scan, const struct conf_schema *schemas,
			const char *const *refused, struct conf_report *report);
void conf_free(struct conf *c);

/* ---- reading a section; the option must be in its schema ---- */
const txw_value *conf_get(const struct conf_section *s, const char *name);
int conf_line(const struct conf_section *s, const char *name); /* or s->line */
bool conf_is_set(const struct conf_section *s, const char *name);
int64_t conf_number(const struct conf_section *s, const char *name);
bool conf_flag(const struct conf_section *s, const char *name);
txw_str conf_text(const struct conf_section *s, const char *name); /* or none */
size_t conf_list(const struct conf_section *s, const char *name, const txw_str **texts);

/* The host's own sections: http, token, jwt, flow, route, and the top level. */
extern const struct conf_schema CONF_HOST_SCHEMAS[];
extern const struct conf_schema CONF_ROOT_SCHEMA;
/* The host's common rows of a role's sections (poller: flow, every, slow-to,
 * map ...; notifier: concurrency, rate ...); *n = how many. */
const txw_option *conf_role_options(uint32_t role, size_t *n);

/* Checks a list of rows itself, before it is used: names, types, ranges,
 * defaults that parse, choices. The reason names the row. */
int32_t conf_check_rows(const txw_option *rows, size_t stride, size_t n, struct err *e);

/* ---- a schema's rows, for showing them ---- */
size_t conf_n_rows(const struct conf_schema *s); /* options, then more_options */
const txw_option *conf_row(const struct conf_schema *s, size_t i);
/* "duration", "list of strings" ... */
const char *conf_type_name(const txw_option *row);
/* "100ms to 10m"; "" when any value goes. */
#define CONF_RANGE_MAX 120
void conf_range(char out[CONF_RANGE_MAX], const txw_option *row);

/* Opens `env:NAME` or `file:/path` (one trailing newline cut). */
int32_t secret_open(struct arena *a, txw_str spec, txw_str *out, struct err *e);

#endif
