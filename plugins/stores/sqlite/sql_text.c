/* sql_text.c: SQL text that grows: see filter_sql.h. */
#include <stdlib.h>

#include "filter_sql.h"

enum bind_kind { BIND_INT, BIND_TEXT, BIND_BLOB, BIND_ID };

struct sql_bind {
	enum bind_kind kind;
	int64_t number;
	txw_str text;
	struct id_bytes id;
};

void sql_text_init(struct sql_text *t)
{
	*t = (struct sql_text){.str = sqlite3_str_new(NULL)};
}

void sql_text_free(struct sql_text *t)
{
	sqlite3_free(sqlite3_str_finish(t->str));
	free(t->binds);
}

void sql_text_add(struct sql_text *t, const char *sql)
{
	sqlite3_str_appendall(t->str, sql);
}

void sql_text_int(struct sql_text *t, int64_t v)
{
	sqlite3_str_appendf(t->str, "%lld", (long long)v);
}

static void bind(struct sql_text *t, struct sql_bind b)
{
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 16;
		struct sql_bind *grown = realloc(t->binds, cap * sizeof(*grown));
		if (!grown) {
			t->is_out_of_memory = true;
			return;
		}
		t->binds = grown;
		t->cap = cap;
	}
	t->binds[t->n++] = b;
}

void sql_text_bind_int(struct sql_text *t, int64_t v)
{
	bind(t, (struct sql_bind){.kind = BIND_INT, .number = v});
}

void sql_text_bind_text(struct sql_text *t, txw_str s)
{
	bind(t, (struct sql_bind){.kind = BIND_TEXT, .text = s});
}

void sql_text_bind_blob(struct sql_text *t, txw_str s)
{
	bind(t, (struct sql_bind){.kind = BIND_BLOB, .text = s});
}

void sql_text_bind_id(struct sql_text *t, txw_id id)
{
	struct sql_bind b = {.kind = BIND_ID};
	id_pack(&b.id, id);
	bind(t, b);
}

static void bind_all(const struct sql_text *t, sqlite3_stmt *st)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct sql_bind *b = &t->binds[i];
		int at = (int)i + 1;
		switch (b->kind) {
		case BIND_INT:
			bind_int(st, at, b->number);
			break;
		case BIND_TEXT:
			bind_key(st, at, b->text);
			break;
		case BIND_BLOB:
			sqlite3_bind_blob64(st, at, b->text.len ? b->text.ptr : "", b->text.len,
					    SQLITE_STATIC);
			break;
		case BIND_ID:
			sqlite3_bind_blob(st, at, b->id.at, sizeof(b->id.at), SQLITE_STATIC);
			break;
		}
	}
}

int32_t sql_text_prepare(struct sql_text *t, struct db *db, sqlite3_stmt **out, txw_error *err)
{
	if (t->is_out_of_memory || sqlite3_str_errcode(t->str) != SQLITE_OK)
		return db_say(db, TXW_E_NOMEM, err, "no memory for a search");
	if (sqlite3_prepare_v2(db->handle, sqlite3_str_value(t->str), -1, out, NULL) != SQLITE_OK)
		return db_fail(db, "preparing a search", err);
	bind_all(t, *out);
	return TXW_OK;
}
