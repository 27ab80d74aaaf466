/* route.c: which row of the table a request means; see route.h. */
#include "api/route.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

static const char *const SCOPES[] = {"open", "read", "write", "admin"};

const char *scope_name(enum scope s)
{
	return SCOPES[s];
}

/* One step over a {parameter}: how much of the path it takes, 0 = none. */
static size_t param_len(const char *path, size_t len, bool takes_rest)
{
	if (takes_rest)
		return len;
	const char *slash = memchr(path, '/', len);
	return slash ? (size_t)(slash - path) : len;
}

static bool match(const struct route *r, txw_str path, txw_str *params)
{
	const char *t = r->path;
	size_t at = 0, n = 0;
	while (*t) {
		if (*t != '{') {
			if (at == path.len || path.ptr[at] != *t)
				return false;
			at++;
			t++;
			continue;
		}
		t = strchr(t, '}') + 1;
		bool rest = *t == '\0' && (r->flags & ROUTE_REST);
		size_t len = param_len(path.ptr + at, path.len - at, rest);
		if (len == 0)
			return false;
		params[n++] = (txw_str){path.ptr + at, len};
		at += len;
	}
	return at == path.len;
}

static void allow(struct route_match *out, const char *method)
{
	size_t n = strlen(out->allow);
	snprintf(out->allow + n, sizeof(out->allow) - n, "%s%s%s", n ? ", " : "", method,
		 strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

void route_find(txw_str method, txw_str path, bool is_virtual, struct route_match *out)
{
	*out = (struct route_match){0};
	if (str_is(method, "HEAD"))
		method = STR_LIT("GET");
	for (size_t i = 0; i < ROUTES_N; i++) {
		const struct route *r = &ROUTES[i];
		txw_str params[ROUTE_PARAMS_MAX] = {{0}};
		if ((r->flags & ROUTE_VIRTUAL) && !is_virtual)
			continue;
		if (!match(r, path, params))
			continue;
		if (!str_is(method, r->method)) {
			allow(out, r->method);
			continue;
		}
		out->route = r;
		memcpy(out->param, params, sizeof(params));
		return;
	}
}
