/*
 * tokens.h: tokens made by the API: documents of kind "token", id "tok_...".
 *
 * The body holds what is shown, and the token's sum. Each is in auth.h's table
 * too, from the commit that made it to the one that ended it. When a token was
 * last used is written a minute later at most, for all at once.
 */
#ifndef TXWATCH_API_TOKENS_H
#define TXWATCH_API_TOKENS_H

#include "api/inside.h"

#define TOKENS_MAX 1000 /* of a tenant, living ones */
/* How long an ended one is still listed. */
#define TOKEN_SHOWN_ENDED (30 * DAY)

struct token_uses;

/* Reads them into the API's auth. [load] */
int32_t tokens_load(struct api *api, struct err *e);
struct token_uses *token_uses_open(struct api *api);
/* A token of the API's making was used. [loop] */
void token_uses_note(struct token_uses *u);
/* Writes what is not written yet. [loop] */
void token_uses_flush(struct token_uses *u);
/* Writes of it that are under way outlive it. */
void token_uses_close(struct token_uses *u);

#endif
