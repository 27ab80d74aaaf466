/* filter_sql.h: a filter's tree as SQL. */
#ifndef POSTGRESQL_FILTER_SQL_H
#define POSTGRESQL_FILTER_SQL_H

#include "args.h"
#include "db.h"
#include "txwatch/filter.h"
#include "txwatch/store.h"

/* SQL that grows, and the values of its $1, $2 ... */
struct query {
	struct text text;
	struct args *args; /* borrowed: the connection's */
};

void query_text(struct query *q, txw_str s); /* adds "$n::text" */
void query_int(struct query *q, int64_t v);  /* adds "$n::bigint" */

/* Adds a condition on the table tx as `t` that holds for the rows for which
 * the host's own evaluation holds (txwatch/filter.h says for which). */
int32_t filter_sql(struct query *q, const txw_filter *f, struct db *db, txw_error *err);

/* Adds a condition: ref, owner, attributes or reason contains it. */
void filter_sql_contains(struct query *q, txw_str text);

/* A field as SQL orders it; NULL: a row has no such field. */
const char *filter_sql_order(uint32_t field);
/* Is it a value to be equal to, not a pattern and not the empty one? */
bool filter_sql_is_plain(txw_str text);
/* Has every row a value of it, as it is ordered? Then an index holds the order
 * as it is asked for. */
bool filter_sql_is_total(uint32_t field);
/* Adds a row's value of it, or returns false when it has none. */
bool filter_sql_value(struct query *q, uint32_t field, const txw_tx *row);

/* The word of an outcome as it stands in t. */
#define FILTER_SQL_OUTCOME                                                      \
	"(CASE coalesce(t.outcome, 0) WHEN 0 THEN 'open' WHEN 1 THEN 'success'" \
	" WHEN 2 THEN 'failure' WHEN 3 THEN 'cancelled' WHEN 4 THEN 'expired' END)"

#endif
