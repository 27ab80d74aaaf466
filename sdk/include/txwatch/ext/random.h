/* txwatch/ext/random.h: extension "txw.random/1": unpredictable bytes. */
#ifndef TXWATCH_EXT_RANDOM_H
#define TXWATCH_EXT_RANDOM_H

#include "txwatch/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TXW_EXT_RANDOM "txw.random/1"

typedef struct txw_random_ext {
	uint32_t size;
	uint32_t reserved;
	/* Fills out with bytes fit for keys. Never fails. [any] */
	void (*fill)(txw_instance *self, void *out, size_t len);
} txw_random_ext;

#ifdef __cplusplus
}
#endif

#endif
