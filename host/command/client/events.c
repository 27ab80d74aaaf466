/*
 * events.c: `txwatch events tail`: the log's end, and what comes.
 *
 * Follows by long polls, from one seq to the next: a connection that is lost,
 * or a host that starts anew, leaves no gap. What ends it is a log that does
 * not reach the seq, or is another one (its epoch changed): then nobody could
 * say what was missed.
 */
#include "command/client/events.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "command/client/out.h"

#define LINES_DEFAULT 10
#define LINES_MAX     1000
#define WAIT_DEFAULT  "30s"
#define WAIT_MAX      (60 * SECOND)
#define PAGE          1000
#define PAUSE_MAX_MS  10000

static void cell_transaction(const json_t *row, struct buf *out)
{
	const json_t *tx = json_object_get(row, "transaction");

	if (!tx) {
		buf_char(out, '-');
		return;
	}
	print_value(out, json_object_get(tx, "flow"));
	buf_char(out, '/');
	print_value(out, json_object_get(tx, "ref"));
}

static void cell_change(const json_t *row, struct buf *out)
{
	const json_t *change = json_object_get(row, "change");
	const json_t *from = json_object_get(change, "from"), *to = json_object_get(change, "to");

	if (!json_is_string(to)) {
		buf_char(out, '-');
		return;
	}
	if (json_is_string(from) &&
	    !json_equal((json_t *)(uintptr_t)from, (json_t *)(uintptr_t)to)) {
		print_value(out, from);
		buf_text(out, "->");
	}
	print_value(out, to);
}

const struct column EVENT_COLUMNS[] = {
    {.title = "SEQ", .path = "seq", .flags = COLUMN_RIGHT | COLUMN_WHOLE},
    {.title = "AT", .path = "at", .flags = COLUMN_WHOLE},
    {.title = "TYPE", .path = "type", .tint = "transaction.outcome"},
    {.title = "TRANSACTION", .cell = cell_transaction},
    {.title = "CHANGE", .cell = cell_change, .tint = "transaction.outcome"},
    {.title = "SOURCE", .path = "source", .flags = COLUMN_SPARE},
    {.title = "REASON", .path = "change.reason", .flags = COLUMN_SPARE},
    {.title = NULL},
};
const struct column HISTORY_COLUMNS[] = {
    {.title = "VERSION", .path = "transaction.version", .flags = COLUMN_RIGHT | COLUMN_WHOLE},
    {.title = "AT", .path = "at", .flags = COLUMN_WHOLE},
    {.title = "TYPE", .path = "type", .tint = "transaction.outcome"},
    {.title = "CHANGE", .cell = cell_change, .tint = "transaction.outcome"},
    {.title = "SOURCE", .path = "source", .flags = COLUMN_SPARE},
    {.title = "ACTOR", .path = "actor", .flags = COLUMN_SPARE},
    {.title = "CODE", .path = "change.code", .flags = COLUMN_SPARE},
    {.title = "REASON", .path = "change.reason", .flags = COLUMN_SPARE},
    {.title = "SEQ", .path = "seq", .flags = COLUMN_RIGHT | COLUMN_WHOLE | COLUMN_SPARE},
    {.title = NULL},
};

struct tail {
	struct client *client;
	struct rows rows;
	const char *filter;
	const char *wait; /* of the long polls to come; NULL: do not wait */
	int64_t after;    /* the seq that has been seen */
	char epoch[32];   /* the log's; "" = not known yet */
	bool is_open;     /* stdout takes more */
};

/* One page after t->after into *r. quiet: one try, and nothing told. */
static int read_page(struct tail *t, int64_t limit, bool is_quiet, struct reply *r)
{
	struct ask a = {.method = "GET"};
	struct buf path = {0};
	int64_t wait = 0;
	char number[24];
	int status;

	buf_printf(&path, "/v1/events?after=%lld", (long long)t->after);
	snprintf(number, sizeof(number), "%lld", (long long)limit);
	path_add(&path, "limit", number);
	path_add(&path, "filter", t->filter);
	path_add(&path, "wait", t->wait);
	buf_char(&path, '\0');
	if (t->wait && duration_parse(str_of(t->wait), &wait))
		a.patience = wait;
	a.path = path.ptr;
	status = is_quiet ? ask_quietly(t->client, &a, r) : ask(t->client, &a, r);
	buf_free(&path);
	return status;
}

/* Is it the same log as before? */
static bool is_same_log(struct tail *t, const struct reply *r)
{
	const char *epoch = json_string_value(json_object_get(r->json, "epoch"));

	if (!epoch)
		return true;
	if (!*t->epoch)
		snprintf(t->epoch, sizeof(t->epoch), "%s", epoch);
	return strcmp(t->epoch, epoch) == 0;
}

static int take_page(struct tail *t, const struct reply *r)
{
	const json_t *data = json_object_get(r->json, "data"), *row;
	const json_t *last = json_object_get(r->json, "last_seq");
	size_t i;

	if (!json_is_array(data) || !json_is_integer(last))
		return client_fail(t->client, EXIT_FAILED, "%s is no log of txwatch's",
				   t->client->url);
	if (!is_same_log(t, r))
		return client_fail(t->client, EXIT_GONE,
				   "the log is another one now (epoch %s, before %s): what was "
				   "missed after seq %lld cannot be told",
				   json_string_value(json_object_get(r->json, "epoch")), t->epoch,
				   (long long)t->after);
	json_array_foreach(data, i, row)
	{
		rows_add(&t->rows, row);
	}
	if (json_array_size(data))
		t->is_open = rows_flush(&t->rows);
	t->after = json_integer_value(last);
	return EXIT_WELL;
}

/* ---- the end of what there is ---- */

/* The log's end: what is asked for beyond it is refused by telling where it
 * ends, which costs nothing however long the log is. */
static int find_end(struct tail *t, int64_t *end)
{
	struct ask a = {.method = "GET", .path = "/v1/events?after=9223372036854775807"};
	struct reply r;
	int status = ask_quietly(t->client, &a, &r);
	const json_t *last = json_object_get(r.json, "last_seq");

	if (status == EXIT_GONE && json_is_integer(last)) {
		*end = json_integer_value(last);
		is_same_log(t, &r);
		status = EXIT_WELL;
	} else if (status == EXIT_WELL) {
		status = client_fail(t->client, EXIT_FAILED, "%s is no log of txwatch's",
				     t->client->url);
	} else {
		ask_tell(t->client, &r);
	}
	reply_free(&r);
	return status;
}

/* Goes back from the end, further and further, until enough are seen. Keeps
 * the last `lines`. */
static int collect(struct tail *t, int64_t from, int64_t end, json_t *kept, int64_t lines)
{
	int status = EXIT_WELL;

	json_array_clear(kept);
	t->after = from;
	while (status == EXIT_WELL && t->after < end) {
		struct reply r;
		json_t *data;
		int64_t before = t->after;

		status = read_page(t, PAGE, false, &r);
		data = json_object_get(r.json, "data");
		if (status == EXIT_WELL)
			is_same_log(t, &r);
		json_array_extend(kept, data);
		while ((int64_t)json_array_size(kept) > lines)
			json_array_remove(kept, 0);
		t->after = json_integer_value(json_object_get(r.json, "last_seq"));
		if (t->after <= before) /* the end moved back: another log */
			t->after = end;
		reply_free(&r);
	}
	return status;
}

static int show_last(struct tail *t, int64_t lines)
{
	json_t *kept = json_array();
	int64_t end = 0, back = lines;
	int status = find_end(t, &end);
	const json_t *row;
	size_t i;

	while (status == EXIT_WELL && lines > 0) {
		int64_t from = back < end ? end - back : 0;

		status = collect(t, from, end, kept, lines);
		if (from == 0 || (int64_t)json_array_size(kept) >= lines)
			break;
		back *= 8;
	}
	if (lines == 0)
		t->after = end;
	json_array_foreach(kept, i, row)
	{
		rows_add(&t->rows, row);
	}
	t->is_open = rows_flush(&t->rows);
	json_decref(kept);
	return status;
}

/* ---- what comes ---- */

static void pause_ms(int64_t ms)
{
	struct timespec t = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&t, NULL);
}

/* Does it get better by itself? */
static bool is_passing(int status)
{
	return status == EXIT_UNREACHABLE || status == EXIT_BUSY;
}

static void tell_gone(const struct tail *t, const struct reply *r)
{
	const char *epoch = json_string_value(json_object_get(r->json, "epoch"));
	const char *detail = json_string_value(json_object_get(r->json, "detail"));

	client_note(t->client, "gone: the log does not reach seq %lld: %s (its epoch is %s)",
		    (long long)t->after, detail ? detail : "it may be another one",
		    epoch ? epoch : "not told");
}

static int follow(struct tail *t, bool waits)
{
	int64_t pause = 0;
	int status = EXIT_WELL;

	while (t->is_open) {
		struct reply r;
		bool is_end;

		status = read_page(t, PAGE, true, &r);
		if (is_passing(status) && waits) {
			if (pause == 0)
				ask_tell(t->client, &r);
			pause = pause == 0                 ? 250
				: pause * 2 < PAUSE_MAX_MS ? pause * 2
							   : PAUSE_MAX_MS;
			pause_ms(r.wait > 0 && r.wait * 1000 < PAUSE_MAX_MS ? r.wait * 1000
									    : pause);
			reply_free(&r);
			continue;
		}
		if (status == EXIT_GONE)
			tell_gone(t, &r);
		else if (status != EXIT_WELL)
			ask_tell(t->client, &r);
		else if (pause)
			client_note(t->client, "the host is there again; going on after seq %lld",
				    (long long)t->after);
		pause = 0;
		is_end = !json_is_string(json_object_get(r.json, "next"));
		if (status == EXIT_WELL)
			status = take_page(t, &r);
		reply_free(&r);
		if (status != EXIT_WELL || (is_end && !waits))
			break;
	}
	return status;
}

int client_events_tail(struct client *c)
{
	struct tail t = {.client = c, .filter = args_get(c->args, "filter"), .is_open = true};
	bool follows = args_has(c->args, "follow");
	int64_t lines = args_number(c->args, "lines", LINES_DEFAULT);
	int status = EXIT_WELL;

	if (lines > LINES_MAX)
		return client_fail(c, EXIT_USAGE, "--lines is at most %d", LINES_MAX);
	if (args_duration(c->args, "wait", 0) > WAIT_MAX)
		return client_fail(c, EXIT_USAGE, "--wait is at most 60s");
	rows_open(&t.rows, c, EVENT_COLUMNS);
	if (args_has(c->args, "after"))
		t.after = args_number(c->args, "after", 0);
	else
		status = show_last(&t, lines);
	if (follows) {
		t.wait = args_get(c->args, "wait");
		t.wait = t.wait ? t.wait : WAIT_DEFAULT;
	}
	if (status == EXIT_WELL && (follows || args_has(c->args, "after")))
		status = follow(&t, follows);
	rows_close(&t.rows);
	return status;
}
