/*
 * openapi.c: see openapi.h. Everything in it comes from the tables: ROUTES,
 * SCHEMAS, PROBLEM_ROWS. It is printed once, when the API opens.
 */
#include "api/openapi.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <string.h>

#include "api/handlers.h"
#include "api/schema.h"

#define ABOUT                                                                                  \
	"Watches transactions and tells people and programs. Errors are problems (RFC 9457); " \
	"lists are pages; times are RFC 3339 in UTC; money is an exact decimal as a text. "    \
	"docs/api.md has what holds everywhere, and an example of every route."

/* ---- which statuses ---- */

int route_good_status(const struct route *r, size_t i)
{
	int first = !r->answer               ? 204
		    : r->flags & ROUTE_MADE  ? 201
		    : r->flags & ROUTE_LATER ? 202
					     : 200;
	if (i == 0)
		return first;
	return i == 1 && (r->flags & ROUTE_ALSO_200) ? 200 : 0;
}

bool route_may_fail(const struct route *r, int status)
{
	bool reads = strcmp(r->method, "GET") == 0;
	switch (status) {
	case 401:
	case 403:
		return r->scope != SCOPE_OPEN;
	case 404:
		return strchr(r->path, '{') != NULL;
	case 409:
	case 507:
		return !reads;
	case 410:
		return reads && r->scope != SCOPE_OPEN;
	case 412:
		return (r->flags & ROUTE_TAGGED) && !reads;
	case 413:
	case 415:
		return (r->flags & (ROUTE_BODY | ROUTE_STREAM)) != 0;
	case 422:
		return !reads;
	case 405: /* the route has its method */
	case 501:
		return false;
	default:
		return true;
	}
}

/* ---- parameters ---- */

static void open_parameter(struct buf *b, txw_str name, const char *in, const char *help)
{
	json_open(b, '{');
	json_m_str(b, "name", name);
	json_m_text(b, "in", in);
	if (help)
		json_m_text(b, "description", help);
}

static void close_parameter(struct buf *b, const char *schema)
{
	json_key(b, "schema");
	json_raw(b, str_of(schema));
	json_close(b, '}');
}

static void header(struct buf *b, const char *name, const char *help)
{
	open_parameter(b, str_of(name), "header", help);
	close_parameter(b, "{\"type\":\"string\"}");
}

static void path_parameters(struct buf *b, const struct route *r)
{
	for (const char *at = strchr(r->path, '{'); at; at = strchr(at, '{')) {
		const char *end = strchr(++at, '}');
		bool is_rest = end[1] == '\0' && (r->flags & ROUTE_REST);
		open_parameter(b, (txw_str){at, (size_t)(end - at)}, "path",
			       is_rest ? "The rest of the path, slashes and all" : NULL);
		json_m_bool(b, "required", 1);
		if (is_rest)
			json_m_bool(b, "x-rest-of-path", 1);
		close_parameter(b, "{\"type\":\"string\"}");
	}
}

static void parameters(struct buf *b, const struct route *r)
{
	bool reads = strcmp(r->method, "GET") == 0;
	json_key(b, "parameters");
	json_open(b, '[');
	path_parameters(b, r);
	for (const struct route_query *q = r->queries; q && q->name; q++) {
		open_parameter(b, str_of(q->name), "query", q->help);
		close_parameter(b, strcmp(q->name, "limit") == 0
				       ? "{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000,"
					 "\"default\":50}"
				       : "{\"type\":\"string\"}");
	}
	if (r->flags & ROUTE_ONCE)
		header(b, "Idempotency-Key", "The same key gives the same answer, for 24 hours");
	if ((r->flags & ROUTE_TAGGED) && reads)
		header(b, "If-None-Match", "304 while the ETag is still this one");
	if ((r->flags & ROUTE_TAGGED) && !reads)
		header(b, "If-Match", "412 unless the ETag is this one");
	json_close(b, ']');
}

/* ---- bodies and answers ---- */

/* {"application/json":{"schema":...},"text/csv":...} */
static void content(struct buf *b, const char *names)
{
	char refs[256] = "";
	size_t n = 0;
	txw_str one;
	json_key(b, "content");
	json_open(b, '{');
	while ((one = schema_next(&names)).len) {
		if (memchr(one.ptr, '/', one.len)) {
			json_str(b, one);
			buf_text(b, ":{\"schema\":{\"type\":\"string\"}}");
		} else if (n + one.len + 2 < sizeof(refs)) {
			if (n)
				refs[n++] = '|';
			memcpy(refs + n, one.ptr, one.len);
			refs[n += one.len] = '\0';
		}
	}
	if (n) {
		json_key(b, "application/json");
		json_open(b, '{');
		json_key(b, "schema");
		schema_ref(b, refs);
		json_close(b, '}');
	}
	json_close(b, '}');
}

static void body(struct buf *b, const struct route *r)
{
	if (!r->body)
		return;
	json_key(b, "requestBody");
	json_open(b, '{');
	json_m_bool(b, "required", !(r->flags & ROUTE_MAY_LACK));
	content(b, r->body);
	json_close(b, '}');
}

static void open_status(struct buf *b, int status)
{
	char key[16];
	snprintf(key, sizeof(key), "%d", status);
	json_key(b, key);
}

static void good_answer(struct buf *b, const struct route *r, int status, const char *what)
{
	open_status(b, status);
	json_open(b, '{');
	json_m_text(b, "description", what);
	if (r->flags & ROUTE_TAGGED) {
		json_key(b, "headers");
		json_raw(b, STR_LIT("{\"ETag\":{\"$ref\":\"#/components/headers/ETag\"}}"));
	}
	if (r->answer)
		content(b, r->answer);
	json_close(b, '}');
}

/* Each status that some problem has, once, in the table's order. */
static bool is_first_of_status(size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (PROBLEM_ROWS[k].status == PROBLEM_ROWS[i].status)
			return false;
	}
	return true;
}

static void answers(struct buf *b, const struct route *r)
{
	json_key(b, "responses");
	json_open(b, '{');
	for (size_t i = 0; route_good_status(r, i); i++) {
		int status = route_good_status(r, i);
		const char *what = status == 201   ? "Made"
				   : status == 202 ? "Accepted"
				   : status == 204 ? "Done"
						   : "Good";
		good_answer(b, r, status, what);
	}
	if ((r->flags & ROUTE_TAGGED) && strcmp(r->method, "GET") == 0) {
		open_status(b, 304);
		json_raw(b, STR_LIT("{\"description\":\"Unchanged\"}"));
	}
	if (r->flags & ROUTE_SICK)
		good_answer(b, r, 503, "It is not well; the same object says why");
	for (size_t i = 0; i < PROBLEM_N; i++) {
		int status = PROBLEM_ROWS[i].status;
		bool is_taken = status == 503 && (r->flags & ROUTE_SICK);
		if (is_taken || !is_first_of_status(i) || !route_may_fail(r, status))
			continue;
		open_status(b, status);
		buf_printf(b, "{\"$ref\":\"#/components/responses/Problem%d\"}", status);
	}
	json_close(b, '}');
}

/* ---- operations ---- */

/* "get_transactions_id_history" */
static void operation_id(struct buf *b, const struct route *r)
{
	const char *path = strncmp(r->path, "/v1/", 4) == 0 ? r->path + 4 : r->path + 1;
	json_key(b, "operationId");
	buf_char(b, '"');
	for (const char *at = r->method; *at; at++)
		buf_char(b, (char)tolower((unsigned char)*at));
	buf_char(b, '_');
	for (; *path; path++) {
		if (isalnum((unsigned char)*path))
			buf_char(b, *path);
		else if (*path != '}' && *path != '{')
			buf_char(b, '_');
	}
	buf_char(b, '"');
}

/* The path's word: "transactions"; what is not under /v1 is "site". */
static txw_str tag_of(const struct route *r)
{
	if (strncmp(r->path, "/v1/", 4) != 0)
		return STR_LIT("site");
	return (txw_str){r->path + 4, strcspn(r->path + 4, "/:")};
}

static void operation(struct buf *b, const struct route *r)
{
	char key[16] = "";
	for (size_t i = 0; i < sizeof(key) - 1 && r->method[i]; i++)
		key[i] = (char)tolower((unsigned char)r->method[i]);
	json_key(b, key);
	json_open(b, '{');
	operation_id(b, r);
	json_m_text(b, "summary", r->summary);
	json_key(b, "tags");
	json_open(b, '[');
	json_str(b, tag_of(r));
	json_close(b, ']');
	if (r->scope == SCOPE_OPEN) {
		json_key(b, "security");
		json_raw(b, STR_LIT("[{}]"));
	} else {
		json_m_text(b, "x-scope", scope_name(r->scope));
	}
	parameters(b, r);
	body(b, r);
	answers(b, r);
	json_close(b, '}');
}

static bool is_shown(const struct route *r, bool is_virtual)
{
	return is_virtual || !(r->flags & ROUTE_VIRTUAL);
}

static void paths(struct buf *b, bool is_virtual)
{
	json_key(b, "paths");
	json_open(b, '{');
	for (size_t i = 0; i < ROUTES_N; i++) {
		size_t k = 0;
		while (strcmp(ROUTES[k].path, ROUTES[i].path) != 0)
			k++;
		if (k < i || !is_shown(&ROUTES[i], is_virtual))
			continue;
		json_key(b, ROUTES[i].path);
		json_open(b, '{');
		for (k = i; k < ROUTES_N; k++) {
			if (strcmp(ROUTES[k].path, ROUTES[i].path) == 0)
				operation(b, &ROUTES[k]);
		}
		json_close(b, '}');
	}
	json_close(b, '}');
}

static void tags(struct buf *b, bool is_virtual)
{
	json_key(b, "tags");
	json_open(b, '[');
	for (size_t i = 0; i < ROUTES_N; i++) {
		size_t k = 0;
		if (!is_shown(&ROUTES[i], is_virtual))
			continue;
		while (!str_eq(tag_of(&ROUTES[k]), tag_of(&ROUTES[i])))
			k++;
		if (k < i)
			continue;
		json_open(b, '{');
		json_m_str(b, "name", tag_of(&ROUTES[i]));
		json_close(b, '}');
	}
	json_close(b, ']');
}

/* ---- components ---- */

static void problem_answer(struct buf *b, int status)
{
	struct buf words = {0};
	char key[32];
	for (size_t i = 0; i < PROBLEM_N; i++) {
		if (PROBLEM_ROWS[i].status == status)
			buf_printf(&words, "%s`%s`: %s", words.len ? ". " : "",
				   PROBLEM_ROWS[i].name, PROBLEM_ROWS[i].help);
	}
	snprintf(key, sizeof(key), "Problem%d", status);
	json_key(b, key);
	json_open(b, '{');
	json_m_str(b, "description", buf_view(&words));
	json_key(b, "content");
	json_raw(b, STR_LIT("{\"application/problem+json\":{\"schema\":{\"$ref\":\"#/components/"
			    "schemas/Problem\"}}}"));
	json_close(b, '}');
	buf_free(&words);
}

static bool is_used(int status)
{
	for (size_t i = 0; i < ROUTES_N; i++) {
		if (route_may_fail(&ROUTES[i], status))
			return true;
	}
	return false;
}

static void components(struct buf *b)
{
	json_key(b, "components");
	json_open(b, '{');
	json_key(b, "securitySchemes");
	json_raw(b, STR_LIT("{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"}}"));
	json_key(b, "headers");
	json_raw(b, STR_LIT("{\"ETag\":{\"description\":\"The object's version\","
			    "\"schema\":{\"type\":\"string\"}}}"));
	json_key(b, "responses");
	json_open(b, '{');
	for (size_t i = 0; i < PROBLEM_N; i++) {
		if (is_first_of_status(i) && is_used(PROBLEM_ROWS[i].status))
			problem_answer(b, PROBLEM_ROWS[i].status);
	}
	json_close(b, '}');
	json_key(b, "schemas");
	json_open(b, '{');
	schema_print_all(b);
	json_close(b, '}');
	json_close(b, '}');
}

void openapi_print(struct buf *b, bool is_virtual)
{
	json_open(b, '{');
	json_m_text(b, "openapi", "3.1.0");
	json_key(b, "info");
	json_open(b, '{');
	json_m_text(b, "title", "txwatch");
	json_m_text(b, "version", TXW_VERSION);
	json_m_text(b, "description", ABOUT);
	json_key(b, "license");
	json_raw(b, STR_LIT("{\"name\":\"Apache-2.0\",\"identifier\":\"Apache-2.0\"}"));
	json_close(b, '}');
	json_key(b, "servers");
	json_raw(b, STR_LIT("[{\"url\":\"/\"}]"));
	tags(b, is_virtual);
	json_key(b, "security");
	json_raw(b, STR_LIT("[{\"token\":[]}]"));
	paths(b, is_virtual);
	components(b);
	json_close(b, '}');
}

/* ---- GET /openapi.json ---- */

void description_open(struct api *api)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	openapi_print(&api->openapi, loop_clock(api->site->loop)->is_virtual);
	if (EVP_Digest(api->openapi.ptr, api->openapi.len, sum, &n, EVP_sha256(), NULL) != 1)
		return; /* no tag, then */
	snprintf(api->openapi_tag, sizeof(api->openapi_tag), "\"%02x%02x%02x%02x%02x%02x\"", sum[0],
		 sum[1], sum[2], sum[3], sum[4], sum[5]);
}

void do_openapi(struct call *c)
{
	struct answer a = {.status = 200};
	snprintf(a.etag, sizeof(a.etag), "%s", c->api->openapi_tag);
	if (call_unchanged(c, a.etag))
		a.status = 304;
	else
		buf_str(&a.body, buf_view(&c->api->openapi));
	call_answer(c, &a);
}
