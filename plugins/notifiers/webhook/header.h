/* header.h: lists of HTTP headers a target is sent besides the webhook's own. */
#ifndef WEBHOOK_HEADER_H
#define WEBHOOK_HEADER_H

#include "txwatch/ext/http.h"

#define HEADERS_MAX 50

struct headers {
	size_t n;
	txw_http_header list[HEADERS_MAX];
};

/* NULL if the header may be sent, else why not. */
const char *header_refused(txw_str name, txw_str value);
/* Adds, or replaces the one of that name; texts are borrowed. NULL, or why
 * not. */
const char *headers_put(struct headers *h, txw_str name, txw_str value);
/* Splits "Name: value". NULL, or what is wrong with it. */
const char *header_split(txw_str line, txw_str *name, txw_str *value);

#endif
