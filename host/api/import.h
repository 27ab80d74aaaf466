/* import.h: what import.c and import_row.c share: a row of an import as an
 * operation. Pure. */
#ifndef TXWATCH_API_IMPORT_H
#define TXWATCH_API_IMPORT_H

#include "api/records.h"
#include "api/write.h"

struct import_column {
	const char *name;      /* a member's */
	const char *attribute; /* of "attributes.NAME"; else NULL */
	bool is_json;
};

/* A CSV's header. */
struct import_header {
	struct arena arena;
	struct import_column columns[RECORD_FIELDS];
	size_t n; /* 0: not read yet */
};

/* false: in->mistake. */
bool import_read_header(struct input *in, const struct record *record, struct import_header *h);
/* One row into *op; *json owns its texts, whatever is returned. header NULL:
 * NDJSON. false: in->mistake. */
bool import_read_row(struct input *in, const struct import_header *header,
		     const struct record *record, txw_time now, json_t **json, struct op *op);

#endif
