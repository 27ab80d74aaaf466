/* fields.c: what a filter may ask about; docs/filter.md is printed from it. */
#include "filter/filter.h"

#define HELP_ID           "its id; `:` looks inside it"
#define HELP_FLOW         "its flow"
#define HELP_REF          "its name in the upstream"
#define HELP_STATUS       "the state it is in"
#define HELP_OUTCOME      "open, success, failure, cancelled or expired"
#define HELP_OWNER        "whose it is"
#define HELP_AMOUNT       "its amount, compared by exact value"
#define HELP_CURRENCY     "the amount's currency"
#define HELP_REASON       "why it is in its status"
#define HELP_CODE         "the upstream's code for that"
#define HELP_VERSION      "how many events it has"
#define HELP_CREATED_AT   "when txwatch began to watch it"
#define HELP_UPDATED_AT   "when it last changed"
#define HELP_STATUS_SINCE "when it entered its status"
#define HELP_EXPIRES_AT   "its deadline; of one that expired, the deadline that passed"
#define HELP_FINISHED_AT  "when it reached a state with an outcome"
#define HELP_ATTRIBUTES \
	"a value in its attributes; deeper ones as attributes.a.b, odd names in quotes"
#define HELP_TYPE   "the event's type, as transaction.failed; transaction.* asks for all of them"
#define HELP_FROM   "the state before"
#define HELP_TO     "the state after"
#define HELP_SOURCE "who saw it: an instance's name, api, watch"
#define HELP_ACTOR  "the token or person behind it"
#define HELP_AT     "when the event happened"
#define HELP_SEQ    "its number in the log"

#define FIELD_ROW(sym, num, name, kind) \
	{name, HELP_##sym, num, kind, num >= TXW_FIELD_TYPE ? FILTER_EVENT : FILTER_TX},
const struct filter_field FILTER_FIELDS[] = {TXW_FILTER_FIELDS(FIELD_ROW)};
const size_t FILTER_FIELDS_N = sizeof(FILTER_FIELDS) / sizeof(FILTER_FIELDS[0]);
