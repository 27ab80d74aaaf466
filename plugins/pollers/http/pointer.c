/* pointer.c: see pointer.h. */
#include "pointer.h"

/* ~0 is '~', ~1 is '/' (RFC 6901 section 4). */
static bool unescape(char *s, size_t *len)
{
	size_t n = 0;
	for (size_t i = 0; i < *len; i++) {
		if (s[i] != '~') {
			s[n++] = s[i];
			continue;
		}
		if (++i == *len || (s[i] != '0' && s[i] != '1'))
			return false;
		s[n++] = s[i] == '0' ? '~' : '/';
	}
	*len = n;
	return true;
}

int32_t pointer_read(struct pool *pool, txw_str text, struct pointer *out)
{
	*out = (struct pointer){.is_set = true};
	if (text.len == 0)
		return 0;
	if (text.ptr[0] != '/')
		return TXW_E_INVALID;
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++)
		n += text.ptr[i] == '/';
	out->tokens = pool_alloc(pool, n * sizeof *out->tokens);
	out->source = pool_copy(pool, text);
	char *s = pool_alloc(pool, text.len + 1);
	if (!out->tokens || !out->source.ptr || !s)
		return TXW_E_NOMEM;
	memcpy(s, text.ptr, text.len);
	for (size_t at = 0; at < text.len;) {
		size_t from = ++at;
		while (at < text.len && text.ptr[at] != '/')
			at++;
		size_t len = at - from;
		if (!unescape(s + from, &len))
			return TXW_E_INVALID;
		out->tokens[out->n++] = (txw_str){s + from, len};
	}
	return 0;
}

/* Digits without leading zeros; "-" (the element after the last) is none. */
static const json_t *element(const json_t *array, txw_str token)
{
	size_t index = 0;
	if (token.len == 0 || token.len > 9 || (token.len > 1 && token.ptr[0] == '0'))
		return NULL;
	for (size_t i = 0; i < token.len; i++) {
		if (token.ptr[i] < '0' || token.ptr[i] > '9')
			return NULL;
		index = index * 10 + (size_t)(token.ptr[i] - '0');
	}
	return json_array_get(array, index);
}

const json_t *pointer_find(const struct pointer *p, const json_t *at)
{
	if (!p->is_set)
		return NULL;
	for (size_t i = 0; at && i < p->n; i++) {
		if (json_is_object(at))
			at = json_object_getn(at, p->tokens[i].ptr, p->tokens[i].len);
		else
			at = json_is_array(at) ? element(at, p->tokens[i]) : NULL;
	}
	return at;
}
