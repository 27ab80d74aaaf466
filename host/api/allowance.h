/*
 * allowance.h: how many requests a token has left (`http.rate`), told in the
 * RateLimit fields of draft-ietf-httpapi-ratelimit-headers.
 *
 * A token bucket that holds one period's worth: with "600/m" 600 at once, and
 * one more each 100 ms. The buckets are a bounded table by who asks; when its
 * places are taken, the fullest bucket goes, which is what a new one would be.
 * Times are the caller's. [loop]
 */
#ifndef TXWATCH_API_ALLOWANCE_H
#define TXWATCH_API_ALLOWANCE_H

#include <stdbool.h>

#include "txwatch/abi.h"

struct allowances;

struct allowance {
	int64_t left;  /* requests that would be let through now */
	int64_t reset; /* seconds until the bucket is full */
	int64_t wait;  /* seconds; 0: this one is let through */
};

/* rate: "100/s", "600/m", "1000/h". NULL: it is not one, or is empty. */
struct allowances *allowances_open(txw_str rate);
void allowances_close(struct allowances *a); /* NULL is fine */

void allowance_take(struct allowances *a, txw_str tenant, txw_str token, txw_time now,
		    struct allowance *out);

/* The fields' values: `"token";q=600;w=60`, `"token";r=599;t=1`. */
#define ALLOWANCE_TEXT_MAX 80
void allowance_policy(const struct allowances *a, char out[ALLOWANCE_TEXT_MAX]);
void allowance_print(const struct allowance *one, char out[ALLOWANCE_TEXT_MAX]);

#endif
