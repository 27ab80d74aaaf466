/*
 * import.c: `txwatch tx import`: a file's rows, streamed, and what became of
 * each.
 *
 * Constant memory: the file is read as it is sent, and a line of the answer is
 * dealt with as it comes.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/str.h"
#include "command/client/out.h"

#define LINE_MAX_BYTES ((size_t)1 << 20) /* of the answer */
#define ROWS_HELD      500

struct import {
	struct client *client;
	struct rows rows; /* what was refused, or with --json all */
	struct buf line;
	struct progress progress;
	int64_t size;
	int64_t held;
	json_t *summary;
	int error; /* errno of what stdout did not take */
	const char *wrong;
};

static const struct column COLUMNS[] = {
    {.title = "LINE", .path = "line", .flags = COLUMN_RIGHT | COLUMN_WHOLE},
    {.title = "RESULT", .path = "result", .tint = "result"},
    {.title = "WHY", .path = "why"},
    {.title = "ID", .path = "id", .flags = COLUMN_WHOLE | COLUMN_SPARE},
    {.title = NULL},
};

static bool is_bad(const json_t *row)
{
	const char *result = json_string_value(json_object_get(row, "result"));

	return result && (strcmp(result, "created") != 0 && strcmp(result, "changed") != 0 &&
			  strcmp(result, "unchanged") != 0);
}

static void show_sent(void *ctx, int64_t sent)
{
	struct import *in = ctx;
	char text[64];

	snprintf(text, sizeof(text), "%lld KB sent", (long long)(sent / 1024));
	progress_show(&in->progress, sent, in->size, text);
}

static void take_line(struct import *in, txw_str line)
{
	json_t *row = json_loadb(line.ptr, line.len, 0, NULL);
	json_t *summary = json_object_get(row, "summary");

	if (!row) {
		in->wrong = "a line of the answer is no JSON";
		return;
	}
	if (summary)
		in->summary = json_incref(summary);
	if (in->client->is_json || (!summary && is_bad(row))) {
		progress_clear(&in->progress);
		rows_add(&in->rows, row);
		if (++in->held % ROWS_HELD == 0 && !rows_flush(&in->rows))
			in->error = errno;
	}
	json_decref(row);
}

static bool take(void *ctx, const char *bytes, size_t n)
{
	struct import *in = ctx;
	const char *end;

	while (n && (end = memchr(bytes, '\n', n)) != NULL) {
		size_t len = (size_t)(end - bytes);

		buf_add(&in->line, bytes, len);
		if (in->line.len)
			take_line(in, buf_view(&in->line));
		in->line.len = 0;
		bytes += len + 1;
		n -= len + 1;
	}
	buf_add(&in->line, bytes, n);
	if (in->line.len > LINE_MAX_BYTES)
		in->wrong = "a line of the answer is longer than 1 MB";
	return !in->error && !in->wrong;
}

/* "12 rows: 10 created, 1 unchanged, 1 refused" */
static void sum_up(const struct import *in)
{
	static const char *const names[] = {"created", "changed", "unchanged", "refused",
					    "invalid"};
	struct buf text = {0};
	bool is_first = true;

	buf_printf(&text, "%lld rows",
		   (long long)json_integer_value(json_object_get(in->summary, "lines")));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int64_t n = json_integer_value(json_object_get(in->summary, names[i]));

		if (n)
			buf_printf(&text, "%s%lld %s", is_first ? ": " : ", ", (long long)n,
				   names[i]);
		is_first = is_first && n == 0;
	}
	buf_char(&text, '\n');
	if (!in->client->is_json)
		out_flush(&text);
	buf_free(&text);
}

/* What the summary means for the exit status. */
static int judge(const struct import *in)
{
	const json_t *error = json_object_get(in->summary, "error");
	const char *why = json_string_value(json_object_get(error, "why"));

	if (in->error)
		return out_stopped(in->client, in->error);
	if (in->wrong)
		return client_fail(in->client, EXIT_FAILED, "%s", in->wrong);
	if (!in->summary)
		return client_fail(in->client, EXIT_FAILED,
				   "the answer has no summary: import the file again, what is "
				   "there already is unchanged");
	sum_up(in);
	if (json_is_false(json_object_get(in->summary, "complete")))
		return client_fail(in->client, EXIT_BUSY,
				   "stopped at line %lld%s%s: import the file again",
				   (long long)json_integer_value(json_object_get(error, "line")),
				   why ? ": " : "", why ? why : "");
	return json_integer_value(json_object_get(in->summary, "refused")) +
		       json_integer_value(json_object_get(in->summary, "invalid"))
		   ? EXIT_REFUSED
		   : EXIT_WELL;
}

static const char *type_of(const struct client *c, const char *path)
{
	const char *format = args_get(c->args, "format");
	size_t len = strlen(path);

	if (!format && len > 4 && strcasecmp(path + len - 4, ".csv") == 0)
		format = "csv";
	return format && strcmp(format, "csv") == 0 ? "text/csv" : "application/x-ndjson";
}

static int64_t size_of(FILE *file)
{
	struct stat st;

	return fstat(fileno(file), &st) == 0 && S_ISREG(st.st_mode) ? st.st_size : -1;
}

static int send_file(struct client *c, FILE *file, const char *path)
{
	struct import in = {.client = c, .size = size_of(file)};
	struct ask a = {.method = "POST",
			.path = "/v1/transactions:import",
			.type = type_of(c, path),
			.is_stream = true,
			.upload = file,
			.size = in.size,
			.sent = show_sent,
			.take = take,
			.ctx = &in};
	struct reply r;
	int status;

	progress_open(&in.progress);
	rows_open(&in.rows, c, COLUMNS);
	status = ask(c, &a, &r);
	progress_clear(&in.progress);
	if (!in.error && !rows_flush(&in.rows))
		in.error = errno;
	if (status == EXIT_WELL)
		status = judge(&in);
	reply_free(&r);
	rows_close(&in.rows);
	buf_free(&in.line);
	json_decref(in.summary);
	return status;
}

int client_tx_import(struct client *c)
{
	const char *path = args_word(c->args, 0);
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(path, "re");
	int status;

	if (!file)
		return client_fail(c, EXIT_USAGE, "%s cannot be opened: %s", path, strerror(errno));
	status = send_file(c, file, path);
	if (!is_stdin)
		fclose(file);
	return status;
}
