/* manual.c: the client's commands as a section of txwatch-client(1), in
 * mdoc(7). */
#include "base/str.h"
#include "command/args.h"
#include "command/help.h"

/* A text of a macro's line or a paragraph: mdoc reads no sign of ours but the
 * backslash, and a dot at the beginning, which none has. */
static void add_text(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\') {
			buf_text(out, "\\e");
		} else if (*text == '-' && text[1] == '-') {
			buf_text(out, "\\-");
		} else if (*text == '.' && text[1] == ' ') { /* a sentence, a line */
			buf_text(out, ".\n");
			text++;
		} else {
			buf_char(out, *text);
		}
	}
}

static void add_option_item(struct buf *out, const struct command_option *o)
{
	buf_text(out, ".It");
	if (o->letter)
		buf_printf(out, " Fl %c ,", o->letter);
	buf_printf(out, " Fl -%s", o->name);
	if (o->value) {
		buf_text(out, " Ar \"");
		add_text(out, o->value);
		buf_char(out, '"');
	}
	buf_char(out, '\n');
	add_text(out, o->help);
	buf_text(out, o->choices ? ":\n" : ".\n");
	if (o->choices) {
		buf_text(out, ".Ql ");
		for (const char *p = o->choices; *p; p++)
			*p == '|' ? buf_text(out, " ,\n.Ql ") : buf_char(out, *p);
		buf_text(out, " .\n");
	}
}

static void add_options(struct buf *out, const struct command_option *o)
{
	if (!o || !o->name)
		return;
	buf_text(out, ".Bl -tag -width Ds -compact\n");
	for (; o->name; o++)
		add_option_item(out, o);
	buf_text(out, ".El\n");
}

static void add_command(struct buf *out, const struct command *c)
{
	const struct command_word *w;

	buf_printf(out, ".It Ic %s", c->name);
	for (w = c->words; w && w->name; w++)
		buf_printf(out, " %s %s", w->is_optional ? "Op Ar" : "Ar", w->name);
	if (c->options && c->options->name)
		buf_text(out, " Op Ar option ...");
	buf_char(out, '\n');
	add_text(out, c->help);
	buf_text(out, ".\n");
	for (w = c->words; w && w->name; w++) {
		buf_printf(out, ".Ar %s :\n", w->name);
		add_text(out, w->help);
		buf_text(out, ".\n");
	}
	if (c->more) {
		add_text(out, c->more);
		buf_char(out, '\n');
	}
	if (c->options && c->options->name)
		buf_text(out, ".Pp\n");
	add_options(out, c->options);
}

void manual_print(struct buf *out)
{
	buf_text(out, ".Sh OPTIONS OF EVERY COMMAND\n");
	add_options(out, CLIENT_OPTIONS);
	buf_text(out, ".Sh COMMANDS\n.Bl -tag -width Ds\n");
	for (const struct command *c = CLIENT_COMMANDS; c->name; c++)
		add_command(out, c);
	buf_text(out, ".El\n");
}
