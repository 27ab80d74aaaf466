/* shapes.c: see shapes.h. */
#include "shapes.h"

#include <stdlib.h>

#define CAP_FIRST 64

static uint32_t hash(const struct shape *x)
{
	uint64_t h = (uint64_t)x->tenant;
	h = h * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)x->flow;
	h = h * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)x->status;
	h = h * UINT64_C(0x9e3779b97f4a7c15) + x->outcome * 2 + x->is_finished;
	return (uint32_t)(h * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static bool is_same(const struct shape *a, const struct shape *b)
{
	return a->tenant == b->tenant && a->flow == b->flow && a->status == b->status &&
	       a->outcome == b->outcome && a->is_finished == b->is_finished;
}

/* The slot of that shape, or the empty one where it belongs. */
static uint32_t *slot_of(const struct shapes *s, const struct shape *shape)
{
	size_t mask = s->cap * 2 - 1;
	size_t i = hash(shape) & mask;
	while (s->slots[i] && !is_same(&s->rows[s->slots[i] - 1], shape))
		i = (i + 1) & mask;
	return &s->slots[i];
}

static void fill_slots(struct shapes *s)
{
	for (size_t i = 0; i < s->cap * 2; i++)
		s->slots[i] = 0;
	for (size_t i = 0; i < s->n; i++)
		*slot_of(s, &s->rows[i]) = (uint32_t)i + 1;
}

static bool grow(struct shapes *s)
{
	size_t cap = s->cap ? s->cap * 2 : CAP_FIRST;
	struct shape *rows = realloc(s->rows, cap * sizeof(*rows));
	if (!rows)
		return false;
	s->rows = rows;
	uint32_t *slots = realloc(s->slots, cap * 2 * sizeof(*slots));
	if (!slots)
		return false;
	s->slots = slots;
	s->cap = cap;
	fill_slots(s);
	return true;
}

/* 1: it is new. 0: known. Or an error. */
static int32_t keep(struct shapes *s, struct db *db, const struct shape *shape, txw_error *err)
{
	if (s->n == s->cap && !grow(s))
		return db_say(db, TXW_E_NOMEM, err, "no memory for the shapes of transactions");
	uint32_t *slot = slot_of(s, shape);
	if (*slot)
		return 0;
	s->rows[s->n++] = *shape;
	*slot = (uint32_t)s->n;
	return 1;
}

int32_t shapes_load(struct shapes *s, struct db *db, txw_error *err)
{
	sqlite3_stmt *st = db_stmt(db, SQL_SHAPE_LOAD);
	int32_t rc;
	while ((rc = db_step(db, st, "reading shapes", err)) > 0) {
		struct shape shape = {column_int(st, 0), column_int(st, 1), column_int(st, 2),
				      (uint32_t)column_int(st, 3), (uint32_t)column_int(st, 4)};
		if ((rc = keep(s, db, &shape, err)) < 0)
			break;
	}
	sqlite3_reset(st);
	shapes_commit(s);
	return rc < 0 ? rc : TXW_OK;
}

int32_t shapes_note(struct shapes *s, struct db *db, const struct shape *shape, txw_error *err)
{
	sqlite3_stmt *st = db_stmt(db, SQL_SHAPE_ADD);
	int32_t rc = keep(s, db, shape, err);
	if (rc <= 0)
		return rc;
	bind_int(st, 1, shape->tenant);
	bind_int(st, 2, shape->flow);
	bind_int(st, 3, shape->status);
	bind_int(st, 4, shape->outcome);
	bind_int(st, 5, shape->is_finished);
	return db_run(db, st, "saving a shape", err);
}

void shapes_commit(struct shapes *s)
{
	s->committed = s->n;
}

void shapes_rollback(struct shapes *s)
{
	if (s->n == s->committed)
		return;
	s->n = s->committed;
	fill_slots(s);
}

void shapes_free(struct shapes *s)
{
	free(s->rows);
	free(s->slots);
	*s = (struct shapes){0};
}
