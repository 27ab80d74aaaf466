/*
 * input.h: strict JSON bodies, read by rows into structs.
 *
 * Unknown members are refused with the nearest known name, so are wrong
 * types, duplicate keys, texts too long and what is nested too deep. Texts
 * that come out are borrowed from the JSON, objects are copied as text to the
 * arena. Pure. [any]
 */
#ifndef TXWATCH_API_INPUT_H
#define TXWATCH_API_INPUT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/mem.h"

#define INPUT_DEPTH_MAX 32
#define INPUT_JSON_MAX  ((size_t)64 * 1024) /* attributes, detail: as text */

enum input_kind {
	INPUT_LINE,    /* txw_str: 1..max characters, no control characters */
	INPUT_TEXT,    /* txw_str: 0..max characters */
	INPUT_DECIMAL, /* txw_str: an exact decimal, as a text or an integer */
	INPUT_CURRENCY,
	INPUT_OBJECT, /* txw_str: an object as JSON text */
	INPUT_JSON,   /* txw_str: anything as JSON text */
	INPUT_TIME,   /* txw_time: RFC 3339 */
	INPUT_PERIOD, /* int64_t microseconds: "90s", or whole seconds; > 0 */
	INPUT_BOOL,   /* uint32_t: 0 or 1 */
	INPUT_COUNT,  /* int64_t: 1 or more */
	INPUT_SKIP,   /* allowed, read by the caller */
};

#define INPUT_REQUIRED 1u
#define INPUT_NULLABLE 2u /* null is "none" */

struct input_row {
	const char *name;
	enum input_kind kind;
	uint32_t flags;
	size_t offset;
	size_t max;   /* characters */
	uint32_t set; /* or'ed into *set when given */
};

/* What is wrong, in the arena. */
struct mistake {
	const char *member; /* NULL: the body as a whole */
	const char *text;
};

struct input {
	struct arena *arena;
	struct buf scratch; /* freed by input_end */
	struct mistake mistake;
};

/* The body as an object, owned by the caller; NULL and in->mistake if not. */
json_t *input_parse(struct input *in, txw_str body);
/* false and in->mistake if not. out: a zeroed struct that rows point into. */
bool input_read(struct input *in, const json_t *object, const struct input_row *rows, size_t n,
		void *out, uint32_t *set);
bool input_wrong(struct input *in, const char *member, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void input_end(struct input *in);

/* JSON as compact text, at most max bytes, into the arena. */
bool input_print(struct input *in, const char *member, const json_t *value, txw_str *out);

#endif
