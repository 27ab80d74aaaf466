/*
 * tokens.h: single-use numbers that name what is pending.
 *
 * A token is a slot and its generation, so a late or second completion is
 * recognised, counted and ignored. Locked; [any].
 */
#ifndef TXWATCH_PLUGIN_TOKENS_H
#define TXWATCH_PLUGIN_TOKENS_H

#include <stddef.h>
#include <stdint.h>

struct tokens;

struct tokens *tokens_open(void);
void tokens_close(struct tokens *t);
/* Never 0. */
uint64_t tokens_issue(struct tokens *t, void *thing);
/* The thing, once; NULL when unknown, late or used. */
void *tokens_take(struct tokens *t, uint64_t token);
size_t tokens_pending(struct tokens *t);

#endif
