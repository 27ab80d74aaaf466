/* answer.h: an HTTP answer judged: JSON worth reading, or what was wrong. */
#ifndef POLLER_HTTP_ANSWER_H
#define POLLER_HTTP_ANSWER_H

#include <jansson.h>

#include "pool.h"
#include "txwatch/ext/http.h"
#include "txwatch/poller.h"

struct answer {
	uint32_t result; /* SEEN: root is there; else TXW_POLL_ */
	json_t *root;
	int64_t after;    /* FAILED, THROTTLED: microseconds; 0 = unsaid */
	struct text text; /* FAILED, THROTTLED: why */
};

/* is_one: the request named one transaction, so 404 and 410 say that there is
 * none; of a list they say that the URL is wrong. */
void answer_judge(const txw_http_response *response, bool is_one, txw_time now, struct answer *out);
void answer_free(struct answer *a);

#endif
