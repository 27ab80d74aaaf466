/* site_kit.c: see site_kit.h. */
#include "site_kit.h"

#include <stdatomic.h>
#include <unistd.h>

#include "base/log.h"

const char KIT_FLOWS[] =
    "flow payment {\n"
    "  initial = \"pending\"\n"
    "  state pending    { next = { \"authorized\", \"settled\", \"failed\" } expires = 30m }\n"
    "  state authorized { next = { \"settled\", \"failed\" } expires = 7d expires-to = \"failed\" "
    "}\n"
    "  state settled    { outcome = \"success\" next = { \"refunded\", \"pending\" } }\n"
    "  state refunded   { outcome = \"cancelled\" }\n"
    "  state failed     { outcome = \"failure\" }\n"
    "  state expired    { outcome = \"expired\" }\n"
    "}\n"
    "flow timed {\n"
    "  initial = \"a\"\n"
    "  state a { next = { \"b\" } }\n"
    "  state b { outcome = \"success\" }\n"
    "  state late { outcome = \"expired\" }\n"
    "}\n"
    "flow strict {\n"
    "  initial = \"a\" illegal = \"refuse\"\n"
    "  state a { next = { \"b\" } }\n"
    "  state b { next = { \"c\", \"a\" } }\n"
    "  state c { outcome = \"success\" }\n"
    "}\n"
    "flow lax {\n"
    "  initial = \"a\" illegal = \"flag\"\n"
    "  state a { next = { \"b\" } }\n"
    "  state b { next = { \"c\" } }\n"
    "  state c { outcome = \"success\" }\n"
    "}\n";

/* ---- a commit that can fail ---- */

static _Atomic int32_t commit_fails;
static int32_t (*real_commit)(void *store, txw_error *err);

static int32_t faulty_commit(void *store, txw_error *err)
{
	int32_t rc = atomic_load(&commit_fails);
	if (rc == 0)
		return real_commit(store, err);
	err->code = rc;
	err->text = STR_LIT("the disk is full, says the test");
	return rc;
}

void kit_fail_commits(int32_t rc)
{
	atomic_store(&commit_fails, rc);
}

/* ---- the played notifier ---- */

struct fake {
	struct kit *k;
	txw_instance *self;
};

static struct kit *making; /* the kit whose notifiers are being made */

static int32_t fake_create(const txw_setup *setup, void **out, txw_error *err)
{
	(void)err;
	struct fake *f = xcalloc(1, sizeof(*f));
	f->k = making;
	f->self = setup->self;
	*out = f;
	return TXW_OK;
}

static void fake_destroy(void *self)
{
	free(self);
}

static int32_t complete(struct kit *k, txw_instance *self, uint64_t token, enum play play)
{
	static const uint32_t verdicts[] = {TXW_VERDICT_OK, TXW_VERDICT_RETRY, TXW_VERDICT_DROP,
					    TXW_VERDICT_GONE, TXW_VERDICT_THROTTLE};
	txw_verdict v = {
	    .size = sizeof(v),
	    .verdict = verdicts[play],
	    .after = play == PLAY_RETRY || play == PLAY_THROTTLE ? k->after : 0,
	    .reason = play == PLAY_OK ? STR_NONE : str_of(k->reason ? k->reason : "played"),
	    .status = play == PLAY_OK ? 200 : 500,
	    .peer = STR_LIT("203.0.113.7:443"),
	    .response = STR_LIT("\xff\xfe not UTF-8"),
	    .took = 1000,
	};
	return NOTIFY_EXT.complete(self, token, &v);
}

int32_t kit_complete(struct kit *k, uint64_t token, enum play play)
{
	return complete(k, k->notifiers[0], token, play);
}

static void write_down(struct kit *k, const txw_delivery *d)
{
	if (k->n_sent == k->cap_sent) {
		k->cap_sent = k->cap_sent ? k->cap_sent * 2 : 256;
		k->sent = xrealloc(k->sent, k->cap_sent * sizeof(*k->sent));
	}
	struct sent *s = &k->sent[k->n_sent++];
	*s = (struct sent){
	    .at = loop_now(k->loop),
	    .id = d->id,
	    .token = d->token,
	    .attempt = d->attempt,
	    .type = d->event->type,
	    .seq = d->event->seq,
	    .version = d->event->tx ? d->event->tx->version : 0,
	};
	if (d->event->tx)
		snprintf(s->ref, sizeof(s->ref), "%.*s", STR_ARG(d->event->tx->ref));
	snprintf(s->address, sizeof(s->address), "%.*s", STR_ARG(d->address));
	snprintf(s->target, sizeof(s->target), "%.*s", STR_ARG(d->target));
	assert_true(d->event->json.len > 0);
}

static int32_t fake_send(void *self, const txw_delivery *items, size_t stride, size_t n,
			 txw_error *err)
{
	struct fake *f = self;
	assert_int_equal(n, 1);
	assert_true(stride >= sizeof(*items));
	write_down(f->k, items);
	enum play play = f->k->play[(unsigned char)items->address.ptr[0] & 0x7f];
	if (play == PLAY_ERROR) {
		err->code = TXW_E_IO;
		err->text = STR_LIT("the wire is cut");
		return TXW_E_IO;
	}
	if (play == PLAY_HOLD) {
		if (++f->k->in_hand > f->k->most_in_hand)
			f->k->most_in_hand = f->k->in_hand;
		return TXW_PENDING;
	}
	assert_int_equal(complete(f->k, f->self, items->token, play), TXW_OK);
	return TXW_PENDING;
}

static void fake_cancel(void *self, uint64_t token)
{
	struct fake *f = self;
	(void)token;
	f->k->n_cancelled++;
	f->k->in_hand--;
}

static int32_t fake_check(void *self, txw_str address, txw_str settings, txw_error *err)
{
	(void)self;
	(void)settings;
	if (!str_is(address, "refused"))
		return TXW_OK;
	err->text = STR_LIT("that address is refused");
	return TXW_E_INVALID;
}

static const struct role FAKE = {
    .full_name = "notifier.fake",
    .row = {.size = sizeof(txw_role),
	    .kind = TXW_ROLE_NOTIFIER,
	    .name = "fake",
	    .create = fake_create,
	    .destroy = fake_destroy},
    .v.notifier = {.size = sizeof(txw_notifier),
		   .send = fake_send,
		   .cancel = fake_cancel,
		   .check = fake_check},
};

/* ---- config ---- */

static void write_conf(struct kit *k, const char *text)
{
	FILE *f = fopen(k->conf_path, "w");
	assert_non_null(f);
	fprintf(f, "%s\nstore.sqlite main { path = \"%s\" }\n", text, k->path);
	fclose(f);
}

static void parse(struct kit *k, const char *text)
{
	struct conf_schema all[32];
	size_t n = 0;
	write_conf(k, text);
	conf_report_init(&k->report, k->conf_path);
	k->plugins = plugins_open();
	plugins_add_path(k->plugins, STR_LIT(TXW_BUILD_DIR "/plugins"), &k->report, 0);
	const struct plugin_file *file = plugins_load(k->plugins, STR_LIT("store.sqlite"));
	if (!file->is_loaded)
		fail_msg("%s", file->reason);
	for (const struct conf_schema *s = plugins_schemas(k->plugins); s->keyword; s++)
		all[n++] = *s;
	all[n] = (struct conf_schema){
	    .keyword = "notifier.fake",
	    .help = "Played",
	    .is_titled = 1,
	    .option_stride = sizeof(txw_option),
	};
	all[n].more_options = conf_role_options(TXW_ROLE_NOTIFIER, &all[n].n_more_options);
	all[++n] = (struct conf_schema){0};
	struct conf_scan *scan = conf_scan(k->conf_path, &k->report);
	assert_non_null(scan);
	k->conf = conf_parse(scan, all, NULL, &k->report);
	conf_scan_free(scan);
}

static void make_notifier(struct kit *k, const struct conf_section *s)
{
	struct err e = {0};
	making = k;
	instance *in = instance_open(&FAKE, s, &k->services, &e);
	if (!in)
		fail_msg("%s", e.text);
	k->notifiers[k->n_notifiers++] = in;
	notify_add(k->notify, in, &k->report);
}

static void make_parts(struct kit *k)
{
	struct err e = {0};
	k->flows.entries = xcalloc(8, sizeof(*k->flows.entries));
	for (size_t i = 0; i < k->conf->root.n_children; i++) {
		const struct conf_section *s = &k->conf->root.children[i];
		if (strcmp(s->keyword, "flow") == 0) {
			struct flow *flow = flow_build(s, &k->report);
			if (flow)
				k->flows.entries[k->flows.n++] = (struct flow_entry){.flow = flow};
		} else if (strcmp(s->keyword, "notifier.fake") == 0) {
			make_notifier(k, s);
		} else if (strcmp(s->keyword, "store.sqlite") == 0) {
			k->store_role = *plugins_role(k->plugins, "store.sqlite");
			real_commit = k->store_role.v.store.commit;
			k->store_role.v.store.commit = faulty_commit;
			k->store = instance_open(&k->store_role, s, &k->services, &e);
		}
	}
	for (size_t i = 0; i < k->conf->root.n_children; i++)
		if (strcmp(k->conf->root.children[i].keyword, "route") == 0)
			notify_add_route(k->notify, &k->conf->root.children[i], &k->report);
	if (!k->store)
		fail_msg("%s", e.text);
}

static void show_report(const struct kit *k)
{
	for (const struct conf_problem *p = k->report.first; p; p = p->next)
		if (!p->is_warning)
			fail_msg("line %d: %s", p->line, p->text);
}

/* ---- opening and closing ---- */

static void on_tail(void *ctx, txw_event *const *events, size_t n)
{
	struct kit *k = ctx;
	for (size_t i = 0; i < n; i++) {
		if (k->n_seen == k->cap_seen) {
			k->cap_seen = k->cap_seen ? k->cap_seen * 2 : 256;
			k->seen = xrealloc(k->seen, k->cap_seen * sizeof(*k->seen));
		}
		k->seen[k->n_seen].seq = events[i]->seq;
		k->seen[k->n_seen].type = events[i]->type;
		k->seen[k->n_seen++].version = events[i]->tx ? events[i]->tx->version : 0;
	}
}

static void open_parts(struct kit *k, const char *text)
{
	struct err e = {0};
	log_set_level(TXW_LOG_ERROR);
	k->patience = 20 * SECOND;
	k->loop = loop_open(&k->clock);
	k->metrics = metrics_open();
	k->notify = notify_open(k->loop, k->metrics);
	k->services = (struct services){
	    .loop = k->loop, .metrics = k->metrics, .notify = k->notify};
	parse(k, text);
	show_report(k);
	assert_non_null(k->conf);
	make_parts(k);
	show_report(k);
	k->engine = engine_open(k->store, k->loop, &k->flows, k->metrics, &e);
	if (!k->engine)
		fail_msg("%s", e.text);
	if (k->keeps_evidence && engine_keep_evidence(k->engine, &e) < 0)
		fail_msg("%s", e.text);
	k->services.engine = k->engine;
	k->readers = readers_open(k->store, k->loop, &e);
	if (!k->readers)
		fail_msg("%s", e.text);
	if (notify_start(k->notify, k->engine, k->readers, &e) < 0)
		fail_msg("%s", e.text);
	engine_on_tail(k->engine, on_tail, k);
	engine_start(k->engine);
}

void kit_open(struct kit *k, const char *text)
{
	memset(k, 0, sizeof(*k));
	snprintf(k->path, sizeof(k->path), "%s/kit.XXXXXX", TXW_BUILD_DIR);
	int fd = mkstemp(k->path);
	assert_true(fd >= 0);
	close(fd);
	unlink(k->path);
	snprintf(k->conf_path, sizeof(k->conf_path), "%s.conf", k->path);
	clock_virtual(&k->clock, KIT_START);
	open_parts(k, text);
}

static void close_parts(struct kit *k)
{
	notify_drain(k->notify);
	engine_stop(k->engine);
	loop_drain(k->loop);
	notify_stop(k->notify);
	readers_close(k->readers);
	engine_close(k->engine);
	for (size_t i = 0; i < k->n_batches; i++)
		batch_free(k->batches[i]);
	instance_close(k->store);
	for (size_t i = 0; i < k->n_notifiers; i++)
		instance_close(k->notifiers[i]);
	notify_close(k->notify);
	for (size_t i = 0; i < k->flows.n; i++)
		flow_free(k->flows.entries[i].flow);
	free(k->flows.entries);
	conf_free(k->conf);
	conf_report_free(&k->report);
	plugins_close(k->plugins);
	loop_close(k->loop);
	metrics_close(k->metrics);
	free(k->sent);
	free(k->seen);
}

void kit_reopen(struct kit *k, const char *text)
{
	struct kit next = {0};
	close_parts(k);
	memcpy(next.path, k->path, sizeof(next.path));
	memcpy(next.conf_path, k->conf_path, sizeof(next.conf_path));
	memcpy(next.play, k->play, sizeof(next.play));
	next.keeps_evidence = k->keeps_evidence;
	clock_virtual(&next.clock, clock_now(&k->clock));
	*k = next;
	open_parts(k, text);
}

void kit_close(struct kit *k)
{
	static const char *const ends[] = {"", "-wal", "-shm", ".lock", ".conf"};
	kit_fail_commits(0);
	close_parts(k);
	for (size_t i = 0; i < COUNT(ends); i++) {
		char path[300];
		snprintf(path, sizeof(path), "%s%s", k->path, ends[i]);
		unlink(path);
	}
}

/* ---- the loop ---- */

void kit_turn(struct kit *k)
{
	uv_run(loop_uv(k->loop), UV_RUN_ONCE);
}

struct walked {
	struct task task;
	bool done;
};

static void on_walked(struct task *task)
{
	((struct walked *)task)->done = true;
}

void kit_advance(struct kit *k, int64_t by)
{
	struct walked w = {.task.run = on_walked};
	assert_int_equal(loop_advance(k->loop, by, k->patience, &w.task), 0);
	while (!w.done)
		kit_turn(k);
}

void kit_rest(struct kit *k)
{
	kit_advance(k, 0);
}

/* ---- operations ---- */

static void on_batch(struct batch *b)
{
	*(bool *)b->ctx = true;
}

struct batch *kit_submit(struct kit *k, const struct op *ops, size_t n, bool atomic)
{
	struct batch *b = xcalloc(1, sizeof(*b));
	bool *done = arena_alloc(&b->arena, sizeof(*done));
	b->ops = xcalloc(n, sizeof(*ops));
	memcpy(b->ops, ops, n * sizeof(*ops));
	b->n = n;
	b->atomic = atomic;
	b->done = on_batch;
	b->ctx = done;
	assert_true(k->n_batches < COUNT(k->batches));
	k->batches[k->n_batches++] = b;
	assert_int_equal(batch_submit(k->engine, b), TXW_PENDING);
	return b;
}

struct batch *kit_batch(struct kit *k, const struct op *ops, size_t n, bool atomic)
{
	if (k->n_batches == COUNT(k->batches)) {
		for (size_t i = 0; i < k->n_batches; i++)
			batch_free(k->batches[i]);
		k->n_batches = 0;
	}
	struct batch *b = kit_submit(k, ops, n, atomic);
	while (!*(bool *)b->ctx)
		kit_turn(k);
	return b;
}

const struct op *kit_op(struct kit *k, struct op op)
{
	struct batch *b = kit_batch(k, &op, 1, false);
	if (b->job.rc < 0)
		fail_msg("%s", b->job.err.text);
	return &b->ops[0];
}

struct op op_create(const char *flow, const char *ref, const char *status)
{
	return (struct op){
	    .kind = OP_CREATE,
	    .name = {.tenant = STR_LIT("default"), .flow = str_of(flow), .ref = str_of(ref)},
	    .status = str_of(status),
	    .source = STR_LIT("api"),
	};
}

struct op op_status(const char *flow, const char *ref, const char *status)
{
	struct op op = op_create(flow, ref, status);
	op.kind = OP_STATUS;
	return op;
}

/* ---- subscriptions ---- */

static void on_subscribed(struct sub_request *r)
{
	*(bool *)r->ctx = true;
}

const char *kit_subscribe(struct kit *k, const char *json)
{
	bool done = false;
	struct sub_request *r = xcalloc(1, sizeof(*r));
	r->notify = k->notify;
	r->what = SUB_CREATE;
	r->tenant = STR_LIT("default");
	r->body = json_loads(json, 0, NULL);
	r->done = on_subscribed;
	r->ctx = &done;
	assert_non_null(r->body);
	if (sub_submit(r) != TXW_PENDING)
		fail_msg("%s", r->job.err.text);
	while (!done)
		kit_turn(k);
	if (r->job.rc < 0)
		fail_msg("%s", r->job.err.text);
	struct target *t = target_by_name(k->notify, r->tenant, r->id);
	assert_non_null(t);
	sub_request_free(r);
	return t->name.ptr;
}

/* ---- what is in the store ---- */

static int32_t count_delivery(void *ctx, const txw_delivery_row *row, const txw_target *target,
			      const txw_event *event)
{
	(void)row;
	(void)target;
	(void)event;
	++*(size_t *)ctx;
	return 0;
}

size_t kit_deliveries(struct kit *k, uint32_t state)
{
	struct err e = {0};
	size_t n = 0;
	txw_delivery_query q = {.size = sizeof(q), .limit = 100000, .state = state};
	int32_t rc = READ_CALL(readers_store(k->readers), &e, list_deliveries,
			       readers_mine(k->readers), &q, 0, count_delivery, &n);
	if (rc < 0)
		fail_msg("%s", e.text);
	return n;
}

struct events_count {
	uint32_t type;
	size_t n;
};

static int32_t count_event(void *ctx, const txw_event *ev)
{
	struct events_count *c = ctx;
	c->n += ev->type == c->type;
	return 0;
}

size_t kit_events(struct kit *k, uint32_t type)
{
	struct err e = {0};
	struct events_count c = {.type = type};
	txw_event_query q = {.size = sizeof(q), .limit = 100000};
	int32_t rc = READ_CALL(readers_store(k->readers), &e, list_events, readers_mine(k->readers),
			       &q, count_event, &c);
	if (rc < 0)
		fail_msg("%s", e.text);
	return c.n;
}
