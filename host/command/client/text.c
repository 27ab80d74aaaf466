/*
 * text.c: see text.h.
 *
 * Widths are glibc's, of its C.UTF-8 locale: the terminal is taken to be one
 * of UTF-8, whatever LANG says. One character, one width: sequences that some
 * terminals join (emoji with joiners) are counted apart.
 */
#include "command/client/text.h"

#include <locale.h>
#include <wchar.h>

#include "base/str.h"

/* The next character of valid or invalid UTF-8; *n = its bytes, at least 1.
 * 0xFFFD for what is none. */
static uint32_t next_char(txw_str s, size_t *n)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char c = (unsigned char)s.ptr[0];
	uint32_t code;

	*n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 0;
	if (*n == 1)
		return c;
	if (*n == 0 || *n > s.len || c > 0xf7) {
		*n = 1;
		return 0xfffd;
	}
	code = c & (0x7fu >> *n);
	for (size_t i = 1; i < *n; i++) {
		if (((unsigned char)s.ptr[i] & 0xc0) != 0x80) {
			*n = 1;
			return 0xfffd;
		}
		code = code << 6 | ((unsigned char)s.ptr[i] & 0x3f);
	}
	if (code < least[*n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
		*n = 1;
		return 0xfffd;
	}
	return code;
}

/* C0, DEL, C1; what changes direction (UAX 9) or breaks lines and so on. */
static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static void add_escape(struct buf *out, uint32_t c)
{
	if (c == '\n')
		buf_text(out, "\\n");
	else if (c == '\t')
		buf_text(out, "\\t");
	else if (c == '\r')
		buf_text(out, "\\r");
	else
		buf_printf(out, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
}

void text_safe(struct buf *out, txw_str s)
{
	size_t n;

	for (; s.len; s.ptr += n, s.len -= n) {
		uint32_t c = next_char(s, &n);

		if (is_control(c))
			add_escape(out, c);
		else if (c == 0xfffd)
			buf_text(out, "\xef\xbf\xbd");
		else
			buf_add(out, s.ptr, n);
	}
}

/* Columns of one character. */
static size_t char_width(uint32_t c)
{
	static locale_t utf8; /* of the process: made once, by its only thread */
	locale_t before;
	int width;

	if (c < 0x7f)
		return 1;
	if (!utf8)
		utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (!utf8)
		return 1;
	before = uselocale(utf8);
	width = wcwidth((wchar_t)c);
	uselocale(before);
	return width < 0 ? 1 : (size_t)width;
}

size_t text_width(txw_str s)
{
	size_t columns = 0, n;

	for (; s.len; s.ptr += n, s.len -= n)
		columns += char_width(next_char(s, &n));
	return columns;
}

size_t text_cut(struct buf *out, txw_str s, size_t columns)
{
	size_t whole = text_width(s), used = 0, n;

	if (whole <= columns) {
		buf_str(out, s);
		return whole;
	}
	if (columns == 0)
		return 0;
	for (; s.len; s.ptr += n, s.len -= n) {
		size_t width = char_width(next_char(s, &n));

		if (used + width > columns - 1)
			break;
		buf_add(out, s.ptr, n);
		used += width;
	}
	buf_text(out, "\xe2\x80\xa6");
	return used + 1;
}
