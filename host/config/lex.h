/*
 * lex.h: the config file's words, one after the other.
 *
 * A strict part of what libconfuse 3.3 reads: whatever libconfuse would cut,
 * expand or pass over in silence is a flaw here. Comments are blanked in the
 * text while it is read, because libconfuse counts their lines twice.
 */
#ifndef TXWATCH_CONFIG_LEX_H
#define TXWATCH_CONFIG_LEX_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/mem.h"

enum token {
	TOKEN_END,
	TOKEN_WORD,   /* not in quotes */
	TOKEN_STRING, /* in quotes */
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_EQUALS,
	TOKEN_APPEND, /* += */
	TOKEN_COMMA,
	TOKEN_PAREN,   /* ( or ) */
	TOKEN_UNENDED, /* a quote or comment without its end: read no further */
};

struct lexer {
	struct arena *arena; /* borrowed: where the values go */
	char *text;          /* borrowed; comments in it are blanked */
	size_t len;
	size_t at;
	int line;

	/* the token that lex_next read */
	enum token token;
	size_t begin, end;
	int token_line;
	txw_str value;    /* WORD, STRING: what it says, escapes undone */
	const char *flaw; /* why it cannot be used, though it is whole; or NULL */
	struct buf chars; /* of the string being read; owned */
};

void lex_begin(struct lexer *l, struct arena *arena, char *text, size_t len);
void lex_next(struct lexer *l);
void lex_end(struct lexer *l);

#endif
