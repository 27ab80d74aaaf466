/* help.h: what commands there are and how they are called, from their rows. */
#ifndef TXWATCH_COMMAND_HELP_H
#define TXWATCH_COMMAND_HELP_H

#include <stdio.h>

#include "base/buf.h"
#include "command/command.h"

/* "Usage: txwatch check [-c FILE]\n" */
void help_usage(struct buf *out, const struct command *c);
void help_one(FILE *out, const struct command *c);
/* The commands of a noun. */
void help_list(FILE *out, const char *noun);
void help_all(FILE *out);
/* The client's commands in mdoc(7), between the marks of its manual page. */
void manual_print(struct buf *out);

#endif
