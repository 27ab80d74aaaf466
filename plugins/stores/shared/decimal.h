/* decimal.h: exact decimal numbers as text ("-1250.00"); no floats. */
#ifndef STORES_DECIMAL_H
#define STORES_DECIMAL_H

#include <stdbool.h>

#include "txwatch/abi.h"

/* [-]digits[.digits], at most 60 characters. */
bool decimal_valid(txw_str s);
/* By value: "1.0" equals "01". Both must be valid. <0, 0, >0 */
int decimal_cmp(txw_str a, txw_str b);

#endif
