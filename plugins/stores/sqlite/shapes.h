/*
 * shapes.h: which combinations of tenant, flow, status and outcome there have
 * been: a few dozen rows that say where in the indexes a filter can find
 * anything.
 *
 * The writer notes each combination the first time it saves one; none is ever
 * taken away, so one may stand for no row any more. Readers ask the table.
 */
#ifndef SQLITE_SHAPES_H
#define SQLITE_SHAPES_H

#include <stdbool.h>
#include <stdint.h>

#include "db.h"

struct shape {
	int64_t tenant; /* names */
	int64_t flow;
	int64_t status;
	uint32_t outcome;
	uint32_t is_finished; /* has a finished_at */
};

/* The writer's image of the table. */
struct shapes {
	struct shape *rows;
	uint32_t *slots; /* hash: place in rows + 1, or 0 */
	size_t n;
	size_t cap;       /* of rows; slots has twice as many */
	size_t committed; /* of n, what outlives a rollback */
};

int32_t shapes_load(struct shapes *s, struct db *db, txw_error *err);
/* A row of that shape is being saved. */
int32_t shapes_note(struct shapes *s, struct db *db, const struct shape *shape, txw_error *err);
void shapes_commit(struct shapes *s);
void shapes_rollback(struct shapes *s);
void shapes_free(struct shapes *s);

#endif
