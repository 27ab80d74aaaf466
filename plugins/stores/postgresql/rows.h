/*
 * rows.h: the transactions a unit has seen, as they stand in it: found by
 * key, by id and by (tenant, flow, ref). Also remembers which references
 * were looked for and not there.
 *
 * Rows are the unit's arena's; what is saved replaces the pointer, so a row
 * that was handed out stays as it was.
 */
#ifndef POSTGRESQL_ROWS_H
#define POSTGRESQL_ROWS_H

#include <stdbool.h>

#include "txwatch/store.h"

#define ROWS_BY_KEY 0
#define ROWS_BY_ID  1
#define ROWS_BY_REF 2
#define ROWS_WAYS   3

struct row {
	const txw_tx *tx;
	bool is_absent; /* of tx only tenant, flow and ref are there */
	bool is_dirty;
	bool is_new;
};

struct rows {
	struct row *list;
	size_t n;
	size_t cap;
	uint32_t *slots[ROWS_WAYS]; /* hash: index + 1, or 0 */
	size_t n_slots;             /* of each; a power of two */
};

/* NULL: not seen. Valid until the next rows_add. */
struct row *rows_find(struct rows *r, const txw_tx_name *name);
struct row *rows_by_key(struct rows *r, int64_t key);
/* Adds one that rows_find does not find, or fills an absent one; NULL: no
 * memory. */
struct row *rows_add(struct rows *r, const txw_tx *tx);
/* tx: with tenant, flow and ref. */
struct row *rows_add_absent(struct rows *r, const txw_tx *tx);
void rows_reset(struct rows *r);
void rows_free(struct rows *r);

#endif
