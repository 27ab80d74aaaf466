/*
 * arena.h: memory that is freed all at once: what a unit hands out.
 *
 * Nothing here ends the process: NULL when there is no memory.
 */
#ifndef STORES_ARENA_H
#define STORES_ARENA_H

#include "txwatch/event.h"
#include "txwatch/store.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *head;
	size_t used; /* of the head */
};

void *arena_get(struct arena *a, size_t n);
/* Keeps one chunk for the next unit. */
void arena_reset(struct arena *a);
void arena_free(struct arena *a);

/* Deep copies; NULL when there is no memory. */
txw_tx *arena_tx(struct arena *a, const txw_tx *row);
txw_event *arena_event(struct arena *a, const txw_event *event);
txw_delivery_row *arena_delivery(struct arena *a, const txw_delivery_row *row);
txw_target *arena_target(struct arena *a, const txw_target *row);

#endif
