/*
 * search.c: the directories plugins are looked for in.
 *
 * [load]
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "plugin/loader.h"

/* From the directory of the installed program to that of the plugins; an
 * absolute path if the build was configured with one. */
#ifndef TXW_PLUGIN_REL_DIR
#error "host/CMakeLists.txt defines TXW_PLUGIN_REL_DIR"
#endif

#define MAX_NAMES 512u /* looked at for "did you mean" */

static void add_dir(struct plugins *p, const char *dir)
{
	for (size_t i = 0; i < p->n_dirs; i++)
		if (strcmp(p->dirs[i], dir) == 0)
			return;
	p->dirs = xrealloc(p->dirs, (p->n_dirs + 1) * sizeof(*p->dirs));
	p->dirs[p->n_dirs++] = dir;
}

void plugins_add_path(struct plugins *p, txw_str dir, struct conf_report *report, int line)
{
	const char *path = arena_str(&p->arena, dir).ptr;

	if (dir.len == 0 || memchr(dir.ptr, '\0', dir.len)) {
		conf_warning(report, line, "plugin-path: an empty name is no directory");
		return;
	}
	DIR *d = opendir(path);
	if (!d) {
		conf_warning(report, line,
			     "plugin-path: %s cannot be read: %s: no plugin is "
			     "looked for there",
			     path, strerror(errno));
		return;
	}
	closedir(d);
	add_dir(p, path);
}

/* Cuts the last part of a path: "/usr/bin/txwatch" -> "/usr/bin". */
static void cut_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = '\0';
}

void plugins_add_default_path(struct plugins *p)
{
	char here[PATH_MAX];
	char real[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", here, sizeof(here) - 1);

	if (n <= 0)
		return;
	here[n] = '\0';
	cut_last(here);
	/* A build tree keeps its plugins beside the program. */
	const char *cache = arena_printf(&p->arena, "%s/CMakeCache.txt", here);
	const char *beside = arena_printf(&p->arena, "%s/plugins", here);
	if (access(cache, F_OK) == 0 && access(beside, R_OK | X_OK) == 0) {
		add_dir(p, beside);
		return;
	}
	const char *installed = TXW_PLUGIN_REL_DIR[0] == '/'
				    ? TXW_PLUGIN_REL_DIR
				    : arena_printf(&p->arena, "%s/%s", here, TXW_PLUGIN_REL_DIR);
	/* Without the ".." it reads better in messages; kept when it does not
	 * exist, so that "not found in ..." names it. */
	if (realpath(installed, real))
		installed = arena_printf(&p->arena, "%s", real);
	add_dir(p, installed);
}

/* The names of the plugin files there are, without ".so". */
static size_t list_names(struct plugins *p, const char **names, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_dirs; i++) {
		DIR *d = opendir(p->dirs[i]);
		struct dirent *entry;
		while (d && n < max && (entry = readdir(d))) {
			size_t len = strlen(entry->d_name);
			if (len > 3 && strcmp(entry->d_name + len - 3, ".so") == 0)
				names[n++] = arena_printf(&p->arena, "%.*s", (int)(len - 3),
							  entry->d_name);
		}
		if (d)
			closedir(d);
	}
	return n;
}

static int32_t not_found(struct plugins *p, const char *name, struct err *e)
{
	const char **names = arena_alloc(&p->arena, MAX_NAMES * sizeof(*names));
	size_t n = list_names(p, names, MAX_NAMES);
	const char *near = str_nearest(name, names, n);
	struct buf where = {0};

	for (size_t i = 0; i < p->n_dirs; i++)
		buf_printf(&where, "%s%s", i ? ", " : "", p->dirs[i]);
	if (p->n_dirs == 0)
		buf_text(&where, "any directory, for there is none to look in: set `plugin-path`");
	int32_t rc = err_set(e, TXW_E_NOTFOUND, "plugin %s: there is no %s.so in %.*s%s%s%s", name,
			     name, STR_ARG(buf_view(&where)), near ? ": did you mean " : "",
			     near ? near : "", near ? "?" : "");
	buf_free(&where);
	return rc;
}

int32_t search_find(struct plugins *p, const char *name, const char **path, struct err *e)
{
	const char *unreadable = NULL;

	for (size_t i = 0; i < p->n_dirs; i++) {
		const char *at = arena_printf(&p->arena, "%s/%s.so", p->dirs[i], name);
		if (access(at, R_OK) == 0) {
			*path = at;
			return 0;
		}
		if (errno != ENOENT && errno != ENOTDIR && !unreadable)
			unreadable = at;
	}
	if (!unreadable)
		return not_found(p, name, e);
	/* Found after all: whoever opens it says why it cannot be read. */
	*path = unreadable;
	return 0;
}
