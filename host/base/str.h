/* str.h: small helpers for txw_str, strings that carry their length. */
#ifndef TXWATCH_BASE_STR_H
#define TXWATCH_BASE_STR_H

#include <stdbool.h>
#include <string.h>

#include "txwatch/abi.h"

/* For printf: "%.*s", STR_ARG(s). */
#define STR_ARG(s)   (int)(s).len, (s).ptr ? (s).ptr : ""
#define STR_LIT(lit) ((txw_str){(lit), sizeof(lit) - 1})
#define STR_NONE     ((txw_str){NULL, 0})

static inline txw_str str_of(const char *z)
{
	return (txw_str){z, z ? strlen(z) : 0};
}

static inline bool str_eq(txw_str a, txw_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool str_is(txw_str a, const char *z)
{
	return str_eq(a, str_of(z));
}

static inline bool str_starts(txw_str s, txw_str with)
{
	return s.len >= with.len && (with.len == 0 || memcmp(s.ptr, with.ptr, with.len) == 0);
}

/* Byte order, shorter first on a tie: <0, 0, >0. */
int str_cmp(txw_str a, txw_str b);

/* Is it valid UTF-8 without NUL? */
bool str_utf8(txw_str s);

/* A malloc'd zero-terminated copy; the process ends when memory does. */
char *str_dup(txw_str s);

/* Whole-string decimal integer. false: not one, or out of range. */
bool str_int(txw_str s, int64_t *out);
/* Sixteen small hexadecimal digits, without a 0 behind them. */
void str_hex(char out[16], uint64_t n);

/* The nearest of n names by edit distance, or NULL when none is near. */
const char *str_nearest(const char *word, const char *const *names, size_t n);

#endif
