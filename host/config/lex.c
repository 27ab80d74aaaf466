/*
 * lex.c: the config file's words, and every place where libconfuse 3.3 would
 * read something else than is written.
 *
 * Invariants:
 *   - blanking keeps every newline and every offset, so positions found here
 *     hold in the text that libconfuse gets;
 *   - a token without a flaw means to libconfuse what its value says. A quote
 *     never runs over a line's end (unless the line ends in \), so a missing
 *     one is found where it is missing, and libconfuse, whose lexer keeps its
 *     state after a failed parse, never meets one.
 */
#include "config/lex.h"

#include <string.h>

static const char FLAW_CHARACTER[] =
    "holds a character that must stand in quotes: put the value in quotes";
static const char FLAW_COMMENT[] =
    "holds `#`, `//` or `/*`, which would begin a comment: put the value in quotes";
static const char FLAW_SEMICOLON[] = "ends in `;`, which is no separator here: leave it out";
static const char FLAW_EXPAND[] =
    "holds `${...}`, which is not expanded here: write env:NAME in an option that takes a "
    "secret, or single quotes to mean it literally";
static const char FLAW_ESCAPE[] = "holds an unknown escape; in double quotes there are \\\\ \\\" "
				  "\\n \\r \\t and \\ at a line's end; single quotes take all "
				  "else as it is";
static const char FLAW_CONTROL[] = "holds a control character";

void lex_begin(struct lexer *l, struct arena *arena, char *text, size_t len)
{
	*l = (struct lexer){.arena = arena, .text = text, .len = len, .line = 1};
}

void lex_end(struct lexer *l)
{
	buf_free(&l->chars);
}

static int peek(const struct lexer *l, size_t ahead)
{
	size_t at = l->at + ahead;

	return at < l->len ? (unsigned char)l->text[at] : -1;
}

static bool is_word_char(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c > 0 && strchr("_-.:/@%", c));
}

static bool ends_word(int c)
{
	return c == -1 || strchr(" \t\n{}=,()\"'", c);
}

static bool begins_comment(const struct lexer *l)
{
	int c = peek(l, 0);

	return c == '#' || (c == '/' && (peek(l, 1) == '/' || peek(l, 1) == '*'));
}

static void blank_to_line_end(struct lexer *l)
{
	while (l->at < l->len && l->text[l->at] != '\n')
		l->text[l->at++] = ' ';
}

/* false: the comment has no end. */
static bool blank_block(struct lexer *l)
{
	bool is_ended = false;

	l->text[l->at++] = ' ';
	l->text[l->at++] = ' ';
	while (l->at < l->len && !is_ended) {
		is_ended = l->text[l->at] == '*' && peek(l, 1) == '/';
		if (is_ended)
			l->text[l->at++] = ' ';
		if (l->text[l->at] == '\n')
			l->line++;
		else
			l->text[l->at] = ' ';
		l->at++;
	}
	return is_ended;
}

/* To the next token. false: a comment has no end. */
static bool skip_space(struct lexer *l)
{
	for (;;) {
		int c = peek(l, 0);

		l->begin = l->at;
		l->token_line = l->line;
		if (c == ' ' || c == '\t') {
			l->at++;
		} else if (c == '\n') {
			l->at++;
			l->line++;
		} else if (begins_comment(l) && peek(l, 1) == '*' && c == '/') {
			if (!blank_block(l))
				return false;
		} else if (begins_comment(l)) {
			blank_to_line_end(l);
		} else {
			return true;
		}
	}
}

static void read_word(struct lexer *l)
{
	while (!ends_word(peek(l, 0))) {
		int c = peek(l, 0);

		if (c == '+' && peek(l, 1) == '=')
			break;
		if (begins_comment(l))
			l->flaw = FLAW_COMMENT;
		else if (c == ';' && ends_word(peek(l, 1)) && !l->flaw)
			l->flaw = FLAW_SEMICOLON;
		else if (c == '$' && peek(l, 1) == '{' && !l->flaw)
			l->flaw = FLAW_EXPAND;
		else if (!is_word_char(c) && !l->flaw)
			l->flaw = FLAW_CHARACTER;
		l->at++;
	}
	l->value = arena_str(l->arena, (txw_str){l->text + l->begin, l->at - l->begin});
}

/* After a backslash in a string that ends in `quote`. */
static void read_escape(struct lexer *l, char quote)
{
	static const char from[] = "\\\"nrt";
	static const char to[] = "\\\"\n\r\t";
	int c = peek(l, 0);

	if (c == -1)
		return;
	if (c == '\n') {
		l->line++;
	} else if (quote == '\'') {
		if (c != '\\' && c != '\'')
			buf_char(&l->chars, '\\');
		buf_char(&l->chars, (char)c);
	} else if (strchr(from, c)) {
		buf_char(&l->chars, to[strchr(from, c) - from]);
	} else {
		l->flaw = FLAW_ESCAPE;
	}
	l->at++;
}

static void read_string(struct lexer *l, char quote)
{
	l->chars.len = 0;
	l->token = TOKEN_UNENDED;
	l->at++;
	while (l->at < l->len && l->text[l->at] != '\n') {
		char c = l->text[l->at++];

		if (c == quote) {
			l->token = TOKEN_STRING;
			l->value = arena_str(l->arena, buf_view(&l->chars));
			return;
		}
		if (c == '\\') {
			read_escape(l, quote);
			continue;
		}
		if (quote == '"' && c == '$' && peek(l, 0) == '{')
			l->flaw = FLAW_EXPAND;
		else if (((unsigned char)c < 0x20 && c != '\t') || c == 0x7f)
			l->flaw = FLAW_CONTROL;
		buf_char(&l->chars, c);
	}
}

static enum token punctuation(const struct lexer *l)
{
	switch (peek(l, 0)) {
	case '{':
		return TOKEN_OPEN;
	case '}':
		return TOKEN_CLOSE;
	case '=':
		return TOKEN_EQUALS;
	case ',':
		return TOKEN_COMMA;
	case '(':
	case ')':
		return TOKEN_PAREN;
	case '+':
		return peek(l, 1) == '=' ? TOKEN_APPEND : TOKEN_WORD;
	default:
		return TOKEN_WORD;
	}
}

void lex_next(struct lexer *l)
{
	int c;

	l->flaw = NULL;
	l->value = (txw_str){NULL, 0};
	if (!skip_space(l)) {
		l->token = TOKEN_UNENDED;
	} else if ((c = peek(l, 0)) == -1) {
		l->token = TOKEN_END;
	} else if (c == '"' || c == '\'') {
		read_string(l, (char)c);
	} else if ((l->token = punctuation(l)) == TOKEN_WORD) {
		read_word(l);
	} else {
		l->at += l->token == TOKEN_APPEND ? 2 : 1;
	}
	l->end = l->at;
}
