/* cursor.c: no text is a cursor but one that this site printed for this
 * query; what was printed comes back. */
#include "fuzz.h"

#include "api/cursor.h"
#include "base/str.h"

static const txw_str BOUND = {"default /v1/transactions", 24};

/* Any text: if it is one, it is as we print it. */
static void try_theirs(const struct cursor_key *k, txw_str text)
{
	struct arena a = {0};
	struct position at;
	struct buf back = {0};
	txw_str more;
	if (cursor_parse_more(k, BOUND, text, &a, &at, &more)) {
		cursor_print_more(k, BOUND, &at, more, &back);
		MUST(str_eq(text, buf_view(&back)));
	}
	buf_free(&back);
	arena_free(&a);
}

/* A place made of the bytes comes back; with a letter changed, or asked of
 * another query, it does not. */
static void try_ours(const struct cursor_key *k, struct position at, txw_str more, txw_str change)
{
	struct arena a = {0};
	struct buf text = {0};
	struct position got;
	txw_str back;
	cursor_print_more(k, BOUND, &at, more, &text);
	bool fits = text.len <= CURSOR_LONG_MAX;
	MUST(cursor_parse_more(k, BOUND, buf_view(&text), &a, &got, &back) == fits);
	if (fits)
		MUST(got.hi == at.hi && got.lo == at.lo && str_eq(back, more));
	MUST(!cursor_parse_more(k, STR_LIT("other"), buf_view(&text), &a, &got, &back));
	char *at_letter = &text.ptr[(unsigned char)change.ptr[0] % text.len];
	if (*at_letter != change.ptr[1]) {
		*at_letter = change.ptr[1];
		MUST(!cursor_parse_more(k, BOUND, buf_view(&text), &a, &got, &back));
	}
	buf_free(&text);
	arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor_key *k = cursor_key_make(7, 9);
	struct position at;
	txw_str all = {(const char *)data, size};
	try_theirs(k, all);
	if (size >= sizeof(at) + 2) {
		memcpy(&at, data, sizeof(at));
		try_ours(k, at, (txw_str){all.ptr + sizeof(at) + 2, size - sizeof(at) - 2},
			 (txw_str){all.ptr + sizeof(at), 2});
	}
	cursor_key_free(k);
	return 0;
}
