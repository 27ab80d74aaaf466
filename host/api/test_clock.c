/* test_clock.c: moves the virtual clock; the routes exist only under one. */
#include "api/handlers.h"
#include "base/clock.h"

#define ADVANCE_MAX  (3660 * DAY)
#define PATIENCE     (200 * MILLISECOND)
#define PATIENCE_MAX MINUTE

struct advance {
	struct task task;
	struct call *call;
};

struct advance_body {
	txw_str advance;
	txw_str patience;
};
static const struct input_row ROWS[] = {
    {"advance", INPUT_LINE, INPUT_REQUIRED, offsetof(struct advance_body, advance), 64, 0},
    {"patience", INPUT_LINE, 0, offsetof(struct advance_body, patience), 64, 0},
};

void do_clock_get(struct call *c)
{
	struct buf b = {0};
	json_open(&b, '{');
	json_m_time(&b, "now", loop_now(c->api->site->loop));
	json_close(&b, '}');
	call_json(c, 200, &b);
}

static void at_rest(struct task *task)
{
	do_clock_get(((struct advance *)task)->call);
}

static bool take(struct input *in, const char *member, txw_str text, int64_t max, int64_t *out)
{
	if (text.len == 0 || (duration_parse(text, out) && *out >= 0 && *out <= max))
		return true;
	return input_wrong(in, member, "must be a duration such as \"36h\"");
}

void do_clock_advance(struct call *c)
{
	struct input in = {.arena = c->arena};
	struct advance_body body = {0};
	int64_t by = 0, patience = PATIENCE;
	json_t *json = input_parse(&in, http_body(c->request));
	bool good = json &&
		    input_read(&in, json, ROWS, sizeof(ROWS) / sizeof(ROWS[0]), &body, NULL) &&
		    take(&in, "advance", body.advance, ADVANCE_MAX, &by) &&
		    take(&in, "patience", body.patience, PATIENCE_MAX, &patience);
	json_decref(json);
	if (!good) {
		call_wrong(c, &in.mistake);
		return;
	}
	struct advance *a = arena_alloc(c->arena, sizeof(*a));
	a->task.run = at_rest;
	a->call = c;
	int32_t rc = loop_advance(c->api->site->loop, by, patience, &a->task);
	if (rc < 0)
		call_problem(c, PROBLEM_BUSY, "the clock is moving already");
}
