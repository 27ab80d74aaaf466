/* docs.c: documents and marks. */
#include "store.h"

static void bind_name(sqlite3_stmt *st, txw_str kind, txw_str tenant, txw_str id)
{
	bind_key(st, 1, kind);
	bind_key(st, 2, tenant);
	bind_key(st, 3, id);
}

int32_t docs_put(void *instance, const txw_doc *doc, txw_error *err)
{
	struct store *s = instance;
	sqlite3_stmt *st = db_stmt(&s->db, SQL_DOC_PUT);
	int32_t rc = unit_ready(s, err);
	if (rc < 0)
		return rc;
	bind_name(st, doc->kind, doc->tenant, doc->id);
	bind_text(st, 4, doc->body);
	bind_int(st, 5, doc->version);
	bind_int(st, 6, doc->created_at);
	bind_int(st, 7, doc->updated_at);
	bind_some(st, 8, doc->expires_at);
	return db_run(&s->db, st, "saving a document", err);
}

int32_t docs_get(void *instance, txw_str kind, txw_str tenant, txw_str id, txw_emit_doc emit,
		 void *ctx, txw_error *err)
{
	struct store *s = instance;
	sqlite3_stmt *st = db_stmt(&s->db, SQL_DOC_GET);
	txw_doc doc;
	bind_name(st, kind, tenant, id);
	int32_t rc = db_step(&s->db, st, "reading a document", err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return db_say(&s->db, TXW_E_NOTFOUND, err, "there is no %.*s %.*s", (int)kind.len,
			      kind.ptr ? kind.ptr : "", (int)id.len, id.ptr ? id.ptr : "");
	columns_doc(st, &doc);
	emit(ctx, &doc);
	sqlite3_reset(st);
	return TXW_OK;
}

int32_t docs_delete(void *instance, txw_str kind, txw_str tenant, txw_str id, txw_error *err)
{
	struct store *s = instance;
	sqlite3_stmt *st = db_stmt(&s->db, SQL_DOC_DELETE);
	int32_t rc = unit_ready(s, err);
	if (rc < 0)
		return rc;
	bind_name(st, kind, tenant, id);
	rc = db_run(&s->db, st, "deleting a document", err);
	return rc < 0 ? rc : sqlite3_changes(s->db.handle);
}

int32_t docs_expire(void *instance, txw_time now, uint32_t limit, txw_error *err)
{
	struct store *s = instance;
	sqlite3_stmt *st = db_stmt(&s->db, SQL_DOC_EXPIRE);
	int32_t rc = unit_ready(s, err);
	if (rc < 0)
		return rc;
	bind_int(st, 1, now);
	bind_int(st, 2, limit);
	rc = db_run(&s->db, st, "deleting old documents", err);
	return rc < 0 ? rc : sqlite3_changes(s->db.handle);
}

int32_t docs_put_mark(void *instance, txw_str name, int64_t value, txw_error *err)
{
	struct store *s = instance;
	sqlite3_stmt *st = db_stmt(&s->db, SQL_MARK_PUT);
	int32_t rc = unit_ready(s, err);
	if (rc < 0)
		return rc;
	bind_key(st, 1, name);
	bind_int(st, 2, value);
	return db_run(&s->db, st, "saving a mark", err);
}

int32_t docs_get_mark(void *instance, txw_str name, int64_t *value, txw_error *err)
{
	struct store *s = instance;
	sqlite3_stmt *st = db_stmt(&s->db, SQL_MARK_GET);
	*value = 0;
	bind_key(st, 1, name);
	int32_t rc = db_step(&s->db, st, "reading a mark", err);
	if (rc > 0)
		*value = column_int(st, 0);
	sqlite3_reset(st);
	return rc < 0 ? rc : TXW_OK;
}
