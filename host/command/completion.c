/*
 * completion.c: `txwatch completion SHELL`: what makes a shell complete the
 * commands, printed from their rows.
 */
#include <stdio.h>

#include "base/str.h"
#include "command/args.h"
#include "command/help.h"

/* "a b" of "a|b". */
static void add_choices(struct buf *out, const char *choices)
{
	for (; *choices; choices++)
		buf_char(out, *choices == '|' ? ' ' : *choices);
}

/* For double quotes of bash and zsh, single ones of fish: our texts have none
 * of ' " $ ` \ but in this. */
static void add_quoted(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("'\"$`\\", *text))
			buf_char(out, ' ');
		else
			buf_char(out, *text);
	}
}

/* The words that may come first, or after a noun. */
static void add_first_words(struct buf *out, const char *noun)
{
	const struct command *c;
	struct buf seen = {0};

	buf_char(&seen, ' ');
	for (size_t i = 0; (c = command_at(i)) != NULL; i++) {
		size_t skip = noun ? strlen(noun) + 1 : 0;
		size_t len = noun ? strlen(c->name) - (command_is_of(c, noun) ? skip : 0)
				  : strcspn(c->name, " ");
		char word[40];

		if (noun && !command_is_of(c, noun))
			continue;
		snprintf(word, sizeof(word), " %.*s ", (int)len, c->name + skip);
		buf_char(&seen, '\0');
		if (!strstr(seen.ptr, word)) {
			buf_printf(out, "%s%.*s",
				   out->len && out->ptr[out->len - 1] != '"' ? " " : "", (int)len,
				   c->name + skip);
			seen.len--;
			buf_text(&seen, word + 1);
			continue;
		}
		seen.len--;
	}
	buf_free(&seen);
}

/* ---- bash ---- */

static const char BASH_HEAD[] =
    "# bash completion for txwatch, printed by `txwatch completion bash`.\n"
    "_txwatch() {\n"
    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
    "\tlocal command=${COMP_WORDS[1]} words='' choices=''\n"
    "\tCOMPREPLY=()\n"
    "\tif [[ $COMP_CWORD == 1 ]]; then\n"
    "\t\tCOMPREPLY=($(compgen -W \"$_txwatch_first\" -- \"$cur\"))\n"
    "\t\treturn\n"
    "\tfi\n"
    "\tcase \" $_txwatch_nouns \" in\n"
    "\t*\" $command \"*)\n"
    "\t\tif [[ $COMP_CWORD == 2 && $cur != -* ]]; then\n"
    "\t\t\tcase $command in\n";

static void bash_option(struct buf *out, const struct command *c, const struct command_option *o)
{
	if (!o->value)
		return;
	buf_printf(out, "\t'%s:--%s'", c->name, o->name);
	if (o->letter)
		buf_printf(out, "|'%s:-%c'", c->name, o->letter);
	if (o->choices) {
		buf_text(out, ") choices='");
		add_choices(out, o->choices);
		buf_text(out, "' ;;\n");
	} else if (o->kind == VALUE_FILE) {
		buf_text(out, ") COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n");
	} else if (o->kind == VALUE_DIRECTORY) {
		buf_text(out, ") COMPREPLY=($(compgen -d -- \"$cur\")); return ;;\n");
	} else {
		buf_text(out, ") return ;;\n");
	}
}

static void bash_command(struct buf *out, const struct command *c)
{
	const struct command_option *o;
	const struct command_word *w = c->words;

	buf_printf(out, "\t'%s') words='", c->name);
	for (size_t i = 0; (o = command_option(c, i)) != NULL; i++)
		buf_printf(out, "--%s ", o->name);
	buf_text(out, "--help'");
	for (; w && w->name; w++) {
		if (w->choices) {
			buf_text(out, "; choices='");
			add_choices(out, w->choices);
			buf_char(out, '\'');
		}
		if (w->kind == VALUE_FILE)
			buf_text(out, "; COMPREPLY=($(compgen -f -- \"$cur\"))");
	}
	buf_text(out, " ;;\n");
}

/* Each noun once, with what is to be said of it. */
static void each_noun(struct buf *out, void (*say)(struct buf *out, const char *noun))
{
	const struct command *c, *earlier;

	for (size_t i = 0; (c = command_at(i)) != NULL; i++) {
		size_t len = strcspn(c->name, " "), k = 0;
		char noun[40];

		if (!c->name[len])
			continue;
		snprintf(noun, sizeof(noun), "%.*s", (int)len, c->name);
		while (k < i && (earlier = command_at(k)) != NULL && !command_is_of(earlier, noun))
			k++;
		if (k == i)
			say(out, noun);
	}
}

static void say_noun(struct buf *out, const char *noun)
{
	buf_printf(out, "%s ", noun);
}

static void bash_noun(struct buf *out, const char *noun)
{
	buf_printf(out, "\t\t\t%s) words=\"", noun);
	add_first_words(out, noun);
	buf_text(out, "\" ;;\n");
}

static void print_bash(struct buf *out)
{
	const struct command *c;
	const struct command_option *o;

	buf_text(out, "_txwatch_first=\"");
	add_first_words(out, NULL);
	buf_text(out, "\"\n_txwatch_nouns=\"");
	each_noun(out, say_noun);
	buf_text(out, "\"\n");
	buf_text(out, BASH_HEAD);
	each_noun(out, bash_noun);
	buf_text(out, "\t\t\tesac\n"
		      "\t\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
		      "\t\t\treturn\n"
		      "\t\tfi\n"
		      "\t\tcommand+=\" ${COMP_WORDS[2]}\" ;;\n"
		      "\tesac\n"
		      "\tcase \"$command:$prev\" in\n");
	for (size_t i = 0; (c = command_at(i)) != NULL; i++)
		for (size_t k = 0; (o = command_option(c, k)) != NULL; k++)
			bash_option(out, c, o);
	buf_text(out, "\tesac\n"
		      "\tif [[ -n $choices ]]; then\n"
		      "\t\tCOMPREPLY=($(compgen -W \"$choices\" -- \"$cur\"))\n"
		      "\t\treturn\n"
		      "\tfi\n"
		      "\tcase $command in\n");
	for (size_t i = 0; (c = command_at(i)) != NULL; i++)
		bash_command(out, c);
	buf_text(out, "\tesac\n"
		      "\t[[ $cur == -* ]] || words=$choices\n"
		      "\tCOMPREPLY+=($(compgen -W \"$words\" -- \"$cur\"))\n"
		      "}\n"
		      "complete -F _txwatch txwatch\n");
}

/* ---- zsh ---- */

/* A description in an _arguments specification: no brackets, no colons. */
static void zsh_text(struct buf *out, const char *text)
{
	struct buf plain = {0};

	add_quoted(&plain, text);
	for (size_t i = 0; i < plain.len; i++)
		if (strchr("[]:", plain.ptr[i]))
			plain.ptr[i] = ' ';
	buf_str(out, buf_view(&plain));
	buf_free(&plain);
}

static void zsh_value(struct buf *out, const char *name, const char *choices, enum value_kind kind)
{
	buf_char(out, ':');
	zsh_text(out, name);
	buf_char(out, ':');
	if (choices) {
		buf_char(out, '(');
		add_choices(out, choices);
		buf_char(out, ')');
	} else if (kind == VALUE_FILE) {
		buf_text(out, "_files");
	} else if (kind == VALUE_DIRECTORY) {
		buf_text(out, "_files -/");
	} else {
		buf_char(out, ' ');
	}
}

static void zsh_option(struct buf *out, const struct command_option *o, const char *dashes,
		       const char *name)
{
	buf_printf(out, " \\\n\t\t\t'%s%s%s%s[", o->is_many ? "*" : "", dashes, name,
		   o->value && dashes[1] ? "=" : "");
	zsh_text(out, o->help);
	buf_char(out, ']');
	if (o->value)
		zsh_value(out, o->value, o->choices, o->kind);
	buf_char(out, '\'');
}

static void zsh_command(struct buf *out, const struct command *c)
{
	const struct command_option *o;
	const struct command_word *w = c->words;

	buf_printf(out, "\t'%s')\n\t\t_arguments -s", c->name);
	for (size_t i = 0; (o = command_option(c, i)) != NULL; i++) {
		char letter[2] = {o->letter, '\0'};

		zsh_option(out, o, "--", o->name);
		if (o->letter)
			zsh_option(out, o, "-", letter);
	}
	buf_text(out, " \\\n\t\t\t'--help[How it is called]'");
	for (; w && w->name; w++) {
		buf_printf(out, " \\\n\t\t\t'%s", w->is_many ? "*" : w->is_optional ? ":" : "");
		zsh_value(out, w->name, w->choices, w->kind);
		buf_char(out, '\'');
	}
	buf_text(out, " ;;\n");
}

static void zsh_noun(struct buf *out, const char *noun)
{
	const struct command *c;

	buf_printf(out, "\t%s)\n\t\tverbs=(", noun);
	for (size_t i = 0; (c = command_at(i)) != NULL; i++) {
		if (!command_is_of(c, noun))
			continue;
		buf_printf(out, " '%s:", c->name + strlen(noun) + 1);
		zsh_text(out, c->help);
		buf_char(out, '\'');
	}
	buf_text(out, " ) ;;\n");
}

static void print_zsh(struct buf *out)
{
	const struct command *c;

	buf_text(out, "#compdef txwatch\n"
		      "# zsh completion for txwatch, printed by `txwatch completion zsh`.\n"
		      "_txwatch() {\n"
		      "\tlocal command=$words[2]\n"
		      "\tlocal -a verbs\n"
		      "\tif (( CURRENT == 2 )); then\n"
		      "\t\tcompadd -- ");
	add_first_words(out, NULL);
	buf_text(out, "\n\t\treturn\n\tfi\n\tcase $command in\n");
	each_noun(out, zsh_noun);
	buf_text(out, "\tesac\n"
		      "\tif (( $#verbs )); then\n"
		      "\t\tif (( CURRENT == 3 )); then\n"
		      "\t\t\t_describe verb verbs\n"
		      "\t\t\treturn\n"
		      "\t\tfi\n"
		      "\t\tcommand+=\" $words[3]\"\n"
		      "\t\tshift words\n"
		      "\t\t(( CURRENT-- ))\n"
		      "\tfi\n"
		      "\tshift words\n"
		      "\t(( CURRENT-- ))\n"
		      "\tcase $command in\n");
	for (size_t i = 0; (c = command_at(i)) != NULL; i++)
		zsh_command(out, c);
	buf_text(out, "\tesac\n"
		      "}\n"
		      "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n"
		      "\t_txwatch \"$@\"\n"
		      "else\n"
		      "\tcompdef _txwatch txwatch\n"
		      "fi\n");
}

/* ---- fish ---- */

static void fish_help(struct buf *out, const char *help)
{
	buf_text(out, " -d '");
	add_quoted(out, help);
	buf_text(out, "'\n");
}

/* The line's condition: which command stands there. */
static void fish_when(struct buf *out, const struct command *c)
{
	buf_printf(out, "complete -c txwatch -n '__txwatch_is %s'", c->name);
}

static void fish_command(struct buf *out, const struct command *c)
{
	const struct command_option *o;
	const struct command_word *w = c->words;
	size_t len = strcspn(c->name, " ");

	if (c->name[len]) {
		buf_printf(out, "complete -c txwatch -n '__txwatch_at %.*s' -f -a %s", (int)len,
			   c->name, c->name + len + 1);
		fish_help(out, c->help);
	} else {
		buf_printf(out, "complete -c txwatch -n '__txwatch_at' -f -a %s", c->name);
		fish_help(out, c->help);
	}
	for (size_t i = 0; (o = command_option(c, i)) != NULL; i++) {
		fish_when(out, c);
		buf_printf(out, " -l %s", o->name);
		if (o->letter)
			buf_printf(out, " -s %c", o->letter);
		if (o->value)
			buf_text(out, o->kind == VALUE_FILE || o->kind == VALUE_DIRECTORY ? " -r"
											  : " -x");
		if (o->choices) {
			buf_text(out, " -a '");
			add_choices(out, o->choices);
			buf_char(out, '\'');
		}
		fish_help(out, o->help);
	}
	for (; w && w->name; w++) {
		fish_when(out, c);
		if (w->choices) {
			buf_text(out, " -f -a '");
			add_choices(out, w->choices);
			buf_text(out, "'\n");
		} else {
			buf_text(out, w->kind == VALUE_FILE ? " -F\n" : " -f\n");
		}
	}
}

static void fish_noun(struct buf *out, const char *noun)
{
	buf_printf(out, "complete -c txwatch -n '__txwatch_at' -f -a %s\n", noun);
}

static void print_fish(struct buf *out)
{
	const struct command *c;

	buf_text(out, "# fish completion for txwatch, printed by `txwatch completion fish`.\n"
		      "# Are these words all that stands before the cursor?\n"
		      "function __txwatch_at\n"
		      "\tset -l words (commandline -opc)\n"
		      "\ttest \"$words[2..-1]\" = \"$argv\"\n"
		      "end\n"
		      "# Do they begin the command?\n"
		      "function __txwatch_is\n"
		      "\tset -l words (commandline -opc)\n"
		      "\tset -l n (math (count $argv) + 1)\n"
		      "\ttest (count $words) -ge $n; and test \"$words[2..$n]\" = \"$argv\"\n"
		      "end\n"
		      "complete -c txwatch -f\n");
	each_noun(out, fish_noun);
	for (size_t i = 0; (c = command_at(i)) != NULL; i++)
		fish_command(out, c);
}

int command_completion(const struct args *a)
{
	const char *shell = args_word(a, 0);
	struct buf out = {0};

	if (strcmp(shell, "bash") == 0)
		print_bash(&out);
	else if (strcmp(shell, "zsh") == 0)
		print_zsh(&out);
	else
		print_fish(&out);
	fwrite(out.ptr, 1, out.len, stdout);
	buf_free(&out);
	return EXIT_WELL;
}
