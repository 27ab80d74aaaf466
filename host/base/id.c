/* id.c: see id.h. */
#include "base/id.h"

#include <string.h>
#include <sys/random.h>

#include "base/str.h"

#define KEY_BITS 44
#define KEY_MASK ((UINT64_C(1) << KEY_BITS) - 1)

/* hi: 48 bits of milliseconds, version 7, 12 bits; lo: variant 2, 62 bits. */
static txw_id make(int64_t millis, uint64_t a12, uint64_t b62)
{
	txw_id id;
	id.hi = (uint64_t)millis << 16 | UINT64_C(0x7000) | (a12 & 0xfff);
	id.lo = UINT64_C(0x8000000000000000) | (b62 & UINT64_C(0x3fffffffffffffff));
	return id;
}

txw_id id_new(txw_time now)
{
	/* RFC 9562, 6.2, method 1: a counter in the upper bits of what is
	 * random, so that a thread's ids ascend within one millisecond. */
	static _Thread_local int64_t last_millis;
	static _Thread_local uint64_t counter;
	static _Thread_local unsigned char pool[512];
	static _Thread_local size_t left;
	int64_t millis = now / 1000;
	if (left < 8) {
		while (getrandom(pool, sizeof(pool), 0) != (ssize_t)sizeof(pool))
			;
		left = sizeof(pool);
	}
	uint64_t random;
	memcpy(&random, pool + sizeof(pool) - left, sizeof(random));
	left -= 8;
	if (millis > last_millis) {
		last_millis = millis;
		counter = random >> 44 & 0x7ffff; /* room to count up */
	} else {
		millis = last_millis;
		counter++;
	}
	/* 12 + 20 bits of counter, 42 random ones. */
	return make(millis, counter >> 20, (counter & 0xfffff) << 42 | (random & 0x3ffffffffff));
}

txw_id id_from_key(txw_time created, uint32_t site, int64_t key)
{
	/* 30 bits of site: 12 beside the version, 18 above the key. */
	return make(created / 1000, site >> 18 & 0xfff,
		    (uint64_t)(site & 0x3ffff) << KEY_BITS | ((uint64_t)key & KEY_MASK));
}

bool id_to_key(txw_id id, uint32_t site, int64_t *key)
{
	if ((id.hi & 0xf000) != 0x7000 || id.lo >> 62 != 2)
		return false;
	if ((id.hi & 0xfff) != (site >> 18 & 0xfff) ||
	    (id.lo >> KEY_BITS & 0x3ffff) != (site & 0x3ffff))
		return false;
	*key = (int64_t)(id.lo & KEY_MASK);
	return true;
}

int64_t id_millis(txw_id id)
{
	return (int64_t)(id.hi >> 16);
}

static const char ALPHABET[] = "0123456789abcdefghjkmnpqrstvwxyz";

size_t id_print(char *out, const char *prefix, txw_id id)
{
	size_t n = strlen(prefix);
	memcpy(out, prefix, n);
	out[n++] = '_';
	/* 26 characters of 5 bits hold 130: the first has only 3. */
	uint64_t hi = id.hi, lo = id.lo;
	for (int i = 25; i >= 0; i--) {
		out[n + (size_t)i] = ALPHABET[lo & 31];
		lo = lo >> 5 | hi << 59;
		hi >>= 5;
	}
	out[n + 26] = '\0';
	return n + 26;
}

bool id_parse(txw_str text, const char *prefix, txw_id *out)
{
	size_t n = strlen(prefix);
	if (text.len != n + 27 || memcmp(text.ptr, prefix, n) != 0 || text.ptr[n] != '_')
		return false;
	uint64_t hi = 0, lo = 0;
	for (size_t i = n + 1; i < text.len; i++) {
		const char *at = text.ptr[i] ? strchr(ALPHABET, text.ptr[i]) : NULL;
		if (!at || (i == n + 1 && at - ALPHABET > 7))
			return false;
		hi = hi << 5 | lo >> 59;
		lo = lo << 5 | (uint64_t)(at - ALPHABET);
	}
	*out = (txw_id){hi, lo};
	return true;
}
