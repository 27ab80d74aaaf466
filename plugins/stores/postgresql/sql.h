/*
 * sql.h: every fixed statement of the store, as rows of one table.
 *
 * A row without a text is made from the tables of columns.h when an instance
 * is made (sql.c): those that write many rows at once, each column an array,
 * and those that read whole rows.
 */
#ifndef POSTGRESQL_SQL_H
#define POSTGRESQL_SQL_H

struct sql_row {
	const char *doing; /* for messages */
	const char *text;  /* NULL: made */
};

/* SENDING is state 0 with a lease: taking and ending a lease moves no row in
 * any index. $3 the new state, $4 its due_at; of SENDING the lease. */
#define SQL_MOVE_SET                                                         \
	"state = CASE $3::bigint WHEN 6 THEN 0 ELSE $3::bigint END,"         \
	" due_at = CASE $3::bigint WHEN 6 THEN coalesce(due_at, $4::bigint)" \
	" ELSE $4::bigint END, lease = CASE $3::bigint WHEN 6 THEN $4::bigint END"

#define SQL_STATEMENTS(X)                                                                         \
	X(BEGIN, "beginning a unit", "BEGIN")                                                     \
	X(COMMIT, "committing", "COMMIT")                                                         \
	X(ROLLBACK, "rolling back", "ROLLBACK")                                                   \
	X(SNAPSHOT, "holding a snapshot", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")      \
	/* Takes the snapshot, and holds off who would drop a partition. */                       \
	X(SNAPSHOT_TAKE, "holding a snapshot", "SELECT 1::bigint FROM event LIMIT 1")             \
	X(PING, "asking whether it answers", "SELECT 1::bigint FROM meta LIMIT 1")                \
	/* The marker of a unit: commit.c. */                                                     \
	X(UNIT_MARK, "committing",                                                                \
	  "INSERT INTO unit (host, n, fenced, at) VALUES ($1::bigint, $2::bigint, false, now())") \
	X(UNIT_FENCE, "asking what became of a commit",                                           \
	  "INSERT INTO unit (host, n, fenced, at) VALUES ($1::bigint, $2::bigint, true, now())"   \
	  " ON CONFLICT (host, n) DO NOTHING")                                                    \
	X(UNIT_READ, "asking what became of a commit",                                            \
	  "SELECT fenced::int::bigint FROM unit WHERE host = $1::bigint AND n = $2::bigint")      \
	X(UNIT_FORGET, "committing",                                                              \
	  "DELETE FROM unit WHERE host = $1::bigint AND n < $2::bigint")                          \
	X(UNIT_SWEEP, "opening", "DELETE FROM unit WHERE at < now() - interval '7 days'")         \
	/* The section in which seqs are given: log.c. */                                         \
	X(HEAD_LOCK, "entering the log",                                                          \
	  "SELECT last_seq, last_at FROM head WHERE one = 1 FOR UPDATE")                          \
	X(HEAD_READ, "reading the log's end", "SELECT last_seq, last_at FROM head WHERE one = 1") \
	X(HEAD_SET, "appending events",                                                           \
	  "UPDATE head SET last_seq = $1::bigint, last_at = $2::bigint WHERE one = 1")            \
	X(NOTIFY, "telling other hosts", "SELECT pg_notify($1::text, $2::text)")                  \
	X(PARTITION_LIST, "reading the log's partitions",                                         \
	  "SELECT from_at, to_at FROM log_partition ORDER BY from_at")                            \
	X(PARTITION_ADD, "adding a partition to the log",                                         \
	  "INSERT INTO log_partition (name, from_at, to_at)"                                      \
	  " VALUES ($1::text, $2::bigint, $3::bigint)")                                           \
	/* Months of which nothing is left, older than the newest event's. */                     \
	X(PARTITION_EMPTY, "looking for empty partitions",                                        \
	  "SELECT p.from_at, p.to_at FROM log_partition p WHERE p.to_at <= $1::bigint"            \
	  " AND NOT EXISTS (SELECT 1 FROM event e WHERE e.at >= p.from_at AND e.at < p.to_at)"    \
	  " ORDER BY p.from_at LIMIT 1")                                                          \
	X(PARTITION_FORGET, "dropping a partition",                                               \
	  "DELETE FROM log_partition WHERE from_at = $1::bigint")                                 \
	X(TX_KEYS, "taking numbers",                                                              \
	  "SELECT nextval('tx_key') FROM generate_series(1, $1::bigint)")                         \
	X(DELIVERY_KEYS, "taking numbers",                                                        \
	  "SELECT nextval('delivery_key') FROM generate_series(1, $1::bigint)")                   \
                                                                                                  \
	X(TX_BY_KEY, "reading transactions", NULL)                                                \
	X(TX_BY_ID, "reading transactions", NULL)                                                 \
	X(TX_BY_REF, "reading transactions", NULL)                                                \
	X(TX_INSERT, "saving transactions", NULL)                                                 \
	X(TX_UPDATE, "saving transactions", NULL)                                                 \
	X(TX_LAST_SEQ, "saving a transaction's newest event",                                     \
	  "UPDATE tx SET last_seq = $2::bigint WHERE key = $1::bigint")                           \
	X(TX_DUE, "reading what is due", NULL)                                                    \
	X(TX_NEXT_DUE, "reading what is due next",                                                \
	  "SELECT due_at FROM tx WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1")               \
	X(EVENT_INSERT, "appending events", NULL)                                                 \
	X(MESSAGE_INSERT, "appending events",                                                     \
	  "INSERT INTO message (tx, source_event_id)"                                             \
	  " SELECT * FROM unnest($1::bigint[], $2::text[])")                                      \
	X(MESSAGE_SEEN, "looking for a message",                                                  \
	  "SELECT 1::bigint FROM message WHERE tx = $1::bigint AND source_event_id = $2::text")   \
	X(EVENT_AFTER, "reading events", NULL)                                                    \
	X(EVENT_AFTER_TENANT, "reading events", NULL)                                             \
	X(HISTORY, "reading a history", NULL)                                                     \
                                                                                                  \
	X(TARGET_INSERT, "saving a target", NULL)                                                 \
	X(TARGET_UPDATE, "saving a target",                                                       \
	  "UPDATE target SET disabled = $2::bigint, reason = $3::text,"                           \
	  " paused_until = $4::bigint, failing_since = $5::bigint, failures = $6::bigint"         \
	  " WHERE key = $1::bigint")                                                              \
	X(TARGET_BY_KEY, "reading a target", NULL)                                                \
	X(TARGET_LIST, "reading targets", NULL)                                                   \
	X(DELIVERY_INSERT, "saving deliveries", NULL)                                             \
	X(DELIVERY_SETTLE, "settling deliveries", NULL)                                           \
	X(DELIVERY_CLAIM, "reading due deliveries", NULL)                                         \
	X(DELIVERY_LEASE, "claiming deliveries",                                                  \
	  "UPDATE delivery SET lease = $1::bigint WHERE key = ANY ($2::bigint[])")                \
	X(DELIVERY_DUE, "reading what is due next",                                               \
	  "SELECT due_at FROM delivery WHERE target = $1::bigint AND state = 0"                   \
	  " AND due_at IS NOT NULL AND lease IS NULL ORDER BY due_at LIMIT 1")                    \
	X(DELIVERY_RELEASE, "releasing deliveries",                                               \
	  "UPDATE delivery SET lease = NULL, due_at = $1::bigint"                                 \
	  " WHERE state = 0 AND lease IS NOT NULL")                                               \
	X(DELIVERY_WAITING, "looking for an earlier delivery",                                    \
	  "SELECT 1::bigint FROM delivery WHERE target = $1::bigint AND tx = $2::bigint"          \
	  " AND ordered = 1 AND state IN (0, 1) LIMIT 1")                                         \
	X(DELIVERY_UNBLOCK, "unblocking a delivery",                                              \
	  "UPDATE delivery SET state = 0, due_at = $3::bigint WHERE key ="                        \
	  " (SELECT key FROM delivery WHERE target = $1::bigint AND tx = $2::bigint"              \
	  " AND ordered = 1 AND state IN (0, 1) AND state = 1 ORDER BY key LIMIT 1)")             \
	X(DELIVERY_RESEND, "sending a delivery again",                                            \
	  "UPDATE delivery SET state = 0, due_at = $3::bigint WHERE key = $2::bigint"             \
	  " AND target = $1::bigint AND state <> 1 AND lease IS NULL")                            \
	/* Of one transaction only the first may be PENDING. */                                   \
	X(DELIVERY_KEEP_ORDER, "keeping the order",                                               \
	  "UPDATE delivery SET state = 1, due_at = NULL WHERE key IN (SELECT d.key"               \
	  " FROM delivery d WHERE d.target = $1::bigint AND d.ordered = 1"                        \
	  " AND d.state IN (0, 1) AND d.state = 0 AND d.lease IS NULL"                            \
	  " AND EXISTS (SELECT 1 FROM delivery e WHERE e.target = $1::bigint AND e.tx = d.tx"     \
	  " AND e.ordered = 1 AND e.state IN (0, 1) AND e.key < d.key))")                         \
	X(DELIVERY_MOVE, "moving deliveries",                                                     \
	  "UPDATE delivery SET " SQL_MOVE_SET " WHERE key IN (SELECT key FROM delivery"           \
	  " WHERE target = $1::bigint AND state = CASE $2::bigint WHEN 6 THEN 0"                  \
	  " ELSE $2::bigint END AND ($2::bigint NOT IN (0, 6)"                                    \
	  " OR (lease IS NULL) = ($2::bigint = 0)) ORDER BY key LIMIT $5::bigint)")               \
	X(ATTEMPT_INSERT, "recording attempts", NULL)                                             \
	X(ATTEMPT_LIST, "reading attempts", NULL)                                                 \
                                                                                                  \
	X(DOC_PUT, "saving a document",                                                           \
	  "INSERT INTO doc (kind, tenant, id, body, version, created_at, updated_at,"             \
	  " expires_at) VALUES ($1::text, $2::text, $3::text, $4::text, $5::bigint,"              \
	  " $6::bigint, $7::bigint, $8::bigint)"                                                  \
	  " ON CONFLICT (kind, tenant, id) DO UPDATE SET body = excluded.body,"                   \
	  " version = excluded.version, created_at = excluded.created_at,"                        \
	  " updated_at = excluded.updated_at, expires_at = excluded.expires_at")                  \
	X(DOC_GET, "reading a document", NULL)                                                    \
	X(DOC_DELETE, "deleting a document",                                                      \
	  "DELETE FROM doc WHERE kind = $1::text AND tenant = $2::text AND id = $3::text")        \
	X(DOC_EXPIRE, "deleting old documents",                                                   \
	  "DELETE FROM doc WHERE (kind, tenant, id) IN (SELECT kind, tenant, id FROM doc"         \
	  " WHERE expires_at <= $1::bigint ORDER BY expires_at LIMIT $2::bigint)")                \
	X(DOC_LIST, "reading documents", NULL)                                                    \
	X(DOC_LIST_DOWN, "reading documents", NULL)                                               \
	X(DOC_LIST_ALL, "reading documents", NULL)                                                \
	X(DOC_LIST_ALL_DOWN, "reading documents", NULL)                                           \
	X(MARK_PUT, "saving a mark",                                                              \
	  "INSERT INTO mark (name, value) VALUES ($1::text, $2::bigint)"                          \
	  " ON CONFLICT (name) DO UPDATE SET value = excluded.value")                             \
	X(MARK_GET, "reading a mark", "SELECT value FROM mark WHERE name = $1::text")             \
	X(COUNT_ADD, "counting", NULL)                                                            \
	X(COUNT_DROP, "counting", NULL)                                                           \
	X(COUNT_LIST, "reading counts", NULL)                                                     \
                                                                                                  \
	X(PURGE_PICK, "choosing what to purge", NULL)                                             \
	X(PURGE_DIGEST, "purging",                                                                \
	  "INSERT INTO digest (seq, digest, hash) SELECT seq, digest, hash FROM event"            \
	  " WHERE tx = ANY ($1::bigint[]) AND digest IS NOT NULL")                                \
	X(PURGE_ATTEMPT, "purging",                                                               \
	  "DELETE FROM attempt WHERE delivery IN"                                                 \
	  " (SELECT key FROM delivery WHERE tx = ANY ($1::bigint[]))")                            \
	X(PURGE_DELIVERY, "purging", "DELETE FROM delivery WHERE tx = ANY ($1::bigint[])")        \
	X(PURGE_MESSAGE, "purging", "DELETE FROM message WHERE tx = ANY ($1::bigint[])")          \
	X(PURGE_NEWEST, "purging", "SELECT max(seq) FROM event WHERE tx = ANY ($1::bigint[])")    \
	X(PURGE_EVENT, "purging", "DELETE FROM event WHERE tx = ANY ($1::bigint[])")              \
	X(PURGE_TX, "purging", "DELETE FROM tx WHERE key = ANY ($1::bigint[])")                   \
	X(DIGEST_LIST, "reading digests", NULL)                                                   \
	X(SIZE, "measuring it",                                                                   \
	  "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c"        \
	  " JOIN pg_namespace n ON n.oid = c.relnamespace"                                        \
	  " WHERE n.nspname = $1::text AND c.relkind = 'r'")

#define SQL_ID(sym, doing, text) SQL_##sym,
enum sql_id { SQL_STATEMENTS(SQL_ID) SQL_COUNT };
#undef SQL_ID

extern const struct sql_row SQL_TABLE[SQL_COUNT];

/* The texts, made ones too. Owned by the instance, constant. */
struct sql {
	char *texts[SQL_COUNT];
};

/* 0, or TXW_E_NOMEM. */
int sql_make(struct sql *sql);
void sql_free(struct sql *sql);

struct text;
/* Columns of a delivery `d` as DELIVERY_COLUMNS reads them, SENDING told apart
 * again. */
void sql_delivery_names(struct text *t);

#endif
