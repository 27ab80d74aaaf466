/* change.h: one operation being carried out, and what is said of refusals.
 * Private to engine/. */
#ifndef TXWATCH_ENGINE_CHANGE_H
#define TXWATCH_ENGINE_CHANGE_H

#include "engine/op.h"

struct flow_entry;

struct change {
	struct unit *unit;
	struct batch *batch; /* results' texts go to its arena */
	struct op *op;
	const struct flow_entry *entry; /* the transaction's flow */
	txw_tx *row;                    /* the unit's own copy, being changed */
	/* As the row was saved last, for the counts; no status: not yet. */
	txw_str counted_status;
	uint32_t counted_outcome;
};

/* Texts for `why`, in the batch's arena. */
const char *change_unknown_text(struct change *c);
const char *change_illegal_text(struct change *c);
const char *change_late_text(struct change *c);
/* What the event of a move after its deadline gives as its reason: "late: "
 * and the reason it was seen with. */
const char *change_late_reason(struct change *c);
const char *change_no_flow_text(struct change *c, txw_str flow);

#endif
