/*
 * schema.h: what bodies and answers hold, as rows; openapi.c and the API's
 * page print them, and the scenarios check every answer against them.
 *
 * A route (routes.c) names its body and its answer; each name is a row of
 * SCHEMAS (schemas.c), or ends in "List": then it is a page of the rest,
 * {"data":[X...],"next":...}. "A|B" is one of them; a name with a slash is a
 * media type of its own ("text/csv").
 */
#ifndef TXWATCH_API_SCHEMA_H
#define TXWATCH_API_SCHEMA_H

#include "api/input.h"

enum member_kind {
	MEMBER_TEXT,
	MEMBER_INTEGER,
	MEMBER_NUMBER,
	MEMBER_BOOLEAN,
	MEMBER_TIME,    /* RFC 3339 */
	MEMBER_PERIOD,  /* "36h" */
	MEMBER_WAIT,    /* in bodies: a period, or whole seconds */
	MEMBER_DECIMAL, /* an exact decimal as a text */
	MEMBER_MONEY,   /* in bodies: the same, or an integer */
	MEMBER_ID,      /* of: the prefix, "tx" */
	MEMBER_CHOICE,  /* of: "a|b" */
	MEMBER_OBJECT,  /* with any members */
	MEMBER_ANY,
	MEMBER_OF,   /* of: a schema's name, or "A|B" */
	MEMBER_LIST, /* of: the same; NULL: of texts */
};

#define MEMBER_OPTIONAL 1u /* may be absent */
#define MEMBER_NULLABLE 2u /* may be null */

struct member {
	const char *name; /* NULL ends a list */
	enum member_kind kind;
	uint32_t flags;
	const char *of;
	const char *help; /* NULL: the word's (schemas.c: WORDS), if there is one */
};

struct schema {
	const char *name;
	const char *help;
	const struct member *members; /* of a body: for its INPUT_SKIP rows */
	/* A body: the rows that input_read takes. */
	const struct input_row *input;
	const size_t *n_input;
	bool is_body; /* without input rows */
	bool is_part; /* every member may be absent */
};

extern const struct schema SCHEMAS[];
extern const size_t SCHEMAS_N;

/* One name; NULL: no such row. */
const struct schema *schema_find(txw_str name);
/* The next name of "A|B"; none at the end. */
txw_str schema_next(const char **names);
/* Is every name in it known, media types and lists included? */
bool schema_names_known(const char *names);
/* {"$ref":...}, or {"anyOf":[...]}; of lists and rows, not of media types. */
void schema_ref(struct buf *b, const char *names);
/* Every schema as members of components.schemas, the lists that routes name
 * too. */
void schema_print_all(struct buf *b);
/* What a member holds, in words: "text", "time or null". */
void schema_words(struct buf *b, const struct member *m);

/* The members of a schema one by one, those of input rows as if they were
 * declared: member_at returns false beyond the end. */
bool member_at(const struct schema *s, size_t i, struct member *out, size_t *max);
const char *member_help(const struct member *m); /* "" = nothing to say */

#endif
