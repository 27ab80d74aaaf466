/* rowcache.c: see rowcache.h. Locked: the loop reads, the writer drops. */
#include "api/rowcache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/mem.h"
#include "base/str.h"

struct entry {
	UT_hash_handle hh; /* in the order they came */
	txw_id id;
	int64_t version;
	size_t tenant_len;
	size_t json_len;
	char bytes[]; /* the tenant, the JSON */
};

struct rowcache {
	pthread_mutex_t lock;
	struct entry *entries;
	size_t bytes;
	uint64_t moment; /* commits seen */
};

static size_t weight(const struct entry *e)
{
	return sizeof(*e) + e->tenant_len + e->json_len;
}

struct rowcache *rowcache_open(void)
{
	struct rowcache *c = xcalloc(1, sizeof(*c));
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

static void drop(struct rowcache *c, struct entry *e)
{
	HASH_DEL(c->entries, e);
	c->bytes -= weight(e);
	free(e);
}

void rowcache_close(struct rowcache *c)
{
	while (c->entries)
		drop(c, c->entries);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

bool rowcache_get(struct rowcache *c, txw_id id, txw_str tenant, int64_t *version, struct buf *out)
{
	struct entry *e;
	pthread_mutex_lock(&c->lock);
	HASH_FIND(hh, c->entries, &id, sizeof(id), e);
	bool found = e && str_eq((txw_str){e->bytes, e->tenant_len}, tenant);
	if (found) {
		*version = e->version;
		buf_add(out, e->bytes + e->tenant_len, e->json_len);
	}
	pthread_mutex_unlock(&c->lock);
	return found;
}

uint64_t rowcache_moment(struct rowcache *c)
{
	pthread_mutex_lock(&c->lock);
	uint64_t moment = c->moment;
	pthread_mutex_unlock(&c->lock);
	return moment;
}

void rowcache_put(struct rowcache *c, uint64_t moment, const txw_tx *row, txw_str json)
{
	struct entry *old, *e = xmalloc(sizeof(*e) + row->tenant.len + json.len);
	memset(e, 0, sizeof(*e));
	e->id = row->id;
	e->version = row->version;
	e->tenant_len = row->tenant.len;
	e->json_len = json.len;
	memcpy(e->bytes, row->tenant.ptr, row->tenant.len);
	memcpy(e->bytes + row->tenant.len, json.ptr, json.len);
	pthread_mutex_lock(&c->lock);
	if (c->moment != moment) {
		free(e);
	} else {
		HASH_FIND(hh, c->entries, &e->id, sizeof(e->id), old);
		if (old)
			drop(c, old);
		HASH_ADD(hh, c->entries, id, sizeof(e->id), e);
		c->bytes += weight(e);
		while (c->bytes > ROWCACHE_BYTES)
			drop(c, c->entries);
	}
	pthread_mutex_unlock(&c->lock);
}

void rowcache_forget(void *ctx, const txw_id *ids, size_t n)
{
	struct rowcache *c = ctx;
	pthread_mutex_lock(&c->lock);
	c->moment++;
	for (size_t i = 0; i < n && c->entries; i++) {
		struct entry *e;
		HASH_FIND(hh, c->entries, &ids[i], sizeof(ids[i]), e);
		if (e)
			drop(c, e);
	}
	pthread_mutex_unlock(&c->lock);
}

void rowcache_forget_all(struct rowcache *c)
{
	pthread_mutex_lock(&c->lock);
	c->moment++;
	while (c->entries)
		drop(c, c->entries);
	pthread_mutex_unlock(&c->lock);
}
