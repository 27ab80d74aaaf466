/*
 * tokens.c: tokens made, listed and ended by the API.
 *
 *   POST    the document and its audit row in one unit; then the table
 *   DELETE  the same: once it is answered, no request passes with it
 */
#include "api/tokens.h"
#include "api/write.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/doc_page.h"
#include "api/handlers.h"
#include "api/token_value.h"
#include "base/id.h"
#include "engine/audit.h"

#define KIND STR_LIT("token")
#define ID   "tok"

/* ---- the document ---- */

struct body {
	txw_str name;
	txw_str tenant;
	txw_time expires_at;
	int64_t expires_in;
};

const struct input_row TOKEN_ROWS[] = {
    {"name", INPUT_LINE, INPUT_REQUIRED, offsetof(struct body, name), 64, 0},
    {"scopes", INPUT_SKIP, INPUT_REQUIRED, 0, 0, 0},
    {"tenant", INPUT_LINE, 0, offsetof(struct body, tenant), 64, 0},
    {"expires_at", INPUT_TIME, 0, offsetof(struct body, expires_at), 0, 0},
    {"expires_in", INPUT_PERIOD, 0, offsetof(struct body, expires_in), 0, 0},
};
const size_t TOKEN_ROWS_N = sizeof(TOKEN_ROWS) / sizeof(TOKEN_ROWS[0]);

static bool scope_of(const json_t *v, enum scope *out)
{
	for (enum scope s = SCOPE_READ; s <= SCOPE_ADMIN; s++) {
		if (!json_is_string(v) || strcmp(json_string_value(v), scope_name(s)) != 0)
			continue;
		if (s > *out)
			*out = s;
		return true;
	}
	return false;
}

static bool read_scopes(struct input *in, const json_t *list, enum scope *out)
{
	size_t i;
	json_t *v;
	bool ok = json_array_size(list) > 0 && json_array_size(list) <= 3;
	json_array_foreach(list, i, v)
	{
		ok = ok && scope_of(v, out);
	}
	return ok || input_wrong(in, "scopes", "must be a list of `read`, `write` and `admin`");
}

static bool read_body(struct input *in, const json_t *object, txw_time now, struct body *b,
		      enum scope *scope)
{
	if (!input_read(in, object, TOKEN_ROWS, TOKEN_ROWS_N, b, NULL) ||
	    !read_scopes(in, json_object_get(object, "scopes"), scope))
		return false;
	if (b->expires_at && b->expires_in)
		return input_wrong(in, "expires_in", "give either this or expires_at");
	if (b->expires_in > 100 * 366 * DAY)
		return input_wrong(in, "expires_in", "longer than 100 years");
	if (b->expires_in)
		b->expires_at = now + b->expires_in;
	if (b->expires_at && b->expires_at <= now)
		return input_wrong(in, "expires_at", "has passed already");
	return true;
}

static void add_scopes(struct buf *out, enum scope highest)
{
	json_key(out, "scopes");
	json_open(out, '[');
	for (enum scope s = SCOPE_READ; s <= highest; s++)
		json_str(out, str_of(scope_name(s)));
	json_close(out, ']');
}

/* The API's object, from a document; left open. */
static void render_open(struct buf *out, const txw_doc *doc, const json_t *body)
{
	enum scope scope = SCOPE_OPEN;
	txw_time expires = 0, used = 0;
	size_t i;
	json_t *v;
	json_array_foreach(json_object_get(body, "scopes"), i, v)
	{
		scope_of(v, &scope);
	}
	time_parse(str_of(json_string_value(json_object_get(body, "expires_at"))), &expires);
	time_parse(str_of(json_string_value(json_object_get(body, "last_used_at"))), &used);
	json_open(out, '{');
	json_m_str(out, "id", doc->id);
	json_m_text(out, "name", json_string_value(json_object_get(body, "name")));
	json_m_str(out, "tenant", doc->tenant);
	add_scopes(out, scope);
	json_m_text(out, "created_by", json_string_value(json_object_get(body, "created_by")));
	json_m_time(out, "created_at", doc->created_at);
	json_m_time(out, "expires_at", expires);
	json_m_time(out, "last_used_at", used);
}

static void render(struct buf *out, const txw_doc *doc)
{
	json_t *body = json_loadb(doc->body.ptr, doc->body.len, 0, NULL);
	render_open(out, doc, body);
	json_close(out, '}');
	json_decref(body);
}

/* ---- making and ending ---- */

struct change {
	struct job job; /* first */
	struct call *call;
	struct answer answer;
	struct arena arena;
	struct token token; /* texts: in the arena */
	txw_str id;
	txw_str label;
	txw_str actor;
	char value[TOKEN_VALUE_MAX];
};

static void change_free(struct change *m)
{
	explicit_bzero(m->value, sizeof(m->value));
	arena_free(&m->arena);
	free(m);
}

static struct change *change_new(struct call *c, txw_str tenant)
{
	struct change *m = xcalloc(1, sizeof(*m));
	m->call = c;
	m->token.tenant = arena_str(&m->arena, tenant);
	m->actor = arena_str(&m->arena, str_of(c->token->actor));
	m->job.item.weight = 1;
	return m;
}

static void change_submit(struct change *m)
{
	struct call *c = m->call;
	int32_t rc = engine_submit(c->api->site->engine, &m->job);
	if (rc >= 0)
		return;
	change_free(m);
	call_failed(c, rc, NULL, NULL);
}

/* done: false: it failed and the call is answered. */
static bool change_went_well(struct change *m)
{
	struct call *c = m->call;
	struct err e = m->job.err;
	if (m->job.rc >= 0)
		return true;
	buf_free(&m->answer.body);
	change_free(m);
	call_failed(c, e.code, &e, "token");
	return false;
}

static int32_t note(struct change *m, struct unit *u, const char *action, txw_str detail,
		    struct err *e)
{
	struct audit row = {.tenant = m->token.tenant,
			    .actor = m->actor,
			    .action = action,
			    .object = m->id,
			    .detail = detail};
	return audit_add(u, &row, e);
}

static void print_sum(struct buf *b, const unsigned char sum[32])
{
	json_key(b, "sum");
	buf_char(b, '"');
	for (int i = 0; i < 32; i++)
		buf_printf(b, "%02x", sum[i]);
	buf_char(b, '"');
}

static void print_document(struct buf *b, const struct change *m)
{
	json_open(b, '{');
	json_m_str(b, "name", m->label);
	add_scopes(b, m->token.scope);
	json_m_str(b, "created_by", m->actor);
	if (m->token.expires)
		json_m_time(b, "expires_at", m->token.expires);
	print_sum(b, m->token.sum);
	json_close(b, '}');
}

static int32_t note_made(struct change *m, struct unit *u, struct err *e)
{
	struct buf b = {0};
	json_open(&b, '{');
	json_m_str(&b, "name", m->label);
	add_scopes(&b, m->token.scope);
	json_m_time(&b, "expires_at", m->token.expires);
	json_close(&b, '}');
	int32_t rc = note(m, u, "token.create", buf_view(&b), e);
	buf_free(&b);
	return rc;
}

static int32_t make_apply(struct job *job, struct unit *u, struct err *e)
{
	struct change *m = (struct change *)job;
	struct buf b = {0};
	print_document(&b, m);
	txw_doc doc = {
	    .size = sizeof(doc),
	    .kind = KIND,
	    .tenant = m->token.tenant,
	    .id = m->id,
	    .body = buf_view(&b),
	    .version = 1,
	    .created_at = u->now,
	    .updated_at = u->now,
	    .expires_at = m->token.expires ? m->token.expires + TOKEN_SHOWN_ENDED : 0,
	};
	int32_t rc = UNIT_CALL(u, e, put_doc, &doc);
	if (rc >= 0)
		rc = note_made(m, u, e);
	if (rc >= 0) {
		answer_reset(&m->answer);
		m->answer.status = 201;
		snprintf(m->answer.location, sizeof(m->answer.location), "/v1/tokens/%.*s",
			 STR_ARG(m->id));
		render(&m->answer.body, &doc);
		/* Without the value, which is shown once. */
		if (m->call->once)
			rc = once_save(m->call->once, u, &m->answer, e);
	}
	buf_free(&b);
	return rc < 0 ? rc : 0;
}

static void make_done(struct job *job)
{
	struct change *m = (struct change *)job;
	struct call *c = m->call;
	if (!change_went_well(m))
		return;
	auth_admit(c->api->auth, &m->token);
	struct answer a = m->answer;
	a.body.len--; /* the closing brace */
	json_m_text(&a.body, "token", m->value);
	json_close(&a.body, '}');
	change_free(m);
	call_answer(c, &a);
}

/* The body is good and whoever asks may: makes it. */
static void make(struct call *c, const struct body *b, enum scope scope, txw_str tenant)
{
	struct change *m = change_new(c, tenant);
	char id[ID_TEXT_MAX];
	size_t n = id_print(id, ID, id_new(loop_now(c->api->site->loop)));
	m->id = arena_str(&m->arena, (txw_str){id, n});
	m->label = arena_str(&m->arena, b->name);
	m->token.name = m->id.ptr;
	m->token.scope = scope;
	m->token.expires = b->expires_at;
	n = token_value_make(m->value);
	auth_sum(c->api->auth, (txw_str){m->value, n}, m->token.sum);
	m->job.apply = make_apply;
	m->job.done = make_done;
	change_submit(m);
}

void do_token_create(struct call *c)
{
	struct input in = {.arena = c->arena};
	struct body b = {0};
	enum scope scope = SCOPE_OPEN;
	txw_time now = loop_now(c->api->site->loop);
	txw_str tenant;
	json_t *object = input_parse(&in, http_body(c->request));
	bool ok = object && read_body(&in, object, now, &b, &scope);
	input_end(&in);
	if (!ok) {
		json_decref(object);
		call_wrong(c, &in.mistake);
		return;
	}
	if (call_tenant(c, b.tenant, &tenant)) {
		if (auth_count(c->api->auth, tenant, now) >= TOKENS_MAX)
			call_problem(c, PROBLEM_LIMIT,
				     "the tenant has %d tokens: end some that nobody uses",
				     TOKENS_MAX);
		else
			make(c, &b, scope, tenant);
	}
	json_decref(object);
}

static int32_t end_apply(struct job *job, struct unit *u, struct err *e)
{
	struct change *m = (struct change *)job;
	int32_t rc = UNIT_CALL(u, e, delete_doc, KIND, m->token.tenant, m->id);
	if (rc == 0)
		return err_set(e, TXW_E_NOTFOUND, "there is no such token");
	if (rc >= 0)
		rc = note(m, u, "token.revoke", STR_NONE, e);
	return rc < 0 ? rc : 0;
}

static void end_done(struct job *job)
{
	struct change *m = (struct change *)job;
	struct call *c = m->call;
	struct answer a = {.status = 204};
	if (!change_went_well(m))
		return;
	auth_forget(c->api->auth, m->id);
	change_free(m);
	call_answer(c, &a);
}

/* false: answered. */
static bool id_is_good(struct call *c)
{
	txw_id id;
	if (id_parse(c->param[0], ID, &id))
		return true;
	call_failed(c, TXW_E_NOTFOUND, NULL, "token");
	return false;
}

void do_token_delete(struct call *c)
{
	txw_str tenant;
	if (!id_is_good(c) || !call_tenant(c, http_query(c->request, "tenant", NULL), &tenant))
		return;
	struct change *m = change_new(c, tenant);
	m->id = arena_str(&m->arena, c->param[0]);
	m->job.apply = end_apply;
	m->job.done = end_done;
	change_submit(m);
}

/* ---- reading ---- */

static struct doc_page *page_new(struct call *c)
{
	struct doc_page *p = arena_alloc(c->arena, sizeof(*p));
	p->page.call = c;
	p->kind = KIND;
	p->prefix = ID;
	p->render = render;
	return p;
}

void do_token_list(struct call *c)
{
	struct doc_page *p = page_new(c);
	if (list_begin(c, &p->list, true) &&
	    call_tenant(c, http_query(c->request, "tenant", NULL), &p->tenant))
		doc_page_submit(p);
}

void do_token_get(struct call *c)
{
	struct doc_page *p = page_new(c);
	p->page.what = "token";
	p->only = c->param[0];
	if (id_is_good(c) && call_tenant(c, http_query(c->request, "tenant", NULL), &p->tenant))
		doc_page_submit(p);
}
