/* queue.h: a bounded queue of intrusive items between threads. */
#ifndef TXWATCH_BASE_QUEUE_H
#define TXWATCH_BASE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qitem {
	struct qitem *next;
	size_t weight; /* what it counts against the limit */
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct qitem *head;
	struct qitem **tail;
	size_t weight;
	size_t limit;
	bool closed;
};

void queue_init(struct queue *q, size_t limit);
void queue_destroy(struct queue *q);
/* false: full or closed. force ignores the limit (for internal work that is
 * bounded elsewhere). [any] */
bool queue_put(struct queue *q, struct qitem *item, bool force);
/* The whole list, or up to max weight of it; waits when empty and wait is
 * true. NULL: empty, or closed and drained. [any] */
struct qitem *queue_take(struct queue *q, size_t max_weight, bool wait);
/* The same, waiting at most `patience` real microseconds. [any] */
struct qitem *queue_take_within(struct queue *q, size_t max_weight, int64_t patience);
size_t queue_weight(struct queue *q);
void queue_close(struct queue *q);
bool queue_is_closed(struct queue *q); /* [any] */

#endif
