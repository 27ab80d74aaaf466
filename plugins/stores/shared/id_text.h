/* id_text.h: a transaction's id as people write it. */
#ifndef STORES_ID_TEXT_H
#define STORES_ID_TEXT_H

#include <stdbool.h>

#include "txwatch/abi.h"

#define ID_TEXT_LEN 29

/* "tx_" and 26 characters of base 32, as the TypeID specification has them.
 * false: text is no such id. Pure. */
bool id_text_parse(txw_str text, txw_id *out);
/* The same the other way, without a zero at its end. Pure. */
void id_text_print(char out[ID_TEXT_LEN], txw_id id);

#endif
