/* main.c: the txwatch program: finds the command and runs it. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "command/command.h"

#define MAX_COMMANDS 32

static int unknown(const char *name)
{
	const char *names[MAX_COMMANDS], *near;
	size_t n = 0;

	for (; n < MAX_COMMANDS && COMMANDS[n].name; n++)
		names[n] = COMMANDS[n].name;
	near = strlen(name) <= 32 ? str_nearest(name, names, n) : NULL;
	fprintf(stderr, "txwatch: no command `%s`%s%s%s\nTry `txwatch help`.\n", name,
		near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
	return 2;
}

int main(int argc, char **argv)
{
	static char *help[] = {"help", NULL};
	const char *name = argc > 1 ? argv[1] : NULL;
	const struct command *command;
	int status;

	if (!name) {
		fprintf(stderr, "Usage: txwatch COMMAND [OPTION ...]\nTry `txwatch help`.\n");
		return 2;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		status = command_help(1, help);
	else if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		status = command_version(1, help);
	else if ((command = command_find(name)) != NULL)
		status = command->run(argc - 1, argv + 1);
	else
		return unknown(name);
	/* A full disk behind stdout must not look like success. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("txwatch: cannot write");
		return status ? status : 1;
	}
	return status;
}
