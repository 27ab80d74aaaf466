/* job.c: long work on the host: listed, waited for, cancelled. */
#include "command/client/job.h"

#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "command/client/out.h"

#define LOOK_FIRST_MS 100  /* between two looks, */
#define LOOK_MAX_MS   1000 /* more and more */

static int64_t progress_of(const json_t *job, const char *member)
{
	return json_integer_value(json_object_get(json_object_get(job, "progress"), member));
}

static void cell_done(const json_t *row, struct buf *out)
{
	const json_t *progress = json_object_get(row, "progress");

	print_value(out, json_object_get(progress, "done"));
	buf_char(out, '/');
	print_value(out, json_object_get(progress, "matched"));
}

static const struct column COLUMNS[] = {
    {.title = "ID", .path = "id", .flags = COLUMN_WHOLE},
    {.title = "KIND", .path = "kind"},
    {.title = "STATE", .path = "state", .tint = "state"},
    {.title = "DONE", .flags = COLUMN_RIGHT, .cell = cell_done},
    {.title = "CREATED", .path = "created_at", .flags = COLUMN_WHOLE | COLUMN_SPARE},
    {.title = "FINISHED", .path = "finished_at", .flags = COLUMN_WHOLE | COLUMN_SPARE},
    {.title = "ACTOR", .path = "actor", .flags = COLUMN_SPARE},
    {.title = "WHY", .path = "why", .flags = COLUMN_SPARE},
    {.title = NULL},
};

int client_job_list(struct client *c)
{
	struct buf path = {0};

	buf_text(&path, "/v1/jobs");
	return out_list(c, &path, COLUMNS, true);
}

static const char *path_of(struct client *c, const char *id, const char *below)
{
	struct buf path = {0};
	const char *text;

	path_part(&path, id);
	text = arena_printf(&c->arena, "/v1/jobs/%.*s%s", STR_ARG(buf_view(&path)), below);
	buf_free(&path);
	return text;
}

/* The exit status of a state; -1: it goes on. */
static int end_of(const json_t *job)
{
	const char *state = json_string_value(json_object_get(job, "state"));

	if (!state || strcmp(state, "failed") == 0)
		return EXIT_FAILED;
	if (strcmp(state, "done") == 0)
		return EXIT_WELL;
	return strcmp(state, "cancelled") == 0 ? EXIT_REFUSED : -1;
}

static void show(struct progress *p, const json_t *job)
{
	const char *state = json_string_value(json_object_get(job, "state"));
	int64_t done = progress_of(job, "done"), refused = progress_of(job, "refused");
	struct buf text = {0};

	buf_printf(&text, "%s, %lld done", state ? state : "?", (long long)done);
	if (refused)
		buf_printf(&text, ", %lld refused", (long long)refused);
	buf_char(&text, '\0');
	progress_show(p, done, progress_of(job, "matched"), text.ptr);
	buf_free(&text);
}

static void pause_ms(int64_t ms)
{
	struct timespec t = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&t, NULL);
}

int job_wait(struct client *c, const char *id)
{
	const char *path = path_of(c, id, "");
	int64_t pause = LOOK_FIRST_MS;
	struct progress p;
	struct reply r;
	int status, end;

	progress_open(&p);
	for (;; reply_free(&r)) {
		status = ask_get(c, path, &r);
		end = status == EXIT_WELL ? end_of(r.json) : status;
		if (end >= 0)
			break;
		show(&p, r.json);
		pause_ms(pause);
		pause = pause * 2 < LOOK_MAX_MS ? pause * 2 : LOOK_MAX_MS;
	}
	progress_clear(&p);
	if (status == EXIT_WELL)
		out_object(c, &r);
	reply_free(&r);
	return end;
}

int client_job_get(struct client *c)
{
	if (args_has(c->args, "wait"))
		return job_wait(c, args_word(c->args, 0));
	return out_get(c, path_of(c, args_word(c->args, 0), ""));
}

int client_job_cancel(struct client *c)
{
	return out_post(c, path_of(c, args_word(c->args, 0), "/cancel"), NULL);
}
