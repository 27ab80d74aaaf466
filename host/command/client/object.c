/* object.c: one object, a member a line; see print.h. */
#include "base/str.h"
#include "command/client/print.h"
#include "command/client/text.h"

/* A list that is a table of its own, below. */
static bool is_table(const json_t *value)
{
	return json_is_array(value) && json_is_object(json_array_get(value, 0));
}

static bool has_table(const json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		if (is_table(value))
			return true;
	}
	return false;
}

/* "next_poll_at" -> "next poll at" */
static void add_name(struct buf *out, const char *key)
{
	struct buf text = {0};

	text_safe(&text, str_of(key));
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == '_')
			text.ptr[i] = ' ';
	buf_str(out, buf_view(&text));
	buf_free(&text);
}

static size_t longest_name(const json_t *object)
{
	const char *key;
	json_t *value;
	size_t longest = 0;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		size_t width = text_width(str_of(key));

		if (!is_table(value) && width > longest)
			longest = width;
	}
	return longest;
}

/* Adds columns for the members that have none yet; returns how many there are. */
static size_t add_columns(struct column *columns, size_t n, const json_t *row)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)row, key, value)
	{
		size_t k = 0;

		while (k < n && strcmp(columns[k].path, key) != 0)
			k++;
		if (k == n && n + 1 < PRINT_COLUMNS_MAX)
			columns[n++] = (struct column){.title = key, .path = key};
	}
	return n;
}

/* Every member that a row of the list has, in the order they are met. */
static void add_table(struct buf *out, const json_t *list, size_t terminal, bool has_colour)
{
	struct column columns[PRINT_COLUMNS_MAX] = {{0}};
	struct printer p;
	const json_t *row;
	size_t n = 0, i;

	json_array_foreach(list, i, row)
	{
		n = add_columns(columns, n, row);
	}
	printer_init(&p, out, columns, terminal, has_colour);
	json_array_foreach(list, i, row)
	{
		printer_row(&p, row);
	}
	printer_flush(&p);
	printer_free(&p);
}

void print_object(struct buf *out, const json_t *object, size_t terminal, bool has_colour)
{
	size_t longest = longest_name(object);
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		const char *colour = has_colour ? print_colour(json_string_value(value)) : "";

		if (is_table(value))
			continue;
		add_name(out, key);
		for (size_t n = text_width(str_of(key)); n < longest + 2; n++)
			buf_char(out, ' ');
		buf_text(out, colour);
		print_value(out, value);
		buf_printf(out, "%s\n", *colour ? PRINT_PLAIN : "");
	}
	if (!has_table(object))
		return;
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		if (!is_table(value))
			continue;
		buf_char(out, '\n');
		add_name(out, key);
		buf_text(out, ":\n");
		add_table(out, value, terminal, has_colour);
	}
}
