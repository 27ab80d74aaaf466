/*
 * poller_http_fixture.h: the built plugin under a host of a few tables, whose
 * HTTP is a script: requests are kept, and a test answers them.
 */
#ifndef POLLER_HTTP_FIXTURE_H
#define POLLER_HTTP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <dlfcn.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "txwatch/txwatch.h"

#define NOW       (INT64_C(1767225600) * SECOND) /* 2026-01-01T00:00:00Z */
#define MANY      64
#define N_ROWS    64
#define ALL_SMALL 64

/* A request as the plugin made it. */
struct sent {
	struct buf method, url, headers, body;
	int64_t timeout, body_cap;
	uint32_t stop_at_cap;
	txw_http_done done;
	void *ctx;
	int n_cancelled;
};

/* An observation, copied. */
struct seen {
	struct buf ref, status, reason, code, event_id, version, detail;
	struct buf owner, amount, currency, attributes;
	txw_time at, expires;
};

struct told {
	uint64_t token;
	uint32_t result, http_status;
	int64_t after, took;
	struct buf text;
	struct seen seen;
};

struct page {
	uint64_t token;
	uint32_t result, more;
	int64_t after;
	size_t n;
	struct buf cursor, text;
	struct seen seen[8];
};

struct fake {
	const txw_role *role;
	const txw_poller *v;
	void *instance;
	char error[512];
	size_t n_sent, n_told, n_pages;
	struct sent sent[MANY];
	struct told told[MANY];
	struct page pages[8];
	struct buf log;
	int32_t start_answers; /* TXW_OK: take requests */
	const char *lacks;     /* an extension this host has not */
	void (*inline_answer)(struct fake *f, struct sent *s);
};

/* ---- the host's tables ---- */

static inline void keep(struct buf *b, txw_str s)
{
	b->len = 0;
	buf_str(b, s);
	buf_char(b, '\0');
	b->len--;
}

static inline int32_t fake_start(txw_instance *self, const txw_http_request *q, txw_http_done done,
				 void *ctx, uint64_t *id, txw_error *err)
{
	struct fake *f = (struct fake *)self;
	if (f->start_answers < 0) {
		err->text = STR_LIT("too many requests under way");
		return f->start_answers;
	}
	assert_true(f->n_sent < MANY);
	struct sent *s = &f->sent[f->n_sent++];
	keep(&s->method, q->method);
	keep(&s->url, q->url);
	keep(&s->body, q->body);
	keep(&s->headers, STR_NONE);
	for (uint32_t i = 0; i < q->n_headers; i++)
		buf_printf(&s->headers, "%.*s: %.*s\n", STR_ARG(q->headers[i].name),
			   STR_ARG(q->headers[i].value));
	buf_char(&s->headers, '\0');
	s->timeout = q->timeout;
	s->body_cap = q->body_cap;
	s->stop_at_cap = q->stop_at_cap;
	s->done = done;
	s->ctx = ctx;
	if (f->inline_answer)
		f->inline_answer(f, s);
	*id = f->n_sent;
	return TXW_PENDING;
}

static inline void fake_cancel(txw_instance *self, uint64_t id)
{
	struct fake *f = (struct fake *)self;
	assert_in_range(id, 1, f->n_sent);
	f->sent[id - 1].n_cancelled++;
}

static inline int32_t fake_check(txw_instance *self, txw_str url, txw_error *err)
{
	(void)self;
	if (str_starts(url, STR_LIT("http://")) || str_starts(url, STR_LIT("https://")))
		return TXW_OK;
	err->text = STR_LIT("neither http:// nor https://");
	return TXW_E_INVALID;
}

static inline void keep_seen(struct seen *s, const txw_observation *o)
{
	keep(&s->ref, o->ref);
	keep(&s->status, o->status);
	keep(&s->reason, o->reason);
	keep(&s->code, o->code);
	keep(&s->event_id, o->source_event_id);
	keep(&s->version, o->source_version);
	keep(&s->detail, o->detail);
	keep(&s->owner, o->owner);
	keep(&s->amount, o->amount);
	keep(&s->currency, o->currency);
	keep(&s->attributes, o->attributes);
	s->at = o->source_at;
	s->expires = o->expires_at;
}

static inline int32_t fake_complete(txw_instance *self, uint64_t token, const txw_poll_result *r)
{
	struct fake *f = (struct fake *)self;
	assert_true(f->n_told < MANY);
	assert_int_equal(r->size, sizeof *r);
	for (size_t i = 0; i < f->n_told; i++)
		assert_int_not_equal(f->told[i].token, token);
	struct told *t = &f->told[f->n_told++];
	t->token = token;
	t->result = r->result;
	t->http_status = r->http_status;
	t->after = r->after;
	t->took = r->took;
	keep(&t->text, r->text);
	assert_int_equal(r->result == TXW_POLL_SEEN, r->observation != NULL);
	if (r->observation)
		keep_seen(&t->seen, r->observation);
	return TXW_OK;
}

static inline int32_t fake_discovered(txw_instance *self, uint64_t token, const txw_discovery *d)
{
	struct fake *f = (struct fake *)self;
	assert_true(f->n_pages < 8 && d->n <= 8);
	struct page *p = &f->pages[f->n_pages++];
	p->token = token;
	p->result = d->result;
	p->more = d->more;
	p->after = d->after;
	p->n = d->n;
	keep(&p->cursor, d->cursor);
	keep(&p->text, d->text);
	for (size_t i = 0; i < d->n; i++)
		keep_seen(&p->seen[i],
			  (const void *)((const char *)d->observations + i * d->stride));
	return TXW_OK;
}

static inline txw_time fake_now(txw_instance *self)
{
	(void)self;
	return NOW;
}

static inline void fake_log(txw_instance *self, uint32_t level, txw_str text)
{
	(void)level;
	keep(&((struct fake *)self)->log, text);
}

static inline uint32_t fake_log_enabled(txw_instance *self, uint32_t level)
{
	(void)self;
	return level <= TXW_LOG_INFO;
}

static const txw_http_ext FAKE_HTTP = {sizeof FAKE_HTTP, 0, fake_start, fake_cancel, fake_check};
static const txw_poll_ext FAKE_POLL = {sizeof FAKE_POLL, 0, fake_complete, fake_discovered};
static const txw_clock_ext FAKE_CLOCK = {sizeof FAKE_CLOCK, 0, fake_now};
static const txw_log_ext FAKE_LOG = {sizeof FAKE_LOG, 0, fake_log, fake_log_enabled};

static inline const void *fake_ext(txw_instance *self, const char *name)
{
	const struct fake *f = (const struct fake *)self;
	static const struct {
		const char *name;
		const void *table;
	} rows[] = {
	    {TXW_EXT_HTTP, &FAKE_HTTP},
	    {TXW_EXT_POLL, &FAKE_POLL},
	    {TXW_EXT_CLOCK, &FAKE_CLOCK},
	    {TXW_EXT_LOG, &FAKE_LOG},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].name, name) == 0 && (!f->lacks || strcmp(f->lacks, name) != 0))
			return rows[i].table;
	return NULL;
}

static const txw_host FAKE_HOST = {sizeof FAKE_HOST, TXW_ABI_MAJOR, TXW_ABI_MINOR, 0,
				   "test",           fake_ext};

/* ---- making an instance ---- */

static inline const txw_role *load_role(void)
{
	void *so = dlopen(TXW_BUILD_DIR "/plugins/poller.http.so", RTLD_NOW | RTLD_LOCAL);
	if (!so)
		fail_msg("%s", dlerror());
	const txw_plugin *(*entry)(void);
	*(void **)&entry = dlsym(so, "txw_plugin_1");
	assert_non_null(entry);
	const txw_plugin *plugin = entry();
	assert_int_equal(plugin->abi_major, TXW_ABI_MAJOR);
	assert_int_equal(plugin->n_roles, 1);
	return plugin->roles;
}

static inline const txw_option *row(const txw_role *role, uint32_t i)
{
	return (const void *)((const char *)role->options + i * role->option_stride);
}

/* "name=value" for an option; of a list one entry each. Numbers are plain. */
static inline bool try_open(struct fake *f, const char *const *settings, size_t n)
{
	static txw_str texts[N_ROWS][8];
	txw_value values[N_ROWS] = {0};
	memset(f->error, 0, sizeof f->error);
	f->role = load_role();
	f->v = f->role->vtable;
	assert_true(f->role->n_options <= N_ROWS);
	size_t used = 0;
	for (uint32_t i = 0; i < f->role->n_options; i++) {
		const txw_option *o = row(f->role, i);
		txw_value *v = &values[i];
		size_t len = strlen(o->name);
		*v = (txw_value){
		    .size = sizeof *v, .type = o->type, .name = o->name, .texts = texts[i]};
		for (size_t k = 0; k < n; k++) {
			if (strncmp(settings[k], o->name, len) != 0 || settings[k][len] != '=')
				continue;
			texts[i][v->n++] = str_of(settings[k] + len + 1);
			used++;
		}
		if (v->n == 0 && o->fallback)
			texts[i][v->n++] = str_of(o->fallback);
		v->is_set = v->n > 0;
		v->number = v->n ? strtoll(texts[i][0].ptr, NULL, 10) : 0;
		if (v->n && o->type == TXW_OPT_BYTES && strstr(texts[i][0].ptr, "MB"))
			v->number *= 1024 * 1024;
	}
	assert_int_equal(used, n); /* every setting is an option */
	txw_setup setup = {
	    .size = sizeof setup,
	    .n_values = f->role->n_options,
	    .value_stride = sizeof values[0],
	    .values = values,
	    .host = &FAKE_HOST,
	    .self = (txw_instance *)f,
	    .name = "bank",
	};
	txw_error err = {.size = sizeof err};
	f->instance = NULL;
	int32_t rc = f->role->create(&setup, &f->instance, &err);
	snprintf(f->error, sizeof f->error, "%.*s", STR_ARG(err.text));
	assert_int_equal(rc == 0, f->instance != NULL);
	/* Nothing of the set-up may be needed any more. */
	memset(texts, 0x5a, sizeof texts);
	return rc == 0;
}

#define OPEN(f, ...)                                                       \
	do {                                                               \
		const char *const list_[] = {__VA_ARGS__};                 \
		if (!try_open((f), list_, sizeof list_ / sizeof list_[0])) \
			fail_msg("create: %s", (f)->error);                \
	} while (0)

static inline void free_seen(struct seen *s)
{
	struct buf *all[] = {&s->ref,      &s->status,   &s->reason,    &s->code,
			     &s->event_id, &s->version,  &s->detail,    &s->owner,
			     &s->amount,   &s->currency, &s->attributes};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		buf_free(all[i]);
}

static inline void forget(struct fake *f)
{
	for (size_t i = 0; i < MANY; i++) {
		buf_free(&f->sent[i].method);
		buf_free(&f->sent[i].url);
		buf_free(&f->sent[i].headers);
		buf_free(&f->sent[i].body);
		buf_free(&f->told[i].text);
		free_seen(&f->told[i].seen);
	}
	for (size_t i = 0; i < 8; i++) {
		buf_free(&f->pages[i].cursor);
		buf_free(&f->pages[i].text);
		for (size_t k = 0; k < 8; k++)
			free_seen(&f->pages[i].seen[k]);
	}
	buf_free(&f->log);
	memset(f->sent, 0, sizeof f->sent);
	memset(f->told, 0, sizeof f->told);
	memset(f->pages, 0, sizeof f->pages);
	f->n_sent = f->n_told = f->n_pages = 0;
}

static inline void shut(struct fake *f)
{
	if (f->instance)
		f->role->destroy(f->instance);
	forget(f);
	*f = (struct fake){0};
}

/* ---- asking and answering ---- */

/* Asks about refs; tokens are 1, 2, 3 ... in their order. */
static inline void ask_about(struct fake *f, const char *const *refs, size_t n)
{
	txw_tx rows[MANY];
	txw_poll_item items[MANY];
	txw_error err = {.size = sizeof err};
	assert_true(n <= MANY);
	for (size_t i = 0; i < n; i++) {
		rows[i] = (txw_tx){.size = sizeof rows[i], .ref = str_of(refs[i])};
		items[i] = (txw_poll_item){
		    .size = sizeof items[i],
		    .token = i + 1,
		    .tx = &rows[i],
		    .deadline = NOW + 10 * SECOND,
		};
	}
	assert_true(f->v->poll(f->instance, items, sizeof items[0], n, &err) >= 0);
}

#define ASK(f, ...)                                                    \
	do {                                                           \
		const char *const refs_[] = {__VA_ARGS__};             \
		ask_about((f), refs_, sizeof refs_ / sizeof refs_[0]); \
	} while (0)

/* Answers the i-th request. header is one "name: value" or NULL. */
static inline void answer_bytes(struct fake *f, size_t i, uint32_t status, const char *type,
				const char *header, txw_str body)
{
	txw_http_header headers[2];
	txw_http_response r = {.size = sizeof r,
			       .status = status,
			       .headers = headers,
			       .body = body,
			       .peer = STR_LIT("203.0.113.7:443"),
			       .took = 1234};
	assert_true(i < f->n_sent);
	if (type)
		headers[r.n_headers++] = (txw_http_header){STR_LIT("content-type"), str_of(type)};
	if (header) {
		const char *colon = strchr(header, ':');
		headers[r.n_headers++] = (txw_http_header){{header, (size_t)(colon - header)},
							   str_of(colon + 2)};
	}
	f->sent[i].done(f->sent[i].ctx, &r);
}

static inline void answer(struct fake *f, size_t i, uint32_t status, const char *body)
{
	answer_bytes(f, i, status, "application/json", NULL, str_of(body));
}

static inline void answer_error(struct fake *f, size_t i, int32_t error, const char *text)
{
	txw_http_response r = {.size = sizeof r, .error = error, .text = str_of(text)};
	assert_true(i < f->n_sent);
	f->sent[i].done(f->sent[i].ctx, &r);
}

static inline void has(const char *text, const char *words)
{
	if (!text || !strstr(text, words))
		fail_msg("expected \"%s\" in \"%s\"", words, text ? text : "(nothing)");
}

#endif
