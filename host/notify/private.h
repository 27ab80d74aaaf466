/*
 * private.h: what notify's files share. Private to notify/.
 *
 * Who owns what:
 *   rules     the writer's: who wants which events; changed only by commit
 *             hooks, read by the router's step
 *   targets   the loop's: lanes; the writer reads their key, held, window and
 *             is_disabled only (atomics, or set before it can know them)
 *   evrecs    shared: an event, made once, counted references
 */
#ifndef TXWATCH_NOTIFY_PRIVATE_H
#define TXWATCH_NOTIFY_PRIVATE_H

#include <stdatomic.h>
#include <uthash.h>

#include "base/rate.h"
#include "measure/metrics.h"
#include "notify/notify.h"
#include "plugin/tokens.h"

#define LEASE      HOUR         /* of a delivery in this host's hands */
#define WINDOW_MIN ((size_t)32) /* deliveries a lane holds at least, */
#define WINDOW_MAX \
	((size_t)1024)                  /* ... and at most: 24 x its concurrency, or
					 * what half a lease is enough for */
#define HELD_LIMIT      ((size_t)16384) /* deliveries all lanes hold together */
#define PENDING_LIMIT   ((size_t)8192)  /* events the router keeps in memory */
#define STEP_EVENTS     ((size_t)1024)  /* events of one router step, */
#define STEP_DELIVERIES ((size_t)4096)  /* ... and deliveries, about */
#define MOVE_LIMIT      10000u          /* deliveries moved in one unit */
#define SCHEDULE_MAX    32

/* ---- events in memory ---- */

struct evrec {
	_Atomic int refs;
	struct arena arena;
	const txw_event *ev; /* with its JSON */
};

struct evrec *evrec_new(const txw_event *ev); /* [any] */
struct evrec *evrec_ref(struct evrec *r);
void evrec_unref(struct evrec *r); /* NULL is fine */

/* ---- channels: notifier instances ---- */

struct channel {
	struct channel *next;
	instance *in;
	size_t concurrency;
	txw_str rate;
	int64_t timeout;
	int64_t schedule[SCHEDULE_MAX];
	size_t n_schedule;
	int64_t jitter_milli;
	int64_t disable_after;
	struct series *m_ok;
	struct series *m_failed;
	struct series *m_dead;
	struct series *m_seconds;
};

struct channel *channel_find(struct notify *n, txw_str name);
/* Before the attempt after `attempts` made: the wait; -1 = no more. */
int64_t channel_backoff(const struct channel *c, uint32_t attempts, uint64_t salt);

/* ---- targets: lanes ---- */

/* Where a target's deliveries go; replaced whole, kept while one under way
 * still borrows it. [loop] */
struct address {
	int refs;
	struct channel *channel;
	struct arena arena;
	txw_str address;
	txw_str settings;
};

struct address *address_new(struct channel *c, txw_str address, txw_str settings);
void address_unref(struct address *a); /* NULL is fine */

/* A delivery in this host's hands. */
struct parcel {
	struct parcel *next;
	struct target *target;
	struct evrec *event;
	txw_delivery_row row;    /* tenant is the event's, reason is `reason` */
	char *reason;            /* malloc'd, may be NULL */
	struct address *address; /* while under way */
	int refs;                /* the lane's, and the worker's while it runs */
	_Atomic bool is_over;    /* it has its verdict */
	struct task back;        /* from the worker */
	uint64_t token;
	struct timer deadline;
	int64_t started;  /* clock */
	struct task task; /* to the instance's thread */
	txw_delivery item;
};

struct target {
	UT_hash_handle by_key;
	UT_hash_handle by_name; /* key: tenant NUL name */
	char *hash_name;
	size_t hash_len;
	struct notify *notify;
	struct arena arena; /* texts below */
	int64_t key;
	txw_str tenant;
	txw_str name;
	struct channel *channel;
	struct address *address;
	bool is_subscription;
	int64_t from_seq; /* a route's: events above it are for it */
	_Atomic bool is_disabled;
	_Atomic size_t held;   /* parcels, and those the router is making */
	_Atomic size_t window; /* how many of them, at most */
	size_t concurrency;
	struct rate rate;
	/* the lane */
	struct parcel *first;
	struct parcel **last;
	size_t n_waiting;
	size_t in_flight;
	txw_time paused_until;
	txw_time failing_since;
	int64_t failures;
	txw_time due; /* of what is not held; 0 = nothing known */
	struct timer wake;
	bool is_claiming;
	bool is_hungry;     /* waits for room under HELD_LIMIT */
	int64_t noted_step; /* the writer's */
	bool is_added;      /* in the tables */
	bool is_deleted;    /* freed when it holds nothing */
	struct target *next_hungry;
};

size_t target_window(const struct target *t); /* [any] */
/* t->channel must be set. rate: empty = the channel's. [loop] */
void target_limit(struct target *t, size_t concurrency, txw_str rate);
struct target *target_new(struct notify *n, txw_str tenant, txw_str name);
void target_add(struct notify *n, struct target *t);
void target_remove(struct target *t); /* frees it now or when it is empty */
struct target *target_by_name(struct notify *n, txw_str tenant, txw_str name);
void target_row(const struct target *t, txw_target *out);

/* ---- rules: [writer] ---- */

struct rule {
	struct rule *next;
	struct arena arena;
	struct target *target;
	txw_str tenant; /* none = every tenant */
	uint64_t types; /* bit TXW_EV_ */
	const txw_filter *filter;
	int64_t from_seq; /* events above it */
	bool is_ordered;
};

struct router {
	struct notify *notify;
	struct rule *rules;
	/* events committed and not routed yet, in order */
	struct evrec **pending;
	size_t first, n, cap;
	bool has_gap;        /* some are only in the store */
	int64_t cursor;      /* routed up to here ... */
	int64_t saved;       /* ... and durably so */
	int64_t next_cursor; /* this step's, until it is committed */
	void *reader;        /* for the gap */
	struct parcel *made; /* this step's, for the lanes */
	struct parcel **made_last;
	struct txw_delivery_row **rows;
	size_t n_rows, cap_rows;
	size_t n_done; /* events this step routed */
	bool wrote_mark;
	int64_t moved_at;      /* ticks */
	int64_t step;          /* counts steps */
	struct target **noted; /* have due rows that were not handed over */
	size_t n_noted, cap_noted;
	_Atomic int64_t shown_cursor; /* for the metrics */
};

void router_init(struct router *r, struct notify *n);
int32_t router_load(struct router *r, struct unit *u, struct err *e); /* [writer] */
/* Makes what was routed durable, in the unit of a change of rules. */
int32_t router_save(struct router *r, struct unit *u, struct err *e);
int32_t router_step(void *ctx, struct unit *u, struct err *e);
void router_committed(void *ctx, bool ok);
void router_tail(void *ctx, txw_event *const *events, size_t n);
void router_stop(struct router *r); /* the writer is at rest, the store open */
void router_close(struct router *r);
void router_put(struct router *r, struct rule *rule); /* replaces */
void router_drop(struct router *r, struct target *t);
void rule_free(struct rule *rule);

/* ---- the whole ---- */

struct settle; /* settle.c */

struct notify {
	struct loop *loop;
	struct metrics *metrics;
	struct engine *engine;
	struct readers *readers;
	struct tokens *tokens;
	struct channel *channels;
	struct target *by_key;
	struct target *by_name;
	struct router router;
	struct rule *routes; /* from the config, until start */
	struct target *hungry;
	struct target **hungry_last;
	_Atomic size_t n_held; /* parcels in all lanes */
	bool is_stuck;         /* verdicts cannot be saved: nothing starts */
	size_t in_flight;
	bool is_draining;
	struct settle *stuck;    /* refused by the store, to be tried again */
	struct settle *settling; /* verdicts not submitted yet */
	struct task flush;
	bool flush_posted;
	struct timer flush_at;
	struct metric *m_deliveries;
	struct metric *m_attempt_seconds;
	struct series *m_held;
	struct series *m_outbox;
};

/* lane.c: [loop] */
void lane_take(struct parcel *p); /* from the router or a claim */
void lane_pump(struct target *t);
void lane_claim(struct target *t); /* what is due in the store */
void lane_due(struct target *t, txw_time due);
void lane_pause(struct target *t, txw_time until);
void lane_give_back(struct target *t, txw_time due); /* what waits */
void parcel_free(struct parcel *p);                  /* its lane holds one less */
int32_t lane_complete(instance *self, uint64_t token, const txw_verdict *v); /* [any] */

/* settle.c: verdicts to rows */
struct verdict_in {
	struct parcel *parcel;
	struct arena arena;
	txw_verdict v;
	txw_time at;
};
void settle_verdict(struct verdict_in *in); /* takes it over [loop] */
void settle_back(struct parcel *p, txw_time due);
void settle_flush(struct notify *n);   /* submits what is settled by now */
void settle_target(struct target *t);  /* its row changed */
void settle_abandon(struct notify *n); /* what the store refused, at the end */
void settle_forget(struct target *t);  /* ... but it is going away */

/* disable.c */
void target_disable(struct target *t, const char *reason);

/* subscription.c: a subscription's document, read */
struct sub {
	txw_str id;
	txw_str tenant;
	txw_str channel;
	txw_str target;
	uint64_t types;
	txw_str filter;
	bool is_ordered;
	bool is_enabled;
	size_t concurrency; /* 0 = the channel's */
	txw_str rate;
	int64_t from_seq;
	char *settings; /* malloc'd JSON */
};
/* Checks a document's body and reads it; texts borrow from body. [loop] */
int32_t sub_read(struct notify *n, txw_str tenant, const json_t *body, struct sub *out,
		 struct err *e);
/* Makes the rule a subscription's or route's events are found by. */
struct rule *sub_rule(struct target *t, const struct sub *sub, struct err *e);
void sub_apply(struct target *t, struct notify *n, const struct sub *sub); /* to the lane */
/* A bit for every type that a pattern names: "transaction.*", "*". */
bool types_match(txw_str pattern, uint64_t *types);

#endif
