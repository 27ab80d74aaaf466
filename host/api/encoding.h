/*
 * encoding.h: answers as gzip, for those who take it (RFC 9110, 12.5.3).
 *
 * An answer shorter than ENCODING_MIN gains nothing. One that is ready on the
 * loop is packed only up to ENCODING_LOOP_MAX, so that it holds nobody up;
 * a page is packed on the reader's thread that fills it, whatever its length.
 */
#ifndef TXWATCH_API_ENCODING_H
#define TXWATCH_API_ENCODING_H

#include <stdbool.h>

#include "base/buf.h"

#define ENCODING_MIN      ((size_t)1024)
#define ENCODING_LOOP_MAX ((size_t)128 * 1024)

/* Does Accept-Encoding take gzip, and not rather the plain body? Pure. */
bool encoding_takes_gzip(txw_str accept);
/* Packs the body; false, and it stays as it is: it would not be shorter. */
bool encoding_pack(struct buf *body);
/* What is packed as it goes: its memory does not grow. One thread at a time. */
struct packer;
struct packer *packer_open(void); /* NULL: no memory */
/* Puts the packed bytes in the block's place: never none for some. */
void packer_pack(struct packer *p, struct buf *block, bool is_last);
void packer_close(struct packer *p);

#endif
