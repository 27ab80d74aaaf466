/*
 * settings.h: a target's own settings, parsed once and kept.
 *
 * Settings are the JSON object {"secrets":["whsec_..."],"headers":{"Name":
 * "value"},"format":"standard"}; other members are the host's. What a target
 * leaves out comes from the instance.
 */
#ifndef WEBHOOK_SETTINGS_H
#define WEBHOOK_SETTINGS_H

#include "body.h"
#include "header.h"
#include "sign.h"

#define KEYS_MAX 8

/* The instance's, from its section. Texts live as long as the instance. */
struct defaults {
	txw_str secret; /* none: targets bring their own */
	uint32_t format;
	struct headers headers;
};

/* Where the four headers of every webhook stand in settings.list. */
enum { AT_ID, AT_TIMESTAMP, AT_SIGNATURE, AT_TYPE, AT_OTHERS };

struct settings {
	struct key *keys[KEYS_MAX];
	size_t n_keys;
	uint32_t format;
	size_t n_headers; /* of list */
	/* Ready to send but for the first three values. */
	txw_http_header list[AT_OTHERS + HEADERS_MAX + 1]; /* one for traceparent */
	void *json;                                        /* holds the texts of the headers */
};

/* On error `why` says what is wrong, without any secret. */
int32_t settings_parse(const struct defaults *defaults, txw_str text, struct settings **out,
		       struct text *why);
void settings_free(struct settings *s);

/* A bounded cache of parsed settings by their text. */
struct cache;

struct cache *cache_open(void); /* NULL: no memory */
void cache_close(struct cache *c);
/* As settings_parse; *out lives until a later cache_get or cache_close. */
int32_t cache_get(struct cache *c, const struct defaults *defaults, txw_str text,
		  struct settings **out, struct text *why);

#endif
