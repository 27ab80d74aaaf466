/* list.c: what all lists share: limit, order, cursor, the Link header. */
#include <stdlib.h>

#include "api/inside.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX     1000

bool query_int(struct call *c, const char *name, int64_t min, int64_t max, int64_t *out)
{
	size_t n = 0;
	int64_t v = 0;
	txw_str text = http_query(c->request, name, &n);
	if (n == 0)
		return true;
	if (!str_int(text, &v) || v < min || v > max) {
		call_problem(c, PROBLEM_INVALID, "%s must be a whole number from %lld to %lld",
			     name, (long long)min, (long long)max);
		return false;
	}
	*out = v;
	return true;
}

bool query_bool(struct call *c, const char *name, bool *out)
{
	size_t n = 0;
	txw_str text = http_query(c->request, name, &n);
	if (n == 0)
		return true;
	*out = str_is(text, "true");
	if (*out || str_is(text, "false"))
		return true;
	call_problem(c, PROBLEM_INVALID, "%s must be true or false", name);
	return false;
}

/* Parameters that do not decide which rows come next. */
static bool is_free(const char *name)
{
	static const char *const FREE[] = {"cursor", "limit",  "count",
					   "facets", "fields", "expand"};
	for (size_t i = 0; i < sizeof(FREE) / sizeof(FREE[0]); i++)
		if (strcmp(name, FREE[i]) == 0)
			return true;
	return false;
}

/* The tenant, the path and every parameter that decides which rows are
 * shown, in the table's order. */
static txw_str bound_text(struct call *c)
{
	struct buf b = {0};
	buf_str(&b, c->tenant);
	buf_char(&b, '\0');
	buf_str(&b, http_path(c->request));
	for (const struct route_query *q = c->route->queries; q && q->name; q++) {
		size_t n = 0;
		txw_str value = http_query(c->request, q->name, &n);
		if (n == 0 || is_free(q->name))
			continue;
		buf_char(&b, '\0');
		buf_text(&b, q->name);
		buf_char(&b, '=');
		buf_str(&b, value);
	}
	txw_str text = arena_str(c->arena, buf_view(&b));
	buf_free(&b);
	return text;
}

static bool take_order(struct call *c, struct list *l)
{
	txw_str order = http_query(c->request, "order", NULL);
	if (order.len == 0)
		return true;
	l->ascending = str_is(order, "asc");
	if (l->ascending || str_is(order, "desc"))
		return true;
	call_problem(c, PROBLEM_INVALID, "order must be asc or desc");
	return false;
}

bool list_begin(struct call *c, struct list *l, bool ascends)
{
	int64_t limit = LIMIT_DEFAULT;
	size_t n = 0;
	*l = (struct list){.ascending = ascends};
	if (!query_int(c, "limit", 1, LIMIT_MAX, &limit) || !take_order(c, l))
		return false;
	l->limit = (uint32_t)limit;
	l->bound = bound_text(c);
	txw_str cursor = http_query(c->request, "cursor", &n);
	l->arena = c->arena;
	if (n &&
	    !cursor_parse_more(c->api->cursors, l->bound, cursor, c->arena, &l->after, &l->more)) {
		call_problem(c, PROBLEM_BAD_CURSOR, NULL);
		return false;
	}
	return true;
}

void list_open(struct answer *a)
{
	json_open(&a->body, '{');
	json_key(&a->body, "data");
	json_open(&a->body, '[');
}

void list_end_more(const struct api *api, const struct list *l, struct answer *a,
		   const struct position *next, txw_str more)
{
	struct buf text = {0};
	json_close(&a->body, ']');
	json_key(&a->body, "next");
	if (next) {
		cursor_print_more(api->cursors, l->bound, next, more, &text);
		json_str(&a->body, buf_view(&text));
		a->next = arena_str(l->arena, buf_view(&text)).ptr;
	} else {
		json_none(&a->body);
	}
	json_close(&a->body, '}');
	buf_free(&text);
}

void list_end(const struct api *api, const struct list *l, struct answer *a,
	      const struct position *next)
{
	list_end_more(api, l, a, next, STR_NONE);
}
