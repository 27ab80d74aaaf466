/* redact.c: JSON Pointers over JSON: where another parser reads the text, its
 * values are replaced as that parser would have them replaced, and no others.
 * Lines with pointers, an empty one, the JSON. */
#include "fuzz.h"

#include <jansson.h>

#include "base/str.h"
#include "engine/redact.h"

struct pointer {
	size_t n;
	char *segments[REDACT_DEPTH_MAX];
};

/* Segments of a pointer that was taken: every ~ is followed by 0 or 1. */
static void read_pointer(txw_str text, struct pointer *out)
{
	for (size_t at = 1; at <= text.len;) {
		char *s = calloc(1, text.len + 1);
		size_t n = 0;
		for (; at < text.len && text.ptr[at] != '/'; at++)
			s[n++] = text.ptr[at] != '~'     ? text.ptr[at]
				 : text.ptr[++at] == '0' ? '~'
							 : '/';
		out->segments[out->n++] = s;
		at++;
	}
}

static void replace(json_t *v, const struct pointer *p, size_t depth)
{
	const char *want = p->segments[depth], *name;
	char number[24];
	json_t *child;
	size_t i;
	void *next;
	bool is_last = depth + 1 == p->n;
	json_object_foreach_safe(v, next, name, child)
	{
		if (strcmp(want, "*") != 0 && strcmp(want, name) != 0)
			continue;
		if (is_last)
			json_object_set_new(v, name, json_string(REDACTED));
		else
			replace(child, p, depth + 1);
	}
	json_array_foreach(v, i, child)
	{
		snprintf(number, sizeof(number), "%zu", i);
		if (strcmp(want, "*") != 0 && strcmp(want, number) != 0)
			continue;
		if (is_last)
			json_array_set_new(v, i, json_string(REDACTED));
		else
			replace(child, p, depth + 1);
	}
}

static void compare(txw_str json, txw_str got, const struct pointer *pointers, size_t n)
{
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
	if (json.len && memchr(json.ptr, '\0', json.len))
		return; /* jansson reads over a NUL behind a number */
	json_t *want = json_loadb(json.ptr, json.len, flags, NULL);
	if (!want)
		return;
	for (size_t i = 0; i < n; i++)
		replace(want, &pointers[i], 0);
	json_t *have = json_loadb(got.ptr, got.len, flags, NULL);
	MUST(have && json_equal(have, want));
	json_decref(have);
	json_decref(want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pointer pointers[REDACT_POINTERS_MAX];
	txw_str rest = {(const char *)data, size};
	struct redact *r = redact_new();
	struct arena a = {0};
	size_t n = 0;
	while (rest.len) {
		const char *end = memchr(rest.ptr, '\n', rest.len);
		txw_str line = {rest.ptr, end ? (size_t)(end - rest.ptr) : rest.len};
		size_t used = line.len + (end != NULL);
		rest = (txw_str){rest.ptr + used, rest.len - used};
		if (line.len == 0)
			break;
		if (memchr(line.ptr, '\0', line.len) || redact_add(r, line) != NULL)
			continue;
		pointers[n] = (struct pointer){0};
		read_pointer(line, &pointers[n++]);
	}
	/* A copy of its length, so that a byte too far is seen. */
	char *copy = malloc(rest.len);
	if (rest.len)
		memcpy(copy, rest.ptr, rest.len);
	rest.ptr = copy;
	txw_str got = redact_json(r, &a, rest);
	compare(rest, got, pointers, n);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < pointers[i].n; k++)
			free(pointers[i].segments[k]);
	redact_free(r);
	arena_free(&a);
	free(copy);
	return 0;
}
