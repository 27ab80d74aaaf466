/*
 * readers.c: see readers.h. Each thread has a reader of its own for life.
 */
#include "engine/readers.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"

struct reader_thread {
	struct readers *pool;
	pthread_t thread;
	bool runs;
	void *reader;
};

struct readers {
	instance *store;
	const txw_store *v;
	struct loop *loop;
	struct queue queue;
	void *mine;
	struct reader_thread threads[READERS_THREADS];
};

static void on_done(struct task *task)
{
	struct read_job *job = (struct read_job *)((char *)task - offsetof(struct read_job, task));
	struct loop *loop = job->loop;
	job->done(job);
	loop_release(loop);
}

static void *reader_main(void *arg)
{
	struct reader_thread *t = arg;
	struct qitem *item;
	while ((item = queue_take(&t->pool->queue, 1, true))) {
		struct read_job *job = (struct read_job *)((char *)item -
							   offsetof(struct read_job, item));
		job->rc = job->run(job, t->pool->v, t->reader, &job->err);
		job->task.run = on_done;
		loop_post(t->pool->loop, &job->task);
	}
	return NULL;
}

static int32_t open_one(struct readers *r, void **reader, struct err *e)
{
	txw_error from = ERR_ABI_INIT;
	return err_from_plugin(e, r->v->reader_open(r->store->self, reader, &from), &from);
}

struct readers *readers_open(instance *store, struct loop *loop, struct err *e)
{
	struct readers *r = xcalloc(1, sizeof(*r));
	r->store = store;
	r->v = &store->role->v.store;
	r->loop = loop;
	queue_init(&r->queue, READERS_QUEUE_LIMIT);
	if (open_one(r, &r->mine, e) < 0)
		goto fail;
	for (size_t i = 0; i < READERS_THREADS; i++) {
		struct reader_thread *t = &r->threads[i];
		t->pool = r;
		if (open_one(r, &t->reader, e) < 0)
			goto fail;
		if (pthread_create(&t->thread, NULL, reader_main, t) != 0) {
			err_set(e, TXW_E_NOMEM, "cannot start a reader thread");
			goto fail;
		}
		t->runs = true;
		pthread_setname_np(t->thread, "reader");
	}
	return r;

fail:
	readers_close(r);
	return NULL;
}

void readers_close(struct readers *r)
{
	queue_close(&r->queue);
	for (size_t i = 0; i < READERS_THREADS; i++) {
		if (r->threads[i].runs)
			pthread_join(r->threads[i].thread, NULL);
		if (r->threads[i].reader)
			r->v->reader_close(r->threads[i].reader);
	}
	if (r->mine)
		r->v->reader_close(r->mine);
	queue_destroy(&r->queue);
	free(r);
}

int32_t readers_submit(struct readers *r, struct read_job *job)
{
	job->item.weight = 1;
	job->rc = 0;
	job->loop = r->loop;
	loop_hold(r->loop);
	if (!queue_put(&r->queue, &job->item, false)) {
		loop_release(r->loop);
		return err_set(&job->err, TXW_E_BUSY, "too many reads are waiting: try again");
	}
	return TXW_PENDING;
}

void *readers_mine(struct readers *r)
{
	return r->mine;
}

const txw_store *readers_store(const struct readers *r)
{
	return r->v;
}
