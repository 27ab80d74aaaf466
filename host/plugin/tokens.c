/*
 * tokens.c: single-use numbers that name what is pending.
 *
 * A token is (generation << 32 | slot). Invariants:
 *   - a slot in use has a thing; a free one is in the free list;
 *   - a slot's generation grows when its token is taken, so that a number
 *     that was ever given out never names something else (short of 2^32
 *     uses of one slot while somebody keeps the number);
 *   - generations begin at 1, so no token is 0.
 *
 * Everything is under one lock, held for a few instructions. [any]
 */
#include "plugin/tokens.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"

#define NO_SLOT UINT32_MAX

struct slot {
	void *thing; /* NULL: free */
	uint32_t generation;
	uint32_t next; /* of the free list */
};

struct tokens {
	pthread_mutex_t lock;
	struct slot *slots;
	uint32_t n;
	uint32_t free; /* the first free slot, or NO_SLOT */
	size_t pending;
};

struct tokens *tokens_open(void)
{
	struct tokens *t = xcalloc(1, sizeof(*t));

	pthread_mutex_init(&t->lock, NULL);
	t->free = NO_SLOT;
	return t;
}

void tokens_close(struct tokens *t)
{
	if (!t)
		return;
	pthread_mutex_destroy(&t->lock);
	free(t->slots);
	free(t);
}

/* Twice as many slots; the new ones are free. */
static void grow(struct tokens *t)
{
	uint32_t more = t->n ? t->n : 64;

	t->slots = xrealloc(t->slots, ((size_t)t->n + more) * sizeof(*t->slots));
	for (uint32_t i = t->n + more; i-- > t->n;) {
		t->slots[i] = (struct slot){.thing = NULL, .generation = 1, .next = t->free};
		t->free = i;
	}
	t->n += more;
}

uint64_t tokens_issue(struct tokens *t, void *thing)
{
	pthread_mutex_lock(&t->lock);
	if (t->free == NO_SLOT)
		grow(t);
	uint32_t i = t->free;
	struct slot *slot = &t->slots[i];
	t->free = slot->next;
	slot->thing = thing;
	t->pending++;
	uint64_t token = (uint64_t)slot->generation << 32 | i;
	pthread_mutex_unlock(&t->lock);
	return token;
}

void *tokens_take(struct tokens *t, uint64_t token)
{
	uint32_t i = (uint32_t)token;
	uint32_t generation = (uint32_t)(token >> 32);
	void *thing = NULL;

	pthread_mutex_lock(&t->lock);
	if (i < t->n && t->slots[i].generation == generation && t->slots[i].thing) {
		struct slot *slot = &t->slots[i];
		thing = slot->thing;
		slot->thing = NULL;
		slot->generation = generation == UINT32_MAX ? 1 : generation + 1;
		slot->next = t->free;
		t->free = i;
		t->pending--;
	}
	pthread_mutex_unlock(&t->lock);
	return thing;
}

size_t tokens_pending(struct tokens *t)
{
	pthread_mutex_lock(&t->lock);
	size_t n = t->pending;
	pthread_mutex_unlock(&t->lock);
	return n;
}
