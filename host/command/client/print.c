/* print.c: see print.h. */
#include "command/client/print.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/str.h"
#include "command/client/text.h"

#define GAP   2 /* columns between columns */
#define LEAST 8 /* no column is cut below this while others are wider */

struct print_row {
	struct print_row *next;
	txw_str cells[PRINT_COLUMNS_MAX];
	const char *tints[PRINT_COLUMNS_MAX];
};

void printer_init(struct printer *p, struct buf *out, const struct column *columns, size_t terminal,
		  bool has_colour)
{
	*p = (struct printer){
	    .out = out, .columns = columns, .terminal = terminal, .has_colour = has_colour};
	while (columns[p->n_columns].title)
		p->n_columns++;
	p->last = &p->first;
}

void printer_free(struct printer *p)
{
	arena_free(&p->arena);
}

/* ---- values ---- */

static void add_list(struct buf *out, const json_t *list)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (i)
			buf_char(out, ',');
		print_value(out, one);
	}
}

static bool is_flat(const json_t *list)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (json_is_object(one) || json_is_array(one))
			return false;
	}
	return true;
}

static void add_string(struct buf *out, const json_t *value)
{
	txw_str s = {json_string_value(value), json_string_length(value)};
	char text[TIME_TEXT_MAX];
	txw_time at;

	if (s.len >= 20 && s.ptr[4] == '-' && time_parse(s, &at)) {
		buf_add(out, text, time_print(text, at - at % SECOND));
		return;
	}
	if (s.len == 0)
		buf_char(out, '-');
	text_safe(out, s);
}

void print_value(struct buf *out, const json_t *value)
{
	char *text;

	if (!value || json_is_null(value)) {
		buf_char(out, '-');
	} else if (json_is_string(value)) {
		add_string(out, value);
	} else if (json_is_boolean(value)) {
		buf_text(out, json_is_true(value) ? "yes" : "no");
	} else if (json_is_array(value) && json_array_size(value) && is_flat(value)) {
		add_list(out, value);
	} else if (json_object_size(value) + json_array_size(value) == 0 &&
		   (json_is_object(value) || json_is_array(value))) {
		buf_char(out, '-');
	} else {
		text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
		if (text)
			text_safe(out, str_of(text));
		free(text);
	}
}

const char *print_colour(const char *word)
{
	static const struct {
		const char *words;
		const char *colour;
	} rows[] = {
	    {"|success|delivered|done|loaded|ok|up|created|closed|succeeded|", "\033[32m"},
	    {"|failure|dead|failed|refused|down|open-circuit|invalid|", "\033[31m"},
	    {"|cancelled|parked|suppressed|blocked|paused|disabled|", "\033[33m"},
	    {"|expired|", "\033[35m"},
	};
	char key[40];

	if (!word || snprintf(key, sizeof(key), "|%s|", word) >= (int)sizeof(key))
		return "";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strstr(rows[i].words, key))
			return rows[i].colour;
	return "";
}

/* "change.to" of a row. */
static const json_t *member(const json_t *row, const char *path)
{
	for (;;) {
		size_t len = strcspn(path, ".");

		row = json_object_getn(row, path, len);
		if (!path[len] || !row)
			return row;
		path += len + 1;
	}
}

/* ---- rows ---- */

void printer_row(struct printer *p, const json_t *row)
{
	struct print_row *r = arena_alloc(&p->arena, sizeof(*r));
	struct buf text = {0};

	for (size_t i = 0; i < p->n_columns; i++) {
		const struct column *c = &p->columns[i];

		text.len = 0;
		if (c->cell)
			c->cell(row, &text);
		else
			print_value(&text, member(row, c->path));
		r->cells[i] = arena_str(&p->arena, buf_view(&text));
		if (c->tint && p->has_colour)
			r->tints[i] = print_colour(json_string_value(member(row, c->tint)));
	}
	buf_free(&text);
	*p->last = r;
	p->last = &r->next;
	p->n_rows++;
}

static bool is_none(txw_str cell)
{
	return cell.len == 0 || str_is(cell, "-");
}

static void measure(struct printer *p)
{
	for (size_t i = 0; i < p->n_columns; i++) {
		bool has_any = false;

		if (!p->has_begun)
			p->widths[i] = text_width(str_of(p->columns[i].title));
		for (const struct print_row *r = p->first; r; r = r->next) {
			size_t width = text_width(r->cells[i]);

			has_any |= !is_none(r->cells[i]);
			if (width > p->widths[i])
				p->widths[i] = width;
		}
		if (!p->has_begun && p->terminal && (p->columns[i].flags & COLUMN_SPARE))
			p->is_hidden[i] = !has_any;
	}
}

static size_t line_width(const struct printer *p)
{
	size_t sum = 0;

	for (size_t i = 0; i < p->n_columns; i++)
		if (!p->is_hidden[i])
			sum += p->widths[i] + (sum ? GAP : 0);
	return sum;
}

/* The widest column that may be cut, or n_columns. */
static size_t widest(const struct printer *p)
{
	size_t best = p->n_columns, width = LEAST;

	for (size_t i = 0; i < p->n_columns; i++) {
		if (p->is_hidden[i] || (p->columns[i].flags & COLUMN_WHOLE) ||
		    p->widths[i] <= width)
			continue;
		best = i;
		width = p->widths[i];
	}
	return best;
}

/* Fits a line into the terminal: spare columns go, from the right, then the
 * widest are cut. What does not fit even then is cut off at the edge. */
static void fit(struct printer *p)
{
	size_t i;

	for (i = p->n_columns; i-- > 0 && !p->has_begun && line_width(p) > p->terminal;)
		if (p->columns[i].flags & COLUMN_SPARE)
			p->is_hidden[i] = true;
	while (line_width(p) > p->terminal && (i = widest(p)) < p->n_columns)
		p->widths[i]--;
}

static void add_spaces(struct buf *out, size_t n)
{
	while (n-- > 0)
		buf_char(out, ' ');
}

/* One line of cells; *left = the columns the terminal has left. */
static void add_cell(struct printer *p, size_t i, txw_str cell, const char *tint, bool is_last,
		     size_t *left)
{
	size_t room = p->widths[i] < *left ? p->widths[i] : *left, used;
	bool is_right = p->columns[i].flags & COLUMN_RIGHT;
	struct buf text = {0};

	used = text_cut(&text, cell, room);
	if (is_right)
		add_spaces(p->out, room - used);
	if (tint && *tint)
		buf_printf(p->out, "%s%.*s%s", tint, STR_ARG(buf_view(&text)), PRINT_PLAIN);
	else
		buf_str(p->out, buf_view(&text));
	*left -= room;
	if (!is_last) {
		size_t gap = *left < GAP ? *left : GAP;

		add_spaces(p->out, (is_right ? 0 : room - used) + gap);
		*left -= gap;
	}
	buf_free(&text);
}

static void add_line(struct printer *p, const txw_str *cells, const char *const *tints)
{
	size_t left = p->terminal ? p->terminal : SIZE_MAX, last = p->n_columns;

	for (size_t i = 0; i < p->n_columns; i++)
		if (!p->is_hidden[i])
			last = i;
	for (size_t i = 0; i < p->n_columns; i++)
		if (!p->is_hidden[i])
			add_cell(p, i, cells[i], tints[i], i == last, &left);
	buf_char(p->out, '\n');
}

static void add_heading(struct printer *p)
{
	txw_str cells[PRINT_COLUMNS_MAX];
	const char *tints[PRINT_COLUMNS_MAX];

	for (size_t i = 0; i < p->n_columns; i++) {
		cells[i] = str_of(p->columns[i].title);
		tints[i] = p->has_colour ? "\033[1m" : NULL;
	}
	add_line(p, cells, tints);
}

void printer_flush(struct printer *p)
{
	measure(p);
	if (p->terminal)
		fit(p);
	if (!p->has_begun && p->first)
		add_heading(p);
	p->has_begun |= p->first != NULL;
	for (const struct print_row *r = p->first; r; r = r->next)
		add_line(p, r->cells, r->tints);
	p->first = NULL;
	p->last = &p->first;
	p->n_rows = 0;
	arena_reset(&p->arena);
}
