/* item.c: see item.h. */
#include "item.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "when.h"

#define EXACT_BELOW 9007199254740992.0 /* 2^53 */
#define REASON_MAX  1024

static bool real_text(double v, struct pool *pool, txw_str *out)
{
	char text[64];
	int n = 0;
	if (!(fabs(v) < EXACT_BELOW))
		return false;
	/* No exponents: an amount is digits and a point. */
	for (int decimals = 0; decimals <= 20; decimals++) {
		n = snprintf(text, sizeof text, "%.*f", decimals, v);
		if (strtod(text, NULL) == v)
			break;
	}
	*out = pool_copy(pool, (txw_str){text, (size_t)n});
	return out->ptr != NULL;
}

bool item_text(const json_t *v, struct pool *pool, txw_str *out)
{
	char text[24];
	int n;
	switch (v ? json_typeof(v) : JSON_NULL) {
	case JSON_STRING:
		*out = (txw_str){json_string_value(v), json_string_length(v)};
		return out->len > 0;
	case JSON_INTEGER:
		n = snprintf(text, sizeof text, "%lld", (long long)json_integer_value(v));
		*out = pool_copy(pool, (txw_str){text, (size_t)n});
		return out->ptr != NULL;
	case JSON_REAL:
		return real_text(json_real_value(v), pool, out);
	case JSON_TRUE:
		*out = LIT("true");
		return true;
	case JSON_FALSE:
		*out = LIT("false");
		return true;
	default:
		return false;
	}
}

static txw_str text_at(const struct pointer *p, const json_t *item, struct pool *pool)
{
	txw_str out = {NULL, 0};
	return item_text(pointer_find(p, item), pool, &out) ? out : (txw_str){NULL, 0};
}

static txw_time time_at(const struct pointer *p, const json_t *item)
{
	const json_t *v = pointer_find(p, item);
	txw_time t = 0;
	bool ok = false;
	if (v && json_is_string(v))
		ok = when_text((txw_str){json_string_value(v), json_string_length(v)}, &t);
	else if (v && json_is_number(v))
		ok = when_number(json_number_value(v), &t);
	return ok ? t : 0;
}

/* [-]digits[.digits]: what txwatch takes for money. */
static bool is_decimal(txw_str s)
{
	size_t i = s.len && s.ptr[0] == '-';
	size_t whole = 0, part = 0;
	for (; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++)
		whole++;
	if (i < s.len && s.ptr[i] == '.') {
		for (i++; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++)
			part++;
		if (!part)
			return false;
	}
	return whole && i == s.len && s.len <= 60;
}

/* Compact JSON of at most max bytes, or none. */
static txw_str dumped(const json_t *v, size_t max, struct pool *pool)
{
	/* 15 digits: as people wrote it (17 make 0.1 long). */
	const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15);
	size_t n = json_dumpb(v, NULL, 0, flags);
	if (n == 0 || n > max)
		return (txw_str){NULL, 0};
	char *text = pool_alloc(pool, n);
	if (!text || json_dumpb(v, text, n, flags) != n)
		return (txw_str){NULL, 0};
	return (txw_str){text, n};
}

/* At most max bytes, whole characters. */
static txw_str cut(txw_str s, size_t max)
{
	if (s.len <= max)
		return s;
	while (max && ((unsigned char)s.ptr[max] & 0xc0) == 0x80)
		max--;
	s.len = max;
	return s;
}

static const char *kind_of(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_NULL:
		return "null";
	case JSON_STRING:
		return "an empty string";
	default:
		return "a number too large to be exact";
	}
}

static void explain(const struct pointer *p, const json_t *item, struct text *why)
{
	const json_t *v = pointer_find(p, item);
	text_z(why, v ? "no status at `" : "nothing at `");
	text_peer(why, p->source);
	text_z(why, v ? "`: it is " : "`");
	if (v)
		text_z(why, kind_of(v));
}

bool item_read(const struct settings *s, const json_t *item, bool is_discovery, struct pool *pool,
	       txw_observation *out, struct text *why)
{
	*out = (txw_observation){.size = sizeof *out};
	out->status = text_at(&s->status, item, pool);
	if (!out->status.len) {
		if (why)
			explain(&s->status, item, why);
		return false;
	}
	out->reason = cut(text_at(&s->reason, item, pool), REASON_MAX);
	out->code = text_at(&s->code, item, pool);
	out->source_event_id = text_at(&s->event_id, item, pool);
	out->source_version = text_at(&s->source_version, item, pool);
	out->source_at = time_at(&s->source_time, item);
	out->detail = dumped(item, DETAIL_MAX, pool);
	if (!is_discovery)
		return true;
	out->ref = text_at(&s->ref, item, pool);
	out->owner = text_at(&s->owner, item, pool);
	out->amount = text_at(&s->amount, item, pool);
	if (!is_decimal(out->amount))
		out->amount = (txw_str){NULL, 0};
	out->currency = text_at(&s->currency, item, pool);
	const json_t *attributes = pointer_find(&s->attributes, item);
	if (attributes && json_is_object(attributes))
		out->attributes = dumped(attributes, ATTRIBUTES_MAX, pool);
	out->expires_at = time_at(&s->expires, item);
	return true;
}
