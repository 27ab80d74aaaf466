/* answer.c: a webhook receiver's answer: whatever its status and headers, the
 * verdict is one of the five, waits are sane, and 2xx is always success. */
#include "fuzz.h"

#include "answer.h"

#define NOW (INT64_C(1790000000) * 1000000)

/* "Name: value" lines, then an empty one, then the body. */
static size_t split(char *text, size_t size, txw_http_header *out, size_t max, txw_str *body)
{
	size_t n = 0, at = 0;
	while (at < size && n < max) {
		char *line = text + at;
		char *end = memchr(line, '\n', size - at);
		size_t len = end ? (size_t)(end - line) : size - at;
		at += len + (end != NULL);
		if (len == 0)
			break;
		char *colon = memchr(line, ':', len);
		size_t name = colon ? (size_t)(colon - line) : len;
		size_t from = name + (colon != NULL);
		out[n++] = (txw_http_header){.name = {line, name},
					     .value = {line + from, len - from}};
	}
	*body = (txw_str){text + at, size - at};
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	txw_http_header headers[16];
	struct judgement j = {0};
	if (size < 2)
		return 0;
	char *text = malloc(size);
	memcpy(text, data + 2, size - 2);
	txw_http_response r = {.size = sizeof(r), .status = 100u + (data[0] | data[1] << 8) % 500};
	r.n_headers = split(text, size - 2, headers, 16, &r.body);
	r.headers = headers;
	answer_judge(&r, NOW, &j);
	MUST(j.verdict >= TXW_VERDICT_OK && j.verdict <= TXW_VERDICT_THROTTLE);
	MUST(j.after >= 0);
	MUST(memchr(j.reason, '\0', sizeof(j.reason)));
	MUST(retry_after((txw_str){text, size - 2}, NOW) >= 0);
	free(text);
	return 0;
}
