/* faulty_vfs.c: see faulty_vfs.h. */
#include "faulty_vfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>

static struct {
	pthread_mutex_t lock;
	pthread_t owner;
	enum faulty_whom whom;
	enum faulty_write write;
	unsigned left;
	bool lasting;
	unsigned failed;
} plan = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The real file follows in the same memory. */
struct faulty_file {
	sqlite3_file base;
	sqlite3_file real[];
};

static bool fails(void)
{
	pthread_mutex_lock(&plan.lock);
	bool is_mine = pthread_equal(pthread_self(), plan.owner);
	bool counts = plan.whom != FAULTY_NOBODY && is_mine == (plan.whom == FAULTY_CALLER);
	bool bad = counts && plan.left && --plan.left == 0;
	if (bad && plan.lasting)
		plan.left = 1;
	plan.failed += bad;
	pthread_mutex_unlock(&plan.lock);
	return bad;
}

void faulty_arm(enum faulty_whom whom, unsigned n, bool lasting, enum faulty_write write)
{
	pthread_mutex_lock(&plan.lock);
	plan.owner = pthread_self();
	plan.whom = whom;
	plan.write = write;
	plan.left = n;
	plan.lasting = lasting;
	plan.failed = 0;
	pthread_mutex_unlock(&plan.lock);
}

unsigned faulty_disarm(void)
{
	pthread_mutex_lock(&plan.lock);
	unsigned failed = plan.failed;
	plan.whom = FAULTY_NOBODY;
	pthread_mutex_unlock(&plan.lock);
	return failed;
}

/* ---- a file ---- */

static sqlite3_file *real(sqlite3_file *f)
{
	return ((struct faulty_file *)f)->real;
}

static int on_close(sqlite3_file *f)
{
	return real(f)->pMethods ? real(f)->pMethods->xClose(real(f)) : SQLITE_OK;
}

static int on_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
	return fails() ? SQLITE_IOERR_READ : real(f)->pMethods->xRead(real(f), to, n, at);
}

static int on_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
	if (fails())
		return plan.write == FAULTY_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	return real(f)->pMethods->xWrite(real(f), from, n, at);
}

static int on_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return fails() ? SQLITE_IOERR_TRUNCATE : real(f)->pMethods->xTruncate(real(f), size);
}

static int on_sync(sqlite3_file *f, int flags)
{
	(void)f;
	(void)flags;
	return fails() ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int on_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return real(f)->pMethods->xFileSize(real(f), size);
}

static int on_lock(sqlite3_file *f, int level)
{
	return real(f)->pMethods->xLock(real(f), level);
}

static int on_unlock(sqlite3_file *f, int level)
{
	return real(f)->pMethods->xUnlock(real(f), level);
}

static int on_reserved(sqlite3_file *f, int *out)
{
	return real(f)->pMethods->xCheckReservedLock(real(f), out);
}

static int on_control(sqlite3_file *f, int op, void *arg)
{
	return real(f)->pMethods->xFileControl(real(f), op, arg);
}

static int on_sector(sqlite3_file *f)
{
	return real(f)->pMethods->xSectorSize(real(f));
}

static int on_traits(sqlite3_file *f)
{
	return real(f)->pMethods->xDeviceCharacteristics(real(f));
}

static int on_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
	if (fails())
		return SQLITE_IOERR_SHMMAP;
	return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
}

static int on_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
}

static void on_shm_barrier(sqlite3_file *f)
{
	real(f)->pMethods->xShmBarrier(real(f));
}

static int on_shm_unmap(sqlite3_file *f, int remove)
{
	return real(f)->pMethods->xShmUnmap(real(f), remove);
}

/* Version 2: the WAL's index, no memory-mapped reads, which would fail as
 * signals. */
static const sqlite3_io_methods METHODS = {
    .iVersion = 2,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_reserved,
    .xFileControl = on_control,
    .xSectorSize = on_sector,
    .xDeviceCharacteristics = on_traits,
    .xShmMap = on_shm_map,
    .xShmLock = on_shm_lock,
    .xShmBarrier = on_shm_barrier,
    .xShmUnmap = on_shm_unmap,
};

static int on_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags, int *out)
{
	sqlite3_vfs *under = vfs->pAppData;
	f->pMethods = NULL;
	if (fails())
		return SQLITE_CANTOPEN;
	int rc = under->xOpen(under, path, real(f), flags, out);
	if (real(f)->pMethods)
		f->pMethods = &METHODS;
	return rc;
}

void faulty_register(void)
{
	static sqlite3_vfs vfs; /* all else is the default one's */
	sqlite3_vfs *under = sqlite3_vfs_find(NULL);
	if (!under || vfs.zName)
		return;
	vfs = *under;
	vfs.pNext = NULL;
	vfs.zName = "faulty";
	vfs.szOsFile = (int)sizeof(struct faulty_file) + under->szOsFile;
	vfs.pAppData = under;
	vfs.xOpen = on_open;
	sqlite3_vfs_register(&vfs, 1);
}
