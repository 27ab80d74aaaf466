/* webhook.h: one instance of notifier.webhook. */
#ifndef WEBHOOK_WEBHOOK_H
#define WEBHOOK_WEBHOOK_H

#include <pthread.h>

#include "settings.h"
#include "txwatch/txwatch.h"

#define PENDING_BUCKETS 256

/* A delivery on its way, from send to its answer. */
struct pending {
	struct pending *next; /* in its bucket, or free */
	struct webhook *webhook;
	uint64_t token; /* the host's */
	uint64_t http;  /* the request's id; 0 = not started yet */
	int is_cancelled;
};

/* A text of the section, copied; cleansed before it is freed. */
struct kept {
	struct kept *next;
	size_t len;
	char text[];
};

struct webhook {
	txw_instance *self;
	const txw_http_ext *http;
	const txw_clock_ext *clock;
	const txw_notify_ext *notify;

	/* from the section */
	struct defaults defaults;
	struct kept *kept; /* what the defaults point into */
	int is_short;      /* memory ran out while they were copied */
	txw_str source;
	int64_t response_kept;

	/* the loop's, reused from delivery to delivery */
	struct cache *cache;
	struct text id, head, body, signature, why;

	pthread_mutex_t lock; /* guards the two below: cancel is [any] */
	struct pending *buckets[PENDING_BUCKETS];
	struct pending *free;
};

/* send.c: the notifier's calls. */
int32_t webhook_send(void *instance, const txw_delivery *items, size_t stride, size_t n,
		     txw_error *err);
void webhook_cancel(void *instance, uint64_t token);
void webhook_forget(struct webhook *w); /* frees all pending ones */

#endif
