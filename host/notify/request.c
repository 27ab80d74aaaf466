/*
 * request.c: what the API asks of subscriptions and deliveries.
 *
 * A request is checked on the loop, written by the engine, and takes effect
 * with the commit: the rule by a hook on the writer's thread, the lane when
 * the answer is back on the loop.
 */
#include "base/id.h"
#include "base/row.h"
#include "base/str.h"
#include "engine/audit.h"
#include "notify/private.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/random.h>

#define KIND STR_LIT("subscription")

/* What a request carries between its steps. */
struct change {
	struct notify *notify;
	struct target *target; /* CREATE: new; else the one that is there */
	struct rule *rule;     /* goes to the router with the commit */
	struct sub sub;
	json_t *body;    /* the document to be */
	int64_t version; /* of the document it was made from */
	txw_time created_at;
	uint32_t moved;
	bool installed;   /* the rule is the router's */
	bool is_held;     /* the target outlives the request */
	bool is_sweeping; /* DELETE: the first unit is durable, more is to move */
};

static void hold_target(struct change *c)
{
	atomic_fetch_add(&c->target->held, 1);
	c->is_held = true;
}

static void drop_target(struct change *c)
{
	if (!c->is_held)
		return;
	c->is_held = false;
	atomic_fetch_sub(&c->target->held, 1);
	if (c->target->is_deleted)
		target_remove(c->target);
}

static void change_free(struct change *c)
{
	if (!c)
		return;
	if (c->rule && !c->installed)
		rule_free(c->rule);
	free(c->sub.settings);
	json_decref(c->body);
	free(c);
}

/* ---- from the request's JSON to the document's ---- */

const struct sub_member SUB_MEMBERS[] = {
    {"channel", 't'}, {"target", 't'},      {"events", '*'},      {"filter", 't'},
    {"headers", '*'}, {"secret", 't'},      {"ordered", 'b'},     {"rate", 't'},
    {"format", 't'},  {"concurrency", '*'}, {"description", 't'}, {"enabled", 'b'},
};
const size_t SUB_MEMBERS_N = sizeof(SUB_MEMBERS) / sizeof(SUB_MEMBERS[0]);

static int32_t no_member(const char *key, struct err *e)
{
	const char *names[sizeof(SUB_MEMBERS) / sizeof(SUB_MEMBERS[0])];
	for (size_t i = 0; i < SUB_MEMBERS_N; i++)
		names[i] = SUB_MEMBERS[i].name;
	const char *near = str_nearest(key, names, SUB_MEMBERS_N);
	return err_set(e, TXW_E_INVALID, "%s: no such member%s%s%s", key,
		       near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static int32_t check_members(const json_t *body, struct err *e)
{
	const char *key;
	json_t *v;
	if (!json_is_object(body))
		return err_set(e, TXW_E_INVALID, "a JSON object is needed");
	json_object_foreach((json_t *)(uintptr_t)body, key, v)
	{
		size_t i = 0;
		while (i < SUB_MEMBERS_N && strcmp(SUB_MEMBERS[i].name, key) != 0)
			i++;
		if (i == SUB_MEMBERS_N)
			return no_member(key, e);
		char kind = SUB_MEMBERS[i].kind;
		if ((kind == 't' && !json_is_string(v)) || (kind == 'b' && !json_is_boolean(v)))
			return err_set(e, TXW_E_INVALID, "%s: a %s is needed", key,
				       kind == 't' ? "text" : "true or false");
	}
	if (json_string_length(json_object_get(body, "description")) > 1024)
		return err_set(e, TXW_E_INVALID, "description: at most 1024 bytes");
	return 0;
}

/* `whsec_` and 32 random bytes in base64 (Standard Webhooks 1.0). */
static json_t *new_secret(void)
{
	unsigned char raw[32], text[48];
	while (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
		;
	int n = EVP_EncodeBlock(text, raw, sizeof(raw));
	return json_sprintf("whsec_%.*s", n, (const char *)text);
}

/* headers, format and secret are the notifier's: they go to `settings`. */
static void merge_settings(json_t *doc, const json_t *body)
{
	json_t *settings = json_object_get(doc, "settings");
	if (!settings) {
		settings = json_object();
		json_object_set_new(doc, "settings", settings);
	}
	static const char *const own[] = {"headers", "format"};
	for (size_t i = 0; i < 2; i++) {
		json_t *v = json_object_get(body, own[i]);
		if (v)
			json_object_set(settings, own[i], v);
	}
	json_t *secret = json_object_get(body, "secret");
	if (secret)
		json_object_set_new(settings, "secrets", json_pack("[O]", secret));
	else if (!json_object_get(settings, "secrets"))
		json_object_set_new(settings, "secrets", json_pack("[o]", new_secret()));
}

static void merge(json_t *doc, const json_t *body)
{
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)body, key, v)
	{
		if (strcmp(key, "headers") && strcmp(key, "format") && strcmp(key, "secret"))
			json_object_set(doc, key, v);
	}
	if (json_is_true(json_object_get(body, "enabled")))
		json_object_del(doc, "disabled_reason");
	merge_settings(doc, body);
}

/* ---- checking, on the loop ---- */

static int32_t on_doc(void *ctx, const txw_doc *doc)
{
	struct change *c = ctx;
	c->body = json_loadb(doc->body.ptr, doc->body.len, 0, NULL);
	c->version = doc->version;
	c->created_at = doc->created_at;
	return 1;
}

struct wanted {
	struct change *change;
	txw_str id;
};

static int32_t on_listed(void *ctx, const txw_doc *doc)
{
	struct wanted *w = ctx;
	if (str_eq(doc->id, w->id))
		on_doc(w->change, doc);
	return 1;
}

/* The keyset list finds one: those after a text just below the id. */
static int32_t load(struct sub_request *r, struct change *c)
{
	struct notify *n = r->notify;
	txw_str before = arena_str(&r->arena, r->id);
	struct wanted w = {c, r->id};
	if (before.len == 0)
		return err_set(&r->job.err, TXW_E_NOTFOUND, "there is no such subscription");
	before.len--;
	int32_t rc = READ_CALL(readers_store(n->readers), &r->job.err, list_docs,
			       readers_mine(n->readers), KIND, r->tenant, before, 32, on_listed,
			       &w);
	if (rc < 0)
		return rc;
	c->target = target_by_name(n, r->tenant, r->id);
	if (!c->body || !c->target)
		return err_set(&r->job.err, TXW_E_NOTFOUND, "there is no such subscription");
	hold_target(c);
	return 0;
}

static int32_t prepare_sub(struct sub_request *r, struct change *c)
{
	struct notify *n = r->notify;
	int32_t rc = sub_read(n, r->tenant, c->body, &c->sub, &r->job.err);
	if (rc < 0)
		return rc;
	if (r->what == SUB_CREATE)
		c->target = target_new(n, r->tenant, r->id);
	c->rule = sub_rule(c->target, &c->sub, &r->job.err);
	return c->rule ? 0 : TXW_E_INVALID;
}

static int32_t prepare_create(struct sub_request *r, struct change *c)
{
	struct notify *n = r->notify;
	char id[ID_TEXT_MAX];
	size_t len = id_print(id, "sub", id_new(loop_now(n->loop)));
	r->id = arena_str(&r->arena, (txw_str){id, len});
	c->body = json_object();
	merge(c->body, r->body);
	if (!json_object_get(c->body, "channel") && n->channels && !n->channels->next)
		json_object_set_new(c->body, "channel", json_string(n->channels->in->name));
	if (!json_object_get(c->body, "enabled"))
		json_object_set_new(c->body, "enabled", json_true());
	if (!json_object_get(c->body, "events"))
		json_object_set_new(c->body, "events", json_pack("[s]", "transaction.*"));
	return prepare_sub(r, c);
}

static int32_t prepare(struct sub_request *r, struct change *c)
{
	struct err *e = &r->job.err;
	int32_t rc;
	bool has_body = r->what == SUB_CREATE || r->what == SUB_PATCH;
	if (has_body && (rc = check_members(r->body, e)) < 0)
		return rc;
	if (r->what == SUB_CREATE)
		return prepare_create(r, c);
	if ((rc = load(r, c)) < 0)
		return rc;
	if (r->if_version && r->if_version != c->version) {
		r->is_other_version = true;
		return err_set(e, TXW_E_EXISTS, "it has another version");
	}
	if (r->what != SUB_PATCH)
		return 0;
	merge(c->body, r->body);
	return prepare_sub(r, c);
}

/* ---- writing ---- */

static void on_commit(void *ctx)
{
	struct sub_request *r = ctx;
	struct change *c = r->change;
	struct router *router = &c->notify->router;
	router_drop(router, c->target);
	if (!c->rule)
		return;
	atomic_store(&c->target->is_disabled, !c->sub.is_enabled);
	router_put(router, c->rule);
	c->installed = true;
}

static void show_secret(struct sub_request *r)
{
	const json_t *secrets = json_object_get(json_object_get(r->change->body, "settings"),
						"secrets");
	const char *secret = json_string_value(json_array_get(secrets, 0));
	if (!secret || r->answer.len == 0)
		return;
	r->answer.len--; /* the closing brace */
	json_m_text(&r->answer, "secret", secret);
	json_close(&r->answer, '}');
}

static int32_t put_document(struct sub_request *r, struct unit *u, struct err *e)
{
	struct change *c = r->change;
	/* Events before this moment are not its own. */
	if (r->what == SUB_CREATE) {
		int64_t last;
		int32_t rc = unit_last_seq(u, &last, e);
		if (rc < 0)
			return rc;
		c->created_at = u->now;
		json_object_set_new(c->body, "from_seq", json_integer(last));
		c->rule->from_seq = last;
	}
	char *text = json_dumps(c->body, JSON_COMPACT);
	txw_doc row = {
	    .size = sizeof(row),
	    .kind = KIND,
	    .tenant = r->tenant,
	    .id = r->id,
	    .body = str_of(text),
	    .version = c->version + 1,
	    .created_at = c->created_at,
	    .updated_at = u->now,
	};
	int32_t rc = UNIT_CALL(u, e, put_doc, &row);
	if (rc >= 0) {
		r->answer.len = 0;
		r->version = row.version;
		sub_render(&r->answer, &row, NULL);
		if (r->what == SUB_CREATE)
			show_secret(r);
	}
	free(text);
	return rc;
}

static int32_t put_target_row(struct change *c, struct unit *u, bool disabled, struct err *e)
{
	txw_target row;
	target_row(c->target, &row);
	row.disabled = disabled;
	if (c->sub.is_enabled)
		row.failing_since = row.failures = 0;
	int32_t rc = UNIT_CALL(u, e, put_target, &row);
	if (rc >= 0)
		c->target->key = row.key;
	return rc;
}

struct found {
	int64_t version;
};

static int32_t on_version(void *ctx, const txw_doc *doc)
{
	((struct found *)ctx)->version = doc->version;
	return 1;
}

/* It must still be the document the request was made from. */
static int32_t same_version(struct sub_request *r, struct unit *u, struct err *e)
{
	struct found f = {0};
	int32_t rc = UNIT_CALL(u, e, get_doc, KIND, r->tenant, r->id, on_version, &f);
	if (rc == TXW_E_NOTFOUND)
		return err_set(e, rc, "there is no such subscription");
	if (rc >= 0 && f.version != r->change->version)
		return err_set(e, TXW_E_EXISTS, "it was changed meanwhile: read it and try again");
	return rc;
}

static int32_t apply_put(struct sub_request *r, struct unit *u, struct err *e)
{
	struct change *c = r->change;
	int32_t rc = 0;
	if (r->what == SUB_CREATE)
		c->target->key = 0;
	else if ((rc = same_version(r, u, e)) >= 0)
		/* The new rule is for what is not routed yet, also after a crash. */
		rc = router_save(&c->notify->router, u, e);
	if (rc >= 0)
		rc = put_target_row(c, u, !c->sub.is_enabled, e);
	if (rc >= 0)
		rc = put_document(r, u, e);
	if (rc >= 0)
		unit_on_commit(u, on_commit, r);
	return rc;
}

static int32_t move_all(struct change *c, struct unit *u, const uint32_t *from, size_t n,
			uint32_t to, txw_time due, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		int32_t rc = UNIT_CALL(u, e, move, c->target->key, from[i], to, due, MOVE_LIMIT);
		if (rc < 0)
			return rc;
		c->moved += (uint32_t)rc;
	}
	return 0;
}

static int32_t apply_delete(struct sub_request *r, struct unit *u, struct err *e)
{
	static const uint32_t open[] = {TXW_DLV_PENDING, TXW_DLV_BLOCKED, TXW_DLV_PARKED};
	struct change *c = r->change;
	c->moved = 0;
	if (c->is_sweeping)
		return move_all(c, u, open, 3, TXW_DLV_SUPPRESSED, 0, e);
	int32_t rc = r->if_version ? same_version(r, u, e) : 0;
	if (rc < 0)
		return rc;
	rc = UNIT_CALL(u, e, delete_doc, KIND, r->tenant, r->id);
	if (rc == 0)
		return err_set(e, TXW_E_NOTFOUND, "there is no such subscription");
	if (rc >= 0)
		rc = put_target_row(c, u, true, e);
	if (rc >= 0)
		rc = move_all(c, u, open, 3, TXW_DLV_SUPPRESSED, 0, e);
	if (rc >= 0)
		unit_on_commit(u, on_commit, r);
	return rc;
}

static int32_t apply_test(struct sub_request *r, struct unit *u, struct err *e)
{
	txw_event ev = {
	    .size = sizeof(ev),
	    .type = TXW_EV_TEST,
	    .at = u->now,
	    .tenant = r->tenant,
	    .to = r->id,
	    .source = STR_LIT("api"),
	    .actor = r->actor,
	    .trace = r->trace,
	    .reason = STR_LIT("a test delivery was asked for"),
	};
	txw_event *made;
	int32_t rc = unit_append(u, &ev, &made, e);
	if (rc < 0)
		return rc;
	r->seq = made->seq;
	r->answer.len = 0;
	json_event(&r->answer, made);
	return 0;
}

static int32_t apply_replay(struct sub_request *r, struct unit *u, struct err *e)
{
	static const uint32_t ended[] = {TXW_DLV_PARKED, TXW_DLV_DEAD};
	struct change *c = r->change;
	c->moved = 0;
	int32_t rc = move_all(c, u, ended, 2, TXW_DLV_PENDING, u->now, e);
	r->answer.len = 0;
	json_open(&r->answer, '{');
	json_m_int(&r->answer, "replayed", c->moved);
	json_close(&r->answer, '}');
	return rc;
}

/* Who did it, and which members were given; their values may be secret. */
static int32_t note_act(struct sub_request *r, struct unit *u, struct err *e)
{
	static const char *const actions[] = {
	    [SUB_CREATE] = "subscription.create", [SUB_PATCH] = "subscription.change",
	    [SUB_DELETE] = "subscription.delete", [SUB_TEST] = "subscription.test",
	    [SUB_REPLAY] = "subscription.replay",
	};
	struct buf b = {0};
	const char *key;
	json_t *v;
	if (r->change->is_sweeping)
		return 0; /* its first unit told of it */
	json_open(&b, '{');
	if (r->what == SUB_CREATE || r->what == SUB_PATCH) {
		json_key(&b, "members");
		json_open(&b, '[');
		json_object_foreach(r->body, key, v)
		{
			json_str(&b, str_of(key));
		}
		json_close(&b, ']');
	}
	json_close(&b, '}');
	int32_t rc = audit_add(u,
			       &(struct audit){.tenant = r->tenant,
					       .actor = r->actor,
					       .action = actions[r->what],
					       .object = r->id,
					       .detail = buf_view(&b)},
			       e);
	buf_free(&b);
	return rc;
}

static int32_t request_apply(struct job *job, struct unit *u, struct err *e)
{
	struct sub_request *r = (struct sub_request *)job;
	int32_t rc = 0;
	switch (r->what) {
	case SUB_CREATE:
	case SUB_PATCH:
		rc = apply_put(r, u, e);
		break;
	case SUB_DELETE:
		rc = apply_delete(r, u, e);
		break;
	case SUB_TEST:
		rc = apply_test(r, u, e);
		break;
	case SUB_REPLAY:
		rc = apply_replay(r, u, e);
		break;
	}
	if (rc >= 0)
		rc = note_act(r, u, e);
	if (rc >= 0 && r->finish)
		rc = r->finish(r, u, e);
	return rc < 0 ? rc : 0;
}

/* ---- after the commit, on the loop ---- */

static void take_effect(struct sub_request *r)
{
	struct change *c = r->change;
	struct notify *n = c->notify;
	struct target *t = c->target;
	switch (r->what) {
	case SUB_CREATE:
		t->is_subscription = true;
		sub_apply(t, n, &c->sub);
		target_add(n, t);
		lane_due(t, loop_now(n->loop));
		break;
	case SUB_PATCH:
		sub_apply(t, n, &c->sub);
		if (c->sub.is_enabled)
			t->failing_since = t->failures = 0;
		lane_due(t, loop_now(n->loop));
		break;
	case SUB_DELETE:
		target_remove(t);
		break;
	case SUB_REPLAY:
		lane_due(t, loop_now(n->loop));
		break;
	case SUB_TEST:
		break;
	}
}

static void request_done(struct job *job)
{
	struct sub_request *r = (struct sub_request *)job;
	struct change *c = r->change;
	if (job->rc >= 0 && r->what == SUB_DELETE && c->moved >= MOVE_LIMIT) {
		c->is_sweeping = true; /* a unit at a time */
		engine_submit_internal(c->notify->engine, job);
		return;
	}
	/* What a sweep that failed left waits for a target that is gone. */
	if (job->rc >= 0 || c->is_sweeping)
		take_effect(r);
	else if (r->what == SUB_CREATE)
		target_remove(c->target);
	drop_target(c);
	r->done(r);
}

static int32_t refuse(struct sub_request *r, int32_t rc)
{
	r->job.rc = rc;
	r->job.err.code = rc;
	return rc;
}

/* Nothing of it will happen. */
static int32_t abandon(struct sub_request *r, int32_t rc)
{
	struct change *c = r->change;
	drop_target(c);
	if (r->what == SUB_CREATE && c->target)
		target_remove(c->target);
	return refuse(r, rc);
}

int32_t sub_submit(struct sub_request *r)
{
	struct change *c = xcalloc(1, sizeof(*c));
	c->notify = r->notify;
	r->change = c;
	int32_t rc = prepare(r, c);
	if (rc < 0)
		return abandon(r, rc);
	r->job.apply = request_apply;
	r->job.done = request_done;
	rc = engine_submit(r->notify->engine, &r->job);
	return rc < 0 ? abandon(r, rc) : rc;
}

void sub_request_free(struct sub_request *r)
{
	change_free(r->change);
	json_decref(r->body);
	buf_free(&r->answer);
	arena_free(&r->arena);
	free(r);
}
