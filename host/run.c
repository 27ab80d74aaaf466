/*
 * run.c: `txwatch run`: opens a loaded site, runs it, and ends it in order.
 *
 *   LOADED   -> OPEN      open_all(): store, readers, lanes, watch, listener
 *   OPEN     -> DRAINING  SIGTERM or SIGINT: nothing new is begun
 *   DRAINING -> STOPPED   all under way is settled, or `drain` has passed, or
 *                         a second signal
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "api/listener.h"
#include "base/log.h"
#include "base/str.h"
#include "command/args.h"
#include "engine/audit.h"
#include "engine/follow.h"
#include "site.h"

#define VIRTUAL_START "2026-01-01T00:00:00Z"
#define DRAIN_STEP_MS 20

/* From one site to the next: one of them, or none. */
struct handed {
	int socket; /* the listener's; 0 = none */
	struct http_server *server;
};

struct running {
	struct site *site;
	int signals; /* borrowed: a descriptor they are read from */
	uv_poll_t caught;
	uv_timer_t drain;  /* real time: it must end under a virtual clock too */
	int64_t drain_end; /* ticks */
	bool is_draining;
	const char *path;
	struct site *next; /* takes over when this one has drained */
};

/* ---- draining ---- */

static void on_drain(uv_timer_t *timer)
{
	struct running *r = timer->data;
	struct site *s = r->site;
	size_t left = notify_in_flight(s->notify) + watch_in_flight(s->watch) + api_streams(s->api);
	if (left && clock_ticks() < r->drain_end)
		return;
	if (left)
		log_warn("stopped before all was settled; it goes on at the next start", "left",
			 LOG_INT((int64_t)left));
	uv_timer_stop(timer);
	loop_stop(s->loop);
}

static void drain(struct running *r)
{
	struct site *s = r->site;
	r->is_draining = true;
	s->api_site.is_draining = true;
	api_settle(s->api);
	watch_drain(s->watch);
	notify_drain(s->notify);
	retention_drain(s->retention);
	jobs_drain(s->jobs);
	r->drain_end = clock_ticks() + conf_number(&s->conf->root, "drain");
	uv_timer_start(&r->drain, on_drain, 0, DRAIN_STEP_MS);
}

static void stop(struct running *r, int number)
{
	if (r->next) { /* a change-over ends here */
		site_free(r->next);
		r->next = NULL;
	} else if (r->is_draining) {
		loop_stop(r->site->loop);
		return;
	}
	log_info("stopping", "signal", number == SIGTERM ? "SIGTERM" : "SIGINT");
	api_drain(r->site->api);
	drain(r);
}

/* ---- reload ---- */

/* The new site is whole before the old one ends: read, checked, its plugins
 * loaded, its instances made. It opens the store and goes on with the old
 * one's listening socket, where connections wait meanwhile. */
static int32_t reload(void *ctx, struct buf *text)
{
	struct running *r = ctx;
	struct conf_report report;
	if (r->is_draining) {
		buf_text(text, "the site is stopping or changing over already");
		return TXW_E_BUSY;
	}
	conf_report_init(&report, r->path);
	r->next = site_load(r->path, &r->site->clock, &report);
	conf_report_print(&report, text);
	conf_report_free(&report);
	if (!r->next)
		return TXW_E_INVALID;
	log_info("reloading");
	drain(r);
	return 0;
}

static void reload_by_signal(struct running *r)
{
	struct buf text = {0};
	int32_t rc = reload(r, &text);
	audit_reload(r->site->engine, STR_LIT("signal:HUP"), rc);
	buf_char(&text, '\0');
	if (rc < 0)
		log_error("not reloaded: the site goes on as it is", "why", text.ptr);
	else if (text.len > 1)
		log_warn("reloading with warnings", "what", text.ptr);
	buf_free(&text);
}

/* ---- signals ---- */

/*
 * Blocked in every thread and read from a descriptor that outlives the sites:
 * one that comes between two sites waits for the next one's loop, and none
 * finds a handler gone.
 */
static int open_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void on_signals(uv_poll_t *poll, int status, int events)
{
	struct running *r = poll->data;
	struct signalfd_siginfo info;
	(void)status;
	(void)events;
	while (read(r->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reload_by_signal(r);
		else
			stop(r, (int)info.ssi_signo);
	}
}

static void catch_signals(struct running *r)
{
	uv_loop_t *uv = loop_uv(r->site->loop);
	uv_poll_init(uv, &r->caught, r->signals);
	uv_timer_init(uv, &r->drain);
	r->caught.data = r->drain.data = r;
	uv_poll_start(&r->caught, UV_READABLE, on_signals);
}

static void drop_signals(struct running *r)
{
	uv_close((uv_handle_t *)&r->caught, NULL);
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

static void fill_api_site(struct running *r, const struct handed *hand)
{
	struct site *s = r->site;
	s->api_site = (struct api_site){.loop = s->loop,
					.metrics = s->metrics,
					.engine = s->engine,
					.readers = s->readers,
					.flows = &s->flows,
					.watch = s->watch,
					.notify = s->notify,
					.jobs = s->jobs,
					.plugins = s->plugins,
					.instances = s->instances,
					.conf = s->conf,
					.listener = hand->socket,
					.server = hand->server,
					.reload = reload,
					.reload_ctx = r};
}

static int32_t open_all(struct running *r, struct handed *hand, struct conf_report *report,
			struct err *e)
{
	struct site *s = r->site;
	s->engine = engine_open(s->store, s->loop, &s->flows, s->metrics, e);
	if (!s->engine)
		return -1;
	if (str_is(conf_text(&s->conf->root, "evidence"), "hash-chain") &&
	    engine_keep_evidence(s->engine, e) < 0)
		return -1;
	engine_keep_audit(s->engine, conf_number(&s->conf->root, "audit-keep"));
	/* Events have been written at a later time than a new virtual clock's. */
	clock_set(&s->clock, engine_info(s->engine)->last_at);
	s->readers = readers_open(s->store, s->loop, e);
	if (!s->readers || load_state(s, e) < 0 || purged_load(s->engine, s->readers, e) < 0)
		return -1;
	s->services.engine = s->engine;
	if (notify_start(s->notify, s->engine, s->readers, e) < 0)
		return -1;
	watch_start(s->watch, s->engine, s->readers);
	fill_api_site(r, hand);
	s->api = api_open(&s->api_site, report, e);
	hand->server = s->api_site.server;
	if (!s->api)
		return -1;
	engine_start(s->engine);
	retention_start(s->retention, s->loop, s->engine);
	if (jobs_start(s->jobs, s->engine, s->readers, e) < 0)
		return -1;
	s->follow = follow_open(s->engine, s->readers, api_follow, s->api);
	state_flush(s->services.state);
	return 0;
}

static void close_all(struct site *s)
{
	jobs_drain(s->jobs);
	follow_stop(s->follow);
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

static int take_options(const struct args *a, struct options *o)
{
	const char *clock = args_get(a, "clock");
	o->path = args_get(a, "config");
	if (!o->path)
		o->path = COMMAND_CONF_FILE;
	clock_real(&o->clock);
	if (!clock || parse_clock(clock, &o->clock))
		return EXIT_WELL;
	fprintf(stderr,
		"txwatch run: --clock=%s: real, virtual or virtual:TIME (RFC 3339) is needed\n",
		clock);
	return EXIT_USAGE;
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

static txw_str listen_text(const struct site *s)
{
	for (size_t i = 0; i < s->conf->root.n_children; i++)
		if (strcmp(s->conf->root.children[i].keyword, "http") == 0)
			return conf_text(&s->conf->root.children[i], "listen");
	return STR_LIT("127.0.0.1:8420");
}

static void say_listening(struct site *s)
{
	char address[160];
	txw_str listen = listen_text(s);
	const char *colon = memrchr(listen.ptr, ':', listen.len);
	int n = colon ? (int)(colon - listen.ptr) : (int)listen.len;
	snprintf(address, sizeof(address), "%.*s:%d", n, listen.ptr, api_port(s->api));
	log_info("listening", "address", address, "store", s->store->role->full_name, "version",
		 TXW_VERSION);
}

/* What the next site goes on with: this one's listener with its connections,
 * if its config says the same of it; or its socket alone, if at least the
 * address is the same; else it opens its own. */
static void hand_on(const struct running *r, struct handed *hand)
{
	*hand = (struct handed){0};
	if (!r->next || !r->site->api)
		return;
	if (listener_fits(r->site->conf, r->next->conf)) {
		hand->server = api_take_server(r->site->api);
	} else if (str_eq(listen_text(r->site), listen_text(r->next))) {
		int fd = api_listener(r->site->api);
		hand->socket = fd > 0 ? fd : 0;
	}
}

/* Runs s until it ends; *next is the site that takes over, *hand what it gets
 * from this one. */
static int run_site(struct site *s, const char *path, int signals, struct site **next,
		    struct handed *hand)
{
	struct running r = {.site = s, .path = path, .signals = signals};
	struct conf_report report;
	struct err e = {0};
	int status = 0;
	conf_report_init(&report, path);
	set_up_log(s);
	catch_signals(&r);
	if (open_all(&r, hand, &report, &e) < 0) {
		if (e.text[0])
			log_error("cannot start", "why", e.text);
		print_report(&report);
		http_server_close(hand->server); /* nobody goes on with it */
		status = 1;
	} else {
		say_listening(s);
		loop_run(s->loop);
		log_info(r.next ? "changing over" : "stopped");
	}
	drop_signals(&r); /* what comes now is for the next site, if any */
	hand_on(&r, hand);
	close_all(s);
	conf_report_free(&report);
	*next = r.next;
	return status;
}

int command_run(const struct args *a)
{
	struct options o;
	struct conf_report report;
	struct handed hand = {0};
	int status = take_options(a, &o);
	if (status)
		return status;
	/* Before there is any thread: they inherit what is blocked. */
	int signals = open_signals();
	if (signals < 0) {
		fprintf(stderr, "txwatch: no descriptor for signals: %s\n", strerror(errno));
		return 1;
	}
	conf_report_init(&report, o.path);
	struct site *s = site_load(o.path, &o.clock, &report);
	print_report(&report);
	conf_report_free(&report);
	if (!s)
		status = 1;
	for (struct site *next; s; s = next) {
		status = run_site(s, o.path, signals, &next, &hand);
		if (next)
			set_up_log(next); /* its clock outlives this one's */
		site_free(s);
	}
	close(signals);
	return status;
}
