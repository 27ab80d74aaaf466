/* name.h: names in place of ids. */
#ifndef TXWATCH_CLIENT_NAME_H
#define TXWATCH_CLIENT_NAME_H

#include "command/client/ask.h"

/* "tx_..." or "FLOW/REF" as the path that reads it; false: told. */
bool name_tx_path(struct client *c, const char *word, struct buf *path);
/* Its id, asked for when it is a name, in the client's arena. EXIT_WELL, or
 * told. */
int name_tx(struct client *c, const char *word, const char **id);
/* "sub_...", or the target of exactly one subscription. */
int name_sub(struct client *c, const char *word, const char **id);
/* "tok_...", or the name of exactly one token. */
int name_token(struct client *c, const char *word, const char **id);

#endif
