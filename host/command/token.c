/*
 * token.c: `txwatch token make`: a random token, shown once, and the section that
 * admits it by its hash.
 *
 * stdout: the token on the first line, the section on the next; what is for
 * people goes to stderr.
 */
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "command/args.h"

#define SECRET_BYTES 32
#define TOKEN_MAX    64

struct wanted {
	const char *name;
	const char *tenant;
	const char *scopes[3];
	size_t n_scopes;
	char expires[TIME_TEXT_MAX]; /* "" = never */
};

static bool is_plain(const char *z)
{
	size_t len = strspn(z, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

	return len > 0 && len <= 64 && !z[len] && *z != '-' && *z != '.';
}

static int misused(const char *what, const char *found)
{
	fprintf(stderr, "txwatch token make: %s, found `%s`\n", what, found);
	return EXIT_USAGE;
}

static void take_scope(struct wanted *w, const char *word)
{
	for (size_t i = 0; i < w->n_scopes; i++)
		if (strcmp(w->scopes[i], word) == 0)
			return;
	if (w->n_scopes < sizeof(w->scopes) / sizeof(w->scopes[0]))
		w->scopes[w->n_scopes++] = word;
}

/* A time, or a duration from now. */
static bool take_expiry(struct wanted *w, const char *word)
{
	struct clock clock;
	txw_time at;
	int64_t after;

	clock_real(&clock);
	if (!time_parse(str_of(word), &at)) {
		if (!duration_parse(str_of(word), &after) || after <= 0 || after > 100 * 366 * DAY)
			return false;
		at = clock_now(&clock) + after;
		at -= at % SECOND;
	}
	w->expires[time_print(w->expires, at)] = '\0';
	return at > clock_now(&clock);
}

/* base64url without padding (RFC 4648, section 5). */
static size_t encode(char *out, const unsigned char *bytes, size_t n)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t held = 0;
	unsigned bits = 0;
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		held = held << 8 | bytes[i];
		for (bits += 8; bits >= 6; bits -= 6)
			out[len++] = digits[held >> (bits - 6) & 63];
	}
	if (bits)
		out[len++] = digits[held << (6 - bits) & 63];
	return len;
}

static bool make(char token[TOKEN_MAX], unsigned char hash[EVP_MAX_MD_SIZE], unsigned *hash_len)
{
	unsigned char secret[SECRET_BYTES];
	size_t len;

	if (RAND_bytes(secret, sizeof(secret)) != 1)
		return false;
	memcpy(token, "txw_", 4);
	len = 4 + encode(token + 4, secret, sizeof(secret));
	token[len] = '\0';
	explicit_bzero(secret, sizeof(secret));
	return EVP_Digest(token, len, hash, hash_len, EVP_sha256(), NULL) == 1;
}

static void print_section(const struct wanted *w, const unsigned char *hash, unsigned hash_len)
{
	printf("token %s { hash = \"sha256:", w->name);
	for (unsigned i = 0; i < hash_len; i++)
		printf("%02x", hash[i]);
	printf("\" scopes = {");
	for (size_t i = 0; i < w->n_scopes; i++)
		printf("%s \"%s\"", i ? "," : "", w->scopes[i]);
	printf(" }");
	if (w->tenant)
		printf(" tenant = \"%s\"", w->tenant);
	if (*w->expires)
		printf(" expires = \"%s\"", w->expires);
	printf(" }\n");
}

static int make_and_print(const struct wanted *w)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	char token[TOKEN_MAX];
	unsigned hash_len = 0;

	if (!make(token, hash, &hash_len)) {
		fprintf(stderr, "txwatch token: the system gives no random bytes\n");
		return 1;
	}
	fprintf(stderr, "The token is shown this once; the section goes into the site's file.\n");
	printf("%s\n", token);
	print_section(w, hash, hash_len);
	explicit_bzero(token, sizeof(token));
	return 0;
}

int command_token(const struct args *a)
{
	struct wanted w = {.name = args_word(a, 0), .tenant = args_get(a, "tenant")};
	const char *expires = args_get(a, "expires"), *scope;

	if (!w.name)
		w.name = "operator";
	for (size_t at = 0; (scope = args_next(a, "scope", &at)) != NULL;)
		take_scope(&w, scope);
	if (expires && !take_expiry(&w, expires))
		return misused("--expires takes a time to come, like 2027-01-31T00:00:00Z, or a "
			       "duration like 90d",
			       expires);
	if (!is_plain(w.name))
		return misused("a name is 1 to 64 letters, digits, `_`, `-` or `.`", w.name);
	if (w.tenant && !is_plain(w.tenant))
		return misused("a tenant is 1 to 64 letters, digits, `_`, `-` or `.`", w.tenant);
	if (w.n_scopes == 0)
		take_scope(&w, "read");
	return make_and_print(&w);
}
