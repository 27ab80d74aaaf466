/*
 * faulty_vfs.h: a disk that fails when told: an SQLite VFS over the default
 * one (https://www.sqlite.org/vfs.html), which becomes the default.
 *
 * The calls that reach the disk are counted: open, read, write, truncate,
 * sync, mapping the WAL's index. The n-th one after faulty_arm fails, and with
 * `lasting` every one after it. A sync that does not fail does nothing: tests
 * do not cut the power.
 */
#ifndef FAULTY_VFS_H
#define FAULTY_VFS_H

#include <stdbool.h>

/* Whose calls count and fail. */
enum faulty_whom {
	FAULTY_NOBODY,
	FAULTY_CALLER, /* the thread that arms it */
	FAULTY_OTHERS, /* the store's own threads */
};

/* What a write says that fails; all else says that it is an I/O error. */
enum faulty_write { FAULTY_EIO, FAULTY_FULL };

/* Once, before the first database is opened. */
void faulty_register(void);
void faulty_arm(enum faulty_whom whom, unsigned n, bool lasting, enum faulty_write write);
/* Ends it; how many calls failed since faulty_arm. */
unsigned faulty_disarm(void);

#endif
