/*
 * filter_sql.h: SQL text that grows, with its parameters, and a filter's tree
 * as such text.
 */
#ifndef SQLITE_FILTER_SQL_H
#define SQLITE_FILTER_SQL_H

#include <stdbool.h>

#include "db.h"
#include "txwatch/filter.h"

struct sql_bind; /* one parameter */

/* A condition that never holds. Not a plain 0: SQLite would throw all that it
 * is joined with away, and then find no use for the index it was told to. */
#define SQL_NEVER "abs(0)"

struct sql_text {
	sqlite3_str *str;
	struct sql_bind *binds;
	size_t n;
	size_t cap;
	bool is_out_of_memory;
};

void sql_text_init(struct sql_text *t);
void sql_text_free(struct sql_text *t);
void sql_text_add(struct sql_text *t, const char *sql);
void sql_text_int(struct sql_text *t, int64_t v);
/* The next parameter's value; its `?` is for the caller to add. Texts are
 * borrowed until the statement is finalized. */
void sql_text_bind_int(struct sql_text *t, int64_t v);
void sql_text_bind_text(struct sql_text *t, txw_str s);
void sql_text_bind_blob(struct sql_text *t, txw_str s);
void sql_text_bind_id(struct sql_text *t, txw_id id);
/* Prepares and binds; the caller finalizes. */
int32_t sql_text_prepare(struct sql_text *t, struct db *db, sqlite3_stmt **out, txw_error *err);

/* Adds a condition on the table tx as `t` that holds for the rows for which
 * the host's own evaluation holds (txwatch/filter.h says for which). */
int32_t filter_sql(struct sql_text *t, const txw_filter *f, struct db *db, txw_error *err);
/* Gives a connection the functions that such text calls. */
int32_t filter_sql_register(struct db *db, txw_error *err);

/* A text against a filter's: EQ, NE (a prefix where it ends in '*') or HAS;
 * attribute.c. */
bool text_match(uint32_t op, txw_str have, txw_str want);
/* ASCII letters fold. */
bool text_contains(txw_str have, txw_str part);
/* Does the value at path (member names joined by zero bytes) pass the test?
 * attribute.c; attributes: a JSON object. */
bool attribute_match(txw_str attributes, txw_str path, uint32_t op, txw_str text);

#endif
