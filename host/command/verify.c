/* verify.c: `txwatch verify`: proves a site's log by its evidence, and its rows
 * by the log. The host must be stopped: it has the store to itself. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/str.h"
#include "command/args.h"
#include "engine/verify.h"
#include "site.h"

#define SHOWN_MAX 20

struct verifying {
	struct verify verify; /* first */
	const char *path;
};

static void print_hex(const unsigned char hash[EVIDENCE_BYTES])
{
	for (size_t i = 0; i < EVIDENCE_BYTES; i++)
		printf("%02x", hash[i]);
}

static void found(void *ctx, const struct verify_finding *f)
{
	const struct verifying *v = ctx;
	char id[ID_TEXT_MAX];
	if (v->verify.findings > SHOWN_MAX)
		return;
	if (f->tx) {
		id_print(id, "tx", f->tx->id);
		printf("transaction %s (event %" PRId64 "): %s: %s\n", id, f->seq,
		       verify_kind_name(f->kind), f->what);
	} else if (f->last > f->seq) {
		printf("events %" PRId64 " to %" PRId64 ": %s: %s\n", f->seq, f->last,
		       verify_kind_name(f->kind), f->what);
	} else {
		printf("event %" PRId64 ": %s: %s\n", f->seq, verify_kind_name(f->kind), f->what);
	}
}

static int sum_up(const struct verify *v)
{
	if (v->findings > SHOWN_MAX)
		printf("... and %" PRId64 " more\n", v->findings - SHOWN_MAX);
	if (v->before)
		printf("%" PRId64 " event%s carried no evidence before it was switched on\n",
		       v->before, v->before == 1 ? "" : "s");
	if (!v->first) {
		printf("the log carries no evidence: nothing is proven of it\n");
		return 1;
	}
	printf("%" PRId64 " events from %" PRId64 " to %" PRId64 " and %" PRId64
	       " digests of purged ones read, %" PRId64 " transactions compared\n",
	       v->events, v->first, v->last, v->purged, v->rows);
	if (v->findings) {
		printf("broken: %" PRId64 " finding%s\n", v->findings, v->findings == 1 ? "" : "s");
		return 1;
	}
	printf("proven; anchor: %" PRId64 ":", v->last);
	print_hex(v->head);
	printf("\n");
	return 0;
}

static int verify_site(struct verifying *v, struct site *s)
{
	struct err e = {0};
	s->engine = engine_open(s->store, s->loop, &s->flows, s->metrics, &e);
	if (!s->engine) {
		fprintf(stderr, "txwatch verify: %s\n", e.text);
		return 1;
	}
	v->verify.store = s->store;
	v->verify.found = found;
	v->verify.ctx = v;
	if (verify_run(&v->verify, &e) < 0) {
		fprintf(stderr, "txwatch verify: %s\n", e.text);
		return 1;
	}
	return sum_up(&v->verify);
}

static int run(struct verifying *v)
{
	struct conf_report report;
	struct buf text = {0};
	int status = 1;
	conf_report_init(&report, v->path);
	struct site *s = site_load(v->path, NULL, &report);
	conf_report_print(&report, &text);
	if (text.len)
		fwrite(text.ptr, 1, text.len, stderr);
	if (s) {
		status = verify_site(v, s);
		site_free(s);
	}
	buf_free(&text);
	conf_report_free(&report);
	return status;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* "SEQ:HASH", as sum_up prints it. */
static bool take_anchor(struct verify *v, const char *text)
{
	const char *colon = strchr(text, ':');
	if (!colon || strlen(colon + 1) != 2 * (size_t)EVIDENCE_BYTES ||
	    !str_int((txw_str){text, (size_t)(colon - text)}, &v->anchor) || v->anchor < 1)
		return false;
	for (size_t i = 0; i < EVIDENCE_BYTES; i++) {
		int high = hex_digit(colon[1 + 2 * i]), low = hex_digit(colon[2 + 2 * i]);
		if (high < 0 || low < 0)
			return false;
		v->anchor_hash[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static int misused(const char *what, const char *found)
{
	fprintf(stderr, "txwatch verify: %s, found `%s`\n", what, found);
	return EXIT_USAGE;
}

int command_verify(const struct args *a)
{
	struct verifying v = {.path = COMMAND_CONF_FILE};
	const char *anchor = args_get(a, "anchor");

	if (args_has(a, "config"))
		v.path = args_get(a, "config");
	v.verify.from = args_number(a, "from", 0);
	if (args_has(a, "from") && v.verify.from < 1)
		return misused("--from takes a seq", args_get(a, "from"));
	if (anchor && !take_anchor(&v.verify, anchor))
		return misused("--anchor takes SEQ:HASH, as this command prints it", anchor);
	return run(&v);
}
