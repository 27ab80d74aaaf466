/*
 * log.h: structured lines on stderr: JSON, or for people on a terminal.
 *
 * A line is a message in fixed words and key=value fields; what a peer sent
 * goes only into fields, cut at 512 bytes and escaped. No secret is ever
 * passed here.
 */
#ifndef TXWATCH_BASE_LOG_H
#define TXWATCH_BASE_LOG_H

#include <stdbool.h>

#include "txwatch/abi.h"
#include "txwatch/ext/log.h"

struct clock;

enum log_format { LOG_AUTO, LOG_JSON, LOG_HUMAN };

/* Once, from main, before threads. The log is the process's stderr, so its
 * settings are the process's too. */
void log_setup(const struct clock *clock, uint32_t level, enum log_format f);
void log_set_level(uint32_t level); /* [any] */
bool log_enabled(uint32_t level);   /* [any] */

/* Fields come as key, value pairs of C strings, ended by NULL:
 *   log_line(TXW_LOG_WARN, "poll failed", "instance", name, "why", text, NULL);
 * A NULL value leaves its field out. [any] */
void log_line(uint32_t level, const char *message, ...) __attribute__((sentinel));

/* For numbers in fields: LOG_INT(n) is a C string that lives to the end of
 * the enclosing block. */
struct log_num {
	char text[24];
};
const char *log_int(struct log_num *n, int64_t v);
#define LOG_INT(v) log_int(&(struct log_num){{0}}, (v))

#define log_error(...) log_line(TXW_LOG_ERROR, __VA_ARGS__, NULL)
#define log_warn(...)  log_line(TXW_LOG_WARN, __VA_ARGS__, NULL)
#define log_info(...)  log_line(TXW_LOG_INFO, __VA_ARGS__, NULL)
#define log_debug(...)                                              \
	do {                                                        \
		if (log_enabled(TXW_LOG_DEBUG))                     \
			log_line(TXW_LOG_DEBUG, __VA_ARGS__, NULL); \
	} while (0)

#endif
