/*
 * records.h: a body of rows as it comes: NDJSON lines, or CSV records
 * (RFC 4180), cut out of pieces of any size. Pure.
 *
 * Lines end with LF or CRLF; a byte order mark at the start and blank lines
 * are skipped. What is broken (too long, not UTF-8, quotes that do not fit)
 * comes out as a record that says why, and reading goes on with the next line.
 */
#ifndef TXWATCH_API_RECORDS_H
#define TXWATCH_API_RECORDS_H

#include <stdbool.h>

#include "base/buf.h"

/* Of one record; attributes and detail are at most 64 KB each. */
#define RECORD_MAX    ((size_t)256 * 1024)
#define RECORD_FIELDS 256

struct record {
	int64_t line;       /* where it begins, from 1 */
	const char *broken; /* what is wrong; NULL: nothing */
	txw_str text;       /* NDJSON: the line */
	const txw_str *fields;
	size_t n_fields;
};

enum record_state {
	RECORD_START, /* of a record, or of a field after a comma */
	RECORD_PLAIN,
	RECORD_QUOTED,
	RECORD_AFTER_QUOTE, /* a quote inside quotes: the end, or half a "" */
	RECORD_SKIP,        /* broken: to the line's end */
};

/* A zeroed one with is_csv set is ready. */
struct records {
	bool is_csv;
	enum record_state state;
	bool is_past_mark; /* the byte order mark was looked for */
	bool has_any;      /* the record has begun */
	bool was_cr;
	int64_t lines; /* ended so far */
	int64_t first; /* line of the record's beginning, from 0 */
	const char *broken;
	struct buf text; /* CSV: the fields, one after the other */
	size_t ends[RECORD_FIELDS];
	size_t n_ends;
	txw_str fields[RECORD_FIELDS];
};

/* false: enough for now; the rest is to be offered again. The record lives
 * until emit returns. */
typedef bool (*records_emit)(void *ctx, const struct record *record);
/* How many bytes were taken: all, unless emit said false. */
size_t records_feed(struct records *r, const char *data, size_t len, records_emit emit, void *ctx);
/* The last record, if no line's end followed it. */
void records_end(struct records *r, records_emit emit, void *ctx);
void records_free(struct records *r);

/* A cell, quoted where it must be. */
void csv_put(struct buf *out, txw_str cell);
/*
 * A text that a spreadsheet would take for a formula (after any ', one of
 * = + - @ TAB CR) gets a ' before it, and loses one when it is read: what
 * was exported comes back as it was.
 */
void csv_put_text(struct buf *out, txw_str cell);
txw_str csv_plain(txw_str cell);

#endif
