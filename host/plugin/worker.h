/* worker.h: the thread of a blocking instance. Private to this folder. */
#ifndef TXWATCH_PLUGIN_WORKER_H
#define TXWATCH_PLUGIN_WORKER_H

#include "base/err.h"
#include "base/loop.h"

/* Tasks that may wait for one instance's thread. */
#define WORKER_QUEUE_LIMIT 4096

struct worker;

/* loop may be NULL; else it is held while there is work. name is copied. */
struct worker *worker_open(const char *name, struct loop *loop, struct err *e);
/* Runs what waits, then ends the thread. Not from that thread. */
void worker_close(struct worker *w);
/* TXW_E_BUSY: too much waits; the task was not taken. [any] */
int32_t worker_put(struct worker *w, struct task *task);

#endif
