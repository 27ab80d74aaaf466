/*
 * text.h: what peers wrote, shown on a terminal: nothing in it can move the
 * cursor or change a colour, and it takes as many columns as is said.
 */
#ifndef TXWATCH_CLIENT_TEXT_H
#define TXWATCH_CLIENT_TEXT_H

#include "base/buf.h"

/* Adds the text with control characters, and those that reverse the order of
 * what follows, written as \n, \x1b or \u202e; what is not UTF-8 as U+FFFD. */
void text_safe(struct buf *out, txw_str s);
/* Columns of a safe text: 2 for wide characters, 0 for combining ones. */
size_t text_width(txw_str s);
/* Adds at most so many columns of a safe text; what is cut ends in an ellipsis.
 * Returns the columns added. */
size_t text_cut(struct buf *out, txw_str s, size_t columns);

#endif
