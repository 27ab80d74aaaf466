/* args.c: see args.h. */
#include "command/args.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

#define NAMES_MAX 64

const struct command_option *command_option(const struct command *c, size_t i)
{
	const struct command_option *o = c->options;

	for (; o && o->name; o++)
		if (i-- == 0)
			return o;
	for (o = CLIENT_OPTIONS; c->client && o->name; o++)
		if (i-- == 0)
			return o;
	return NULL;
}

bool choices_have(const char *choices, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = choices; *p; p += strcspn(p, "|"), p += *p == '|')
		if (strcspn(p, "|") == len && memcmp(p, word, len) == 0)
			return true;
	return false;
}

/* "read, write or admin" */
static void list_choices(struct buf *out, const char *choices)
{
	for (const char *p = choices; *p; p += *p == '|') {
		size_t len = strcspn(p, "|");
		bool is_last = !p[len];

		if (p != choices)
			buf_text(out, is_last ? " or " : ", ");
		buf_add(out, p, len);
		p += len;
	}
}

static int32_t check_choice(const char *what, const char *choices, const char *value, struct err *e)
{
	struct buf list = {0};

	if (choices_have(choices, value))
		return 0;
	list_choices(&list, choices);
	err_set(e, TXW_E_INVALID, "%s takes %.*s, found `%s`", what, STR_ARG(buf_view(&list)),
		value);
	buf_free(&list);
	return TXW_E_INVALID;
}

/* Read like a time to come; the command itself says which it wants. */
static bool is_soon(const char *value)
{
	int64_t n;
	txw_time at;

	return time_parse(str_of(value), &at) || (duration_parse(str_of(value), &n) && n > 0);
}

static int32_t check_value(const char *what, enum value_kind kind, const char *value, struct err *e)
{
	int64_t n;
	txw_time at;

	if (kind == VALUE_NUMBER && (!str_int(str_of(value), &n) || n < 0))
		return err_set(e, TXW_E_INVALID, "%s takes a whole number, found `%s`", what,
			       value);
	if (kind == VALUE_DURATION && (!duration_parse(str_of(value), &n) || n < 0))
		return err_set(e, TXW_E_INVALID,
			       "%s takes a duration like 90s or 1h30m, found `%s`", what, value);
	if (kind == VALUE_TIME && !time_parse(str_of(value), &at))
		return err_set(e, TXW_E_INVALID,
			       "%s takes a time like 2027-01-31T00:00:00Z, found `%s`", what,
			       value);
	if (kind == VALUE_SOON && !is_soon(value))
		return err_set(e, TXW_E_INVALID,
			       "%s takes a time to come, like 2027-01-31T00:00:00Z, or a duration "
			       "like 90d, found `%s`",
			       what, value);
	return 0;
}

static int32_t give(struct args *a, const struct command_option *o, const char *value,
		    struct err *e)
{
	char what[80];
	int32_t rc;

	snprintf(what, sizeof(what), "--%s", o->name);
	for (size_t i = 0; i < a->n_given && !o->is_many; i++)
		if (a->given[i].option == o)
			return err_set(e, TXW_E_INVALID, "%s is given twice", what);
	if (value && o->choices && (rc = check_choice(what, o->choices, value, e)) < 0)
		return rc;
	if (value && (rc = check_value(what, o->kind, value, e)) < 0)
		return rc;
	a->given[a->n_given++] = (struct given){o, value};
	return 0;
}

static int32_t unknown_option(const struct args *a, const char *name, struct err *e)
{
	const char *names[NAMES_MAX], *near = NULL;
	const struct command_option *o;
	size_t n = 0;

	while (n < NAMES_MAX && (o = command_option(a->command, n)) != NULL)
		names[n++] = o->name;
	near = str_nearest(name, names, n);
	return err_set(e, TXW_E_INVALID, "no option `--%s`%s%s%s", name,
		       near ? "; did you mean `--" : "", near ? near : "", near ? "`?" : "");
}

/* "--name", "--name value", "--name=value"; *i moves to the last word used. */
static int32_t take_long(struct args *a, int argc, char **argv, int *i, struct err *e)
{
	const char *name = argv[*i] + 2, *value = strchr(name, '=');
	size_t len = value ? (size_t)(value - name) : strlen(name);
	const struct command_option *o = NULL;

	for (size_t k = 0; (o = command_option(a->command, k)) != NULL; k++)
		if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
			break;
	if (!o)
		return unknown_option(a, arena_printf(&a->arena, "%.*s", (int)len, name), e);
	if (value && !o->value)
		return err_set(e, TXW_E_INVALID, "--%s takes no value", o->name);
	value = value ? value + 1 : NULL;
	if (o->value && !value && *i + 1 >= argc)
		return err_set(e, TXW_E_INVALID, "--%s needs a value: %s", o->name, o->value);
	if (o->value && !value)
		value = argv[++*i];
	return give(a, o, value, e);
}

/* "-f", "-n5", "-n 5"; letters without a value may share a dash. */
static int32_t take_short(struct args *a, int argc, char **argv, int *i, struct err *e)
{
	for (const char *p = argv[*i] + 1; *p; p++) {
		const struct command_option *o = NULL;
		int32_t rc;

		for (size_t k = 0; (o = command_option(a->command, k)) != NULL; k++)
			if (o->letter == *p)
				break;
		if (!o)
			return err_set(e, TXW_E_INVALID, "no option `-%c`", *p);
		if (!o->value) {
			if ((rc = give(a, o, NULL, e)) < 0)
				return rc;
			continue;
		}
		if (p[1])
			return give(a, o, p + 1, e);
		if (*i + 1 >= argc)
			return err_set(e, TXW_E_INVALID, "-%c needs a value: %s", *p, o->value);
		return give(a, o, argv[++*i], e);
	}
	return 0;
}

static int32_t check_words(const struct args *a, struct err *e)
{
	const struct command_word *w = a->command->words;
	size_t i = 0;
	int32_t rc;

	for (; w && w->name; w++) {
		if (i >= a->n_words && !w->is_optional)
			return err_set(e, TXW_E_INVALID, "%s is missing", w->name);
		do {
			if (i >= a->n_words)
				break;
			if (w->choices &&
			    (rc = check_choice(w->name, w->choices, a->words[i], e)) < 0)
				return rc;
			if ((rc = check_value(w->name, w->kind, a->words[i], e)) < 0)
				return rc;
			i++;
		} while (w->is_many);
	}
	if (i < a->n_words)
		return err_set(e, TXW_E_INVALID, "`%s` is one word too many", a->words[i]);
	return 0;
}

int32_t args_parse(struct args *a, const struct command *c, int argc, char **argv, struct err *e)
{
	bool is_over = false;
	int32_t rc = 0;

	*a = (struct args){.command = c};
	a->words = arena_alloc(&a->arena, (size_t)(argc + 1) * sizeof(*a->words));
	for (int i = 0; i < argc; i++) /* "-abc" gives several: count letters */
		a->n_given += strlen(argv[i]) + 1;
	a->given = arena_alloc(&a->arena, (a->n_given + 1) * sizeof(*a->given));
	a->n_given = 0;
	for (int i = 0; i < argc && rc >= 0; i++) {
		const char *z = argv[i];

		if (!is_over && strcmp(z, "--") == 0)
			is_over = true;
		else if (!is_over && (strcmp(z, "--help") == 0 || strcmp(z, "-h") == 0))
			a->wants_help = true;
		else if (!is_over && z[0] == '-' && z[1] == '-')
			rc = take_long(a, argc, argv, &i, e);
		else if (!is_over && z[0] == '-' && z[1])
			rc = take_short(a, argc, argv, &i, e);
		else
			a->words[a->n_words++] = z;
		if (a->wants_help)
			return 0;
	}
	return rc < 0 ? rc : check_words(a, e);
}

void args_free(struct args *a)
{
	arena_free(&a->arena);
}

const char *args_next(const struct args *a, const char *name, size_t *at)
{
	while (*at < a->n_given) {
		const struct given *g = &a->given[(*at)++];

		if (strcmp(g->option->name, name) == 0)
			return g->value ? g->value : "";
	}
	return NULL;
}

const char *args_get(const struct args *a, const char *name)
{
	size_t at = 0;

	return args_next(a, name, &at);
}

bool args_has(const struct args *a, const char *name)
{
	return args_get(a, name) != NULL;
}

int64_t args_number(const struct args *a, const char *name, int64_t fallback)
{
	const char *z = args_get(a, name);
	int64_t n;

	return z && str_int(str_of(z), &n) ? n : fallback;
}

int64_t args_duration(const struct args *a, const char *name, int64_t fallback)
{
	const char *z = args_get(a, name);
	int64_t n;

	return z && duration_parse(str_of(z), &n) ? n : fallback;
}

const char *args_word(const struct args *a, size_t i)
{
	return i < a->n_words ? a->words[i] : NULL;
}
