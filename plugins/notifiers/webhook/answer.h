/* answer.h: what a receiver's answer means for the delivery. */
#ifndef WEBHOOK_ANSWER_H
#define WEBHOOK_ANSWER_H

#include "txwatch/ext/http.h"
#include "txwatch/notifier.h"

struct judgement {
	uint32_t verdict; /* TXW_VERDICT_ */
	int64_t after;    /* microseconds; 0 = unsaid */
	char reason[256];
};

/* now: for a Retry-After that names a date. */
void answer_judge(const txw_http_response *r, txw_time now, struct judgement *out);

/* Retry-After (RFC 9110, section 10.2.3): seconds, or a date in any of the
 * three forms; microseconds from now, 0 when it is neither or past. */
int64_t retry_after(txw_str value, txw_time now);

#endif
