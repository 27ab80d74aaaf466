/*
 * redact.h: values that are never kept: the places in `detail` and
 * `attributes` that a site's or a flow's `redact` names by JSON Pointers.
 */
#ifndef TXWATCH_ENGINE_REDACT_H
#define TXWATCH_ENGINE_REDACT_H

#include <stdbool.h>

#include "base/mem.h"

#define REDACT_POINTERS_MAX 64 /* of a flow and its site together */
#define REDACT_DEPTH_MAX    32 /* segments of one */

/* What stands where a value was. */
#define REDACTED "[redacted]"

struct redact;

struct redact *redact_new(void);
/* One more pointer (RFC 6901, but a segment `*` leads to every member or
 * element). NULL: taken; else what is wrong with it. */
const char *redact_add(struct redact *r, txw_str pointer);
void redact_free(struct redact *r);
/* JSON text with the values that the pointers lead to replaced; the rest is as
 * it was, byte for byte. In the arena, or json itself where nothing changed.
 * What is no JSON is replaced whole, by {}. r may be NULL. Pure. [any] */
txw_str redact_json(const struct redact *r, struct arena *a, txw_str json);

#endif
