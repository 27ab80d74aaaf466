/*
 * txwatch/filter.h: a filter as a tree, for stores that turn it into their
 * own query language. The host parses the text (AIP-160 style) and checks
 * names and types; a store may refuse a node with TXW_E_UNSUPPORTED.
 */
#ifndef TXWATCH_FILTER_H
#define TXWATCH_FILTER_H

#include "txwatch/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Node kinds. */
#define TXW_F_AND  1u /* every child holds */
#define TXW_F_OR   2u /* some child holds */
#define TXW_F_NOT  3u /* the one child does not hold */
#define TXW_F_TEST 4u /* field op value */

/* Comparisons. A comparison with a field that has no value is false, and
 * so is its != ; HAS "*" asks whether there is a value. EQ and NE with a text
 * that ends in '*' ask about the prefix before it (TEXT fields; of ATTRIBUTES
 * only where the value is a string). A JSON number among ATTRIBUTES is
 * compared by value when the text is a decimal; true and false are their
 * words; null is no value; an array or object only answers HAS "*". LT, LE,
 * GT, GE come with NUMBER and TIME fields, and with ATTRIBUTES and a decimal:
 * then a string that is a decimal is ordered by value, any other is false. */
#define TXW_F_EQ 1u
#define TXW_F_NE 2u
#define TXW_F_LT 3u
#define TXW_F_LE 4u
#define TXW_F_GT 5u
#define TXW_F_GE 6u
#define TXW_F_HAS \
	7u /* text: contains (ASCII case folded);
                                  * "*": has any value */

/* Fields. X(symbol, number, name, kind) with kind one of the below. */
#define TXW_F_TEXT   1u
#define TXW_F_NUMBER 2u /* exact decimal */
#define TXW_F_TIME   3u

#define TXW_FILTER_FIELDS(X)                                          \
	X(ID, 1, "id", TXW_F_TEXT)                                    \
	X(FLOW, 2, "flow", TXW_F_TEXT)                                \
	X(REF, 3, "ref", TXW_F_TEXT)                                  \
	X(STATUS, 4, "status", TXW_F_TEXT)                            \
	X(OUTCOME, 5, "outcome", TXW_F_TEXT)                          \
	X(OWNER, 6, "owner", TXW_F_TEXT)                              \
	X(AMOUNT, 7, "amount", TXW_F_NUMBER)                          \
	X(CURRENCY, 8, "currency", TXW_F_TEXT)                        \
	X(REASON, 9, "reason", TXW_F_TEXT)                            \
	X(CODE, 10, "code", TXW_F_TEXT)                               \
	X(VERSION, 11, "version", TXW_F_NUMBER)                       \
	X(CREATED_AT, 12, "created_at", TXW_F_TIME)                   \
	X(UPDATED_AT, 13, "updated_at", TXW_F_TIME)                   \
	X(STATUS_SINCE, 14, "status_since", TXW_F_TIME)               \
	X(EXPIRES_AT, 15, "expires_at", TXW_F_TIME)                   \
	X(FINISHED_AT, 16, "finished_at", TXW_F_TIME)                 \
	X(ATTRIBUTES, 17, "attributes", TXW_F_TEXT) /* with a path */ \
	/* of events only: */                                         \
	X(TYPE, 30, "type", TXW_F_TEXT)                               \
	X(FROM, 31, "from", TXW_F_TEXT)                               \
	X(TO, 32, "to", TXW_F_TEXT)                                   \
	X(SOURCE, 33, "source", TXW_F_TEXT)                           \
	X(ACTOR, 34, "actor", TXW_F_TEXT)                             \
	X(AT, 35, "at", TXW_F_TIME)                                   \
	X(SEQ, 36, "seq", TXW_F_NUMBER)

#define TXW_FIELD_NUMBER(sym, num, name, kind) TXW_FIELD_##sym = num,
enum { TXW_FILTER_FIELDS(TXW_FIELD_NUMBER) TXW_FIELD_MAX = 64 };
#undef TXW_FIELD_NUMBER

typedef struct txw_filter {
	uint32_t size;
	uint32_t kind;       /* TXW_F_AND ... */
	uint32_t op;         /* TEST: TXW_F_EQ ... */
	uint32_t field;      /* TEST: TXW_FIELD_ID ... */
	txw_str path;        /* TEST on ATTRIBUTES: member names joined by
	                          * a zero byte ("a\0b" = attributes.a.b) */
	txw_str text;        /* TEST: the value as written; an outcome by
	                          * its name; a number as exact decimal */
	txw_time time;       /* TEST on a TIME field: the value */
	uint32_t n_children; /* AND, OR, NOT */
	uint32_t relative;   /* the host's: 1 = time counts from the event's
	                          * own time. Stores get 0 */
	const struct txw_filter *const *children;
} txw_filter;

#ifdef __cplusplus
}
#endif

#endif
