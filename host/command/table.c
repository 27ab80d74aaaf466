/* table.c: the commands there are, and `txwatch help`. */
#include <stdio.h>
#include <string.h>

#include "command/command.h"

const struct command COMMANDS[] = {
    {"run", "[-c FILE] [--clock=real|virtual[:TIME]]", "Runs a site", command_run},
    {"check", "[-c FILE]", "Checks a site's file without running it", command_check},
    {"plugins", "[-c FILE] [--plugin-path DIR ...] [--json]",
     "Lists plugins: a site's, or all there are", command_plugins},
    {"explain", "[PLUGIN | --all] [-c FILE] [--plugin-path DIR ...] [--markdown]",
     "Explains the options of a plugin's sections, or of the host's own", command_explain},
    {"flow", "list | graph NAME | try NAME [STATUS | +DURATION] ... [-c FILE]",
     "Lists flows, draws one for Graphviz, or tries what statuses would do in one", command_flow},
    {"token", "[NAME] [--scope read|write|admin ...] [--tenant TENANT] [--expires TIME]",
     "Makes a token for the API and the section that admits it", command_token},
    {"verify", "[-c FILE] [--from SEQ] [--anchor SEQ:HASH]",
     "Proves a stopped site's log by its hashes, and names the first event that is broken",
     command_verify},
    {"version", "", "Prints the versions of txwatch, its plugin ABI and its libraries",
     command_version},
    {"help", "[COMMAND]", "Prints what commands there are, or how one is called", command_help},
    {NULL, NULL, NULL, NULL},
};

const struct command *command_find(const char *name)
{
	for (const struct command *c = COMMANDS; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

int command_misused(const char *name)
{
	const struct command *c = command_find(name);

	fprintf(stderr, "Usage: txwatch %s%s%s\n", c->name, *c->usage ? " " : "", c->usage);
	return 2;
}

int command_help(int argc, char **argv)
{
	const struct command *c;

	if (argc > 2)
		return command_misused("help");
	if (argc == 2) {
		c = command_find(argv[1]);
		if (!c) {
			fprintf(stderr, "txwatch help: no command `%s`\n", argv[1]);
			return 2;
		}
		printf("Usage: txwatch %s%s%s\n%s.\n", c->name, *c->usage ? " " : "", c->usage,
		       c->help);
		return 0;
	}
	printf("Usage: txwatch COMMAND [OPTION ...]\n"
	       "Watches transactions in other systems and tells people and programs.\n\n");
	for (c = COMMANDS; c->name; c++)
		printf("  %-9s %s\n", c->name, c->help);
	printf("\n`txwatch help COMMAND` says how one is called; txwatch(8) says more.\n");
	return 0;
}
