/* rows.c: see rows.h. */
#include "rows.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 256
/* Beyond it the tables are freed with their unit. */
#define SLOTS_KEEP 16384

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

static uint64_t mix_text(uint64_t h, txw_str s)
{
	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.ptr[i]) * UINT64_C(0x100000001b3);
	return mix(h, s.len);
}

static bool same_text(txw_str a, txw_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static txw_tx_name name_of(const txw_tx *tx)
{
	return (txw_tx_name){
	    .id = tx->id, .key = tx->key, .tenant = tx->tenant, .flow = tx->flow, .ref = tx->ref};
}

static uint64_t hash(int way, const txw_tx_name *n)
{
	if (way == ROWS_BY_KEY)
		return mix(1, (uint64_t)n->key);
	if (way == ROWS_BY_ID)
		return mix(mix(2, n->id.hi), n->id.lo);
	return mix_text(mix_text(mix_text(3, n->tenant), n->flow), n->ref);
}

static bool is_same(int way, const struct row *row, const txw_tx_name *n)
{
	const txw_tx *tx = row->tx;
	if (way == ROWS_BY_KEY)
		return tx->key == n->key;
	if (way == ROWS_BY_ID)
		return tx->id.hi == n->id.hi && tx->id.lo == n->id.lo;
	return same_text(tx->ref, n->ref) && same_text(tx->flow, n->flow) &&
	       same_text(tx->tenant, n->tenant);
}

/* The slot it is in, or the free one where it would be. */
static uint32_t *slot_of(const struct rows *r, int way, const txw_tx_name *n)
{
	size_t at = hash(way, n) & (r->n_slots - 1);
	uint32_t *slots = r->slots[way];
	while (slots[at] && !is_same(way, &r->list[slots[at] - 1], n))
		at = (at + 1) & (r->n_slots - 1);
	return &slots[at];
}

static int way_of(const txw_tx_name *n)
{
	return n->id.hi || n->id.lo ? ROWS_BY_ID : n->key ? ROWS_BY_KEY : ROWS_BY_REF;
}

struct row *rows_find(struct rows *r, const txw_tx_name *name)
{
	if (!r->n_slots)
		return NULL;
	uint32_t i = *slot_of(r, way_of(name), name);
	return i ? &r->list[i - 1] : NULL;
}

struct row *rows_by_key(struct rows *r, int64_t key)
{
	txw_tx_name n = {.key = key};
	return key ? rows_find(r, &n) : NULL;
}

static void place(struct rows *r, size_t i)
{
	const struct row *row = &r->list[i];
	txw_tx_name n = name_of(row->tx);
	for (int way = row->is_absent ? ROWS_BY_REF : 0; way < ROWS_WAYS; way++)
		*slot_of(r, way, &n) = (uint32_t)i + 1;
}

static bool grow(struct rows *r)
{
	if (r->n == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : SLOTS_MIN / 2;
		struct row *grown = realloc(r->list, cap * sizeof(*grown));
		if (!grown)
			return false;
		r->list = grown;
		r->cap = cap;
	}
	if (r->n_slots && r->n * 2 < r->n_slots)
		return true;
	size_t n_slots = r->n_slots ? r->n_slots * 2 : SLOTS_MIN;
	uint32_t *slots[ROWS_WAYS];
	for (int way = 0; way < ROWS_WAYS; way++) {
		slots[way] = calloc(n_slots, sizeof(*slots[way]));
		if (slots[way])
			continue;
		while (way-- > 0)
			free(slots[way]);
		return false;
	}
	for (int way = 0; way < ROWS_WAYS; way++) {
		free(r->slots[way]);
		r->slots[way] = slots[way];
	}
	r->n_slots = n_slots;
	for (size_t i = 0; i < r->n; i++)
		place(r, i);
	return true;
}

static struct row *add(struct rows *r, struct row row)
{
	if (!grow(r))
		return NULL;
	r->list[r->n] = row;
	place(r, r->n);
	return &r->list[r->n++];
}

struct row *rows_add(struct rows *r, const txw_tx *tx)
{
	txw_tx_name n = name_of(tx);
	uint32_t i = r->n_slots ? *slot_of(r, ROWS_BY_REF, &n) : 0;
	if (!i)
		return add(r, (struct row){.tx = tx});
	r->list[i - 1] = (struct row){.tx = tx};
	place(r, i - 1);
	return &r->list[i - 1];
}

struct row *rows_add_absent(struct rows *r, const txw_tx *tx)
{
	return add(r, (struct row){.tx = tx, .is_absent = true});
}

void rows_free(struct rows *r)
{
	free(r->list);
	for (int way = 0; way < ROWS_WAYS; way++)
		free(r->slots[way]);
	*r = (struct rows){.list = NULL};
}

void rows_reset(struct rows *r)
{
	if (r->n_slots > SLOTS_KEEP) {
		rows_free(r);
		return;
	}
	for (int way = 0; way < ROWS_WAYS && r->n && r->n_slots; way++)
		memset(r->slots[way], 0, r->n_slots * sizeof(*r->slots[way]));
	r->n = 0;
}
