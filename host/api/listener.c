/* listener.c: see listener.h. */
#include "api/listener.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "http/tls.h"

#define LISTEN_DEFAULT STR_LIT("127.0.0.1:8420")

struct wanted {
	txw_str listen;
	txw_str cert; /* none: plain HTTP */
	txw_str key;
	struct http_limits limits;
};

const struct conf_section *listener_section(const struct conf *conf)
{
	for (size_t i = 0; i < conf->root.n_children; i++) {
		if (strcmp(conf->root.children[i].keyword, "http") == 0)
			return &conf->root.children[i];
	}
	return NULL;
}

static void read_section(const struct conf *conf, struct wanted *w)
{
	const struct conf_section *s = listener_section(conf);
	*w = (struct wanted){.listen = LISTEN_DEFAULT,
			     .limits = {.max_body = (size_t)16 << 20,
					.max_connections = 1024,
					.idle_timeout = MINUTE}};
	if (!s)
		return;
	w->listen = conf_text(s, "listen");
	w->cert = conf_text(s, "tls-cert");
	w->key = conf_text(s, "tls-key");
	w->limits.max_body = (size_t)conf_number(s, "max-body");
	w->limits.max_connections = (size_t)conf_number(s, "max-connections");
	w->limits.idle_timeout = conf_number(s, "idle-timeout");
}

/* ---- the certificate ---- */

static int32_t read_file(struct arena *a, const char *option, txw_str path, txw_str *out,
			 struct err *e)
{
	txw_str spec = str_of(arena_printf(a, "file:%.*s", STR_ARG(path)));
	return secret_open(a, spec, out, e) < 0 ? err_prefix(e, "%s ", option) : 0;
}

static struct tls_pair *load_pair(const struct wanted *w, struct err *e)
{
	struct arena a = {0};
	txw_str cert, key = STR_NONE;
	struct tls_pair *pair = NULL;
	if (read_file(&a, "tls-cert", w->cert, &cert, e) >= 0 &&
	    read_file(&a, "tls-key", w->key, &key, e) >= 0)
		pair = tls_pair_load(cert, key, e);
	if (key.len)
		explicit_bzero((char *)(uintptr_t)key.ptr, key.len);
	arena_free(&a);
	return pair;
}

void listener_check(const struct conf *conf, struct conf_report *report)
{
	const struct conf_section *s = listener_section(conf);
	struct wanted w;
	struct err e = {0};
	struct clock real;
	char text[TIME_TEXT_MAX];
	read_section(conf, &w);
	if (w.cert.len == 0 && w.key.len == 0)
		return;
	if (w.cert.len == 0 || w.key.len == 0) {
		conf_problem(report, s->line, "http: `tls-cert` and `tls-key` need each other");
		return;
	}
	struct tls_pair *pair = load_pair(&w, &e);
	if (!pair) {
		conf_problem(report, conf_line(s, "tls-cert"), "http: %s", e.text);
		return;
	}
	/* Who connects goes by the real time, whatever the site's clock says. */
	clock_real(&real);
	time_print(text, tls_pair_ends(pair));
	if (tls_pair_ends(pair) <= clock_now(&real))
		conf_warning(report, conf_line(s, "tls-cert"),
			     "http: the certificate ended at %s: nobody will trust it", text);
	tls_pair_drop(pair);
}

/* ---- the listener ---- */

bool listener_fits(const struct conf *one, const struct conf *other)
{
	struct wanted a, b;
	read_section(one, &a);
	read_section(other, &b);
	return str_eq(a.listen, b.listen) && a.limits.max_connections == b.limits.max_connections &&
	       a.limits.idle_timeout == b.limits.idle_timeout && !a.cert.len == !b.cert.len;
}

struct http_server *listener_open(const struct conf *conf, struct loop *loop, int socket,
				  struct http_server *server, http_handler handler, void *ctx,
				  struct err *e)
{
	struct wanted w;
	read_section(conf, &w);
	if (w.cert.len && !(w.limits.tls = load_pair(&w, e))) {
		err_prefix(e, "http: ");
		return NULL;
	}
	w.limits.listener = socket;
	if (!server)
		return http_server_open(loop, w.listen, &w.limits, handler, ctx, e);
	http_server_attach(server, loop, &w.limits, handler, ctx);
	return server;
}
