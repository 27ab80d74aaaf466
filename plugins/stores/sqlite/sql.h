/*
 * sql.h: every fixed statement of the store, as rows of one table.
 *
 * Parameters are numbered in the order of the columns here, so that binding
 * code (columns.c) and text agree in one place.
 */
#ifndef SQLITE_SQL_H
#define SQLITE_SQL_H

#define SQL_WRITER 1u
#define SQL_READER 2u
#define SQL_BOTH   3u

struct sql_row {
	unsigned users; /* SQL_WRITER, SQL_READER */
	const char *text;
};

/* Columns of a transaction as columns_tx reads them. */
#define SQL_TX_COLUMNS                                                             \
	"t.key, t.id, t.tenant, t.flow, t.ref, t.created_at, t.status, t.version," \
	" t.last_seq, t.updated_at, t.status_since, t.next_poll_at, t.expires_at," \
	" t.finished_at, t.source_at, t.polls, t.poll_failures, t.paused,"         \
	" t.amount, t.currency, t.attributes, t.reason, t.code,"                   \
	" t.source_version, t.anomaly, t.outcome, t.owner, t.due_at, t.deadline,"  \
	" t.warned, t.held"

/* What a save writes beside the columns that an index has. */
#define SQL_TX_PLAIN                                                                     \
	"status = ?1, version = ?2, last_seq = ?3, updated_at = ?4, status_since = ?5,"  \
	" next_poll_at = ?6, expires_at = ?7, outcome = ?8, source_at = ?9,"             \
	" polls = ?10, poll_failures = ?11, paused = ?12, amount = ?13, currency = ?14," \
	" attributes = ?15, reason = ?16, code = ?17, source_version = ?18,"             \
	" anomaly = ?19, deadline = ?20, warned = ?29, held = ?30"

/* ... and of an event with its transaction, as columns_event reads them. */
#define SQL_EVENT_COLUMNS                                                     \
	"e.seq, e.id, e.prev, e.tx, e.tenant, e.type, e.at, e.from_status,"   \
	" e.to_status, e.source, e.actor, e.source_event_id, e.source_at,"    \
	" e.reason, e.code, e.detail,"                                        \
	" e.status, e.version, e.outcome, e.owner, e.amount, e.currency,"     \
	" e.attributes, e.tx_reason, e.tx_code, e.source_version, e.anomaly," \
	" e.tx_source_at, e.updated_at, e.status_since, e.expires_at,"        \
	" e.finished_at, e.next_poll_at, e.due_at, e.polls, e.poll_failures," \
	" e.paused, e.deadline, t.id, t.flow, t.ref, t.created_at,"           \
	" e.warned, e.held, e.digest, e.hash, e.trace"
#define SQL_EVENT_FROM " FROM event e LEFT JOIN tx t ON t.key = e.tx "

#define SQL_DELIVERY_COLUMNS                                                        \
	"d.key, d.target, d.seq, d.tx, d.tenant, iif(d.lease IS NULL, d.state, 6)," \
	" d.ordered, d.attempts, coalesce(d.lease, d.due_at), d.created_at,"        \
	" d.updated_at, d.status, d.reason"

/* ?3 the new state, ?4 its due_at; of SENDING the lease. */
#define SQL_MOVE_SET                                                                  \
	"state = iif(?3 = 6, 0, ?3), due_at = iif(?3 = 6, coalesce(due_at, ?4), ?4)," \
	" lease = iif(?3 = 6, ?4, NULL)"

#define SQL_TARGET_COLUMNS                                               \
	"g.key, g.tenant, g.name, g.disabled, g.reason, g.paused_until," \
	" g.failing_since, g.failures"
#define SQL_TARGET_WIDTH 8

#define SQL_DOC_COLUMNS "kind, tenant, id, body, version, created_at, updated_at, expires_at"

#define SQL_STATEMENTS(X)                                                                          \
	X(BEGIN, SQL_WRITER, "BEGIN IMMEDIATE")                                                    \
	X(COMMIT, SQL_WRITER, "COMMIT")                                                            \
	X(ROLLBACK, SQL_WRITER, "ROLLBACK")                                                        \
	X(SNAPSHOT, SQL_READER, "BEGIN")                                                           \
	X(SNAPSHOT_END, SQL_READER, "COMMIT")                                                      \
	X(PING, SQL_READER, "SELECT 1 FROM meta LIMIT 1")                                          \
                                                                                                   \
	X(NAME_ADD, SQL_WRITER, "INSERT INTO name (id, text) VALUES (?1, ?2)")                     \
	X(NAME_LOAD, SQL_BOTH, "SELECT id, text FROM name WHERE id > ?1 ORDER BY id")              \
                                                                                                   \
	X(SHAPE_LOAD, SQL_WRITER, "SELECT tenant, flow, status, outcome, finished FROM shape")     \
	X(SHAPE_ADD, SQL_WRITER, "INSERT INTO shape VALUES (?1, ?2, ?3, ?4, ?5)")                  \
	X(SHAPE_LIST, SQL_READER,                                                                  \
	  "SELECT tenant, flow, status, outcome, finished FROM shape WHERE tenant = ?2 LIMIT ?1")  \
	X(SHAPE_LIST_FLOW, SQL_READER,                                                             \
	  "SELECT tenant, flow, status, outcome, finished FROM shape"                              \
	  " WHERE tenant = ?2 AND flow = ?3 LIMIT ?1")                                             \
	X(SHAPE_OTHERS, SQL_READER, "SELECT 1 FROM shape WHERE tenant <> ?1 LIMIT 1")              \
	X(SHAPE_FLOWS, SQL_READER, "SELECT 1 FROM shape WHERE tenant = ?1 AND flow <> ?2 LIMIT 1") \
	X(SHAPE_LIST_ALL, SQL_READER,                                                              \
	  "SELECT tenant, flow, status, outcome, finished FROM shape LIMIT ?1")                    \
	X(TX_BY_KEY, SQL_BOTH, "SELECT " SQL_TX_COLUMNS " FROM tx t WHERE t.key = ?1")             \
	X(TX_BY_ID, SQL_BOTH, "SELECT " SQL_TX_COLUMNS " FROM tx t WHERE t.id = ?1")               \
	X(TX_BY_REF, SQL_BOTH,                                                                     \
	  "SELECT " SQL_TX_COLUMNS " FROM tx t WHERE t.ref = ?1 AND t.flow = ?2"                   \
	  " AND t.tenant = ?3")                                                                    \
	X(TX_INSERT, SQL_WRITER,                                                                   \
	  "INSERT INTO tx (status, version, last_seq, updated_at, status_since,"                   \
	  " next_poll_at, expires_at, outcome, source_at, polls, poll_failures, paused,"           \
	  " amount, currency, attributes, reason, code, source_version, anomaly, deadline,"        \
	  " finished_at, owner, due_at, id, tenant, flow, ref, created_at, warned, held, fin)"     \
	  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"        \
	  " ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31)")           \
	X(TX_UPDATE, SQL_WRITER,                                                                   \
	  "UPDATE tx SET " SQL_TX_PLAIN                                                            \
	  ", finished_at = ?21, owner = ?22, due_at = ?23, fin = ?31"                              \
	  " WHERE key = ?24")                                                                      \
	/* Touches no index: for rows whose indexed columns stayed. */                             \
	X(TX_UPDATE_PLAIN, SQL_WRITER, "UPDATE tx SET " SQL_TX_PLAIN " WHERE key = ?24")           \
	X(TX_LAST_SEQ, SQL_WRITER, "UPDATE tx SET last_seq = ?2 WHERE key = ?1")                   \
	X(TX_DUE, SQL_WRITER,                                                                      \
	  "SELECT " SQL_TX_COLUMNS " FROM tx t WHERE t.due_at <= ?1"                               \
	  " ORDER BY t.due_at LIMIT ?2")                                                           \
	X(TX_RESCHEDULE, SQL_WRITER,                                                               \
	  "UPDATE tx SET due_at = ?1, next_poll_at = ?2, polls = ?3, poll_failures = ?4"           \
	  " WHERE key = ?5")                                                                       \
	X(TX_NEXT_DUE, SQL_WRITER, "SELECT min(due_at) FROM tx WHERE due_at IS NOT NULL")          \
                                                                                                   \
	X(EVENT_LAST, SQL_WRITER, "SELECT seq, at FROM event ORDER BY seq DESC LIMIT 1")           \
	X(EVENT_INSERT, SQL_WRITER,                                                                \
	  "INSERT INTO event (seq, id, prev, tx, tenant, type, at, from_status, to_status,"        \
	  " source, actor, source_event_id, source_at, reason, code, detail,"                      \
	  " status, version, outcome, owner, amount, currency, attributes, tx_reason,"             \
	  " tx_code, source_version, anomaly, tx_source_at, updated_at, status_since,"             \
	  " expires_at, finished_at, next_poll_at, due_at, polls, poll_failures, paused, "         \
	  "deadline, warned, held, digest, hash, trace)"                                           \
	  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"        \
	  " ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32,"       \
	  " ?33, ?34, ?35, ?36, ?37, ?38, ?39, ?40, ?41, ?42, ?43)")                               \
	X(EVENT_SEEN, SQL_WRITER, "SELECT 1 FROM event WHERE tx = ?1 AND source_event_id = ?2")    \
	X(EVENT_BY_SEQ, SQL_BOTH, "SELECT " SQL_EVENT_COLUMNS SQL_EVENT_FROM "WHERE e.seq = ?1")   \
	X(EVENT_AFTER, SQL_READER,                                                                 \
	  "SELECT " SQL_EVENT_COLUMNS SQL_EVENT_FROM "WHERE e.seq > ?1 ORDER BY e.seq"             \
	  " LIMIT ?2")                                                                             \
	X(EVENT_AFTER_TENANT, SQL_READER,                                                          \
	  "SELECT " SQL_EVENT_COLUMNS SQL_EVENT_FROM "WHERE e.seq > ?1 AND e.tenant = ?3"          \
	  " ORDER BY e.seq LIMIT ?2")                                                              \
	X(EVENT_PREV, SQL_READER, "SELECT prev FROM event WHERE seq = ?1 AND tx = ?2")             \
	X(TX_HEAD, SQL_READER, "SELECT last_seq FROM tx WHERE key = ?1")                           \
                                                                                                   \
	X(TARGET_INSERT, SQL_WRITER,                                                               \
	  "INSERT INTO target (tenant, name, disabled, reason, paused_until, failing_since,"       \
	  " failures) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")                                        \
	X(TARGET_UPDATE, SQL_WRITER,                                                               \
	  "UPDATE target SET disabled = ?3, reason = ?4, paused_until = ?5,"                       \
	  " failing_since = ?6, failures = ?7 WHERE key = ?8")                                     \
	X(TARGET_BY_KEY, SQL_BOTH, "SELECT " SQL_TARGET_COLUMNS " FROM target g WHERE g.key = ?1") \
	X(TARGET_LIST, SQL_READER,                                                                 \
	  "SELECT " SQL_TARGET_COLUMNS ", (SELECT min(d.due_at) FROM delivery d"                   \
	  " INDEXED BY delivery_due WHERE d.target = g.key AND d.state = 0)"                       \
	  " FROM target g ORDER BY g.key")                                                         \
                                                                                                   \
	X(DELIVERY_INSERT, SQL_WRITER,                                                             \
	  "INSERT INTO delivery (target, seq, tx, tenant, state, ordered, attempts, due_at,"       \
	  " created_at, updated_at, status, reason, lease)"                                        \
	  " VALUES (?1, ?2, ?3, ?4, iif(?5 = 6, 0, ?5), ?6, ?7, iif(?5 = 6, ?9, ?8), ?9, ?10,"     \
	  " ?11, ?12, iif(?5 = 6, ?8, NULL))")                                                     \
	X(DELIVERY_SETTLE, SQL_WRITER,                                                             \
	  "UPDATE delivery SET state = iif(?1 = 6, 0, ?1), attempts = ?2,"                         \
	  " due_at = iif(?1 = 6, coalesce(due_at, ?3), ?3), lease = iif(?1 = 6, ?3, NULL),"        \
	  " updated_at = ?4, status = ?5, reason = ?6 WHERE key = ?7")                             \
	X(DELIVERY_CLAIM, SQL_WRITER,                                                              \
	  "SELECT " SQL_DELIVERY_COLUMNS " FROM delivery d INDEXED BY delivery_due"                \
	  " WHERE d.target = ?1 AND d.state = 0 AND d.due_at <= ?2"                                \
	  " AND (d.lease IS NULL OR d.lease <= ?2) ORDER BY d.due_at, d.key LIMIT ?3")             \
	X(DELIVERY_LEASE, SQL_WRITER,                                                              \
	  "UPDATE delivery SET lease = ?1 WHERE key >= ?2 AND key <= ?3")                          \
	X(DELIVERY_DUE, SQL_WRITER,                                                                \
	  "SELECT due_at FROM delivery INDEXED BY delivery_due WHERE target = ?1 AND state = 0"    \
	  " AND lease IS NULL ORDER BY due_at LIMIT 1")                                            \
	X(DELIVERY_RELEASE, SQL_WRITER,                                                            \
	  "UPDATE delivery INDEXED BY delivery_due SET lease = NULL, due_at = ?1"                  \
	  " WHERE state = 0 AND lease IS NOT NULL")                                                \
	X(DELIVERY_WAITING, SQL_WRITER,                                                            \
	  "SELECT 1 FROM delivery INDEXED BY delivery_order WHERE target = ?1 AND tx = ?2"         \
	  " AND ordered = 1 AND state IN (0, 1) LIMIT 1")                                          \
	X(DELIVERY_UNBLOCK, SQL_WRITER,                                                            \
	  "UPDATE delivery SET state = 0, due_at = ?3 WHERE key = (SELECT key FROM delivery"       \
	  " INDEXED BY delivery_order WHERE target = ?1 AND tx = ?2 AND ordered = 1"               \
	  " AND state IN (0, 1) AND state = 1 ORDER BY key LIMIT 1)")                              \
	X(DELIVERY_RESEND, SQL_WRITER,                                                             \
	  "UPDATE delivery SET state = 0, due_at = ?3 WHERE key = ?2 AND target = ?1"              \
	  " AND state <> 1 AND lease IS NULL")                                                     \
	/* Of one transaction only the first may be PENDING. */                                    \
	X(DELIVERY_KEEP_ORDER, SQL_WRITER,                                                         \
	  "UPDATE delivery SET state = 1, due_at = NULL WHERE key IN (SELECT d.key"                \
	  " FROM delivery AS d INDEXED BY delivery_order WHERE d.target = ?1 AND d.ordered = 1"    \
	  " AND d.state IN (0, 1) AND d.state = 0 AND d.lease IS NULL"                             \
	  " AND EXISTS (SELECT 1 FROM delivery AS e INDEXED BY delivery_order"                     \
	  " WHERE e.target = ?1 AND e.tx = d.tx AND e.ordered = 1"                                 \
	  " AND e.state IN (0, 1) AND e.key < d.key))")                                            \
	/* One for each of the indexes that find rows of a state. */                               \
	X(MOVE_LIVE, SQL_WRITER,                                                                   \
	  "UPDATE delivery SET " SQL_MOVE_SET " WHERE key IN (SELECT key FROM delivery"            \
	  " INDEXED BY delivery_due WHERE target = ?1 AND state = 0"                               \
	  " AND (lease IS NULL) = (?2 = 0) ORDER BY key LIMIT ?5)")                                \
	X(MOVE_BLOCKED, SQL_WRITER,                                                                \
	  "UPDATE delivery SET " SQL_MOVE_SET " WHERE key IN (SELECT key FROM delivery"            \
	  " INDEXED BY delivery_order WHERE target = ?1 AND ordered = 1"                           \
	  " AND state IN (0, 1) AND state = ?2 ORDER BY key LIMIT ?5)")                            \
	X(MOVE_DELIVERED, SQL_WRITER,                                                              \
	  "UPDATE delivery SET " SQL_MOVE_SET " WHERE key IN (SELECT key FROM delivery"            \
	  " INDEXED BY delivery_target WHERE target = ?1 AND state = ?2 ORDER BY key LIMIT ?5)")   \
	X(MOVE_HELD, SQL_WRITER,                                                                   \
	  "UPDATE delivery SET " SQL_MOVE_SET " WHERE key IN (SELECT key FROM delivery"            \
	  " INDEXED BY delivery_held WHERE target = ?1 AND state >= 3 AND state <= 5"              \
	  " AND state = ?2 ORDER BY key LIMIT ?5)")                                                \
	X(ATTEMPT_INSERT, SQL_WRITER,                                                              \
	  "INSERT INTO attempt (delivery, n, at, verdict, status, took, connect_took,"             \
	  " tls_took, first_byte_took, peer, reason, response)"                                    \
	  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")                           \
	X(ATTEMPT_LIST, SQL_READER,                                                                \
	  "SELECT delivery, n, at, verdict, status, took, connect_took, tls_took,"                 \
	  " first_byte_took, peer, reason, response FROM attempt WHERE delivery = ?1"              \
	  " ORDER BY n")                                                                           \
                                                                                                   \
	X(DOC_PUT, SQL_WRITER,                                                                     \
	  "INSERT INTO doc (" SQL_DOC_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"          \
	  " ON CONFLICT (kind, tenant, id) DO UPDATE SET body = excluded.body,"                    \
	  " version = excluded.version, created_at = excluded.created_at,"                         \
	  " updated_at = excluded.updated_at, expires_at = excluded.expires_at")                   \
	X(DOC_GET, SQL_WRITER,                                                                     \
	  "SELECT " SQL_DOC_COLUMNS " FROM doc WHERE kind = ?1 AND tenant = ?2 AND id = ?3")       \
	X(DOC_DELETE, SQL_WRITER, "DELETE FROM doc WHERE kind = ?1 AND tenant = ?2 AND id = ?3")   \
	X(DOC_EXPIRE, SQL_WRITER,                                                                  \
	  "DELETE FROM doc WHERE (kind, tenant, id) IN (SELECT kind, tenant, id FROM doc"          \
	  " WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)")                                 \
	X(DOC_LIST, SQL_READER,                                                                    \
	  "SELECT " SQL_DOC_COLUMNS " FROM doc WHERE kind = ?1 AND tenant = ?2 AND id > ?3"        \
	  " ORDER BY id LIMIT ?4")                                                                 \
	X(DOC_LIST_DOWN, SQL_READER,                                                               \
	  "SELECT " SQL_DOC_COLUMNS " FROM doc WHERE kind = ?1 AND tenant = ?2 AND id < ?3"        \
	  " ORDER BY id DESC LIMIT ?4")                                                            \
	X(DOC_LIST_ALL_DOWN, SQL_READER,                                                           \
	  "SELECT " SQL_DOC_COLUMNS " FROM doc WHERE kind = ?1 AND id < ?2"                        \
	  " ORDER BY id DESC, tenant")                                                             \
	X(DOC_LIST_ALL, SQL_READER,                                                                \
	  "SELECT " SQL_DOC_COLUMNS " FROM doc WHERE kind = ?1 AND id > ?2"                        \
	  " ORDER BY id, tenant")                                                                  \
	X(MARK_PUT, SQL_WRITER,                                                                    \
	  "INSERT INTO mark (name, value) VALUES (?1, ?2)"                                         \
	  " ON CONFLICT (name) DO UPDATE SET value = excluded.value")                              \
	X(PURGE_LOOK, SQL_WRITER,                                                                  \
	  "SELECT " SQL_TX_COLUMNS " FROM tx t INDEXED BY tx_finished"                             \
	  " WHERE t.finished_at IS NOT NULL AND t.finished_at >= ?1 AND t.finished_at < ?2"        \
	  " AND (t.finished_at > ?1 OR t.key > ?3) ORDER BY t.finished_at, t.key")                 \
	X(PURGE_UNSETTLED, SQL_WRITER,                                                             \
	  "WITH RECURSIVE chain (seq) AS (SELECT ?2 UNION ALL SELECT e.prev FROM chain"            \
	  " CROSS JOIN event e ON e.seq = chain.seq AND e.tx = ?1 AND e.prev < e.seq)"             \
	  " SELECT 1 FROM chain CROSS JOIN delivery d INDEXED BY delivery_seq"                     \
	  " ON d.seq = chain.seq WHERE d.state IN (0, 1, 4) LIMIT 1")                              \
	X(PURGE_PREV, SQL_WRITER, "SELECT prev FROM event WHERE seq = ?1")                         \
	X(PURGE_ATTEMPTS, SQL_WRITER,                                                              \
	  "DELETE FROM attempt WHERE delivery IN (SELECT key FROM delivery"                        \
	  " INDEXED BY delivery_seq WHERE seq = ?1)")                                              \
	X(PURGE_DELIVERIES, SQL_WRITER,                                                            \
	  "DELETE FROM delivery INDEXED BY delivery_seq WHERE seq = ?1")                           \
	X(PURGE_KEEP_DIGEST, SQL_WRITER,                                                           \
	  "INSERT INTO purged SELECT seq, digest, hash FROM event WHERE seq = ?1"                  \
	  " AND digest IS NOT NULL")                                                               \
	X(PURGE_EVENT, SQL_WRITER, "DELETE FROM event WHERE seq = ?1")                             \
	X(PURGE_TX, SQL_WRITER, "DELETE FROM tx WHERE key = ?1")                                   \
	X(PURGED_LIST, SQL_READER,                                                                 \
	  "SELECT seq, digest, hash FROM purged WHERE seq > ?1 ORDER BY seq LIMIT ?2")             \
	X(COUNT_ADD, SQL_WRITER,                                                                   \
	  "INSERT INTO rollup (kind, tenant, bucket, flow, key, count)"                            \
	  " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (kind, tenant, bucket, flow, key)"         \
	  " DO UPDATE SET count = count + excluded.count")                                         \
	X(COUNT_DROP, SQL_WRITER,                                                                  \
	  "DELETE FROM rollup WHERE kind = ?1 AND tenant = ?2 AND bucket = ?3 AND flow = ?4"       \
	  " AND key = ?5 AND count = 0")                                                           \
	X(COUNT_LIST, SQL_READER,                                                                  \
	  "SELECT bucket, tenant, flow, kind, key, count FROM rollup WHERE kind = ?1"              \
	  " AND (?2 = '' OR tenant = ?2) AND (?3 = '' OR flow = ?3) AND bucket >= ?4"              \
	  " AND (?5 = 0 OR bucket < ?5) ORDER BY bucket, tenant, flow, key")                       \
	X(COUNT_LIST_TENANT, SQL_READER,                                                           \
	  "SELECT bucket, tenant, flow, kind, key, count FROM rollup WHERE kind = ?1"              \
	  " AND tenant = ?2 AND (?3 = '' OR flow = ?3) AND bucket >= ?4"                           \
	  " AND bucket < iif(?5 = 0, 9223372036854775807, ?5) ORDER BY bucket, flow, key")         \
	X(MARK_GET, SQL_WRITER, "SELECT value FROM mark WHERE name = ?1")

#define SQL_ID(sym, users, text) SQL_##sym,
enum sql_id { SQL_STATEMENTS(SQL_ID) SQL_COUNT };
#undef SQL_ID

extern const struct sql_row SQL_TABLE[SQL_COUNT];

#endif
