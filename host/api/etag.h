/*
 * etag.h: entity tags (RFC 9110, 8.8.3): a transaction's is its version. Pure.
 */
#ifndef TXWATCH_API_ETAG_H
#define TXWATCH_API_ETAG_H

#include <stdbool.h>
#include <stddef.h>

#include "txwatch/abi.h"

#define ETAG_MAX 32

void etag_print(char out[ETAG_MAX], int64_t version);
/* `"3"` -> `"3-gzip"`: another representation has another strong tag. */
void etag_pack(char *etag, size_t cap);
/* If-Match: the version that one strong tag of ours names, packed or not;
 * false: it is none. */
bool etag_version(txw_str tag, int64_t *version);
/* If-None-Match: "*", or a list with this tag in it, weak or not, or with the
 * packed answer's. */
bool etag_listed(txw_str list, const char *etag, bool *is_packed);

#endif
