/*
 * db.h: one connection to the database file and its prepared statements.
 *
 * A connection belongs to one thread at a time; nothing here locks.
 * Errors: a call returns a negative TXW_E_ and fills the txw_error with text
 * kept in the connection (the host copies it at once).
 */
#ifndef SQLITE_DB_H
#define SQLITE_DB_H

#include <sqlite3.h>

#include "sql.h"
#include "txwatch/abi.h"

#define DB_TEXT_MAX 1024

struct db {
	sqlite3 *handle;
	const char *path; /* borrowed */
	sqlite3_stmt *stmts[SQL_COUNT];
	char text[DB_TEXT_MAX]; /* the last error's */
};

/* flags: SQLITE_OPEN_. Texts of errors start with the path. */
int32_t db_open(struct db *db, const char *path, int flags, int64_t busy_ms, txw_error *err);
void db_close(struct db *db);
/* Prepares the statements for these users (SQL_WRITER, SQL_READER). */
int32_t db_prepare(struct db *db, unsigned users, txw_error *err);

/* Says a failure in words of our own; returns code. */
int32_t db_say(struct db *db, int32_t code, txw_error *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Says what SQLite says of the connection's last failure while `doing` ("saving
 * a transaction"), and what to do about it; returns its code. */
int32_t db_fail(struct db *db, const char *doing, txw_error *err);

/* Runs SQL without a result. */
int32_t db_exec(struct db *db, const char *sql, const char *doing, txw_error *err);
/* Runs `PRAGMA ...` or another query for its first column. */
int32_t db_number(struct db *db, const char *sql, int64_t *out, const char *doing, txw_error *err);
/* Steps a statement that has no result, and resets it. */
int32_t db_run(struct db *db, sqlite3_stmt *st, const char *doing, txw_error *err);
/* 1: a row stands ready. 0: there are no more, and the statement is reset.
 * Negative: failed, and reset. */
int32_t db_step(struct db *db, sqlite3_stmt *st, const char *doing, txw_error *err);

static inline sqlite3_stmt *db_stmt(struct db *db, enum sql_id id)
{
	return db->stmts[id];
}

/*
 * Binding. Zero and the empty text mean "none" in the ABI and are NULL in the
 * database, so that partial indexes leave them out and comparisons with them
 * hold for nobody. Texts are borrowed until the statement is reset. A binding
 * can fail by a wrong index only, which no test would survive.
 */
static inline void bind_int(sqlite3_stmt *st, int i, int64_t v)
{
	sqlite3_bind_int64(st, i, v);
}

static inline void bind_some(sqlite3_stmt *st, int i, int64_t v)
{
	if (v)
		sqlite3_bind_int64(st, i, v);
	else
		sqlite3_bind_null(st, i);
}

static inline void bind_text(sqlite3_stmt *st, int i, txw_str s)
{
	if (s.len)
		sqlite3_bind_text64(st, i, s.ptr, s.len, SQLITE_STATIC, SQLITE_UTF8);
	else
		sqlite3_bind_null(st, i);
}

static inline void bind_bytes(sqlite3_stmt *st, int i, txw_str s)
{
	if (s.len)
		sqlite3_bind_blob64(st, i, s.ptr, s.len, SQLITE_STATIC);
	else
		sqlite3_bind_null(st, i);
}

/* As bind_text, but the empty text is a value: for keys. */
static inline void bind_key(sqlite3_stmt *st, int i, txw_str s)
{
	sqlite3_bind_text64(st, i, s.len ? s.ptr : "", s.len, SQLITE_STATIC, SQLITE_UTF8);
}

/* The bytes of an id, kept by the caller until the statement is reset. */
struct id_bytes {
	unsigned char at[16];
};
void id_pack(struct id_bytes *out, txw_id id);

static inline int64_t column_int(sqlite3_stmt *st, int i)
{
	return sqlite3_column_int64(st, i);
}

/* Lives until the next step or reset. */
txw_str column_text(sqlite3_stmt *st, int i);
txw_str column_bytes(sqlite3_stmt *st, int i);
txw_id column_id(sqlite3_stmt *st, int i);

#endif
