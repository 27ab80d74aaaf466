/*
 * db.h: one connection to the server: statements in a pipeline, errors in our
 * words, and what to do when it breaks.
 *
 *   CLOSED -> READY   db_connect()
 *   READY  -> READY   db_send() ... db_sync()
 *   READY  -> LOST    the connection broke: every call fails with TXW_E_IO
 *   LOST   -> READY   db_connect()
 *
 * db_send queues a statement, db_sync waits for the answers to all that was
 * queued. After a failed statement the server skips the rest up to the sync.
 *
 * A connection belongs to one thread at a time; nothing here locks. A call
 * that fails returns a negative TXW_E_ and fills the txw_error with text kept
 * in the connection (the host copies it at once).
 */
#ifndef POSTGRESQL_DB_H
#define POSTGRESQL_DB_H

#include <libpq-fe.h>

#include "args.h"
#include "options.h"
#include "sql.h"

#define DB_TEXT_MAX 1024

enum db_use { DB_WRITER, DB_READER };

struct db {
	PGconn *conn;
	const struct options *options; /* borrowed */
	const struct sql *sql;         /* borrowed: the texts */
	enum db_use use;
	bool is_lost;
	/* 0: not prepared, 1: on its way, 2: prepared on this connection. */
	unsigned char prepared[SQL_COUNT];
	struct args args; /* for the next statement */
	/* What was sent and not answered: SQL_..., ~SQL_... for a PREPARE,
	 * SQL_COUNT for a text. Owned. */
	int *sent;
	size_t n_sent;
	size_t cap_sent;
	char location[256];
	char text[DB_TEXT_MAX]; /* the last error's */
};

void db_init(struct db *db, const struct options *o, const struct sql *sql, enum db_use use);
/* Connects anew, whatever was before. */
int32_t db_connect(struct db *db, txw_error *err);
void db_close(struct db *db);
/* Does the connection stand, as far as one can tell without asking? */
bool db_is_ready(struct db *db);

/* Says a failure in words of our own; returns code. */
int32_t db_say(struct db *db, int32_t code, txw_error *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The parameters of the next db_send, empty. */
struct args *db_args(struct db *db);
/* Queues a statement with db->args, which stay for sending it again. */
int32_t db_send(struct db *db, enum sql_id id, txw_error *err);
/* ... without parameters. */
int32_t db_send_plain(struct db *db, enum sql_id id, txw_error *err);
/* The same for a text that is used once. */
int32_t db_send_text(struct db *db, const char *sql, txw_error *err);
/* Waits for everything that was queued. out[0..n-1]: the results of the last n
 * statements, for PQclear; NULL when it fails. */
int32_t db_sync(struct db *db, PGresult **out, size_t n, txw_error *err);
/* db_send and db_sync: the one result. */
int32_t db_ask(struct db *db, enum sql_id id, PGresult **out, txw_error *err);
int32_t db_ask_text(struct db *db, const char *sql, PGresult **out, txw_error *err);
/* How many rows the statement changed. */
int64_t db_changed(const PGresult *r);

/* SQL without parameters, several statements in one; nothing may be queued. */
int32_t db_exec(struct db *db, const char *sql, txw_error *err);

#endif
