/*
 * args.h: SQL text that grows, and a statement's parameters in the protocol's
 * binary form.
 *
 * Texts that are no valid UTF-8, which the server would refuse, go as what
 * they say with U+FFFD for each byte that cannot be: a peer's answer may hold
 * anything. Running out of memory is noted and found when it is sent.
 */
#ifndef POSTGRESQL_ARGS_H
#define POSTGRESQL_ARGS_H

#include <stdbool.h>

#include "txwatch/abi.h"

/* The server's numbers for types; they never change. */
#define ARGS_INT   20u
#define ARGS_TEXT  25u
#define ARGS_BYTES 17u
#define ARGS_ID    2950u

struct text {
	char *at; /* zero-terminated once something was added */
	size_t len;
	size_t cap;
	bool failed;
};

void text_add(struct text *t, const char *s);
void text_print(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_free(struct text *t);

struct arg;

struct args {
	unsigned char *bytes;
	size_t len;
	size_t cap;
	struct arg *list;
	size_t n;
	size_t cap_list;
	bool failed;
};

/* Empties it and keeps its memory. */
void args_reset(struct args *a);
void args_free(struct args *a);

/* The next parameter. */
void args_int(struct args *a, int64_t v);
void args_some(struct args *a, int64_t v); /* 0: NULL */
void args_key(struct args *a, txw_str s);  /* the empty text is one */
void args_text(struct args *a, txw_str s); /* ... is NULL */
void args_id(struct args *a, txw_id id);

/* An array as the next parameter: args_array, n items, args_array_end. */
void args_array(struct args *a, uint32_t oid, size_t n);
void args_item_int(struct args *a, int64_t v);
void args_item_text(struct args *a, txw_str s, bool is_key);
void args_item_bytes(struct args *a, txw_str s);
void args_item_id(struct args *a, txw_id id);
void args_item_null(struct args *a);
void args_array_end(struct args *a);

/* Fills what libpq takes; arrays of a->n, borrowed from a. */
struct args_out {
	const char **values;
	int *lengths;
	int *formats;
};
bool args_out(struct args *a, struct args_out *out);
void args_out_free(struct args_out *out);

#endif
