/*
 * txwatch/notifier.h: the notifier role: brings events to a target.
 *
 * The host owns the schedule, order, limits, breaker and records; a notifier
 * makes one attempt and reports what came of it.
 */
#ifndef TXWATCH_NOTIFIER_H
#define TXWATCH_NOTIFIER_H

#include "txwatch/abi.h"
#include "txwatch/event.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One event on its way to one target. */
typedef struct txw_delivery {
	uint32_t size;
	uint32_t attempt;       /* 1, 2, 3 ... */
	uint64_t token;         /* names this item in complete() */
	txw_id id;              /* dlv_... : this delivery */
	const txw_event *event; /* its id is stable over attempts and replays */
	txw_str address;        /* where to: a URL, a mailbox, a file ... */
	txw_str settings;       /* a JSON object: the target's own settings
	                          * (secrets, headers, format); may be empty */
	txw_str target;         /* the target's name: "sub_..." or "hooks:..." */
	txw_time deadline;      /* the attempt's end on the host's clock */
} txw_delivery;

/* What came of one attempt. */
typedef struct txw_verdict {
	uint32_t size;
	uint32_t verdict; /* TXW_VERDICT_OK ... */
	int64_t after;    /* RETRY, THROTTLE: microseconds; 0 = unsaid */
	txw_str reason;   /* one line for people; needed unless OK */
	uint32_t status;  /* the protocol's status code; 0 = none */
	uint32_t reserved;
	txw_str peer;         /* address:port that answered */
	txw_str response;     /* the start of the answer; at most 4 KB kept */
	int64_t took;         /* microseconds, whole attempt */
	int64_t connect_took; /* phases, microseconds; 0 = none */
	int64_t tls_took;
	int64_t first_byte_took;
} txw_verdict;

/* How a notifier answers: the table of extension "txw.notify/1". */
typedef struct txw_notify_ext {
	uint32_t size;
	uint32_t reserved;
	/* Answers one item. Legal from any thread, even before send()
	 * returned. A token that is unknown, late or used is counted as
	 * misbehaviour and otherwise ignored (TXW_E_NOTFOUND). [any] */
	int32_t (*complete)(txw_instance *self, uint64_t token, const txw_verdict *verdict);
} txw_notify_ext;
#define TXW_EXT_NOTIFY "txw.notify/1"

typedef struct txw_notifier {
	uint32_t size;
	uint32_t max_batch; /* items send() takes at once; 0 = 1 */

	/* Makes one attempt at each of n items, stride bytes apart; answers
	 * each by txw_notify_ext.complete. The items stay valid until their
	 * completion. An error fails every item not yet completed with RETRY.
	 * [loop], or [worker] with TXW_BLOCKING */
	int32_t (*send)(void *instance, const txw_delivery *items, size_t stride, size_t n,
			txw_error *err);

	/* The host no longer waits for `token`. May be NULL. [any] */
	void (*cancel)(void *instance, uint64_t token);

	/* Checks an address (and settings, a JSON object) before a target is
	 * made from it; TXW_OK or TXW_E_INVALID / TXW_E_DENIED with the
	 * reason. NULL accepts every address. [loop] */
	int32_t (*check)(void *instance, txw_str address, txw_str settings, txw_error *err);
} txw_notifier;

#ifdef __cplusplus
}
#endif

#endif
