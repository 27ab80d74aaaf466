/* db.c: see db.h. */
#include "db.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Beyond the server's own timeout, before the connection counts as lost. */
#define GRACE_MS 5000

/* What a SQLSTATE, or its class, is to the host, and what people can do. The
 * first that fits. */
static const struct failure {
	const char *state;
	int32_t code;
	const char *advice;
} FAILURES[] = {
    {"57014", TXW_E_TIMEOUT, "narrow the search, or ask for fewer rows at once"},
    {"57P", TXW_E_IO, "the server is stopping or starting; txwatch tries again by itself"},
    {"25006", TXW_E_IO, "the server is read-only, a standby perhaps: point `host` at the primary"},
    {"25P03", TXW_E_IO, "the server ended an idle unit; txwatch goes on by itself"},
    {"08", TXW_E_IO, "txwatch connects again by itself"},
    {"53100", TXW_E_FULL, "make room on the server's disk; writing goes on by itself then"},
    {"53200", TXW_E_NOMEM, "the server has no more memory"},
    {"53", TXW_E_BUSY, "the server is at a limit (max_connections?)"},
    {"40", TXW_E_BUSY, "two hosts were in each other's way: it is tried again"},
    {"55P03", TXW_E_BUSY, "another host or program holds a lock"},
    {"23505", TXW_E_EXISTS, "there is one already"},
    {"22", TXW_E_INVALID, "a value is not one that the server can keep"},
    {"54", TXW_E_INVALID, "a value is too long"},
    {"28", TXW_E_IO, "check `user`, `password` and the server's pg_hba.conf"},
    /* Not the client's fault whose change met it: so no TXW_E_DENIED. */
    {"42501", TXW_E_IO,
     "let the role own the schema: CREATE SCHEMA ... AUTHORIZATION ..., or ALTER SCHEMA ... "
     "OWNER TO ..."},
    {"42P01", TXW_E_CORRUPT, "the schema has lost a table: restore a backup"},
    {"3D000", TXW_E_NOTFOUND, "make the database first: CREATE DATABASE ... ENCODING 'UTF8'"},
    {"XX", TXW_E_CORRUPT, "the server's data may be damaged: read its log"},
    {"", TXW_E_IO, "this is not expected: please report it"},
};

/* What a server, or libpq, says at the door, where libpq tells no SQLSTATE; in
 * the server's language, and then it is said without advice. */
static const struct {
	const char *said;
	const char *advice;
} DOOR[] = {
    {"no password supplied", "set `password`"},
    {"password authentication failed", "check `user` and `password`"},
    {"no pg_hba.conf entry", "let this host in in the server's pg_hba.conf"},
    {"role \"", "check `user`; a role that may log in is made by CREATE ROLE ... LOGIN"},
    {"database \"", "check `dbname`; one is made by CREATE DATABASE ... ENCODING 'UTF8'"},
    {"SSL", "check `sslmode`, and the server's certificate"},
    {"certificate", "check `sslmode`, and the server's certificate"},
};
static const char AT_A_LIMIT[] =
    "the server is at a limit: raise max_connections or the role's CONNECTION LIMIT; txwatch "
    "tries again by itself";

static const char *door_advice(const char *why)
{
	/* "too many clients", "... connections for role", "remaining connection
	 * slots are reserved": whatever else they name. */
	if (strstr(why, "too many") || strstr(why, "connection slots"))
		return AT_A_LIMIT;
	for (size_t i = 0; i < sizeof(DOOR) / sizeof(DOOR[0]); i++)
		if (strstr(why, DOOR[i].said))
			return DOOR[i].advice;
	return "txwatch connects again by itself";
}

static const struct failure *failure_find(const char *state)
{
	const struct failure *f = FAILURES;
	while (strncmp(f->state, state, strlen(f->state)) != 0)
		f++;
	return f;
}

void db_init(struct db *db, const struct options *o, const struct sql *sql, enum db_use use)
{
	*db = (struct db){.options = o, .sql = sql, .use = use};
	snprintf(db->location, sizeof(db->location), "postgresql");
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

/* libpq's texts have lines and end with one. */
static void one_line(char *out, size_t cap, const char *text)
{
	size_t n = strlen(text);
	while (n && text[n - 1] == '\n')
		n--;
	if (n >= cap)
		n = cap - 1;
	for (size_t i = 0; i < n; i++)
		out[i] = text[i] == '\n' || text[i] == '\t' ? ' ' : text[i];
	out[n] = '\0';
}

static int32_t fail_lost(struct db *db, const char *doing, txw_error *err)
{
	char why[512];
	db->is_lost = true;
	one_line(why, sizeof(why), db->conn ? PQerrorMessage(db->conn) : "not connected");
	return db_say(db, TXW_E_IO, err, "%s: %s: %s; txwatch connects again by itself",
		      db->location, doing, why[0] ? why : "the connection is gone");
}

static int32_t fail_result(struct db *db, const PGresult *r, const char *doing, txw_error *err)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	const char *said = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	char why[512];
	if (!state || PQstatus(db->conn) == CONNECTION_BAD) {
		one_line(why, sizeof(why), said ? said : PQresultErrorMessage(r));
		db->is_lost = true;
		return db_say(db, TXW_E_IO, err, "%s: %s: %s; txwatch connects again by itself",
			      db->location, doing, why[0] ? why : "the connection is gone");
	}
	const struct failure *f = failure_find(state);
	int32_t code = f->code;
	/* A unit that waits too long waits for another host. */
	if (code == TXW_E_TIMEOUT && db->use == DB_WRITER)
		code = TXW_E_BUSY;
	one_line(why, sizeof(why), said ? said : "it failed");
	return db_say(db, code, err, "%s: %s: %s (%s); %s", db->location, doing, why, state,
		      f->advice);
}

/* ---- connecting ---- */

static void locate(struct db *db)
{
	const char *host = PQhost(db->conn), *port = PQport(db->conn), *name = PQdb(db->conn);
	bool is_socket = host && host[0] == '/';
	snprintf(db->location, sizeof(db->location), "postgresql %s%s%s/%s", host ? host : "?",
		 is_socket ? ":" : ":", port ? port : "?", name ? name : "?");
}

static int32_t set_up(struct db *db, txw_error *err)
{
	const struct options *o = db->options;
	int64_t ms = (db->use == DB_WRITER ? o->statement_timeout : o->read_timeout) / 1000;
	char sql[1024];
	/*
	 * A unit is durable when COMMIT answers, whatever the server's default;
	 * what asks for more than `on` (remote_apply) stays. And a statement is
	 * planned once, perhaps while its table is empty: it must go by the
	 * indexes all the same when the table has grown. To a plan that can not
	 * the server then gives a cost that would have it compiled (jit), which
	 * takes longer than any page.
	 */
	snprintf(sql, sizeof(sql),
		 "SET search_path = %s; SET statement_timeout = %lld;"
		 "SET default_transaction_isolation = 'read committed';"
		 "SET extra_float_digits = 0; SET client_min_messages = warning;"
		 "SELECT set_config('synchronous_commit', 'on', false)"
		 " WHERE current_setting('synchronous_commit') = 'off';"
		 "SELECT set_config(name, 'off', false) FROM pg_settings WHERE name IN"
		 " ('enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'jit')",
		 o->schema, (long long)(ms ? ms : 1));
	return db_exec(db, sql, err);
}

/* A server's remarks are not for standard error. */
static void on_notice(void *arg, const PGresult *r)
{
	(void)arg;
	(void)r;
}

int32_t db_connect(struct db *db, txw_error *err)
{
	const struct options *o = db->options;
	char timeout[24];
	snprintf(timeout, sizeof(timeout), "%lld",
		 (long long)((o->connect_timeout + 999999) / 1000000));
	/* Later ones go before earlier ones; empty ones do not count. */
	const char *const names[] = {"gssencmode",
				     "application_name",
				     "keepalives_idle",
				     "keepalives_interval",
				     "keepalives_count",
				     "tcp_user_timeout",
				     "dbname",
				     "host",
				     "port",
				     "dbname",
				     "user",
				     "password",
				     "sslmode",
				     "connect_timeout",
				     "client_encoding",
				     NULL};
	const char *const values[] = {
	    "disable", "txwatch", "15",    "5",         "3",        "30000", o->conninfo, o->host,
	    o->port,   o->dbname, o->user, o->password, o->sslmode, timeout, "UTF8",      NULL};
	db_close(db);
	db->conn = PQconnectdbParams(names, values, 1);
	if (PQstatus(db->conn) != CONNECTION_OK) {
		/* What a server refuses at the door is seldom trouble that passes
		 * in a moment, but the host may try again as with any. */
		char why[512];
		one_line(why, sizeof(why), PQerrorMessage(db->conn));
		db->is_lost = true;
		return db_say(db, TXW_E_IO, err, "%s: connecting: %s; %s", db->location, why,
			      PQconnectionNeedsPassword(db->conn) ? "set `password`"
								  : door_advice(why));
	}
	locate(db);
	PQsetNoticeReceiver(db->conn, on_notice, NULL);
	db->is_lost = false;
	int32_t rc = set_up(db, err);
	if (rc == TXW_OK && PQsetnonblocking(db->conn, 1) != 0)
		rc = fail_lost(db, "connecting", err);
	if (rc < 0)
		db->is_lost = true;
	return rc;
}

void db_close(struct db *db)
{
	PQfinish(db->conn);
	db->conn = NULL;
	free(db->sent);
	db->sent = NULL;
	db->n_sent = db->cap_sent = 0;
	memset(db->prepared, 0, sizeof(db->prepared));
	args_free(&db->args);
}

bool db_is_ready(struct db *db)
{
	if (!db->conn || db->is_lost)
		return false;
	struct pollfd fd = {.fd = PQsocket(db->conn), .events = POLLIN};
	if (poll(&fd, 1, 0) > 0 && !PQconsumeInput(db->conn))
		db->is_lost = true; /* a server that went away said so */
	return !db->is_lost && PQstatus(db->conn) == CONNECTION_OK;
}

/* ---- the pipeline ---- */

static int64_t monotonic_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct args *db_args(struct db *db)
{
	args_reset(&db->args);
	return &db->args;
}

static int32_t no_memory(struct db *db, txw_error *err)
{
	return db_say(db, TXW_E_NOMEM, err, "no memory for a statement");
}

static int32_t enter(struct db *db, txw_error *err)
{
	if (!db->conn || db->is_lost)
		return fail_lost(db, "writing", err);
	if (PQpipelineStatus(db->conn) == PQ_PIPELINE_OFF && !PQenterPipelineMode(db->conn))
		return fail_lost(db, "writing", err);
	/* Room for a PREPARE and the statement. */
	if (db->n_sent + 2 > db->cap_sent) {
		size_t cap = db->cap_sent ? db->cap_sent * 2 : 64;
		int *grown = realloc(db->sent, cap * sizeof(*grown));
		if (!grown)
			return no_memory(db, err);
		db->sent = grown;
		db->cap_sent = cap;
	}
	return TXW_OK;
}

static int32_t send_prepared(struct db *db, enum sql_id id, const struct args_out *out,
			     txw_error *err)
{
	char name[16];
	snprintf(name, sizeof(name), "s%d", (int)id);
	if (!db->prepared[id]) {
		if (!PQsendPrepare(db->conn, name, db->sql->texts[id], 0, NULL))
			return fail_lost(db, SQL_TABLE[id].doing, err);
		db->prepared[id] = 1;
		db->sent[db->n_sent++] = ~(int)id;
	}
	if (!PQsendQueryPrepared(db->conn, name, (int)db->args.n, out->values, out->lengths,
				 out->formats, 1))
		return fail_lost(db, SQL_TABLE[id].doing, err);
	db->sent[db->n_sent++] = (int)id;
	return TXW_OK;
}

int32_t db_send(struct db *db, enum sql_id id, txw_error *err)
{
	struct args_out out;
	int32_t rc = enter(db, err);
	if (rc < 0)
		return rc;
	if (!args_out(&db->args, &out))
		return no_memory(db, err);
	rc = send_prepared(db, id, &out, err);
	args_out_free(&out);
	return rc;
}

int32_t db_send_plain(struct db *db, enum sql_id id, txw_error *err)
{
	args_reset(&db->args);
	return db_send(db, id, err);
}

int32_t db_send_text(struct db *db, const char *sql, txw_error *err)
{
	struct args_out out;
	int32_t rc = enter(db, err);
	if (rc < 0)
		return rc;
	if (!sql || !args_out(&db->args, &out))
		return no_memory(db, err);
	if (PQsendQueryParams(db->conn, sql, (int)db->args.n, NULL, out.values, out.lengths,
			      out.formats, 1))
		db->sent[db->n_sent++] = SQL_COUNT;
	else
		rc = fail_lost(db, "asking", err);
	args_out_free(&out);
	return rc;
}

/* Sends what is left to send and waits until a result stands ready. */
static int32_t wait_for_result(struct db *db, int64_t deadline)
{
	for (;;) {
		int left = PQflush(db->conn);
		if (left < 0)
			return TXW_E_IO;
		if (!left && !PQisBusy(db->conn))
			return TXW_OK;
		struct pollfd fd = {.fd = PQsocket(db->conn),
				    .events = (short)(POLLIN | (left ? POLLOUT : 0))};
		int64_t ms = deadline - monotonic_ms();
		int n = ms > 0 ? poll(&fd, 1, (int)ms) : 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return TXW_E_TIMEOUT;
		if ((fd.revents & (POLLIN | POLLERR | POLLHUP)) && !PQconsumeInput(db->conn))
			return TXW_E_IO;
	}
}

/* NULL: none comes any more. */
static PGresult *next_result(struct db *db, int64_t deadline, int32_t *rc, txw_error *err)
{
	*rc = wait_for_result(db, deadline);
	if (*rc == TXW_E_TIMEOUT) {
		db->is_lost = true;
		*rc = db_say(db, TXW_E_IO, err,
			     "%s: the server does not answer; txwatch connects again by itself",
			     db->location);
	} else if (*rc < 0) {
		*rc = fail_lost(db, "waiting for an answer", err);
	}
	return *rc < 0 ? NULL : PQgetResult(db->conn);
}

static const char *doing_of(int sent)
{
	int id = sent < 0 ? ~sent : sent;
	return id < SQL_COUNT ? SQL_TABLE[id].doing : "asking";
}

static bool is_good(const PGresult *r)
{
	ExecStatusType s = PQresultStatus(r);
	return s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK;
}

/* The answer to the i-th statement. */
static int32_t take_one(struct db *db, int sent, int64_t deadline, PGresult **keep, txw_error *err)
{
	int32_t rc, seen = TXW_OK;
	PGresult *r;
	while ((r = next_result(db, deadline, &rc, err))) {
		if (!is_good(r) && PQresultStatus(r) != PGRES_PIPELINE_ABORTED)
			seen = fail_result(db, r, doing_of(sent), err);
		if (sent < 0)
			db->prepared[~sent] = is_good(r) ? 2 : 0;
		if (keep && !*keep)
			*keep = r;
		else
			PQclear(r);
		if (db->is_lost)
			return seen < 0 ? seen : TXW_E_IO;
	}
	return rc < 0 ? rc : seen;
}

static int32_t take_all(struct db *db, PGresult **out, size_t n, txw_error *err)
{
	int64_t timeout = db->use == DB_WRITER ? db->options->statement_timeout
					       : db->options->read_timeout;
	int64_t deadline = monotonic_ms() + timeout / 1000 + GRACE_MS;
	int32_t first = TXW_OK, rc;
	size_t skip = 0;
	for (size_t i = 0; i < db->n_sent; i++)
		skip += db->sent[i] >= 0;
	skip = skip > n ? skip - n : 0;
	for (size_t i = 0; i < db->n_sent; i++) {
		bool keep = n && db->sent[i] >= 0 && (skip ? skip-- : 0) == 0;
		/* Of the failures the first is the cause. */
		rc = take_one(db, db->sent[i], deadline, keep ? out++ : NULL,
			      first < 0 ? NULL : err);
		first = first < 0 ? first : rc;
		if (db->is_lost)
			return first < 0 ? first : TXW_E_IO;
	}
	PGresult *r = next_result(db, deadline, &rc, first < 0 ? NULL : err);
	if (r && PQresultStatus(r) != PGRES_PIPELINE_SYNC)
		rc = db_say(db, TXW_E_IO, first < 0 ? NULL : err, "%s: answers out of step",
			    db->location);
	if (!r && rc == TXW_OK)
		rc = fail_lost(db, "waiting for an answer", first < 0 ? NULL : err);
	if (rc < 0)
		db->is_lost = true;
	PQclear(r);
	return first < 0 ? first : rc;
}

int32_t db_sync(struct db *db, PGresult **out, size_t n, txw_error *err)
{
	int32_t rc;
	for (size_t i = 0; i < n; i++)
		out[i] = NULL;
	if (!db->conn || db->is_lost)
		return fail_lost(db, "asking", err);
	if (db->n_sent == 0)
		return TXW_OK;
	rc = PQpipelineSync(db->conn) ? take_all(db, out, n, err) : fail_lost(db, "asking", err);
	for (size_t i = 0; i < db->n_sent; i++)
		if (db->sent[i] < 0 && db->prepared[~db->sent[i]] == 1)
			db->prepared[~db->sent[i]] = 0;
	db->n_sent = 0;
	for (size_t i = 0; rc < 0 && i < n; i++) {
		PQclear(out[i]);
		out[i] = NULL;
	}
	return rc;
}

int32_t db_ask(struct db *db, enum sql_id id, PGresult **out, txw_error *err)
{
	int32_t rc = db_send(db, id, err);
	*out = NULL;
	return rc < 0 ? rc : db_sync(db, out, 1, err);
}

int32_t db_ask_text(struct db *db, const char *sql, PGresult **out, txw_error *err)
{
	int32_t rc = db_send_text(db, sql, err);
	*out = NULL;
	return rc < 0 ? rc : db_sync(db, out, 1, err);
}

int64_t db_changed(const PGresult *r)
{
	return strtoll(PQcmdTuples((PGresult *)(uintptr_t)r), NULL, 10);
}

int32_t db_exec(struct db *db, const char *sql, txw_error *err)
{
	if (!db->conn || db->is_lost)
		return fail_lost(db, "setting it up", err);
	if (PQpipelineStatus(db->conn) != PQ_PIPELINE_OFF && !PQexitPipelineMode(db->conn))
		return fail_lost(db, "setting it up", err);
	PGresult *r = PQexec(db->conn, sql);
	int32_t rc = is_good(r) ? TXW_OK : fail_result(db, r, "setting it up", err);
	PQclear(r);
	return rc;
}
