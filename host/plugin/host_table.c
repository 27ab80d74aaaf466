/*
 * host_table.c: the host as an instance sees it: txw_host, and the extensions
 * by name. The small ones are here, the others in ext_http.c, ext_metrics.c,
 * state.c, and with the parts they reach (watch, notify).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/str.h"
#include "notify/notify.h"
#include "plugin/ext.h"
#include "watch/watch.h"

#define LOG_TEXT_MAX 4096u

/* ---- txw.log/1 ---- */

static uint32_t log_is_enabled(txw_instance *self, uint32_t level)
{
	(void)self;
	return log_enabled(level);
}

static void log_write(txw_instance *self, uint32_t level, txw_str text)
{
	struct buf b = {0};

	if (level > TXW_LOG_DEBUG || !log_enabled(level) || (text.len && !text.ptr))
		return;
	size_t len = text.len < LOG_TEXT_MAX ? text.len : LOG_TEXT_MAX;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (c < 0x20 || c == 0x7f)
			buf_printf(&b, "\\x%02x", c);
		else
			buf_char(&b, (char)c);
	}
	char *line = buf_steal(&b, NULL);
	log_line(level, line, "plugin", self->role->full_name, "instance", self->name, NULL);
	free(line);
}

static const txw_log_ext LOG_EXT = {
    .size = sizeof(LOG_EXT),
    .write = log_write,
    .enabled = log_is_enabled,
};

/* ---- txw.clock/1 ---- */

static txw_time clock_get(txw_instance *self)
{
	struct clock real;

	if (self->services->loop)
		return loop_now(self->services->loop);
	clock_real(&real);
	return clock_now(&real);
}

static const txw_clock_ext CLOCK_EXT = {.size = sizeof(CLOCK_EXT), .now = clock_get};

/* ---- txw.random/1 ---- */

static void random_fill(txw_instance *self, void *out, size_t len)
{
	char *at = out;

	(void)self;
	while (len) {
		ssize_t n = getrandom(at, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		/* Keys made of anything else would be worse than no host. */
		if (n <= 0)
			abort();
		at += n;
		len -= (size_t)n;
	}
}

static const txw_random_ext RANDOM_EXT = {.size = sizeof(RANDOM_EXT), .fill = random_fill};

/* ---- by name ---- */

static const struct extension {
	const char *name;
	const void *table;
	uint32_t kind; /* only for instances of this role; 0 = all */
} EXTENSIONS[] = {
    {TXW_EXT_LOG, &LOG_EXT, 0},
    {TXW_EXT_CLOCK, &CLOCK_EXT, 0},
    {TXW_EXT_RANDOM, &RANDOM_EXT, 0},
    {TXW_EXT_HTTP, &HTTP_EXT, 0},
    {TXW_EXT_METRICS, &METRICS_EXT, 0},
    {TXW_EXT_STATE, &STATE_EXT, 0},
    {TXW_EXT_POLL, &WATCH_POLL_EXT, TXW_ROLE_POLLER},
    {TXW_EXT_NOTIFY, &NOTIFY_EXT, TXW_ROLE_NOTIFIER},
};

const void *host_extension(instance *in, const char *name)
{
	for (size_t i = 0; name && i < sizeof(EXTENSIONS) / sizeof(EXTENSIONS[0]); i++) {
		const struct extension *x = &EXTENSIONS[i];
		if (strcmp(x->name, name) == 0)
			return !x->kind || x->kind == in->role->row.kind ? x->table : NULL;
	}
	return NULL;
}

static const void *get_ext(txw_instance *self, const char *name)
{
	if (!self || self->magic != INSTANCE_MAGIC)
		return NULL;
	return host_extension(self, name);
}

const txw_host HOST_TABLE = {
    .size = sizeof(HOST_TABLE),
    .abi_major = TXW_ABI_MAJOR,
    .abi_minor = TXW_ABI_MINOR,
    .version = TXW_VERSION,
    .get_ext = get_ext,
};
