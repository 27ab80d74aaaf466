/*
 * readers.h: snapshot reads: a few threads for pages, one reader on the loop
 * for single rows.
 */
#ifndef TXWATCH_ENGINE_READERS_H
#define TXWATCH_ENGINE_READERS_H

#include "base/err.h"
#include "base/loop.h"
#include "base/queue.h"
#include "plugin/instance.h"

#define READERS_THREADS     2
#define READERS_QUEUE_LIMIT 1024

struct readers;

struct read_job {
	struct qitem item; /* the pool's */
	struct task task;  /* the pool's */
	/* Reads. Returns 0 or an error. [reader] */
	int32_t (*run)(struct read_job *job, const txw_store *store, void *reader, struct err *e);
	void (*done)(struct read_job *job); /* [loop] */
	int32_t rc;
	struct err err;
	struct loop *loop; /* the pool's */
};

struct readers *readers_open(instance *store, struct loop *loop, struct err *e);
void readers_close(struct readers *r);
/* TXW_PENDING, or TXW_E_BUSY when too much waits. [any] */
int32_t readers_submit(struct readers *r, struct read_job *job);
/* A reader of the loop's own, for reads of a few microseconds. [loop] */
void *readers_mine(struct readers *r);
const txw_store *readers_store(const struct readers *r);

#define READ_CALL(store, e, fn, reader, ...)                                             \
	({                                                                               \
		txw_error read_call_err = ERR_ABI_INIT;                                  \
		err_from_plugin((e), (store)->fn((reader), __VA_ARGS__, &read_call_err), \
				&read_call_err);                                         \
	})

#endif
