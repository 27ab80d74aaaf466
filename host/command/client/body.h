/* body.h: a request's body and query from a command's options. */
#ifndef TXWATCH_CLIENT_BODY_H
#define TXWATCH_CLIENT_BODY_H

#include "command/client/client.h"

enum body_kind {
	BODY_TEXT,
	BODY_CLEARED, /* a text; an empty one takes the member away (null) */
	BODY_JSON,    /* the value is JSON */
	BODY_NUMBER,
	BODY_TRUE,  /* the option alone */
	BODY_FALSE, /* the option alone says no */
	BODY_LIST,  /* every value given, as a list */
	BODY_PAIRS, /* every "NAME: VALUE" given, as an object */
};

struct body_row {
	const char *option; /* NULL ends a list */
	const char *member; /* NULL: the option's name */
	enum body_kind kind;
};

/* Adds the members of the options that are given. EXIT_WELL, or told. */
int body_fill(struct client *c, json_t *body, const struct body_row *rows);
/* Adds parameters: an option's name and value each; names end in NULL. */
void query_fill(const struct client *c, struct buf *path, const char *const *names);

#endif
