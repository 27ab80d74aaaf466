/*
 * txwatch/ext/state.h: extension "txw.state/1": a few values an instance
 * keeps over restarts, in the site's store, under its own name.
 *
 * Limits: 256 keys an instance, keys of 64 bytes, values of 64 KB.
 */
#ifndef TXWATCH_EXT_STATE_H
#define TXWATCH_EXT_STATE_H

#include "txwatch/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TXW_EXT_STATE "txw.state/1"

typedef struct txw_state_ext {
	uint32_t size;
	uint32_t reserved;
	/* Copies at most cap bytes of the value to out and returns its whole
	 * length, or TXW_E_NOTFOUND. Not before create has returned. [any] */
	int64_t (*get)(txw_instance *self, txw_str key, char *out, size_t cap);
	/* Seen by get at once, durable soon after; a zero-length value removes
	 * the key. The value must be UTF-8. TXW_E_FULL over a limit. [any] */
	int32_t (*put)(txw_instance *self, txw_str key, txw_str value);
} txw_state_ext;

#ifdef __cplusplus
}
#endif

#endif
