/*
 * worker.c: the thread of a blocking instance.
 *
 * One thread an instance, so the instance is never entered twice at once, and
 * tasks run in the order they came. Invariants:
 *   - every task taken runs, also when the worker is being closed;
 *   - the loop is held for each of them, so that a virtual clock waits for
 *     what a blocking plugin does.
 */
#include "plugin/worker.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct worker {
	pthread_t thread;
	struct loop *loop; /* or NULL */
	char name[16];     /* what the kernel keeps of a thread's name */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	struct task *first;
	struct task **last;
	size_t n;
	bool is_closing;
};

/* The next task; NULL: the worker is to end and nothing waits. */
static struct task *next_task(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	while (!w->first && !w->is_closing)
		pthread_cond_wait(&w->wake, &w->lock);
	struct task *task = w->first;
	if (task) {
		w->first = task->next;
		if (!w->first)
			w->last = &w->first;
		w->n--;
	}
	pthread_mutex_unlock(&w->lock);
	return task;
}

static void *run(void *arg)
{
	struct worker *w = arg;
	struct task *task;

	pthread_setname_np(pthread_self(), w->name);
	while ((task = next_task(w))) {
		task->next = NULL;
		task->run(task);
		if (w->loop)
			loop_release(w->loop);
	}
	return NULL;
}

struct worker *worker_open(const char *name, struct loop *loop, struct err *e)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	sigset_t all, before;

	snprintf(w->name, sizeof(w->name), "%s", name);
	w->loop = loop;
	w->last = &w->first;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&w->thread, NULL, run, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc == 0)
		return w;
	err_set(e, TXW_E_BUSY, "its thread cannot be started: %s", strerror(rc));
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return NULL;
}

void worker_close(struct worker *w)
{
	if (!w)
		return;
	assert(!pthread_equal(w->thread, pthread_self()));
	pthread_mutex_lock(&w->lock);
	w->is_closing = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

int32_t worker_put(struct worker *w, struct task *task)
{
	/* Held before the task can be seen: it may be over before we return. */
	if (w->loop)
		loop_hold(w->loop);
	pthread_mutex_lock(&w->lock);
	bool is_taken = w->n < WORKER_QUEUE_LIMIT && !w->is_closing;
	if (is_taken) {
		task->next = NULL;
		*w->last = task;
		w->last = &task->next;
		w->n++;
		pthread_cond_signal(&w->wake);
	}
	pthread_mutex_unlock(&w->lock);
	if (is_taken)
		return 0;
	if (w->loop)
		loop_release(w->loop);
	return TXW_E_BUSY;
}
