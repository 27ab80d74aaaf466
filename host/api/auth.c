/*
 * auth.c: see auth.h.
 *
 * Tokens are kept by the first bytes of their sums. Whoever guesses cannot
 * choose a sum, so the time that a search in the table takes tells nothing of
 * the tokens in it.
 */
#include "api/auth.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uthash.h>

#include "api/jwt.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

#define FOUND_BY 8 /* bytes of a sum */

struct entry {
	struct token token; /* first: handed out */
	struct arena arena;
	UT_hash_handle hh; /* by token.sum */
};

struct auth {
	struct entry *tokens;
	struct throttle *throttle;
	struct jwt_keys *jwt; /* NULL: none are taken */
	struct jwt_rules rules;
	struct arena rules_arena;
	struct arena claims; /* of the last one that came */
	struct token signed_token;
	const char *why;
	EVP_MD *sha256;
	EVP_MD_CTX *hashing; /* reused: making one costs more than the sum */
	void (*burst)(void *ctx, txw_str peer);
	void *burst_ctx;
};

/* ---- the table ---- */

static struct entry *find(const struct auth *a, const unsigned char sum[32])
{
	struct entry *found = NULL;
	HASH_FIND(hh, a->tokens, sum, FOUND_BY, found);
	if (!found || CRYPTO_memcmp(found->token.sum, sum, 32) != 0)
		return NULL;
	return found;
}

bool auth_admit(struct auth *a, const struct token *t)
{
	struct entry *e = NULL;
	HASH_FIND(hh, a->tokens, t->sum, FOUND_BY, e);
	if (e)
		return false;
	e = xcalloc(1, sizeof(*e));
	e->token = *t;
	e->token.name = arena_str(&e->arena, str_of(t->name)).ptr;
	e->token.actor = arena_printf(&e->arena, "token:%s", t->name);
	e->token.tenant = arena_str(&e->arena, t->tenant);
	HASH_ADD(hh, a->tokens, token.sum, FOUND_BY, e);
	return true;
}

static void drop(struct auth *a, struct entry *e)
{
	HASH_DEL(a->tokens, e);
	arena_free(&e->arena);
	free(e);
}

bool auth_forget(struct auth *a, txw_str name)
{
	struct entry *e, *next;
	HASH_ITER(hh, a->tokens, e, next)
	{
		if (e->token.is_of_config || !str_is(name, e->token.name))
			continue;
		drop(a, e);
		return true;
	}
	return false;
}

size_t auth_count(struct auth *a, txw_str tenant, txw_time now)
{
	size_t n = 0;
	struct entry *e, *next;
	HASH_ITER(hh, a->tokens, e, next)
	{
		bool is_over = e->token.expires && e->token.expires <= now - HOUR;
		if (e->token.is_of_config)
			continue;
		if (is_over)
			drop(a, e);
		else
			n += str_eq(e->token.tenant, tenant);
	}
	return n;
}

void auth_take_used(struct auth *a, void (*fn)(void *ctx, const struct token *t), void *ctx)
{
	for (struct entry *e = a->tokens; e; e = e->hh.next) {
		if (!e->token.is_used)
			continue;
		e->token.is_used = false;
		fn(ctx, &e->token);
	}
}

/* ---- tokens from the config ---- */

static bool hex_sum(txw_str text, unsigned char out[32])
{
	static const char DIGITS[] = "0123456789abcdef";
	if (!str_starts(text, STR_LIT("sha256:")) || text.len != 7 + 64)
		return false;
	for (size_t i = 0; i < 64; i++) {
		char c = (char)tolower((unsigned char)text.ptr[7 + i]);
		const char *at = c ? strchr(DIGITS, c) : NULL;
		if (!at)
			return false;
		unsigned v = (unsigned)(at - DIGITS);
		out[i / 2] = (unsigned char)(i % 2 ? out[i / 2] | v : v << 4);
	}
	return true;
}

void auth_sum(struct auth *a, txw_str token, unsigned char out[32])
{
	unsigned len = 0;
	if (EVP_DigestInit_ex2(a->hashing, a->sha256, NULL) != 1 ||
	    EVP_DigestUpdate(a->hashing, token.ptr, token.len) != 1 ||
	    EVP_DigestFinal_ex(a->hashing, out, &len) != 1)
		abort(); /* SHA-256 is always there */
}

static void take_secret(struct auth *a, struct token *t, const struct conf_section *s,
			struct conf_report *report)
{
	bool has_value = conf_is_set(s, "value"), has_hash = conf_is_set(s, "hash");
	if (has_value == has_hash) {
		conf_problem(report, s->line,
			     "token %s: give either `value` (env:NAME or file:/path) or `hash` "
			     "(as `txwatch token` prints it)",
			     s->title);
		return;
	}
	if (has_hash) {
		if (!hex_sum(conf_text(s, "hash"), t->sum))
			conf_problem(report, conf_line(s, "hash"),
				     "token %s: `hash` must be \"sha256:\" and 64 hexadecimal "
				     "digits, as `txwatch token` prints it",
				     s->title);
		return;
	}
	txw_str value = conf_text(s, "value");
	if (value.len < 16)
		conf_problem(report, conf_line(s, "value"),
			     "token %s: its value has fewer than 16 characters, which can be "
			     "guessed; `txwatch token` makes a good one",
			     s->title);
	auth_sum(a, value, t->sum);
}

static void take_section(struct auth *a, const struct conf_section *s, struct conf_report *report)
{
	struct token t = {.name = s->title, .tenant = conf_text(s, "tenant"), .is_of_config = true};
	const txw_str *scopes = NULL;
	size_t before = report->n_errors;
	if (t.tenant.len == 0)
		t.tenant = STR_LIT("default");
	take_secret(a, &t, s, report);
	size_t n = conf_list(s, "scopes", &scopes);
	for (size_t i = 0; i < n; i++) {
		for (enum scope sc = SCOPE_READ; sc <= SCOPE_ADMIN; sc++) {
			if (str_is(scopes[i], scope_name(sc)) && sc > t.scope)
				t.scope = sc;
		}
	}
	txw_str expires = conf_text(s, "expires");
	if (expires.len && !time_parse(expires, &t.expires))
		conf_problem(report, conf_line(s, "expires"),
			     "token %s: `expires` must be a time such as "
			     "\"2027-01-31T00:00:00Z\", not \"%.*s\"",
			     s->title, STR_ARG(expires));
	if (report->n_errors == before && !auth_admit(a, &t))
		conf_problem(report, s->line,
			     "token %s: another section has this very token: give each its own",
			     s->title);
}

/* ---- the jwt section ---- */

static void take_rules(struct auth *a, const struct conf_section *s)
{
	struct arena *own = &a->rules_arena;
	a->rules = (struct jwt_rules){
	    .issuer = arena_str(own, conf_text(s, "issuer")),
	    .audience = arena_str(own, conf_text(s, "audience")),
	    .tenant = arena_str(own, conf_text(s, "tenant")),
	    .tenant_claim = arena_str(own, conf_text(s, "tenant-claim")),
	    .scope_claim = arena_str(own, conf_text(s, "scope-claim")),
	    .scope_prefix = arena_str(own, conf_text(s, "scope-prefix")),
	    .skew = conf_number(s, "skew"),
	};
}

static void take_jwt(struct auth *a, const struct conf_section *s, struct conf_report *report)
{
	static const char *const needed[] = {"issuer", "audience", "tenant", "scope-claim"};
	struct arena files = {0};
	struct err e = {0};
	txw_str path = conf_text(s, "keys"), text = STR_NONE;
	txw_str spec = str_of(arena_printf(&files, "file:%.*s", STR_ARG(path)));
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (conf_text(s, needed[i]).len == 0)
			conf_problem(report, conf_line(s, needed[i]), "jwt: `%s` must not be empty",
				     needed[i]);
	}
	take_rules(a, s);
	if (secret_open(&files, spec, &text, &e) >= 0)
		a->jwt = jwt_keys_parse(text, &e);
	if (text.len)
		explicit_bzero((char *)(uintptr_t)text.ptr, text.len);
	if (!a->jwt)
		conf_problem(report, conf_line(s, "keys"), "jwt: `keys`: %s", e.text);
	arena_free(&files);
}

struct auth *auth_open(const struct conf *conf, struct conf_report *report)
{
	struct auth *a = xcalloc(1, sizeof(*a));
	size_t before = report->n_errors;
	a->throttle = throttle_open();
	a->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	a->hashing = EVP_MD_CTX_new();
	if (!a->sha256 || !a->hashing)
		abort();
	for (size_t i = 0; i < conf->root.n_children; i++) {
		const struct conf_section *s = &conf->root.children[i];
		if (strcmp(s->keyword, "token") == 0)
			take_section(a, s, report);
		else if (strcmp(s->keyword, "jwt") == 0)
			take_jwt(a, s, report);
	}
	if (report->n_errors == before)
		return a;
	auth_close(a);
	return NULL;
}

void auth_close(struct auth *a)
{
	struct entry *e, *next;
	if (!a)
		return;
	HASH_ITER(hh, a->tokens, e, next)
	{
		drop(a, e);
	}
	throttle_close(a->throttle);
	jwt_keys_free(a->jwt);
	arena_free(&a->rules_arena);
	arena_free(&a->claims);
	EVP_MD_CTX_free(a->hashing);
	EVP_MD_free(a->sha256);
	free(a);
}

void auth_on_burst(struct auth *a, void (*fn)(void *ctx, txw_str peer), void *ctx)
{
	a->burst = fn;
	a->burst_ctx = ctx;
}

/* ---- a request's token ---- */

static bool bearer(txw_str header, txw_str *out)
{
	if (header.len < 8 || strncasecmp(header.ptr, "Bearer ", 7) != 0)
		return false;
	*out = (txw_str){header.ptr + 7, header.len - 7};
	while (out->len && out->ptr[0] == ' ')
		*out = (txw_str){out->ptr + 1, out->len - 1};
	return out->len > 0;
}

static enum auth_answer check_jwt(struct auth *a, txw_str given, txw_time now)
{
	static const enum auth_answer answers[] = {[JWT_GOOD] = AUTH_OK,
						   [JWT_UNKNOWN] = AUTH_WRONG,
						   [JWT_EXPIRED] = AUTH_EXPIRED,
						   [JWT_REFUSED] = AUTH_REFUSED};
	struct jwt_claims claims;
	if (!a->jwt)
		return AUTH_WRONG;
	arena_reset(&a->claims);
	enum jwt_answer got = jwt_verify(a->jwt, &a->rules, given, now, &a->claims, &claims,
					 &a->why);
	if (got == JWT_GOOD) {
		const char *actor = arena_printf(&a->claims, "jwt:%.*s", STR_ARG(claims.subject));
		a->signed_token = (struct token){.name = actor,
						 .actor = actor,
						 .tenant = claims.tenant,
						 .scope = claims.scope,
						 .expires = claims.expires + a->rules.skew,
						 .is_of_config = true};
	}
	return answers[got];
}

static enum auth_answer check_given(struct auth *a, txw_str given, txw_time now,
				    const struct token **out)
{
	unsigned char sum[32];
	auth_sum(a, given, sum);
	struct entry *e = find(a, sum);
	if (!e) {
		*out = &a->signed_token;
		return check_jwt(a, given, now);
	}
	if (e->token.expires && e->token.expires <= now)
		return AUTH_EXPIRED;
	if (!e->token.is_of_config) {
		e->token.used_at = now;
		e->token.is_used = true;
	}
	*out = &e->token;
	return AUTH_OK;
}

enum auth_answer auth_check(struct auth *a, txw_str header, txw_str peer, txw_time now,
			    const struct token **out, int64_t *wait)
{
	const struct token *found = NULL;
	txw_str given;
	enum auth_answer got = header.len == 0 ? AUTH_MISSING : AUTH_WRONG;
	if (bearer(header, &given))
		got = check_given(a, given, now, &found);
	/* A token that is right goes through: behind a proxy all share one
	 * address, and must not be locked out by one who guesses. */
	if (got == AUTH_OK)
		*out = found;
	if (got != AUTH_MISSING && got != AUTH_WRONG)
		return got;
	if ((*wait = throttle_wait(a->throttle, peer, now)) > 0)
		return AUTH_THROTTLED;
	if (got == AUTH_WRONG && throttle_failed(a->throttle, peer, now) && a->burst)
		a->burst(a->burst_ctx, peer);
	return got;
}

bool auth_admits(struct auth *a, txw_str header, txw_time now, enum scope scope)
{
	const struct token *found = NULL;
	txw_str given;
	return bearer(header, &given) && check_given(a, given, now, &found) == AUTH_OK &&
	       found->scope >= scope;
}

bool auth_is_good(const struct auth *a, const struct token *t, txw_time now)
{
	if (t->expires && t->expires <= now)
		return false;
	return t->is_of_config || find(a, t->sum) != NULL;
}

const char *auth_why(const struct auth *a)
{
	return a->why;
}
