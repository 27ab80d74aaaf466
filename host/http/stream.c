/*
 * stream.c: bodies that are taken as they come, and answers that are made as
 * they go: neither is ever whole in memory.
 *
 * libmicrohttpd takes no answer while a body comes, so a streaming request is
 * answered either with its head only (refused) or after its body's end. A sink
 * that has enough leaves bytes and the connection rests, with the client's
 * socket filling up behind it, until http_resume(); so does one whose answer
 * has nothing to say yet. Everything here runs on the loop.
 */
#include <assert.h>

#include "http/inside.h"

void http_server_streams(struct http_server *s,
			 bool (*streams)(void *ctx, const struct http_request *r))
{
	s->streams = streams;
}

void http_server_keeps(struct http_server *s,
		       size_t (*keeps)(void *ctx, const struct http_request *r))
{
	s->keeps = keeps;
}

void http_take_body(struct http_request *r, const struct http_sink *sink, void *ctx)
{
	assert(r->stage == STAGE_HEAD);
	r->sink = sink;
	r->flow_ctx = ctx;
}

/* ---- the body ---- */

static void rest(struct http_request *r)
{
	r->is_suspended = true;
	MHD_suspend_connection(r->connection);
}

/* The handler sees the head; false: answered already. */
bool stream_begin(struct http_request *r)
{
	struct http_server *s = r->server;
	r->stage = STAGE_HEAD;
	r->in_handler = true;
	s->handler(s->ctx, r);
	r->in_handler = false;
	if (r->stage == STAGE_ANSWERED)
		return false;
	assert(r->sink);
	r->stage = STAGE_STREAMING;
	return true;
}

void stream_take(struct http_request *r, const char *data, size_t *len)
{
	size_t taken = r->sink->take(r->flow_ctx, data, *len);
	assert(taken <= *len);
	*len -= taken;
	if (*len)
		rest(r);
}

/* The body is whole: what follows is as for any other request. */
void stream_end(struct http_request *r)
{
	r->stage = STAGE_HANDED;
	r->in_handler = true;
	r->sink->end(r->flow_ctx);
	r->in_handler = false;
}

/* ---- the answer ---- */

static ssize_t on_read(void *ctx, uint64_t pos, char *out, size_t max)
{
	struct http_request *r = ctx;
	(void)pos;
	if (!r->source)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	ssize_t n = r->source->read(r->flow_ctx, out, max);
	if (n > 0)
		return n;
	if (n == HTTP_WAIT) {
		rest(r);
		return 0;
	}
	return n == HTTP_END ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

struct MHD_Response *stream_response(struct http_request *r)
{
	return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, on_read, r, NULL);
}

void http_resume(struct http_request *r)
{
	assert(r->magic == REQUEST_MAGIC);
	if (!r->is_suspended || !r->connection)
		return;
	r->is_suspended = false;
	MHD_resume_connection(r->connection);
	server_kick(r->server);
}

/* ---- an end before its time ---- */

static void cut(struct http_request *r)
{
	const struct http_source *source = r->source;
	if (r->stage == STAGE_STREAMING) {
		r->stage = STAGE_CUT;
		r->is_owed = true;
		r->sink->gone(r->flow_ctx);
	} else if (source) {
		r->source = NULL;
		source->closed(r->flow_ctx);
	} else {
		return;
	}
	if (r->is_suspended) {
		r->is_suspended = false;
		MHD_resume_connection(r->connection);
	}
}

void stream_cut_all(struct http_server *s)
{
	for (struct http_request *r = s->live, *next; r; r = next) {
		next = r->next;
		if (r->connection)
			cut(r);
	}
}
