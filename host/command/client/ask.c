/* ask.c: see ask.h. */
#include "command/client/ask.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

#define WAIT_MAX 60 /* seconds; a longer Retry-After is left to the caller */
#define KEY_MAX  48

int exit_of(long status)
{
	static const struct {
		long http;
		int exit;
	} rows[] = {
	    {400, EXIT_USAGE},   {401, EXIT_DENIED},  {403, EXIT_DENIED}, {404, EXIT_NOT_FOUND},
	    {405, EXIT_FAILED},  {409, EXIT_REFUSED}, {410, EXIT_GONE},   {412, EXIT_REFUSED},
	    {413, EXIT_USAGE},   {414, EXIT_USAGE},   {415, EXIT_USAGE},  {422, EXIT_REFUSED},
	    {428, EXIT_REFUSED}, {429, EXIT_BUSY},    {503, EXIT_BUSY},   {507, EXIT_BUSY},
	};

	if (status == 0)
		return EXIT_UNREACHABLE;
	if (status >= 200 && status < 300)
		return EXIT_WELL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].http == status)
			return rows[i].exit;
	return EXIT_FAILED;
}

void reply_free(struct reply *r)
{
	buf_free(&r->body);
	json_decref(r->json);
	r->json = NULL;
}

/* A key no other request has: 128 random bits. */
static void make_key(char key[KEY_MAX])
{
	unsigned char bytes[16];
	size_t at = 4;

	memcpy(key, "cli-", 4);
	if (getentropy(bytes, sizeof(bytes)) != 0)
		abort(); /* does not happen for so few bytes */
	for (size_t i = 0; i < sizeof(bytes); i++, at += 2)
		snprintf(key + at, KEY_MAX - at, "%02x", bytes[i]);
}

/* A try of ours may still be under way: its twin waits for it. */
static bool is_in_flight(const struct reply *r)
{
	const char *type = json_string_value(json_object_get(r->json, "type"));

	return r->status == 409 && type && strcmp(type, "urn:txwatch:problem:in-flight") == 0;
}

/* May it be asked again? 429 and 503 say that nothing was done. An answer
 * that never came says nothing: then only what can be repeated is. */
static bool is_worth_a_retry(const struct ask *a, const struct reply *r)
{
	if (a->upload && fseek(a->upload, 0, SEEK_SET) != 0)
		return false;
	if (r->status == 429 || r->status == 503 || is_in_flight(r))
		return r->wait <= WAIT_MAX;
	return r->is_broken && !a->upload && !a->take &&
	       (strcmp(a->method, "GET") == 0 || strcmp(a->method, "POST") == 0);
}

static void wait_a_while(const struct client *c, const struct reply *r, int64_t n_tries)
{
	int64_t ms = r->wait >= 0 ? r->wait * 1000 : 200 << (n_tries < 6 ? n_tries : 6);
	struct timespec t = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};

	if (ms >= 1000 && isatty(STDERR_FILENO) == 1)
		client_note(c, "the host is busy; trying again in %lld s", (long long)(ms / 1000));
	nanosleep(&t, NULL);
}

static int try_all(struct client *c, const struct ask *a, int64_t retries, struct reply *r)
{
	bool is_post = strcmp(a->method, "POST") == 0;
	char key[KEY_MAX] = "";

	if (is_post)
		make_key(key);
	for (int64_t i = 0;; i++) {
		http_send(c, a, is_post ? key : NULL, r);
		if (i >= retries || !is_worth_a_retry(a, r))
			break;
		wait_a_while(c, r, i);
		reply_free(r);
	}
	return exit_of(r->status);
}

int ask_quietly(struct client *c, const struct ask *a, struct reply *r)
{
	return try_all(c, a, 0, r);
}

int ask(struct client *c, const struct ask *a, struct reply *r)
{
	int status = try_all(c, a, c->retries, r);

	if (status != EXIT_WELL)
		ask_tell(c, r);
	return status;
}

void ask_tell(const struct client *c, const struct reply *r)
{
	const char *detail = json_string_value(json_object_get(r->json, "detail"));
	const char *title = json_string_value(json_object_get(r->json, "title"));
	struct buf text = {0};

	if (r->status == 0) {
		client_note(c, "%s", r->err.text);
		return;
	}
	if (detail || title)
		buf_text(&text, detail ? detail : title);
	else
		buf_printf(&text, "%s answered %ld, which is no answer of txwatch's", c->url,
			   r->status);
	if (r->status == 401 && !c->token)
		buf_text(&text, " (set TXWATCH_TOKEN, or give --token-file)");
	client_note(c, "%.*s", STR_ARG(buf_view(&text)));
	buf_free(&text);
}

int ask_get(struct client *c, const char *path, struct reply *r)
{
	struct ask a = {.method = "GET", .path = path};

	return ask(c, &a, r);
}

int ask_json_if(struct client *c, const char *method, const char *path, json_t *body,
		const char *version, struct reply *r)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct ask a = {.method = method, .path = path, .body = str_of(text)};
	int status;

	if (version)
		a.if_match = arena_printf(&c->arena, "\"%s\"", version);
	status = ask(c, &a, r);
	free(text);
	json_decref(body);
	return status;
}

int ask_json(struct client *c, const char *method, const char *path, json_t *body, struct reply *r)
{
	return ask_json_if(c, method, path, body, NULL, r);
}

void path_part(struct buf *path, const char *text)
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

	for (; *text; text++) {
		if (strchr(plain, *text))
			buf_char(path, *text);
		else
			buf_printf(path, "%%%02X", (unsigned char)*text);
	}
}

void path_add(struct buf *path, const char *name, const char *value)
{
	if (!value)
		return;
	buf_char(path, path->len && memchr(path->ptr, '?', path->len) ? '&' : '?');
	buf_text(path, name);
	buf_char(path, '=');
	path_part(path, value);
}
