/*
 * schema.c: the tables, how they came to be, and whether they are sound.
 *
 * The version is PRAGMA user_version: the number of steps taken. A step is
 * never changed once released; a new one is added at the end. Each is taken in
 * a transaction of its own, so that a crash between two leaves a good file.
 * PRAGMA application_id tells our files from other programs'.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "store.h"

#define APPLICATION_ID 0x74787731 /* "txw1" */
#define QUICK_LIMIT    (INT64_C(8) * 1024 * 1024)
/* A WAL longer than this is cut to it when it starts again. */
#define WAL_KEEP (64 * 1024 * 1024)

/* Event types as rows: VALUES cannot name its columns. */
#define TYPE_ROW(sym, num, name, help) " UNION ALL SELECT " #num ", '" name "'"
#define TYPE_NAMES                     "SELECT 0 AS type, 'unknown' AS name" TXW_EVENT_TYPES(TYPE_ROW)

/*
 * A random index costs more than the row: there is one on tx for each way to
 * name it, the others are partial and move only when their column does; the
 * log has none but for messages that carry an id of their own. NULL is "none".
 */
static const char STEP_1[] =
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);"

    "CREATE TABLE tx ("
    " key INTEGER PRIMARY KEY, id BLOB NOT NULL,"
    " tenant INTEGER, flow INTEGER, status INTEGER," /* name.id */
    " ref TEXT NOT NULL, created_at INTEGER NOT NULL, version INTEGER NOT NULL,"
    " last_seq INTEGER, updated_at INTEGER NOT NULL, outcome INTEGER, due_at INTEGER,"
    " status_since INTEGER, next_poll_at INTEGER, expires_at INTEGER, finished_at INTEGER,"
    " source_at INTEGER, polls INTEGER NOT NULL, poll_failures INTEGER NOT NULL,"
    " paused INTEGER NOT NULL, owner TEXT, amount TEXT, currency TEXT, attributes TEXT,"
    " reason TEXT, code TEXT, source_version TEXT, anomaly TEXT, deadline INTEGER);"
    "CREATE UNIQUE INDEX tx_id ON tx (id);"
    "CREATE UNIQUE INDEX tx_ref ON tx (ref, flow, tenant);"
    "CREATE INDEX tx_due ON tx (due_at) WHERE due_at IS NOT NULL;"
    "CREATE INDEX tx_outcome ON tx (outcome) WHERE outcome IS NOT NULL;"
    "CREATE INDEX tx_owner ON tx (owner) WHERE owner IS NOT NULL;"

    "CREATE TABLE event ("
    " seq INTEGER PRIMARY KEY, id BLOB," /* NULL: derived from at and seq */
    " prev INTEGER, tx INTEGER, tenant INTEGER, type INTEGER NOT NULL, at INTEGER NOT NULL,"
    " from_status INTEGER, to_status INTEGER, source INTEGER, actor TEXT,"
    " source_event_id TEXT,"
    " source_at INTEGER," /* like every time below: at minus it */
    " reason TEXT, code TEXT, detail TEXT,"
    /* The row after it; status NULL: as to_status. */
    " status INTEGER, version INTEGER, outcome INTEGER, owner TEXT, amount TEXT,"
    " currency TEXT, attributes TEXT, tx_reason TEXT, tx_code TEXT, source_version TEXT,"
    " anomaly TEXT, tx_source_at INTEGER, updated_at INTEGER, status_since INTEGER,"
    " expires_at INTEGER, finished_at INTEGER, next_poll_at INTEGER, due_at INTEGER,"
    " polls INTEGER, poll_failures INTEGER, paused INTEGER, deadline INTEGER);"
    "CREATE UNIQUE INDEX event_source ON event (tx, source_event_id)"
    " WHERE source_event_id IS NOT NULL;"

    "CREATE TABLE target ("
    " key INTEGER PRIMARY KEY, tenant INTEGER, name TEXT NOT NULL, disabled INTEGER NOT NULL,"
    " reason TEXT, paused_until INTEGER, failing_since INTEGER, failures INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX target_name ON target (name, tenant);"

    "CREATE TABLE delivery ("
    " key INTEGER PRIMARY KEY, target INTEGER NOT NULL, seq INTEGER NOT NULL, tx INTEGER,"
    " tenant INTEGER, state INTEGER NOT NULL, ordered INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL, due_at INTEGER, created_at INTEGER NOT NULL,"
    " updated_at INTEGER, status INTEGER, reason TEXT, lease INTEGER);"
    "CREATE INDEX delivery_target ON delivery (target);"
    /* Those of a transaction are found by its events: seq ascends as rows are
     * added, tx does not. */
    "CREATE INDEX delivery_seq ON delivery (seq);"
    /* SENDING is state 0 with a lease: taking and ending a lease moves no row in
     * any index. */
    "CREATE INDEX delivery_due ON delivery (target, due_at) WHERE state = 0;"
    "CREATE INDEX delivery_order ON delivery (target, tx, state)"
    " WHERE ordered = 1 AND state IN (0, 1);"
    /* Two comparisons: a list of three would cost each UPDATE a table of its
     * own to look the state up in. */
    "CREATE INDEX delivery_held ON delivery (target, state) WHERE state >= 3 AND state <= 5;"
    "CREATE TABLE attempt ("
    " delivery INTEGER NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL,"
    " verdict INTEGER NOT NULL, status INTEGER, took INTEGER, connect_took INTEGER,"
    " tls_took INTEGER, first_byte_took INTEGER, peer TEXT, reason TEXT, response TEXT,"
    " PRIMARY KEY (delivery, n)) WITHOUT ROWID;"

    "CREATE TABLE doc ("
    " kind TEXT NOT NULL, tenant TEXT NOT NULL, id TEXT NOT NULL, body TEXT,"
    " version INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,"
    " expires_at INTEGER, PRIMARY KEY (kind, tenant, id)) WITHOUT ROWID;"
    "CREATE INDEX doc_expires ON doc (expires_at) WHERE expires_at IS NOT NULL;"
    "CREATE TABLE mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;";

static const char STEP_2[] = "ALTER TABLE tx ADD COLUMN warned INTEGER;"
			     "ALTER TABLE tx ADD COLUMN held INTEGER;"
			     "ALTER TABLE event ADD COLUMN warned INTEGER;"
			     "ALTER TABLE event ADD COLUMN held INTEGER;"
			     "ALTER TABLE event ADD COLUMN digest BLOB;"
			     "ALTER TABLE event ADD COLUMN hash BLOB;"
			     "ALTER TABLE event ADD COLUMN trace TEXT;";

/* What was counted from then on is counted here for what is there already. */
static const char STEP_3[] =
    "CREATE TABLE rollup ("
    " kind TEXT NOT NULL, tenant TEXT NOT NULL, bucket INTEGER NOT NULL, flow TEXT NOT NULL,"
    " key TEXT NOT NULL, count INTEGER NOT NULL,"
    " PRIMARY KEY (kind, tenant, bucket, flow, key)) WITHOUT ROWID;"
    "INSERT INTO rollup SELECT 'now', ifnull(n.text, ''), 0, ifnull(f.text, ''),"
    " CASE ifnull(t.outcome, 0) WHEN 0 THEN 'open' WHEN 1 THEN 'success'"
    " WHEN 2 THEN 'failure' WHEN 3 THEN 'cancelled' WHEN 4 THEN 'expired'"
    " ELSE 'unknown' END || '/' || ifnull(s.text, ''), t.c FROM"
    " (SELECT tenant, flow, outcome, status, count(*) AS c FROM tx GROUP BY 1, 2, 3, 4) t"
    " LEFT JOIN name n ON n.id = t.tenant LEFT JOIN name f ON f.id = t.flow"
    " LEFT JOIN name s ON s.id = t.status;"
    "INSERT INTO rollup SELECT 'events', ifnull(n.text, ''), t.day * 86400000000,"
    " ifnull(f.text, ''), y.name, t.c FROM"
    " (SELECT e.tenant, e.at / 86400000000 AS day, x.flow, e.type, count(*) AS c"
    " FROM event e LEFT JOIN tx x ON x.key = e.tx GROUP BY 1, 2, 3, 4) t"
    " JOIN (" TYPE_NAMES ") y ON y.type = t.type"
    " LEFT JOIN name n ON n.id = t.tenant LEFT JOIN name f ON f.id = t.flow;";

/*
 * Open and finished ones have an index each, in the order of their keys: the
 * open ones' does not move while they are open, a finished one is added where
 * its status says (`fin`, a copy: the status of open ones is in no index). By
 * them a filter on tenant, flow, status or outcome reads what it shows and
 * little else; plan.c.
 */
static const char STEP_4[] =
    "CREATE TABLE shape ("
    " tenant INTEGER NOT NULL, flow INTEGER NOT NULL, status INTEGER NOT NULL,"
    " outcome INTEGER NOT NULL, finished INTEGER NOT NULL,"
    " PRIMARY KEY (tenant, flow, status, outcome, finished)) WITHOUT ROWID;"
    "INSERT INTO shape SELECT DISTINCT ifnull(tenant, 0), ifnull(flow, 0), ifnull(status, 0),"
    " ifnull(outcome, 0), finished_at IS NOT NULL FROM tx;"
    "DROP INDEX tx_outcome;"
    "ALTER TABLE tx ADD COLUMN fin INTEGER;"
    "UPDATE tx SET fin = status WHERE finished_at IS NOT NULL;"
    "CREATE INDEX tx_open ON tx (tenant, flow) WHERE finished_at IS NULL;"
    "CREATE INDEX tx_done ON tx (tenant, flow, fin) WHERE finished_at IS NOT NULL;"
    "CREATE INDEX tx_finished ON tx (finished_at) WHERE finished_at IS NOT NULL;";

/* What events that were purged leave. */
static const char STEP_5[] =
    "CREATE TABLE purged (seq INTEGER PRIMARY KEY, digest BLOB, hash BLOB);";

static const char *const STEPS[] = {STEP_1, STEP_2, STEP_3, STEP_4, STEP_5};
#define SCHEMA ((int64_t)(sizeof(STEPS) / sizeof(STEPS[0])))

int32_t schema_connect(struct db *db, const struct options *o, bool writer, txw_error *err)
{
	char sql[256];
	sqlite3_snprintf(sizeof(sql), sql,
			 "PRAGMA cache_size = -%lld; PRAGMA temp_store = MEMORY;"
			 "PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = OFF;",
			 (long long)((writer ? o->cache : o->cache / 8) / 1024 + 1));
	int32_t rc = db_exec(db, sql, "setting it up", err);
	if (rc < 0 || !writer)
		return rc;
	sqlite3_snprintf(sizeof(sql), sql,
			 "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = %d;", WAL_KEEP);
	return db_exec(db, sql, "setting it up", err);
}

/* Is it ours, and not newer than we are? */
static int32_t recognise(struct store *s, int64_t *version, txw_error *err)
{
	struct db *db = &s->db;
	int64_t application, tables;
	int32_t rc;
	if ((rc = db_number(db, "PRAGMA application_id", &application, "reading it", err)) < 0 ||
	    (rc = db_number(db, "PRAGMA user_version", version, "reading it", err)) < 0 ||
	    (rc = db_number(db, "SELECT count(*) FROM sqlite_schema", &tables, "reading it", err)) <
		0)
		return rc;
	if (application != APPLICATION_ID && (tables || application || *version))
		return db_say(db, TXW_E_INVALID, err,
			      "%s is a database of another program: set `path` to another file",
			      db->path);
	if (*version > SCHEMA)
		return db_say(db, TXW_E_VERSION, err,
			      "%s has schema %lld, made by a newer txwatch; this one knows %lld: "
			      "upgrade txwatch, or restore the backup made before the upgrade",
			      db->path, (long long)*version, (long long)SCHEMA);
	return TXW_OK;
}

/* What a check answers that is not "ok". A page that it could not get is the
 * disk's fault, not the file's: nobody should move that away. */
static int32_t say_unsound(struct db *db, txw_str said, txw_error *err)
{
	static const char CODE[] = "error code=";
	const char *code = said.len ? strstr(said.ptr, CODE) : NULL;
	int shown = (int)(said.len < 300 ? said.len : 300);
	if (code && (strtol(code + sizeof(CODE) - 1, NULL, 10) & 0xff) == SQLITE_IOERR)
		return db_say(db, TXW_E_IO, err,
			      "%s: checking its integrity: disk I/O error (%.*s); check the disk "
			      "and the kernel's log",
			      db->path, shown, said.ptr);
	return db_say(db, TXW_E_CORRUPT, err,
		      "%s is damaged (%.*s): restore a backup, or move it away to begin anew",
		      db->path, shown, said.ptr);
}

/* Runs a checking query; it answers "ok" or what is wrong. */
static int32_t expect_ok(struct db *db, const char *sql, txw_error *err)
{
	sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(db->handle, sql, -1, &st, NULL) != SQLITE_OK)
		return db_fail(db, "checking its integrity", err);
	int32_t rc = db_step(db, st, "checking its integrity", err);
	if (rc > 0) {
		txw_str said = column_text(st, 0);
		bool is_ok = said.len == 2 && memcmp(said.ptr, "ok", 2) == 0;
		rc = is_ok ? TXW_OK : say_unsound(db, said, err);
	}
	sqlite3_finalize(st);
	return rc;
}

/*
 * A clean power cut damages nothing (the WAL's checksums see to that), so
 * what this looks for is a file that was cut, overwritten or badly copied.
 * Reading a big file whole would make every start slow: of a big one, `quick`
 * looks at the small tables and both ends of the log.
 */
static int32_t check(struct store *s, txw_error *err)
{
	static const char *const SOME[] = {
	    "PRAGMA quick_check(meta)",
	    "PRAGMA quick_check(name)",
	    "PRAGMA quick_check(target)",
	    "PRAGMA quick_check(mark)",
	    "SELECT CASE WHEN count(*) <= 2000 THEN 'ok' END FROM"
	    " (SELECT sum(length(detail) + length(attributes)) FROM"
	    "  (SELECT detail, attributes FROM event ORDER BY seq DESC LIMIT 1000)"
	    "  UNION ALL SELECT sum(length(detail)) FROM"
	    "  (SELECT detail FROM event ORDER BY seq LIMIT 1000))",
	};
	struct stat st;
	if (s->options.check == CHECK_OFF)
		return TXW_OK;
	if (s->options.check == CHECK_FULL)
		return expect_ok(&s->db, "PRAGMA integrity_check(1)", err);
	if (stat(s->path, &st) < 0 || st.st_size <= QUICK_LIMIT)
		return expect_ok(&s->db, "PRAGMA quick_check(1)", err);
	for (size_t i = 0; i < sizeof(SOME) / sizeof(SOME[0]); i++) {
		int32_t rc = expect_ok(&s->db, SOME[i], err);
		if (rc < 0)
			return rc;
	}
	return TXW_OK;
}

static int32_t use_wal(struct db *db, txw_error *err)
{
	sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(db->handle, "PRAGMA journal_mode = WAL", -1, &st, NULL) != SQLITE_OK)
		return db_fail(db, "turning to write-ahead logging", err);
	int32_t rc = db_step(db, st, "turning to write-ahead logging", err);
	if (rc > 0) {
		txw_str mode = column_text(st, 0);
		if (mode.len == 3 && memcmp(mode.ptr, "wal", 3) == 0)
			rc = TXW_OK;
		else
			rc = db_say(db, TXW_E_UNSUPPORTED, err,
				    "%s is on a file system without shared memory: put the "
				    "database on a local disk",
				    db->path);
	}
	sqlite3_finalize(st);
	return rc;
}

/* What step 1 writes beside the tables: numbers that never come again. */
static int32_t write_meta(struct db *db, txw_error *err)
{
	struct {
		uint32_t site;
		uint64_t epoch;
	} random;
	while (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		;
	char sql[256];
	sqlite3_snprintf(sizeof(sql), sql,
			 "INSERT INTO meta VALUES ('site', %u), ('epoch', %lld);"
			 "PRAGMA application_id = %d;",
			 random.site & 0x3fffffffu, (long long)(random.epoch >> 12 | 1),
			 APPLICATION_ID);
	return db_exec(db, sql, "writing its first rows", err);
}

static int32_t step(struct db *db, int64_t version, txw_error *err)
{
	char sql[64];
	int32_t rc;
	sqlite3_snprintf(sizeof(sql), sql, "PRAGMA user_version = %lld", (long long)version + 1);
	if ((rc = db_exec(db, "BEGIN IMMEDIATE", "migrating it", err)) < 0)
		return rc;
	if ((rc = db_exec(db, STEPS[version], "migrating it", err)) < 0 ||
	    (version == 0 && (rc = write_meta(db, err)) < 0) ||
	    (rc = db_exec(db, sql, "migrating it", err)) < 0 ||
	    (rc = db_exec(db, "COMMIT", "migrating it", err)) < 0) {
		if (!sqlite3_get_autocommit(db->handle))
			sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
		return rc;
	}
	return TXW_OK;
}

static int32_t read_meta(struct store *s, txw_error *err)
{
	int64_t site, epoch;
	int32_t rc;
	if ((rc = db_number(&s->db, "SELECT value FROM meta WHERE name = 'site'", &site,
			    "reading it", err)) < 0 ||
	    (rc = db_number(&s->db, "SELECT value FROM meta WHERE name = 'epoch'", &epoch,
			    "reading it", err)) < 0)
		return rc;
	if (!epoch)
		return db_say(&s->db, TXW_E_CORRUPT, err,
			      "%s: the table `meta` has lost its rows; restore a backup", s->path);
	s->site = (uint32_t)site;
	s->epoch = (uint64_t)epoch;
	s->schema = (uint32_t)SCHEMA;
	return TXW_OK;
}

int32_t schema_open(struct store *s, txw_error *err)
{
	struct db *db = &s->db;
	int64_t version;
	int32_t rc;
	if ((rc = recognise(s, &version, err)) < 0 || (rc = use_wal(db, err)) < 0 ||
	    (rc = schema_connect(db, &s->options, true, err)) < 0)
		return rc;
	if (version > 0 && (rc = check(s, err)) < 0)
		return rc;
	/* Proves that nobody else writes, and that we may. */
	if ((rc = db_exec(db, "BEGIN IMMEDIATE", "taking the write lock", err)) < 0 ||
	    (rc = db_exec(db, "COMMIT", "taking the write lock", err)) < 0)
		return rc;
	for (int64_t before = version; version < SCHEMA; version++) {
		if ((rc = step(db, version, err)) < 0)
			return rc;
		if (before > 0)
			store_log(s, TXW_LOG_INFO, "%s: migrated to schema %lld", s->path,
				  (long long)version + 1);
	}
	return read_meta(s, err);
}
