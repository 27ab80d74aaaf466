/*
 * ask.h: requests to the host, and what its answers mean for the exit status.
 */
#ifndef TXWATCH_CLIENT_ASK_H
#define TXWATCH_CLIENT_ASK_H

#include <stdio.h>

#include "command/client/client.h"

#define ASK_ANSWER_MAX ((size_t)64 << 20) /* bytes of an answer kept in memory */

struct ask {
	const char *method;
	const char *path; /* "/v1/events?after=0": percent-encoded */
	const char *type; /* of the body; JSON unless set */
	txw_str body;
	const char *if_match; /* an ETag, or NULL */
	int64_t patience;     /* microseconds beyond the timeout: a long poll's wait */

	/* Streams; is_stream: no limit of time but that something moves. */
	bool is_stream;
	FILE *upload;                           /* the body, read as it is sent */
	int64_t size;                           /* its bytes, -1 = not known */
	void (*sent)(void *ctx, int64_t total); /* more of it is sent; may be NULL */
	/* Is given a good answer's body as it comes; false: ends the request. */
	bool (*take)(void *ctx, const char *bytes, size_t n);
	void *ctx;
};

struct reply {
	long status;     /* 0: there was no answer, and err says why */
	struct buf body; /* unless it was taken */
	json_t *json;    /* the body parsed, or NULL */
	char etag[64];   /* "" = none */
	int64_t wait;    /* Retry-After in seconds; -1 = none */
	bool is_broken;  /* connected, and then cut off before the answer's end */
	struct err err;
};

/* Asks, and again while the host is busy: retries, Retry-After, and one
 * Idempotency-Key for all tries of a POST. EXIT_WELL, or the status for what
 * went wrong, which is told on stderr. The caller frees the reply. */
int ask(struct client *c, const struct ask *a, struct reply *r);
/* The same, telling nothing; one try. */
int ask_quietly(struct client *c, const struct ask *a, struct reply *r);
/* Tells what ask_quietly found. */
void ask_tell(const struct client *c, const struct reply *r);
void reply_free(struct reply *r);

/* GET of a path, parsed. */
int ask_get(struct client *c, const char *path, struct reply *r);
/* POST, or another method, of a JSON object, which is let go; NULL: none. */
int ask_json(struct client *c, const char *method, const char *path, json_t *body, struct reply *r);
/* The same on one condition: an object's version, as option --if-version. */
int ask_json_if(struct client *c, const char *method, const char *path, json_t *body,
		const char *version, struct reply *r);

/* The exit status of an HTTP status. */
int exit_of(long http_status);

/* Adds "?name=value" or "&name=value" to a path, percent-encoded; nothing when
 * value is NULL. */
void path_add(struct buf *path, const char *name, const char *value);
/* Adds a segment's text, percent-encoded. */
void path_part(struct buf *path, const char *text);

/* One request by libcurl: http.c. key: Idempotency-Key, or NULL. */
void http_send(struct client *c, const struct ask *a, const char *key, struct reply *r);
void http_close(struct client *c);

#endif
