/*
 * spool.c: see spool.h. One entry: a byte (the result, and whether an id and
 * a text follow), the lines since the last entry (7 bits a byte), 16 bytes of
 * id, two of length and the text.
 */
#include "api/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/id.h"
#include "base/str.h"

#define HAS_ID    16u
#define HAS_WHY   32u
#define RESULT    15u
#define WHY_MAX   512
#define ENTRY_MAX ((size_t)(1 + 10 + 16 + 2 + WHY_MAX))

const char *const SPOOL_NAMES[SPOOL_RESULTS] = {"created", "changed", "unchanged", "refused",
						"invalid"};

/* ---- the file ---- */

static int32_t wrong(struct err *e, const char *what)
{
	return err_set(e,
		       errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? TXW_E_FULL : TXW_E_IO,
		       "the import's results cannot be %s: %s", what, strerror(errno));
}

static int32_t open_file(struct spool *s, struct err *e)
{
	const char *dir = getenv("TMPDIR");
	struct buf path = {0};
	buf_printf(&path, "%s/txwatch-import-XXXXXX", dir && dir[0] ? dir : "/tmp");
	buf_char(&path, '\0');
	s->fd = mkostemp(path.ptr, O_CLOEXEC);
	if (s->fd >= 0)
		unlink(path.ptr);
	buf_free(&path);
	if (s->fd >= 0)
		return 0;
	s->fd = 0;
	return wrong(e, "kept in a temporary file");
}

static int32_t flush(struct spool *s, struct err *e)
{
	if (s->fd == 0 && open_file(s, e) < 0)
		return e->code;
	if (s->bytes + (int64_t)s->head.len > SPOOL_MAX)
		return err_set(e, TXW_E_FULL, "the import has too many results for one answer");
	for (size_t at = 0; at < s->head.len;) {
		ssize_t n = write(s->fd, s->head.ptr + at, s->head.len - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return wrong(e, "written");
		at += (size_t)n;
	}
	s->bytes += (int64_t)s->head.len;
	s->head.len = 0;
	return 0;
}

/* At least one whole entry in head, if there is one. */
static int32_t fill(struct spool *s, struct err *e)
{
	size_t left = s->head.len - s->used;
	if (left >= ENTRY_MAX || s->at == s->bytes)
		return 0;
	memmove(s->head.ptr, s->head.ptr + s->used, left);
	s->used = 0;
	s->head.len = left;
	buf_reserve(&s->head, SPOOL_MEMORY);
	ssize_t n;
	do {
		n = pread(s->fd, s->head.ptr + left, SPOOL_MEMORY - left, s->at);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return wrong(e, "read");
	s->head.len += (size_t)n;
	s->at += n;
	return 0;
}

/* ---- entries ---- */

static void put_id(struct buf *b, txw_id id)
{
	buf_add(b, &id.hi, sizeof(id.hi));
	buf_add(b, &id.lo, sizeof(id.lo));
}

int32_t spool_put(struct spool *s, const struct spooled *one, struct err *e)
{
	uint64_t lines = (uint64_t)(one->line - s->line);
	uint16_t n = (uint16_t)(one->why.len < WHY_MAX ? one->why.len : WHY_MAX);
	bool has_id = !id_is_none(one->id);
	buf_char(&s->head,
		 (char)((unsigned)one->result | (has_id ? HAS_ID : 0) | (n ? HAS_WHY : 0)));
	for (; lines >= 128; lines >>= 7)
		buf_char(&s->head, (char)(128 | (lines & 127)));
	buf_char(&s->head, (char)lines);
	if (has_id)
		put_id(&s->head, one->id);
	if (n) {
		buf_add(&s->head, &n, sizeof(n));
		buf_add(&s->head, one->why.ptr, n);
	}
	s->line = one->line;
	return s->head.len >= SPOOL_MEMORY ? flush(s, e) : 0;
}

int32_t spool_rewind(struct spool *s, struct err *e)
{
	s->line = 0;
	s->used = 0;
	if (s->fd == 0)
		return 0;
	int32_t rc = s->head.len ? flush(s, e) : 0;
	s->at = 0;
	return rc;
}

static void take(struct spool *s, void *out, size_t n)
{
	memcpy(out, s->head.ptr + s->used, n);
	s->used += n;
}

int32_t spool_get(struct spool *s, struct spooled *out, struct err *e)
{
	int32_t rc = fill(s, e);
	if (rc < 0)
		return rc;
	if (s->used == s->head.len)
		return 0;
	unsigned char byte, flags;
	uint64_t lines = 0;
	unsigned shift = 0;
	*out = (struct spooled){0};
	take(s, &flags, 1);
	do {
		take(s, &byte, 1);
		lines |= (uint64_t)(byte & 127) << shift;
		shift += 7;
	} while (byte & 128);
	out->result = (enum spool_result)(flags & RESULT);
	s->line += (int64_t)lines;
	out->line = s->line;
	if (flags & HAS_ID) {
		take(s, &out->id.hi, sizeof(out->id.hi));
		take(s, &out->id.lo, sizeof(out->id.lo));
	}
	if (flags & HAS_WHY) {
		uint16_t n;
		take(s, &n, sizeof(n));
		out->why = (txw_str){s->head.ptr + s->used, n};
		s->used += n;
	}
	return 1;
}

void spool_free(struct spool *s)
{
	if (s->fd)
		close(s->fd);
	buf_free(&s->head);
	*s = (struct spool){0};
}
