/*
 * log.c: one line, one write(2), so that threads' lines do not mix.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

#define FIELD_MAX ((size_t)512)

/* The log is the process's stderr; so is this its one process-wide state. */
static struct {
	const struct clock *clock;
	_Atomic uint32_t level;
	bool json;
	bool colour;
} logger = {.level = TXW_LOG_INFO};

static const char *const LEVELS[] = {"error", "warn", "info", "debug"};

void log_setup(const struct clock *clock, uint32_t level, enum log_format f)
{
	logger.clock = clock;
	atomic_store(&logger.level, level);
	logger.colour = isatty(STDERR_FILENO) == 1;
	logger.json = f == LOG_JSON || (f == LOG_AUTO && !logger.colour);
}

void log_set_level(uint32_t level)
{
	atomic_store(&logger.level, level);
}

bool log_enabled(uint32_t level)
{
	return level <= atomic_load(&logger.level);
}

const char *log_int(struct log_num *n, int64_t v)
{
	snprintf(n->text, sizeof(n->text), "%lld", (long long)v);
	return n->text;
}

static txw_str field_value(const char *z)
{
	txw_str s = str_of(z);
	if (s.len > FIELD_MAX)
		s.len = FIELD_MAX;
	return s;
}

static void human_value(struct buf *b, txw_str s)
{
	bool plain = s.len > 0;
	for (size_t i = 0; i < s.len && plain; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		plain = c > ' ' && c < 0x7f && c != '"' && c != '=';
	}
	if (plain) {
		buf_str(b, s);
	} else {
		struct buf quoted = {0};
		json_str(&quoted, s);
		buf_str(b, buf_view(&quoted));
		buf_free(&quoted);
	}
}

static void line_json(struct buf *b, uint32_t level, const char *message, txw_time now, va_list ap)
{
	json_open(b, '{');
	json_m_time(b, "time", now);
	json_m_text(b, "level", LEVELS[level]);
	json_m_text(b, "message", message);
	const char *key;
	while ((key = va_arg(ap, const char *))) {
		const char *value = va_arg(ap, const char *);
		if (value)
			json_m_str(b, key, field_value(value));
	}
	json_close(b, '}');
}

static void line_human(struct buf *b, uint32_t level, const char *message, txw_time now, va_list ap)
{
	static const char *const colours[] = {"\033[31m", "\033[33m", "", "\033[2m"};
	char text[TIME_TEXT_MAX];
	time_print(text, now);
	text[19] = '\0'; /* whole seconds are enough for people */
	buf_printf(b, "%s %s%-5s%s %s", text + 11, logger.colour ? colours[level] : "",
		   LEVELS[level], logger.colour ? "\033[0m" : "", message);
	const char *key;
	while ((key = va_arg(ap, const char *))) {
		const char *value = va_arg(ap, const char *);
		if (!value)
			continue;
		buf_printf(b, " %s=", key);
		human_value(b, field_value(value));
	}
}

void log_line(uint32_t level, const char *message, ...)
{
	if (level > TXW_LOG_DEBUG || !log_enabled(level))
		return;
	struct clock real;
	clock_real(&real);
	txw_time now = clock_now(logger.clock ? logger.clock : &real);
	struct buf b = {0};
	va_list ap;
	va_start(ap, message);
	if (logger.json)
		line_json(&b, level, message, now, ap);
	else
		line_human(&b, level, message, now, ap);
	va_end(ap);
	buf_char(&b, '\n');
	/* A log that cannot be written must not stop the work. */
	ssize_t n = write(STDERR_FILENO, b.ptr, b.len);
	(void)n;
	buf_free(&b);
}
