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

int command_run(int argc, char **argv); /* the daemon: host/site.c */
int command_check(int argc, char **argv);
int command_plugins(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_token(int argc, char **argv);
int command_version(int argc, char **argv);

#endif
