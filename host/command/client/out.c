/* out.c: see out.h. */
#include "command/client/out.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/str.h"

#define PAGE_MAX      1000
#define LIMIT_DEFAULT 50
#define WIDTH_DEFAULT 80

static size_t width_of(int fd)
{
	const char *env = getenv("COLUMNS");
	struct winsize size;
	int64_t n;

	if (env && str_int(str_of(env), &n) && n > 0 && n < 10000)
		return (size_t)n;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return WIDTH_DEFAULT;
}

struct screen screen_find(void)
{
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
	struct screen s = {0};

	if (isatty(STDOUT_FILENO) != 1)
		return s;
	s.width = width_of(STDOUT_FILENO);
	s.has_colour = !(none && *none) && term && strcmp(term, "dumb") != 0;
	return s;
}

bool out_flush(struct buf *b)
{
	if (b->len)
		fwrite(b->ptr, 1, b->len, stdout);
	b->len = 0;
	return fflush(stdout) == 0 && !ferror(stdout);
}

/* libcurl keeps SIGPIPE away while it calls back. */
int out_stopped(struct client *c, int error)
{
	if (error == EPIPE)
		raise(SIGPIPE);
	return client_fail(c, EXIT_FAILED, "cannot write: %s", strerror(error));
}

int out_object(struct client *c, const struct reply *r)
{
	struct screen s = screen_find();
	struct buf b = {0};

	if (c->is_json || !json_is_object(r->json)) {
		buf_str(&b, buf_view(&r->body));
		if (b.len)
			buf_char(&b, '\n');
	} else {
		print_object(&b, r->json, s.width, s.has_colour);
	}
	out_flush(&b);
	buf_free(&b);
	return EXIT_WELL;
}

int out_get(struct client *c, const char *path)
{
	struct reply r;
	int status = ask_get(c, path, &r);

	if (status == EXIT_WELL)
		status = out_object(c, &r);
	reply_free(&r);
	return status;
}

int out_post(struct client *c, const char *path, json_t *body)
{
	struct reply r;
	int status = ask_json(c, "POST", path, body, &r);

	if (status == EXIT_WELL)
		status = out_object(c, &r);
	reply_free(&r);
	return status;
}

/* ---- rows ---- */

void rows_open(struct rows *r, struct client *c, const struct column *columns)
{
	struct screen s = screen_find();

	*r = (struct rows){.client = c};
	printer_init(&r->printer, &r->out, columns, s.width, s.has_colour);
}

void rows_add(struct rows *r, const json_t *row)
{
	char *text;

	if (!r->client->is_json) {
		printer_row(&r->printer, row);
		return;
	}
	text = json_dumps(row, JSON_COMPACT);
	buf_text(&r->out, text ? text : "null");
	buf_char(&r->out, '\n');
	free(text);
}

bool rows_flush(struct rows *r)
{
	if (!r->client->is_json)
		printer_flush(&r->printer);
	return out_flush(&r->out);
}

void rows_close(struct rows *r)
{
	printer_free(&r->printer);
	buf_free(&r->out);
}

/* ---- lists ---- */

struct walk {
	struct client *client;
	struct rows rows;
	int64_t left;
	bool has_pages;
	char *cursor;
};

/* One page; EXIT_WELL and w->cursor NULL: the last. */
static int walk_page(struct walk *w, const struct buf *base)
{
	struct buf path = {0};
	struct reply r;
	const json_t *data, *row;
	char number[24];
	size_t i;
	int status;

	buf_str(&path, buf_view(base));
	snprintf(number, sizeof(number), "%lld",
		 (long long)(w->left < PAGE_MAX ? w->left : PAGE_MAX));
	if (w->has_pages)
		path_add(&path, "limit", number);
	path_add(&path, "cursor", w->cursor);
	buf_char(&path, '\0');
	free(w->cursor);
	w->cursor = NULL;
	status = ask_get(w->client, path.ptr, &r);
	buf_free(&path);
	data = json_object_get(r.json, "data");
	if (status == EXIT_WELL && !json_is_array(data))
		status = client_fail(w->client, EXIT_FAILED, "%s is no list of txwatch's",
				     w->client->url);
	json_array_foreach(data, i, row)
	{
		rows_add(&w->rows, row);
	}
	w->left -= (int64_t)json_array_size(data);
	if (json_is_string(json_object_get(r.json, "next")))
		w->cursor = xstrdup(json_string_value(json_object_get(r.json, "next")));
	reply_free(&r);
	return status;
}

int out_list(struct client *c, struct buf *path, const struct column *columns, bool has_pages)
{
	struct walk w = {.client = c, .has_pages = has_pages};
	int status, error = 0;

	w.left = args_has(c->args, "all") ? INT64_MAX
					  : args_number(c->args, "limit", LIMIT_DEFAULT);
	rows_open(&w.rows, c, columns);
	do {
		status = walk_page(&w, path);
		error = rows_flush(&w.rows) ? 0 : errno;
	} while (status == EXIT_WELL && !error && w.cursor && w.left > 0);
	if (error)
		status = out_stopped(c, error);
	else if (status == EXIT_WELL && w.cursor && isatty(STDERR_FILENO) == 1)
		client_note(c, "there are more: --limit N, or --all");
	free(w.cursor);
	rows_close(&w.rows);
	buf_free(path);
	return status;
}
