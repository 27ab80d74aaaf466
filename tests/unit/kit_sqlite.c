/* kit_sqlite.c: a fresh SQLite database for the store suites. */
#include "store_kit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static bool make(struct kit *k)
{
	snprintf(k->dir, sizeof(k->dir), "/tmp/txw-store-XXXXXX");
	if (!mkdtemp(k->dir))
		return false;
	snprintf(k->path, sizeof(k->path), "%s/test.db", k->dir);
	return true;
}

static void remove_all(struct kit *k)
{
	nftw(k->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static size_t options(struct kit *k, txw_value *values)
{
	size_t n = 0;
	k->texts[0] = str_of(k->path);
	k->texts[1] = str_of(k->check);
	values[n++] = (txw_value){
	    .type = TXW_OPT_STRING, .name = "path", .is_set = 1, .n = 1, .texts = &k->texts[0]};
	values[n++] = (txw_value){.type = TXW_OPT_CHOICE,
				  .name = "check",
				  .is_set = !!k->check,
				  .n = 1,
				  .texts = &k->texts[1]};
	values[n++] = (txw_value){.type = TXW_OPT_DURATION,
				  .name = "busy-timeout",
				  .is_set = !!k->busy,
				  .n = 1,
				  .number = k->busy};
	values[n++] = (txw_value){.type = TXW_OPT_DURATION,
				  .name = "read-timeout",
				  .is_set = !!k->read_timeout,
				  .n = 1,
				  .number = k->read_timeout};
	return n;
}

const struct kit_store KIT_SQLITE = {
    .name = "sqlite",
    .plugin = TXW_BUILD_DIR "/plugins/store.sqlite.so",
    .make = make,
    .remove = remove_all,
    .options = options,
};
