/*
 * doc_page.h: lists of documents of one kind, and one of them by its id.
 *
 * Their ids are TypeIDs, so a cursor is the id of the last one shown.
 */
#ifndef TXWATCH_API_DOC_PAGE_H
#define TXWATCH_API_DOC_PAGE_H

#include "api/inside.h"

/* Documents looked at for one page when `wants` passes over many: a page may
 * be shorter than its limit, or empty, and still have a next one. */
#define DOC_SCAN_MAX 10000

struct doc_page {
	struct page page; /* first */
	struct list list;
	txw_str kind;
	const char *prefix; /* of the ids */
	txw_str tenant;
	txw_str only;    /* one by its id; none: a list */
	bool descending; /* newest first */
	/* Passes over those that are not asked for; NULL: none. [reader] */
	bool (*wants)(struct doc_page *p, const txw_doc *doc);
	/* true: nothing beyond this one is asked for; NULL: never. [reader] */
	bool (*ends)(struct doc_page *p, const txw_doc *doc);
	void (*render)(struct buf *out, const txw_doc *doc); /* [reader] */
	/* Its own. */
	uint32_t n;
	uint32_t looked_at;
	txw_id last;
	bool has_more;
};

/* A list: list_begin() was called; else `only` is set, and page.what. Ends the
 * call. */
void doc_page_submit(struct doc_page *p);

/* `?tenant=`, for the site's operators; without it the caller's own. false: it
 * is answered with 403. */
bool call_tenant(struct call *c, txw_str given, txw_str *out);

#endif
