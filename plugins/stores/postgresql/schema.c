/*
 * schema.c: the tables, and how they came to be.
 *
 * `meta` says the version: the number of steps taken. A step is never changed
 * once released; a new one is added at the end. All that are missing are taken
 * in one transaction, under a lock on `meta`, so several hosts may start at
 * once. All texts compare by bytes (COLLATE "C").
 */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "store.h"

#define SERVER_MIN 120000 /* generated columns */
#define TRIES      5

#define T "text COLLATE \"C\""

/* NULL is "none". Names of states and instances are kept as they are: what
 * integers would save, compression of pages and backups saves too, and no host
 * needs to learn another's. */
static const char STEP_1[] =
    "CREATE TABLE head (one smallint PRIMARY KEY CHECK (one = 1), last_seq bigint NOT NULL,"
    " last_at bigint NOT NULL);"
    "INSERT INTO head VALUES (1, 0, 0);"
    "CREATE TABLE unit (host bigint, n bigint, fenced boolean NOT NULL,"
    " at timestamptz NOT NULL, PRIMARY KEY (host, n));"
    "CREATE TABLE log_partition (name text PRIMARY KEY, from_at bigint NOT NULL,"
    " to_at bigint NOT NULL);"
    "CREATE SEQUENCE tx_key; CREATE SEQUENCE delivery_key; CREATE SEQUENCE target_key;"

    "CREATE TABLE tx (key bigint PRIMARY KEY, id uuid NOT NULL, tenant " T " NOT NULL,"
    " flow " T " NOT NULL, ref " T " NOT NULL, created_at bigint NOT NULL, last_seq bigint,"
    " source_at bigint, reason " T ", code " T ", status " T " NOT NULL,"
    " version bigint NOT NULL, outcome smallint, owner " T ", amount " T ", currency " T ","
    " attributes " T ", source_version " T ", anomaly " T ", updated_at bigint NOT NULL,"
    " status_since bigint, expires_at bigint, finished_at bigint, next_poll_at bigint,"
    " due_at bigint, polls bigint NOT NULL, poll_failures bigint NOT NULL,"
    " paused smallint NOT NULL, deadline bigint, warned bigint, held smallint)"
    " WITH (fillfactor = 85);"
    "CREATE UNIQUE INDEX tx_id ON tx (id);"
    "CREATE UNIQUE INDEX tx_ref ON tx (ref, flow, tenant);"
    "CREATE INDEX tx_due ON tx (due_at) WHERE due_at IS NOT NULL;"
    "CREATE INDEX tx_outcome ON tx (outcome, key) WHERE outcome IS NOT NULL;"
    "CREATE INDEX tx_owner ON tx (owner, key) WHERE owner IS NOT NULL;"
    "CREATE INDEX tx_finished ON tx (finished_at, key) WHERE finished_at IS NOT NULL;"

    "CREATE TABLE event (seq bigint NOT NULL, id uuid, prev bigint, tenant " T " NOT NULL,"
    " type smallint NOT NULL, at bigint NOT NULL, from_status " T ", to_status " T ","
    " source " T ", actor " T ", source_event_id " T ", source_at bigint, reason " T ","
    " code " T ", detail " T ", digest bytea, hash bytea, trace " T ","
    /* The row after it. */
    " tx bigint, tx_reason " T ", tx_code " T ", tx_source_at bigint, status " T ","
    " version bigint, outcome smallint, owner " T ", amount " T ", currency " T ","
    " attributes " T ", source_version " T ", anomaly " T ", updated_at bigint,"
    " status_since bigint, expires_at bigint, finished_at bigint, next_poll_at bigint,"
    " due_at bigint, polls bigint, poll_failures bigint, paused smallint, deadline bigint,"
    " warned bigint, held smallint, PRIMARY KEY (seq, at)) PARTITION BY RANGE (at);"
    "CREATE INDEX event_tx ON event (tx, seq) WHERE tx IS NOT NULL;"
    "CREATE TABLE message (tx bigint, source_event_id " T ", PRIMARY KEY (tx, source_event_id));"
    "CREATE TABLE digest (seq bigint PRIMARY KEY, digest bytea, hash bytea);"

    "CREATE TABLE target (key bigint PRIMARY KEY DEFAULT nextval('target_key'),"
    " tenant " T " NOT NULL, name " T " NOT NULL, disabled smallint NOT NULL, reason " T ","
    " paused_until bigint, failing_since bigint, failures bigint NOT NULL);"
    "CREATE UNIQUE INDEX target_name ON target (name, tenant);"

    "CREATE TABLE delivery (key bigint PRIMARY KEY, target bigint NOT NULL, seq bigint NOT NULL,"
    " tx bigint, tenant " T " NOT NULL, state smallint NOT NULL, ordered smallint NOT NULL,"
    " attempts bigint NOT NULL, due_at bigint, created_at bigint NOT NULL, updated_at bigint,"
    " status bigint, reason " T ", lease bigint) WITH (fillfactor = 85);"
    "CREATE INDEX delivery_target ON delivery (target, key);"
    "CREATE INDEX delivery_tx ON delivery (tx, key) WHERE tx IS NOT NULL;"
    /* SENDING is state 0 with a lease: taking and ending a lease moves no row in
     * any index. */
    "CREATE INDEX delivery_due ON delivery (target, due_at) WHERE state = 0;"
    "CREATE INDEX delivery_order ON delivery (target, tx, state)"
    " WHERE ordered = 1 AND state IN (0, 1);"
    "CREATE INDEX delivery_held ON delivery (target, state, key) WHERE state IN (3, 4, 5);"
    "CREATE TABLE attempt (delivery bigint, n bigint, at bigint NOT NULL,"
    " verdict smallint NOT NULL, status bigint, took bigint, connect_took bigint,"
    " tls_took bigint, first_byte_took bigint, peer " T ", reason " T ", response " T ","
    " PRIMARY KEY (delivery, n));"

    "CREATE TABLE doc (kind " T ", tenant " T ", id " T ", body " T ", version bigint NOT NULL,"
    " created_at bigint NOT NULL, updated_at bigint NOT NULL, expires_at bigint,"
    " PRIMARY KEY (kind, tenant, id));"
    "CREATE INDEX doc_id ON doc (kind, id, tenant);"
    "CREATE INDEX doc_expires ON doc (expires_at) WHERE expires_at IS NOT NULL;"
    "CREATE TABLE mark (name " T " PRIMARY KEY, value bigint NOT NULL);"
    "CREATE TABLE rollup (kind " T ", tenant " T ", bucket bigint, flow " T ", key " T ","
    " count bigint NOT NULL, PRIMARY KEY (kind, tenant, bucket, flow, key));";

/* Indexes that hold the pages' orders, so that a page costs what it shows. None
 * names `status`, for then every change of it would write into all indexes (no
 * HOT update, whatever a partial index's condition): less than half as many a
 * second. `done_status` has none until the row is finished. */
static const char STEP_2[] =
    "CREATE INDEX tx_page ON tx (tenant, key);"
    "CREATE INDEX tx_flow ON tx (tenant, flow, key);"
    "CREATE INDEX tx_open ON tx (tenant, (key + 0)) WHERE outcome IS NULL;"
    "ALTER TABLE tx ADD COLUMN done_status " T " GENERATED ALWAYS AS"
    " (CASE WHEN outcome IS NULL THEN NULL ELSE status END) STORED;"
    "CREATE INDEX tx_status ON tx (tenant, done_status, key) WHERE done_status IS NOT NULL;"
    "DROP INDEX tx_finished;"
    "CREATE INDEX tx_finished ON tx (coalesce(finished_at, 0), key);";

static const char *const STEPS[] = {STEP_1, STEP_2};
#define SCHEMA ((int64_t)(sizeof(STEPS) / sizeof(STEPS[0])))

/* The first column of the first row, as a number; -1: no row. */
static int32_t number(struct db *db, const char *sql, int64_t *out, txw_error *err)
{
	PGresult *r;
	db_args(db);
	int32_t rc = db_ask_text(db, sql, &r, err);
	if (rc < 0)
		return rc;
	*out = PQntuples(r) ? column_int(r, 0, 0) : -1;
	PQclear(r);
	return TXW_OK;
}

static int32_t check_server(struct store *s, txw_error *err)
{
	struct db *db = &s->db;
	const char *encoding = PQparameterStatus(db->conn, "server_encoding");
	int version = PQserverVersion(db->conn);
	int64_t fsync = 1;
	if (version && version < SERVER_MIN)
		return db_say(db, TXW_E_UNSUPPORTED, err,
			      "%s: the server's version is %d, and 12 is the least: upgrade it",
			      db->location, version / 10000);
	if (!encoding || strcmp(encoding, "UTF8") != 0)
		return db_say(db, TXW_E_UNSUPPORTED, err,
			      "%s: the database's encoding is %s: make one with ENCODING 'UTF8'",
			      db->location, encoding ? encoding : "unknown");
	int32_t rc = number(db,
			    "SELECT CASE current_setting('fsync', true) WHEN 'off' THEN 0::bigint"
			    " ELSE 1::bigint END",
			    &fsync, err);
	if (rc == TXW_OK && !fsync)
		store_log(s, TXW_LOG_WARN,
			  "%s: the server runs with fsync = off: what was acknowledged is lost "
			  "with its power",
			  db->location);
	return rc;
}

/* What step 1 writes beside the tables: numbers that never come again. */
static int32_t write_meta(struct db *db, txw_error *err)
{
	struct {
		uint32_t site;
		uint64_t epoch;
	} random;
	char sql[256];
	while (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		;
	snprintf(sql, sizeof(sql), "INSERT INTO meta VALUES ('site', %u), ('epoch', %lld)",
		 random.site & 0x3fffffffu, (long long)(random.epoch >> 12 | 1));
	return db_exec(db, sql, err);
}

static int32_t take_steps(struct store *s, txw_error *err)
{
	struct db *db = &s->db;
	char sql[128];
	int64_t version;
	int32_t rc = number(db, "SELECT coalesce(max(value), 0) FROM meta WHERE name = 'schema'",
			    &version, err);
	if (rc < 0)
		return rc;
	if (version > SCHEMA)
		return db_say(db, TXW_E_VERSION, err,
			      "%s: schema %s has version %lld, made by a newer txwatch; this one "
			      "knows %lld: upgrade txwatch, or restore the backup made before the "
			      "upgrade",
			      db->location, s->options.schema, (long long)version,
			      (long long)SCHEMA);
	if (version == SCHEMA)
		return TXW_OK;
	for (int64_t i = version; i < SCHEMA; i++)
		if ((rc = db_exec(db, STEPS[i], err)) < 0 ||
		    (i == 0 && (rc = write_meta(db, err)) < 0))
			return rc;
	snprintf(sql, sizeof(sql),
		 "INSERT INTO meta VALUES ('schema', %lld) ON CONFLICT (name)"
		 " DO UPDATE SET value = excluded.value",
		 (long long)SCHEMA);
	if ((rc = db_exec(db, sql, err)) == TXW_OK && version > 0)
		store_log(s, TXW_LOG_INFO, "%s: migrated to schema %lld", db->location,
			  (long long)SCHEMA);
	return rc;
}

/* Roles that may not make schemas are given one. */
static int32_t make_schema(struct store *s, txw_error *err)
{
	struct db *db = &s->db;
	char sql[256];
	int64_t have;
	/* One that the role may not enter is passed over without a word. */
	snprintf(sql, sizeof(sql),
		 "SELECT has_schema_privilege(oid, 'USAGE')::int::bigint FROM pg_namespace"
		 " WHERE nspname = '%s'",
		 s->options.schema);
	int32_t rc = number(db, sql, &have, err);
	if (rc < 0)
		return rc;
	if (have == 0)
		return db_say(db, TXW_E_IO, err,
			      "%s: permission denied for schema %s: let the role own it: ALTER "
			      "SCHEMA %s OWNER TO ...",
			      db->location, s->options.schema, s->options.schema);
	snprintf(sql, sizeof(sql), "CREATE SCHEMA %s", s->options.schema);
	if (have < 0 && (rc = db_exec(db, sql, err)) < 0)
		return rc;
	snprintf(sql, sizeof(sql),
		 "SELECT count(*) FROM pg_tables WHERE schemaname = '%s'"
		 " AND tablename = 'meta'",
		 s->options.schema);
	if ((rc = number(db, sql, &have, err)) < 0 || have)
		return rc;
	return db_exec(db, "CREATE TABLE meta (name text PRIMARY KEY, value bigint NOT NULL)", err);
}

static int32_t migrate(struct store *s, txw_error *err)
{
	struct db *db = &s->db;
	int32_t rc = db_exec(db, "BEGIN", err);
	if (rc < 0)
		return rc;
	if ((rc = make_schema(s, err)) < 0 ||
	    (rc = db_exec(db, "LOCK TABLE meta IN ACCESS EXCLUSIVE MODE", err)) < 0 ||
	    (rc = take_steps(s, err)) < 0 || (rc = db_exec(db, "COMMIT", err)) < 0) {
		char text[DB_TEXT_MAX];
		snprintf(text, sizeof(text), "%s", db->text);
		if (!db->is_lost)
			db_exec(db, "ROLLBACK", NULL);
		return db_say(db, rc, err, "%s", text);
	}
	return TXW_OK;
}

static int32_t read_meta(struct store *s, txw_error *err)
{
	int64_t site, epoch;
	int32_t rc;
	if ((rc = number(&s->db, "SELECT value FROM meta WHERE name = 'site'", &site, err)) < 0 ||
	    (rc = number(&s->db, "SELECT value FROM meta WHERE name = 'epoch'", &epoch, err)) < 0)
		return rc;
	if (site < 0 || epoch <= 0)
		return db_say(&s->db, TXW_E_CORRUPT, err,
			      "%s: the table `meta` has lost its rows; restore a backup",
			      s->db.location);
	s->site = (uint32_t)site;
	s->epoch = (uint64_t)epoch;
	s->schema = (uint32_t)SCHEMA;
	return TXW_OK;
}

int32_t schema_open(struct store *s, txw_error *err)
{
	int32_t rc = check_server(s, err);
	/* Two hosts that make the same schema: one of them is refused, once. */
	for (int i = 0; rc == TXW_OK && i < TRIES; i++) {
		rc = migrate(s, err);
		if (rc != TXW_E_EXISTS && rc != TXW_E_BUSY)
			break;
		if (i + 1 < TRIES)
			rc = TXW_OK;
	}
	return rc < 0 ? rc : read_meta(s, err);
}
