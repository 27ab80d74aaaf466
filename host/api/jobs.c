/* jobs.c: long work (jobs/jobs.h) as the API shows and ends it. */
#include "jobs/jobs.h"

#include <stdio.h>

#include "api/handlers.h"
#include "engine/audit.h"

struct job_page {
	struct page page;
	struct list list;
	txw_str only; /* one: its id; else none */
	uint32_t n;
	char last[ID_TEXT_MAX];
	bool more;
};

/* ---- reading ---- */

static int32_t take_doc(void *ctx, const txw_doc *doc)
{
	struct job_page *p = ctx;
	if (p->only.len && !str_eq(doc->id, p->only))
		return 1;
	if (!p->only.len && p->n == p->list.limit) {
		p->more = true;
		return 1;
	}
	if (work_render(&p->page.answer.body, doc->id, doc->body))
		p->n++;
	snprintf(p->last, sizeof(p->last), "%.*s", STR_ARG(doc->id));
	return 0;
}

/* Newest first; oldest first from a store that has no other order. */
static int32_t read_docs(struct job_page *p, const txw_store *store, void *reader, txw_str after,
			 struct err *e)
{
	txw_str tenant = p->page.call->tenant;
	uint32_t limit = p->list.limit + 1;
	if (!store->scan_docs)
		return READ_CALL(store, e, list_docs, reader, WORK_DOC, tenant, after, limit,
				 take_doc, p);
	return READ_CALL(store, e, scan_docs, reader, WORK_DOC, tenant, after, 1, limit, take_doc,
			 p);
}

static int32_t fill_list(struct page *page, const txw_store *store, void *reader, struct err *e)
{
	struct job_page *p = (struct job_page *)page;
	char text[ID_TEXT_MAX];
	txw_id id = {p->list.after.hi, p->list.after.lo};
	txw_str after = STR_NONE;
	if (!id_is_none(id))
		after = (txw_str){text, id_print(text, "job", id)};
	list_open(&page->answer);
	int32_t rc = read_docs(p, store, reader, after, e);
	if (rc < 0)
		return rc;
	if (!id_parse(str_of(p->last), "job", &id))
		p->more = false;
	struct position next = {id.hi, id.lo};
	list_end(page->call->api, &p->list, &page->answer, p->more ? &next : NULL);
	return 0;
}

/* There is no read by id: the first id after this one less its last character
 * begins with it. */
static int32_t fill_one(struct page *page, const txw_store *store, void *reader, struct err *e)
{
	struct job_page *p = (struct job_page *)page;
	txw_str after = {p->only.ptr, p->only.len - 1};
	int32_t rc = READ_CALL(store, e, list_docs, reader, WORK_DOC, page->call->tenant, after, 1,
			       take_doc, p);
	return rc >= 0 && p->n == 0 ? TXW_E_NOTFOUND : rc;
}

static void read_one(struct call *c)
{
	struct job_page *p = arena_alloc(c->arena, sizeof(*p));
	p->page = (struct page){.call = c, .fill = fill_one, .what = "job"};
	p->only = c->param[0];
	page_submit(&p->page);
}

static bool id_is_good(struct call *c)
{
	txw_id id;
	if (id_parse(c->param[0], "job", &id))
		return true;
	call_problem(c, PROBLEM_NOT_FOUND, "there is no such job");
	return false;
}

void do_job_list(struct call *c)
{
	struct job_page *p = arena_alloc(c->arena, sizeof(*p));
	p->page = (struct page){.call = c, .fill = fill_list};
	if (list_begin(c, &p->list, false))
		page_submit(&p->page);
}

void do_job_get(struct call *c)
{
	if (id_is_good(c))
		read_one(c);
}

/* ---- ending ---- */

static void cancelled(void *ctx)
{
	read_one(ctx);
}

void do_job_cancel(struct call *c)
{
	struct jobs *jobs = c->api->site->jobs;
	if (!id_is_good(c))
		return;
	const struct work_kind *kind = work_kind_of(jobs, c->tenant, c->param[0]);
	if (kind && kind->is_admin && c->token->scope < SCOPE_ADMIN) {
		call_problem(c, PROBLEM_FORBIDDEN, "cancelling such a job needs the scope `admin`");
		return;
	}
	struct err e = {0};
	struct audit act = {.tenant = c->tenant,
			    .actor = str_of(c->token->actor),
			    .action = "job.cancel",
			    .object = c->param[0]};
	int32_t rc = work_cancel(jobs, c->tenant, c->param[0], cancelled, c);
	if (rc == TXW_E_NOTFOUND) /* over, or never there */
		read_one(c);
	else if (rc < 0)
		call_failed(c, err_set(&e, rc, "the host is stopping"), &e, NULL);
	else
		audit_submit(c->api->site->engine, &act);
}

/* ---- beginning: for whoever has a kind ---- */

struct beginning {
	struct call *call;
	struct answer answer;
};

static void render(const struct work_request *r, struct answer *a)
{
	answer_reset(a);
	a->status = 202;
	snprintf(a->location, sizeof(a->location), "/v1/jobs/%s", r->id);
	buf_str(&a->body, buf_view(&r->body));
}

static int32_t finish(struct work_request *r, struct unit *u, struct err *e)
{
	struct beginning *b = r->ctx;
	render(r, &b->answer);
	return once_save(b->call->once, u, &b->answer, e);
}

static void done(struct work_request *r)
{
	struct beginning *b = r->ctx;
	struct call *c = b->call;
	struct err e = r->job.err;
	int32_t rc = r->job.rc;
	if (rc >= 0)
		render(r, &b->answer);
	work_request_free(r);
	if (rc >= 0) {
		call_answer(c, &b->answer);
		return;
	}
	buf_free(&b->answer.body);
	call_failed(c, rc, &e, NULL);
}

void call_begin_job(struct call *c, const char *kind, json_t *params)
{
	struct beginning *b = arena_alloc(c->arena, sizeof(*b));
	struct work_request *r = xcalloc(1, sizeof(*r));
	b->call = c;
	r->jobs = c->api->site->jobs;
	r->kind = jobs_kind(r->jobs, str_of(kind));
	r->tenant = arena_str(&r->arena, c->tenant);
	r->actor = arena_str(&r->arena, str_of(c->token->actor));
	r->trace = arena_str(&r->arena, http_trace_theirs(c->request));
	r->params = params;
	r->finish = c->once ? finish : NULL;
	r->done = done;
	r->ctx = b;
	int32_t rc = work_submit(r);
	if (rc >= 0)
		return;
	struct err e = r->job.err;
	work_request_free(r);
	call_failed(c, rc, &e, NULL);
}
