/*
 * instance.h: one configured use of a role, and the thread it runs on.
 */
#ifndef TXWATCH_PLUGIN_INSTANCE_H
#define TXWATCH_PLUGIN_INSTANCE_H

#include "base/loop.h"
#include "plugin/plugin.h"

struct services;
struct egress_policy;

/* This is what a plugin holds as txw_instance *. */
struct txw_instance {
	uint32_t magic;   /* INSTANCE_MAGIC while alive */
	const char *name; /* the section's title */
	const struct role *role;
	const struct conf_section *section;
	struct services *services;
	struct egress_policy *policy; /* allow-networks, opened */
	void *self;                   /* the plugin's */
	void *worker;                 /* TXW_BLOCKING: its thread */
	void *owner;                  /* watch's or notify's own data */
	void *ext;                    /* the extensions' own data */
	_Atomic int64_t misbehaved;   /* late or double completions ... */
	struct txw_instance *next;
};
typedef struct txw_instance instance;
#define INSTANCE_MAGIC 0x1a57a9ceu

/* Everything the extension tables reach; filled by main's site. Pointers are
 * borrowed and outlive the instances. */
struct services {
	struct loop *loop;
	struct metrics *metrics;
	struct egress *egress;
	struct watch *watch;
	struct notify *notify;
	struct engine *engine;      /* NULL until the store is open */
	struct plugin_state *state; /* "txw.state/1": set by state_open */
};

/* Calls create. NULL and e's text, "poller.http bank: ...", if it failed. */
instance *instance_open(const struct role *role, const struct conf_section *section,
			struct services *services, struct err *e);
/* Ends the worker, calls destroy. */
void instance_close(instance *in);

/* Runs task->run on the instance's thread: at once if it is a [loop] one
 * (call from the loop), on its worker otherwise. */
void instance_run(instance *in, struct task *task);

/* The table of one extension (host_table.c knows them all), or NULL. */
const void *host_extension(instance *in, const char *name);

/* "txw.state/1": loads every instance's values from the store's docs of kind
 * "state" before instances run; puts become engine jobs. */
struct plugin_state *state_open(struct services *services);
void state_close(struct plugin_state *s);
/* One loaded value, at start. */
void state_load(struct plugin_state *s, txw_str instance_name, txw_str key, txw_str value);

#endif
