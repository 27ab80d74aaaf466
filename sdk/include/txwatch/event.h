/*
 * txwatch/event.h: a transaction's row and an event of the log.
 *
 * An event carries the whole row as it stood after the event, so whoever has
 * the log can rebuild every row as of any moment.
 */
#ifndef TXWATCH_EVENT_H
#define TXWATCH_EVENT_H

#include "txwatch/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Outcomes of a state. */
#define TXW_OPEN          0u /* still moving: no outcome */
#define TXW_SUCCESS       1u
#define TXW_FAILURE       2u
#define TXW_OUT_CANCELLED 3u
#define TXW_EXPIRED       4u

/*
 * Event types: X(symbol, stored number, name, what it says). Numbers are
 * stored and never reused.
 */
#define TXW_EVENT_TYPES(X)                                                                        \
	X(CREATED, 1, "transaction.created", "txwatch began to watch it")                         \
	X(UPDATED, 2, "transaction.updated", "data other than the status changed")                \
	X(STATUS_CHANGED, 3, "transaction.status_changed",                                        \
	  "it moved from one open state to another")                                              \
	X(SUCCEEDED, 4, "transaction.succeeded", "it reached a state whose outcome is success")   \
	X(FAILED, 5, "transaction.failed", "it reached a state whose outcome is failure")         \
	X(CANCELLED, 6, "transaction.cancelled", "it reached a state whose outcome is cancelled") \
	X(EXPIRED, 7, "transaction.expired", "its deadline passed")                               \
	X(REOPENED, 8, "transaction.reopened", "it left an end state for an open one")            \
	X(EXPIRING, 9, "transaction.expiring", "its deadline is near")                            \
	X(ANOMALY, 10, "transaction.anomaly",                                                     \
	  "an unknown status, or a move the flow forbids, was seen")                              \
	X(ALERT_FIRING, 20, "alert.firing", "an alert rule began to hold")                        \
	X(ALERT_RESOLVED, 21, "alert.resolved", "an alert rule no longer holds")                  \
	X(SUBSCRIPTION_DISABLED, 30, "subscription.disabled", "a subscription was disabled")      \
	X(DELIVERY_DEAD, 31, "delivery.dead", "a delivery used up its attempts")                  \
	X(POLLER_DOWN, 40, "poller.down", "a poller's upstream is failing")                       \
	X(POLLER_RECOVERED, 41, "poller.recovered", "a poller's upstream answers again")          \
	X(TEST, 50, "txwatch.test", "somebody asked for a test delivery")

#define TXW_EVENT_NUMBER(sym, num, name, help) TXW_EV_##sym = num,
/* Constants only: structs hold the number in a uint32_t. */
enum { TXW_EVENT_TYPES(TXW_EVENT_NUMBER) TXW_EV_MAX = 64 };
#undef TXW_EVENT_NUMBER

/*
 * A transaction as it is now. Every txw_str with len 0 is "none".
 * Money is an exact decimal string ("1250.00"), never a float.
 */
typedef struct txw_tx {
	uint32_t size;
	uint32_t outcome; /* TXW_OPEN ... */
	int64_t key;      /* the store's row key; 0 = not stored yet */
	txw_id id;        /* tx_... */
	txw_str tenant;
	txw_str flow;
	txw_str ref;    /* its name in the upstream */
	txw_str status; /* a state of the flow */
	txw_str owner;
	txw_str amount;
	txw_str currency;
	txw_str attributes;     /* a JSON object */
	txw_str reason;         /* why it is in this status */
	txw_str code;           /* the upstream's code for that */
	txw_str source_version; /* the upstream's version of this status */
	txw_str anomaly;        /* the refused or unknown word already told of */
	txw_time source_at;     /* when the upstream says it happened */
	int64_t version;        /* 1, 2, 3 ... gapless */
	int64_t last_seq;       /* its newest event: the head of its history */
	txw_time created_at;
	txw_time updated_at;
	txw_time status_since;
	txw_time expires_at;   /* 0 = never */
	txw_time finished_at;  /* 0 = open */
	txw_time next_poll_at; /* 0 = not polled */
	txw_time due_at;       /* when watch looks at it next; 0 = never */
	int64_t polls;         /* since status_since */
	int64_t poll_failures; /* consecutive */
	uint32_t paused;       /* 1: somebody stopped the watching */
	uint32_t held;         /* 1: legal hold: never purged */
	txw_time deadline;     /* asked for by the creator, absolute; 0 = none.
	                    * expires_at is the earliest of it and the flow's */
	txw_time warned;       /* the expires_at that an .expiring event told of;
	                    * 0 = none */
} txw_tx;

/* A committed fact. Immutable. */
typedef struct txw_event {
	uint32_t size;
	uint32_t type; /* TXW_EV_ */
	int64_t seq;   /* its place in the log; 0 before append */
	int64_t prev;  /* seq of this transaction's event before; 0 */
	txw_id id;     /* evt_... */
	txw_time at;   /* when txwatch decided it */
	txw_str tenant;
	txw_str from; /* states; equal when the status stayed */
	txw_str to;
	txw_str source;          /* the instance or "api" it was heard from */
	txw_str actor;           /* the token or person behind it */
	txw_str source_event_id; /* the upstream's id of the message */
	txw_time source_at;
	txw_str reason;
	txw_str code;
	txw_str detail;   /* JSON: evidence as received */
	const txw_tx *tx; /* the row after it; NULL for non-transaction
	                          * events (alerts, tests) */
	txw_str json;     /* the event as the API shows it, made once by
	                          * the host; empty in the store role */
	/* Tamper evidence, 32 bytes each, empty where the site keeps none:
	 * of the content, and of the event before's hash with the digest. */
	txw_str digest;
	txw_str hash;
	txw_str trace; /* W3C traceparent of the request behind it */
} txw_event;

#ifdef __cplusplus
}
#endif

#endif
