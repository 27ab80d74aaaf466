/* media.h: the types of bodies. Pure. */
#ifndef TXWATCH_API_MEDIA_H
#define TXWATCH_API_MEDIA_H

#include <stdbool.h>

#include "base/buf.h"

/* Is a Content-Type of that type, in UTF-8 (no other charset)? */
bool media_is(txw_str header, const char *type);

#endif
