/*
 * import.c: POST /v1/transactions:import: rows as they come, a few hundred a
 * commit, a result line for each.
 *
 *   one group of rows fills while the one before is with the engine; when both
 *   are busy the connection rests, and the client's socket fills up behind it.
 *   So memory is two groups, whatever the body's length.
 *
 * The answer can begin only when the body is read (libmicrohttpd), so results
 * wait in a spool. What stops an import midway (the store's trouble) is told
 * by the last line; the rest of the body is read and not looked at.
 *
 *   READING -> ENDED    import_end(): the body is whole
 *   READING -> GONE     import_gone(): the client left; what was committed stays
 *   ENDED   -> TELLING  every group is settled: the answer streams
 *   TELLING -> (freed)  it was told, or the client left
 *
 * Runs on the loop.
 */
#include "api/import.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/handlers.h"
#include "api/media.h"
#include "api/spool.h"
#include "base/id.h"

#define GROUP_ROWS  500
#define GROUP_BYTES ((size_t)512 * 1024)
#define IMPORTS_MAX 4

/* A line of the body in a group. */
struct entry {
	int64_t line;
	int64_t op;      /* of the batch; -1: the row was wrong */
	const char *why; /* then; in the batch's arena */
};

struct group {
	struct batch *batch;
	struct input in;
	size_t n; /* entries */
	size_t bytes;
	struct entry entries[GROUP_ROWS + 1];
	json_t *jsons[GROUP_ROWS + 1]; /* of the ops: own their texts */
};

struct import {
	struct call *call;
	struct records records;
	struct import_header header;
	struct group *filling;
	struct group *flying;
	struct spool spool;
	int64_t lines;
	int64_t counts[SPOOL_RESULTS];
	bool is_ended;
	bool is_gone;
	bool is_stopped; /* nothing more is looked at */
	bool is_denied;  /* its token has ended */
	struct err why;  /* then; code 0: the header's, in mistake */
	int64_t stopped_at;
	struct buf mistake; /* the header's */
	/* Telling: */
	struct buf out;
	size_t told; /* of out */
	bool is_told;
};

/* ---- groups ---- */

static struct group *group_new(struct import *im)
{
	struct group *g = xcalloc(1, sizeof(*g));
	g->batch = xcalloc(1, sizeof(*g->batch));
	g->batch->ctx = im;
	g->batch->internal = true; /* two groups an import are their bound */
	g->batch->ops = xcalloc(GROUP_ROWS + 1, sizeof(struct op));
	g->in.arena = &g->batch->arena;
	return g;
}

static void group_free(struct group *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->batch->n; i++)
		json_decref(g->jsons[i]);
	input_end(&g->in);
	batch_free(g->batch);
	free(g);
}

static bool is_full(const struct group *g)
{
	return g && (g->n >= GROUP_ROWS || g->bytes >= GROUP_BYTES);
}

static const char *mistake_text(struct group *g)
{
	const struct mistake *m = &g->in.mistake;
	if (!m->member)
		return m->text;
	return arena_printf(g->in.arena, "%s: %s", m->member, m->text);
}

/* As with PATCH: what a hold keeps, only an admin may decide. */
static bool may_hold(struct input *in, const struct call *c, const struct op *op)
{
	return !op->held || c->token->scope >= SCOPE_ADMIN ||
	       input_wrong(in, "legal_hold", "needs the scope `admin`");
}

static void add_row(struct import *im, const struct record *record)
{
	struct group *g = im->filling;
	struct batch *b = g->batch;
	struct call *c = im->call;
	struct op *op = &b->ops[b->n];
	struct entry *entry = &g->entries[g->n++];
	bool is_csv = im->records.is_csv;
	json_t *json = NULL;
	*op = (struct op){.name.tenant = c->tenant, .source = STR_LIT("api")};
	*entry = (struct entry){.line = record->line, .op = (int64_t)b->n};
	g->in.mistake = (struct mistake){0};
	g->bytes += is_csv ? im->records.text.len : record->text.len;
	if (import_read_row(&g->in, is_csv ? &im->header : NULL, record,
			    loop_now(c->api->site->loop), &json, op) &&
	    may_hold(&g->in, c, op)) {
		op->actor = arena_str(&b->arena, str_of(c->token->actor));
		op->trace = arena_str(&b->arena, http_trace_theirs(c->request));
		g->jsons[b->n++] = json;
		return;
	}
	json_decref(json);
	entry->op = -1;
	entry->why = mistake_text(g);
}

/* ---- results ---- */

static void stop(struct import *im, int32_t rc, const struct err *e, int64_t line)
{
	if (im->is_stopped)
		return;
	im->is_stopped = true;
	im->why = *e;
	im->why.code = rc;
	im->stopped_at = line;
}

static enum spool_result result_of(const struct op *op)
{
	switch (op->result) {
	case OP_CREATED:
		return SPOOL_CREATED;
	case OP_CHANGED:
		return SPOOL_CHANGED;
	case OP_UNCHANGED:
		return SPOOL_UNCHANGED;
	case OP_INVALID:
		return SPOOL_INVALID;
	default:
		return SPOOL_REFUSED;
	}
}

static void keep_results(struct import *im, struct group *g)
{
	struct err e = {0};
	for (size_t i = 0; i < g->n; i++) {
		const struct entry *x = &g->entries[i];
		const struct op *op = x->op < 0 ? NULL : &g->batch->ops[x->op];
		struct spooled one = {
		    .result = op ? result_of(op) : SPOOL_INVALID,
		    .line = x->line,
		    .why = str_of(op ? op->why : x->why),
		};
		if (op && op->after)
			one.id = op->after->id;
		int32_t rc = spool_put(&im->spool, &one, &e);
		if (rc < 0) {
			stop(im, rc, &e, x->line);
			return;
		}
		im->counts[one.result]++;
		im->lines++;
	}
}

static bool is_allowed(struct import *im);
static void fly(struct import *im);
static void tell(struct import *im);

static void import_free(struct import *im)
{
	im->call->api->imports--;
	group_free(im->filling);
	group_free(im->flying);
	spool_free(&im->spool);
	records_free(&im->records);
	arena_free(&im->header.arena);
	buf_free(&im->mistake);
	buf_free(&im->out);
	free(im);
}

/* Nobody hears it: the request ends with whatever answer. */
static void end_unheard(struct import *im)
{
	struct call *c = im->call;
	log_info("an import's client left before its end", "request",
		 http_request_id(c->request).ptr, "lines", LOG_INT(im->lines));
	import_free(im);
	call_problem(c, PROBLEM_MALFORMED, "the body was cut off");
}

/* A group is settled, or the body has ended: what now? */
static void go_on(struct import *im)
{
	if (im->flying)
		return;
	if (im->is_gone) {
		end_unheard(im);
		return;
	}
	if (im->filling && im->filling->n && !im->is_stopped && is_allowed(im)) {
		fly(im);
	} else if (im->is_ended) {
		tell(im);
		return;
	}
	if (!im->is_ended)
		http_resume(im->call->request);
}

static void group_done(struct batch *b)
{
	struct import *im = b->ctx;
	struct group *g = im->flying;
	if (b->job.rc >= 0)
		keep_results(im, g);
	else
		stop(im, b->job.rc, &b->job.err, g->entries[0].line);
	im->flying = NULL;
	group_free(g);
	go_on(im);
}

/* An import may last as long as its client likes, a token may not. */
static bool is_allowed(struct import *im)
{
	const struct call *c = im->call;
	struct err e = {0};
	if (auth_is_good(c->api->auth, c->token, loop_now(c->api->site->loop)))
		return true;
	im->is_denied = true;
	stop(im, TXW_E_CANCELLED, &e, im->filling->entries[0].line);
	return false;
}

static void fly(struct import *im)
{
	struct group *g = im->filling;
	im->filling = NULL;
	im->flying = g;
	g->batch->done = group_done;
	(void)batch_submit(im->call->api->site->engine, g->batch);
}

/* ---- the body ---- */

static bool take_header(struct import *im, const struct record *record)
{
	struct input in = {.arena = &im->header.arena};
	if (import_read_header(&in, record, &im->header))
		return true;
	buf_printf(&im->mistake, "line %lld, column \"%s\": %s", (long long)record->line,
		   in.mistake.member, in.mistake.text);
	im->is_stopped = true;
	return true;
}

static bool on_record(void *ctx, const struct record *record)
{
	struct import *im = ctx;
	if (im->is_stopped)
		return true;
	if (im->records.is_csv && im->header.n == 0)
		return take_header(im, record);
	if (!im->filling)
		im->filling = group_new(im);
	add_row(im, record);
	if (!is_full(im->filling))
		return true;
	if (im->flying)
		return false;
	if (is_allowed(im))
		fly(im);
	return true;
}

static size_t import_take(void *ctx, const char *data, size_t len)
{
	struct import *im = ctx;
	if (im->is_stopped)
		return len;
	if (is_full(im->filling)) /* the one before is still under way */
		return 0;
	size_t n = records_feed(&im->records, data, len, on_record, im);
	/* What is here is written while more comes. */
	if (!im->flying && im->filling && im->filling->n && !im->is_stopped && is_allowed(im))
		fly(im);
	return n;
}

static void import_end(void *ctx)
{
	struct import *im = ctx;
	im->is_ended = true;
	if (!im->is_stopped)
		records_end(&im->records, on_record, im);
	go_on(im);
}

static void import_gone(void *ctx)
{
	struct import *im = ctx;
	im->is_gone = true;
	go_on(im);
}

static const struct http_sink SINK = {import_take, import_end, import_gone};

/* ---- the answer ---- */

static void put_line(struct buf *out, const struct spooled *one)
{
	json_open(out, '{');
	json_m_int(out, "line", one->line);
	json_m_text(out, "result", SPOOL_NAMES[one->result]);
	if (!id_is_none(one->id))
		json_m_id(out, "id", "tx", one->id);
	json_m_opt(out, "why", one->why);
	json_close(out, '}');
	buf_char(out, '\n');
}

static void put_summary(struct import *im)
{
	struct buf *out = &im->out;
	json_open(out, '{');
	json_key(out, "summary");
	json_open(out, '{');
	json_m_int(out, "lines", im->lines);
	for (size_t i = 0; i < SPOOL_RESULTS; i++)
		json_m_int(out, SPOOL_NAMES[i], im->counts[i]);
	json_m_bool(out, "complete", !im->is_stopped);
	json_close(out, '}');
	if (im->is_stopped) {
		enum problem p = im->is_denied ? PROBLEM_UNAUTHENTICATED : problem_of(im->why.code);
		json_key(out, "error");
		json_open(out, '{');
		json_key(out, "type");
		buf_printf(out, "\"urn:txwatch:problem:%s\"", PROBLEM_ROWS[p].name);
		json_m_text(out, "title", PROBLEM_ROWS[p].title);
		json_m_int(out, "line", im->stopped_at);
		json_close(out, '}');
	}
	json_close(out, '}');
	buf_char(out, '\n');
}

static int32_t import_read(void *ctx, char *to, size_t max)
{
	struct import *im = ctx;
	struct spooled one;
	struct err e = {0};
	if (im->told == im->out.len) {
		im->told = im->out.len = 0;
		int32_t rc = 1;
		while (im->out.len < max && (rc = spool_get(&im->spool, &one, &e)) > 0)
			put_line(&im->out, &one);
		if (rc < 0) {
			log_error("an import's results are lost", "why", e.text);
			return HTTP_FAIL;
		}
		if (rc == 0 && !im->is_told) {
			put_summary(im);
			im->is_told = true;
		}
	}
	size_t n = im->out.len - im->told;
	if (n == 0)
		return HTTP_END;
	if (n > max)
		n = max;
	memcpy(to, im->out.ptr + im->told, n);
	im->told += n;
	return (int32_t)n;
}

static void import_closed(void *ctx)
{
	struct import *im = ctx;
	struct call *c = im->call;
	import_free(im);
	call_stream_closed(c);
}

static const struct http_source SOURCE = {import_read, import_closed};

/* Nothing was done: an answer like any other says why. */
static void tell_problem(struct import *im)
{
	struct call *c = im->call;
	struct err e = im->why;
	bool is_denied = im->is_denied;
	char text[1024];
	snprintf(text, sizeof(text), "%.*s", STR_ARG(buf_view(&im->mistake)));
	import_free(im);
	if (is_denied)
		call_problem(c, PROBLEM_UNAUTHENTICATED, "the token has ended");
	else if (e.code)
		call_failed(c, e.code, &e, NULL);
	else
		call_problem(c, PROBLEM_INVALID, "%s", text);
}

static void tell(struct import *im)
{
	struct err e = {0};
	bool has_no_header = im->records.is_csv && im->header.n == 0 && im->mistake.len == 0;
	if (has_no_header)
		buf_text(&im->mistake, "the body is empty: the first row must name the columns");
	if (im->mistake.len || (im->is_stopped && im->lines == 0)) {
		tell_problem(im);
		return;
	}
	if (spool_rewind(&im->spool, &e) < 0) {
		stop(im, e.code, &e, im->lines);
		im->spool.bytes = im->spool.at = 0;
		im->spool.head.len = 0;
	}
	log_info("import", "request", http_request_id(im->call->request).ptr, "lines",
		 LOG_INT(im->lines), "created", LOG_INT(im->counts[SPOOL_CREATED]), "changed",
		 LOG_INT(im->counts[SPOOL_CHANGED]));
	call_stream(im->call, "application/x-ndjson", &SOURCE, im);
}

/* ---- the request ---- */

void do_tx_import(struct call *c)
{
	txw_str type = http_header(c->request, "Content-Type");
	bool is_csv = media_is(type, "text/csv");
	if (!is_csv && !media_is(type, "application/x-ndjson") &&
	    !media_is(type, "application/jsonl")) {
		call_problem(c, PROBLEM_MEDIA_TYPE,
			     "the body must be application/x-ndjson or text/csv, in UTF-8");
		return;
	}
	if (c->api->imports >= IMPORTS_MAX) {
		call_problem(c, PROBLEM_BUSY, "%d imports are under way, which is the most",
			     IMPORTS_MAX);
		return;
	}
	struct import *im = xcalloc(1, sizeof(*im));
	im->call = c;
	im->records.is_csv = is_csv;
	c->api->imports++;
	http_take_body(c->request, &SINK, im);
}
