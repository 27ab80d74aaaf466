/*
 * auth.c: see auth.h.
 *
 * The throttle is a bounded table: a peer has one of a few places, by its
 * address's hash; when all are taken, the one whose minute began first goes.
 */
#include "api/auth.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

#define PLACES 4096u /* a power of two */
#define PROBES 4u
#define WINDOW MINUTE

struct failing {
	uint64_t peer; /* its hash; 0 = free */
	txw_time since;
	unsigned n;
};

struct auth {
	struct arena arena;
	struct token *tokens;
	size_t n;
	EVP_MD *sha256;
	EVP_MD_CTX *hashing; /* reused: making one costs more than the sum */
	struct failing failing[PLACES];
};

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

static void sum(struct auth *a, txw_str token, unsigned char out[32])
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
	sum(a, value, t->sum);
}

static void take_section(struct auth *a, const struct conf_section *s, struct conf_report *report)
{
	struct token *t = &a->tokens[a->n++];
	const txw_str *scopes = NULL;
	t->name = arena_str(&a->arena, str_of(s->title)).ptr;
	t->tenant = arena_str(&a->arena, conf_text(s, "tenant"));
	if (t->tenant.len == 0)
		t->tenant = STR_LIT("default");
	take_secret(a, t, s, report);
	size_t n = conf_list(s, "scopes", &scopes);
	for (size_t i = 0; i < n; i++) {
		for (enum scope sc = SCOPE_READ; sc <= SCOPE_ADMIN; sc++) {
			if (str_is(scopes[i], scope_name(sc)) && sc > t->scope)
				t->scope = sc;
		}
	}
	txw_str expires = conf_text(s, "expires");
	if (expires.len && !time_parse(expires, &t->expires))
		conf_problem(report, conf_line(s, "expires"),
			     "token %s: `expires` must be a time such as "
			     "\"2027-01-31T00:00:00Z\", not \"%.*s\"",
			     s->title, STR_ARG(expires));
}

struct auth *auth_open(const struct conf *conf, struct conf_report *report)
{
	struct auth *a = xcalloc(1, sizeof(*a));
	size_t before = report->n_errors;
	a->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	a->hashing = EVP_MD_CTX_new();
	if (!a->sha256 || !a->hashing)
		abort();
	a->tokens = arena_alloc(&a->arena, (conf->root.n_children + 1) * sizeof(struct token));
	for (size_t i = 0; i < conf->root.n_children; i++) {
		const struct conf_section *s = &conf->root.children[i];
		if (strcmp(s->keyword, "token") == 0)
			take_section(a, s, report);
	}
	if (report->n_errors == before)
		return a;
	auth_close(a);
	return NULL;
}

void auth_close(struct auth *a)
{
	if (!a)
		return;
	EVP_MD_CTX_free(a->hashing);
	EVP_MD_free(a->sha256);
	arena_free(&a->arena);
	free(a);
}

/* ---- the throttle ---- */

static uint64_t peer_hash(txw_str peer)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < peer.len; i++)
		h = (h ^ (unsigned char)peer.ptr[i]) * UINT64_C(1099511628211);
	return h ? h : 1;
}

static struct failing *failing_find(struct auth *a, uint64_t peer, txw_time now)
{
	for (unsigned i = 0; i < PROBES; i++) {
		struct failing *f = &a->failing[(peer + i) & (PLACES - 1)];
		if (f->peer == peer && now - f->since < WINDOW)
			return f;
	}
	return NULL;
}

static void failed(struct auth *a, uint64_t peer, txw_time now)
{
	struct failing *f = failing_find(a, peer, now);
	if (f) {
		f->n++;
		return;
	}
	f = &a->failing[peer & (PLACES - 1)];
	for (unsigned i = 1; i < PROBES; i++) {
		struct failing *other = &a->failing[(peer + i) & (PLACES - 1)];
		if (other->peer == peer || other->since < f->since)
			f = other;
	}
	*f = (struct failing){.peer = peer, .since = now, .n = 1};
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

/* Looks at every token, found or not: time tells nothing. */
static const struct token *find(struct auth *a, txw_str given)
{
	unsigned char sum_of[32];
	const struct token *found = NULL;
	sum(a, given, sum_of);
	for (size_t i = 0; i < a->n; i++) {
		if (CRYPTO_memcmp(sum_of, a->tokens[i].sum, sizeof(sum_of)) == 0)
			found = &a->tokens[i];
	}
	return found;
}

enum auth_answer auth_check(struct auth *a, txw_str header, txw_str peer, txw_time now,
			    const struct token **out, int64_t *wait)
{
	uint64_t hash = peer_hash(peer);
	const struct failing *f = failing_find(a, hash, now);
	txw_str given;
	const struct token *t = bearer(header, &given) ? find(a, given) : NULL;
	/* A token that is right goes through: behind a proxy all share one
	 * address, and must not be locked out by one who guesses. */
	if (!t && f && f->n >= AUTH_FAILURES_MAX) {
		*wait = (f->since + WINDOW - now) / SECOND + 1;
		return AUTH_THROTTLED;
	}
	if (header.len == 0)
		return AUTH_MISSING;
	if (!t) {
		failed(a, hash, now);
		return AUTH_WRONG;
	}
	if (t->expires && t->expires <= now)
		return AUTH_EXPIRED;
	*out = t;
	return AUTH_OK;
}
