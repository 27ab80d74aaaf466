/* value.h: an option's texts, checked against its row. Private. */
#ifndef TXWATCH_CONFIG_VALUE_H
#define TXWATCH_CONFIG_VALUE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/mem.h"
#include "txwatch/abi.h"

#define VALUE_IS_LIST true

/* Fills *out from n texts as written. The error's text says what was found
 * (never of a secret) and what is allowed. */
int32_t value_make(struct arena *a, const txw_option *row, const txw_str *texts, uint32_t n,
		   bool is_list, txw_value *out, struct err *e);

/* The same from the row's fallback; is_set is 0 if there is none. A list's
 * fallback is written as in a file, with or without the braces. */
int32_t value_default(struct arena *a, const txw_option *row, txw_value *out, struct err *e);

/* "512", "64KB", "16MB", "2GB". */
bool bytes_parse(txw_str s, int64_t *out);
#define BYTES_TEXT_MAX 32
size_t bytes_print(char *out, int64_t n);

/* A text as it may stand in a message: cut, control characters escaped. */
const char *value_shown(struct arena *a, txw_str text);

/* Row i of a strided list. */
static inline const txw_option *row_at(const txw_option *rows, size_t stride, size_t i)
{
	return (const txw_option *)(const void *)((const char *)rows + stride * i);
}

#endif
