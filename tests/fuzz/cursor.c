/* cursor.c: no text is a cursor but one that this site printed for this
 * query. */
#include "fuzz.h"

#include "api/cursor.h"
#include "base/str.h"

/* The fuzzer's text as it is, and a good one with a byte of it changed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor_key *k = cursor_key_make(7, 9);
	struct position at = {1, 2}, got;
	char text[CURSOR_TEXT_MAX], back[CURSOR_TEXT_MAX];
	txw_str bound = STR_LIT("default /v1/transactions");
	size_t n = cursor_print(k, bound, &at, text);
	MUST(cursor_parse(k, bound, (txw_str){text, n}, &got) && got.hi == 1 && got.lo == 2);
	txw_str theirs = {(const char *)data, size};
	if (cursor_parse(k, bound, theirs, &got)) {
		size_t m = cursor_print(k, bound, &got, back);
		MUST(str_eq(theirs, (txw_str){back, m}));
	}
	if (size >= 2 && text[data[0] % n] != (char)data[1]) {
		text[data[0] % n] = (char)data[1];
		MUST(!cursor_parse(k, bound, (txw_str){text, n}, &got));
	}
	cursor_key_free(k);
	return 0;
}
