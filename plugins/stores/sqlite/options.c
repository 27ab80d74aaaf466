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

int32_t options_read(const txw_setup *setup, struct options *out, txw_error *err)
{
	const txw_value *path = txw_setup_value(setup, "path");
	if (!path || !path->n || !path->texts[0].len)
		return txw_refuse(TXW_E_INVALID, "store.sqlite: the option `path` is missing", err);
	if (memchr(path->texts[0].ptr, '\0', path->texts[0].len))
		return txw_refuse(TXW_E_INVALID, "store.sqlite: `path` has a zero byte in it", err);
	*out = (struct options){
	    .cache = txw_setup_number(setup, "cache", INT64_C(16) * 1024 * 1024),
	    .busy_timeout = txw_setup_number(setup, "busy-timeout", 5 * SECOND),
	    .read_timeout = txw_setup_number(setup, "read-timeout", 5 * SECOND),
	};
	out->check = check_of(txw_setup_value(setup, "check"));
	out->path = strndup(path->texts[0].ptr, path->texts[0].len);
	if (!out->path)
		return txw_refuse(TXW_E_NOMEM, "store.sqlite: no memory for an instance", err);
	return TXW_OK;
}

void options_free(struct options *o)
{
	free(o->path);
	o->path = NULL;
}
