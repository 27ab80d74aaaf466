/* explain.h: option rows printed for people, on a terminal or as Markdown. */
#ifndef TXWATCH_COMMAND_EXPLAIN_H
#define TXWATCH_COMMAND_EXPLAIN_H

#include "base/buf.h"
#include "plugin/plugin.h"

/* A section as it may stand in a file, an option a paragraph. */
void explain_text(struct buf *out, const struct conf_schema *schema);

/* A heading of `level` #s, and a table of the options. */
void explain_markdown(struct buf *out, const struct conf_schema *schema, int level);

/* The whole docs/configuration.md: the host's sections and every role of the
 * plugins that are loaded. */
void explain_reference(struct buf *out, const struct plugins *plugins);

/* The fields of filters, one a paragraph or as a table. */
void explain_filter(struct buf *out, bool is_markdown);
/* The page's file with what the route table says of each route put in anew, on
 * standard output. The exit status: 1 if a route is missing in it. */
int explain_api(const char *path);

/* "flow NAME { ... }" */
void explain_form(struct buf *out, const struct conf_schema *schema);

#endif
