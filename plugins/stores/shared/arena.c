/* arena.c: see arena.h. */
#include "arena.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK (64u * 1024)

struct arena_chunk {
	struct arena_chunk *next;
	size_t cap;
	max_align_t bytes[];
};

void *arena_get(struct arena *a, size_t n)
{
	const size_t align = sizeof(max_align_t);
	n = (n + align - 1) / align * align;
	if (!a->head || a->head->cap - a->used < n) {
		size_t cap = n > CHUNK ? n : CHUNK;
		struct arena_chunk *c = malloc(sizeof(*c) + cap);
		if (!c)
			return NULL;
		c->next = a->head;
		c->cap = cap;
		a->head = c;
		a->used = 0;
	}
	char *p = (char *)a->head->bytes + a->used;
	a->used += n;
	return p;
}

void arena_reset(struct arena *a)
{
	struct arena_chunk *keep = NULL;
	while (a->head) {
		struct arena_chunk *c = a->head;
		a->head = c->next;
		if (!keep && c->cap == CHUNK) {
			keep = c;
			continue;
		}
		free(c);
	}
	if (keep)
		keep->next = NULL;
	a->head = keep;
	a->used = 0;
}

void arena_free(struct arena *a)
{
	arena_reset(a);
	free(a->head);
	a->head = NULL;
}

/* Copies the struct and the texts it holds at these offsets, in one piece. */
static void *copy(struct arena *a, const void *row, size_t size, const size_t *texts, size_t n)
{
	size_t total = size;
	for (size_t i = 0; i < n; i++) {
		txw_str s;
		memcpy(&s, (const char *)row + texts[i], sizeof(s));
		total += s.len;
	}
	char *out = arena_get(a, total);
	if (!out)
		return NULL;
	memcpy(out, row, size);
	char *at = out + size;
	for (size_t i = 0; i < n; i++) {
		txw_str s;
		memcpy(&s, (const char *)row + texts[i], sizeof(s));
		if (s.len)
			memcpy(at, s.ptr, s.len);
		s.ptr = s.len ? at : NULL;
		memcpy(out + texts[i], &s, sizeof(s));
		at += s.len;
	}
	return out;
}

#define TX(field)  offsetof(txw_tx, field)
#define EV(field)  offsetof(txw_event, field)
#define DLV(field) offsetof(txw_delivery_row, field)
#define TGT(field) offsetof(txw_target, field)
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))

static const size_t TX_TEXTS[] = {
    TX(tenant),   TX(flow),       TX(ref),    TX(status), TX(owner),          TX(amount),
    TX(currency), TX(attributes), TX(reason), TX(code),   TX(source_version), TX(anomaly)};
static const size_t EVENT_TEXTS[] = {
    EV(tenant), EV(from), EV(to),     EV(source),          EV(actor),
    EV(reason), EV(code), EV(detail), EV(source_event_id), EV(json),
    EV(digest), EV(hash), EV(trace)};
static const size_t DELIVERY_TEXTS[] = {DLV(tenant), DLV(reason)};
static const size_t TARGET_TEXTS[] = {TGT(tenant), TGT(name), TGT(reason)};

txw_tx *arena_tx(struct arena *a, const txw_tx *row)
{
	return copy(a, row, sizeof(*row), TX_TEXTS, COUNT(TX_TEXTS));
}

txw_event *arena_event(struct arena *a, const txw_event *event)
{
	txw_event *out = copy(a, event, sizeof(*event), EVENT_TEXTS, COUNT(EVENT_TEXTS));
	if (!out || !event->tx)
		return out;
	out->tx = arena_tx(a, event->tx);
	return out->tx ? out : NULL;
}

txw_delivery_row *arena_delivery(struct arena *a, const txw_delivery_row *row)
{
	return copy(a, row, sizeof(*row), DELIVERY_TEXTS, COUNT(DELIVERY_TEXTS));
}

txw_target *arena_target(struct arena *a, const txw_target *row)
{
	return copy(a, row, sizeof(*row), TARGET_TEXTS, COUNT(TARGET_TEXTS));
}
