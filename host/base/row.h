/* row.h: copies of the ABI's rows, and how the API shows them. */
#ifndef TXWATCH_BASE_ROW_H
#define TXWATCH_BASE_ROW_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/mem.h"
#include "txwatch/event.h"

/* Deep copies into the arena. */
txw_tx *row_copy_tx(struct arena *a, const txw_tx *tx);
txw_event *row_copy_event(struct arena *a, const txw_event *ev);

const char *outcome_name(uint32_t outcome); /* "open", "success" ... */
bool outcome_parse(txw_str name, uint32_t *out);
const char *event_type_name(uint32_t type); /* "transaction.created" ... */
bool event_type_parse(txw_str name, uint32_t *out);

/* A member that is a TypeID: "tx_01h4...". */
void json_m_id(struct buf *b, const char *key, const char *prefix, txw_id id);
/* The JSON objects of the API: members as the design's section 7 names. */
void json_tx(struct buf *b, const txw_tx *tx);
void json_event(struct buf *b, const txw_event *ev);

#endif
