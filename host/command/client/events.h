/* events.h: how events and deliveries are shown. */
#ifndef TXWATCH_CLIENT_EVENTS_H
#define TXWATCH_CLIENT_EVENTS_H

#include "command/client/print.h"

extern const struct column HISTORY_COLUMNS[]; /* of one transaction */
extern const struct column EVENT_COLUMNS[];
extern const struct column DELIVERY_COLUMNS[];

#endif
