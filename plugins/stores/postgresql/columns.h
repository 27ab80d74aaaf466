/*
 * columns.h: rows of the ABI as columns: one table for each kind of row, from
 * which come the texts of statements, their parameters and what is read back.
 *
 * Zero and the empty text mean "none" in the ABI and are NULL in the database
 * (SOME, SOME32, TEXT, BYTES), so that partial indexes leave them out and
 * comparisons with them hold for nobody.
 */
#ifndef POSTGRESQL_COLUMNS_H
#define POSTGRESQL_COLUMNS_H

#include <libpq-fe.h>

#include "args.h"
#include "txwatch/store.h"

enum column_kind {
	COLUMN_INT,    /* int64_t */
	COLUMN_SOME,   /* int64_t, 0 is NULL */
	COLUMN_INT32,  /* uint32_t */
	COLUMN_SOME32, /* uint32_t, 0 is NULL */
	COLUMN_KEY,    /* text, the empty one is a value */
	COLUMN_TEXT,   /* text, the empty one is NULL */
	COLUMN_BYTES,  /* bytes, none is NULL */
	COLUMN_ID,     /* txw_id */
};

struct column {
	const char *name;
	enum column_kind kind;
	size_t at; /* offset in the ABI's struct */
};

/* A table ends with a row without a name. */
extern const struct column TX_COLUMNS[];       /* txw_tx; key is the first */
extern const struct column EVENT_COLUMNS[];    /* txw_event */
extern const struct column SNAPSHOT_COLUMNS[]; /* txw_tx, as in an event's row */
extern const struct column SNAPSHOT_TX[];      /* ... what its tx row adds to it */
extern const struct column DELIVERY_COLUMNS[]; /* txw_delivery_row */
extern const struct column ATTEMPT_COLUMNS[];  /* txw_attempt */
extern const struct column TARGET_COLUMNS[];   /* txw_target */
extern const struct column DOC_COLUMNS[];      /* txw_doc */
extern const struct column COUNT_COLUMNS[];    /* txw_count */
extern const struct column DIGEST_COLUMNS[];   /* txw_event */

size_t columns_count(const struct column *c);

/* "a.x, a.y" */
void columns_names(struct text *t, const struct column *c, const char *alias);
/* "$3::bigint[], $4::text[]", from $first on */
void columns_arrays(struct text *t, const struct column *c, size_t first);

/* An array parameter for each column; rows[i] NULL: NULLs. */
void columns_bind(struct args *a, const struct column *c, const void *const *rows, size_t n);

/* Fills *out (zeroed by the caller) from the result's columns `at`...; returns
 * the column after them. Texts live as long as the result. */
int columns_read(const PGresult *r, int row, int at, const struct column *c, void *out);

/* Single values. */
int64_t column_int(const PGresult *r, int row, int at); /* NULL: 0 */
txw_str column_text(const PGresult *r, int row, int at);

/* SQL of an event with its transaction (e and t), and back. *tx is filled and
 * out->tx points to it if the event has a transaction. Returns the column
 * after them. */
void columns_event_names(struct text *t);
int columns_event(const PGresult *r, int row, int at, txw_event *out, txw_tx *tx);

#endif
