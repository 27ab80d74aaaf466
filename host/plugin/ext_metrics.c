/*
 * ext_metrics.c: extension "txw.metrics/1", on top of measure/metrics.
 *
 * A plugin's metric has the label "instance" first, then its own label if it
 * has one. The host's metrics borrow a definition's texts for their life,
 * which is longer than an instance's and, with reloads, than a site's: so
 * definitions are kept in a list of the process's (state.c holds it), one for
 * each name ever defined, and an instance finds its own by name.
 *
 * Limits: EXT_METRICS_MAX metrics an instance, EXT_SERIES_MAX series a metric
 * and instance; further label values are counted in "other".
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "plugin/ext.h"

#define uthash_malloc(n)  xmalloc(n)
#define uthash_fatal(msg) abort()
#include <uthash.h>

#define BOUNDS_MAX 64u
#define LABEL_MAX  128u /* bytes of a label's value */

struct metric_def {
	struct metric_def *next;
	struct arena texts;
	struct metric_row row;
};

struct own_series {
	struct series *series;
	UT_hash_handle hh;
	char value[]; /* the label's */
};

void metric_defs_free(struct metric_defs *d)
{
	struct metric_def *next;

	for (struct metric_def *def = d->first; def; def = next) {
		next = def->next;
		arena_free(&def->texts);
		free(def);
	}
}

static bool name_is_valid(const char *name)
{
	return name && name[0] >= 'a' && name[0] <= 'z' && strlen(name) <= LABEL_MAX &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static bool ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), k = strlen(end);
	return n > k && strcmp(name + n - k, end) == 0;
}

/* What a plugin may define; the host's own names are not for plugins. */
static bool may_define(uint32_t type, const char *name, const char *label, const double *bounds,
		       size_t n_bounds)
{
	if (!name_is_valid(name) || strncmp(name, "txwatch_", 8) == 0)
		return false;
	if (label && (!name_is_valid(label) || strcmp(label, "instance") == 0))
		return false;
	if (type == TXW_METRIC_GAUGE)
		return n_bounds == 0;
	if (type == TXW_METRIC_COUNTER)
		return n_bounds == 0 && ends_in(name, "_total");
	if (type != TXW_METRIC_HISTOGRAM || !bounds || n_bounds == 0 || n_bounds > BOUNDS_MAX)
		return false;
	for (size_t i = 0; i < n_bounds; i++)
		if (!isfinite(bounds[i]) || (i && bounds[i] <= bounds[i - 1]))
			return false;
	return true;
}

static bool is_same(const struct metric_row *row, uint32_t type, const char *label,
		    const double *bounds, size_t n_bounds)
{
	const char *has = row->labels[1];

	return row->type == type && row->n_bounds == n_bounds && !has == !label &&
	       (!has || strcmp(has, label) == 0) &&
	       (!n_bounds || memcmp(row->bounds, bounds, n_bounds * sizeof(*bounds)) == 0);
}

static struct metric_def *make_def(uint32_t type, const char *name, const char *help,
				   const char *label, const double *bounds, size_t n_bounds)
{
	struct metric_def *def = xcalloc(1, sizeof(*def));
	struct arena *a = &def->texts;
	double *copy = n_bounds ? arena_alloc(a, n_bounds * sizeof(*copy)) : NULL;

	if (n_bounds)
		memcpy(copy, bounds, n_bounds * sizeof(*copy));
	def->row = (struct metric_row){
	    .name = arena_printf(a, "%s", name),
	    .help = arena_printf(a, "%s", help ? help : ""),
	    .unit = strstr(name, "_seconds") ? "seconds"
		    : strstr(name, "_bytes") ? "bytes"
					     : NULL,
	    .type = type,
	    .labels = {"instance", label ? arena_printf(a, "%s", label) : NULL, NULL},
	    .bounds = copy,
	    .n_bounds = n_bounds,
	    /* Ours is the limit that counts, and it is per instance. */
	    .max_series = (size_t)EXT_SERIES_MAX * 100,
	};
	return def;
}

/* NULL: the name is taken by something else. */
static const struct metric_row *find_or_make_def(struct metric_defs *defs, uint32_t type,
						 const char *name, const char *help,
						 const char *label, const double *bounds,
						 size_t n_bounds)
{
	for (struct metric_def *def = defs->first; def; def = def->next)
		if (strcmp(def->row.name, name) == 0)
			return is_same(&def->row, type, label, bounds, n_bounds) ? &def->row : NULL;
	struct metric_def *def = make_def(type, name, help, label, bounds, n_bounds);
	def->next = defs->first;
	defs->first = def;
	return &def->row;
}

static struct series *find_in_host(const struct own_metric *m, const char *instance_name,
				   const char *value)
{
	const char *values[] = {instance_name, value};
	return metric_series(m->metric, values);
}

static int32_t find_own(const struct ext *x, const char *name)
{
	for (size_t i = 0; i < x->n_metrics; i++)
		if (strcmp(x->metrics[i].name, name) == 0)
			return (int32_t)i + 1;
	return 0;
}

static int32_t define(txw_instance *self, uint32_t type, const char *name, const char *help,
		      const char *label, const double *bounds, size_t n_bounds)
{
	struct ext *x = ext_of(self);
	const struct metric_row *row = NULL;

	assert(ext_is_home(self));
	if (!may_define(type, name, label, bounds, n_bounds))
		return TXW_E_INVALID;
	/* `check` makes instances where nothing is measured: there a metric
	 * is a handle and nothing behind it. */
	bool is_measured = self->services->metrics && self->services->state;
	if (is_measured) {
		row = find_or_make_def(state_metric_defs(self->services->state), type, name, help,
				       label, bounds, n_bounds);
		if (!row)
			return TXW_E_EXISTS;
	}
	pthread_mutex_lock(&x->lock);
	int32_t handle = find_own(x, name);
	if (handle == 0 && x->n_metrics == EXT_METRICS_MAX)
		handle = TXW_E_FULL;
	if (handle == 0) {
		struct own_metric *m = &x->metrics[x->n_metrics++];
		m->name = xstrdup(name);
		m->type = type;
		m->has_label = label != NULL;
		m->metric = row ? metric_define(self->services->metrics, row) : NULL;
		handle = (int32_t)x->n_metrics;
	}
	pthread_mutex_unlock(&x->lock);
	return handle;
}

/* The caller holds the lock. */
static struct series *find_series(txw_instance *self, struct own_metric *m, const char *value)
{
	struct own_series *s = NULL;
	size_t len = strlen(value);

	HASH_FIND(hh, m->series, value, len, s);
	if (s)
		return s->series;
	if (HASH_COUNT(m->series) >= EXT_SERIES_MAX) {
		if (!m->other)
			m->other = find_in_host(m, self->name, "other");
		return m->other;
	}
	s = xcalloc(1, sizeof(*s) + len + 1);
	memcpy(s->value, value, len);
	s->series = find_in_host(m, self->name, m->has_label ? value : NULL);
	HASH_ADD(hh, m->series, value[0], (unsigned)len, s);
	return s->series;
}

static void label_text(char out[LABEL_MAX + 1], const struct own_metric *m, txw_str value)
{
	size_t len = m->has_label && value.len <= LABEL_MAX && str_utf8(value) ? value.len : 0;

	if (len)
		memcpy(out, value.ptr, len);
	out[len] = '\0';
}

static void update(txw_instance *self, int32_t handle, txw_str label_value, double value)
{
	struct ext *x = ext_of(self);
	struct series *s = NULL;
	char label[LABEL_MAX + 1];
	uint32_t type = 0;

	pthread_mutex_lock(&x->lock);
	bool is_known = handle >= 1 && (size_t)handle <= x->n_metrics;
	if (is_known) {
		struct own_metric *m = &x->metrics[handle - 1];
		type = m->type;
		label_text(label, m, label_value);
		if (m->metric)
			s = find_series(self, m, label);
	}
	pthread_mutex_unlock(&x->lock);
	if (!is_known || !isfinite(value) || (type == TXW_METRIC_COUNTER && value < 0)) {
		self->misbehaved++;
		return;
	}
	if (!s)
		return;
	if (type == TXW_METRIC_COUNTER)
		series_add(s, value);
	else if (type == TXW_METRIC_GAUGE)
		series_set(s, value);
	else
		series_observe(s, value);
}

void ext_metrics_free(struct ext *x)
{
	for (size_t i = 0; i < x->n_metrics; i++) {
		struct own_metric *m = &x->metrics[i];
		struct own_series *s, *next;
		HASH_ITER(hh, m->series, s, next)
		{
			HASH_DEL(m->series, s);
			free(s);
		}
		free(m->name);
	}
}

const txw_metrics_ext METRICS_EXT = {
    .size = sizeof(METRICS_EXT),
    .define = define,
    .update = update,
};
