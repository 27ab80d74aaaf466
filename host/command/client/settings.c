/*
 * settings.c: where the host is and which token to show it.
 *
 * From the options, then the environment, then the client's file:
 *
 *   host default { url = "https://txwatch.example" token-file = "/home/me/.token" }
 *
 * A token is never an argument, where every process of the machine could read
 * it. A file that holds one is used only if nobody else can: it belongs to the
 * user or to root, nobody else may write it, and if it is the user's own
 * nobody else may read it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "command/client/client.h"
#include "config/conf.h"

#define FILE_MAX ((size_t)65536)
#define TIMEOUT  (30 * SECOND)

#define ROW(type_, name_, help_)                                                      \
	{                                                                             \
		.size = sizeof(txw_option), .type = TXW_OPT_##type_, .name = (name_), \
		.help = (help_)                                                       \
	}
static const txw_option HOST_ROWS[] = {
    ROW(STRING, "url", "Where the host is"),
    ROW(STRING, "token", "The token to show it"),
    ROW(STRING, "token-file", "The file that holds the token"),
    ROW(STRING, "ca-file", "The certificates to trust, as PEM, in place of the system's"),
    ROW(DURATION, "timeout", "How long a request may take"),
};
static const struct conf_schema SCHEMAS[] = {
    {.keyword = "host",
     .help = "A host to ask",
     .is_titled = 1,
     .options = HOST_ROWS,
     .option_stride = sizeof(txw_option),
     .n_options = sizeof(HOST_ROWS) / sizeof(HOST_ROWS[0])},
    {.keyword = NULL},
};

static int32_t check_owner(const char *path, const struct stat *st, struct err *e)
{
	if (!S_ISREG(st->st_mode))
		return err_set(e, TXW_E_INVALID, "%s is no regular file", path);
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return err_set(e, TXW_E_DENIED, "%s is not used: it belongs to another user", path);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return err_set(e, TXW_E_DENIED,
			       "%s is not used: others may write it (chmod 600 it)", path);
	if (st->st_uid == geteuid() && (st->st_mode & (S_IRGRP | S_IROTH)))
		return err_set(e, TXW_E_DENIED, "%s is not used: others may read it (chmod 600 it)",
			       path);
	return 0;
}

/* The whole file in the arena, 0-terminated. TXW_E_NOTFOUND: there is none. */
static int32_t read_private(struct client *c, const char *path, txw_str *out, struct err *e)
{
	char *bytes = arena_alloc(&c->arena, FILE_MAX + 1);
	size_t len = 0;
	struct stat st;
	int32_t rc = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_set(e, errno == ENOENT || errno == ENOTDIR ? TXW_E_NOTFOUND : TXW_E_IO,
			       "%s cannot be opened: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0)
		rc = err_set(e, TXW_E_IO, "%s: %s", path, strerror(errno));
	else
		rc = check_owner(path, &st, e);
	while (rc >= 0 && len <= FILE_MAX && (n = read(fd, bytes + len, FILE_MAX - len)) != 0) {
		if (n < 0 && errno != EINTR)
			rc = err_set(e, TXW_E_IO, "%s cannot be read: %s", path, strerror(errno));
		len += n > 0 ? (size_t)n : 0;
		if (len == FILE_MAX)
			rc = err_set(e, TXW_E_INVALID, "%s is larger than 64 KB", path);
	}
	close(fd);
	*out = (txw_str){bytes, len};
	return rc;
}

/* ---- the token ---- */

/* RFC 6750's characters, so that it can be nothing but one header's value. */
static bool is_token(const char *z)
{
	size_t len = strlen(z);

	return len > 0 && len <= 8192 &&
	       strspn(z, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/=") ==
		   len;
}

static int32_t take_token(struct client *c, const char *token, const char *from, struct err *e)
{
	if (!is_token(token))
		return err_set(e, TXW_E_INVALID,
			       "the token of %s is none: letters, digits and -._~+/= are, without "
			       "spaces",
			       from);
	c->token = token;
	return 0;
}

static int32_t take_token_file(struct client *c, const char *path, struct err *e)
{
	txw_str text;
	int32_t rc = read_private(c, path, &text, e);

	if (rc < 0)
		return rc;
	while (text.len && strchr(" \t\r\n", text.ptr[text.len - 1]))
		text.len--;
	return take_token(c, arena_printf(&c->arena, "%.*s", STR_ARG(text)), path, e);
}

/* ---- the client's file ---- */

static const char *file_path(struct client *c)
{
	const char *named = args_get(c->args, "client-file");
	const char *folder = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (named)
		return named;
	if (folder && *folder == '/')
		return arena_printf(&c->arena, "%s/txwatch/client.conf", folder);
	if (home && *home == '/')
		return arena_printf(&c->arena, "%s/.config/txwatch/client.conf", home);
	return NULL;
}

static const char *text_of(struct client *c, const struct conf_section *s, const char *name)
{
	txw_str text = conf_text(s, name);

	return text.len ? arena_str(&c->arena, text).ptr : NULL;
}

static int32_t take_section(struct client *c, const struct conf_section *s, const char **url,
			    struct err *e)
{
	const char *token = text_of(c, s, "token"), *file = text_of(c, s, "token-file");

	*url = text_of(c, s, "url");
	c->ca_file = text_of(c, s, "ca-file");
	if (conf_is_set(s, "timeout"))
		c->timeout = conf_number(s, "timeout");
	if (c->token)
		return 0;
	if (token)
		return take_token(c, token, s->file, e);
	return file ? take_token_file(c, file, e) : 0;
}

static int32_t take_conf(struct client *c, const struct conf *conf, const char **url, struct err *e)
{
	const char *want = args_get(c->args, "host");

	for (size_t i = 0; i < conf->root.n_children; i++) {
		const struct conf_section *s = &conf->root.children[i];

		if (!want || strcmp(s->title, want) == 0)
			return take_section(c, s, url, e); /* the first, or the one asked for */
	}
	if (!want)
		return 0;
	return err_set(e, TXW_E_NOTFOUND, "%s has no host \"%s\"", conf->file, want);
}

/* The report as one text. */
static int32_t tell_report(const struct conf_report *report, struct err *e)
{
	struct buf text = {0};

	conf_report_print(report, &text);
	while (text.len && text.ptr[text.len - 1] == '\n')
		text.len--;
	err_set(e, TXW_E_INVALID, "the client's file has mistakes\n%.*s", STR_ARG(buf_view(&text)));
	buf_free(&text);
	return TXW_E_INVALID;
}

static int32_t take_file(struct client *c, const char **url, struct err *e)
{
	const char *path = file_path(c);
	struct conf_report report;
	struct conf_scan *scan;
	struct conf *conf = NULL;
	txw_str text;
	int32_t rc = path ? read_private(c, path, &text, e) : TXW_E_NOTFOUND;

	if (rc == TXW_E_NOTFOUND && !args_has(c->args, "client-file") && !args_has(c->args, "host"))
		return 0; /* nobody asked for one */
	if (rc < 0)
		return rc;
	conf_report_init(&report, path);
	scan = conf_scan_text(path, text.ptr, text.len, &report);
	if (scan)
		conf = conf_parse(scan, SCHEMAS, (const char *const[]){NULL}, &report);
	rc = conf ? take_conf(c, conf, url, e) : tell_report(&report, e);
	conf_free(conf);
	conf_scan_free(scan);
	conf_report_free(&report);
	return rc;
}

/* ---- all together ---- */

static int32_t take_url(struct client *c, const char *url, struct err *e)
{
	const char *rest = strncmp(url, "https://", 8) == 0  ? url + 8
			   : strncmp(url, "http://", 7) == 0 ? url + 7
							     : NULL;
	size_t len = strlen(url);

	if (!rest || !*rest || strpbrk(rest, "@?# \t\r\n"))
		return err_set(e, TXW_E_INVALID,
			       "the URL `%s` is none of a host: http://HOST:PORT or https://HOST, "
			       "without a user, a query or a fragment",
			       strchr(rest ? rest : "", '@') ? "..." : url);
	while (len && url[len - 1] == '/')
		len--;
	c->url = arena_printf(&c->arena, "%.*s", (int)len, url);
	return 0;
}

/* An environment variable that is set to something. */
static const char *variable(const char *name)
{
	const char *z = getenv(name);

	return z && *z ? z : NULL;
}

int32_t settings_take(struct client *c, struct err *e)
{
	const char *file = args_get(c->args, "token-file"), *token = variable("TXWATCH_TOKEN");
	const char *url = NULL, *own, *env = variable("TXWATCH_URL");
	bool is_files; /* the token will be the one of the file */
	int32_t rc = 0;

	c->timeout = TIMEOUT;
	if (file)
		rc = take_token_file(c, file, e);
	else if (token && !args_has(c->args, "host"))
		rc = take_token(c, token, "TXWATCH_TOKEN", e);
	is_files = !c->token;
	if (rc < 0 || (rc = take_file(c, &url, e)) < 0)
		return rc;
	own = url;
	if (args_has(c->args, "host"))
		env = NULL; /* who names a host means that one */
	if (args_has(c->args, "url"))
		url = args_get(c->args, "url");
	else if (env || !url)
		url = env ? env : CLIENT_URL;
	if (is_files && own && strcmp(own, url) != 0)
		c->token = NULL; /* it is for the file's host, and for no other */
	if (args_has(c->args, "ca-file"))
		c->ca_file = args_get(c->args, "ca-file");
	c->timeout = args_duration(c->args, "timeout", c->timeout);
	return take_url(c, url, e);
}
