/*
 * evidence.h: tamper evidence: what of an event is hashed, and the chain that
 * the events' hashes make. docs/history.md has it byte for byte.
 */
#ifndef TXWATCH_ENGINE_EVIDENCE_H
#define TXWATCH_ENGINE_EVIDENCE_H

#include "base/buf.h"
#include "base/err.h"
#include "plugin/instance.h"

#define EVIDENCE_BYTES 32

struct evidence;
struct unit;

/* Appends the event's content, "txwatch.event/1". Pure. [any] */
void evidence_content(struct buf *out, const txw_event *ev);
/* The hash that an event of no other begins the chain with. */
extern const unsigned char EVIDENCE_START[EVIDENCE_BYTES];

/* Hashes of its own; used by one thread at a time. */
struct evidence *evidence_new(void);
void evidence_free(struct evidence *v);
void evidence_digest(struct evidence *v, const txw_event *ev, unsigned char out[EVIDENCE_BYTES]);
void evidence_link(struct evidence *v, const unsigned char prev[EVIDENCE_BYTES],
		   const unsigned char digest[EVIDENCE_BYTES], unsigned char out[EVIDENCE_BYTES]);

/* ---- the writer's chain ---- */

/* Opens a reader of the store's, to find the chain's end. [load] */
int32_t evidence_open(struct evidence *v, instance *store, struct err *e);
/* A unit begins where the last committed one ended. [writer] */
void evidence_begin(struct evidence *v);
void evidence_commit(struct evidence *v);
/* Sets digest and hash of the event, whose seq is given, in the unit's
 * arena. [writer] */
int32_t evidence_add(struct evidence *v, struct unit *u, txw_event *ev, struct err *e);

#endif
