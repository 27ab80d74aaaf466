/*
 * secret.c: opens `env:NAME` and `file:/path`.
 *
 * What a secret says never comes into a message, neither the opened value nor
 * the text as written: whoever wrote the secret itself into the file must not
 * find it in a log. Only a well-formed name or path is told.
 */
#include "config/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#define SECRET_MAX 65536u

static int32_t open_env(struct arena *a, txw_str name, txw_str *out, struct err *e)
{
	bool is_name = name.len > 0 && name.len <= 128 &&
		       !(name.ptr[0] >= '0' && name.ptr[0] <= '9');
	const char *value;
	char *z;

	for (size_t i = 0; i < name.len && is_name; i++) {
		char c = name.ptr[i];

		is_name = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			  (c >= '0' && c <= '9') || c == '_';
	}
	if (!is_name)
		return err_set(e, TXW_E_INVALID,
			       "must be env:NAME, with the name of an environment variable "
			       "(letters, digits and _)");
	z = arena_printf(a, "%.*s", STR_ARG(name));
	value = getenv(z);
	if (!value)
		return err_set(e, TXW_E_NOTFOUND,
			       "needs the environment variable %s, which is not set", z);
	if (!*value)
		return err_set(e, TXW_E_INVALID,
			       "needs the environment variable %s, which is set to nothing", z);
	*out = arena_str(a, str_of(value));
	return 0;
}

/* Reads at most SECRET_MAX + 1 bytes. */
static ssize_t read_all(int fd, char *bytes)
{
	size_t len = 0;
	ssize_t n;

	while (len <= SECRET_MAX && (n = read(fd, bytes + len, SECRET_MAX + 1u - len)) != 0) {
		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0)
			len += (size_t)n;
	}
	return (ssize_t)len;
}

static int32_t open_file(struct arena *a, txw_str path, txw_str *out, struct err *e)
{
	char *z, *bytes;
	struct stat st;
	ssize_t n;
	int32_t rc = 0;
	int fd;

	if (path.len == 0 || path.ptr[0] != '/' || memchr(path.ptr, '\n', path.len))
		return err_set(e, TXW_E_INVALID, "must be file:/path, with a whole path");
	z = arena_printf(a, "%.*s", STR_ARG(path));
	/* NONBLOCK: a named pipe without a writer must not hold up the start. */
	fd = open(z, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set(e, TXW_E_IO, "needs the file %s, which cannot be opened: %s", z,
			       strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		rc = err_set(e, TXW_E_INVALID, "needs the file %s, which is no regular file", z);
		goto close_file;
	}
	bytes = xmalloc(SECRET_MAX + 1u);
	n = read_all(fd, bytes);
	if (n < 0)
		rc = err_set(e, TXW_E_IO, "needs the file %s, which cannot be read: %s", z,
			     strerror(errno));
	else if ((size_t)n > SECRET_MAX)
		rc = err_set(e, TXW_E_INVALID, "needs the file %s, which is larger than 64 KB", z);
	else if (memchr(bytes, '\0', (size_t)n))
		rc = err_set(e, TXW_E_INVALID, "needs the file %s, which holds a NUL byte", z);
	if (rc == 0 && n > 0 && bytes[n - 1] == '\n')
		n -= n > 1 && bytes[n - 2] == '\r' ? 2 : 1;
	if (rc == 0 && n == 0)
		rc = err_set(e, TXW_E_INVALID, "needs the file %s, which is empty", z);
	if (rc == 0)
		*out = arena_str(a, (txw_str){bytes, (size_t)n});
	explicit_bzero(bytes, SECRET_MAX + 1u);
	free(bytes);
close_file:
	close(fd);
	return rc;
}

int32_t secret_open(struct arena *a, txw_str spec, txw_str *out, struct err *e)
{
	txw_str env = STR_LIT("env:"), file = STR_LIT("file:");

	if (str_starts(spec, env))
		return open_env(a, (txw_str){spec.ptr + env.len, spec.len - env.len}, out, e);
	if (str_starts(spec, file))
		return open_file(a, (txw_str){spec.ptr + file.len, spec.len - file.len}, out, e);
	return err_set(e, TXW_E_INVALID,
		       "is a secret and must not stand in the file: write env:NAME or file:/path");
}
