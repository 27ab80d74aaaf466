/*
 * records.c: see records.h. A state machine a byte wide:
 *
 *   START  -> PLAIN, QUOTED         the first byte of a field
 *   QUOTED -> AFTER_QUOTE -> QUOTED  a doubled quote
 *   any    -> SKIP                  broken; the next line's end begins anew
 *
 * NDJSON is the same machine without quotes and commas.
 */
#include "api/records.h"

#include <string.h>

#include "base/str.h"

static const char TOO_LONG[] = "longer than 256 KB";
static const char TOO_LONG_QUOTED[] = "longer than 256 KB: is a quote never closed?";
static const char MANY_FIELDS[] = "more than 256 fields";
static const char STRAY_QUOTE[] = "a quote inside a field that is not quoted";
static const char AFTER_QUOTE[] = "something after a closing quote";
static const char OPEN_QUOTE[] = "a quote is never closed";
static const char NOT_UTF8[] = "not UTF-8, or a NUL in it";

static void begin(struct records *r)
{
	r->state = RECORD_START;
	r->has_any = false;
	r->broken = NULL;
	r->text.len = 0;
	r->n_ends = 0;
	r->first = r->lines;
}

static void end_field(struct records *r)
{
	if (r->n_ends == RECORD_FIELDS)
		r->broken = MANY_FIELDS;
	else
		r->ends[r->n_ends++] = r->text.len;
}

static const char *what_is_wrong(const struct records *r)
{
	if (r->broken)
		return r->broken;
	return str_utf8(buf_view(&r->text)) ? NULL : NOT_UTF8;
}

/* The record is whole: tells it, if there is one, and begins the next. */
static bool finish(struct records *r, records_emit emit, void *ctx)
{
	bool go_on = true;
	if (r->has_any) {
		if (r->is_csv)
			end_field(r);
		struct record out = {.line = r->first + 1, .broken = what_is_wrong(r)};
		if (r->is_csv && !out.broken) {
			size_t at = 0;
			buf_reserve(&r->text, 1);
			for (size_t i = 0; i < r->n_ends; i++) {
				r->fields[i] = (txw_str){r->text.ptr + at, r->ends[i] - at};
				at = r->ends[i];
			}
			out.fields = r->fields;
			out.n_fields = r->n_ends;
		} else {
			out.text = buf_view(&r->text);
		}
		go_on = emit(ctx, &out);
	}
	begin(r);
	return go_on;
}

static void break_off(struct records *r, const char *why)
{
	r->broken = why;
	r->state = RECORD_SKIP;
	r->text.len = 0;
}

static void keep(struct records *r, char ch)
{
	if (r->text.len == RECORD_MAX)
		break_off(r, r->state == RECORD_QUOTED ? TOO_LONG_QUOTED : TOO_LONG);
	else
		buf_char(&r->text, ch);
}

/* One byte of a CSV record that is not the end of its line. */
static void csv_byte(struct records *r, char ch)
{
	switch (r->state) {
	case RECORD_START:
	case RECORD_PLAIN:
		if (ch == '"' && r->state == RECORD_PLAIN) {
			break_off(r, STRAY_QUOTE);
		} else if (ch == '"') {
			r->state = RECORD_QUOTED;
		} else if (ch == ',') {
			end_field(r);
			r->state = RECORD_START;
		} else {
			r->state = RECORD_PLAIN;
			keep(r, ch);
		}
		return;
	case RECORD_QUOTED:
		if (ch == '"')
			r->state = RECORD_AFTER_QUOTE;
		else
			keep(r, ch);
		return;
	case RECORD_AFTER_QUOTE:
		if (ch == '"') {
			r->state = RECORD_QUOTED;
			keep(r, ch);
		} else if (ch == ',') {
			end_field(r);
			r->state = RECORD_START;
		} else {
			break_off(r, AFTER_QUOTE);
		}
		return;
	case RECORD_SKIP:
		return;
	}
}

static void byte(struct records *r, char ch)
{
	if (r->is_csv)
		csv_byte(r, ch);
	else if (r->state != RECORD_SKIP)
		keep(r, ch);
}

/* The mark is taken byte by byte: it may come in pieces. What only looked like
 * one is kept. */
static bool skip_mark(struct records *r, char ch)
{
	static const char mark[] = "\xef\xbb\xbf";
	if (ch != mark[r->n_ends]) {
		size_t n = r->n_ends;
		r->is_past_mark = true;
		r->n_ends = 0;
		for (size_t i = 0; i < n; i++) {
			r->has_any = true;
			byte(r, mark[i]);
		}
		return false;
	}
	if (++r->n_ends == 3) {
		r->n_ends = 0;
		r->is_past_mark = true;
	}
	return true;
}

static void flush_cr(struct records *r)
{
	if (!r->was_cr)
		return;
	r->was_cr = false;
	r->has_any = true;
	byte(r, '\r');
}

size_t records_feed(struct records *r, const char *data, size_t len, records_emit emit, void *ctx)
{
	for (size_t i = 0; i < len; i++) {
		char ch = data[i];
		if (!r->is_past_mark && skip_mark(r, ch))
			continue;
		if (ch == '\n') {
			bool is_inside = r->state == RECORD_QUOTED;
			if (is_inside) {
				flush_cr(r);
				is_inside = r->state == RECORD_QUOTED;
			}
			r->was_cr = false;
			r->lines++;
			if (is_inside)
				byte(r, ch);
			else if (!finish(r, emit, ctx))
				return i + 1;
			continue;
		}
		flush_cr(r);
		if (ch == '\r') { /* half of a line's end, perhaps */
			r->was_cr = true;
			continue;
		}
		r->has_any = true;
		byte(r, ch);
	}
	return len;
}

void records_end(struct records *r, records_emit emit, void *ctx)
{
	if (!r->is_past_mark && r->n_ends)
		(void)skip_mark(r, '\0');
	if (r->state == RECORD_QUOTED)
		break_off(r, OPEN_QUOTE);
	r->was_cr = false;
	(void)finish(r, emit, ctx);
}

void records_free(struct records *r)
{
	buf_free(&r->text);
}

/* ---- writing ---- */

void csv_put(struct buf *out, txw_str cell)
{
	bool is_plain = true;
	for (size_t i = 0; i < cell.len && is_plain; i++)
		is_plain = !memchr("\",\r\n", cell.ptr[i], 4);
	if (is_plain) {
		buf_str(out, cell);
		return;
	}
	buf_char(out, '"');
	for (size_t i = 0; i < cell.len; i++) {
		if (cell.ptr[i] == '"')
			buf_char(out, '"');
		buf_char(out, cell.ptr[i]);
	}
	buf_char(out, '"');
}

static bool is_formula(txw_str cell)
{
	size_t i = 0;
	while (i < cell.len && cell.ptr[i] == '\'')
		i++;
	return i < cell.len && memchr("=+-@\t\r", cell.ptr[i], 6);
}

void csv_put_text(struct buf *out, txw_str cell)
{
	if (!is_formula(cell)) {
		csv_put(out, cell);
		return;
	}
	struct buf b = {0};
	buf_char(&b, '\'');
	buf_str(&b, cell);
	csv_put(out, buf_view(&b));
	buf_free(&b);
}

txw_str csv_plain(txw_str cell)
{
	if (cell.len == 0 || cell.ptr[0] != '\'' || !is_formula(cell))
		return cell;
	return (txw_str){cell.ptr + 1, cell.len - 1};
}
