/*
 * txwatch/poller.h: the poller role: asks an upstream how transactions are.
 *
 * The host owns the when (intervals, back-off, jitter, concurrency, rate,
 * breaker) and the meaning (the `map` option, the flow); a poller only
 * fetches and reports what the upstream says, in the upstream's words.
 */
#ifndef TXWATCH_POLLER_H
#define TXWATCH_POLLER_H

#include "txwatch/abi.h"
#include "txwatch/event.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One transaction to ask about. */
typedef struct txw_poll_item {
	uint32_t size;
	uint32_t is_last; /* 1: the last look before it expires */
	uint64_t token;   /* names this item in complete() */
	const txw_tx *tx;
	txw_time deadline; /* answer before; then the host cancels it */
} txw_poll_item;

/* What the upstream said. Every txw_str may be "none" except status. */
typedef struct txw_observation {
	uint32_t size;
	uint32_t reserved;
	txw_str ref;    /* discovery only: which transaction */
	txw_str status; /* the upstream's word */
	txw_str reason;
	txw_str code;
	txw_str source_event_id;
	txw_str source_version; /* compared as numbers if both are, else text */
	txw_time source_at;
	txw_str detail; /* JSON; at most 64 KB is kept */
	/* discovery and creation: */
	txw_str owner;
	txw_str amount;
	txw_str currency;
	txw_str attributes; /* a JSON object */
	txw_time expires_at;
} txw_observation;

/* Poll results. */
#define TXW_POLL_SEEN      0u /* `observation` tells the status */
#define TXW_POLL_NOT_FOUND 1u /* the upstream knows no such transaction */
#define TXW_POLL_FAILED    2u /* no answer worth anything: see `text` */
#define TXW_POLL_THROTTLED 3u /* the upstream wants a pause of `after` */

typedef struct txw_poll_result {
	uint32_t size;
	uint32_t result;                    /* TXW_POLL_SEEN ... */
	const txw_observation *observation; /* SEEN */
	int64_t after;                      /* THROTTLED, FAILED: microseconds; 0 = unsaid */
	txw_str text;                       /* FAILED, THROTTLED: why, for people */
	int64_t took;                       /* microseconds the request took */
	uint32_t http_status;               /* 0 = none */
	uint32_t reserved;
} txw_poll_result;

/* One page of a discovery. */
typedef struct txw_discovery {
	uint32_t size;
	uint32_t result; /* TXW_POLL_SEEN, _FAILED or _THROTTLED */
	const txw_observation *observations;
	size_t stride;
	size_t n;
	txw_str cursor; /* where to go on; saved with the observations
	                          * in one commit */
	uint32_t more;  /* 1: ask again at once */
	uint32_t reserved;
	int64_t after;
	txw_str text;
} txw_discovery;

/*
 * How a poller answers: the table of extension "txw.poll/1".
 */
typedef struct txw_poll_ext {
	uint32_t size;
	uint32_t reserved;
	/* Answers one item. Legal from any thread, even before poll()
	 * returned. A token that is unknown, late or used is counted as
	 * misbehaviour and otherwise ignored (TXW_E_NOTFOUND). [any] */
	int32_t (*complete)(txw_instance *self, uint64_t token, const txw_poll_result *result);
	/* Answers discover(). [any] */
	int32_t (*discovered)(txw_instance *self, uint64_t token, const txw_discovery *page);
} txw_poll_ext;
#define TXW_EXT_POLL "txw.poll/1"

typedef struct txw_poller {
	uint32_t size;
	/* How many items poll() takes at once; 0 = 1. */
	uint32_t max_batch;

	/* Asks about n items, stride bytes apart. Answers each by
	 * txw_poll_ext.complete; the items stay valid until their completion.
	 * Returns TXW_OK or TXW_PENDING; an error fails every item not yet
	 * completed. [loop], or [worker] with TXW_BLOCKING */
	int32_t (*poll)(void *instance, const txw_poll_item *items, size_t stride, size_t n,
			txw_error *err);

	/* Looks for new transactions after `cursor` (empty at first); answers
	 * by txw_poll_ext.discovered. NULL: this poller does not discover.
	 * [loop] or [worker] */
	int32_t (*discover)(void *instance, uint64_t token, txw_str cursor, txw_error *err);

	/* The host no longer waits for `token` (its deadline passed or the
	 * host stops): release what it holds. Completing it is harmless.
	 * May be NULL. May run beside the other calls. [any] */
	void (*cancel)(void *instance, uint64_t token);

	/* How often discover() is due, in microseconds; 0 = this instance
	 * does not discover. Asked once after create. NULL = 0. [load] */
	int64_t (*discover_every)(void *instance);

	/* How many items one poll() call of this instance takes (batch URLs);
	 * asked once after create. NULL = max_batch. [load] */
	uint32_t (*batch)(void *instance);
} txw_poller;

#ifdef __cplusplus
}
#endif

#endif
