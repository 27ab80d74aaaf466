/* trace.c: see trace.h; https://www.w3.org/TR/trace-context/ */
#include "http/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* Small hexadecimal digits, not all of them 0 unless they may be. */
static bool hex(const char *p, size_t n, bool may_be_zero)
{
	bool is_zero = true;
	for (size_t i = 0; i < n; i++) {
		if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f')))
			return false;
		is_zero = is_zero && p[i] == '0';
	}
	return may_be_zero || !is_zero;
}

/* VERSION-TRACE-SPAN-FLAGS; a later version may have more behind it. */
static bool is_good(txw_str s)
{
	const char *p = s.ptr;
	if (s.len < TRACE_TEXT_MAX - 1 || !hex(p, 2, true) || memcmp(p, "ff", 2) == 0)
		return false;
	if (memcmp(p, "00", 2) == 0 && s.len != TRACE_TEXT_MAX - 1)
		return false;
	if (s.len > TRACE_TEXT_MAX - 1 && p[TRACE_TEXT_MAX - 1] != '-')
		return false;
	return p[2] == '-' && hex(p + 3, 32, false) && p[35] == '-' && hex(p + 36, 16, false) &&
	       p[52] == '-' && hex(p + 53, 2, true);
}

bool trace_continue(char out[TRACE_TEXT_MAX], txw_str theirs, const uint64_t bits[2], uint64_t span)
{
	char trace[33], flags[3] = "00";
	bool is_theirs = is_good(theirs);
	if (is_theirs) {
		memcpy(trace, theirs.ptr + 3, 32);
		trace[32] = '\0';
		/* Of the flags only "sampled" is known to version 00. */
		flags[1] = (theirs.ptr[54] - (theirs.ptr[54] >= 'a' ? 'a' - 10 : '0')) & 1 ? '1'
											   : '0';
	} else {
		snprintf(trace, sizeof(trace), "%016" PRIx64 "%016" PRIx64, bits[0] ? bits[0] : 1,
			 bits[1]);
	}
	snprintf(out, TRACE_TEXT_MAX, "00-%s-%016" PRIx64 "-%s", trace, span ? span : 1, flags);
	return is_theirs;
}
