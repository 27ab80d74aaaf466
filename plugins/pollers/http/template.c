/* template.c: see template.h. */
#include "template.h"

struct piece {
	uint32_t place; /* 0: the literal */
	txw_str literal;
};

static size_t find(txw_str s, size_t from, const char *two)
{
	for (size_t i = from; i + 1 < s.len; i++)
		if (s.ptr[i] == two[0] && s.ptr[i + 1] == two[1])
			return i;
	return s.len;
}

static uint32_t place_of(txw_str name)
{
	static const struct {
		txw_str name;
		uint32_t place;
	} rows[] = {
	    {{"ref", 3}, PLACE_REF},
	    {{"refs", 4}, PLACE_REFS},
	    {{"cursor", 6}, PLACE_CURSOR},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (str_same(name, rows[i].name))
			return rows[i].place;
	return 0;
}

int32_t template_read(struct pool *pool, txw_str text, uint32_t allowed, struct template *out)
{
	size_t n = 1;
	*out = (struct template){0};
	for (size_t i = 0; i < text.len; i++)
		n += text.ptr[i] == '{';
	/* Each place costs two braces and may have a literal before it. */
	out->pieces = pool_alloc(pool, n * sizeof *out->pieces);
	txw_str copy = pool_copy(pool, text);
	if (!out->pieces || (text.len && !copy.ptr))
		return TXW_E_NOMEM;
	for (size_t at = 0; at < copy.len;) {
		size_t open = find(copy, at, "{{");
		if (open > at)
			out->pieces[out->n++].literal = (txw_str){copy.ptr + at, open - at};
		if (open == copy.len)
			break;
		size_t close = find(copy, open, "}}");
		if (close == copy.len)
			return TXW_E_INVALID;
		uint32_t place = place_of((txw_str){copy.ptr + open + 2, close - open - 2});
		if (!(place & allowed))
			return TXW_E_INVALID;
		out->pieces[out->n++].place = place;
		out->places |= place;
		at = close + 2;
	}
	return 0;
}

/* Where the path begins: behind "scheme://authority". */
static size_t path_start(txw_str url)
{
	size_t i = find(url, 0, "//");
	for (i = i < url.len ? i + 2 : url.len; i < url.len; i++)
		if (url.ptr[i] == '/' || url.ptr[i] == '?')
			break;
	return i;
}

bool template_url_ok(txw_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == '#' || text.ptr[i] == 0x7f)
			return false;
	return text.len && find(text, 0, "{{") >= path_start(text);
}

static void write_percent(txw_str v, struct text *out)
{
	static const char hex[] = "0123456789ABCDEF";
	for (size_t i = 0; i < v.len; i++) {
		unsigned char c = (unsigned char)v.ptr[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
		char escaped[] = {'%', hex[c >> 4], hex[c & 15]};
		if (plain)
			text_add(out, &c, 1);
		else
			text_add(out, escaped, sizeof escaped);
	}
}

static void write_json(txw_str v, struct text *out)
{
	static const char hex[] = "0123456789abcdef";
	for (size_t i = 0; i < v.len; i++) {
		unsigned char c = (unsigned char)v.ptr[i];
		char quoted[] = {'\\', (char)c};
		char escaped[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
		if (c == '"' || c == '\\')
			text_add(out, quoted, sizeof quoted);
		else if (c < ' ' || c == 0x7f)
			text_add(out, escaped, sizeof escaped);
		else
			text_add(out, &c, 1);
	}
}

static void write_refs(enum writing how, const txw_str *values, size_t n, struct text *out)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			text_z(out, ",");
		if (how == WRITE_PERCENT) {
			write_percent(values[i], out);
			continue;
		}
		text_z(out, "\"");
		write_json(values[i], out);
		text_z(out, "\"");
	}
}

void template_write(const struct template *t, enum writing how, const txw_str *values, size_t n,
		    struct text *out)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct piece *p = &t->pieces[i];
		if (p->place == PLACE_REFS)
			write_refs(how, values, n, out);
		else if (!p->place)
			text_str(out, p->literal);
		else if (how == WRITE_PERCENT)
			write_percent(values[0], out);
		else
			write_json(values[0], out);
	}
}

bool url_has_dots(txw_str url)
{
	size_t end = 0;
	size_t at = path_start(url);
	while (end < url.len && url.ptr[end] != '?')
		end++;
	while (at < end) {
		size_t from = ++at; /* behind the slash */
		while (at < end && url.ptr[at] != '/')
			at++;
		txw_str s = {url.ptr + from, at - from};
		if (str_same(s, LIT(".")) || str_same(s, LIT("..")))
			return true;
	}
	return false;
}
