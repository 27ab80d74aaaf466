/*
 * command.h: the txwatch program's commands: rows of tables.
 *
 * From the rows come parsing (args.h), `--help`, the shells' completions
 * (completion.c) and the client's manual page (manual.c). A row's name is one
 * word ("check") or a noun and a verb ("tx list").
 */
#ifndef TXWATCH_COMMAND_COMMAND_H
#define TXWATCH_COMMAND_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

struct args;
struct client;

/* What a value is: checked when it is parsed, and completed accordingly. */
enum value_kind {
	VALUE_TEXT,
	VALUE_FILE,
	VALUE_DIRECTORY,
	VALUE_NUMBER,   /* a whole number, not negative */
	VALUE_DURATION, /* "90s" */
	VALUE_TIME,     /* RFC 3339 */
	VALUE_SOON,     /* a time to come, or a duration from now */
};

struct command_option {
	const char *name;    /* without the dashes; NULL ends a list */
	char letter;         /* its short form, or 0 */
	const char *value;   /* what help calls its value; NULL = it takes none */
	const char *help;    /* one sentence, ends without a full stop */
	const char *choices; /* "a|b|c", or NULL: any */
	enum value_kind kind;
	bool is_many; /* may be given again */
};

struct command_word {
	const char *name; /* "TRANSACTION"; NULL ends a list */
	const char *help;
	const char *choices;
	enum value_kind kind;
	bool is_optional;
	bool is_many; /* the last of a list only */
};

struct command {
	const char *name;
	const char *help; /* one line, ends without a full stop */
	const struct command_word *words;
	const struct command_option *options;
	int (*call)(const struct args *a); /* exit status as below, */
	int (*client)(struct client *c);   /*   or, of those that ask a host */
	const char *more;                  /* a paragraph for the manual, or NULL */
	bool is_default;                   /* its verb may be left out */
};

/* Exit statuses: docs/cli.md and the manual pages tell them. */
enum exit_status {
	EXIT_WELL = 0,
	EXIT_FAILED = 1,      /* something else; stderr says what */
	EXIT_USAGE = 2,       /* called wrongly, or the host calls the request invalid */
	EXIT_NOT_FOUND = 3,   /* no such thing, or not this token's */
	EXIT_REFUSED = 4,     /* understood and not allowed now: the flow, a version, rows */
	EXIT_DENIED = 5,      /* no token, a wrong one, or one without the scope */
	EXIT_UNREACHABLE = 6, /* no connection, no answer in time, no trust in its certificate */
	EXIT_BUSY = 7,        /* full or failing for the moment, after the retries */
	EXIT_GONE = 8,        /* the log does not reach that seq */
};

/* The tables, NULL-ended lists of rows; the list of them ends in a NULL title. */
struct command_table {
	const char *title;
	const struct command *rows;
};
extern const struct command_table COMMAND_TABLES[];
extern const struct command SITE_COMMANDS[];
extern const struct command CLIENT_COMMANDS[];
extern const struct command_option CLIENT_OPTIONS[]; /* what all of the client's take */

/* The i-th row of all tables, or NULL. */
const struct command *command_at(size_t i);
/* Is the row one of a noun's verbs? */
bool command_is_of(const struct command *c, const char *noun);
/* The row of a name ("check", "tx list"), or NULL. */
const struct command *command_find(const char *name);
/* The row that argv[0..] calls, *taken = how many words name it; NULL: told on
 * stderr. */
const struct command *command_of(int argc, char **argv, int *taken);
/* Runs the program's arguments (without its own name): the exit status. */
int command_main(int argc, char **argv);
/* Walks a command's options: its own, then those of all of its table. */
const struct command_option *command_option(const struct command *c, size_t i);

/* The site's file when -c is not given; conf/CMakeLists.txt knows better. */
#ifdef TXW_CONF_FILE
#define COMMAND_CONF_FILE TXW_CONF_FILE
#else
#define COMMAND_CONF_FILE "/etc/txwatch/txwatch.conf"
#endif

int command_run(const struct args *a); /* the daemon: host/run.c */
int command_check(const struct args *a);
int command_plugins(const struct args *a);
int command_explain(const struct args *a);
int command_flow_list(const struct args *a);
int command_flow_graph(const struct args *a);
int command_flow_try(const struct args *a);
int command_token(const struct args *a);
int command_verify(const struct args *a);
int command_version(const struct args *a);
int command_help(const struct args *a);
int command_completion(const struct args *a);

#endif
