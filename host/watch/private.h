/*
 * private.h: what watch's files share. Private to watch/. [loop] but where
 * a function says otherwise.
 */
#ifndef TXWATCH_WATCH_PRIVATE_H
#define TXWATCH_WATCH_PRIVATE_H

#include "base/rate.h"
#include "engine/op.h"
#include "measure/metrics.h"
#include "plugin/tokens.h"
#include "watch/breaker.h"
#include "watch/watch.h"

#define CLAIM_LIMIT     1024   /* rows of one claim */
#define WAITING_LIMIT   2048   /* claimed polls that wait in a lane */
#define LAST_LOOK_LEASE MINUTE /* added to the timeout, until it is expired */
#define DETAIL_MAX      ((size_t)65536)

/* The rows of one claim, alive while one of them is being polled. */
struct claimed {
	struct arena arena;
	size_t refs;
};

/* One transaction on its way through a poller. */
struct look {
	struct look *next; /* waiting in its poller's lane */
	struct claimed *of;
	struct poller *poller;
	const txw_tx *tx;  /* as claimed */
	bool is_last;      /* before it expires */
	struct call *call; /* NULL: waits */
	uint64_t token;
};

/* One call of poll(): a few looks. */
struct call {
	struct task task; /* runs poll() on the instance's thread */
	struct poller *poller;
	struct timer deadline;
	struct look **looks;
	txw_poll_item *items;
	size_t n;
	size_t left;     /* not answered yet, and 1 until poll() returned */
	int64_t started; /* ticks */
};

struct map_row {
	txw_str theirs;
	txw_str ours;
};

struct poller {
	struct poller *next;
	struct watch *watch;
	instance *in;
	struct flow_entry *entry;
	txw_str tenant;
	txw_str flow;
	/* options */
	size_t concurrency;
	size_t batch;
	int64_t timeout;
	int64_t not_found_grace;
	txw_str not_found;
	bool unknown_is_told;
	struct map_row *map;
	size_t n_map;
	/* the lane */
	struct look *first;
	struct look **last;
	size_t n_waiting;
	size_t n_waiting_then; /* ... when the present claim began */
	size_t n_calls;
	txw_time paused_until; /* the upstream asked for it */
	struct breaker breaker;
	struct rate rate;
	struct timer again; /* when the lane may go on */
	/* discovery */
	int64_t discover_every;
	struct timer discover_at;
	struct timer discover_deadline;
	struct task discover_task;
	uint64_t discover_token;
	txw_time discover_asked; /* when, of the page under way */
	char *cursor;            /* malloc'd, may be NULL */
	/* metrics */
	struct series *m_seconds;
	struct series *m_lag;
	struct series *m_up;
	struct series *m_waiting;
	struct series *m_found;
};

struct watch {
	struct loop *loop;
	struct metrics *metrics;
	struct flows *flows;
	struct engine *engine;
	struct tokens *tokens;
	struct poller *pollers;
	bool is_draining;
	/* claims */
	struct timer claim_at;
	bool is_claiming;
	_Atomic int64_t next_due; /* INT64_MAX = none known */
	struct task sooner;
	_Atomic bool sooner_posted;
	struct metric *m_polls;
	struct metric *m_observations;
};

/* claim.c */
void claim_now(struct watch *w);
void claim_on_due(void *ctx, txw_time due); /* [writer] */

/* asker.c */
void asker_offer(struct poller *p, struct claimed *of, const txw_tx *tx, bool is_last);
void asker_pump(struct poller *p);
void asker_release(struct look *look);
/* Time before which the lane starts nothing; 0 = now. */
txw_time asker_blocked_until(const struct poller *p);
/* The call's look was answered; the last one ends the call. */
void asker_answered(struct look *look);
void asker_good(struct poller *p);
void asker_bad(struct poller *p, txw_str why);
void asker_pause(struct poller *p, int64_t after);

/* answer.c */
void answer_failed(struct look *look, txw_str why);
txw_str answer_map(const struct poller *p, txw_str theirs);
void answer_count(struct poller *p, const char *result);
/* A copy of a plugin's JSON, or none where it is not JSON (or, if one is
 * wanted, no object) or too long. */
txw_str answer_json(struct arena *a, txw_str json, bool is_object);
int32_t answer_complete(instance *self, uint64_t token, const txw_poll_result *r); /* [any] */

/* discover.c */
void discover_start(struct poller *p);
void discover_stop(struct poller *p);
int32_t discover_complete(instance *self, uint64_t token, const txw_discovery *d); /* [any] */

#endif
