/*
 * subscriptions.c: webhook registrations. notify/ makes and changes them in
 * jobs of its own; here they are read, and its answers passed on.
 */
#include <stdio.h>
#include <stdlib.h>

#include "api/handlers.h"
#include "api/write.h"
#include "base/id.h"

#define KIND STR_LIT("subscription")

/* ---- writing ---- */

struct sub_call {
	struct call *call;
	struct answer answer;
};

static const int STATUSES[] = {
    [SUB_CREATE] = 201, [SUB_PATCH] = 200, [SUB_DELETE] = 204, [SUB_TEST] = 202, [SUB_REPLAY] = 202,
};

static void render(const struct sub_request *r, struct answer *a)
{
	answer_reset(a);
	a->status = STATUSES[r->what];
	if (r->what == SUB_CREATE && r->id.len < 64)
		snprintf(a->location, sizeof(a->location), "/v1/subscriptions/%.*s",
			 STR_ARG(r->id));
	if (r->version)
		etag_print(a->etag, r->version);
	if (r->what == SUB_DELETE)
		return;
	if (r->answer.len) {
		buf_str(&a->body, buf_view(&r->answer));
		return;
	}
	json_open(&a->body, '{');
	if (r->what == SUB_TEST)
		json_m_int(&a->body, "seq", r->seq);
	json_close(&a->body, '}');
}

static int32_t finish(struct sub_request *r, struct unit *u, struct err *e)
{
	struct sub_call *s = r->ctx;
	render(r, &s->answer);
	return once_save(s->call->once, u, &s->answer, e);
}

static void done(struct sub_request *r)
{
	struct sub_call *s = r->ctx;
	struct call *c = s->call;
	struct err e = r->job.err;
	int32_t rc = r->job.rc;
	/* Anew: after the commit a creation's answer has the secret, which is
	 * shown once and so is not in the answer kept for replays. */
	if (rc >= 0)
		render(r, &s->answer);
	sub_request_free(r);
	if (rc >= 0) {
		call_answer(c, &s->answer);
		return;
	}
	buf_free(&s->answer.body);
	call_failed(c, rc, &e, "subscription");
}

static void submit(struct call *c, enum sub_what what, json_t *body)
{
	int64_t if_version = 0;
	bool changes = what == SUB_PATCH || what == SUB_DELETE;
	if (changes && !call_if_match(c, &if_version)) {
		json_decref(body);
		return;
	}
	struct sub_call *s = arena_alloc(c->arena, sizeof(*s));
	struct sub_request *r = xcalloc(1, sizeof(*r));
	s->call = c;
	r->notify = c->api->site->notify;
	r->what = what;
	r->tenant = arena_str(&r->arena, c->tenant);
	r->id = arena_str(&r->arena, c->param[0]);
	r->actor = arena_str(&r->arena, str_of(c->token->actor));
	r->trace = arena_str(&r->arena, http_trace_theirs(c->request));
	r->body = body;
	r->if_version = if_version;
	r->done = done;
	r->finish = c->once ? finish : NULL;
	r->ctx = s;
	int32_t rc = sub_submit(r);
	if (rc >= 0)
		return;
	struct err e = r->job.err;
	bool is_other = r->is_other_version;
	sub_request_free(r);
	if (is_other)
		call_problem(c, PROBLEM_PRECONDITION, "%s", e.text);
	else
		call_failed(c, rc, &e, "subscription");
}

/* The body as an object; may_lack: an empty one is none. false: answered. */
static bool take_body(struct call *c, bool may_lack, json_t **out)
{
	struct input in = {.arena = c->arena};
	txw_str body = http_body(c->request);
	*out = NULL;
	if (body.len == 0 && may_lack)
		return true;
	*out = input_parse(&in, body);
	if (!*out)
		call_wrong(c, &in.mistake);
	return *out != NULL;
}

static bool id_is_good(struct call *c)
{
	txw_id id;
	if (id_parse(c->param[0], "sub", &id))
		return true;
	call_problem(c, PROBLEM_NOT_FOUND, "there is no such subscription");
	return false;
}

void do_sub_create(struct call *c)
{
	json_t *body;
	if (take_body(c, false, &body))
		submit(c, SUB_CREATE, body);
}

void do_sub_patch(struct call *c)
{
	json_t *body;
	if (id_is_good(c) && take_body(c, false, &body))
		submit(c, SUB_PATCH, body);
}

void do_sub_delete(struct call *c)
{
	if (id_is_good(c))
		submit(c, SUB_DELETE, NULL);
}

void do_sub_test(struct call *c)
{
	if (id_is_good(c))
		submit(c, SUB_TEST, NULL);
}

void do_sub_replay(struct call *c)
{
	json_t *body;
	if (id_is_good(c) && take_body(c, true, &body))
		submit(c, SUB_REPLAY, body);
}

/* ---- reading ---- */

struct sub_page {
	struct page page;
	struct list list;
	struct arena arena; /* the documents, while the page is filled */
	txw_doc *docs;      /* by id, ascending */
	txw_target **states;
	size_t n;
	size_t cap;
	txw_str only; /* GET one: its id; else none */
};

static int32_t take_doc(void *ctx, const txw_doc *doc)
{
	struct sub_page *p = ctx;
	if (p->only.len && !str_eq(p->only, doc->id))
		return 0;
	if (p->n == p->cap)
		return 1;
	txw_doc *copy = &p->docs[p->n++];
	*copy = *doc;
	copy->kind = arena_str(&p->arena, doc->kind);
	copy->tenant = arena_str(&p->arena, doc->tenant);
	copy->id = arena_str(&p->arena, doc->id);
	copy->body = arena_str(&p->arena, doc->body);
	return 0;
}

static int by_id(const void *key, const void *doc)
{
	return str_cmp(*(const txw_str *)key, ((const txw_doc *)doc)->id);
}

static int32_t take_state(void *ctx, const txw_target *row, txw_time first_due)
{
	struct sub_page *p = ctx;
	(void)first_due;
	if (!str_eq(row->tenant, p->page.call->tenant))
		return 0;
	const txw_doc *doc = bsearch(&row->name, p->docs, p->n, sizeof(*doc), by_id);
	if (!doc)
		return 0;
	txw_target *copy = arena_alloc(&p->arena, sizeof(*copy));
	*copy = *row;
	copy->tenant = arena_str(&p->arena, row->tenant);
	copy->name = arena_str(&p->arena, row->name);
	copy->reason = arena_str(&p->arena, row->reason);
	p->states[doc - p->docs] = copy;
	return 0;
}

static int32_t read_docs(struct sub_page *p, const txw_store *store, void *reader, txw_str after,
			 uint32_t limit, struct err *e)
{
	p->cap = limit;
	p->docs = arena_alloc(&p->arena, p->cap * sizeof(*p->docs));
	p->states = arena_alloc(&p->arena, p->cap * sizeof(txw_target *));
	int32_t rc = READ_CALL(store, e, list_docs, reader, KIND, p->page.call->tenant, after,
			       limit, take_doc, p);
	if (rc < 0 || p->n == 0)
		return rc;
	return READ_CALL(store, e, list_targets, reader, take_state, p);
}

static void render_page(struct sub_page *p)
{
	struct answer *a = &p->page.answer;
	bool more = p->n > p->list.limit;
	size_t shown = more ? p->list.limit : p->n;
	struct position next = {0};
	txw_id id = {0};
	list_open(a);
	for (size_t i = 0; i < shown; i++)
		sub_render(&a->body, &p->docs[i], p->states[i]);
	if (more && id_parse(p->docs[shown - 1].id, "sub", &id))
		next = (struct position){id.hi, id.lo};
	list_end(p->page.call->api, &p->list, a, more ? &next : NULL);
}

static int32_t fill_list(struct page *page, const txw_store *store, void *reader, struct err *e)
{
	struct sub_page *p = (struct sub_page *)page;
	char text[ID_TEXT_MAX];
	txw_id id = {p->list.after.hi, p->list.after.lo};
	txw_str after = {text, id_is_none(id) ? 0 : id_print(text, "sub", id)};
	if (after.len == 0)
		after = STR_NONE;
	int32_t rc = read_docs(p, store, reader, after, p->list.limit + 1, e);
	if (rc >= 0)
		render_page(p);
	arena_free(&p->arena);
	return rc;
}

static int32_t fill_one(struct page *page, const txw_store *store, void *reader, struct err *e)
{
	struct sub_page *p = (struct sub_page *)page;
	/* There is no read by id: the ids after this one less its last
	 * character begin with it, or with at most 31 others. */
	txw_str after = {p->only.ptr, p->only.len - 1};
	int32_t rc = read_docs(p, store, reader, after, 32, e);
	if (rc >= 0 && p->n == 0)
		rc = TXW_E_NOTFOUND;
	if (rc >= 0)
		sub_render(&page->answer.body, &p->docs[0], p->states[0]);
	arena_free(&p->arena);
	return rc;
}

void do_sub_list(struct call *c)
{
	struct sub_page *p = arena_alloc(c->arena, sizeof(*p));
	p->page.call = c;
	p->page.fill = fill_list;
	if (list_begin(c, &p->list, true))
		page_submit(&p->page);
}

void do_sub_get(struct call *c)
{
	struct sub_page *p = arena_alloc(c->arena, sizeof(*p));
	p->page.call = c;
	p->page.fill = fill_one;
	p->page.what = "subscription";
	p->only = c->param[0];
	if (id_is_good(c))
		page_submit(&p->page);
}
