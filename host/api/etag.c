/* etag.c: see etag.h. */
#include "api/etag.h"

#include <stdio.h>

#include "base/str.h"

static const char PACKED[] = "-gzip\"";

void etag_print(char out[ETAG_MAX], int64_t version)
{
	/* By hand: a printf would be felt on every read. */
	char digits[24];
	size_t n = 0, at = 0;
	uint64_t left = version > 0 ? (uint64_t)version : 0;
	do {
		digits[n++] = (char)('0' + left % 10);
	} while (left /= 10);
	out[at++] = '"';
	while (n)
		out[at++] = digits[--n];
	out[at++] = '"';
	out[at] = '\0';
}

void etag_pack(char *etag, size_t cap)
{
	size_t n = strlen(etag);
	if (n < 2 || n - 1 + sizeof(PACKED) > cap)
		return;
	memcpy(etag + n - 1, PACKED, sizeof(PACKED));
}

bool etag_version(txw_str tag, int64_t *version)
{
	char plain[ETAG_MAX], packed[ETAG_MAX];
	size_t n = 1;
	while (n < tag.len && tag.ptr[n] >= '0' && tag.ptr[n] <= '9')
		n++;
	if (tag.len < 3 || !str_int((txw_str){tag.ptr + 1, n - 1}, version) || *version < 1)
		return false;
	/* A strong comparison is one of bytes: "03" is not ours. */
	etag_print(plain, *version);
	memcpy(packed, plain, sizeof(plain));
	etag_pack(packed, sizeof(packed));
	return str_is(tag, plain) || str_is(tag, packed);
}

bool etag_listed(txw_str list, const char *etag, bool *is_packed)
{
	char packed[ETAG_MAX];
	*is_packed = false;
	if (list.len == 0 || etag[0] == '\0')
		return false;
	/* A tag has no quote inside, so whatever stands in quotes is one. */
	if (str_is(list, "*") || memmem(list.ptr, list.len, etag, strlen(etag)))
		return true;
	snprintf(packed, sizeof(packed), "%s", etag);
	etag_pack(packed, sizeof(packed));
	*is_packed = memmem(list.ptr, list.len, packed, strlen(packed)) != NULL;
	return *is_packed;
}
