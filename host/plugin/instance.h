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
 * (call from the loop), on its worker otherwise. Returns 0, or TXW_E_BUSY when
 * 4096 tasks wait for the worker: the task was not taken and will not run. */
int32_t instance_run(instance *in, struct task *task);

/* The table of one extension (host_table.c knows them all), or NULL. */
const void *host_extension(instance *in, const char *name);

/*
 * "txw.state/1": what instances keep over restarts, in the store's docs of
 * kind "state", tenant "", id "INSTANCE/KEY", the value as a JSON string.
 * Loaded from there before instances run; a put becomes an engine job, or
 * waits for the engine to exist. Open it before the first instance; close it
 * after the last one, the engine and the metrics (it keeps the texts of what
 * plugins measure).
 */
struct plugin_state *state_open(struct services *services);
void state_close(struct plugin_state *s);
/* One loaded value, at start; what was put since is newer and stays. */
void state_load(struct plugin_state *s, txw_str instance_name, txw_str key, txw_str value);
/* The same from a doc as the store has it. TXW_E_CORRUPT: not one of ours;
 * e says which. */
int32_t state_load_doc(struct plugin_state *s, const txw_doc *doc, struct err *e);
/* Call when services->engine has been set: writes what was put before. [any] */
void state_flush(struct plugin_state *s);

#endif
