/*
 * client.h: commands that ask a running host over its API.
 *
 * A command's row has a function that is given a struct client: its arguments,
 * where the host is, and the token. It asks (ask.h), prints (print.h), and
 * returns an exit status.
 */
#ifndef TXWATCH_CLIENT_CLIENT_H
#define TXWATCH_CLIENT_CLIENT_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "command/args.h"

#define CLIENT_URL "http://127.0.0.1:8420"

struct client {
	const struct args *args;
	struct arena arena;
	const char *url;     /* without a slash at its end */
	const char *token;   /* NULL: none; never printed */
	const char *ca_file; /* NULL: the system's */
	int64_t timeout;     /* of one request, microseconds */
	int64_t retries;
	bool is_json;
	void *curl;    /* CURL: one connection, kept */
	char why[256]; /* curl's own words */
};

/* Finds the host and the token, runs the command, and cleans up. */
int client_main(const struct args *a);

/* Says "txwatch tx get: ..." on stderr, and returns the status. */
int client_fail(const struct client *c, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same without ending: "txwatch events tail: the connection is lost". */
void client_note(const struct client *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- where and who: settings.c ---- */

/* Fills url, token, ca_file, timeout: from the options, the environment, the
 * client's file; in this order. */
int32_t settings_take(struct client *c, struct err *e);

/* ---- the commands ---- */

int client_tx_list(struct client *c);
int client_tx_count(struct client *c);
int client_tx_get(struct client *c);
int client_tx_create(struct client *c);
int client_tx_set(struct client *c);
int client_tx_update(struct client *c);
int client_tx_history(struct client *c);
int client_tx_poll(struct client *c);
int client_tx_pause(struct client *c);
int client_tx_resume(struct client *c);
int client_tx_bulk(struct client *c);
int client_tx_purge(struct client *c);
int client_tx_import(struct client *c);
int client_tx_export(struct client *c);
int client_events_tail(struct client *c);
int client_sub_list(struct client *c);
int client_sub_get(struct client *c);
int client_sub_create(struct client *c);
int client_sub_update(struct client *c);
int client_sub_delete(struct client *c);
int client_sub_test(struct client *c);
int client_sub_replay(struct client *c);
int client_delivery_list(struct client *c);
int client_delivery_get(struct client *c);
int client_delivery_retry(struct client *c);
int client_token_list(struct client *c);
int client_token_create(struct client *c);
int client_token_revoke(struct client *c);
int client_audit_list(struct client *c);
int client_job_list(struct client *c);
int client_job_get(struct client *c);
int client_job_cancel(struct client *c);
int client_host_flows(struct client *c);
int client_host_plugins(struct client *c);
int client_host_pollers(struct client *c);
int client_host_reload(struct client *c);
int client_host_ready(struct client *c);

#endif
