/* target.c: targets by key and by name; channels' schedules. [loop] */
#include "base/str.h"
#include "notify/private.h"

#include <stdlib.h>

size_t target_window(const struct target *t)
{
	return atomic_load(&t->window);
}

/* What is held must be sent before its lease ends, or the store would hand it
 * out again. */
static size_t window_of(const struct target *t)
{
	size_t w = t->concurrency * 24;
	w = w < WINDOW_MIN ? WINDOW_MIN : w > WINDOW_MAX ? WINDOW_MAX : w;
	size_t by_timeout = (size_t)(LEASE / 2 / t->channel->timeout) * t->concurrency;
	size_t by_rate = t->rate.gap ? (size_t)(LEASE / 2 / t->rate.gap) : w;
	w = w < by_timeout ? w : by_timeout;
	w = w < by_rate ? w : by_rate;
	return w ? w : 1;
}

void target_limit(struct target *t, size_t concurrency, txw_str rate)
{
	t->concurrency = concurrency ? concurrency : t->channel->concurrency;
	if (!rate_parse(rate.len ? rate : t->channel->rate, &t->rate))
		t->rate = (struct rate){0};
	atomic_store(&t->window, window_of(t));
}

static char *name_key(txw_str tenant, txw_str name, size_t *len)
{
	char *key = xmalloc(tenant.len + name.len + 1);
	if (tenant.len)
		memcpy(key, tenant.ptr, tenant.len);
	key[tenant.len] = '\0';
	memcpy(key + tenant.len + 1, name.ptr, name.len);
	*len = tenant.len + 1 + name.len;
	return key;
}

struct target *target_by_name(struct notify *n, txw_str tenant, txw_str name)
{
	size_t len;
	struct target *t;
	char *key = name_key(tenant, name, &len);
	HASH_FIND(by_name, n->by_name, key, len, t);
	free(key);
	return t;
}

struct target *target_new(struct notify *n, txw_str tenant, txw_str name)
{
	struct target *t = xcalloc(1, sizeof(*t));
	t->notify = n;
	t->tenant = arena_str(&t->arena, tenant);
	t->name = arena_str(&t->arena, name);
	t->last = &t->first;
	atomic_store(&t->window, WINDOW_MIN);
	t->hash_name = name_key(tenant, name, &t->hash_len);
	return t;
}

void target_add(struct notify *n, struct target *t)
{
	t->is_added = true;
	HASH_ADD(by_key, n->by_key, key, sizeof(t->key), t);
	HASH_ADD_KEYPTR(by_name, n->by_name, t->hash_name, t->hash_len, t);
}

struct address *address_new(struct channel *c, txw_str address, txw_str settings)
{
	struct address *a = xcalloc(1, sizeof(*a));
	a->refs = 1;
	a->channel = c;
	a->address = arena_str(&a->arena, address);
	a->settings = arena_str(&a->arena, settings);
	return a;
}

void address_unref(struct address *a)
{
	if (!a || --a->refs)
		return;
	arena_free(&a->arena);
	free(a);
}

static void target_free(struct target *t)
{
	address_unref(t->address);
	arena_free(&t->arena);
	free(t->hash_name);
	free(t);
}

void target_remove(struct target *t)
{
	struct notify *n = t->notify;
	bool is_first = !t->is_deleted;
	if (is_first && t->is_added) {
		HASH_DELETE(by_key, n->by_key, t);
		HASH_DELETE(by_name, n->by_name, t);
	}
	t->is_deleted = true;
	settle_forget(t);
	timer_clear(n->loop, &t->wake);
	if (is_first)
		lane_give_back(t, 0);
	if (atomic_load(&t->held) == 0 && !t->is_claiming && !t->is_hungry)
		target_free(t);
}

void target_row(const struct target *t, txw_target *out)
{
	*out = (txw_target){
	    .size = sizeof(*out),
	    .disabled = atomic_load(&t->is_disabled),
	    .key = t->key,
	    .tenant = t->tenant,
	    .name = t->name,
	    .paused_until = t->paused_until,
	    .failing_since = t->failing_since,
	    .failures = t->failures,
	};
}

struct channel *channel_find(struct notify *n, txw_str name)
{
	for (struct channel *c = n->channels; c; c = c->next)
		if (str_is(name, c->in->name))
			return c;
	return NULL;
}

int64_t channel_backoff(const struct channel *c, uint32_t attempts, uint64_t salt)
{
	/* A round is one attempt more than there are waits; a delivery that
	 * is sent again after its end has a round of its own. */
	size_t k = attempts % (c->n_schedule + 1);
	if (k == 0)
		return -1;
	int64_t wait = c->schedule[k - 1];
	int64_t width = wait / 1000 * c->jitter_milli;
	if (width <= 0)
		return wait;
	/* A Weyl step and a multiply spread neighbouring keys well enough. */
	uint64_t r = (salt * 64 + attempts) * UINT64_C(0x9e3779b97f4a7c15);
	r ^= r >> 29;
	return wait - width + (int64_t)(r % (uint64_t)(2 * width + 1));
}
