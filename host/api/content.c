/* content.c: events with the bytes that their digests are of. */
#include <openssl/evp.h>

#include "api/handlers.h"
#include "engine/evidence.h"

void json_event_content(struct buf *b, const txw_event *ev)
{
	struct buf content = {0};
	json_event(b, ev);
	if (!ev->hash.len)
		return;
	evidence_content(&content, ev);
	b->len--; /* the closing brace: one member more */
	json_key(b, "content");
	buf_char(b, '"');
	buf_reserve(b, (content.len + 2) / 3 * 4 + 1);
	b->len += (size_t)EVP_EncodeBlock((unsigned char *)b->ptr + b->len,
					  (const unsigned char *)content.ptr, (int)content.len);
	buf_char(b, '"');
	json_close(b, '}');
	buf_free(&content);
}
