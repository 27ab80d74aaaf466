/* sql.c: see sql.h. */
#include "sql.h"

#define SQL_ROW(sym, users, text) {users, text},
const struct sql_row SQL_TABLE[SQL_COUNT] = {SQL_STATEMENTS(SQL_ROW)};
#undef SQL_ROW
