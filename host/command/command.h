/*
 * command.h: the txwatch program's commands: rows of one table.
 */
#ifndef TXWATCH_COMMAND_COMMAND_H
#define TXWATCH_COMMAND_COMMAND_H

struct command {
	const char *name;
	const char *usage;                 /* the words after the name */
	const char *help;                  /* one line */
	int (*run)(int argc, char **argv); /* argv[0] = the name; exit status:
	                                    * 0 well, 1 failed, 2 usage */
};

extern const struct command COMMANDS[]; /* ends in a NULL name */

/* The site's file when -c is not given; conf/CMakeLists.txt knows better. */
#ifdef TXW_CONF_FILE
#define COMMAND_CONF_FILE TXW_CONF_FILE
#else
#define COMMAND_CONF_FILE "/etc/txwatch/txwatch.conf"
#endif

/* The row of a name, or NULL. */
const struct command *command_find(const char *name);
/* What a command says when it is called wrongly; returns 2. */
int command_misused(const char *name);

int command_run(int argc, char **argv); /* the daemon: host/site.c */
int command_check(int argc, char **argv);
int command_plugins(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_flow(int argc, char **argv);
int command_token(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_version(int argc, char **argv);
int command_help(int argc, char **argv);

#endif
