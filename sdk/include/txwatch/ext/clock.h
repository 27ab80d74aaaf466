/*
 * txwatch/ext/clock.h: extension "txw.clock/1": the site's one clock.
 *
 * Under `txwatch run --clock=virtual` it stands still until a test moves it,
 * so a plugin that takes all time from here is tested in milliseconds.
 */
#ifndef TXWATCH_EXT_CLOCK_H
#define TXWATCH_EXT_CLOCK_H

#include "txwatch/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TXW_EXT_CLOCK "txw.clock/1"

typedef struct txw_clock_ext {
	uint32_t size;
	uint32_t reserved;
	txw_time (*now)(txw_instance *self); /* [any] */
} txw_clock_ext;

#ifdef __cplusplus
}
#endif

#endif
