/*
 * ext.h: what the extension tables share. Private to this folder.
 */
#ifndef TXWATCH_PLUGIN_EXT_H
#define TXWATCH_PLUGIN_EXT_H

#include <pthread.h>

#include "base/mem.h"
#include "measure/metrics.h"
#include "plugin/instance.h"

struct http_call;
struct own_series;

/* One metric of an instance. */
struct own_metric {
	struct metric *metric; /* NULL: this host measures nothing */
	char *name;            /* owned */
	uint32_t type;
	bool has_label;
	struct own_series *series; /* uthash, by label value */
	struct series *other;      /* those beyond the limit */
};

#define EXT_METRICS_MAX 32
#define EXT_SERIES_MAX  100
#define EXT_TEXTS       16

/*
 * An instance's own data of the extensions. Outlives the instance while HTTP
 * requests of it are under way: their answers are dropped then.
 */
struct ext {
	pthread_t home; /* [load] and [loop]: the thread that opened it */
	pthread_mutex_t lock;
	struct egress_policy *policy;
	bool is_closed;          /* the instance is gone */
	struct http_call *calls; /* under way */

	size_t n_metrics;
	struct own_metric metrics[EXT_METRICS_MAX];

	/* Errors handed to the plugin, which copies them at once: a ring, so
	 * that threads failing at the same time do not share one. */
	_Atomic uint32_t next_text;
	char texts[EXT_TEXTS][512];
};

/* The policy is the ext's from here on. */
struct ext *ext_open(struct egress_policy *policy);
/* Cancels the HTTP requests under way. */
void ext_close(struct ext *x, struct egress *egress);
/* Frees an ext that is closed and has no calls. Its lock is not held. */
void ext_free(struct ext *x);

static inline struct ext *ext_of(txw_instance *self)
{
	return self->ext;
}

/* A debug host's assertion of [load] and [loop]. */
static inline bool ext_is_home(const txw_instance *self)
{
	const struct ext *x = self->ext;
	return pthread_equal(x->home, pthread_self());
}

/* Hands rc and e's text to a plugin (err may be NULL). Returns rc. */
int32_t ext_error(txw_instance *self, int32_t rc, const struct err *e, txw_error *err);

extern const txw_host HOST_TABLE;
extern const txw_http_ext HTTP_EXT;
extern const txw_metrics_ext METRICS_EXT;
extern const txw_state_ext STATE_EXT;

void ext_http_cancel_all(struct ext *x, struct egress *egress);
void ext_metrics_free(struct ext *x);

/* The definitions of plugins' metrics, which live as long as the metrics do:
 * state.c keeps them. [load] [loop] */
struct metric_def;
struct metric_defs {
	struct metric_def *first;
};
struct metric_defs *state_metric_defs(struct plugin_state *s);
void metric_defs_free(struct metric_defs *d);

#endif
