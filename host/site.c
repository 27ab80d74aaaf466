/*
 * site.c: from a config file to instances that are ready to run.
 *
 * The order: scan (which plugins?), load them, parse with their rows, then
 * flows, pollers and notifiers (they name flows), routes (they name
 * notifiers). A plugin that is refused takes its own sections out of the site
 * and leaves the rest; only a store cannot be missing.
 */
#include "site.h"

#include <stdlib.h>
#include <string.h>

#include "api/auth.h"
#include "api/listener.h"
#include "base/str.h"
#include "engine/follow.h"
#include "engine/redact.h"
#include "measure/metrics.h"

/* ---- plugins ---- */

static void load_plugins(struct site *s, const struct conf_scan *scan, struct conf_report *report)
{
	for (size_t i = 0; i < scan->n_plugin_paths; i++)
		plugins_add_path(s->plugins, scan->plugin_paths[i], report, 0);
	plugins_add_default_path(s->plugins);
	for (size_t i = 0; i < scan->n_plugins; i++) {
		const struct plugin_file *f = plugins_load(s->plugins, scan->plugins[i]);
		if (!f->is_loaded)
			conf_warning(report, 0, "plugin %s is refused: %s", f->name, f->reason);
		else if (f->warning)
			conf_warning(report, 0, "plugin %s: %s", f->name, f->warning);
	}
}

/* ---- sections ---- */

static size_t count_sections(const struct conf *c, const char *keyword)
{
	size_t n = 0;
	for (size_t i = 0; i < c->root.n_children; i++)
		n += strcmp(c->root.children[i].keyword, keyword) == 0;
	return n;
}

/* The pointers of a section's `redact`. */
static void add_redact(struct redact *r, const struct conf_section *section,
		       struct conf_report *report)
{
	const txw_str *pointers;
	size_t n = conf_list(section, "redact", &pointers);
	for (size_t i = 0; i < n; i++) {
		const char *why = redact_add(r, pointers[i]);
		if (why)
			conf_problem(report, section->line, "%s%s%sredact \"%.*s\": %s",
				     section->keyword, *section->keyword ? " " : "",
				     section->title ? section->title : "", STR_ARG(pointers[i]),
				     why);
	}
}

static void build_flows(struct site *s, struct conf_report *report)
{
	const struct conf_section *root = &s->conf->root;
	s->flows.entries = xcalloc(count_sections(s->conf, "flow"), sizeof(*s->flows.entries));
	for (size_t i = 0; i < root->n_children; i++) {
		if (strcmp(root->children[i].keyword, "flow") != 0)
			continue;
		struct flow *flow = flow_build(&root->children[i], report);
		if (!flow)
			continue;
		struct redact *redact = redact_new();
		add_redact(redact, root, report);
		add_redact(redact, &root->children[i], report);
		s->flows.entries[s->flows.n++] = (struct flow_entry){.flow = flow,
								     .redact = redact};
	}
}

/* Titles name instances everywhere: in targets, metrics, kept state. */
static bool title_is_taken(struct site *s, const struct conf_section *section,
			   struct conf_report *report)
{
	for (instance *in = s->instances; in; in = in->next) {
		if (strcmp(in->name, section->title) != 0)
			continue;
		conf_problem(report, section->line,
			     "%s %s: the name is taken by %s %s in line %d: give it another",
			     section->keyword, section->title, in->role->full_name, in->name,
			     in->section->line);
		return true;
	}
	return false;
}

static void add_instance(struct site *s, const struct role *role,
			 const struct conf_section *section, struct conf_report *report)
{
	struct err e = {0};
	if (title_is_taken(s, section, report))
		return;
	if (role->row.kind == TXW_ROLE_STORE && s->store) {
		conf_problem(report, section->line,
			     "%s %s: a site has one store, and %s %s in line %d is it",
			     section->keyword, section->title, s->store->role->full_name,
			     s->store->name, s->store->section->line);
		return;
	}
	instance *in = instance_open(role, section, &s->services, &e);
	if (!in) {
		conf_problem(report, section->line, "%s", e.text);
		return;
	}
	in->next = s->instances;
	s->instances = in;
	if (role->row.kind == TXW_ROLE_STORE)
		s->store = in;
	else if (role->row.kind == TXW_ROLE_POLLER)
		watch_add(s->watch, in, report);
	else if (role->row.kind == TXW_ROLE_NOTIFIER)
		notify_add(s->notify, in, report);
}

static void make_instances(struct site *s, struct conf_report *report)
{
	const struct conf_section *root = &s->conf->root;
	for (size_t i = 0; i < root->n_children; i++) {
		const struct conf_section *section = &root->children[i];
		const struct role *role = plugins_role(s->plugins, section->keyword);
		if (role)
			add_instance(s, role, section, report);
	}
	for (size_t i = 0; i < root->n_children; i++)
		if (strcmp(root->children[i].keyword, "route") == 0)
			notify_add_route(s->notify, &root->children[i], report);
	if (count_sections(s->conf, "token") == 0)
		conf_warning(report, 0,
			     "the site has no token: make one with `txwatch token`, or every call "
			     "of the API is answered 401");
	listener_check(s->conf, report);
	/* The API reads it again when it opens: then it must be right. */
	auth_close(auth_open(s->conf, report));
	if (!s->store)
		conf_problem(report, 0,
			     "the site has no store: add \"store.sqlite\" to plugins and a section "
			     "`store.sqlite main { path = \"...\" }`");
}

/* ---- life ---- */

static struct site *site_new(const struct clock *clock)
{
	struct site *s = xcalloc(1, sizeof(*s));
	if (clock && clock->is_virtual)
		clock_virtual(&s->clock, clock_now(clock));
	else
		clock_real(&s->clock);
	s->loop = loop_open(&s->clock);
	s->metrics = metrics_open();
	s->egress = egress_open(s->loop, s->metrics);
	s->plugins = plugins_open();
	s->watch = watch_open(s->loop, s->metrics, &s->flows);
	s->notify = notify_open(s->loop, s->metrics);
	s->jobs = jobs_open(s->loop);
	s->services = (struct services){.loop = s->loop,
					.metrics = s->metrics,
					.egress = s->egress,
					.watch = s->watch,
					.notify = s->notify};
	s->services.state = state_open(&s->services);
	return s;
}

struct site *site_load(const char *path, const struct clock *clock, struct conf_report *report)
{
	struct conf_scan *scan = conf_scan(path, report);
	if (!scan)
		return NULL;
	struct site *s = site_new(clock);
	load_plugins(s, scan, report);
	s->conf = conf_parse(scan, plugins_schemas(s->plugins), plugins_refused(s->plugins),
			     report);
	conf_scan_free(scan);
	if (s->conf) {
		build_flows(s, report);
		/* Without its flows a poller's mistakes would be echoes. */
		if (report->n_errors == 0)
			make_instances(s, report);
	}
	if (s->conf)
		s->retention = retention_open(s->conf, &s->flows, s->metrics, report);
	if (report->n_errors == 0)
		return s;
	site_free(s);
	return NULL;
}

void site_free(struct site *s)
{
	egress_close(s->egress);
	/* Jobs and answers of what was cancelled last. */
	loop_drain(s->loop);
	follow_free(s->follow);
	jobs_close(s->jobs);
	if (s->engine)
		engine_close(s->engine);
	while (s->instances) {
		instance *in = s->instances;
		s->instances = in->next;
		instance_close(in);
	}
	notify_close(s->notify);
	watch_close(s->watch);
	for (size_t i = 0; i < s->flows.n; i++) {
		redact_free(s->flows.entries[i].redact);
		flow_free(s->flows.entries[i].flow);
	}
	free(s->flows.entries);
	if (s->conf)
		conf_free(s->conf);
	plugins_close(s->plugins);
	retention_close(s->retention);
	loop_close(s->loop);
	metrics_close(s->metrics);
	state_close(s->services.state);
	free(s);
}

struct plugins *site_plugins(struct site *s)
{
	return s->plugins;
}

const struct conf *site_conf(struct site *s)
{
	return s->conf;
}
