/* db.c: see db.h. */
#include "db.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What SQLite says, what that is to the host, and what people can do. */
static const struct failure {
	int sqlite; /* primary result code */
	int32_t code;
	const char *advice;
} FAILURES[] = {
    {SQLITE_FULL, TXW_E_FULL, "make room on the device; writing goes on by itself then"},
    {SQLITE_BUSY, TXW_E_BUSY, "another program holds a lock on it: stop that program"},
    {SQLITE_LOCKED, TXW_E_BUSY, "another program holds a lock on it: stop that program"},
    {SQLITE_CORRUPT, TXW_E_CORRUPT, "the file is damaged: restore a backup, or move it away"},
    {SQLITE_NOTADB, TXW_E_CORRUPT, "the file is no SQLite database: check the option `path`"},
    {SQLITE_READONLY, TXW_E_DENIED,
     "give the user txwatch runs as write permission on the file and its directory"},
    {SQLITE_PERM, TXW_E_DENIED,
     "give the user txwatch runs as write permission on the file and its directory"},
    {SQLITE_CANTOPEN, TXW_E_IO, "check that the file and its directory are accessible"},
    {SQLITE_IOERR, TXW_E_IO, "check the disk and the kernel's log"},
    {SQLITE_NOMEM, TXW_E_NOMEM, "the process has no more memory"},
    {SQLITE_INTERRUPT, TXW_E_TIMEOUT, "narrow the search, or ask for fewer rows at once"},
    {SQLITE_CONSTRAINT, TXW_E_EXISTS, "there is one already"},
    {SQLITE_TOOBIG, TXW_E_INVALID, "a value is too long"},
    {0, TXW_E_IO, "this is not expected: please report it"},
};

/* The system's reason for the last I/O error of the WAL, or of the file; to
 * SQLite a quota is an I/O error like another. */
static int system_reason(sqlite3 *handle)
{
	sqlite3_file *wal = NULL;
	int reason = sqlite3_system_errno(handle);
	if (!reason &&
	    sqlite3_file_control(handle, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &wal) == SQLITE_OK &&
	    wal && wal->pMethods)
		wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &reason);
	if (!reason)
		sqlite3_file_control(handle, NULL, SQLITE_FCNTL_LAST_ERRNO, &reason);
	return reason;
}

static const struct failure *failure_find(sqlite3 *handle, int *reason)
{
	int rc = sqlite3_errcode(handle) & 0xff;
	bool by_system = rc == SQLITE_IOERR || rc == SQLITE_CANTOPEN;
	*reason = by_system ? system_reason(handle) : 0;
	if (*reason == ENOSPC || *reason == EDQUOT || *reason == EFBIG)
		rc = SQLITE_FULL;
	const struct failure *f = FAILURES;
	while (f->sqlite && f->sqlite != rc)
		f++;
	return f;
}

int32_t db_say(struct db *db, int32_t code, txw_error *err, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(db->text, sizeof(db->text), format, ap);
	va_end(ap);
	size_t len = n < 0 ? 0 : (size_t)n;
	if (len >= sizeof(db->text))
		len = sizeof(db->text) - 1;
	if (err) {
		err->code = code;
		err->text = (txw_str){db->text, len};
	}
	return code;
}

int32_t db_fail(struct db *db, const char *doing, txw_error *err)
{
	int reason;
	const struct failure *f = failure_find(db->handle, &reason);
	return db_say(db, f->code, err, "%s: %s: %s%s%s; %s", db->path, doing,
		      sqlite3_errmsg(db->handle), reason ? ": " : "",
		      reason ? strerrordesc_np(reason) : "", f->advice);
}

int32_t db_open(struct db *db, const char *path, int flags, int64_t busy_ms, txw_error *err)
{
	db->path = path;
	int rc = sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (!db->handle)
		return db_say(db, TXW_E_NOMEM, err, "%s: no memory to open it", path);
	if (rc != SQLITE_OK)
		return db_fail(db, "opening the database", err);
	sqlite3_busy_timeout(db->handle, (int)busy_ms);
	sqlite3_extended_result_codes(db->handle, 1);
	/* A database that somebody else wrote cannot make us run its code. */
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)NULL);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
	return TXW_OK;
}

void db_close(struct db *db)
{
	for (int i = 0; i < SQL_COUNT; i++) {
		sqlite3_finalize(db->stmts[i]);
		db->stmts[i] = NULL;
	}
	sqlite3_close_v2(db->handle);
	db->handle = NULL;
}

int32_t db_prepare(struct db *db, unsigned users, txw_error *err)
{
	for (int i = 0; i < SQL_COUNT; i++) {
		const struct sql_row *row = &SQL_TABLE[i];
		if (!(row->users & users) || db->stmts[i])
			continue;
		if (sqlite3_prepare_v3(db->handle, row->text, -1, SQLITE_PREPARE_PERSISTENT,
				       &db->stmts[i], NULL) != SQLITE_OK)
			return db_fail(db, "preparing a statement", err);
	}
	return TXW_OK;
}

int32_t db_exec(struct db *db, const char *sql, const char *doing, txw_error *err)
{
	if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
		return db_fail(db, doing, err);
	return TXW_OK;
}

int32_t db_number(struct db *db, const char *sql, int64_t *out, const char *doing, txw_error *err)
{
	sqlite3_stmt *st = NULL;
	*out = 0;
	if (sqlite3_prepare_v2(db->handle, sql, -1, &st, NULL) != SQLITE_OK)
		return db_fail(db, doing, err);
	int32_t rc = db_step(db, st, doing, err);
	if (rc > 0)
		*out = column_int(st, 0);
	sqlite3_finalize(st);
	return rc < 0 ? rc : TXW_OK;
}

int32_t db_run(struct db *db, sqlite3_stmt *st, const char *doing, txw_error *err)
{
	int32_t rc = TXW_OK;
	if (sqlite3_step(st) != SQLITE_DONE)
		rc = db_fail(db, doing, err);
	sqlite3_reset(st);
	return rc;
}

int32_t db_step(struct db *db, sqlite3_stmt *st, const char *doing, txw_error *err)
{
	int rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		return 1;
	int32_t out = rc == SQLITE_DONE ? 0 : db_fail(db, doing, err);
	sqlite3_reset(st);
	return out;
}

txw_str column_text(sqlite3_stmt *st, int i)
{
	const char *p = (const char *)sqlite3_column_text(st, i);
	int n = sqlite3_column_bytes(st, i);
	return p && n > 0 ? (txw_str){p, (size_t)n} : (txw_str){NULL, 0};
}

txw_str column_bytes(sqlite3_stmt *st, int i)
{
	const char *p = sqlite3_column_blob(st, i);
	int n = sqlite3_column_bytes(st, i);
	return p && n > 0 ? (txw_str){p, (size_t)n} : (txw_str){NULL, 0};
}

void id_pack(struct id_bytes *out, txw_id id)
{
	for (int i = 0; i < 8; i++) {
		out->at[i] = (unsigned char)(id.hi >> (56 - 8 * i));
		out->at[8 + i] = (unsigned char)(id.lo >> (56 - 8 * i));
	}
}

txw_id column_id(sqlite3_stmt *st, int i)
{
	txw_id id = {0, 0};
	const unsigned char *p = sqlite3_column_blob(st, i);
	if (!p || sqlite3_column_bytes(st, i) != 16)
		return id;
	for (int k = 0; k < 8; k++) {
		id.hi = id.hi << 8 | p[k];
		id.lo = id.lo << 8 | p[8 + k];
	}
	return id;
}
