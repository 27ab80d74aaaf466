/*
 * http_world.h: an HTTP server under test on the test's thread, and a client
 * with blocking sockets on another.
 */
#ifndef TXWATCH_TESTS_HTTP_WORLD_H
#define TXWATCH_TESTS_HTTP_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "http/server.h"

#define KEPT_MAX 1024

struct world {
	struct clock clock;
	struct loop *loop;
	struct http_server *server;
	int port;
	struct http_request *kept[KEPT_MAX]; /* answered when asked for */
	size_t n_kept;
	_Atomic int seen;
	struct timer timer;
	int failures;
	void (*script)(struct world *w); /* on the client's thread */
};

/* What the client found wrong is counted, and told, on its own thread. */
#define EXPECT(w, cond)                                                            \
	do {                                                                       \
		if (!(cond)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
			(w)->failures++;                                           \
		}                                                                  \
	} while (0)

/* The server's handler: /keep is answered by /release, /later by a timer, /body
 * with its length, /query with what was decoded, /drain drains, /peer with the
 * peer; all else with "hello". ctx: the world. */
void world_handle(void *ctx, struct http_request *r);

/* Answers what /keep and /later left open. */
void answer_kept(struct world *w);

/* ---- the client's side ---- */
int dial(struct world *w); /* -1: refused */
void say(int fd, const char *text);
/* Reads one whole answer: its status; 0: closed, -1: cut. */
int hear(int fd, char *out, size_t cap);
int hear_with(int fd, char *out, size_t cap, bool has_body);
/* One request on a connection of its own. */
int ask(struct world *w, const char *request, char *out, size_t cap);
bool is_closed(int fd);

/* Runs the script on the client's thread against a server; fails the test if
 * anything EXPECTed did not hold. */
void run_script(void (*script)(struct world *w), size_t max_body, int64_t idle);

#endif
