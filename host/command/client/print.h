/*
 * print.h: tables of JSON rows.
 *
 * Pure: it writes into a buffer. For a terminal (width > 0) columns are left
 * out and cut until a line fits; elsewhere every column is there, whole.
 */
#ifndef TXWATCH_CLIENT_PRINT_H
#define TXWATCH_CLIENT_PRINT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/mem.h"

#define PRINT_COLUMNS_MAX 16

#define COLUMN_RIGHT 1u /* numbers */
#define COLUMN_WHOLE 2u /* never cut: an id */
#define COLUMN_SPARE 4u /* left out of a narrow terminal, and where no row has it */

struct column {
	const char *title; /* NULL ends a list */
	const char *path;  /* a member, or one of a member: "change.to" */
	unsigned flags;
	const char *tint; /* the member whose word gives the colour, or NULL */
	void (*cell)(const json_t *row, struct buf *out); /* in place of path */
};

struct printer {
	struct buf *out;
	const struct column *columns;
	size_t n_columns;
	size_t terminal; /* columns, 0 = none */
	bool has_colour;
	bool has_begun; /* the heading is written, and which columns is settled */
	bool is_hidden[PRINT_COLUMNS_MAX];
	size_t widths[PRINT_COLUMNS_MAX];
	struct arena arena; /* the cells */
	struct print_row *first, **last;
	size_t n_rows;
};

void printer_init(struct printer *p, struct buf *out, const struct column *columns, size_t terminal,
		  bool has_colour);
/* Takes over what it needs of the row. */
void printer_row(struct printer *p, const json_t *row);
/* Writes the rows so far; the next ones stand under them. */
void printer_flush(struct printer *p);
void printer_free(struct printer *p);

/* A value as a cell or a line shows it: times to the second, lists joined,
 * "-" for none. */
void print_value(struct buf *out, const json_t *value);
/* The SGR sequence for a state's word, or "". */
const char *print_colour(const char *word);
#define PRINT_PLAIN "\033[0m"

/* One object, a member a line; lists of objects as tables below. */
void print_object(struct buf *out, const json_t *object, size_t terminal, bool has_colour);

#endif
