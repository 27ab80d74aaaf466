/*
 * site_kit.h: a small site for tests: flows from config text, the real
 * store, engine and notify on a virtual clock, and notifiers played by the
 * test. The test's thread is the loop's.
 */
#ifndef SITE_KIT_H
#define SITE_KIT_H

#include "unit.h"

#include "base/id.h"
#include "base/row.h"
#include "base/str.h"
#include "engine/flows.h"
#include "engine/op.h"
#include "measure/metrics.h"
#include "notify/notify.h"
#include "notify/private.h"
#include "plugin/instance.h"

#define KIT_START (INT64_C(1790000000) * SECOND)

/* What a played notifier does with an attempt. */
enum play { PLAY_OK, PLAY_RETRY, PLAY_DROP, PLAY_GONE, PLAY_THROTTLE, PLAY_HOLD, PLAY_ERROR };

/* An attempt as the notifier saw it. */
struct sent {
	txw_time at;
	txw_id id; /* dlv_ */
	uint64_t token;
	uint32_t attempt;
	uint32_t type;
	int64_t seq;
	int64_t version; /* of the transaction; 0 = none */
	char ref[32];
	char address[64];
	char target[64];
};

struct kit {
	char path[256];
	char conf_path[272];
	struct clock clock;
	bool keeps_evidence;
	int64_t patience; /* with what never answers; real microseconds */
	struct loop *loop;
	struct metrics *metrics;
	struct plugins *plugins;
	struct conf_report report;
	struct conf *conf;
	struct flows flows;
	struct services services;
	struct role store_role; /* with a commit that can fail */
	instance *store;
	instance *notifiers[4];
	size_t n_notifiers;
	struct engine *engine;
	struct readers *readers;
	struct notify *notify;
	struct batch *batches[64]; /* done ones, whose results are looked at */
	size_t n_batches;

	/* The played notifiers: what each address does, by its first letter. */
	enum play play[128];
	int64_t after;      /* of RETRY and THROTTLE */
	const char *reason; /* NULL = "played" */
	struct sent *sent;  /* all attempts, in order */
	size_t n_sent, cap_sent;
	size_t n_cancelled;
	size_t in_hand, most_in_hand; /* of HOLD */

	/* Tail: what was committed. */
	struct {
		int64_t seq;
		uint32_t type;
		int64_t version;
	} * seen;
	size_t n_seen, cap_seen;
};

/* text: config of flows, notifiers (keyword notifier.fake) and routes. */
void kit_open(struct kit *k, const char *text);
/* Closes all and opens it on the same files, at the same time. */
void kit_reopen(struct kit *k, const char *text);
void kit_close(struct kit *k);
/* The store's commit fails from now on with rc (0: no more), for all kits. */
void kit_fail_commits(int32_t rc);

/* One turn of the loop that waits for something. */
void kit_turn(struct kit *k);
void kit_rest(struct kit *k); /* nothing is under way any more */
void kit_advance(struct kit *k, int64_t by);

/* Operations; the batch is freed by kit_close. Texts must outlive the call. */
struct batch *kit_submit(struct kit *k, const struct op *ops, size_t n, bool atomic);
struct batch *kit_batch(struct kit *k, const struct op *ops, size_t n, bool atomic);
/* One; the result with the row and why. */
const struct op *kit_op(struct kit *k, struct op op);
struct op op_create(const char *flow, const char *ref, const char *status);
struct op op_status(const char *flow, const char *ref, const char *status);

/* A subscription; returns its id, which lives until kit_close. */
const char *kit_subscribe(struct kit *k, const char *json);

/* Deliveries in the store in that state (TXW_ANY_STATE: all). */
size_t kit_deliveries(struct kit *k, uint32_t state);
/* Events of that type in the log. */
size_t kit_events(struct kit *k, uint32_t type);
int32_t kit_complete(struct kit *k, uint64_t token, enum play play);

extern const char KIT_FLOWS[];

#endif
