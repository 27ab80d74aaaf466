/* args.h: a command's arguments, parsed and checked by its row. */
#ifndef TXWATCH_COMMAND_ARGS_H
#define TXWATCH_COMMAND_ARGS_H

#include "base/err.h"
#include "base/mem.h"
#include "command/command.h"

struct given {
	const struct command_option *option;
	const char *value; /* NULL: it takes none */
};

struct args {
	const struct command *command;
	struct arena arena;
	struct given *given;
	size_t n_given;
	const char **words;
	size_t n_words;
	bool wants_help; /* -h or --help: nothing else was checked */
};

/* argv holds what follows the command's name, and is borrowed. Options and
 * words may be mixed; `--` ends the options. A negative TXW_E_ code: e says
 * what is wrong. Call args_free in any case. */
int32_t args_parse(struct args *a, const struct command *c, int argc, char **argv, struct err *e);
void args_free(struct args *a);

/* The value of an option, or NULL. */
const char *args_get(const struct args *a, const char *name);
bool args_has(const struct args *a, const char *name);
/* Of a VALUE_NUMBER. */
int64_t args_number(const struct args *a, const char *name, int64_t fallback);
/* Of a VALUE_DURATION, in microseconds. */
int64_t args_duration(const struct args *a, const char *name, int64_t fallback);
/* The values of an option that may be given again: *at = 0 to begin with;
 * NULL: no more. */
const char *args_next(const struct args *a, const char *name, size_t *at);
/* The i-th word, or NULL. */
const char *args_word(const struct args *a, size_t i);

/* Is the word one of "a|b|c"? */
bool choices_have(const char *choices, const char *word);

#endif
