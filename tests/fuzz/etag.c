/* etag.c: what is printed is listed and read back; no other tag is ours. */
#include "fuzz.h"

#include "api/etag.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char plain[ETAG_MAX], packed[ETAG_MAX];
	int64_t version;
	bool is_packed;
	txw_str theirs = {(const char *)data, size};
	if (etag_version(theirs, &version)) {
		etag_print(plain, version);
		memcpy(packed, plain, sizeof(plain));
		etag_pack(packed, sizeof(packed));
		MUST(str_is(theirs, plain) || str_is(theirs, packed));
		MUST(etag_listed(theirs, plain, &is_packed));
		MUST(is_packed == str_is(theirs, packed));
	}
	etag_print(plain, 17);
	if (etag_listed(theirs, plain, &is_packed))
		MUST(str_is(theirs, "*") || memmem(data, size, "\"17", 3));
	return 0;
}
