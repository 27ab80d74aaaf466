/* encoding.c: see encoding.h. */
#include "api/encoding.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/str.h"

/* Fast: a page of JSON shrinks to a tenth at any level. */
#define LEVEL  1
#define WINDOW (15 + 16) /* the largest, with gzip's head */

static txw_str trim(txw_str s)
{
	while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
		s = (txw_str){s.ptr + 1, s.len - 1};
	while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* The part before the separator; *rest: what is behind it. */
static txw_str cut(txw_str *rest, char separator)
{
	const char *at = rest->len ? memchr(rest->ptr, separator, rest->len) : NULL;
	txw_str part = {rest->ptr, at ? (size_t)(at - rest->ptr) : rest->len};
	size_t used = part.len + (at ? 1 : 0);
	*rest = (txw_str){rest->ptr ? rest->ptr + used : NULL, rest->len - used};
	return trim(part);
}

/* "0.5" as 500; -1: not a qvalue (RFC 9110, 12.4.2). */
static int qvalue(txw_str s)
{
	int value = 0, place = 100;
	if (s.len == 0 || s.len > 5 || (s.ptr[0] != '0' && s.ptr[0] != '1'))
		return -1;
	if (s.len > 1 && s.ptr[1] != '.')
		return -1;
	for (size_t i = 2; i < s.len; i++, place /= 10) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return -1;
		value += (s.ptr[i] - '0') * place;
	}
	if (s.ptr[0] == '1')
		return value ? -1 : 1000;
	return value;
}

static bool word_is(txw_str s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.ptr, word, s.len) == 0;
}

static int weight(txw_str parameters)
{
	while (parameters.len) {
		txw_str value = cut(&parameters, ';');
		txw_str name = cut(&value, '=');
		if (word_is(name, "q"))
			return qvalue(trim(value));
	}
	return 1000;
}

bool encoding_takes_gzip(txw_str accept)
{
	int gzip = -1, any = -1, plain = -1;
	while (accept.len) {
		txw_str parameters = cut(&accept, ',');
		txw_str coding = cut(&parameters, ';');
		int q = weight(parameters);
		if (q < 0)
			continue; /* not well-formed: as if it were not there */
		if (word_is(coding, "gzip") || word_is(coding, "x-gzip"))
			gzip = q;
		else if (word_is(coding, "*"))
			any = q;
		else if (word_is(coding, "identity"))
			plain = q;
	}
	if (gzip < 0)
		gzip = any;
	return gzip > 0 && gzip >= plain;
}

bool encoding_pack(struct buf *body)
{
	z_stream z = {0};
	if (deflateInit2(&z, LEVEL, Z_DEFLATED, WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	struct buf packed = {0};
	/* No more than it saves: beyond it the plain body is sent. */
	buf_reserve(&packed, body->len);
	z.next_in = (Bytef *)body->ptr;
	z.avail_in = (uInt)body->len;
	z.next_out = (Bytef *)packed.ptr;
	z.avail_out = (uInt)body->len;
	bool is_good = body->len <= UINT32_MAX && deflate(&z, Z_FINISH) == Z_STREAM_END;
	packed.len = body->len - z.avail_out;
	deflateEnd(&z);
	if (!is_good) {
		buf_free(&packed);
		return false;
	}
	buf_free(body);
	*body = packed;
	return true;
}

struct packer {
	z_stream z;
};

struct packer *packer_open(void)
{
	struct packer *p = xcalloc(1, sizeof(*p));
	if (deflateInit2(&p->z, LEVEL, Z_DEFLATED, WINDOW, 8, Z_DEFAULT_STRATEGY) == Z_OK)
		return p;
	free(p);
	return NULL;
}

void packer_pack(struct packer *p, struct buf *block, bool is_last)
{
	struct buf out = {0};
	size_t given = block->len;
	z_stream *z = &p->z;
	if (given == 0 && !is_last)
		return;
	z->next_in = (Bytef *)block->ptr;
	z->avail_in = (uInt)given;
	do {
		buf_reserve(&out, 32 * 1024);
		z->next_out = (Bytef *)out.ptr + out.len;
		z->avail_out = 32 * 1024;
		(void)deflate(z, is_last ? Z_FINISH : Z_SYNC_FLUSH);
		out.len += 32 * 1024 - z->avail_out;
	} while (z->avail_out == 0);
	buf_free(block);
	*block = out;
}

void packer_close(struct packer *p)
{
	if (!p)
		return;
	deflateEnd(&p->z);
	free(p);
}
