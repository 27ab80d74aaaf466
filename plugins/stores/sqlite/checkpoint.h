/*
 * checkpoint.h: moves what the WAL holds into the database's file.
 *
 * On a thread and a connection of its own, since in the writer it would make
 * every so-manieth commit wait a tenth of a second. Passive: it never makes
 * the writer wait, but while the writer is never idle it never sees the end
 * of the WAL either, which then only grows; so past CHECKPOINT_WAL_LIMIT it
 * closes a gate in front of the next unit for as long as the rest takes (a few
 * milliseconds) and starts the WAL again. A reader in the middle of a page
 * (at most the read timeout) puts that off. A writer that is CHECKPOINT_EVERY
 * beyond the limit waits for the thread to have had a turn, so that, readers
 * and a failing disk apart, the WAL is never longer than both and one unit.
 */
#ifndef SQLITE_CHECKPOINT_H
#define SQLITE_CHECKPOINT_H

#include "db.h"

#define CHECKPOINT_EVERY     (16 * 1024 * 1024) /* bytes of WAL */
#define CHECKPOINT_WAL_LIMIT (64 * 1024 * 1024)

struct checkpointer;
struct store;

/* Logs through the store. [load] */
struct checkpointer *checkpoint_start(struct store *s, txw_error *err);
void checkpoint_stop(struct checkpointer *c);

/* Around each unit; pages: in the WAL, as the commit hook told. [writer] */
void checkpoint_enter(struct checkpointer *c);
void checkpoint_leave(struct checkpointer *c, int64_t pages);

int64_t checkpoint_count(struct checkpointer *c); /* [any] */

#endif
