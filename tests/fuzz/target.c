/* target.c: a request's target: refused, or decoded into texts without NUL
 * that are UTF-8. */
#include "fuzz.h"

#include "base/str.h"
#include "http/inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request r = {.magic = REQUEST_MAGIC};
	char *uri = malloc(size + 1);
	memcpy(uri, data, size);
	uri[size] = '\0';
	if (target_parse(&r, uri)) {
		MUST(r.n_queries <= QUERIES_MAX);
		for (size_t i = 0; i < r.n_queries; i++)
			MUST(str_utf8(r.queries[i].name) && str_utf8(r.queries[i].value));
	}
	arena_free(&r.arena);
	free(uri);
	return 0;
}
