/* client.c: from a command's arguments to a host; see client.h. */
#include "command/client/client.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"
#include "command/client/ask.h"

static void say(const struct client *c, const char *fmt, va_list ap)
{
	fflush(stdout);
	fprintf(stderr, "txwatch %s: ", c->args->command->name);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

int client_fail(const struct client *c, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(c, fmt, ap);
	va_end(ap);
	return status;
}

void client_note(const struct client *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(c, fmt, ap);
	va_end(ap);
}

int client_main(const struct args *a)
{
	struct client c = {.args = a, .is_json = args_has(a, "json")};
	struct err e = {0};
	int status = EXIT_USAGE;

	c.retries = args_number(a, "retries", 3);
	if (settings_take(&c, &e) < 0) {
		client_note(&c, "%s", e.text);
	} else {
		curl_global_init(CURL_GLOBAL_DEFAULT);
		status = a->command->client(&c);
		http_close(&c);
		curl_global_cleanup();
	}
	arena_free(&c.arena);
	return status;
}
