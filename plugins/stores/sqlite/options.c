/* options.c: see options.h. */
#include "options.h"

#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000)

const txw_option OPTIONS[OPTIONS_COUNT] = {
    {.size = sizeof(txw_option),
     .type = TXW_OPT_STRING,
     .flags = TXW_OPT_REQUIRED,
     .name = "path",
     .help = "The database file; made if there is none, its directory is not. Beside it live "
	     "PATH-wal, PATH-shm and PATH.lock. One txwatch at a time, on a local disk"},
    {.size = sizeof(txw_option),
     .type = TXW_OPT_BYTES,
     .name = "cache",
     .fallback = "16MB",
     .help = "Memory for database pages of the writer; each reader has an eighth of it",
     .min = 256 * 1024,
     .max = INT64_C(64) * 1024 * 1024 * 1024},
    {.size = sizeof(txw_option),
     .type = TXW_OPT_DURATION,
     .name = "busy-timeout",
     .fallback = "5s",
     .help = "How long to wait for a lock that another program (a backup, a shell) holds",
     .min = 0,
     .max = 600 * SECOND},
    {.size = sizeof(txw_option),
     .type = TXW_OPT_DURATION,
     .name = "read-timeout",
     .fallback = "5s",
     .help = "How long one page of a list may search before it is given up",
     .min = 1,
     .max = 600 * SECOND},
    {.size = sizeof(txw_option),
     .type = TXW_OPT_CHOICE,
     .name = "check",
     .fallback = "quick",
     .choices = "quick|full|off",
     .help = "Integrity check at start. quick: the structure of a file up to 8 MB, above that of "
	     "the small tables and both ends of the log; full: everything, indexes too, some "
	     "seconds per 100 MB"},
};

static const txw_value *value_find(const txw_setup *setup, const char *name)
{
	for (uint32_t i = 0; i < setup->n_values; i++) {
		const txw_value *v = (const txw_value *)((const char *)setup->values +
							 i * setup->value_stride);
		if (v->is_set && strcmp(v->name, name) == 0)
			return v;
	}
	return NULL;
}

static int64_t number(const txw_setup *setup, const char *name, int64_t fallback)
{
	const txw_value *v = value_find(setup, name);
	return v ? v->number : fallback;
}

static enum check check_of(const txw_value *v)
{
	static const struct {
		const char *name;
		enum check check;
	} CHECKS[] = {{"full", CHECK_FULL}, {"off", CHECK_OFF}};
	for (size_t i = 0; v && v->n && i < sizeof(CHECKS) / sizeof(CHECKS[0]); i++)
		if (v->texts[0].len == strlen(CHECKS[i].name) &&
		    memcmp(v->texts[0].ptr, CHECKS[i].name, v->texts[0].len) == 0)
			return CHECKS[i].check;
	return CHECK_QUICK;
}

static int32_t refuse(int32_t code, const char *text, txw_error *err)
{
	if (err) {
		err->code = code;
		err->text = (txw_str){text, strlen(text)};
	}
	return code;
}

int32_t options_read(const txw_setup *setup, struct options *out, txw_error *err)
{
	const txw_value *path = value_find(setup, "path");
	if (!path || !path->n || !path->texts[0].len)
		return refuse(TXW_E_INVALID, "store.sqlite: the option `path` is missing", err);
	if (memchr(path->texts[0].ptr, '\0', path->texts[0].len))
		return refuse(TXW_E_INVALID, "store.sqlite: `path` has a zero byte in it", err);
	*out = (struct options){
	    .cache = number(setup, "cache", INT64_C(16) * 1024 * 1024),
	    .busy_timeout = number(setup, "busy-timeout", 5 * SECOND),
	    .read_timeout = number(setup, "read-timeout", 5 * SECOND),
	};
	out->check = check_of(value_find(setup, "check"));
	out->path = strndup(path->texts[0].ptr, path->texts[0].len);
	if (!out->path)
		return refuse(TXW_E_NOMEM, "store.sqlite: no memory for an instance", err);
	return TXW_OK;
}

void options_free(struct options *o)
{
	free(o->path);
	o->path = NULL;
}
