/*
 * auth.h: bearer tokens, the config's, those made by the API and signed ones
 * (JWT), and the throttle of those who guess.
 *
 * Only SHA-256 sums of tokens are kept. One is found by a part of its sum, in
 * a time that does not grow with their number, and the whole is compared in
 * constant time. All on the loop.
 */
#ifndef TXWATCH_API_AUTH_H
#define TXWATCH_API_AUTH_H

#include "api/route.h"
#include "api/throttle.h"
#include "config/conf.h"

struct token {
	const char *name;  /* the section's title, "tok_...", or as actor */
	const char *actor; /* "token:NAME", "jwt:SUBJECT": in events and audit */
	unsigned char sum[32];
	txw_str tenant;
	enum scope scope;  /* the highest */
	txw_time expires;  /* 0 = never */
	txw_time used_at;  /* of one made by the API; 0 = not yet */
	bool is_of_config; /* made and ended by the file alone */
	bool is_used;      /* used_at is not in the store yet */
};

enum auth_answer {
	AUTH_OK,
	AUTH_MISSING,
	AUTH_WRONG,
	AUTH_EXPIRED,
	AUTH_REFUSED, /* signed by a key of ours, but not for this site */
	AUTH_THROTTLED
};

struct auth;

/* From the `token` sections and the `jwt` one; mistakes go to the report (NULL). */
struct auth *auth_open(const struct conf *conf, struct conf_report *report);
void auth_close(struct auth *a);

/* Texts are copied. false: its sum is taken. */
bool auth_admit(struct auth *a, const struct token *t);
/* false: the API has made no such token. */
bool auth_forget(struct auth *a, txw_str name);
/* How many the API made for a tenant. Forgets those that ended more than an
 * hour ago, so that a tenant's dead ones are no more than its limit either. */
size_t auth_count(struct auth *a, txw_str tenant, txw_time now);
/* Hands out each token whose use is not in the store yet, and takes it for
 * written. */
void auth_take_used(struct auth *a, void (*fn)(void *ctx, const struct token *t), void *ctx);
void auth_sum(struct auth *a, txw_str token, unsigned char out[32]);

/* A peer has used up its guesses. */
void auth_on_burst(struct auth *a, void (*fn)(void *ctx, txw_str peer), void *ctx);

/* header: Authorization's value. *wait: with AUTH_THROTTLED, seconds. *out
 * lives until the next check. */
enum auth_answer auth_check(struct auth *a, txw_str header, txw_str peer, txw_time now,
			    const struct token **out, int64_t *wait);
/* As auth_check would, without a guess counted; for a scope or more. */
bool auth_admits(struct auth *a, txw_str header, txw_time now, enum scope scope);
/* Has a token that was good neither ended nor been ended since? */
bool auth_is_good(const struct auth *a, const struct token *t, txw_time now);
/* After AUTH_REFUSED: what is wrong with it; till the next check. */
const char *auth_why(const struct auth *a);

#endif
