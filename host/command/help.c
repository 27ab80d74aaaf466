/* help.c: `txwatch help`, `--help`. */
#include "command/help.h"

#include "base/str.h"
#include "command/args.h"

#define LEFT 22 /* columns of what is explained */

static void add_option_usage(struct buf *out, const struct command_option *o)
{
	buf_text(out, " [");
	if (o->letter)
		buf_printf(out, "-%c", o->letter);
	else
		buf_printf(out, "--%s", o->name);
	if (o->value && o->choices)
		buf_printf(out, " %s", o->choices);
	else if (o->value)
		buf_printf(out, " %s", o->value);
	buf_text(out, o->is_many ? " ...]" : "]");
}

void help_usage(struct buf *out, const struct command *c)
{
	const struct command_word *w = c->words;
	const struct command_option *o;

	buf_printf(out, "Usage: txwatch %s", c->name);
	for (; w && w->name; w++)
		buf_printf(out, w->is_optional ? " [%s%s]" : " %s%s",
			   w->choices ? w->choices : w->name, w->is_many ? " ..." : "");
	for (o = c->options; o && o->name; o++)
		add_option_usage(out, o);
	if (c->client)
		buf_text(out, " [OPTION ...]");
	buf_char(out, '\n');
}

static void print_row(FILE *out, const char *left, const char *help)
{
	if (strlen(left) > LEFT)
		fprintf(out, "  %s\n  %*s %s.\n", left, LEFT, "", help);
	else
		fprintf(out, "  %-*s %s.\n", LEFT, left, help);
}

static void print_option(FILE *out, const struct command_option *o)
{
	struct buf left = {0};

	if (o->letter)
		buf_printf(&left, "-%c, ", o->letter);
	buf_printf(&left, "--%s", o->name);
	if (o->value)
		buf_printf(&left, " %s", o->choices ? o->choices : o->value);
	buf_char(&left, '\0');
	print_row(out, left.ptr, o->help);
	buf_free(&left);
}

void help_one(FILE *out, const struct command *c)
{
	const struct command_word *w = c->words;
	const struct command_option *o;
	struct buf usage = {0};

	help_usage(&usage, c);
	fprintf(out, "%.*s%s.\n", STR_ARG(buf_view(&usage)), c->help);
	buf_free(&usage);
	if (w && w->name)
		fprintf(out, "\n");
	for (; w && w->name; w++)
		print_row(out, w->name, w->help);
	if (command_option(c, 0))
		fprintf(out, "\n");
	for (size_t i = 0; (o = command_option(c, i)) != NULL; i++)
		print_option(out, o);
	if (c->more)
		fprintf(out, "\n%s\n", c->more);
	if (c->is_default) {
		char noun[40];

		fprintf(out, "\n");
		snprintf(noun, sizeof(noun), "%.*s", (int)strcspn(c->name, " "), c->name);
		help_list(out, noun);
	}
}

static void print_name(FILE *out, const struct command *c)
{
	fprintf(out, "  %-16s %s\n", c->name, c->help);
}

void help_list(FILE *out, const char *noun)
{
	const struct command *c;

	for (size_t i = 0; (c = command_at(i)) != NULL; i++)
		if (command_is_of(c, noun))
			print_name(out, c);
}

void help_all(FILE *out)
{
	fprintf(out, "Usage: txwatch COMMAND [OPTION ...]\n"
		     "Watches transactions in other systems and tells people and programs.\n");
	for (const struct command_table *t = COMMAND_TABLES; t->title; t++) {
		fprintf(out, "\n%s:\n", t->title);
		for (const struct command *c = t->rows; c->name; c++)
			print_name(out, c);
	}
	fprintf(out, "\n`txwatch help COMMAND` says how one is called; txwatch(8) and "
		     "txwatch-client(1) say more.\n");
}

int command_help(const struct args *a)
{
	char *words[2] = {(char *)(uintptr_t)args_word(a, 0), (char *)(uintptr_t)args_word(a, 1)};
	const struct command *c;
	struct buf page = {0};
	int taken;

	if (args_has(a, "man")) {
		manual_print(&page);
		fwrite(page.ptr, 1, page.len, stdout);
		buf_free(&page);
		return EXIT_WELL;
	}
	if (a->n_words == 0) {
		help_all(stdout);
		return EXIT_WELL;
	}
	if (a->n_words == 2 || command_find(words[0])) {
		c = command_of(a->n_words > 2 ? 2 : (int)a->n_words, words, &taken);
		if (!c)
			return EXIT_USAGE;
		help_one(stdout, c);
		return EXIT_WELL;
	}
	words[1] = (char[]){"-h"};
	return command_main(2, words);
}
