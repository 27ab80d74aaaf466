/* token_value.h: a new token's text. */
#ifndef TXWATCH_API_TOKEN_VALUE_H
#define TXWATCH_API_TOKEN_VALUE_H

#include <stddef.h>

#define TOKEN_VALUE_MAX 64

/* "txw_" and 256 random bits in base64url; its length. [any] */
size_t token_value_make(char out[TOKEN_VALUE_MAX]);

#endif
