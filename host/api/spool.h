/*
 * spool.h: an import's results until its body is read, since no answer can
 * begin before: some bytes a line, in memory first, then in an unlinked file
 * in $TMPDIR (/tmp). [loop]
 */
#ifndef TXWATCH_API_SPOOL_H
#define TXWATCH_API_SPOOL_H

#include "base/buf.h"
#include "base/err.h"

#define SPOOL_MEMORY ((size_t)64 * 1024)
#define SPOOL_MAX    ((int64_t)8 << 30) /* bytes on disk */

enum spool_result { SPOOL_CREATED, SPOOL_CHANGED, SPOOL_UNCHANGED, SPOOL_REFUSED, SPOOL_INVALID };
#define SPOOL_RESULTS 5
extern const char *const SPOOL_NAMES[SPOOL_RESULTS];

struct spooled {
	enum spool_result result;
	int64_t line; /* ascending */
	txw_id id;    /* none: 0 */
	txw_str why;
};

/* A zeroed one is empty. */
struct spool {
	struct buf head; /* what is not in the file yet, or read from it */
	int fd;          /* 0: none */
	int64_t bytes;   /* in the file */
	int64_t at;      /* reading: of the file */
	size_t used;     /* reading: of head */
	int64_t line;    /* the last one written, or read */
};

int32_t spool_put(struct spool *s, const struct spooled *one, struct err *e);
/* Writing is over. */
int32_t spool_rewind(struct spool *s, struct err *e);
/* 1: *out, whose texts live until the next call; 0: no more; or an error. */
int32_t spool_get(struct spool *s, struct spooled *out, struct err *e);
void spool_free(struct spool *s);

#endif
