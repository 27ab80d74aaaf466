/* tx_show.c: what is shown of a transaction: fields=, expand=; tx_query.h. */
#include <stdlib.h>

#include "api/handlers.h"
#include "api/tx_query.h"
#include "api/write.h"

static bool take_expansions(struct call *c, struct tx_show *s)
{
	size_t n = 0;
	txw_str text = http_query(c->request, "expand", &n);
	while (n && text.len) {
		const char *comma = memchr(text.ptr, ',', text.len);
		size_t len = comma ? (size_t)(comma - text.ptr) : text.len;
		txw_str word = {text.ptr, len};
		text = comma ? (txw_str){comma + 1, text.len - len - 1} : STR_NONE;
		if (str_is(word, "history")) {
			s->expand |= EXPAND_HISTORY;
		} else if (str_is(word, "deliveries")) {
			s->expand |= EXPAND_DELIVERIES;
		} else {
			call_problem(c, PROBLEM_INVALID,
				     "expand: there are history and deliveries, not \"%.*s\"",
				     STR_ARG(word));
			return false;
		}
	}
	return true;
}

bool tx_show_parse(struct call *c, struct tx_show *s)
{
	struct err e = {0};
	size_t n = 0;
	txw_str fields = http_query(c->request, "fields", &n);
	*s = (struct tx_show){0};
	if (n && !fields_parse(fields, &s->fields, &e)) {
		call_problem(c, PROBLEM_INVALID, "%s", e.text);
		return false;
	}
	return take_expansions(c, s);
}

bool tx_show_is_plain(const struct tx_show *s)
{
	return s->fields.n == 0 && s->expand == 0;
}

void tx_show_row(const struct tx_show *s, const txw_tx *row, struct buf *out)
{
	struct buf whole = {0};
	if (s->fields.n == 0) {
		json_tx(out, row);
		return;
	}
	json_tx(&whole, row);
	fields_pick(&s->fields, buf_view(&whole), out);
	buf_free(&whole);
}

/* ---- what hangs on it ---- */

struct items {
	struct buf *out;
	struct buf rows[EXPAND_MAX]; /* events: newest first */
	size_t n;
	bool more;
	uint32_t site;
};

static int32_t take_event(void *ctx, const txw_event *ev)
{
	struct items *i = ctx;
	if (i->n == EXPAND_MAX) {
		i->more = true;
		return 1;
	}
	json_event(&i->rows[i->n++], ev);
	return 0;
}

static int32_t take_delivery(void *ctx, const txw_delivery_row *row, const txw_target *target,
			     const txw_event *event)
{
	struct items *i = ctx;
	if (i->n++ == EXPAND_MAX) {
		i->more = true;
		return 1;
	}
	delivery_render(i->out, i->site, row, target, event);
	return 0;
}

static void open_items(struct buf *out, const char *name)
{
	json_key(out, name);
	json_open(out, '{');
	json_key(out, "data");
	json_open(out, '[');
}

static void close_items(struct buf *out, const struct items *items)
{
	json_close(out, ']');
	json_m_bool(out, "more", items->more);
	json_close(out, '}');
}

static int32_t add_history(const txw_store *store, void *reader, int64_t key, struct buf *out,
			   struct err *e)
{
	struct items *items = xcalloc(1, sizeof(*items));
	int32_t rc = READ_CALL(store, e, history, reader, key, 0, EXPAND_MAX + 1, take_event,
			       items);
	open_items(out, "history");
	for (size_t i = items->n; i-- > 0;) {
		json_raw(out, buf_view(&items->rows[i]));
		buf_free(&items->rows[i]);
	}
	close_items(out, items);
	free(items);
	return rc;
}

static int32_t add_deliveries(const struct call *c, const txw_store *store, void *reader,
			      int64_t key, struct buf *out, struct err *e)
{
	struct items items = {.out = out, .site = engine_info(c->api->site->engine)->site};
	txw_delivery_query q = {.size = sizeof(q),
				.tenant = c->tenant,
				.state = TXW_ANY_STATE,
				.tx = key,
				.limit = EXPAND_MAX + 1};
	open_items(out, "deliveries");
	int32_t rc = READ_CALL(store, e, list_deliveries, reader, &q, 1, take_delivery, &items);
	close_items(out, &items);
	return rc;
}

int32_t tx_show_expand(const struct tx_show *s, const struct call *c, const txw_store *store,
		       void *reader, int64_t key, struct buf *out, struct err *e)
{
	int32_t rc = 0;
	if (!s->expand)
		return 0;
	out->len--; /* the object's brace */
	if (s->expand & EXPAND_HISTORY)
		rc = add_history(store, reader, key, out, e);
	if (rc >= 0 && s->expand & EXPAND_DELIVERIES)
		rc = add_deliveries(c, store, reader, key, out, e);
	json_close(out, '}');
	return rc;
}

/* ---- GET of one ---- */

struct one {
	struct page page;
	struct tx_show show;
	txw_tx_name name;
	int64_t key; /* 0: no such transaction of the tenant */
};

static int32_t take_one(void *ctx, const txw_tx *row)
{
	struct one *p = ctx;
	if (!str_eq(row->tenant, p->page.call->tenant))
		return 1;
	p->key = row->key;
	etag_print(p->page.answer.etag, row->version);
	tx_show_row(&p->show, row, &p->page.answer.body);
	return 1;
}

static int32_t fill_one(struct page *page, const txw_store *store, void *reader, struct err *e)
{
	struct one *p = (struct one *)page;
	int32_t rc = READ_CALL(store, e, read_tx, reader, &p->name, take_one, p);
	if (rc >= 0 && !p->key)
		rc = TXW_E_NOTFOUND;
	return rc < 0 ? rc
		      : tx_show_expand(&p->show, page->call, store, reader, p->key,
				       &page->answer.body, e);
}

void tx_show_one(struct call *c, const txw_tx_name *name, const struct tx_show *s)
{
	struct one *p = arena_alloc(c->arena, sizeof(*p));
	p->page.call = c;
	p->page.fill = fill_one;
	p->page.what = "transaction";
	p->show = *s;
	p->name = *name;
	page_submit(&p->page);
}
