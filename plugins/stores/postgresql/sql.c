/* sql.c: see sql.h. */
#include "sql.h"

#include <stdlib.h>
#include <string.h>

#include "columns.h"

#define SQL_ROW(sym, doing, text) {doing, text},
const struct sql_row SQL_TABLE[SQL_COUNT] = {SQL_STATEMENTS(SQL_ROW)};
#undef SQL_ROW

/* " FROM unnest($1::bigint[], ...) AS u (a, ...)": rows by their columns. */
static void from_arrays(struct text *t, const struct column *columns)
{
	text_add(t, " FROM unnest(");
	columns_arrays(t, columns, 1);
	text_add(t, ") AS u (");
	for (size_t i = 0; columns[i].name; i++)
		text_print(t, "%s%s", i ? ", " : "", columns[i].name);
	text_add(t, ")");
}

/* "INSERT INTO x (a, b) SELECT * FROM unnest($1::bigint[], ...)" */
static void insert(struct text *t, const char *table, const struct column *c)
{
	text_print(t, "INSERT INTO %s AS x (", table);
	for (size_t i = 0; c[i].name; i++)
		text_print(t, "%s%s", i ? ", " : "", c[i].name);
	text_add(t, ") SELECT * FROM unnest(");
	columns_arrays(t, c, 1);
	text_add(t, ")");
}

static void insert_events(struct text *t)
{
	size_t n = columns_count(EVENT_COLUMNS);
	text_add(t, "INSERT INTO event (");
	for (size_t i = 0; EVENT_COLUMNS[i].name; i++)
		text_print(t, "%s, ", EVENT_COLUMNS[i].name);
	for (size_t i = 0; SNAPSHOT_COLUMNS[i].name; i++)
		text_print(t, "%s%s", i ? ", " : "", SNAPSHOT_COLUMNS[i].name);
	text_add(t, ") SELECT * FROM unnest(");
	columns_arrays(t, EVENT_COLUMNS, 1);
	text_add(t, ", ");
	columns_arrays(t, SNAPSHOT_COLUMNS, n + 1);
	text_add(t, ")");
}

static void update_txs(struct text *t)
{
	text_add(t, "UPDATE tx AS t SET ");
	for (size_t i = 1; TX_COLUMNS[i].name; i++)
		text_print(t, "%s%s = u.%s", i > 1 ? ", " : "", TX_COLUMNS[i].name,
			   TX_COLUMNS[i].name);
	from_arrays(t, TX_COLUMNS);
	text_add(t, " WHERE t.key = u.key");
}

void sql_delivery_names(struct text *t)
{
	for (size_t i = 0; DELIVERY_COLUMNS[i].name; i++) {
		const char *name = DELIVERY_COLUMNS[i].name;
		text_add(t, i ? ", " : "");
		if (strcmp(name, "state") == 0)
			text_add(t, "CASE WHEN d.lease IS NULL THEN d.state ELSE 6 END");
		else if (strcmp(name, "due_at") == 0)
			text_add(t, "coalesce(d.lease, d.due_at)");
		else
			text_print(t, "d.%s", name);
	}
}

static void insert_deliveries(struct text *t)
{
	text_add(t, "INSERT INTO delivery (");
	for (size_t i = 0; DELIVERY_COLUMNS[i].name; i++)
		text_print(t, "%s, ", DELIVERY_COLUMNS[i].name);
	text_add(t, "lease) SELECT ");
	for (size_t i = 0; DELIVERY_COLUMNS[i].name; i++) {
		const char *name = DELIVERY_COLUMNS[i].name;
		if (strcmp(name, "state") == 0)
			text_add(t, "CASE u.state WHEN 6 THEN 0 ELSE u.state END, ");
		else if (strcmp(name, "due_at") == 0)
			text_add(t, "CASE u.state WHEN 6 THEN u.created_at ELSE u.due_at END, ");
		else
			text_print(t, "u.%s, ", name);
	}
	text_add(t, "CASE u.state WHEN 6 THEN u.due_at END");
	from_arrays(t, DELIVERY_COLUMNS);
}

static void settle(struct text *t)
{
	text_add(t, "UPDATE delivery AS d SET state = CASE u.state WHEN 6 THEN 0 ELSE u.state END,"
		    " attempts = u.attempts, due_at = CASE u.state WHEN 6"
		    " THEN coalesce(d.due_at, u.due_at) ELSE u.due_at END,"
		    " lease = CASE u.state WHEN 6 THEN u.due_at END, updated_at = u.updated_at,"
		    " status = u.status, reason = u.reason");
	from_arrays(t, DELIVERY_COLUMNS);
	text_add(t, " WHERE d.key = u.key");
}

static void claim(struct text *t)
{
	text_add(t, "WITH d AS (SELECT * FROM delivery WHERE target = $1::bigint AND state = 0"
		    " AND due_at <= $2::bigint AND (lease IS NULL OR lease <= $2::bigint)"
		    " ORDER BY due_at, key LIMIT $3::bigint FOR UPDATE SKIP LOCKED) SELECT ");
	sql_delivery_names(t);
	text_add(t, ", ");
	columns_event_names(t);
	text_add(t, " FROM d LEFT JOIN event e ON e.seq = d.seq LEFT JOIN tx t ON t.key = e.tx"
		    " ORDER BY d.due_at, d.key");
}

static void read_txs(struct text *t, const char *where)
{
	text_add(t, "SELECT ");
	columns_names(t, TX_COLUMNS, "t");
	text_print(t, " FROM tx t %s", where);
}

static void read_events(struct text *t, const char *where)
{
	text_add(t, "SELECT ");
	columns_event_names(t);
	text_print(t, " FROM event e LEFT JOIN tx t ON t.key = e.tx %s", where);
}

static void read_docs(struct text *t, const char *where)
{
	text_add(t, "SELECT ");
	columns_names(t, DOC_COLUMNS, "d");
	text_print(t, " FROM doc d WHERE d.kind = $1::text %s", where);
}

/* A page over all tenants does not end between two of one id: the next page
 * begins after it. */
static void read_all_docs(struct text *t, bool down)
{
	const char *way = down ? " DESC" : "";
	read_docs(t, down ? "AND ($2::text = '' OR d.id < $2::text)" : "AND d.id > $2::text");
	text_print(t, " AND d.id %s coalesce((SELECT o.id FROM doc o WHERE o.kind = $1::text",
		   down ? ">=" : "<=");
	text_add(t, down ? " AND ($2::text = '' OR o.id < $2::text)" : " AND o.id > $2::text");
	text_print(t,
		   " ORDER BY o.id%s OFFSET $3::bigint - 1 LIMIT 1), d.id)"
		   " ORDER BY d.id%s, d.tenant",
		   way, way);
}

static void make_tx(struct text *t, enum sql_id id)
{
	switch (id) {
	case SQL_TX_BY_KEY:
		read_txs(t, "WHERE t.key = ANY ($1::bigint[])");
		break;
	case SQL_TX_BY_ID:
		read_txs(t, "WHERE t.id = ANY ($1::uuid[])");
		break;
	case SQL_TX_BY_REF:
		read_txs(t, "JOIN unnest($1::text[], $2::text[], $3::text[]) AS u (tenant, flow,"
			    " ref) ON t.ref = u.ref"
			    " AND t.flow IS NOT DISTINCT FROM u.flow"
			    " AND t.tenant IS NOT DISTINCT FROM u.tenant");
		break;
	case SQL_TX_INSERT:
		insert(t, "tx", TX_COLUMNS);
		break;
	case SQL_TX_UPDATE:
		update_txs(t);
		break;
	case SQL_TX_DUE:
		read_txs(t, "WHERE t.due_at <= $1::bigint ORDER BY t.due_at LIMIT $2::bigint"
			    " FOR UPDATE SKIP LOCKED");
		break;
	case SQL_EVENT_INSERT:
		insert_events(t);
		break;
	case SQL_EVENT_AFTER:
		read_events(t, "WHERE e.seq > $1::bigint ORDER BY e.seq LIMIT $2::bigint");
		break;
	case SQL_EVENT_AFTER_TENANT:
		read_events(t, "WHERE e.seq > $1::bigint AND e.tenant = $3::text ORDER BY e.seq"
			       " LIMIT $2::bigint");
		break;
	case SQL_HISTORY:
		read_events(t, "WHERE e.tx = $1::bigint AND e.seq < $2::bigint"
			       " ORDER BY e.seq DESC LIMIT $3::bigint");
		break;
	default:
		break;
	}
}

static void make_delivery(struct text *t, enum sql_id id)
{
	switch (id) {
	case SQL_TARGET_INSERT:
		text_add(t, "INSERT INTO target (tenant, name, disabled, reason, paused_until,"
			    " failing_since, failures) VALUES ($1::text, $2::text, $3::bigint,"
			    " $4::text, $5::bigint, $6::bigint, $7::bigint) RETURNING key");
		break;
	case SQL_TARGET_BY_KEY:
		text_add(t, "SELECT ");
		columns_names(t, TARGET_COLUMNS, "g");
		text_add(t, " FROM target g WHERE g.key = $1::bigint");
		break;
	case SQL_TARGET_LIST:
		text_add(t, "SELECT ");
		columns_names(t, TARGET_COLUMNS, "g");
		text_add(t, ", (SELECT min(d.due_at) FROM delivery d WHERE d.target = g.key"
			    " AND d.state = 0) FROM target g ORDER BY g.key");
		break;
	case SQL_DELIVERY_INSERT:
		insert_deliveries(t);
		break;
	case SQL_DELIVERY_SETTLE:
		settle(t);
		break;
	case SQL_DELIVERY_CLAIM:
		claim(t);
		break;
	case SQL_ATTEMPT_INSERT:
		insert(t, "attempt", ATTEMPT_COLUMNS);
		break;
	case SQL_ATTEMPT_LIST:
		text_add(t, "SELECT ");
		columns_names(t, ATTEMPT_COLUMNS, "a");
		text_add(t, " FROM attempt a WHERE a.delivery = $1::bigint ORDER BY a.n");
		break;
	default:
		break;
	}
}

static void make_rest(struct text *t, enum sql_id id)
{
	switch (id) {
	case SQL_DOC_GET:
		read_docs(t, "AND d.tenant = $2::text AND d.id = $3::text");
		break;
	case SQL_DOC_LIST:
		read_docs(t, "AND d.tenant = $2::text AND d.id > $3::text ORDER BY d.id"
			     " LIMIT $4::bigint");
		break;
	case SQL_DOC_LIST_DOWN:
		read_docs(t, "AND d.tenant = $2::text AND ($3::text = '' OR d.id < $3::text)"
			     " ORDER BY d.id DESC LIMIT $4::bigint");
		break;
	case SQL_DOC_LIST_ALL:
	case SQL_DOC_LIST_ALL_DOWN:
		read_all_docs(t, id == SQL_DOC_LIST_ALL_DOWN);
		break;
	case SQL_COUNT_ADD:
		/* One unit may count the same thing twice. */
		text_add(t, "INSERT INTO rollup AS r (bucket, tenant, flow, kind, key, count)"
			    " SELECT a, b, c, d, e, sum(f)::bigint FROM unnest(");
		columns_arrays(t, COUNT_COLUMNS, 1);
		text_add(t, ") AS u (a, b, c, d, e, f) GROUP BY 1, 2, 3, 4, 5"
			    " HAVING sum(f) <> 0 ORDER BY 1, 2, 3, 4, 5"
			    " ON CONFLICT (kind, tenant, bucket, flow, key)"
			    " DO UPDATE SET count = r.count + excluded.count");
		break;
	case SQL_COUNT_DROP:
		text_add(t, "DELETE FROM rollup r USING unnest(");
		columns_arrays(t, COUNT_COLUMNS, 1);
		text_add(t, ") AS u (a, b, c, d, e, f) WHERE u.f < 0 AND r.kind = u.d"
			    " AND r.tenant = u.b AND r.bucket = u.a AND r.flow = u.c"
			    " AND r.key = u.e AND r.count = 0");
		break;
	case SQL_COUNT_LIST:
		text_add(t, "SELECT ");
		columns_names(t, COUNT_COLUMNS, "r");
		text_add(t, " FROM rollup r WHERE r.kind = $1::text"
			    " AND ($2::text = '' OR r.tenant = $2::text)"
			    " AND ($3::text = '' OR r.flow = $3::text) AND r.bucket >= $4::bigint"
			    " AND ($5::bigint = 0 OR r.bucket < $5::bigint)"
			    " ORDER BY r.bucket, r.tenant, r.flow, r.key");
		break;
	case SQL_PURGE_PICK:
		read_txs(t, "WHERE ($1::text = '' OR t.tenant = $1::text)"
			    " AND ($2::text = '' OR t.flow = $2::text)"
			    " AND t.outcome IS NOT NULL"
			    " AND ($3::bigint = 0 OR t.outcome = $3::bigint)"
			    " AND t.held IS NULL AND coalesce(t.finished_at, 0) < $4::bigint"
			    " AND t.last_seq < $6::bigint"
			    " AND coalesce(t.finished_at, 0) >= $7::bigint"
			    " AND (t.finished_at > $7::bigint OR t.key > $8::bigint)"
			    " AND ($9::bigint = 0 OR t.last_seq <= $9::bigint)"
			    " AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.tx = t.key"
			    " AND d.state NOT IN (2, 3, 5))"
			    " ORDER BY coalesce(t.finished_at, 0), t.key LIMIT $5::bigint");
		break;
	case SQL_DIGEST_LIST:
		text_add(t, "SELECT ");
		columns_names(t, DIGEST_COLUMNS, "g");
		text_add(t, " FROM digest g WHERE g.seq > $1::bigint ORDER BY g.seq"
			    " LIMIT $2::bigint");
		break;
	default:
		break;
	}
}

int sql_make(struct sql *sql)
{
	*sql = (struct sql){.texts = {NULL}};
	for (int id = 0; id < SQL_COUNT; id++) {
		struct text t = {.at = NULL};
		if (SQL_TABLE[id].text) {
			text_add(&t, SQL_TABLE[id].text);
		} else {
			make_tx(&t, (enum sql_id)id);
			make_delivery(&t, (enum sql_id)id);
			make_rest(&t, (enum sql_id)id);
		}
		sql->texts[id] = t.at;
		if (t.failed || !t.at) {
			sql_free(sql);
			return TXW_E_NOMEM;
		}
	}
	return TXW_OK;
}

void sql_free(struct sql *sql)
{
	for (int i = 0; i < SQL_COUNT; i++)
		free(sql->texts[i]);
	*sql = (struct sql){.texts = {NULL}};
}
