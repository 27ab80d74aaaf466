/* meta.c: what runs here: flows, plugins, pollers; alive and ready. */
#include "api/handlers.h"
#include "base/clock.h"
#include "engine/audit.h"

/* ---- flows ---- */

static void add_period(struct buf *b, const char *key, int64_t d)
{
	char text[DURATION_TEXT_MAX];
	if (d <= 0)
		return;
	size_t n = duration_print(text, d);
	json_m_str(b, key, (txw_str){text, n});
}

static void render_state(struct buf *b, const struct flow *f, const struct flow_state *st)
{
	json_open(b, '{');
	json_m_str(b, "name", st->name);
	json_m_text(b, "outcome", outcome_name(st->outcome));
	json_key(b, "next");
	json_open(b, '[');
	for (uint32_t i = 0; i < st->n_next; i++)
		json_str(b, f->states[st->next[i]].name);
	json_close(b, ']');
	add_period(b, "expires", st->expires);
	add_period(b, "warn_before", st->warn_before);
	if (st->expires && st->expires_to < f->n_states)
		json_m_str(b, "expires_to", f->states[st->expires_to].name);
	json_close(b, '}');
}

static void render_flow(struct buf *b, const struct flow_entry *entry)
{
	static const char *const illegal[] = {
	    [ILLEGAL_REFUSE] = "refuse", [ILLEGAL_RECORD] = "record", [ILLEGAL_FLAG] = "flag"};
	static const char *const late[] = {
	    [LATE_RECORD] = "record", [LATE_REOPEN] = "reopen", [LATE_REFUSE] = "refuse"};
	const struct flow *f = entry->flow;
	json_open(b, '{');
	json_m_str(b, "name", f->name);
	json_m_str(b, "initial", f->states[f->initial].name);
	json_m_text(b, "illegal", illegal[f->illegal]);
	json_m_text(b, "late", late[f->late]);
	add_period(b, "expires", f->ttl);
	json_m_bool(b, "polled", entry->is_polled);
	json_key(b, "states");
	json_open(b, '[');
	for (uint32_t i = 0; i < f->n_states; i++)
		render_state(b, f, &f->states[i]);
	json_close(b, ']');
	json_close(b, '}');
}

static void open_data(struct buf *b)
{
	json_open(b, '{');
	json_key(b, "data");
}

static void answer_data(struct call *c, struct buf *b)
{
	json_key(b, "next");
	json_none(b);
	json_close(b, '}');
	call_json(c, 200, b);
}

void do_flows(struct call *c)
{
	const struct flows *flows = c->api->site->flows;
	struct buf b = {0};
	open_data(&b);
	json_open(&b, '[');
	for (size_t i = 0; i < flows->n; i++)
		render_flow(&b, &flows->entries[i]);
	json_close(&b, ']');
	answer_data(c, &b);
}

/* ---- plugins ---- */

static void render_instances(struct buf *b, const struct api_site *site, const struct role *role)
{
	json_key(b, "instances");
	json_open(b, '[');
	for (const instance *in = site->instances; in; in = in->next) {
		if (in->role != role)
			continue;
		json_open(b, '{');
		json_m_text(b, "name", in->name);
		json_m_int(b, "misbehaved", atomic_load(&in->misbehaved));
		json_close(b, '}');
	}
	json_close(b, ']');
}

/* Files, and errors that name them, are the operators' to see. */
static void render_plugin(struct buf *b, const struct api_site *site, const struct plugin_file *f,
			  bool with_files)
{
	json_open(b, '{');
	json_m_text(b, "name", f->name);
	if (with_files)
		json_m_text(b, "path", f->path);
	json_m_bool(b, "loaded", f->is_loaded);
	if (with_files) {
		json_m_opt(b, "reason", str_of(f->reason));
		json_m_opt(b, "warning", str_of(f->warning));
	}
	json_m_opt(b, "version", str_of(f->version));
	json_m_opt(b, "author", str_of(f->author));
	json_m_opt(b, "license", str_of(f->license));
	if (f->abi_major) {
		json_key(b, "abi");
		buf_printf(b, "\"%u.%u\"", f->abi_major, f->abi_minor);
	}
	json_key(b, "roles");
	json_open(b, '[');
	for (size_t i = 0; i < f->n_roles; i++) {
		const struct role *role = &f->roles[i];
		json_open(b, '{');
		json_m_text(b, "name", role->full_name);
		json_m_text(b, "kind", role_kind_name(role->row.kind));
		json_m_opt(b, "summary", str_of(role->row.summary));
		render_instances(b, site, role);
		json_close(b, '}');
	}
	json_close(b, ']');
	json_close(b, '}');
}

void do_plugins(struct call *c)
{
	const struct api_site *site = c->api->site;
	struct buf b = {0};
	open_data(&b);
	json_open(&b, '[');
	for (const struct plugin_file *f = plugins_first(site->plugins); f; f = f->next)
		render_plugin(&b, site, f, call_is_operator(c));
	json_close(&b, ']');
	answer_data(c, &b);
}

void do_reload(struct call *c)
{
	struct api_site *site = c->api->site;
	struct buf text = {0}, b = {0};
	if (!call_is_operator(c)) {
		call_problem(c, PROBLEM_FORBIDDEN,
			     "the config is for the site's operators: admins of the tenant `%s`",
			     AUDIT_SITE.ptr);
		return;
	}
	int32_t rc = site->reload ? site->reload(site->reload_ctx, &text) : TXW_E_UNSUPPORTED;
	audit_reload(site->engine, str_of(c->token->actor), rc);
	if (rc < 0) {
		call_problem(c, rc == TXW_E_BUSY ? PROBLEM_CONFLICT : PROBLEM_BAD_CONFIG, "%.*s",
			     STR_ARG(buf_view(&text)));
	} else {
		json_open(&b, '{');
		json_m_text(&b, "status", "reloading");
		json_close(&b, '}');
		call_json(c, 202, &b);
	}
	buf_free(&text);
}

void do_pollers(struct call *c)
{
	struct buf b = {0};
	open_data(&b);
	watch_render(c->api->site->watch, c->tenant, &b);
	answer_data(c, &b);
}

/* ---- alive, ready ---- */

void do_healthz(struct call *c)
{
	struct buf b = {0};
	json_open(&b, '{');
	json_m_text(&b, "status", "ok");
	json_m_text(&b, "version", TXW_VERSION);
	json_close(&b, '}');
	call_json(c, 200, &b);
}

static void add_reason(struct buf *b, size_t *n, const char *code, const char *why)
{
	json_open(b, '{');
	json_m_text(b, "code", code);
	json_m_text(b, "detail", why);
	json_close(b, '}');
	++*n;
}

/* What keeps it from being ready. The words for the store stay general: this
 * route is open to all. */
static size_t add_reasons(struct api *api, struct buf *b)
{
	struct err e = {0};
	txw_error from = ERR_ABI_INIT;
	struct readers *readers = api->site->readers;
	size_t n = 0;
	if (api->is_draining || api->site->is_draining)
		add_reason(b, &n, "draining", "the host is stopping");
	int32_t rc = engine_health(api->site->engine, &e);
	if (rc < 0)
		add_reason(b, &n, rc == TXW_E_FULL ? "disk-full" : "store-writes", err_name(rc));
	rc = readers_store(readers)->ping(readers_mine(readers), &from);
	if (rc < 0)
		add_reason(b, &n, "store-reads", err_name(rc));
	return n;
}

void do_readyz(struct call *c)
{
	struct buf b = {0}, reasons = {0};
	json_open(&reasons, '[');
	size_t n = add_reasons(c->api, &reasons);
	json_close(&reasons, ']');
	json_open(&b, '{');
	json_m_text(&b, "status", n ? "not ready" : "ready");
	json_key(&b, "reasons");
	json_raw(&b, buf_view(&reasons));
	/* Upstreams are not ours: told, but no reason to send nobody here. */
	json_m_int(&b, "pollers_down", (int64_t)watch_down(c->api->site->watch));
	json_close(&b, '}');
	buf_free(&reasons);
	call_json(c, n ? 503 : 200, &b);
}
