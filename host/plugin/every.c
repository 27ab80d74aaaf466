/*
 * every.c: all plugin files of the path, for showing them.
 *
 * [load]
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "plugin/loader.h"

static int is_plugin_file(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 3 && strcmp(entry->d_name + len - 3, ".so") == 0;
}

void plugins_load_all(struct plugins *p)
{
	struct dirent **entries;

	for (size_t i = 0; i < p->n_dirs; i++) {
		int n = scandir(p->dirs[i], &entries, is_plugin_file, alphasort);

		for (int j = 0; j < n; j++) {
			txw_str name = str_of(entries[j]->d_name);

			plugins_load(p, (txw_str){name.ptr, name.len - 3});
			free(entries[j]);
		}
		if (n >= 0)
			free(entries);
	}
}
