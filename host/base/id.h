/*
 * id.h: TypeIDs (a prefix and a UUIDv7, RFC 9562; github jetify/typeid spec
 * 0.3), and ids derived from a store's row keys.
 */
#ifndef TXWATCH_BASE_ID_H
#define TXWATCH_BASE_ID_H

#include <stdbool.h>

#include "txwatch/abi.h"

#define ID_TEXT_MAX 64 /* prefix, '_', 26 characters, NUL */

/* A new random id, ascending within a thread for one millisecond. [any] */
txw_id id_new(txw_time now);

/* An id that holds a row key (up to 44 bits) beside the database's `site`
 * number: no column and no index is needed to find the row again. */
txw_id id_from_key(txw_time created, uint32_t site, int64_t key);
/* false: not made by id_from_key with this site. The caller compares
 * id_millis() with the row's own time. */
bool id_to_key(txw_id id, uint32_t site, int64_t *key);
int64_t id_millis(txw_id id);

size_t id_print(char *out, const char *prefix, txw_id id);
bool id_parse(txw_str text, const char *prefix, txw_id *out);

static inline bool id_is_none(txw_id id)
{
	return id.hi == 0 && id.lo == 0;
}

static inline bool id_eq(txw_id a, txw_id b)
{
	return a.hi == b.hi && a.lo == b.lo;
}

#endif
