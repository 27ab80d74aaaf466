/* cursor.c: position (16 bytes) and MAC (16), in base64url; see cursor.h. */
#include "api/cursor.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PLACE_BYTES 16
#define MAC_BYTES   16
#define RAW_BYTES   (PLACE_BYTES + MAC_BYTES)
#define TEXT_BYTES  43 /* base64url of 32 without padding */

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

static void mac(const struct cursor_key *k, txw_str bound, const unsigned char place[PLACE_BYTES],
		unsigned char out[MAC_BYTES])
{
	unsigned char whole[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	size_t n = bound.len + PLACE_BYTES;
	unsigned char *text = xmalloc(n);
	memcpy(text, place, PLACE_BYTES);
	if (bound.len)
		memcpy(text + PLACE_BYTES, bound.ptr, bound.len);
	if (!HMAC(EVP_sha256(), k->bytes, sizeof(k->bytes), text, n, whole, &len))
		abort();
	free(text);
	memcpy(out, whole, MAC_BYTES);
}

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static size_t encode(const unsigned char *in, size_t len, char *out)
{
	size_t n = 0;
	unsigned bits = 0, have = 0;
	for (size_t i = 0; i < len; i++) {
		bits = (bits << 8 | in[i]) & 0xffff;
		for (have += 8; have >= 6; have -= 6)
			out[n++] = ALPHABET[bits >> (have - 6) & 63];
	}
	if (have)
		out[n++] = ALPHABET[bits << (6 - have) & 63];
	out[n] = '\0';
	return n;
}

static bool decode(txw_str text, unsigned char out[RAW_BYTES])
{
	size_t n = 0;
	unsigned bits = 0, have = 0;
	if (text.len != TEXT_BYTES)
		return false;
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
	return n == RAW_BYTES && (bits & ((1u << have) - 1)) == 0;
}

size_t cursor_print(const struct cursor_key *k, txw_str bound, const struct position *at,
		    char out[CURSOR_TEXT_MAX])
{
	unsigned char raw[RAW_BYTES];
	put_64(raw, at->hi);
	put_64(raw + 8, at->lo);
	mac(k, bound, raw, raw + PLACE_BYTES);
	return encode(raw, RAW_BYTES, out);
}

bool cursor_parse(const struct cursor_key *k, txw_str bound, txw_str text, struct position *out)
{
	unsigned char raw[RAW_BYTES], want[MAC_BYTES];
	if (!decode(text, raw))
		return false;
	mac(k, bound, raw, want);
	if (CRYPTO_memcmp(want, raw + PLACE_BYTES, MAC_BYTES) != 0)
		return false;
	*out = (struct position){get_64(raw), get_64(raw + 8)};
	return true;
}
