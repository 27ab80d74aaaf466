/*
 * doc.c: a work as its document's JSON, and as the API shows it.
 *
 * {"kind","state","actor","trace","created_at","started_at","finished_at","why",
 *  "params":{},"cursor":{},"progress":{}}; times are microseconds.
 */
#include <stdlib.h>

#include "jobs/inside.h"

static const char *const STATES[] = {"queued", "running", "done", "cancelled", "failed"};

const char *work_state_name(enum work_state s)
{
	return STATES[s];
}

/* ---- writing ---- */

static void add(json_t *doc, const char *key, json_t *value)
{
	if (value)
		json_object_set_new(doc, key, value);
}

static json_t *text(txw_str s)
{
	return s.len ? json_stringn(s.ptr, s.len) : NULL;
}

static json_t *time_of(txw_time t)
{
	return t ? json_integer(t) : NULL;
}

static int32_t put(struct unit *u, const txw_doc *from, json_t *json, struct err *e)
{
	txw_doc doc = *from;
	char *body = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	if (!body)
		return err_set(e, TXW_E_NOMEM, "a job's document cannot be written");
	doc.size = sizeof(doc);
	doc.kind = WORK_DOC;
	doc.body = str_of(body);
	doc.updated_at = u->now;
	int32_t rc = UNIT_CALL(u, e, put_doc, &doc);
	free(body);
	return rc;
}

int32_t work_save(struct work *w, struct unit *u, struct err *e)
{
	bool is_over = w->next_state != WORK_QUEUED && w->next_state != WORK_RUNNING;
	json_t *doc = json_object();
	w->finished_at = is_over ? u->now : 0;
	add(doc, "kind", json_string(w->kind->name));
	add(doc, "state", json_string(STATES[w->next_state]));
	add(doc, "actor", text(w->actor));
	if (w->trace.len)
		add(doc, "trace", text(w->trace));
	add(doc, "created_at", time_of(w->created_at));
	add(doc, "started_at", time_of(w->started_at));
	add(doc, "finished_at", time_of(w->finished_at));
	if (w->why.code)
		add(doc, "why", json_string(w->why.text[0] ? w->why.text : err_name(w->why.code)));
	add(doc, "params", json_incref(w->params));
	add(doc, "cursor", json_incref(w->next_cursor));
	add(doc, "progress", json_incref(w->next_progress));
	txw_doc row = {
	    .tenant = w->tenant,
	    .id = str_of(w->id),
	    .version = w->version + 1,
	    .created_at = w->created_at,
	    .expires_at = is_over ? u->now + JOBS_KEPT : 0,
	};
	return put(u, &row, doc, e);
}

int32_t work_save_new(struct work_request *r, struct unit *u, struct err *e)
{
	json_t *doc = json_object();
	id_print(r->id, "job", id_new(u->now));
	add(doc, "kind", json_string(r->kind->name));
	add(doc, "state", json_string(STATES[WORK_QUEUED]));
	add(doc, "actor", text(r->actor));
	if (r->trace.len)
		add(doc, "trace", text(r->trace));
	add(doc, "created_at", time_of(u->now));
	add(doc, "params", json_incref(r->params));
	add(doc, "cursor", json_object());
	add(doc, "progress", json_object());
	json_decref(r->doc);
	r->doc = json_incref(doc);
	r->body.len = 0;
	work_show(&r->body, str_of(r->id), doc);
	txw_doc row = {
	    .tenant = r->tenant, .id = str_of(r->id), .version = 1, .created_at = u->now};
	return put(u, &row, doc, e);
}

/* ---- reading ---- */

static txw_time get_time(const json_t *doc, const char *key)
{
	return json_integer_value(json_object_get(doc, key));
}

static txw_str get_text(const json_t *doc, const char *key)
{
	const json_t *v = json_object_get(doc, key);
	return (txw_str){json_string_value(v), json_string_length(v)};
}

bool work_load(struct work *w, const json_t *doc)
{
	w->params = json_incref(json_object_get(doc, "params"));
	w->cursor = json_incref(json_object_get(doc, "cursor"));
	w->progress = json_incref(json_object_get(doc, "progress"));
	w->actor = arena_str(&w->arena, get_text(doc, "actor"));
	w->trace = arena_str(&w->arena, get_text(doc, "trace"));
	w->created_at = get_time(doc, "created_at");
	w->started_at = get_time(doc, "started_at");
	w->state = WORK_QUEUED; /* until there is a place for it */
	w->version = 1;
	return json_is_object(w->params) && json_is_object(w->cursor) &&
	       json_is_object(w->progress);
}

static void show_object(struct buf *out, const char *key, const json_t *value)
{
	char *body = json_dumps(value, JSON_COMPACT);
	json_key(out, key);
	json_raw(out, str_of(body));
	free(body);
}

void work_show(struct buf *out, txw_str id, const json_t *doc)
{
	json_open(out, '{');
	json_m_str(out, "id", id);
	json_m_str(out, "kind", get_text(doc, "kind"));
	json_m_str(out, "state", get_text(doc, "state"));
	json_m_opt(out, "actor", get_text(doc, "actor"));
	json_m_time(out, "created_at", get_time(doc, "created_at"));
	json_m_time(out, "started_at", get_time(doc, "started_at"));
	json_m_time(out, "finished_at", get_time(doc, "finished_at"));
	json_m_opt(out, "why", get_text(doc, "why"));
	show_object(out, "request", json_object_get(doc, "params"));
	show_object(out, "progress", json_object_get(doc, "progress"));
	json_close(out, '}');
}

bool work_render(struct buf *out, txw_str id, txw_str body)
{
	json_t *doc = json_loadb(body.ptr, body.len, 0, NULL);
	bool ok = json_is_object(doc);
	if (ok)
		work_show(out, id, doc);
	json_decref(doc);
	return ok;
}
