/* queue.c: see queue.h. */
#include "base/queue.h"

#include <time.h>

void queue_init(struct queue *q, size_t limit)
{
	pthread_mutex_init(&q->lock, NULL);
	/* Waits are measured by a clock that nobody sets. */
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->wake, &attr);
	pthread_condattr_destroy(&attr);
	q->head = NULL;
	q->tail = &q->head;
	q->weight = 0;
	q->limit = limit;
	q->closed = false;
}

void queue_destroy(struct queue *q)
{
	pthread_cond_destroy(&q->wake);
	pthread_mutex_destroy(&q->lock);
}

bool queue_put(struct queue *q, struct qitem *item, bool force)
{
	pthread_mutex_lock(&q->lock);
	/* An item heavier than the limit still fits an empty queue. */
	bool ok = !q->closed && (force || q->weight == 0 || q->weight + item->weight <= q->limit);
	if (ok) {
		bool was_empty = q->head == NULL;
		item->next = NULL;
		*q->tail = item;
		q->tail = &item->next;
		q->weight += item->weight;
		if (was_empty)
			pthread_cond_signal(&q->wake);
	}
	pthread_mutex_unlock(&q->lock);
	return ok;
}

/* Under the lock. */
static struct qitem *take(struct queue *q, size_t max_weight)
{
	struct qitem *first = q->head, **end = &q->head;
	size_t taken = 0;
	while (*end && (taken == 0 || taken + (*end)->weight <= max_weight)) {
		taken += (*end)->weight;
		end = &(*end)->next;
	}
	if (first) {
		struct qitem *rest = *end;
		*end = NULL;
		q->head = rest;
		if (!rest)
			q->tail = &q->head;
		else
			/* Another taker may wait for what is left. */
			pthread_cond_signal(&q->wake);
		q->weight -= taken;
	}
	return first;
}

struct qitem *queue_take(struct queue *q, size_t max_weight, bool wait)
{
	pthread_mutex_lock(&q->lock);
	while (wait && !q->head && !q->closed)
		pthread_cond_wait(&q->wake, &q->lock);
	struct qitem *first = take(q, max_weight);
	pthread_mutex_unlock(&q->lock);
	return first;
}

struct qitem *queue_take_within(struct queue *q, size_t max_weight, int64_t patience)
{
	struct timespec end;
	clock_gettime(CLOCK_MONOTONIC, &end);
	int64_t nanos = end.tv_nsec + patience % 1000000 * 1000;
	end.tv_sec += (time_t)(patience / 1000000 + nanos / 1000000000);
	end.tv_nsec = (long)(nanos % 1000000000);
	pthread_mutex_lock(&q->lock);
	while (!q->head && !q->closed)
		if (pthread_cond_timedwait(&q->wake, &q->lock, &end) != 0)
			break;
	struct qitem *first = take(q, max_weight);
	pthread_mutex_unlock(&q->lock);
	return first;
}

size_t queue_weight(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	size_t w = q->weight;
	pthread_mutex_unlock(&q->lock);
	return w;
}

void queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_cond_broadcast(&q->wake);
	pthread_mutex_unlock(&q->lock);
}

bool queue_is_closed(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	bool closed = q->closed;
	pthread_mutex_unlock(&q->lock);
	return closed;
}
