/*
 * rowcheck.c: checks option rows before anything is read by them.
 *
 * Rows come from plugins: a malformed one must refuse its plugin with a
 * reason its author can act on, not surprise the site's operator later.
 */
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "config/conf.h"
#include "config/value.h"

#define MAX_ROWS  256u
#define NAME_MAX_ 64u
#define ALL_FLAGS (TXW_OPT_LIST | TXW_OPT_REQUIRED | TXW_OPT_DEPRECATED)

static bool is_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len > 0 && len <= NAME_MAX_ && !name[len] && name[0] >= 'a' && name[0] <= 'z' &&
	       name[len - 1] != '-' && !strstr(name, "--");
}

static const char *check_name(const txw_option *row)
{
	if (!row->name)
		return "has no name";
	if (!is_name(row->name))
		return "has a bad name: it must be at most 64 lower-case letters and digits, "
		       "joined by single '-', and begin with a letter";
	return NULL;
}

static const char *check_kind(const txw_option *row)
{
	if (row->type > TXW_OPT_SECRET)
		return "has a type this host does not know";
	if (row->flags & ~ALL_FLAGS)
		return "has a flag this host does not know";
	return NULL;
}

static const char *check_help(const txw_option *row)
{
	return row->help && *row->help ? NULL : "has no help";
}

static const char *check_choices(const txw_option *row)
{
	const char *c = row->choices;

	if (row->type != TXW_OPT_CHOICE)
		return c ? "has choices but is no CHOICE" : NULL;
	if (!c || !*c)
		return "is a CHOICE without choices";
	if (c[0] == '|' || c[strlen(c) - 1] == '|' || strstr(c, "||"))
		return "has an empty choice";
	return NULL;
}

static bool is_ranged(const txw_option *row)
{
	return row->type == TXW_OPT_INTEGER || row->type == TXW_OPT_DURATION ||
	       row->type == TXW_OPT_BYTES;
}

static const char *check_range(const txw_option *row)
{
	if (row->min > row->max)
		return "has a min above its max";
	if ((row->min || row->max) && !is_ranged(row))
		return "has a range but is neither INTEGER, DURATION nor BYTES";
	return NULL;
}

static const char *check_fallback(const txw_option *row)
{
	if (!row->fallback)
		return NULL;
	if (row->flags & TXW_OPT_REQUIRED)
		return "is required and has a default: it can have only one of them";
	if (row->type == TXW_OPT_SECRET)
		return "is a SECRET with a default: there can be none";
	return NULL;
}

static const char *(*const CHECKS[])(const txw_option *) = {
    check_name, check_kind, check_help, check_choices, check_range, check_fallback,
};

static int32_t refuse(const txw_option *row, size_t i, const char *why, struct err *e)
{
	struct arena scratch = {0};
	int32_t rc = err_set(e, TXW_E_INVALID, "option row %zu%s%s %s", i + 1, row->name ? " " : "",
			     row->name ? value_shown(&scratch, str_of(row->name)) : "", why);

	arena_free(&scratch);
	return rc;
}

static int32_t check_row(const txw_option *row, size_t i, struct err *e)
{
	struct arena scratch = {0};
	txw_value value = {0};
	struct err why = {0};
	int32_t rc;

	if (row->size < sizeof(*row))
		return err_set(e, TXW_E_INVALID,
			       "option row %zu has size %u, smaller than a txw_option (%zu)", i + 1,
			       row->size, sizeof(*row));
	for (size_t c = 0; c < sizeof(CHECKS) / sizeof(CHECKS[0]); c++) {
		const char *text = CHECKS[c](row);

		if (text)
			return refuse(row, i, text, e);
	}
	rc = value_default(&scratch, row, &value, &why);
	if (rc < 0)
		err_set(e, rc, "option row %zu `%s` has a bad default: it %s", i + 1, row->name,
			why.text);
	arena_free(&scratch);
	return rc;
}

int32_t conf_check_rows(const txw_option *rows, size_t stride, size_t n, struct err *e)
{
	if (n == 0)
		return 0;
	if (!rows)
		return err_set(e, TXW_E_INVALID, "there are %zu option rows at no address", n);
	if (n > MAX_ROWS)
		return err_set(e, TXW_E_INVALID, "there are %zu option rows; at most %u are read",
			       n, MAX_ROWS);
	if (stride < sizeof(txw_option) || stride % alignof(txw_option) != 0)
		return err_set(e, TXW_E_INVALID,
			       "the stride of the option rows is %zu; it must be the size of "
			       "txw_option, at least %zu",
			       stride, sizeof(txw_option));
	for (size_t i = 0; i < n; i++) {
		const txw_option *row = row_at(rows, stride, i);
		int32_t rc = check_row(row, i, e);

		if (rc < 0)
			return rc;
		for (size_t j = 0; j < i; j++)
			if (strcmp(row_at(rows, stride, j)->name, row->name) == 0)
				return refuse(row, i, "has the name of a row before it", e);
	}
	return 0;
}
