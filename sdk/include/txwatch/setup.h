/*
 * txwatch/setup.h: what every plugin's create() does with its options: finds a
 * value by name, or refuses with a reason. Inline, above the ABI: nothing here
 * is part of it.
 */
#ifndef TXWATCH_SETUP_H
#define TXWATCH_SETUP_H

#include <string.h>

#include "txwatch/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The option's value; NULL: it has none. */
static inline const txw_value *txw_setup_value(const txw_setup *setup, const char *name)
{
	for (uint32_t i = 0; i < setup->n_values; i++) {
		const txw_value *v = (const txw_value *)(const void *)((const char *)setup->values +
								       i * setup->value_stride);
		if (v->is_set && strcmp(v->name, name) == 0)
			return v;
	}
	return NULL;
}

/* Its number: an INTEGER, BOOLEAN, DURATION (microseconds) or BYTES; without a
 * value, fallback. */
static inline int64_t txw_setup_number(const txw_setup *setup, const char *name, int64_t fallback)
{
	const txw_value *v = txw_setup_value(setup, name);
	return v ? v->number : fallback;
}

/* Its text, borrowed as the setup is; empty without a value. */
static inline txw_str txw_setup_text(const txw_setup *setup, const char *name)
{
	static const txw_str none = {NULL, 0};
	const txw_value *v = txw_setup_value(setup, name);
	return v && v->n ? v->texts[0] : none;
}

/* Fills *err, which may be NULL, and returns code. The text must live until
 * the call has returned: a literal does. */
static inline int32_t txw_refuse(int32_t code, const char *text, txw_error *err)
{
	if (err) {
		err->code = code;
		err->text.ptr = text;
		err->text.len = strlen(text);
	}
	return code;
}

#ifdef __cplusplus
}
#endif

#endif
