/* exporters.c: each pulled exporter's path, and its page. */
#include <stdlib.h>

#include "api/inside.h"

struct mount {
	const char *path; /* the instance's, for its life */
	instance *exporter;
};

struct rendering {
	struct call *call;
	const instance *exporter;
	struct buf body;
	const char *type; /* in the arena */
	int32_t rc;
	struct err err;
};

static const char *path_of(const instance *in)
{
	if (in->role->row.kind != TXW_ROLE_EXPORTER || !in->role->v.exporter.path)
		return NULL;
	return in->role->v.exporter.path(in->self);
}

void mounts_open(struct api *api)
{
	size_t n = 0;
	for (instance *in = api->site->instances; in; in = in->next)
		n++;
	api->mounts = xcalloc(n, sizeof(struct mount));
	for (instance *in = api->site->instances; in; in = in->next) {
		const char *path = path_of(in);
		struct route_match m;
		if (!path)
			continue;
		route_find(STR_LIT("GET"), str_of(path), true, &m);
		if (path[0] != '/' || m.route) {
			log_warn("an exporter's path is not free", "instance", in->name, "path",
				 path);
			continue;
		}
		api->mounts[api->n_mounts++] = (struct mount){path, in};
	}
}

void mounts_close(struct api *api)
{
	free(api->mounts);
}

static int32_t take_bytes(void *ctx, const char *bytes, size_t len)
{
	struct rendering *r = ctx;
	buf_add(&r->body, bytes, len);
	return 0;
}

static void take_type(void *ctx, const char *type)
{
	struct rendering *r = ctx;
	r->type = arena_str(r->call->arena, str_of(type)).ptr;
}

static void render(void *ctx, const txw_family *families, size_t n)
{
	struct rendering *r = ctx;
	txw_writer out = {
	    .size = sizeof(out), .ctx = r, .write = take_bytes, .content_type = take_type};
	txw_error from = ERR_ABI_INIT;
	int32_t rc = r->exporter->role->v.exporter.render(
	    r->exporter->self, families, sizeof(txw_family), n,
	    http_header(r->call->request, "Accept"), &out, &from);
	r->rc = err_from_plugin(&r->err, rc, &from);
}

static void answer(struct call *c, const struct mount *m)
{
	struct rendering r = {.call = c, .exporter = m->exporter};
	metrics_snapshot(c->api->site->metrics, render, &r);
	if (r.rc < 0) {
		buf_free(&r.body);
		log_warn("an exporter failed", "instance", m->exporter->name, "why", r.err.text);
		call_problem(c, PROBLEM_INTERNAL, NULL);
		return;
	}
	struct answer a = {
	    .status = 200, .type = r.type ? r.type : "text/plain; charset=utf-8", .body = r.body};
	call_answer(c, &a);
}

static const struct mount *find(const struct call *c)
{
	for (size_t i = 0; i < c->api->n_mounts; i++) {
		if (str_is(http_path(c->request), c->api->mounts[i].path))
			return &c->api->mounts[i];
	}
	return NULL;
}

bool mounts_has(const struct call *c)
{
	return find(c) != NULL;
}

void mounts_answer(struct call *c)
{
	answer(c, find(c));
}
