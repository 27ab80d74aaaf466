/*
 * settings.c: a target's own settings, parsed once and kept.
 *
 * They come as text with every delivery, so the cache is keyed by the text: a
 * changed secret is another text, and nothing has to be told of it. The cache
 * is WAYS entries in each of SETS places; within a place the one used longest
 * ago is replaced. Its secrets are cleansed with it.
 *
 * One thread at a time.
 */
#include "settings.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/crypto.h>

#define SETS 256
#define WAYS 4

/* ---- parsing ---- */

static int32_t refuse(struct text *why, const char *what)
{
	text_z(why, what);
	return TXW_E_INVALID;
}

static int32_t add_key(struct settings *s, txw_str secret, struct text *why)
{
	const char *what;
	if (s->n_keys == KEYS_MAX)
		return refuse(why, "more than 8 secrets");
	int32_t rc = key_open(secret, &s->keys[s->n_keys], &what);
	if (rc < 0)
		text_z(why, what);
	else
		s->n_keys++;
	return rc;
}

static txw_str string_of(const json_t *v)
{
	return (txw_str){json_string_value(v), json_string_length(v)};
}

static int32_t read_secrets(struct settings *s, const json_t *secrets, struct text *why)
{
	size_t i;
	json_t *v;
	if (!secrets)
		return TXW_OK;
	if (!json_is_array(secrets))
		return refuse(why, "\"secrets\" is a list of texts");
	json_array_foreach(secrets, i, v)
	{
		if (!json_is_string(v))
			return refuse(why, "\"secrets\" is a list of texts");
		int32_t rc = add_key(s, string_of(v), why);
		if (rc < 0)
			return rc;
	}
	return TXW_OK;
}

static int32_t read_format(struct settings *s, const json_t *format, struct text *why)
{
	if (!format)
		return TXW_OK;
	s->format = json_is_string(format) ? format_parse(string_of(format)) : FORMAT_COUNT;
	if (s->format == FORMAT_COUNT)
		return refuse(why, "\"format\" is \"standard\" or \"cloudevents\"");
	return TXW_OK;
}

static int32_t read_headers(struct headers *h, json_t *headers, struct text *why)
{
	const char *name;
	json_t *v;
	if (!headers)
		return TXW_OK;
	if (!json_is_object(headers))
		return refuse(why, "\"headers\" is an object of texts");
	json_object_foreach(headers, name, v)
	{
		if (!json_is_string(v))
			return refuse(why, "\"headers\" is an object of texts");
		const char *what = headers_put(h, (txw_str){name, strlen(name)}, string_of(v));
		if (!what)
			continue;
		text_z(why, what);
		text_z(why, ": ");
		text_json(why, (txw_str){name, strlen(name)});
		return TXW_E_INVALID;
	}
	return TXW_OK;
}

static void build_list(struct settings *s, const struct headers *others)
{
	static const char *const own[AT_OTHERS] = {
	    [AT_ID] = "webhook-id",
	    [AT_TIMESTAMP] = "webhook-timestamp",
	    [AT_SIGNATURE] = "webhook-signature",
	    [AT_TYPE] = "content-type",
	};
	for (size_t i = 0; i < AT_OTHERS; i++)
		s->list[i].name = (txw_str){own[i], strlen(own[i])};
	const char *type = format_type(s->format);
	s->list[AT_TYPE].value = (txw_str){type, strlen(type)};
	memcpy(&s->list[AT_OTHERS], others->list, others->n * sizeof(others->list[0]));
	s->n_headers = AT_OTHERS + others->n;
}

static int32_t read_object(struct settings *s, const struct defaults *d, json_t *json,
			   struct text *why)
{
	struct headers others = d->headers;
	s->format = d->format;
	int32_t rc = read_secrets(s, json_object_get(json, "secrets"), why);
	if (rc == TXW_OK && s->n_keys == 0 && d->secret.len)
		rc = add_key(s, d->secret, why);
	if (rc == TXW_OK)
		rc = read_format(s, json_object_get(json, "format"), why);
	if (rc == TXW_OK)
		rc = read_headers(&others, json_object_get(json, "headers"), why);
	if (rc == TXW_OK)
		build_list(s, &others);
	return rc;
}

int32_t settings_parse(const struct defaults *defaults, txw_str text, struct settings **out,
		       struct text *why)
{
	struct settings *s = calloc(1, sizeof(*s));
	if (!s)
		return TXW_E_NOMEM;
	json_t *json = text.len ? json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL)
				: json_object();
	s->json = json;
	int32_t rc = json_is_object(json) ? read_object(s, defaults, json, why)
					  : refuse(why, "the settings are not a JSON object");
	if (rc < 0)
		settings_free(s);
	else
		*out = s;
	return rc;
}

void settings_free(struct settings *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_keys; i++)
		key_close(s->keys[i]);
	json_decref(s->json);
	free(s);
}

/* ---- the cache ---- */

struct entry {
	char *text; /* the key; NULL = free */
	size_t len;
	uint64_t used;
	struct settings *settings;
};

struct cache {
	uint64_t clock; /* of uses */
	struct entry entries[SETS][WAYS];
};

struct cache *cache_open(void)
{
	return calloc(1, sizeof(struct cache));
}

static void entry_clear(struct entry *e)
{
	if (e->text)
		OPENSSL_cleanse(e->text, e->len);
	free(e->text);
	settings_free(e->settings);
	memset(e, 0, sizeof(*e));
}

void cache_close(struct cache *c)
{
	for (size_t i = 0; c && i < SETS; i++)
		for (size_t k = 0; k < WAYS; k++)
			entry_clear(&c->entries[i][k]);
	free(c);
}

/* FNV-1a: texts are a subscriber's, but a collision costs a parse, no more. */
static struct entry *set_of(struct cache *c, txw_str text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.ptr[i]) * UINT64_C(0x100000001b3);
	return c->entries[(hash ^ hash >> 32) % SETS];
}

static int same(const struct entry *e, txw_str text)
{
	return e->len == text.len && (text.len == 0 || memcmp(e->text, text.ptr, text.len) == 0);
}

static int32_t fill(struct entry *e, txw_str text, struct settings *settings)
{
	char *copy = malloc(text.len + 1);
	if (!copy)
		return TXW_E_NOMEM;
	if (text.len)
		memcpy(copy, text.ptr, text.len);
	entry_clear(e);
	e->text = copy;
	e->len = text.len;
	e->settings = settings;
	return TXW_OK;
}

int32_t cache_get(struct cache *c, const struct defaults *defaults, txw_str text,
		  struct settings **out, struct text *why)
{
	struct entry *set = set_of(c, text), *oldest = set;
	for (size_t i = 0; i < WAYS; i++) {
		struct entry *e = &set[i];
		if (e->text && same(e, text)) {
			e->used = ++c->clock;
			*out = e->settings;
			return TXW_OK;
		}
		if (e->used < oldest->used)
			oldest = e;
	}
	int32_t rc = settings_parse(defaults, text, out, why);
	if (rc < 0)
		return rc;
	rc = fill(oldest, text, *out);
	if (rc < 0)
		settings_free(*out);
	oldest->used = ++c->clock;
	return rc;
}
