/* header.c: what requests say in headers: a trace that goes on is one we would
 * go on with, and keeps its own; the types and encodings are read to the end
 * and no further. */
#include "fuzz.h"

#include "api/encoding.h"
#include "api/media.h"
#include "base/str.h"
#include "http/trace.h"

static void try_trace(txw_str theirs)
{
	static const uint64_t bits[2] = {1, 2};
	char out[TRACE_TEXT_MAX], again[TRACE_TEXT_MAX];
	bool is_theirs = trace_continue(out, theirs, bits, 3);
	MUST(trace_continue(again, str_of(out), bits, 3));
	MUST(strcmp(out, again) == 0);
	if (is_theirs)
		MUST(memcmp(out + 3, theirs.ptr + 3, 32) == 0);
	else
		MUST(memcmp(out + 3, "00000000000000010000000000000002", 32) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	txw_str s = {(const char *)data, size};
	try_trace(s);
	/* Letters of the header mean the same in capitals. */
	char *upper = malloc(size + 1);
	for (size_t i = 0; i < size; i++)
		upper[i] = (char)(data[i] >= 'a' && data[i] <= 'z' ? data[i] - 32 : data[i]);
	txw_str big = {upper, size};
	MUST(encoding_takes_gzip(s) == encoding_takes_gzip(big));
	MUST(media_is(s, "application/json") == media_is(big, "application/json"));
	free(upper);
	return 0;
}
