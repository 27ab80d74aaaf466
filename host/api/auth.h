/*
 * auth.h: bearer tokens, and the throttle of those who guess.
 *
 * Only SHA-256 sums of tokens are kept, and compared in constant time. All on
 * the loop.
 */
#ifndef TXWATCH_API_AUTH_H
#define TXWATCH_API_AUTH_H

#include "api/route.h"
#include "config/conf.h"

#define AUTH_FAILURES_MAX 10 /* of one peer in a minute; then 429 */

struct token {
	const char *name; /* the section's title */
	unsigned char sum[32];
	txw_str tenant;
	enum scope scope; /* the highest */
	txw_time expires; /* 0 = never */
};

enum auth_answer { AUTH_OK, AUTH_MISSING, AUTH_WRONG, AUTH_EXPIRED, AUTH_THROTTLED };

struct auth;

/* From the `token` sections; mistakes go to the report (NULL). */
struct auth *auth_open(const struct conf *conf, struct conf_report *report);
void auth_close(struct auth *a);

/* header: Authorization's value. *wait: with AUTH_THROTTLED, seconds. */
enum auth_answer auth_check(struct auth *a, txw_str header, txw_str peer, txw_time now,
			    const struct token **out, int64_t *wait);

#endif
