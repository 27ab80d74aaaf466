/*
 * err.h: an error with its text, passed down to whoever can explain it.
 *
 * Functions that can fail return 0 (or more) or a negative TXW_E_ code, and
 * put the text into the caller's struct err.
 */
#ifndef TXWATCH_BASE_ERR_H
#define TXWATCH_BASE_ERR_H

#include "txwatch/abi.h"

struct err {
	int32_t code;
	char text[1024];
};

/* Sets both and returns code, so that `return err_set(...)` reads well.
 * e may be NULL. */
int32_t err_set(struct err *e, int32_t code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts words before the text that is there; returns e->code. */
int32_t err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Takes over what a plugin returned: rc, and its text where it gave one.
 * Prepare `from` with ERR_ABI_INIT before the call. Returns rc. */
int32_t err_from_plugin(struct err *e, int32_t rc, const txw_error *from);
#define ERR_ABI_INIT                  \
	{                             \
		sizeof(txw_error), 0, \
		{                     \
			NULL, 0       \
		}                     \
	}

/* "out of memory" for TXW_E_NOMEM and so on: for a code without a text. */
const char *err_name(int32_t code);

#endif
