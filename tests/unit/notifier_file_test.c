/*
 * notifier_file_test.c: the SDK's template, played against by a host of a few
 * lines. It is what plugin authors copy, so it had better be right.
 */
/* The template asks for it itself, as its copies will have to. */
#undef _GNU_SOURCE
#include "../../sdk/template/notifier_file.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/resource.h>

#define ITEMS 2

static struct {
	txw_verdict verdict[ITEMS];
	char reason[ITEMS][80];
	char path[64];
} host;

static int32_t complete(txw_instance *self, uint64_t token, const txw_verdict *v)
{
	(void)self;
	host.verdict[token] = *v;
	snprintf(host.reason[token], sizeof(host.reason[0]), "%.*s", (int)v->reason.len,
		 v->reason.ptr);
	return TXW_OK;
}

static const txw_notify_ext NOTIFY = {.size = sizeof(NOTIFY), .complete = complete};

static const void *get_ext(txw_instance *self, const char *name)
{
	(void)self;
	return strcmp(name, TXW_EXT_NOTIFY) == 0 ? &NOTIFY : NULL;
}

static const txw_host HOST = {.size = sizeof(HOST), .get_ext = get_ext};

static void *make(const char *path)
{
	txw_str text = {path, path ? strlen(path) : 0};
	txw_value value = {
	    .size = sizeof(value), .name = "path", .is_set = path != NULL, .n = 1, .texts = &text};
	txw_setup setup = {.size = sizeof(setup),
			   .n_values = 1,
			   .value_stride = sizeof(value),
			   .values = &value,
			   .host = &HOST};
	txw_error err = {.size = sizeof(err)};
	void *self = NULL;

	assert_int_equal(txw_plugin_1()->roles[0].create(&setup, &self, &err), TXW_OK);
	return self;
}

/* Two events, as a later host hands them: with items longer than ours. */
static void send_two(void *self, const char *address)
{
	struct longer {
		txw_delivery item;
		char news[24];
	} items[ITEMS] = {0};
	txw_event events[ITEMS] = {{.json = {"{\"seq\":1}", 9}}, {.json = {"{\"seq\":2}", 9}}};
	txw_error err = {.size = sizeof(err)};

	memset(host.verdict, 0xff, sizeof(host.verdict));
	for (uint64_t i = 0; i < ITEMS; i++)
		items[i].item = (txw_delivery){.size = sizeof(items[i]),
					       .token = i,
					       .event = &events[i],
					       .address = {address, address ? strlen(address) : 0}};
	const txw_notifier *calls = txw_plugin_1()->roles[0].vtable;
	assert_int_equal(calls->send(self, &items[0].item, sizeof(items[0]), ITEMS, &err), TXW_OK);
}

static void expect_text(const char *path, const char *text)
{
	char found[256] = {0};
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_true(fread(found, 1, sizeof(found) - 1, f) < sizeof(found));
	fclose(f);
	assert_string_equal(found, text);
}

static int set_up(void **state)
{
	(void)state;
	memset(&host, 0, sizeof(host));
	strncpy(host.path, "/tmp/txwatch-file-XXXXXX", sizeof(host.path) - 1);
	int fd = mkstemp(host.path);
	return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(host.path);
}

static void each_event_is_a_line_in_the_addressed_file(void **state)
{
	void *self = make("/nonexistent/default");

	(void)state;
	send_two(self, host.path);
	assert_int_equal(host.verdict[0].verdict, TXW_VERDICT_OK);
	assert_int_equal(host.verdict[1].verdict, TXW_VERDICT_OK);
	expect_text(host.path, "{\"seq\":1}\n{\"seq\":2}\n");
	free(self);
}

static void without_an_address_the_option_says_where(void **state)
{
	void *self = make(host.path);

	(void)state;
	send_two(self, NULL);
	expect_text(host.path, "{\"seq\":1}\n{\"seq\":2}\n");
	free(self);
}

static void without_either_it_is_not_delivered(void **state)
{
	void *self = make(NULL);

	(void)state;
	send_two(self, "");
	assert_int_equal(host.verdict[0].verdict, TXW_VERDICT_RETRY);
	assert_string_equal(host.reason[0], "No such file or directory");
	free(self);
}

static void a_full_disk_is_tried_again(void **state)
{
	void *self = make(NULL);

	(void)state;
	send_two(self, "/dev/full");
	for (int i = 0; i < ITEMS; i++) {
		assert_int_equal(host.verdict[i].verdict, TXW_VERDICT_RETRY);
		assert_string_equal(host.reason[i], "No space left on device");
	}
	free(self);
}

static void a_line_that_does_not_fit_leaves_nothing_behind(void **state)
{
	struct rlimit before, small;
	void *self = make(NULL);

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 14; /* the first line, and half of the second */
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	send_two(self, host.path);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(host.verdict[0].verdict, TXW_VERDICT_OK);
	assert_int_equal(host.verdict[1].verdict, TXW_VERDICT_RETRY);
	expect_text(host.path, "{\"seq\":1}\n");
	send_two(self, host.path);
	expect_text(host.path, "{\"seq\":1}\n{\"seq\":1}\n{\"seq\":2}\n");
	free(self);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(each_event_is_a_line_in_the_addressed_file, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(without_an_address_the_option_says_where, set_up,
					    tear_down),
	    cmocka_unit_test(without_either_it_is_not_delivered),
	    cmocka_unit_test(a_full_disk_is_tried_again),
	    cmocka_unit_test_setup_teardown(a_line_that_does_not_fit_leaves_nothing_behind, set_up,
					    tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
