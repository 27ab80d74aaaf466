/*
 * lock.c: one host for one database.
 *
 * PATH.lock is held by flock() for as long as the store is open: the kernel
 * gives it back however the process ends. A file of its own, since SQLite's
 * locks live in the database's file, and closing any descriptor of that one
 * would drop them. PATH is resolved first: two names of one file are one.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store.h"

/* Customers' data: for the owner and the group only. */
#define FILE_MODE 0640

static int32_t fail(struct store *s, txw_error *err, const char *what, const char *advice)
{
	int32_t code = errno == ENOSPC || errno == EDQUOT                    ? TXW_E_FULL
		       : errno == EACCES || errno == EPERM || errno == EROFS ? TXW_E_DENIED
									     : TXW_E_IO;
	return db_say(&s->db, code, err, "%s: %s: %s; %s", s->options.path, what,
		      strerrordesc_np(errno), advice);
}

/* The real directory and the last part; the real file if it exists. */
static int32_t resolve(struct store *s, txw_error *err)
{
	struct stat st;
	s->path = realpath(s->options.path, NULL);
	if (s->path && stat(s->path, &st) == 0 && S_ISDIR(st.st_mode))
		return db_say(&s->db, TXW_E_INVALID, err,
			      "%s is a directory: set `path` to a file in it", s->path);
	if (s->path)
		return TXW_OK;
	int32_t rc = TXW_OK;
	char *a = strdup(s->options.path), *b = strdup(s->options.path);
	char *dir = a ? realpath(dirname(a), NULL) : NULL;
	if (!a || !b)
		rc = db_say(&s->db, TXW_E_NOMEM, err, "no memory for a path");
	else if (!dir)
		rc = fail(s, err, "its directory cannot be used",
			  "make the directory, or set `path` to another one");
	else if (asprintf(&s->path, "%s/%s", dir, basename(b)) < 0)
		rc = db_say(&s->db, TXW_E_NOMEM, err, "no memory for a path");
	free(dir);
	free(a);
	free(b);
	return rc;
}

static int32_t refuse_second(struct store *s, txw_error *err)
{
	char pid[32] = "";
	ssize_t n = pread(s->lock, pid, sizeof(pid) - 1, 0);
	pid[n > 0 ? n : 0] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	return db_say(&s->db, TXW_E_BUSY, err,
		      "%s is in use by another txwatch%s%s: stop that one, or set `path` to "
		      "another file",
		      s->path, *pid ? ", process " : "", pid);
}

static int32_t make_file(struct store *s, txw_error *err)
{
	int fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
	if (fd < 0)
		return fail(s, err, "the file cannot be opened for writing",
			    "give the user txwatch runs as write permission on it");
	close(fd);
	return TXW_OK;
}

int32_t lock_take(struct store *s, txw_error *err)
{
	char *name = NULL;
	int32_t rc = resolve(s, err);
	if (rc < 0)
		return rc;
	if (asprintf(&name, "%s.lock", s->path) < 0)
		return db_say(&s->db, TXW_E_NOMEM, err, "no memory for a path");
	s->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
	free(name);
	if (s->lock < 0)
		return fail(s, err, "its directory is not writable",
			    "give the user txwatch runs as write permission on the directory");
	if (flock(s->lock, LOCK_EX | LOCK_NB) < 0) {
		rc = errno == EWOULDBLOCK ? refuse_second(s, err)
					  : fail(s, err, "its lock file cannot be locked",
						 "put the database on a local disk");
		close(s->lock);
		s->lock = -1;
		return rc;
	}
	/* For the other one's message only. */
	char pid[32];
	int n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(s->lock, 0) == 0 && pwrite(s->lock, pid, (size_t)n, 0) < 0)
		errno = 0;
	return make_file(s, err);
}

/* The file stays: to unlink it would let a third one lock a new file while a
 * second one holds the old. */
void lock_release(struct store *s)
{
	if (s->lock >= 0)
		close(s->lock);
	s->lock = -1;
	free(s->path);
	s->path = NULL;
}
