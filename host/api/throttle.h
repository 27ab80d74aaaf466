/*
 * throttle.h: counts the wrong tokens of each peer.
 *
 * Bounded: a table of fixed size, in which a peer has one of a few places, by
 * a keyed hash of its address; when all are taken, the one whose minute began
 * first goes. Of an IPv6 address only the first 64 bits count, as the rest is
 * its owner's to choose. All on the loop.
 */
#ifndef TXWATCH_API_THROTTLE_H
#define TXWATCH_API_THROTTLE_H

#include <stdbool.h>

#include "txwatch/abi.h"

#define THROTTLE_MAX 10 /* of one peer in a minute; then 429 */

struct throttle;

struct throttle *throttle_open(void);
void throttle_close(struct throttle *t);
/* Seconds the peer has to wait; 0 = none. */
int64_t throttle_wait(const struct throttle *t, txw_str peer, txw_time now);
/* true: with this one its minute is used up, and only with this one. */
bool throttle_failed(struct throttle *t, txw_str peer, txw_time now);

#endif
