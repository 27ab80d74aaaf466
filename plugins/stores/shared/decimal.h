/* decimal.h: exact decimal numbers as text ("-1250.00"); no floats. */
#ifndef STORES_DECIMAL_H
#define STORES_DECIMAL_H

#include <stdbool.h>

#include "txwatch/abi.h"

/* [-]digits[.digits], at most 60 characters. */
bool decimal_valid(txw_str s);
/* By value: "1.0" equals "01". Both must be valid. <0, 0, >0 */
int decimal_cmp(txw_str a, txw_str b);

/* Bytes that memcmp orders as decimal_cmp orders the numbers; both valid.
 * Returns how many. */
#define DECIMAL_KEY_MAX 64
size_t decimal_key(txw_str s, unsigned char out[DECIMAL_KEY_MAX]);

#endif
