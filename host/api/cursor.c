/* cursor.c: position (16 bytes), more, and MAC (16), in base64url; see cursor.h. */
#include "api/cursor.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PLACE_BYTES 16
#define MAC_BYTES   16
#define TEXT_BYTES  43 /* at least: base64url of 32 without padding */

struct cursor_key {
	unsigned char bytes[32];
};

static void put_64(unsigned char *out, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		out[i] = (unsigned char)v;
}

static uint64_t get_64(const unsigned char *in)
{
	uint64_t v = 0;
	for (int i = 0; i < 8; i++)
		v = v << 8 | in[i];
	return v;
}

struct cursor_key *cursor_key_make(uint32_t site, uint64_t epoch)
{
	struct cursor_key *k = xcalloc(1, sizeof(*k));
	unsigned char from[32] = "txwatch cursor 1";
	put_64(from + 16, site);
	put_64(from + 24, epoch);
	if (EVP_Digest(from, sizeof(from), k->bytes, NULL, EVP_sha256(), NULL) != 1)
		abort(); /* SHA-256 is always there */
	return k;
}

void cursor_key_free(struct cursor_key *k)
{
	free(k);
}

/* place: the two numbers and what more there is. */
static void mac(const struct cursor_key *k, txw_str bound, const unsigned char *place, size_t n,
		unsigned char out[MAC_BYTES])
{
	unsigned char whole[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	unsigned char *text = xmalloc(n + bound.len);
	memcpy(text, place, n);
	if (bound.len)
		memcpy(text + n, bound.ptr, bound.len);
	if (!HMAC(EVP_sha256(), k->bytes, sizeof(k->bytes), text, n + bound.len, whole, &len))
		abort();
	free(text);
	memcpy(out, whole, MAC_BYTES);
}

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(const unsigned char *in, size_t len, struct buf *out)
{
	unsigned bits = 0, have = 0;
	for (size_t i = 0; i < len; i++) {
		bits = (bits << 8 | in[i]) & 0xffff;
		for (have += 8; have >= 6; have -= 6)
			buf_char(out, ALPHABET[bits >> (have - 6) & 63]);
	}
	if (have)
		buf_char(out, ALPHABET[bits << (6 - have) & 63]);
}

/* out: text.len * 3 / 4 bytes. false: not base64url, or not as we write it. */
static bool decode(txw_str text, unsigned char *out)
{
	size_t n = 0;
	unsigned bits = 0, have = 0;
	for (size_t i = 0; i < text.len; i++) {
		const char *at = text.ptr[i] ? strchr(ALPHABET, text.ptr[i]) : NULL;
		if (!at)
			return false;
		bits = (bits << 6 | (unsigned)(at - ALPHABET)) & 0xffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (unsigned char)(bits >> have);
		}
	}
	return have < 6 && (bits & ((1u << have) - 1)) == 0;
}

void cursor_print_more(const struct cursor_key *k, txw_str bound, const struct position *at,
		       txw_str more, struct buf *out)
{
	size_t n = PLACE_BYTES + more.len;
	unsigned char *raw = xmalloc(n + MAC_BYTES);
	put_64(raw, at->hi);
	put_64(raw + 8, at->lo);
	if (more.len)
		memcpy(raw + PLACE_BYTES, more.ptr, more.len);
	mac(k, bound, raw, n, raw + n);
	encode(raw, n + MAC_BYTES, out);
	free(raw);
}

bool cursor_parse_more(const struct cursor_key *k, txw_str bound, txw_str text, struct arena *a,
		       struct position *out, txw_str *more)
{
	unsigned char want[MAC_BYTES];
	if (text.len < TEXT_BYTES || text.len > CURSOR_LONG_MAX)
		return false;
	unsigned char *raw = arena_alloc(a, text.len);
	size_t n = text.len * 3 / 4 - MAC_BYTES;
	if (!decode(text, raw))
		return false;
	mac(k, bound, raw, n, want);
	if (CRYPTO_memcmp(want, raw + n, MAC_BYTES) != 0)
		return false;
	*out = (struct position){get_64(raw), get_64(raw + 8)};
	*more = (txw_str){(const char *)raw + PLACE_BYTES, n - PLACE_BYTES};
	return true;
}

size_t cursor_print(const struct cursor_key *k, txw_str bound, const struct position *at,
		    char out[CURSOR_TEXT_MAX])
{
	struct buf b = {0};
	cursor_print_more(k, bound, at, (txw_str){NULL, 0}, &b);
	size_t n = b.len; /* TEXT_BYTES */
	memcpy(out, b.ptr, n);
	out[n] = '\0';
	buf_free(&b);
	return n;
}

bool cursor_parse(const struct cursor_key *k, txw_str bound, txw_str text, struct position *out)
{
	struct arena a = {0};
	struct position at;
	txw_str more;
	bool ok = cursor_parse_more(k, bound, text, &a, &at, &more) && more.len == 0;
	if (ok)
		*out = at;
	arena_free(&a);
	return ok;
}
