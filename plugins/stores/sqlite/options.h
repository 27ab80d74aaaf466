/* options.h: what a `store.sqlite` section may say. */
#ifndef SQLITE_OPTIONS_H
#define SQLITE_OPTIONS_H

#include "txwatch/setup.h"

enum check { CHECK_QUICK, CHECK_FULL, CHECK_OFF };

struct options {
	char *path;           /* owned */
	int64_t cache;        /* bytes */
	int64_t busy_timeout; /* microseconds */
	int64_t read_timeout; /* microseconds */
	enum check check;
};

#define OPTIONS_COUNT 5
extern const txw_option OPTIONS[OPTIONS_COUNT];

int32_t options_read(const txw_setup *setup, struct options *out, txw_error *err);
void options_free(struct options *o);

#endif
