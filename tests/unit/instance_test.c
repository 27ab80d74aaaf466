/*
 * instance_test.c: instances, their threads, and the extensions they reach.
 *
 * Egress, watch, notify and the engine are played by this file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "egress/egress.h"
#include "notify/notify.h"
#include "plugin/ext.h"
#include "plugin/worker.h"
#include "watch/watch.h"

const txw_poll_ext WATCH_POLL_EXT = {.size = sizeof(WATCH_POLL_EXT)};
const txw_notify_ext NOTIFY_EXT = {.size = sizeof(NOTIFY_EXT)};

void engine_submit_internal(struct engine *g, struct job *job)
{
	(void)g;
	(void)job;
	fail_msg("no engine here");
}

/* ---- egress: remembers one request ---- */

struct egress_policy {
	size_t n;
};

static struct {
	int policies; /* alive */
	size_t allowed;
	txw_http_done done;
	void *ctx;
	uint64_t cancelled;
	int64_t timeout;
} egress;

struct egress_policy *egress_policy_make(const txw_str *networks, size_t n, struct err *err)
{
	if (n && str_is(networks[0], "nonsense")) {
		err_set(err, TXW_E_INVALID, "`nonsense` is not a network");
		return NULL;
	}
	struct egress_policy *p = xcalloc(1, sizeof(*p));
	p->n = egress.allowed = n;
	egress.policies++;
	return p;
}

void egress_policy_free(struct egress_policy *p)
{
	egress.policies -= p != NULL;
	free(p);
}

int32_t egress_start(struct egress *e, const struct egress_policy *policy,
		     const txw_http_request *request, txw_http_done done, void *ctx, uint64_t *id,
		     struct err *err)
{
	(void)e;
	(void)policy;
	if (request->stop_at_cap)
		return err_set(err, TXW_E_DENIED, "10.0.0.1 is a private address");
	egress.done = done;
	egress.ctx = ctx;
	egress.timeout = request->timeout;
	*id = 77;
	return TXW_PENDING;
}

void egress_cancel(struct egress *e, uint64_t id)
{
	(void)e;
	egress.cancelled = id;
}

int32_t egress_check(const struct egress_policy *policy, txw_str url, struct err *err)
{
	(void)policy;
	return url.len ? 0 : err_set(err, TXW_E_INVALID, "not a URL");
}

/* ---- a plugin ---- */

struct plugin_seen {
	txw_setup setup;
	char path[32];
	int destroyed;
	int answers;
};
static struct plugin_seen seen;

static int32_t create(const txw_setup *setup, void **out, txw_error *err)
{
	(void)err;
	seen.setup = *setup;
	if (setup->n_values)
		memcpy(seen.path, setup->values[0].texts[0].ptr, setup->values[0].texts[0].len);
	*out = &seen;
	return TXW_OK;
}

static int32_t fail_to_create(const txw_setup *setup, void **out, txw_error *err)
{
	(void)setup;
	(void)out;
	err->text = STR_LIT("the door is closed");
	return TXW_E_IO;
}

static void destroy(void *self)
{
	((struct plugin_seen *)self)->destroyed++;
}

static const txw_str PATH = {"/tmp/x", 6};
static const txw_str NETWORK = {"10.0.0.0/8", 10};

struct world {
	struct services services;
	struct role role;
	txw_value values[2]; /* the plugin's, then a common one */
	struct conf_section section;
	struct clock clock;
};

static void set_up(struct world *w)
{
	memset(w, 0, sizeof(*w));
	memset(&seen, 0, sizeof(seen));
	memset(&egress, 0, sizeof(egress));
	clock_virtual(&w->clock, 5 * SECOND);
	w->services.loop = loop_open(&w->clock);
	w->services.metrics = metrics_open();
	w->services.egress = (struct egress *)&egress;
	state_open(&w->services);
	w->values[0] = (txw_value){
	    .size = sizeof(txw_value), .name = "path", .is_set = 1, .n = 1, .texts = &PATH};
	w->values[1] = (txw_value){.size = sizeof(txw_value),
				   .name = "allow-networks",
				   .is_set = 1,
				   .n = 1,
				   .texts = &NETWORK};
	w->section = (struct conf_section){
	    .keyword = "poller.test", .title = "bank", .n_values = 2, .values = w->values};
	w->role.full_name = "poller.test";
	w->role.row = (txw_role){
	    .kind = TXW_ROLE_POLLER, .n_options = 1, .create = create, .destroy = destroy};
}

static void tear_down(struct world *w)
{
	struct plugin_state *s = w->services.state;

	metrics_close(w->services.metrics);
	state_close(s);
	loop_close(w->services.loop);
	assert_int_equal(egress.policies, 0);
}

static instance *open_instance(struct world *w)
{
	struct err e;
	instance *in = instance_open(&w->role, &w->section, &w->services, &e);

	if (!in)
		fail_msg("%s", e.text);
	return in;
}

static void a_plugin_sees_its_own_values_only(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	instance *in = open_instance(&w);
	assert_int_equal(seen.setup.n_values, 1);
	assert_string_equal(seen.path, "/tmp/x");
	assert_string_equal(seen.setup.name, "bank");
	assert_ptr_equal(seen.setup.self, in);
	assert_int_equal(seen.setup.host->abi_major, TXW_ABI_MAJOR);
	assert_string_equal(seen.setup.host->version, TXW_VERSION);
	assert_int_equal(egress.allowed, 1); /* of allow-networks */
	instance_close(in);
	assert_int_equal(seen.destroyed, 1);
	tear_down(&w);
}

static void a_failure_names_the_section(void **state)
{
	struct world w;
	struct err e;

	(void)state;
	set_up(&w);
	w.role.row.create = fail_to_create;
	assert_null(instance_open(&w.role, &w.section, &w.services, &e));
	assert_string_equal(e.text, "poller.test bank: the door is closed");
	assert_int_equal(seen.destroyed, 0);
	txw_str nonsense = STR_LIT("nonsense");
	w.values[1].texts = &nonsense;
	assert_null(instance_open(&w.role, &w.section, &w.services, &e));
	assert_string_equal(e.text,
			    "poller.test bank: allow-networks: `nonsense` is not a network");
	tear_down(&w);
}

/* ---- threads ---- */

struct note {
	struct task task;
	pthread_t on;
	int order;
};
static _Atomic int count;

static void take_note(struct task *task)
{
	struct note *n = (struct note *)task;

	n->on = pthread_self();
	n->order = ++count;
}

static void a_loop_instance_runs_a_task_at_once(void **state)
{
	struct note n = {.task.run = take_note};
	struct world w;

	(void)state;
	set_up(&w);
	count = 0;
	instance *in = open_instance(&w);
	assert_int_equal(instance_run(in, &n.task), 0);
	assert_int_equal(n.order, 1);
	assert_true(pthread_equal(n.on, pthread_self()));
	instance_close(in);
	tear_down(&w);
}

static void a_blocking_instance_runs_all_tasks_in_order_on_its_thread(void **state)
{
	static struct note notes[100];
	struct world w;

	(void)state;
	set_up(&w);
	w.role.row.flags = TXW_BLOCKING;
	count = 0;
	instance *in = open_instance(&w);
	for (int i = 0; i < 100; i++) {
		notes[i].task.run = take_note;
		assert_int_equal(instance_run(in, &notes[i].task), 0);
	}
	instance_close(in); /* runs what waits */
	for (int i = 0; i < 100; i++) {
		assert_int_equal(notes[i].order, i + 1);
		assert_false(pthread_equal(notes[i].on, pthread_self()));
		assert_true(pthread_equal(notes[i].on, notes[0].on));
	}
	tear_down(&w);
}

struct gate {
	struct task task;
	pthread_mutex_t lock;
};

static void pass_gate(struct task *task)
{
	struct gate *g = (struct gate *)task;

	pthread_mutex_lock(&g->lock);
	pthread_mutex_unlock(&g->lock);
}

static void a_worker_takes_no_more_than_its_limit(void **state)
{
	static struct note notes[WORKER_QUEUE_LIMIT + 2];
	struct gate gate = {.task.run = pass_gate, .lock = PTHREAD_MUTEX_INITIALIZER};
	struct world w;
	int refused = 0;

	(void)state;
	set_up(&w);
	w.role.row.flags = TXW_BLOCKING;
	count = 0;
	instance *in = open_instance(&w);
	pthread_mutex_lock(&gate.lock);
	instance_run(in, &gate.task);
	for (int i = 0; i < WORKER_QUEUE_LIMIT + 2; i++) {
		notes[i].task.run = take_note;
		refused += instance_run(in, &notes[i].task) == TXW_E_BUSY;
	}
	assert_in_range(refused, 1, 3); /* the gate may still wait, or not */
	pthread_mutex_unlock(&gate.lock);
	instance_close(in);
	assert_int_equal(count, WORKER_QUEUE_LIMIT + 2 - refused);
	tear_down(&w);
}

/* ---- extensions ---- */

static void extensions_are_found_by_name_and_role(void **state)
{
	static const char *const all[] = {TXW_EXT_LOG,  TXW_EXT_CLOCK,   TXW_EXT_RANDOM,
					  TXW_EXT_HTTP, TXW_EXT_METRICS, TXW_EXT_STATE};
	struct world w;

	(void)state;
	set_up(&w);
	instance *in = open_instance(&w);
	const txw_host *host = seen.setup.host;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_non_null(host->get_ext(in, all[i]));
	assert_ptr_equal(host->get_ext(in, TXW_EXT_POLL), &WATCH_POLL_EXT);
	assert_null(host->get_ext(in, TXW_EXT_NOTIFY));
	assert_null(host->get_ext(in, "txw.http/2"));
	assert_null(host->get_ext(in, NULL));
	assert_null(host->get_ext(NULL, TXW_EXT_LOG));
	const txw_clock_ext *clock = host->get_ext(in, TXW_EXT_CLOCK);
	assert_int_equal(clock->now(in), 5 * SECOND);
	const txw_random_ext *random = host->get_ext(in, TXW_EXT_RANDOM);
	char a[32] = {0}, b[32] = {0};
	random->fill(in, a, sizeof(a));
	random->fill(in, b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	instance_close(in);
	tear_down(&w);
}

static void count_answer(void *ctx, const txw_http_response *response)
{
	(void)response;
	((struct plugin_seen *)ctx)->answers++;
}

static const txw_http_request ASK = {
    .size = sizeof(ASK), .method = {"GET", 3}, .url = {"http://x/", 9}, .timeout = SECOND};

static void an_http_answer_reaches_the_plugin(void **state)
{
	txw_http_response response = {.size = sizeof(response)};
	txw_error err = ERR_ABI_INIT;
	struct world w;
	uint64_t id = 0;

	(void)state;
	set_up(&w);
	instance *in = open_instance(&w);
	const txw_http_ext *http = seen.setup.host->get_ext(in, TXW_EXT_HTTP);
	assert_int_equal(http->start(in, &ASK, count_answer, &seen, &id, &err), TXW_PENDING);
	assert_int_equal(id, 77);
	assert_int_equal(egress.timeout, SECOND);
	egress.done(egress.ctx, &response);
	assert_int_equal(seen.answers, 1);
	instance_close(in);
	tear_down(&w);
}

static void an_http_answer_after_the_end_reaches_nobody(void **state)
{
	txw_http_response response = {.size = sizeof(response)};
	struct world w;

	(void)state;
	set_up(&w);
	instance *in = open_instance(&w);
	const txw_http_ext *http = seen.setup.host->get_ext(in, TXW_EXT_HTTP);
	http->start(in, &ASK, count_answer, &seen, NULL, NULL);
	instance_close(in);
	assert_int_equal(egress.cancelled, 77);
	assert_int_equal(egress.policies, 1); /* the request still needs it */
	egress.done(egress.ctx, &response);
	assert_int_equal(seen.answers, 0);
	tear_down(&w);
}

static void an_http_refusal_says_why(void **state)
{
	txw_http_request refused = ASK, cut = ASK;
	txw_error err = ERR_ABI_INIT;
	struct world w;

	(void)state;
	set_up(&w);
	instance *in = open_instance(&w);
	const txw_http_ext *http = seen.setup.host->get_ext(in, TXW_EXT_HTTP);
	refused.stop_at_cap = 1;
	assert_int_equal(http->start(in, &refused, count_answer, &seen, NULL, &err), TXW_E_DENIED);
	assert_int_equal(err.code, TXW_E_DENIED);
	assert_true(str_is(err.text, "10.0.0.1 is a private address"));
	assert_int_equal(http->start(in, &refused, count_answer, &seen, NULL, NULL), TXW_E_DENIED);
	cut.size = 24;
	assert_int_equal(http->start(in, &cut, count_answer, &seen, NULL, &err), TXW_E_INVALID);
	assert_int_equal(http->start(in, &ASK, NULL, &seen, NULL, &err), TXW_E_INVALID);
	assert_int_equal(http->check(in, STR_NONE, &err), TXW_E_INVALID);
	assert_true(str_is(err.text, "not a URL"));
	instance_close(in);
	tear_down(&w);
}

static double read_metric(struct world *w, const char *name, const char *label, const char *value)
{
	struct metric_row row = {
	    .name = name, .type = TXW_METRIC_COUNTER, .labels = {"instance", label, NULL}};
	const char *values[] = {"bank", value};
	return series_value(metric_series(metric_define(w->services.metrics, &row), values));
}

static void a_plugins_metric_carries_its_instance(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	instance *in = open_instance(&w);
	const txw_metrics_ext *m = seen.setup.host->get_ext(in, TXW_EXT_METRICS);
	int32_t h = m->define(in, TXW_METRIC_COUNTER, "test_answers_total", "Answers", "kind", NULL,
			      0);
	assert_true(h >= 1);
	assert_int_equal(
	    m->define(in, TXW_METRIC_COUNTER, "test_answers_total", "Answers", "kind", NULL, 0), h);
	m->update(in, h, STR_LIT("good"), 2);
	m->update(in, h, STR_LIT("good"), 1);
	m->update(in, h, STR_LIT("bad"), 1);
	assert_true(read_metric(&w, "test_answers_total", "kind", "good") == 3);
	assert_true(read_metric(&w, "test_answers_total", "kind", "bad") == 1);
	m->update(in, h + 1, STR_NONE, 1); /* no such metric */
	m->update(in, h, STR_LIT("good"), -1);
	assert_int_equal(in->misbehaved, 2);
	instance_close(in);
	tear_down(&w);
}

static void label_values_beyond_the_limit_are_other(void **state)
{
	struct world w;
	char value[16];

	(void)state;
	set_up(&w);
	instance *in = open_instance(&w);
	const txw_metrics_ext *m = seen.setup.host->get_ext(in, TXW_EXT_METRICS);
	int32_t h = m->define(in, TXW_METRIC_COUNTER, "test_total", "", "who", NULL, 0);
	for (int i = 0; i < EXT_SERIES_MAX + 7; i++) {
		snprintf(value, sizeof(value), "v%d", i);
		m->update(in, h, str_of(value), 1);
	}
	assert_true(read_metric(&w, "test_total", "who", "other") == 7);
	instance_close(in);
	tear_down(&w);
}

static void a_metric_that_cannot_be_is_refused(void **state)
{
	static const double bounds[] = {1, 2}, falling[] = {2, 1};
	struct world w;

	(void)state;
	set_up(&w);
	instance *in = open_instance(&w);
	const txw_metrics_ext *m = seen.setup.host->get_ext(in, TXW_EXT_METRICS);
	assert_true(m->define(in, 9, "x_total", "", NULL, NULL, 0) < 0);
	assert_true(m->define(in, TXW_METRIC_COUNTER, "x", "", NULL, NULL, 0) < 0);
	assert_true(m->define(in, TXW_METRIC_COUNTER, "txwatch_x_total", "", NULL, NULL, 0) < 0);
	assert_true(m->define(in, TXW_METRIC_GAUGE, NULL, "", NULL, NULL, 0) < 0);
	assert_true(m->define(in, TXW_METRIC_GAUGE, "a b", "", NULL, NULL, 0) < 0);
	assert_true(m->define(in, TXW_METRIC_GAUGE, "x", "", "instance", NULL, 0) < 0);
	assert_true(m->define(in, TXW_METRIC_HISTOGRAM, "x", "", NULL, falling, 2) < 0);
	assert_true(m->define(in, TXW_METRIC_HISTOGRAM, "x_bytes", "", NULL, bounds, 2) > 0);
	/* The name is taken, by something else. */
	assert_int_equal(m->define(in, TXW_METRIC_GAUGE, "x_bytes", "", NULL, NULL, 0),
			 TXW_E_EXISTS);
	for (int i = 1; i < EXT_METRICS_MAX; i++) {
		char name[24];
		snprintf(name, sizeof(name), "gauge_%d", i);
		assert_true(m->define(in, TXW_METRIC_GAUGE, name, "", NULL, NULL, 0) > 0);
	}
	assert_int_equal(m->define(in, TXW_METRIC_GAUGE, "one_more", "", NULL, NULL, 0),
			 TXW_E_FULL);
	instance_close(in);
	tear_down(&w);
}

static void where_nothing_is_measured_metrics_are_harmless(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	struct metrics *kept = w.services.metrics;
	w.services.metrics = NULL;
	instance *in = open_instance(&w);
	const txw_metrics_ext *m = seen.setup.host->get_ext(in, TXW_EXT_METRICS);
	int32_t h = m->define(in, TXW_METRIC_GAUGE, "x", "", NULL, NULL, 0);
	assert_true(h > 0);
	m->update(in, h, STR_NONE, 1);
	instance_close(in);
	w.services.metrics = kept;
	tear_down(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_plugin_sees_its_own_values_only),
	    cmocka_unit_test(a_failure_names_the_section),
	    cmocka_unit_test(a_loop_instance_runs_a_task_at_once),
	    cmocka_unit_test(a_blocking_instance_runs_all_tasks_in_order_on_its_thread),
	    cmocka_unit_test(a_worker_takes_no_more_than_its_limit),
	    cmocka_unit_test(extensions_are_found_by_name_and_role),
	    cmocka_unit_test(an_http_answer_reaches_the_plugin),
	    cmocka_unit_test(an_http_answer_after_the_end_reaches_nobody),
	    cmocka_unit_test(an_http_refusal_says_why),
	    cmocka_unit_test(a_plugins_metric_carries_its_instance),
	    cmocka_unit_test(label_values_beyond_the_limit_are_other),
	    cmocka_unit_test(a_metric_that_cannot_be_is_refused),
	    cmocka_unit_test(where_nothing_is_measured_metrics_are_harmless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
