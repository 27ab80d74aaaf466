/*
 * options.c: the rows of a poller.http section, and their reading.
 *
 * What is wrong is said in literals, because an instance that could not be
 * made has nowhere to keep a text.
 */
#include "settings.h"

#include <limits.h>

#define SECOND INT64_C(1000000)
#define ROW(t, fl, n, fb, h)                                                         \
	{                                                                            \
		.size = sizeof(txw_option), .type = (t), .flags = (fl), .name = (n), \
		.fallback = (fb), .help = h                                          \
	}
#define POINTER(n, fb, h) ROW(TXW_OPT_STRING, 0, n, fb, "JSON Pointer to " h)

const txw_option OPTIONS[N_OPTIONS] = {
    ROW(TXW_OPT_STRING, TXW_OPT_REQUIRED, "url", NULL,
	"Where to ask: http:// or https://, with {{ref}} in its path or query (one request a "
	"transaction) or {{refs}} (comma-joined, a request for many); values are percent-encoded"),
    {.size = sizeof(txw_option),
     .type = TXW_OPT_CHOICE,
     .name = "method",
     .fallback = "GET",
     .choices = "GET|POST",
     .help = "The request's method"},
    ROW(TXW_OPT_STRING, 0, "body", NULL,
	"What a POST sends: {{ref}} is written as inside a JSON string, {{refs}} as \"a\",\"b\"; "
	"both percent-encoded when content-type is application/x-www-form-urlencoded"),
    ROW(TXW_OPT_STRING, 0, "content-type", "application/json", "The body's media type"),
    ROW(TXW_OPT_STRING, TXW_OPT_LIST, "headers", NULL,
	"More request headers, each \"Name: value\"; for secrets use bearer or password"),
    ROW(TXW_OPT_SECRET, 0, "bearer", NULL, "Token for Authorization: Bearer"),
    ROW(TXW_OPT_STRING, 0, "user", NULL, "Name for Authorization: Basic; needs password"),
    ROW(TXW_OPT_SECRET, 0, "password", NULL, "Password for Authorization: Basic; needs user"),
    {.size = sizeof(txw_option),
     .type = TXW_OPT_INTEGER,
     .name = "batch",
     .help = "How many transactions one request asks about (100 when url or body has {{refs}})",
     .min = 1,
     .max = BATCH_MAX},
    POINTER("list", "", "the array of transactions in the answer to {{refs}}"),
    POINTER("ref", NULL, "a transaction's ref in an item of a list (of list and discover-list)"),
    POINTER("status", "/status", "the status: a string, number or boolean"),
    POINTER("reason", NULL, "why it has that status"),
    POINTER("code", NULL, "the upstream's code for that"),
    POINTER("source-time", NULL,
	    "when it happened: RFC 3339, or unix time in seconds, milliseconds, micro- or "
	    "nanoseconds"),
    POINTER("source-version", NULL, "the version of that status; an older one is ignored"),
    POINTER("event-id", NULL, "the upstream's id of that change; a repeated one is ignored"),
    {.size = sizeof(txw_option),
     .type = TXW_OPT_BYTES,
     .name = "body-cap",
     .fallback = "1MB",
     .help = "The largest answer that is read; a larger one counts as a failure",
     .min = 256,
     .max = 64 * 1024 * 1024},
    ROW(TXW_OPT_STRING, 0, "discover", NULL,
	"A list to find new transactions in; {{cursor}} is where the last page ended, at first "
	"nothing"),
    {.size = sizeof(txw_option),
     .type = TXW_OPT_DURATION,
     .name = "discover-every",
     .fallback = "0",
     .help = "How often to look for new transactions; 0 = never",
     .min = 0,
     .max = 366 * 86400 * SECOND},
    POINTER("discover-list", "", "the array of transactions in a discovered page"),
    POINTER("discover-next", NULL, "the cursor of the page after; null or missing at the end"),
    POINTER("discover-cursor", NULL,
	    "the cursor in an item: the last item's is used (for lists without discover-next)"),
    POINTER("discover-more", NULL, "a boolean in the page: there is more (else it is guessed)"),
    POINTER("owner", NULL, "the owner of a discovered transaction"),
    POINTER("amount", NULL, "its amount; best a string, a JSON number may lose digits"),
    POINTER("currency", NULL, "its currency"),
    POINTER("attributes", NULL, "an object to keep as its attributes"),
    POINTER("expires", NULL, "when it expires, in the forms of source-time"),
};

static int32_t no_memory(txw_error *err)
{
	return txw_refuse(TXW_E_NOMEM, "no memory for an instance", err);
}

/* ---- pointers ---- */

#define BAD_POINTER(n)                                                                   \
	"`" n "` is no JSON Pointer (RFC 6901): it is empty or begins with /, and ~ is " \
	"followed by 0 or 1"

static int32_t read_pointers(const txw_setup *setup, struct pool *pool, struct settings *s,
			     txw_error *err)
{
	const struct {
		const char *name;
		struct pointer *out;
		const char *bad;
	} rows[] = {
#define P(name, member) {name, &s->member, BAD_POINTER(name)}
	    P("list", list),
	    P("ref", ref),
	    P("status", status),
	    P("reason", reason),
	    P("code", code),
	    P("source-time", source_time),
	    P("source-version", source_version),
	    P("event-id", event_id),
	    P("owner", owner),
	    P("amount", amount),
	    P("currency", currency),
	    P("attributes", attributes),
	    P("expires", expires),
	    P("discover-list", discover_list),
	    P("discover-next", discover_next),
	    P("discover-cursor", discover_cursor),
	    P("discover-more", discover_more),
#undef P
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (!txw_setup_value(setup, rows[i].name))
			continue;
		int32_t rc = pointer_read(pool, txw_setup_text(setup, rows[i].name), rows[i].out);
		if (rc < 0)
			return rc == TXW_E_NOMEM ? no_memory(err)
						 : txw_refuse(rc, rows[i].bad, err);
	}
	return 0;
}

/* ---- headers ---- */

static bool header_text_ok(txw_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (((unsigned char)s.ptr[i] < ' ' && s.ptr[i] != '\t') || s.ptr[i] == 0x7f)
			return false;
	return true;
}

static bool header_name_ok(txw_str s)
{
	static const char more[] = "!#$%&'*+-.^_`|~";
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      (c && strchr(more, c))))
			return false;
	}
	return s.len > 0;
}

static bool name_is(txw_str s, const char *lower)
{
	size_t n = strlen(lower);
	if (s.len != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? s.ptr[i] + 32 : s.ptr[i]) != lower[i])
			return false;
	return true;
}

static txw_str trimmed(txw_str s)
{
	while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
		s = (txw_str){s.ptr + 1, s.len - 1};
	while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

static const char *split_header(txw_str line, txw_http_header *out)
{
	const char *colon = line.len ? memchr(line.ptr, ':', line.len) : NULL;
	if (!colon)
		return "`headers`: each is \"Name: value\"";
	out->name = (txw_str){line.ptr, (size_t)(colon - line.ptr)};
	out->value = trimmed((txw_str){colon + 1, line.len - out->name.len - 1});
	if (!header_name_ok(out->name) || !header_text_ok(out->value))
		return "`headers`: a name holds letters, digits and -, a value no control "
		       "characters";
	if (name_is(out->name, "content-length") || name_is(out->name, "transfer-encoding"))
		return "`headers`: Content-Length and Transfer-Encoding are made by txwatch";
	if (name_is(out->name, "content-type"))
		return "`headers`: set `content-type` instead of the header";
	return NULL;
}

static void base64(txw_str in, struct text *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	for (size_t i = 0; i < in.len; i += 3) {
		uint32_t v = 0;
		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (i + k < in.len ? (unsigned char)in.ptr[i + k] : 0);
		char four[4];
		for (int k = 0; k < 4; k++)
			four[k] = digits[v >> (18 - 6 * k) & 63];
		if (i + 2 >= in.len)
			four[3] = '=';
		if (i + 1 >= in.len)
			four[2] = '=';
		text_add(out, four, sizeof four);
	}
}

/* The Authorization header's value; none: the section has no secret. */
static int32_t authorization(const txw_setup *setup, struct pool *pool, txw_str *out,
			     txw_error *err)
{
	txw_str bearer = txw_setup_text(setup, "bearer"), user = txw_setup_text(setup, "user");
	txw_str password = txw_setup_text(setup, "password");
	struct text t = {0}, pair = {0};
	if (bearer.len && (user.len || password.len))
		return txw_refuse(TXW_E_INVALID, "`bearer` and `user` exclude each other", err);
	if (!user.len != !password.len)
		return txw_refuse(TXW_E_INVALID, "`user` and `password` need each other", err);
	if (!header_text_ok(bearer))
		return txw_refuse(TXW_E_INVALID, "`bearer` has control characters in it", err);
	if (user.len && memchr(user.ptr, ':', user.len))
		return txw_refuse(TXW_E_INVALID, "`user` has a : in it, which Basic cannot carry",
				  err);
	if (!bearer.len && !user.len)
		return 0;
	if (bearer.len) {
		text_z(&t, "Bearer ");
		text_str(&t, bearer);
	} else {
		text_str(&pair, user);
		text_z(&pair, ":");
		text_str(&pair, password);
		text_z(&t, "Basic ");
		base64(text_view(&pair), &t);
	}
	bool ok = !t.is_broken && !pair.is_broken;
	*out = ok ? pool_copy(pool, text_view(&t)) : (txw_str){NULL, 0};
	text_free(&t);
	text_free(&pair);
	return out->ptr ? 0 : no_memory(err);
}

static int32_t read_headers(const txw_setup *setup, struct pool *pool, struct settings *s,
			    txw_error *err)
{
	const txw_value *lines = txw_setup_value(setup, "headers");
	uint32_t n = lines ? lines->n : 0;
	txw_http_header *h = pool_alloc(pool, (n + 3) * sizeof *h);
	if (!h)
		return no_memory(err);
	txw_str secret = {NULL, 0};
	bool has_accept = false, has_authorization = false;
	for (uint32_t i = 0; i < n; i++) {
		txw_str line = pool_copy(pool, lines->texts[i]);
		const char *wrong = split_header(line, &h[i]);
		if (wrong)
			return txw_refuse(TXW_E_INVALID, wrong, err);
		has_accept |= name_is(h[i].name, "accept");
		has_authorization |= name_is(h[i].name, "authorization");
	}
	int32_t rc = authorization(setup, pool, &secret, err);
	if (rc < 0)
		return rc;
	if (secret.len && has_authorization)
		return txw_refuse(TXW_E_INVALID,
				  "`headers` sets Authorization beside `bearer` or `password`",
				  err);
	if (secret.len)
		h[n++] = (txw_http_header){LIT("Authorization"), secret};
	if (!has_accept)
		h[n++] = (txw_http_header){LIT("Accept"), LIT("application/json")};
	s->n_get_headers = n;
	txw_str type = pool_copy(pool, txw_setup_text(setup, "content-type"));
	if (!header_text_ok(type))
		return txw_refuse(TXW_E_INVALID, "`content-type` has control characters in it",
				  err);
	h[n++] = (txw_http_header){LIT("Content-Type"), type};
	s->headers = h;
	s->n_headers = n;
	return 0;
}

/* ---- templates ---- */

static bool is_form(txw_str type)
{
	static const char form[] = "application/x-www-form-urlencoded";
	type.len = type.len < sizeof form - 1 ? type.len : sizeof form - 1;
	return name_is(type, form);
}

static int32_t read_url(const txw_setup *setup, struct pool *pool, struct settings *s,
			txw_error *err)
{
	txw_str url = txw_setup_text(setup, "url"), body = txw_setup_text(setup, "body");
	if (!template_url_ok(url))
		return txw_refuse(
		    TXW_E_INVALID,
		    "`url` must be a whole URL without spaces or #, and its {{ref}} stands "
		    "in the path or query",
		    err);
	int32_t rc = template_read(pool, url, PLACE_REF | PLACE_REFS, &s->url);
	if (rc == 0)
		rc = template_read(pool, body, PLACE_REF | PLACE_REFS, &s->body);
	if (rc == TXW_E_NOMEM)
		return no_memory(err);
	if (rc < 0)
		return txw_refuse(rc, "`url` and `body` take {{ref}} or {{refs}}, closed by }}",
				  err);
	s->method = pool_copy(pool, txw_setup_text(setup, "method"));
	if (body.len && !str_same(s->method, LIT("POST")))
		return txw_refuse(TXW_E_INVALID, "`body` needs method = \"POST\"", err);
	s->body_writing = is_form(txw_setup_text(setup, "content-type")) ? WRITE_PERCENT
									 : WRITE_JSON;
	uint32_t places = s->url.places | s->body.places;
	if (places == 0)
		return txw_refuse(
		    TXW_E_INVALID,
		    "neither `url` nor `body` has {{ref}} or {{refs}}: every transaction "
		    "would get the same answer",
		    err);
	if (places == (PLACE_REF | PLACE_REFS))
		return txw_refuse(TXW_E_INVALID, "{{ref}} and {{refs}} exclude each other", err);
	return 0;
}

static int32_t read_batch(const txw_setup *setup, struct settings *s, txw_error *err)
{
	int64_t batch = txw_setup_number(setup, "batch", 0);
	bool is_many = (s->url.places | s->body.places) == PLACE_REFS;
	if (!is_many && batch > 1)
		return txw_refuse(TXW_E_INVALID, "`batch` needs {{refs}} in `url` or `body`", err);
	if (is_many && !s->ref.is_set)
		return txw_refuse(
		    TXW_E_INVALID,
		    "{{refs}} needs `ref`: the JSON Pointer to a transaction's ref in an "
		    "item of the answer's list",
		    err);
	if (is_many)
		s->batch = (uint32_t)(batch > 0 && batch <= BATCH_MAX ? batch : 100);
	return 0;
}

static int32_t read_discover(const txw_setup *setup, struct pool *pool, struct settings *s,
			     txw_error *err)
{
	txw_str url = txw_setup_text(setup, "discover");
	s->discover_every = txw_setup_number(setup, "discover-every", 0);
	s->discovers = url.len > 0;
	if (!s->discovers && s->discover_every)
		return txw_refuse(TXW_E_INVALID, "`discover-every` needs `discover`, a URL", err);
	if (!s->discovers)
		return 0;
	if (!s->discover_every)
		return txw_refuse(TXW_E_INVALID, "`discover` needs `discover-every`", err);
	if (!s->ref.is_set)
		return txw_refuse(
		    TXW_E_INVALID,
		    "`discover` needs `ref`: the JSON Pointer to a transaction's ref in an "
		    "item of its list",
		    err);
	if (s->discover_next.is_set && s->discover_cursor.is_set)
		return txw_refuse(TXW_E_INVALID,
				  "`discover-next` and `discover-cursor` exclude each other", err);
	if (!template_url_ok(url))
		return txw_refuse(TXW_E_INVALID,
				  "`discover` must be a whole URL without spaces or #, and its "
				  "{{cursor}} stands in the path or query",
				  err);
	int32_t rc = template_read(pool, url, PLACE_CURSOR, &s->discover);
	if (rc == TXW_E_NOMEM)
		return no_memory(err);
	if (rc < 0)
		return txw_refuse(rc, "`discover` takes {{cursor}}, closed by }}", err);
	bool has_source = s->discover_next.is_set || s->discover_cursor.is_set;
	if ((s->discover.places != 0) != has_source)
		return txw_refuse(
		    TXW_E_INVALID,
		    "{{cursor}} in `discover` needs `discover-next` or `discover-cursor` to "
		    "tell where it comes from, and they need it",
		    err);
	return 0;
}

int32_t settings_read(const txw_setup *setup, struct pool *pool, struct settings *out,
		      txw_error *err)
{
	*out = (struct settings){.body_cap = txw_setup_number(setup, "body-cap", 0)};
	if (out->body_cap <= 0)
		out->body_cap = 1024 * 1024;
	int32_t rc = read_pointers(setup, pool, out, err);
	if (rc == 0)
		rc = read_headers(setup, pool, out, err);
	if (rc == 0)
		rc = read_url(setup, pool, out, err);
	if (rc == 0)
		rc = read_batch(setup, out, err);
	if (rc == 0)
		rc = read_discover(setup, pool, out, err);
	return rc;
}
