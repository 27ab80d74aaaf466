/*
 * fields.h: the parameter fields: of an object only the members asked for.
 *
 * Works on the text of the object as we wrote it, so that a number keeps its
 * digits. Pure.
 */
#ifndef TXWATCH_API_FIELDS_H
#define TXWATCH_API_FIELDS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

#define FIELDS_MAX 32

/* None: the whole object. */
struct fields {
	size_t n;
	txw_str paths[FIELDS_MAX]; /* "status", "attributes.country" */
};

/* "id, status, attributes.country" of a transaction; false and e->text if one
 * is unknown. Borrowed. */
bool fields_parse(txw_str text, struct fields *out, struct err *e);
/* Appends the object with what was asked of it, in the object's order; what it
 * has not is left out. */
void fields_pick(const struct fields *f, txw_str object, struct buf *out);

#endif
