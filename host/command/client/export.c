/*
 * export.c: `txwatch tx export`: transactions as NDJSON or CSV, streamed to
 * stdout or to a file.
 *
 * A file is written beside its place and moved there when it is whole and on
 * the disk: what stands under the name is never half an export.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "command/client/body.h"
#include "command/client/out.h"

struct export
{
	struct client *client;
	FILE *to;
	const char *beside; /* NULL: stdout */
	struct progress progress;
	int64_t lines;
	int64_t bytes;
	int error; /* errno of what could not be written */
};

static bool take(void *ctx, const char *bytes, size_t n)
{
	struct export *x = ctx;
	char text[80];

	for (const char *p = bytes; (p = memchr(p, '\n', n - (size_t)(p - bytes))) != NULL; p++)
		x->lines++;
	x->bytes += (int64_t)n;
	if (fwrite(bytes, 1, n, x->to) != n) {
		x->error = errno;
		return false;
	}
	snprintf(text, sizeof(text), "%lld lines, %lld KB", (long long)x->lines,
		 (long long)(x->bytes / 1024));
	progress_show(&x->progress, 0, 0, text);
	return true;
}

/* Beside the file that is to be, so that moving it there is one step. */
static int open_file(struct export *x, const char *path)
{
	char *name = arena_printf(&x->client->arena, "%s.XXXXXX", path);
	mode_t mask = umask(0);
	int fd = mkostemp(name, O_CLOEXEC);

	umask(mask);
	if (fd >= 0)
		fchmod(fd, 0666 & ~mask);
	x->beside = name;
	x->to = fd < 0 ? NULL : fdopen(fd, "w");
	if (x->to)
		return EXIT_WELL;
	return client_fail(x->client, EXIT_FAILED, "%s cannot be written: %s", path,
			   strerror(errno));
}

static int close_file(struct export *x, const char *path, int status)
{
	bool is_safe = fflush(x->to) == 0 && fsync(fileno(x->to)) == 0;

	if (fclose(x->to) != 0 || !is_safe)
		x->error = x->error ? x->error : errno;
	if (status == EXIT_WELL && !x->error && rename(x->beside, path) == 0)
		return EXIT_WELL;
	if (status == EXIT_WELL)
		status = client_fail(x->client, EXIT_FAILED, "%s cannot be written: %s", path,
				     strerror(x->error ? x->error : errno));
	unlink(x->beside);
	return status;
}

static int stream(struct export *x)
{
	static const char *const names[] = {"flow",   "status", "outcome", "owner",  "ref",
					    "filter", "q",      "order",   "format", NULL};
	struct ask a = {.method = "GET", .is_stream = true, .take = take, .ctx = x};
	struct buf path = {0};
	struct reply r;
	int status;

	buf_text(&path, "/v1/transactions:export");
	query_fill(x->client, &path, names);
	buf_char(&path, '\0');
	a.path = path.ptr;
	status = ask(x->client, &a, &r);
	progress_clear(&x->progress);
	if (status == EXIT_UNREACHABLE && x->lines)
		client_note(x->client, "the export broke off after %lld lines",
			    (long long)x->lines);
	reply_free(&r);
	buf_free(&path);
	return status;
}

int client_tx_export(struct client *c)
{
	struct export x = {.client = c, .to = stdout};
	const char *path = args_get(c->args, "output");
	int status;

	progress_open(&x.progress);
	if (!path) {
		x.progress.is_on = x.progress.is_on && isatty(STDOUT_FILENO) != 1;
		status = stream(&x);
		return x.error ? out_stopped(c, x.error) : status;
	}
	status = open_file(&x, path);
	return status == EXIT_WELL ? close_file(&x, path, stream(&x)) : status;
}
