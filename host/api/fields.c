/* fields.c: see fields.h. */
#include "api/fields.h"

#include <string.h>

#include "base/str.h"

static const char *const NAMES[] = {
    "id",
    "flow",
    "ref",
    "status",
    "outcome",
    "version",
    "owner",
    "amount",
    "currency",
    "attributes",
    "reason",
    "code",
    "source_version",
    "source_at",
    "anomaly",
    "paused",
    "legal_hold",
    "created_at",
    "updated_at",
    "status_since",
    "expires_at",
    "finished_at",
    "next_poll_at",
    "poll_failures",
};
#define N_NAMES (sizeof(NAMES) / sizeof(NAMES[0]))

static bool is_known(txw_str path)
{
	for (size_t i = 0; i < N_NAMES; i++)
		if (str_is(path, NAMES[i]))
			return true;
	return path.len > 11 && memcmp(path.ptr, "attributes.", 11) == 0;
}

static bool refuse(txw_str path, struct err *e)
{
	char copy[64];
	size_t n = path.len < sizeof(copy) ? path.len : sizeof(copy) - 1;
	memcpy(copy, path.len ? path.ptr : "", n);
	copy[n] = '\0';
	const char *near = str_nearest(copy, NAMES, N_NAMES);
	err_set(e, TXW_E_INVALID, "fields: a transaction has no member \"%.*s\"%s%s%s",
		STR_ARG(path), near ? "; did you mean \"" : "", near ? near : "",
		near ? "\"?" : "");
	return false;
}

static txw_str trim(txw_str s)
{
	while (s.len && s.ptr[0] == ' ')
		s = (txw_str){s.ptr + 1, s.len - 1};
	while (s.len && s.ptr[s.len - 1] == ' ')
		s.len--;
	return s;
}

bool fields_parse(txw_str text, struct fields *out, struct err *e)
{
	out->n = 0;
	for (;;) {
		const char *comma = text.len ? memchr(text.ptr, ',', text.len) : NULL;
		size_t n = comma ? (size_t)(comma - text.ptr) : text.len;
		txw_str path = trim((txw_str){text.ptr, n});
		if (!is_known(path))
			return refuse(path, e);
		if (out->n == FIELDS_MAX) {
			err_set(e, TXW_E_INVALID, "fields names at most %d members", FIELDS_MAX);
			return false;
		}
		out->paths[out->n++] = path;
		if (!comma)
			return true;
		text = (txw_str){comma + 1, text.len - n - 1};
	}
}

/* ---- reading our own JSON: it is well-formed ---- */

static const char *skip_blank(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

static const char *skip_text(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p < end ? p + 1 : end;
}

static const char *skip_value(const char *p, const char *end)
{
	int depth = 0;
	if (p < end && *p == '"')
		return skip_text(p, end);
	if (p < end && *p != '{' && *p != '[') {
		while (p < end && !strchr(",}] \t\r\n", *p))
			p++;
		return p;
	}
	while (p < end) {
		if (*p == '"') {
			p = skip_text(p, end);
			continue;
		}
		depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
		p++;
		if (depth == 0)
			break;
	}
	return p;
}

/* One member; *p moves behind it and its comma. false: there is no more. */
static bool next_member(const char **p, const char *end, txw_str *name, txw_str *value)
{
	const char *at = skip_blank(*p, end);
	if (at >= end || *at != '"')
		return false;
	const char *after = skip_text(at, end);
	*name = (txw_str){at + 1, (size_t)(after - at) - 2};
	at = skip_blank(after, end);
	if (at < end && *at == ':')
		at = skip_blank(at + 1, end);
	after = skip_value(at, end);
	*value = (txw_str){at, (size_t)(after - at)};
	at = skip_blank(after, end);
	*p = at < end && *at == ',' ? at + 1 : at;
	return true;
}

/* Is the member asked for as a whole? If not, *inner has the paths inside it
 * that are. */
static bool is_whole(const struct fields *f, txw_str name, struct fields *inner)
{
	inner->n = 0;
	for (size_t i = 0; i < f->n; i++) {
		txw_str path = f->paths[i];
		if (str_eq(path, name))
			return true;
		if (path.len > name.len + 1 && path.ptr[name.len] == '.' && str_starts(path, name))
			inner->paths[inner->n++] = (txw_str){path.ptr + name.len + 1,
							     path.len - name.len - 1};
	}
	return false;
}

static void pick(const struct fields *f, txw_str object, struct buf *out)
{
	const char *end = object.ptr + object.len;
	const char *p = skip_blank(object.ptr, end) + 1;
	txw_str name, value;
	json_open(out, '{');
	while (next_member(&p, end, &name, &value)) {
		struct fields inner;
		bool whole = is_whole(f, name, &inner);
		if (!whole && (inner.n == 0 || value.len == 0 || value.ptr[0] != '{'))
			continue;
		if (out->ptr[out->len - 1] != '{')
			buf_char(out, ',');
		buf_char(out, '"');
		buf_str(out, name); /* escaped as it was */
		buf_text(out, "\":");
		if (whole)
			json_raw(out, value);
		else
			pick(&inner, value, out);
	}
	json_close(out, '}');
}

void fields_pick(const struct fields *f, txw_str object, struct buf *out)
{
	if (f->n == 0 || object.len == 0)
		json_raw(out, object);
	else
		pick(f, object, out);
}
