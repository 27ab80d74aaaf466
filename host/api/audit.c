/* audit.c: GET /v1/audit: who did what, newest first. */
#include "engine/audit.h"

#include <jansson.h>

#include "api/doc_page.h"
#include "api/handlers.h"
#include "base/id.h"

struct audit_page {
	struct doc_page docs; /* first */
	txw_str actor;
	txw_str action; /* "token.create", or "token.*" */
	txw_str object;
	txw_time from; /* 0: no bound */
	txw_time to;
};

static txw_str text_of(const json_t *body, const char *member)
{
	const json_t *v = json_object_get(body, member);
	return (txw_str){json_string_value(v), json_string_length(v)};
}

static bool action_is(txw_str wanted, txw_str action)
{
	if (wanted.len && wanted.ptr[wanted.len - 1] == '*')
		return str_starts(action, (txw_str){wanted.ptr, wanted.len - 1});
	return str_eq(wanted, action);
}

static bool wants(struct doc_page *docs, const txw_doc *doc)
{
	const struct audit_page *p = (const struct audit_page *)docs;
	if (doc->created_at < p->from || (p->to && doc->created_at >= p->to))
		return false;
	if (!p->actor.len && !p->action.len && !p->object.len)
		return true;
	json_t *body = json_loadb(doc->body.ptr, doc->body.len, 0, NULL);
	bool ok = (!p->actor.len || str_eq(p->actor, text_of(body, "actor"))) &&
		  (!p->object.len || str_eq(p->object, text_of(body, "object"))) &&
		  (!p->action.len || action_is(p->action, text_of(body, "action")));
	json_decref(body);
	return ok;
}

static bool ends(struct doc_page *docs, const txw_doc *doc)
{
	const struct audit_page *p = (const struct audit_page *)docs;
	/* Ids ascend by the millisecond; times are finer. */
	return p->from && doc->created_at < p->from - MILLISECOND;
}

static void render(struct buf *out, const txw_doc *doc)
{
	json_open(out, '{');
	json_m_str(out, "id", doc->id);
	json_m_time(out, "at", doc->created_at);
	json_m_str(out, "tenant", doc->tenant);
	/* The body is an object of its own members. */
	if (doc->body.len > 2) {
		buf_char(out, ',');
		buf_add(out, doc->body.ptr + 1, doc->body.len - 2);
	}
	json_close(out, '}');
}

static bool take_time(struct call *c, const char *name, txw_time *out)
{
	size_t n = 0;
	txw_str text = http_query(c->request, name, &n);
	if (n == 0 || (time_parse(text, out) && *out > 0))
		return true;
	call_problem(c, PROBLEM_INVALID, "%s must be a time such as \"2026-01-31T23:59:59Z\"",
		     name);
	return false;
}

/* Begins right behind `to` instead of walking there. */
static void skip_to(struct audit_page *p)
{
	struct position *after = &p->docs.list.after;
	if (p->to == 0 || after->hi || after->lo)
		return;
	after->hi = (uint64_t)(p->to / MILLISECOND + 1) << 16;
}

void do_audit_list(struct call *c)
{
	struct audit_page *p = arena_alloc(c->arena, sizeof(*p));
	p->docs.page.call = c;
	p->docs.kind = AUDIT_KIND;
	p->docs.prefix = AUDIT_ID;
	p->docs.descending = true;
	p->docs.wants = wants;
	p->docs.ends = ends;
	p->docs.render = render;
	p->actor = http_query(c->request, "actor", NULL);
	p->action = http_query(c->request, "action", NULL);
	p->object = http_query(c->request, "object", NULL);
	if (!list_begin(c, &p->docs.list, false) || !take_time(c, "from", &p->from) ||
	    !take_time(c, "to", &p->to) ||
	    !call_tenant(c, http_query(c->request, "tenant", NULL), &p->docs.tenant))
		return;
	skip_to(p);
	doc_page_submit(&p->docs);
}
