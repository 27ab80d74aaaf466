/*
 * dispatch.c: a request's way to its handler, and every answer's way out.
 *
 * In this order: is there such a route, who asks and may they, are the
 * parameters known, is the body of the right kind, was it answered before
 * (Idempotency-Key); then the handler.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "api/allowance.h"
#include "api/cors.h"
#include "api/encoding.h"
#include "api/etag.h"
#include "api/inside.h"
#include "api/media.h"
#include "api/stats.h"
#include "api/tokens.h"
#include "engine/audit.h"

#define SMALL_BODY ((size_t)256 * 1024)

/* ---- answers ---- */

void answer_reset(struct answer *a)
{
	struct buf body = a->body;
	body.len = 0;
	*a = (struct answer){.body = body};
}

void answer_problem_open(struct answer *a, const struct call *c, enum problem p, const char *detail)
{
	answer_reset(a);
	a->status = PROBLEM_ROWS[p].status;
	a->is_problem = true;
	problem_open(&a->body, p, detail, http_request_id(c->request));
}

void answer_problem(struct answer *a, const struct call *c, enum problem p, const char *fmt, ...)
{
	char text[1024] = "";
	if (fmt) {
		va_list ap;
		va_start(ap, fmt);
		vsnprintf(text, sizeof(text), fmt, ap);
		va_end(ap);
	}
	answer_problem_open(a, c, p, text);
	json_close(&a->body, '}');
}

static void add_escaped(struct buf *b, txw_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char ch = (unsigned char)s.ptr[i];
		bool plain = (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') ||
			     (ch >= 'A' && ch <= 'Z') || strchr("-._~/:", ch);
		if (plain && ch)
			buf_char(b, (char)ch);
		else
			buf_printf(b, "%%%02X", ch);
	}
}

/* Link: <the same query with the next cursor>; rel="next" (RFC 8288). */
static void set_link(struct call *c, const char *cursor)
{
	struct buf b = {0};
	buf_char(&b, '<');
	add_escaped(&b, http_path(c->request));
	buf_printf(&b, "?cursor=%s", cursor);
	for (const struct route_query *q = c->route->queries; q && q->name; q++) {
		size_t n = 0;
		txw_str value = http_query(c->request, q->name, &n);
		if (n == 0 || strcmp(q->name, "cursor") == 0)
			continue;
		buf_printf(&b, "&%s=", q->name);
		add_escaped(&b, value);
	}
	buf_text(&b, ">; rel=\"next\"");
	http_set_header(c->request, "Link", buf_view(&b));
	buf_free(&b);
}

bool call_unchanged(struct call *c, const char *etag)
{
	return etag_listed(http_header(c->request, "If-None-Match"), etag, &c->tag_is_packed);
}

/* If-Match: one strong tag or "*" (RFC 9110, 13.1.1); ours are versions. */
bool call_if_match(struct call *c, int64_t *version)
{
	txw_str tag = http_header(c->request, "If-Match");
	if (tag.len == 0 || str_is(tag, "*"))
		return true;
	if (etag_version(tag, version))
		return true;
	call_problem(c, PROBLEM_PRECONDITION, "If-Match must be the ETag of what is changed");
	return false;
}

void answer_pack(struct answer *a, const struct call *c, bool more)
{
	bool is_worth = a->body.len >= ENCODING_MIN && (more || a->body.len <= ENCODING_LOOP_MAX);
	if (c->takes_gzip && is_worth && !a->is_packed)
		a->is_packed = encoding_pack(&a->body);
}

/* What tells caches of packed and plain answers. */
static void set_encoding(struct call *c, struct answer *a)
{
	answer_pack(a, c, false);
	if (a->is_packed)
		http_set_header(c->request, "Content-Encoding", STR_LIT("gzip"));
	if (a->is_packed || a->body.len >= ENCODING_MIN || a->status == 304)
		http_set_header(c->request, "Vary", STR_LIT("Accept-Encoding"));
	if (a->is_packed || (a->status == 304 && c->tag_is_packed))
		etag_pack(a->etag, sizeof(a->etag));
}

void call_answer(struct call *c, struct answer *a)
{
	struct api *api = c->api;
	set_encoding(c, a);
	if (a->etag[0])
		http_set_header(c->request, "ETag", str_of(a->etag));
	if (a->location[0])
		http_set_header(c->request, "Location", str_of(a->location));
	if (a->next)
		set_link(c, a->next);
	if (a->status == 503)
		http_set_header(c->request, "Retry-After", STR_LIT("1"));
	stats_count(api, c->route, a->status, clock_ticks() - c->began);
	if (c->once)
		once_end(c);
	const char *type = a->type         ? a->type
			   : a->is_problem ? "application/problem+json"
					   : "application/json";
	http_reply(c->request, a->status, a->body.len ? type : NULL, &a->body);
	api_call_ended(api);
}

void call_stream(struct call *c, const char *type, const struct http_source *source, void *ctx)
{
	if (c->once)
		once_end(c);
	http_reply_stream(c->request, 200, type, source, ctx);
}

void call_stream_closed(struct call *c)
{
	stats_count(c->api, c->route, 200, clock_ticks() - c->began);
	api_call_ended(c->api);
}

void call_json(struct call *c, int status, struct buf *body)
{
	struct answer a = {.status = status, .body = *body};
	*body = (struct buf){0};
	call_answer(c, &a);
}

void call_problem(struct call *c, enum problem p, const char *fmt, ...)
{
	struct answer a = {0};
	char text[1024] = "";
	if (fmt) {
		va_list ap;
		va_start(ap, fmt);
		vsnprintf(text, sizeof(text), fmt, ap);
		va_end(ap);
	}
	answer_problem(&a, c, p, "%s", text);
	call_answer(c, &a);
}

void call_wrong(struct call *c, const struct mistake *m)
{
	struct answer a = {0};
	char text[1024];
	snprintf(text, sizeof(text), "%s%s%s", m->member ? m->member : "", m->member ? ": " : "",
		 m->text);
	answer_problem_open(&a, c, m->member ? PROBLEM_INVALID : PROBLEM_MALFORMED, text);
	if (m->member)
		json_m_text(&a.body, "member", m->member);
	json_close(&a.body, '}');
	call_answer(c, &a);
}

void call_failed(struct call *c, int32_t rc, const struct err *e, const char *what)
{
	enum problem p = problem_of(rc);
	if (p == PROBLEM_NOT_FOUND) {
		call_problem(c, p, "there is no such %s", what ? what : "thing");
		return;
	}
	/* A store's own words are for the log: they name files. */
	bool is_theirs = p == PROBLEM_INVALID || p == PROBLEM_ADDRESS_REFUSED ||
			 p == PROBLEM_BUSY || p == PROBLEM_CONFLICT;
	if (!is_theirs)
		log_warn("a request failed", "request", http_request_id(c->request).ptr, "trace",
			 http_trace(c->request).ptr, "why", e ? e->text : err_name(rc));
	call_problem(c, p, "%s", is_theirs && e ? e->text : "");
}

/* ---- the way in ---- */

static bool refuse_token(struct call *c, enum auth_answer why, int64_t wait)
{
	struct log_num seconds;
	if (why == AUTH_THROTTLED) {
		http_set_header(c->request, "Retry-After", str_of(log_int(&seconds, wait)));
		call_problem(c, PROBLEM_THROTTLED, NULL);
		return false;
	}
	series_add(c->api->auth_failures, 1);
	http_set_header(c->request, "WWW-Authenticate",
			why == AUTH_MISSING
			    ? STR_LIT("Bearer realm=\"txwatch\"")
			    : STR_LIT("Bearer realm=\"txwatch\", error=\"invalid_token\""));
	if (why == AUTH_REFUSED) {
		call_problem(c, PROBLEM_UNAUTHENTICATED, "the token is not accepted: %s",
			     auth_why(c->api->auth));
		return false;
	}
	call_problem(c, PROBLEM_UNAUTHENTICATED, "%s",
		     why == AUTH_MISSING   ? "send `Authorization: Bearer TOKEN`"
		     : why == AUTH_EXPIRED ? "the token has expired"
					   : "the token is not known here");
	return false;
}

/* The token may be ended while its request is under way. */
static void keep_token(struct call *c, const struct token *t)
{
	struct token *mine = arena_alloc(c->arena, sizeof(*mine));
	*mine = *t;
	mine->name = arena_str(c->arena, str_of(t->name)).ptr;
	mine->actor = arena_str(c->arena, str_of(t->actor)).ptr;
	mine->tenant = arena_str(c->arena, t->tenant);
	c->token = mine;
	c->tenant = mine->tenant;
	if (mine->is_used)
		token_uses_note(c->api->token_uses);
}

bool call_is_operator(const struct call *c)
{
	return c->token && c->token->scope >= SCOPE_ADMIN && str_eq(c->tenant, AUDIT_SITE);
}

static bool authorize(struct call *c, enum scope needs)
{
	const struct token *token = NULL;
	int64_t wait = 0;
	if (needs == SCOPE_OPEN)
		return true;
	enum auth_answer got = auth_check(c->api->auth, http_header(c->request, "Authorization"),
					  http_peer(c->request), loop_now(c->api->site->loop),
					  &token, &wait);
	if (got != AUTH_OK)
		return refuse_token(c, got, wait);
	keep_token(c, token);
	if (c->token->scope >= needs)
		return true;
	char text[96];
	snprintf(text, sizeof(text),
		 "Bearer realm=\"txwatch\", error=\"insufficient_scope\", scope=\"%s\"",
		 scope_name(needs));
	http_set_header(c->request, "WWW-Authenticate", str_of(text));
	struct answer a = {0};
	snprintf(text, sizeof(text), "this needs the scope `%s`", scope_name(needs));
	answer_problem_open(&a, c, PROBLEM_FORBIDDEN, text);
	json_m_text(&a.body, "scope", scope_name(needs));
	json_close(&a.body, '}');
	call_answer(c, &a);
	return false;
}

/* http.rate; the virtual clock is moved for nothing. */
static bool spend(struct call *c)
{
	struct allowances *all = c->api->allowances;
	struct allowance one;
	char text[ALLOWANCE_TEXT_MAX];
	struct log_num seconds;
	if (!all || !c->token || (c->route->flags & ROUTE_VIRTUAL))
		return true;
	allowance_take(all, c->tenant, str_of(c->token->actor), loop_now(c->api->site->loop), &one);
	allowance_policy(all, text);
	http_set_header(c->request, "RateLimit-Policy", str_of(text));
	allowance_print(&one, text);
	http_set_header(c->request, "RateLimit", str_of(text));
	if (one.wait == 0)
		return true;
	http_set_header(c->request, "Retry-After", str_of(log_int(&seconds, one.wait)));
	call_problem(c, PROBLEM_RATE, NULL);
	return false;
}

struct query_check {
	struct call *call;
	txw_str wrong;
	bool is_repeated;
};

static void check_query(void *ctx, txw_str name, txw_str value)
{
	struct query_check *check = ctx;
	(void)value;
	if (check->wrong.ptr)
		return;
	for (const struct route_query *q = check->call->route->queries; q && q->name; q++) {
		size_t n = 0;
		if (!str_is(name, q->name))
			continue;
		http_query(check->call->request, q->name, &n);
		if (n > 1) {
			check->wrong = name;
			check->is_repeated = true;
		}
		return;
	}
	check->wrong = name.ptr ? name : STR_LIT("");
}

static bool check_queries(struct call *c)
{
	struct query_check check = {.call = c};
	const char *names[ROUTE_QUERIES_MAX];
	size_t n = 0;
	http_query_each(c->request, check_query, &check);
	if (!check.wrong.ptr)
		return true;
	if (check.is_repeated) {
		call_problem(c, PROBLEM_INVALID, "the parameter %.*s is given more than once",
			     STR_ARG(check.wrong));
		return false;
	}
	for (const struct route_query *q = c->route->queries; q && q->name; q++)
		names[n++] = q->name;
	const char *word = arena_str(c->arena, check.wrong).ptr;
	const char *near = str_nearest(word ? word : "", names, n);
	call_problem(c, PROBLEM_INVALID, "there is no parameter \"%.*s\" here%s%s%s",
		     STR_ARG(check.wrong), near ? "; did you mean \"" : "", near ? near : "",
		     near ? "\"?" : "");
	return false;
}

/* Unpacking what a stranger packed could take any memory: nothing is. */
static bool check_coding(struct call *c)
{
	txw_str coding = http_header(c->request, "Content-Encoding");
	bool is_plain = coding.len == 8 && strncasecmp(coding.ptr, "identity", 8) == 0;
	if (coding.len == 0 || is_plain || !(c->route->flags & (ROUTE_BODY | ROUTE_STREAM)))
		return true;
	http_set_header(c->request, "Accept-Encoding", STR_LIT("identity"));
	call_problem(c, PROBLEM_MEDIA_TYPE, "send the body without a Content-Encoding");
	return false;
}

static bool check_body(struct call *c)
{
	txw_str body = http_body(c->request);
	if (!check_coding(c))
		return false;
	if (!(c->route->flags & ROUTE_BODY) || body.len == 0)
		return true;
	/* A page of another origin cannot send this type unasked. */
	bool is_json = media_is(http_header(c->request, "Content-Type"), "application/json");
	if (!is_json)
		call_problem(c, PROBLEM_MEDIA_TYPE, NULL);
	return is_json;
}

/* An exporter's page has numbers of all tenants. false: the call is answered. */
static bool may_see_page(struct call *c)
{
	if (c->api->are_pages_open)
		return true;
	if (!authorize(c, SCOPE_READ))
		return false;
	if (str_eq(c->tenant, AUDIT_SITE))
		return true;
	call_problem(c, PROBLEM_FORBIDDEN, "this page is for the tenant `%s`", AUDIT_SITE.ptr);
	return false;
}

/* The path is an exporter's, or not known, or not by this method. allow: the
 * methods it has. */
static void no_route(struct call *c, const char *allow)
{
	char methods[96];
	txw_str method = http_method(c->request);
	if (mounts_has(c)) {
		allow = "GET, HEAD";
		if (!str_is(method, "OPTIONS") && !may_see_page(c))
			return;
		if (str_is(method, "GET") || str_is(method, "HEAD")) {
			mounts_answer(c);
			return;
		}
	}
	if (allow[0] == '\0') {
		call_problem(c, PROBLEM_NOT_FOUND, "there is no such route");
		return;
	}
	snprintf(methods, sizeof(methods), "%s, OPTIONS", allow);
	http_set_header(c->request, "Allow", str_of(methods));
	if (str_is(method, "OPTIONS")) {
		struct answer a = {.status = 204};
		cors_preflight(c->request, c->api->origins, c->api->n_origins, methods);
		call_answer(c, &a);
		return;
	}
	call_problem(c, PROBLEM_METHOD, "this route has %s", methods);
}

/* Asked of every request: most are told from it at a glance. */
bool dispatch_streams(void *ctx, const struct http_request *r)
{
	const struct api *api = ctx;
	txw_str path = http_path(r);
	struct route_match m;
	if (!str_is(http_method(r), "POST") || !path.len || !memrchr(path.ptr, ':', path.len))
		return false;
	route_find(STR_LIT("POST"), path, loop_clock(api->site->loop)->is_virtual, &m);
	return m.route && (m.route->flags & ROUTE_STREAM);
}

/* A body that comes without a good token is not kept: strangers cannot take
 * the memory that bodies have. They are answered when it has been read. */
size_t dispatch_keeps(void *ctx, const struct http_request *r)
{
	const struct api *api = ctx;
	struct loop *loop = api->site->loop;
	struct route_match m;
	route_find(http_method(r), http_path(r), loop_clock(loop)->is_virtual, &m);
	if (!m.route || !auth_admits(api->auth, http_header(r, "Authorization"), loop_now(loop),
				     m.route->scope))
		return 0;
	return m.route->flags & ROUTE_LARGE ? SIZE_MAX : SMALL_BODY;
}

void dispatch(void *ctx, struct http_request *r)
{
	struct api *api = ctx;
	struct call *c = arena_alloc(http_arena(r), sizeof(*c));
	struct route_match m;
	c->api = api;
	c->request = r;
	c->arena = http_arena(r);
	c->began = clock_ticks();
	api->calls++;
	route_find(http_method(r), http_path(r), loop_clock(api->site->loop)->is_virtual, &m);
	c->route = m.route;
	memcpy(c->param, m.param, sizeof(m.param));
	c->takes_gzip = encoding_takes_gzip(http_header(r, "Accept-Encoding"));
	cors_answer(r, api->origins, api->n_origins);
	if (!m.route) {
		no_route(c, m.allow);
		return;
	}
	if (authorize(c, m.route->scope) && spend(c) && check_queries(c) && check_body(c) &&
	    once_begin(c))
		m.route->run(c);
}
