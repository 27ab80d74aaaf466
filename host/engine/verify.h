/*
 * verify.h: proves a log by its evidence, and rows by the log.
 */
#ifndef TXWATCH_ENGINE_VERIFY_H
#define TXWATCH_ENGINE_VERIFY_H

#include <stdbool.h>

#include "engine/evidence.h"

enum verify_kind {
	VERIFY_CONTENT, /* the digest is not that of the content */
	VERIFY_LINK,    /* the hash does not follow from the event before */
	VERIFY_MISSING, /* neither the event nor its digest is there */
	VERIFY_BARE,    /* it carries no evidence, though one before it does */
	VERIFY_ANCHOR,  /* it has another hash than the one noted */
	VERIFY_ROW,     /* a transaction's row is not as its newest event says */
};
const char *verify_kind_name(enum verify_kind k);

struct verify_finding {
	enum verify_kind kind;
	int64_t seq;      /* the event; ROW: the row's newest */
	int64_t last;     /* MISSING, BARE: to this one */
	const txw_tx *tx; /* ROW */
	const char *what; /* in words */
};

struct verify {
	/* in: */
	instance *store; /* open */
	int64_t from;    /* from this event on; 0 = from where evidence begins */
	int64_t anchor;  /* an event whose hash was noted elsewhere; 0 = none */
	unsigned char anchor_hash[EVIDENCE_BYTES];
	void (*found)(void *ctx, const struct verify_finding *f);
	void *ctx;
	/* out: */
	int64_t first; /* where the chain begins; 0: there is none */
	int64_t last;  /* the newest event's seq */
	int64_t events;
	int64_t purged; /* known by their digests */
	int64_t before; /* events before the chain began */
	int64_t rows;
	int64_t findings;
	unsigned char head[EVIDENCE_BYTES]; /* the last event's hash */
};

/* 0: read to the end, findings or not. [load] */
int32_t verify_run(struct verify *v, struct err *e);

#endif
