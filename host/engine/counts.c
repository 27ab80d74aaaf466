/* counts.c: see counts.h. */
#include "engine/counts.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/row.h"
#include "base/str.h"
#include "engine/engine.h"

#define CAP_FIRST 64

enum kind { NOW, EVENTS };

struct count {
	enum kind kind;
	uint32_t outcome;
	txw_time bucket;
	txw_str tenant;
	txw_str flow;
	txw_str word; /* the status, or the event type's name */
	int64_t by;
};

static uint32_t mix(uint32_t h, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 16777619u; /* FNV-1a */
	return h;
}

static uint32_t hash(const struct count *c)
{
	uint32_t h = 2166136261u ^ (uint32_t)c->kind ^ c->outcome << 8;
	h = mix(h, &c->bucket, sizeof(c->bucket));
	h = mix(h, c->tenant.ptr, c->tenant.len);
	h = mix(h, c->flow.ptr, c->flow.len);
	return mix(h, c->word.ptr, c->word.len);
}

static bool is_same(const struct count *a, const struct count *b)
{
	return a->kind == b->kind && a->outcome == b->outcome && a->bucket == b->bucket &&
	       str_eq(a->tenant, b->tenant) && str_eq(a->flow, b->flow) && str_eq(a->word, b->word);
}

/* The slot of that count, or the empty one where it belongs. */
static uint32_t *slot_of(const struct counts *c, const struct count *what)
{
	size_t mask = c->cap * 2 - 1;
	size_t i = hash(what) & mask;
	while (c->slots[i] && !is_same(&c->rows[c->slots[i] - 1], what))
		i = (i + 1) & mask;
	return &c->slots[i];
}

static void grow(struct counts *c)
{
	c->cap = c->cap ? c->cap * 2 : CAP_FIRST;
	c->rows = xrealloc(c->rows, c->cap * sizeof(*c->rows));
	free(c->slots);
	c->slots = xcalloc(c->cap * 2, sizeof(*c->slots));
	for (size_t i = 0; i < c->n; i++)
		*slot_of(c, &c->rows[i]) = (uint32_t)i + 1;
}

static void add(struct unit *u, struct count what)
{
	struct counts *c = &u->counts;
	if (c->n == c->cap)
		grow(c);
	uint32_t *slot = slot_of(c, &what);
	if (*slot) {
		c->rows[*slot - 1].by += what.by;
		return;
	}
	what.tenant = arena_str(&u->arena, what.tenant);
	what.flow = arena_str(&u->arena, what.flow);
	what.word = arena_str(&u->arena, what.word);
	c->rows[c->n++] = what;
	*slot = (uint32_t)c->n;
}

void counts_now(struct unit *u, const txw_tx *row, txw_str status, uint32_t outcome, int64_t by)
{
	add(u, (struct count){.kind = NOW,
			      .outcome = outcome,
			      .tenant = row->tenant,
			      .flow = row->flow,
			      .word = status,
			      .by = by});
}

void counts_event(struct unit *u, const txw_event *ev)
{
	add(u, (struct count){.kind = EVENTS,
			      .bucket = ev->at - ev->at % DAY,
			      .tenant = ev->tenant,
			      .flow = ev->tx ? ev->tx->flow : STR_NONE,
			      .word = str_of(event_type_name(ev->type)),
			      .by = 1});
}

void counts_reset(struct counts *c)
{
	if (c->n)
		memset(c->slots, 0, c->cap * 2 * sizeof(*c->slots));
	c->n = 0;
}

static txw_str key_of(struct unit *u, const struct count *c)
{
	if (c->kind == EVENTS)
		return c->word;
	return str_of(
	    arena_printf(&u->arena, "%s/%.*s", outcome_name(c->outcome), STR_ARG(c->word)));
}

int32_t counts_save(struct unit *u, struct err *e)
{
	struct counts *c = &u->counts;
	if (!u->store->add_counts)
		return 0;
	for (size_t i = 0; i < c->n; i++) {
		const struct count *from = &c->rows[i];
		if (from->by == 0)
			continue;
		txw_count row = {
		    .size = sizeof(row),
		    .bucket = from->bucket,
		    .tenant = from->tenant,
		    .flow = from->flow,
		    .kind = from->kind == NOW ? STR_LIT("now") : STR_LIT("events"),
		    .key = key_of(u, from),
		    .count = from->by,
		};
		const txw_count *one = &row;
		int32_t rc = UNIT_CALL(u, e, add_counts, &one, 1);
		if (rc < 0)
			return rc;
	}
	return 0;
}

void counts_free(struct counts *c)
{
	free(c->rows);
	free(c->slots);
	*c = (struct counts){0};
}
