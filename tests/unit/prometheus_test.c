/*
 * prometheus_test.c: exporter.prometheus through the ABI, as built.
 *
 * What it renders is compared as text where the text is the point, and read by
 * a small strict parser where the rules are: each line is a comment of a known
 * kind or a sample of the family that was announced, buckets rise, +Inf equals
 * _count, OpenMetrics ends in EOF.
 */
#include <dlfcn.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "txwatch/txwatch.h"

#define STR(lit) ((txw_str){(lit), sizeof(lit) - 1})
#define OPEN     "application/openmetrics-text"

static const txw_role *role;
static const txw_exporter *exporter;

static int load(void **state)
{
	(void)state;
	void *so = dlopen(TXW_BUILD_DIR "/plugins/exporter.prometheus.so", RTLD_NOW | RTLD_LOCAL);
	if (!so) {
		print_error("%s\n", dlerror());
		return -1;
	}
	const txw_plugin *(*entry)(void);
	void *symbol = dlsym(so, "txw_plugin_1");
	memcpy(&entry, &symbol, sizeof(entry));
	role = entry()->roles;
	exporter = role->vtable;
	return 0;
}

static int32_t make(txw_str path, void **out)
{
	const txw_value value = {.size = sizeof(value),
				 .type = TXW_OPT_STRING,
				 .name = "path",
				 .is_set = path.len > 0,
				 .n = 1,
				 .texts = &path};
	const txw_setup setup = {
	    .size = sizeof(setup), .n_values = 1, .value_stride = sizeof(value), .values = &value};
	txw_error err = {.size = sizeof(err)};
	return role->create(&setup, out, &err);
}

/* ---- rendering ---- */

struct page {
	char type[128];
	char text[131072];
	size_t len;
	size_t room; /* 0: writes fail */
};

static int32_t on_write(void *ctx, const char *bytes, size_t len)
{
	struct page *page = ctx;
	if (page->len + len > page->room)
		return TXW_E_NOMEM;
	memcpy(page->text + page->len, bytes, len);
	page->len += len;
	page->text[page->len] = '\0';
	return TXW_OK;
}

static void on_type(void *ctx, const char *type)
{
	struct page *page = ctx;
	(void)snprintf(page->type, sizeof(page->type), "%s", type);
}

static int32_t render(const txw_family *families, size_t n, const char *accept, struct page *page)
{
	void *instance;
	const txw_writer writer = {
	    .size = sizeof(writer), .ctx = page, .write = on_write, .content_type = on_type};
	txw_error err = {.size = sizeof(err)};
	page->len = 0;
	page->room = sizeof(page->text) - 1;
	assert_int_equal(make((txw_str){NULL, 0}, &instance), TXW_OK);
	int32_t rc = exporter->render(instance, families, sizeof(*families), n,
				      (txw_str){accept, strlen(accept)}, &writer, &err);
	role->destroy(instance);
	return rc;
}

static const txw_label BANK[] = {{{"instance", 8}, {"bank", 4}}};
static const txw_label ODD[] = {{{"instance", 8}, {"a\\b\"c\nd\xc3\xa4", 9}},
				{{"bad-name", 8}, {"", 0}}};
static const double BOUNDS[] = {0.005, 1, 10};
static const uint64_t COUNTS[] = {1, 2, 0, 3};

static const txw_sample POLLS[] = {
    {.size = sizeof(txw_sample), .n_labels = 1, .labels = BANK, .value = 12},
    {.size = sizeof(txw_sample), .n_labels = 2, .labels = ODD, .value = 0.1},
};
static const txw_sample DEPTH[] = {{.size = sizeof(txw_sample), .value = -1.5}};
static const txw_sample TOOK[] = {{.size = sizeof(txw_sample),
				   .n_labels = 1,
				   .labels = BANK,
				   .counts = COUNTS,
				   .count = 6,
				   .sum = 40.25}};

#define FAMILY(kind, label, text, of)                                              \
	.size = sizeof(txw_family), .type = TXW_METRIC_##kind, .name = STR(label), \
	.help = STR(text), .samples = of, .stride = sizeof(txw_sample),            \
	.n = sizeof(of) / sizeof((of)[0])

static const txw_family FAMILIES[] = {
    {FAMILY(GAUGE, "txwatch_depth", "Queued \\ \"changes\"\nnow", DEPTH)},
    {FAMILY(COUNTER, "txwatch_polls_total", "Polls made", POLLS)},
    {FAMILY(HISTOGRAM, "txwatch_took_seconds", "Time", TOOK), .unit = STR("seconds"),
     .bounds = BOUNDS, .n_bounds = 3},
};
#define N_FAMILIES (sizeof(FAMILIES) / sizeof(FAMILIES[0]))

static void the_text_format_is_as_its_description_says(void **state)
{
	static struct page page;
	(void)state;
	assert_int_equal(render(FAMILIES, N_FAMILIES, "", &page), TXW_OK);
	assert_string_equal(page.type, "text/plain; version=0.0.4; charset=utf-8");
	assert_string_equal(
	    page.text,
	    "# HELP txwatch_depth Queued \\\\ \"changes\"\\nnow\n"
	    "# TYPE txwatch_depth gauge\n"
	    "txwatch_depth -1.5\n"
	    "# HELP txwatch_polls_total Polls made\n"
	    "# TYPE txwatch_polls_total counter\n"
	    "txwatch_polls_total{instance=\"bank\"} 12\n"
	    "txwatch_polls_total{instance=\"a\\\\b\\\"c\\nd\xc3\xa4\",bad_name=\"\"} 0.1\n"
	    "# HELP txwatch_took_seconds Time\n"
	    "# TYPE txwatch_took_seconds histogram\n"
	    "txwatch_took_seconds_bucket{instance=\"bank\",le=\"0.005\"} 1\n"
	    "txwatch_took_seconds_bucket{instance=\"bank\",le=\"1\"} 3\n"
	    "txwatch_took_seconds_bucket{instance=\"bank\",le=\"10\"} 3\n"
	    "txwatch_took_seconds_bucket{instance=\"bank\",le=\"+Inf\"} 6\n"
	    "txwatch_took_seconds_sum{instance=\"bank\"} 40.25\n"
	    "txwatch_took_seconds_count{instance=\"bank\"} 6\n");
}

static void openmetrics_is_as_its_specification_says(void **state)
{
	static struct page page;
	(void)state;
	assert_int_equal(render(FAMILIES, N_FAMILIES, OPEN, &page), TXW_OK);
	assert_string_equal(page.type, OPEN "; version=1.0.0; charset=utf-8");
	assert_string_equal(
	    page.text,
	    "# TYPE txwatch_depth gauge\n"
	    "# HELP txwatch_depth Queued \\\\ \\\"changes\\\"\\nnow\n"
	    "txwatch_depth -1.5\n"
	    "# TYPE txwatch_polls counter\n"
	    "# HELP txwatch_polls Polls made\n"
	    "txwatch_polls_total{instance=\"bank\"} 12\n"
	    "txwatch_polls_total{instance=\"a\\\\b\\\"c\\nd\xc3\xa4\",bad_name=\"\"} 0.1\n"
	    "# TYPE txwatch_took_seconds histogram\n"
	    "# UNIT txwatch_took_seconds seconds\n"
	    "# HELP txwatch_took_seconds Time\n"
	    "txwatch_took_seconds_bucket{instance=\"bank\",le=\"0.005\"} 1\n"
	    "txwatch_took_seconds_bucket{instance=\"bank\",le=\"1.0\"} 3\n"
	    "txwatch_took_seconds_bucket{instance=\"bank\",le=\"10.0\"} 3\n"
	    "txwatch_took_seconds_bucket{instance=\"bank\",le=\"+Inf\"} 6\n"
	    "txwatch_took_seconds_sum{instance=\"bank\"} 40.25\n"
	    "txwatch_took_seconds_count{instance=\"bank\"} 6\n"
	    "# EOF\n");
}

/* ---- a strict reader ---- */

struct reader {
	const char *at;
	int is_open;
	char family[128], type[32];
	double last_bucket, infinite;
};

static void token(struct reader *r, char *out, size_t cap, const char *allowed)
{
	size_t len = strspn(r->at, allowed);
	assert_true(len > 0 && len < cap);
	memcpy(out, r->at, len);
	out[len] = '\0';
	r->at += len;
}

static void expect(struct reader *r, const char *text)
{
	if (strncmp(r->at, text, strlen(text)) != 0)
		fail_msg("expected \"%s\" at \"%.40s\"", text, r->at);
	r->at += strlen(text);
}

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:"

static void read_comment(struct reader *r)
{
	char kind[8], name[128];
	expect(r, "# ");
	if (strcmp(r->at, "EOF\n") == 0) {
		assert_true(r->is_open);
		r->at += 4;
		return;
	}
	token(r, kind, sizeof(kind), "HELPTYUNI");
	expect(r, " ");
	token(r, name, sizeof(name), NAME_CHARS);
	expect(r, " ");
	if (strcmp(name, r->family) != 0) {
		memcpy(r->family, name, sizeof(name));
		r->type[0] = '\0';
	}
	if (strcmp(kind, "TYPE") == 0)
		token(r, r->type, sizeof(r->type), "abcdefghijklmnopqrstuvwxyz");
	else
		r->at += strcspn(r->at, "\n");
	expect(r, "\n");
}

/* Reads labels; the bound in `le`, or NaN. */
static double read_labels(struct reader *r)
{
	double le = NAN;
	if (*r->at != '{')
		return le;
	do {
		char name[64], value[128];
		size_t n = 0;
		r->at++;
		token(r, name, sizeof(name), NAME_CHARS);
		assert_null(strchr(name, ':'));
		expect(r, "=\"");
		for (; *r->at != '"'; r->at++) {
			assert_true(*r->at != '\n' && *r->at != '\0' && n < sizeof(value) - 1);
			if (*r->at == '\\')
				assert_non_null(strchr("\\\"n", *++r->at));
			value[n++] = *r->at;
		}
		value[n] = '\0';
		r->at++;
		if (strcmp(name, "le") == 0)
			le = strtod(value, NULL);
	} while (*r->at == ',');
	expect(r, "}");
	return le;
}

static void read_sample(struct reader *r)
{
	char name[128], *end;
	token(r, name, sizeof(name), NAME_CHARS);
	size_t len = strlen(r->family);
	assert_true(r->type[0] != '\0');
	assert_memory_equal(name, r->family, len);
	const char *suffix = name + len;
	double le = read_labels(r);
	expect(r, " ");
	double value = strtod(r->at, &end);
	assert_ptr_not_equal(end, r->at);
	r->at = end;
	expect(r, "\n");

	int is_histogram = strcmp(r->type, "histogram") == 0;
	assert_int_equal(!isnan(le), is_histogram && strcmp(suffix, "_bucket") == 0);
	if (!isnan(le)) {
		assert_true(value >= r->last_bucket);
		r->last_bucket = isinf(le) ? 0 : value;
		r->infinite = value;
	} else if (is_histogram && strcmp(suffix, "_count") == 0) {
		assert_true(value == r->infinite);
	} else if (r->is_open && strcmp(r->type, "counter") == 0) {
		assert_string_equal(suffix, "_total");
	} else if (!is_histogram) {
		assert_string_equal(suffix, "");
	}
}

static void read_page(const char *text, int is_open)
{
	struct reader r = {.at = text, .is_open = is_open};
	while (*r.at) {
		if (*r.at == '#')
			read_comment(&r);
		else
			read_sample(&r);
	}
	if (is_open)
		assert_string_equal(text + strlen(text) - 6, "# EOF\n");
}

static void a_strict_reader_reads_both_formats(void **state)
{
	static struct page page;
	static const txw_sample extremes[] = {
	    {.size = sizeof(txw_sample), .value = NAN},
	    {.size = sizeof(txw_sample), .value = INFINITY},
	    {.size = sizeof(txw_sample), .value = -INFINITY},
	    {.size = sizeof(txw_sample), .value = 0x1p70},
	    {.size = sizeof(txw_sample), .value = 1.0 / 3},
	};
	txw_family many[200];
	(void)state;
	for (size_t i = 0; i < 199; i++)
		many[i] = FAMILIES[i % N_FAMILIES];
	many[199] = (txw_family){FAMILY(GAUGE, "9 odd name", "", extremes)};
	assert_int_equal(render(many, 200, "", &page), TXW_OK);
	assert_true(page.len > 4096); /* beyond one write */
	read_page(page.text, 0);
	assert_non_null(
	    strstr(page.text, "\n_9_odd_name NaN\n_9_odd_name +Inf\n_9_odd_name -Inf\n"));
	assert_non_null(strstr(page.text, "\n_9_odd_name 0.333333333333333"));
	assert_int_equal(render(many, 200, OPEN, &page), TXW_OK);
	read_page(page.text, 1);
}

/* ---- the rest ---- */

static void the_accept_header_chooses_the_format(void **state)
{
	static const struct {
		const char *accept;
		int is_open;
	} rows[] = {
	    {"", 0},
	    {"*/*", 0},
	    {"text/plain", 0},
	    {"text/html,application/xhtml+xml,*/*;q=0.8", 0},
	    {OPEN, 1},
	    {OPEN "; version=1.0.0; charset=utf-8", 1},
	    {OPEN ";version=\"1.0.0\"", 1},
	    {"Application/OpenMetrics-Text", 1},
	    {OPEN ";version=0.0.1", 0},
	    {OPEN ";q=0", 0},
	    {OPEN ";q=0.3,text/plain;q=0.5", 0},
	    {"text/plain;q=0.5," OPEN ";q=0.5", 1},
	    {OPEN ";version=1.0.0;q=0.5," OPEN
		  ";version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
	     1},
	    {";;,,=,q=", 0},
	    {OPEN ";q", 1},
	};
	static struct page page;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		render(FAMILIES, 1, rows[i].accept, &page);
		if ((strncmp(page.type, OPEN, sizeof(OPEN) - 1) == 0) != rows[i].is_open)
			fail_msg("Accept: %s got %s", rows[i].accept, page.type);
	}
}

static void nothing_to_show_is_an_empty_page(void **state)
{
	static struct page page;
	txw_family empty = FAMILIES[0];
	(void)state;
	empty.n = 0;
	page.text[0] = '\0';
	assert_int_equal(render(&empty, 1, "", &page), TXW_OK);
	assert_string_equal(page.text, "");
	assert_int_equal(render(&empty, 1, OPEN, &page), TXW_OK);
	assert_string_equal(page.text, "# EOF\n");
}

static void a_kind_of_metric_it_does_not_know_is_left_out(void **state)
{
	static struct page page;
	txw_family two[] = {FAMILIES[0], FAMILIES[1]};
	(void)state;
	two[0].type = 77;
	assert_int_equal(render(two, 2, "", &page), TXW_OK);
	assert_null(strstr(page.text, "txwatch_depth"));
	assert_non_null(strstr(page.text, "txwatch_polls_total"));
}

static void a_failing_writer_is_reported(void **state)
{
	static struct page page;
	void *instance;
	const txw_writer writer = {
	    .size = sizeof(writer), .ctx = &page, .write = on_write, .content_type = on_type};
	txw_error err = {.size = sizeof(err)};
	(void)state;
	assert_int_equal(make((txw_str){NULL, 0}, &instance), TXW_OK);
	assert_int_equal(exporter->render(instance, FAMILIES, sizeof(*FAMILIES), N_FAMILIES,
					  (txw_str){NULL, 0}, &writer, &err),
			 TXW_E_NOMEM);
	role->destroy(instance);
}

static void the_path_is_the_options_and_must_be_a_path(void **state)
{
	static const txw_str wrong[] = {{"metrics", 7}, {"/a b", 4}, {"/a?b", 4}, {"/\n", 2}};
	void *instance = NULL;
	(void)state;
	assert_int_equal(make((txw_str){NULL, 0}, &instance), TXW_OK);
	assert_string_equal(exporter->path(instance), "/metrics");
	role->destroy(instance);
	assert_int_equal(make(STR("/internal/metrics"), &instance), TXW_OK);
	assert_string_equal(exporter->path(instance), "/internal/metrics");
	role->destroy(instance);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(make(wrong[i], &instance), TXW_E_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_text_format_is_as_its_description_says),
	    cmocka_unit_test(openmetrics_is_as_its_specification_says),
	    cmocka_unit_test(a_strict_reader_reads_both_formats),
	    cmocka_unit_test(the_accept_header_chooses_the_format),
	    cmocka_unit_test(nothing_to_show_is_an_empty_page),
	    cmocka_unit_test(a_kind_of_metric_it_does_not_know_is_left_out),
	    cmocka_unit_test(a_failing_writer_is_reported),
	    cmocka_unit_test(the_path_is_the_options_and_must_be_a_path),
	};
	return cmocka_run_group_tests(tests, load, NULL);
}
