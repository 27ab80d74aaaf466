/*
 * parts.h: what the filter's lexer, parser and checker share. Nothing outside
 * this folder includes it.
 */
#ifndef TXWATCH_FILTER_PARTS_H
#define TXWATCH_FILTER_PARTS_H

#include "filter/filter.h"

#define SEGMENTS_MAX 16 /* attributes.a.b has three */

/* One parse, from its text to its tree. */
struct parser {
	txw_str text;
	size_t pos; /* the next byte */
	struct arena *arena;
	struct err *err;
	enum filter_scope scope;
	txw_time now;
	uint32_t n_nodes;
	uint32_t cost;
	uint32_t depth; /* open parentheses and NOTs */
};

/* A field as written: names between dots. */
struct dotted {
	size_t at; /* where it begins */
	size_t n;
	txw_str segments[SEGMENTS_MAX];
};

/* A field as understood. */
struct field {
	size_t at;
	uint32_t number; /* TXW_FIELD_ */
	uint32_t kind;   /* TXW_F_TEXT ... */
	const char *name;
	txw_str path; /* as in txw_filter; no pointer: attributes as a whole */
};

struct value {
	size_t at;
	txw_str text;
};

/* ---- lex.c ---- */
/* "column 7: ..." for the byte at `at`; returns TXW_E_INVALID. */
int32_t lex_fail(struct parser *p, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* What stands at `at`, for messages: a quoted word or "the end". */
const char *lex_found(struct parser *p, size_t at);
void lex_space(struct parser *p);
bool lex_at_end(const struct parser *p);
/* Takes the character, or the whole word, if it comes next. */
bool lex_char(struct parser *p, char c);
bool lex_keyword(struct parser *p, const char *word);
int32_t lex_field(struct parser *p, struct dotted *out);
/* Does a comparator come next, or what character does? */
bool lex_op_follows(struct parser *p);
bool lex_follows(struct parser *p, char c);
int32_t lex_op(struct parser *p, const struct dotted *field, uint32_t *op);
int32_t lex_value(struct parser *p, struct value *out);

/* ---- check.c ---- */
int32_t check_field(struct parser *p, const struct dotted *name, struct field *out);
/* Fills node's op, field, path, text and time. */
int32_t check_test(struct parser *p, const struct field *field, uint32_t op,
		   const struct value *value, txw_filter *node);

/* ---- match.c ---- */
/* text as compared by EQ, NE and HAS. */
bool match_text(uint32_t op, txw_str have, txw_str want);
/* The sign of a comparison as the answer of an operator. */
bool match_order(uint32_t op, int cmp);

/* ---- attribute.c: a transaction's attributes, parsed ---- */
struct attributes;
/* NULL when the text is no JSON object. */
struct attributes *attributes_parse(txw_str json);
void attributes_free(struct attributes *a);
/* The test on the value at f->path. */
bool attributes_match(const struct attributes *a, const txw_filter *f);

#endif
