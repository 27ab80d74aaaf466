/* options.h: what a `store.postgresql` section may say. */
#ifndef POSTGRESQL_OPTIONS_H
#define POSTGRESQL_OPTIONS_H

#include <stdbool.h>

#include "txwatch/setup.h"

struct options {
	/* Owned; NULL where the section says nothing. */
	char *conninfo;
	char *host;
	char *port;
	char *dbname;
	char *user;
	char *password;
	char *sslmode;
	char *schema;
	/* Microseconds. */
	int64_t connect_timeout;
	int64_t statement_timeout;
	int64_t read_timeout;
	int64_t commit_timeout;
	bool notify;
};

#define OPTIONS_COUNT 13
extern const txw_option OPTIONS[OPTIONS_COUNT];

int32_t options_read(const txw_setup *setup, struct options *out, txw_error *err);
void options_free(struct options *o);

#endif
