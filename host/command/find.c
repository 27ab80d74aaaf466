/* find.c: from the program's arguments to a command's row, and to its end. */
#include <stdio.h>

#include "base/str.h"
#include "command/args.h"
#include "command/client/client.h"
#include "command/help.h"

#define NAMES_MAX 128

const struct command *command_at(size_t i)
{
	for (const struct command_table *t = COMMAND_TABLES; t->title; t++)
		for (const struct command *c = t->rows; c->name; c++)
			if (i-- == 0)
				return c;
	return NULL;
}

bool command_is_of(const struct command *c, const char *noun)
{
	size_t len = strlen(noun);

	return strncmp(c->name, noun, len) == 0 && c->name[len] == ' ';
}

const struct command *command_find(const char *name)
{
	const struct command *c;

	for (size_t i = 0; (c = command_at(i)) != NULL; i++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static const struct command *default_of(const char *noun)
{
	const struct command *c;

	for (size_t i = 0; (c = command_at(i)) != NULL; i++)
		if (c->is_default && command_is_of(c, noun))
			return c;
	return NULL;
}

static void not_found(const char *noun, const char *verb)
{
	const char *names[NAMES_MAX], *near = NULL;
	const struct command *c;
	char name[80];
	bool is_noun = false;
	size_t n = 0;

	for (; n < NAMES_MAX && (c = command_at(n)) != NULL; n++) {
		names[n] = c->name;
		is_noun |= command_is_of(c, noun);
	}
	snprintf(name, sizeof(name), "%s%s%s", noun, verb ? " " : "", verb ? verb : "");
	if (!is_noun && verb) /* the mistake is in the first word */
		name[strlen(noun) < sizeof(name) ? strlen(noun) : 0] = '\0';
	if (is_noun && !verb) {
		fprintf(stderr, "txwatch %s: which of these?\n", noun);
		help_list(stderr, noun);
		return;
	}
	near = strlen(name) <= 32 ? str_nearest(name, names, n) : NULL;
	fprintf(stderr, "txwatch: no command `%s`%s%s%s\nTry `txwatch help`.\n", name,
		near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
}

const struct command *command_of(int argc, char **argv, int *taken)
{
	const char *verb = argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
	const struct command *c = NULL;
	char name[80];

	if (verb && snprintf(name, sizeof(name), "%s %s", argv[0], verb) < (int)sizeof(name) &&
	    (c = command_find(name)) != NULL) {
		*taken = 2;
		return c;
	}
	*taken = 1;
	if (!strchr(argv[0], ' '))
		c = command_find(argv[0]);
	if (!c)
		c = default_of(argv[0]);
	if (!c)
		not_found(argv[0], verb);
	return c;
}

static int run_row(const struct command *c, int argc, char **argv)
{
	struct args a;
	struct err e = {0};
	int status = EXIT_WELL;

	if (args_parse(&a, c, argc, argv, &e) < 0) {
		fprintf(stderr, "txwatch %s: %s\nTry `txwatch help %s`.\n", c->name, e.text,
			c->name);
		status = EXIT_USAGE;
	} else if (a.wants_help) {
		help_one(stdout, c);
	} else {
		status = c->client ? client_main(&a) : c->call(&a);
	}
	args_free(&a);
	return status;
}

/* `txwatch tx --help`: what verbs there are. */
static bool asks_of_noun(int argc, char **argv)
{
	const struct command *c;

	if (argc != 2 || (strcmp(argv[1], "--help") != 0 && strcmp(argv[1], "-h") != 0) ||
	    default_of(argv[0]) || command_find(argv[0]))
		return false;
	for (size_t i = 0; (c = command_at(i)) != NULL; i++)
		if (command_is_of(c, argv[0]))
			return true;
	return false;
}

int command_main(int argc, char **argv)
{
	const struct command *c;
	int taken;

	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0) {
		help_all(stdout);
		return EXIT_WELL;
	}
	if (asks_of_noun(argc, argv)) {
		help_list(stdout, argv[0]);
		return EXIT_WELL;
	}
	if (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "-V") == 0)
		return run_row(command_find("version"), argc - 1, argv + 1);
	c = command_of(argc, argv, &taken);
	if (!c)
		return EXIT_USAGE;
	return run_row(c, argc - taken, argv + taken);
}
