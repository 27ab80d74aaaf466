/* notifier_file.c: appends each event, as a line of JSON, to a file: the address or `path`. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <txwatch/txwatch.h>
#include <unistd.h>

struct notifier {
	txw_instance *self;
	const txw_notify_ext *notify;
	char path[PATH_MAX]; /* the option's; empty = none */
};

static int32_t create(const txw_setup *setup, void **out, txw_error *err)
{
	const txw_value *path = setup->values; /* one for each option row */
	struct notifier *n = calloc(1, sizeof(*n));

	if (!n)
		return err->code = TXW_E_NOMEM;
	if (path->is_set)
		snprintf(n->path, PATH_MAX, "%.*s", (int)path->texts->len, path->texts->ptr);
	n->self = setup->self;
	n->notify = setup->host->get_ext(n->self, TXW_EXT_NOTIFY);
	*out = n;
	return TXW_OK;
}

/* 0, or an errno. A line is in the file and on the disk, whole or not at all. */
static int append(const struct notifier *self, txw_str address, txw_str json)
{
	struct iovec line[] = {{(void *)json.ptr, json.len}, {"\n", 1}};
	char path[PATH_MAX];

	snprintf(path, PATH_MAX, "%.*s", (int)address.len, address.len ? address.ptr : "");
	int fd = open(*path ? path : self->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	ssize_t n = end < 0 ? -1 : writev(fd, line, 2);
	int why = n < 0 ? errno : (size_t)n <= json.len ? ENOSPC : fdatasync(fd) < 0 ? errno : 0;
	if (why && n > 0 && ftruncate(fd, end) < 0)
		why = errno;
	close(fd);
	return why;
}

static int32_t send(void *instance, const txw_delivery *items, size_t stride, size_t n,
		    txw_error *err)
{
	struct notifier *self = instance;

	(void)err; /* each item gets a verdict of its own */
	for (size_t i = 0; i < n; i++) {
		const txw_delivery *d = (const void *)((const char *)items + i * stride);
		int why = append(self, d->address, d->event->json);
		const char *text = why ? strerrordesc_np(why) : "";
		txw_verdict v = {.size = sizeof(v), .reason = {text, strlen(text)}};
		v.verdict = why ? TXW_VERDICT_RETRY : TXW_VERDICT_OK; /* disks get space again */
		self->notify->complete(self->self, d->token, &v);
	}
	return TXW_OK;
}

static const txw_option ROW = {.size = sizeof(ROW), .name = "path", .help = "The default file"};
static const txw_notifier CALLS = {sizeof(CALLS), 16, send, NULL, NULL};
static const txw_role ROLE = {
    sizeof(ROLE), TXW_ROLE_NOTIFIER, TXW_BLOCKING, 1,      "file", "Appends each event to a file",
    &ROW,         sizeof(ROW),       &CALLS,       create, free};
static const txw_plugin PLUGIN = {sizeof(PLUGIN), TXW_ABI_MAJOR, TXW_ABI_MINOR, 1, "1.0.0", "You",
				  "Apache-2.0",   &ROLE,         sizeof(ROLE)};

const txw_plugin *txw_plugin_1(void)
{
	return &PLUGIN;
}
