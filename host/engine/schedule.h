/*
 * schedule.h: when a transaction is looked at next.
 *
 * The n-th poll without news comes every * multiplier^n after the one before,
 * at most slow_to, moved by the jitter; a change begins anew. Pure.
 */
#ifndef TXWATCH_ENGINE_SCHEDULE_H
#define TXWATCH_ENGINE_SCHEDULE_H

#include "engine/flows.h"

/* The interval after tx->polls polls of its present state, without jitter;
 * 0 = its state is not polled. */
int64_t schedule_interval(const struct flow_entry *entry, const txw_tx *tx);

/* Sets next_poll_at (0 when it is not polled, paused or finished) for a row
 * that was just created (is_new), just seen, or just claimed for a poll; then
 * due_at. */
void schedule_next(const struct flow_entry *entry, txw_tx *tx, txw_time now, int is_new);

/* The same for a row that was seen in another state: after the state's
 * first_after where there is one, else after an interval, because whoever saw
 * it has just looked. */
void schedule_enter(const struct flow_entry *entry, txw_tx *tx, txw_time now);

/* due_at = the earliest of next_poll_at, the warning and expires_at; 0 when
 * paused or finished. */
void schedule_due(const struct flow_entry *entry, txw_tx *tx);
/* When its deadline is to be warned of; 0 = not, or it was told of. */
txw_time schedule_warning(const struct flow_entry *entry, const txw_tx *tx);

#endif
