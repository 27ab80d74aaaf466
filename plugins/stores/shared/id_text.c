/* id_text.c: see id_text.h. */
#include "id_text.h"

#include <string.h>

static const char ALPHABET[] = "0123456789abcdefghjkmnpqrstvwxyz";

bool id_text_parse(txw_str text, txw_id *out)
{
	*out = (txw_id){0, 0};
	if (text.len != ID_TEXT_LEN || memcmp(text.ptr, "tx_", 3) != 0 || text.ptr[3] > '7')
		return false;
	for (size_t i = 3; i < text.len; i++) {
		const char *at = text.ptr[i] ? strchr(ALPHABET, text.ptr[i]) : NULL;
		if (!at)
			return false;
		out->hi = out->hi << 5 | out->lo >> 59;
		out->lo = out->lo << 5 | (uint64_t)(at - ALPHABET);
	}
	return true;
}

void id_text_print(char out[ID_TEXT_LEN], txw_id id)
{
	memcpy(out, "tx_", 3);
	for (int i = ID_TEXT_LEN - 1; i >= 3; i--) {
		out[i] = ALPHABET[id.lo & 31];
		id.lo = id.lo >> 5 | id.hi << 59;
		id.hi >>= 5;
	}
}
