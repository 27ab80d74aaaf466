/*
 * run.c: `txwatch run`: opens a loaded site, runs it, and ends it in order.
 *
 *   LOADED   -> OPEN      open_all(): store, readers, lanes, watch, listener
 *   OPEN     -> DRAINING  SIGTERM or SIGINT: nothing new is begun
 *   DRAINING -> STOPPED   all under way is settled, or `drain` has passed, or
 *                         a second signal
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "command/command.h"
#include "site.h"

#define VIRTUAL_START "2026-01-01T00:00:00Z"
#define DRAIN_STEP_MS 20

struct running {
	struct site *site;
	uv_signal_t term, interrupt, hup;
	uv_timer_t drain;  /* real time: it must end under a virtual clock too */
	int64_t drain_end; /* ticks */
	bool is_draining;
};

/* ---- draining ---- */

static void on_drain(uv_timer_t *timer)
{
	struct running *r = timer->data;
	struct site *s = r->site;
	size_t left = notify_in_flight(s->notify) + watch_in_flight(s->watch);
	if (left && clock_ticks() < r->drain_end)
		return;
	if (left)
		log_warn("stopped before all was settled; it goes on at the next start", "left",
			 LOG_INT((int64_t)left));
	uv_timer_stop(timer);
	loop_stop(s->loop);
}

static void on_stop(uv_signal_t *sig, int number)
{
	struct running *r = sig->data;
	struct site *s = r->site;
	if (r->is_draining) {
		loop_stop(s->loop);
		return;
	}
	r->is_draining = true;
	log_info("stopping", "signal", number == SIGTERM ? "SIGTERM" : "SIGINT");
	s->api_site.is_draining = true;
	api_drain(s->api);
	watch_drain(s->watch);
	notify_drain(s->notify);
	r->drain_end = clock_ticks() + conf_number(&s->conf->root, "drain");
	uv_timer_start(&r->drain, on_drain, 0, DRAIN_STEP_MS);
}

static void on_hup(uv_signal_t *sig, int number)
{
	(void)sig;
	(void)number;
	log_warn("a running site keeps its config: restart it to take a new one");
}

static void catch_signals(struct running *r)
{
	uv_loop_t *uv = loop_uv(r->site->loop);
	signal(SIGPIPE, SIG_IGN);
	uv_signal_init(uv, &r->term);
	uv_signal_init(uv, &r->interrupt);
	uv_signal_init(uv, &r->hup);
	uv_timer_init(uv, &r->drain);
	r->term.data = r->interrupt.data = r->hup.data = r->drain.data = r;
	uv_signal_start(&r->term, on_stop, SIGTERM);
	uv_signal_start(&r->interrupt, on_stop, SIGINT);
	uv_signal_start(&r->hup, on_hup, SIGHUP);
}

static void drop_signals(struct running *r)
{
	uv_close((uv_handle_t *)&r->term, NULL);
	uv_close((uv_handle_t *)&r->interrupt, NULL);
	uv_close((uv_handle_t *)&r->hup, NULL);
	uv_close((uv_handle_t *)&r->drain, NULL);
	/* The handles are this function's caller's: closed before it returns. */
	uv_run(loop_uv(r->site->loop), UV_RUN_NOWAIT);
}

/* ---- opening ---- */

static int32_t on_state(void *ctx, const txw_doc *doc)
{
	struct site *s = ctx;
	struct err e = {0};
	if (state_load_doc(s->services.state, doc, &e) < 0)
		log_warn("kept state cannot be read", "why", e.text);
	return 0;
}

static int32_t load_state(struct site *s, struct err *e)
{
	return READ_CALL(readers_store(s->readers), e, list_docs, readers_mine(s->readers),
			 STR_LIT("state"), STR_NONE, STR_NONE, UINT32_MAX, on_state, s);
}

static void fill_api_site(struct site *s)
{
	s->api_site = (struct api_site){.loop = s->loop,
					.metrics = s->metrics,
					.engine = s->engine,
					.readers = s->readers,
					.flows = &s->flows,
					.watch = s->watch,
					.notify = s->notify,
					.plugins = s->plugins,
					.instances = s->instances,
					.conf = s->conf};
}

static int32_t open_all(struct site *s, struct conf_report *report, struct err *e)
{
	s->engine = engine_open(s->store, s->loop, &s->flows, s->metrics, e);
	if (!s->engine)
		return -1;
	/* Events have been written at a later time than a new virtual clock's. */
	clock_set(&s->clock, engine_info(s->engine)->last_at);
	s->readers = readers_open(s->store, s->loop, e);
	if (!s->readers || load_state(s, e) < 0)
		return -1;
	s->services.engine = s->engine;
	if (notify_start(s->notify, s->engine, s->readers, e) < 0)
		return -1;
	watch_start(s->watch, s->engine, s->readers);
	fill_api_site(s);
	s->api = api_open(&s->api_site, report, e);
	if (!s->api)
		return -1;
	engine_start(s->engine);
	state_flush(s->services.state);
	return 0;
}

static void close_all(struct site *s)
{
	/* The writer first: what it tells the API's lists and caches needs them.
	 * What it answered last is taken by the loop. */
	if (s->engine)
		engine_stop(s->engine);
	loop_drain(s->loop);
	if (s->api)
		api_close(s->api);
	loop_drain(s->loop);
	notify_stop(s->notify);
	if (s->readers)
		readers_close(s->readers);
}

/* ---- the command ---- */

struct options {
	const char *path;
	struct clock clock;
};

static bool parse_clock(const char *text, struct clock *clock)
{
	txw_time start;
	if (strcmp(text, "real") == 0) {
		clock_real(clock);
		return true;
	}
	if (strncmp(text, "virtual", 7) != 0 || (text[7] && text[7] != ':'))
		return false;
	if (!time_parse(str_of(text[7] ? text + 8 : VIRTUAL_START), &start))
		return false;
	clock_virtual(clock, start);
	return true;
}

static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
					      {"clock", required_argument, NULL, 'k'},
					      {NULL, 0, NULL, 0}};
	int c;
	o->path = TXW_CONF_FILE;
	clock_real(&o->clock);
	while ((c = getopt_long(argc, argv, "c:", longs, NULL)) != -1) {
		if (c == 'c') {
			o->path = optarg;
		} else if (c != 'k') {
			return 2;
		} else if (!parse_clock(optarg, &o->clock)) {
			fprintf(stderr,
				"txwatch run: --clock=%s: real, virtual or virtual:TIME (RFC 3339) "
				"is needed\n",
				optarg);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "txwatch run: %s: no such argument\n", argv[optind]);
		return 2;
	}
	return 0;
}

static void print_report(const struct conf_report *report)
{
	struct buf b = {0};
	conf_report_print(report, &b);
	if (b.len)
		fwrite(b.ptr, 1, b.len, stderr);
	buf_free(&b);
}

static void set_up_log(const struct site *s)
{
	static const char *const levels[] = {"error", "warn", "info", "debug"};
	static const char *const formats[] = {"auto", "json", "human"};
	uint32_t level = TXW_LOG_INFO;
	enum log_format format = LOG_AUTO;
	for (uint32_t i = 0; i < 4; i++)
		if (str_is(conf_text(&s->conf->root, "log-level"), levels[i]))
			level = i;
	for (uint32_t i = 0; i < 3; i++)
		if (str_is(conf_text(&s->conf->root, "log-format"), formats[i]))
			format = (enum log_format)i;
	log_setup(&s->clock, level, format);
}

static void say_listening(struct site *s)
{
	char address[160];
	txw_str listen = STR_LIT("127.0.0.1:8420");
	for (size_t i = 0; i < s->conf->root.n_children; i++)
		if (strcmp(s->conf->root.children[i].keyword, "http") == 0)
			listen = conf_text(&s->conf->root.children[i], "listen");
	const char *colon = memrchr(listen.ptr, ':', listen.len);
	int n = colon ? (int)(colon - listen.ptr) : (int)listen.len;
	snprintf(address, sizeof(address), "%.*s:%d", n, listen.ptr, api_port(s->api));
	log_info("listening", "address", address, "store", s->store->role->full_name, "version",
		 TXW_VERSION);
}

static int run_site(struct site *s, struct conf_report *report)
{
	struct running r = {.site = s};
	struct err e = {0};
	int status = 0;
	set_up_log(s);
	catch_signals(&r);
	if (open_all(s, report, &e) < 0) {
		if (e.text[0])
			log_error("cannot start", "why", e.text);
		print_report(report);
		status = 1;
	} else {
		say_listening(s);
		loop_run(s->loop);
		log_info("stopped");
	}
	close_all(s);
	drop_signals(&r);
	return status;
}

int command_run(int argc, char **argv)
{
	struct options o;
	struct conf_report report;
	int status = parse_options(argc, argv, &o);
	if (status)
		return status;
	conf_report_init(&report, o.path);
	struct site *s = site_load(o.path, &o.clock, &report);
	print_report(&report);
	conf_report_free(&report);
	if (!s)
		return 1;
	conf_report_init(&report, o.path);
	status = run_site(s, &report);
	site_free(s);
	conf_report_free(&report);
	return status;
}
