/*
 * jwt.c: see jwt.h.
 *
 * Nothing of a token's claims is looked at before its signature is proven, and
 * nothing but its algorithm and key id of its header.
 */
#include "api/jwt.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "api/base64url.h"
#include "api/jwt_keys.h"
#include "base/clock.h"
#include "base/str.h"

/* Seconds of claims beyond which a time is no time. */
#define SECONDS_MAX 1e11

struct parts {
	txw_str header;
	txw_str payload;
	txw_str signature;
	txw_str signed_text; /* the first two, as they stand */
};

static bool split(txw_str token, struct parts *p)
{
	if (token.len == 0 || token.len > JWT_MAX)
		return false;
	const char *end = token.ptr + token.len;
	const char *first = memchr(token.ptr, '.', token.len);
	const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
	if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)))
		return false;
	p->header = (txw_str){token.ptr, (size_t)(first - token.ptr)};
	p->payload = (txw_str){first + 1, (size_t)(second - first - 1)};
	p->signature = (txw_str){second + 1, (size_t)(end - second - 1)};
	p->signed_text = (txw_str){token.ptr, (size_t)(second - token.ptr)};
	return true;
}

bool jwt_is_one(txw_str token)
{
	struct parts p;
	return split(token, &p);
}

/* A part as the JSON object it is; NULL if it is none. */
static json_t *object_of(struct arena *a, txw_str part)
{
	txw_str text;
	if (!base64url_decode(a, part, &text))
		return NULL;
	json_t *v = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(v))
		return v;
	json_decref(v);
	return NULL;
}

static txw_str text_of(const json_t *object, const char *member)
{
	const json_t *v = json_object_get(object, member);
	return (txw_str){json_string_value(v), json_string_length(v)};
}

/* ---- the header ---- */

static const struct jwt_key *key_of(const struct jwt_keys *k, const json_t *header)
{
	const json_t *id = json_object_get(header, "kid");
	txw_str type = text_of(header, "typ");
	txw_str alg = text_of(header, "alg");
	/* What must be understood (crit), is not. */
	if (json_object_get(header, "crit") || (id && !json_string_length(id)))
		return NULL;
	bool is_jwt = (type.len == 3 && strncasecmp(type.ptr, "JWT", 3) == 0) ||
		      (type.len == 6 && strncasecmp(type.ptr, "at+jwt", 6) == 0);
	if (json_object_get(header, "typ") && !is_jwt)
		return NULL;
	for (enum jwt_alg i = 0; i < JWT_ALGS; i++) {
		if (str_is(alg, JWT_ALG_NAMES[i]))
			return jwt_key_find(k, i, text_of(header, "kid"));
	}
	return NULL;
}

static bool is_signed(const struct jwt_keys *k, const struct parts *p, struct arena *a)
{
	txw_str signature;
	json_t *header = object_of(a, p->header);
	const struct jwt_key *key = header ? key_of(k, header) : NULL;
	json_decref(header);
	return key && base64url_decode(a, p->signature, &signature) &&
	       jwt_key_verifies(key, p->signed_text, signature);
}

/* ---- the claims ---- */

/* 0: absent. false: not a time. */
static bool time_of(const json_t *claims, const char *name, txw_time *out)
{
	const json_t *v = json_object_get(claims, name);
	*out = 0;
	if (!v)
		return true;
	double s = json_number_value(v);
	if (!json_is_number(v) || !(s > 0 && s < SECONDS_MAX))
		return false;
	*out = (txw_time)(s * 1e6);
	return true;
}

static bool is_for(const json_t *claims, txw_str audience)
{
	const json_t *aud = json_object_get(claims, "aud");
	size_t i;
	json_t *v;
	if (json_is_string(aud))
		return str_eq(text_of(claims, "aud"), audience);
	json_array_foreach(aud, i, v)
	{
		if (json_is_string(v) &&
		    str_eq((txw_str){json_string_value(v), json_string_length(v)}, audience))
			return true;
	}
	return false;
}

/* A name that goes into rows and logs. */
static bool take_name(struct arena *a, txw_str name, size_t max, txw_str *out)
{
	if (name.len == 0 || name.len > max)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if ((unsigned char)name.ptr[i] < 0x20 || name.ptr[i] == 0x7f)
			return false;
	}
	*out = arena_str(a, name);
	return true;
}

static void take_scope(const struct jwt_rules *r, txw_str word, enum scope *out)
{
	if (!str_starts(word, r->scope_prefix))
		return;
	word = (txw_str){word.ptr + r->scope_prefix.len, word.len - r->scope_prefix.len};
	for (enum scope s = SCOPE_READ; s <= SCOPE_ADMIN; s++) {
		if (str_is(word, scope_name(s)) && s > *out)
			*out = s;
	}
}

/* A list, or words with spaces between (RFC 8693, 4.2). */
static enum scope scope_of(const struct jwt_rules *r, const json_t *claims, const char *name)
{
	enum scope found = SCOPE_OPEN;
	const json_t *scopes = json_object_get(claims, name);
	txw_str words = text_of(claims, name);
	size_t i;
	json_t *v;
	json_array_foreach(scopes, i, v)
	{
		if (json_is_string(v))
			take_scope(r, (txw_str){json_string_value(v), json_string_length(v)},
				   &found);
	}
	while (words.len) {
		const char *space = memchr(words.ptr, ' ', words.len);
		size_t n = space ? (size_t)(space - words.ptr) : words.len;
		take_scope(r, (txw_str){words.ptr, n}, &found);
		n += space != NULL;
		words = (txw_str){words.ptr + n, words.len - n};
	}
	return found;
}

static const char *judge_times(const struct jwt_rules *r, const json_t *claims, txw_time now,
			       struct jwt_claims *out)
{
	txw_time not_before;
	if (!time_of(claims, "exp", &out->expires) || !out->expires)
		return "its `exp` is missing or no time";
	if (!time_of(claims, "nbf", &not_before))
		return "its `nbf` is no time";
	if (not_before > now + r->skew)
		return "it is not valid yet (`nbf`)";
	return NULL;
}

/* NULL, or what is wrong. */
static const char *judge(const struct jwt_rules *r, const json_t *claims, txw_time now,
			 struct arena *a, struct jwt_claims *out)
{
	const char *wrong = judge_times(r, claims, now, out);
	if (wrong)
		return wrong;
	if (!str_eq(text_of(claims, "iss"), r->issuer))
		return "its `iss` is another issuer";
	if (!is_for(claims, r->audience))
		return "its `aud` is another audience";
	if (!take_name(a, text_of(claims, "sub"), JWT_SUBJECT_MAX, &out->subject))
		return "its `sub` is missing or no name";
	out->tenant = r->tenant;
	if (r->tenant_claim.len && !take_name(a, text_of(claims, arena_str(a, r->tenant_claim).ptr),
					      JWT_TENANT_MAX, &out->tenant))
		return "its claim of the tenant is missing or no name";
	out->scope = scope_of(r, claims, arena_str(a, r->scope_claim).ptr);
	if (out->scope == SCOPE_OPEN)
		return "it has no scope for this site";
	return NULL;
}

enum jwt_answer jwt_verify(struct jwt_keys *k, const struct jwt_rules *r, txw_str token,
			   txw_time now, struct arena *a, struct jwt_claims *out, const char **why)
{
	struct parts p;
	*out = (struct jwt_claims){0};
	*why = NULL;
	if (!split(token, &p) || !is_signed(k, &p, a))
		return JWT_UNKNOWN;
	json_t *claims = object_of(a, p.payload);
	*why = claims ? judge(r, claims, now, a, out) : "its claims are no JSON object";
	json_decref(claims);
	if (*why)
		return JWT_REFUSED;
	return out->expires + r->skew <= now ? JWT_EXPIRED : JWT_GOOD;
}
