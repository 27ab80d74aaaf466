/*
 * naming.c: what a request is called in logs, answers and deliveries: its id,
 * the caller's where it is sane, and its trace (trace.h).
 */
#include "base/str.h"
#include "http/inside.h"

static bool id_is_sane(const char *id, size_t len)
{
	if (len == 0 || len > ID_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char ch = id[i];
		bool is_word = (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') ||
			       (ch >= 'A' && ch <= 'Z') || ch == '-' || ch == '_' || ch == '.';
		if (!is_word)
			return false;
	}
	return true;
}

/* splitmix64: distinct for every count, and not to be guessed at a glance. */
static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static void name_id(struct http_request *r)
{
	struct http_server *s = r->server;
	const char *theirs = NULL;
	size_t len = 0;
	MHD_lookup_connection_value_n(r->connection, MHD_HEADER_KIND, "X-Request-Id", 12, &theirs,
				      &len);
	if (theirs && id_is_sane(theirs, len)) {
		memcpy(r->id_text, theirs, len);
	} else {
		str_hex(r->id_text, mix(s->id_seed ^ s->id_count++));
		len = 16;
	}
	r->id = (txw_str){r->id_text, len};
}

static void name_trace(struct http_request *r)
{
	struct http_server *s = r->server;
	uint64_t bits[2] = {mix(s->id_seed + s->id_count), mix(~s->id_seed ^ s->id_count)};
	uint64_t span = mix(s->id_seed - s->id_count);
	s->id_count++;
	r->trace_is_theirs = trace_continue(r->trace, http_header(r, "traceparent"), bits, span);
}

void request_name(struct http_request *r)
{
	name_id(r);
	name_trace(r);
}

txw_str http_trace(const struct http_request *r)
{
	return str_of(r->trace);
}

txw_str http_trace_theirs(const struct http_request *r)
{
	return r->trace_is_theirs ? str_of(r->trace) : STR_NONE;
}
