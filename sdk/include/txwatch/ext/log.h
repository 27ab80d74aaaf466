/* txwatch/ext/log.h: extension "txw.log/1": lines in the host's log. */
#ifndef TXWATCH_EXT_LOG_H
#define TXWATCH_EXT_LOG_H

#include "txwatch/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TXW_EXT_LOG "txw.log/1"

#define TXW_LOG_ERROR 0u
#define TXW_LOG_WARN  1u
#define TXW_LOG_INFO  2u
#define TXW_LOG_DEBUG 3u

typedef struct txw_log_ext {
	uint32_t size;
	uint32_t reserved;
	/* Writes one line with the instance's name; control characters are
	 * escaped, text beyond 4 KB is cut. Never pass a secret. [any] */
	void (*write)(txw_instance *self, uint32_t level, txw_str text);
	/* 1 if lines of that level are written at all. [any] */
	uint32_t (*enabled)(txw_instance *self, uint32_t level);
} txw_log_ext;

#ifdef __cplusplus
}
#endif

#endif
