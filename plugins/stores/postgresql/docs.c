/* docs.c: documents, marks and counts. */
#include "store.h"

static void bind_name(struct args *a, txw_str kind, txw_str tenant, txw_str id)
{
	args_key(a, kind);
	args_key(a, tenant);
	args_key(a, id);
}

int32_t docs_put(void *instance, const txw_doc *doc, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = log_enter(s, err);
	if (rc < 0)
		return rc;
	struct args *a = db_args(&s->db);
	bind_name(a, doc->kind, doc->tenant, doc->id);
	args_text(a, doc->body);
	args_int(a, doc->version);
	args_int(a, doc->created_at);
	args_int(a, doc->updated_at);
	args_some(a, doc->expires_at);
	return unit_write(s, SQL_DOC_PUT, err);
}

int32_t docs_get(void *instance, txw_str kind, txw_str tenant, txw_str id, txw_emit_doc emit,
		 void *ctx, txw_error *err)
{
	struct store *s = instance;
	PGresult *r;
	int32_t rc = unit_ready(s, err);
	if (rc < 0)
		return rc;
	bind_name(db_args(&s->db), kind, tenant, id);
	if ((rc = unit_ask(s, SQL_DOC_GET, &r, err)) < 0)
		return rc;
	if (PQntuples(r)) {
		txw_doc doc = {.size = sizeof(doc)};
		columns_read(r, 0, 0, DOC_COLUMNS, &doc);
		emit(ctx, &doc);
	} else {
		rc = db_say(&s->db, TXW_E_NOTFOUND, err, "there is no %.*s %.*s", (int)kind.len,
			    kind.ptr ? kind.ptr : "", (int)id.len, id.ptr ? id.ptr : "");
	}
	PQclear(r);
	return rc;
}

int32_t docs_delete(void *instance, txw_str kind, txw_str tenant, txw_str id, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = log_enter(s, err);
	if (rc < 0)
		return rc;
	bind_name(db_args(&s->db), kind, tenant, id);
	return unit_change(s, SQL_DOC_DELETE, err);
}

int32_t docs_expire(void *instance, txw_time now, uint32_t limit, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = log_enter(s, err);
	if (rc < 0)
		return rc;
	struct args *a = db_args(&s->db);
	args_int(a, now);
	args_int(a, limit);
	return unit_change(s, SQL_DOC_EXPIRE, err);
}

int32_t docs_put_mark(void *instance, txw_str name, int64_t value, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = log_enter(s, err);
	if (rc < 0)
		return rc;
	struct args *a = db_args(&s->db);
	args_key(a, name);
	args_int(a, value);
	return unit_write(s, SQL_MARK_PUT, err);
}

int32_t docs_get_mark(void *instance, txw_str name, int64_t *value, txw_error *err)
{
	struct store *s = instance;
	PGresult *r;
	int32_t rc = unit_ready(s, err);
	*value = 0;
	if (rc < 0)
		return rc;
	args_key(db_args(&s->db), name);
	if ((rc = unit_ask(s, SQL_MARK_GET, &r, err)) < 0)
		return rc;
	if (PQntuples(r))
		*value = column_int(r, 0, 0);
	PQclear(r);
	return TXW_OK;
}

static txw_count *copy_count(struct store *s, const txw_count *row)
{
	const txw_tx texts = {
	    .tenant = row->tenant, .flow = row->flow, .ref = row->kind, .status = row->key};
	const txw_tx *kept = arena_tx(&s->arena, &texts);
	txw_count *copy = kept ? arena_get(&s->arena, sizeof(*copy)) : NULL;
	if (copy)
		*copy = (txw_count){.size = sizeof(*copy),
				    .bucket = row->bucket,
				    .tenant = kept->tenant,
				    .flow = kept->flow,
				    .kind = kept->ref,
				    .key = kept->status,
				    .count = row->count};
	return copy;
}

int32_t docs_add_counts(void *instance, const txw_count *const *rows, size_t n, txw_error *err)
{
	struct store *s = instance;
	int32_t rc = log_enter(s, err);
	for (size_t i = 0; rc == TXW_OK && i < n; i++)
		if (rows[i]->count && !list_add(&s->counts, copy_count(s, rows[i])))
			rc = unit_no_memory(s, err);
	return rc;
}
