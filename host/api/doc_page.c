/* doc_page.c: see doc_page.h. */
#include "api/doc_page.h"

#include "base/id.h"
#include "engine/audit.h"

static int32_t take_listed(void *ctx, const txw_doc *doc)
{
	struct doc_page *p = ctx;
	txw_id id = {0};
	if (p->ends && p->ends(p, doc))
		return 1;
	if (p->looked_at == DOC_SCAN_MAX || p->n == p->list.limit) {
		p->has_more = true;
		return 1;
	}
	p->looked_at++;
	if (id_parse(doc->id, p->prefix, &id))
		p->last = id;
	if (p->wants && !p->wants(p, doc))
		return 0;
	p->n++;
	p->render(&p->page.answer.body, doc);
	return 0;
}

static int32_t fill_list(struct doc_page *p, const txw_store *store, void *reader, struct err *e)
{
	char text[ID_TEXT_MAX];
	txw_id id = {p->list.after.hi, p->list.after.lo};
	txw_str after = {text, id_is_none(id) ? 0 : id_print(text, p->prefix, id)};
	if (after.len == 0)
		after = STR_NONE;
	if (!store->scan_docs)
		return err_set(e, TXW_E_UNSUPPORTED, "the store cannot list documents");
	list_open(&p->page.answer);
	int32_t rc = READ_CALL(store, e, scan_docs, reader, p->kind, p->tenant, after,
			       p->descending, DOC_SCAN_MAX + 1, take_listed, p);
	if (rc < 0)
		return rc;
	struct position next = {p->last.hi, p->last.lo};
	list_end(p->page.call->api, &p->list, &p->page.answer, p->has_more ? &next : NULL);
	return 0;
}

static int32_t take_one(void *ctx, const txw_doc *doc)
{
	struct doc_page *p = ctx;
	if (!str_eq(doc->id, p->only))
		return 0;
	p->n = 1;
	p->render(&p->page.answer.body, doc);
	return 1;
}

static int32_t fill(struct page *page, const txw_store *store, void *reader, struct err *e)
{
	struct doc_page *p = (struct doc_page *)page;
	if (p->only.len == 0)
		return fill_list(p, store, reader, e);
	/* There is no read by id: the ids after this one less its last
	 * character begin with it, or with at most 31 others. */
	txw_str after = {p->only.ptr, p->only.len - 1};
	int32_t rc = READ_CALL(store, e, list_docs, reader, p->kind, p->tenant, after, 32, take_one,
			       p);
	return rc < 0 || p->n ? rc : TXW_E_NOTFOUND;
}

void doc_page_submit(struct doc_page *p)
{
	p->page.fill = fill;
	page_submit(&p->page);
}

bool call_tenant(struct call *c, txw_str given, txw_str *out)
{
	*out = given.len ? given : c->tenant;
	if (str_eq(*out, c->tenant) || call_is_operator(c))
		return true;
	call_problem(c, PROBLEM_FORBIDDEN,
		     "another tenant's is for the site's operators: admins of the tenant `%s`",
		     AUDIT_SITE.ptr);
	return false;
}
