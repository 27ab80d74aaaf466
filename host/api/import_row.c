/*
 * import_row.c: a line of NDJSON, or a CSV record under its header, as an
 * operation. A CSV row becomes a JSON object first: an empty cell is no
 * member, `attributes` and `detail` hold JSON, `attributes.NAME` a text.
 */
#include <string.h>

#include "api/import.h"
#include "base/str.h"

#define ATTRIBUTE "attributes."

/* ---- the header ---- */

static const struct input_row *find_member(const char *name)
{
	for (size_t i = 0; i < IMPORT_ROWS_N; i++)
		if (strcmp(IMPORT_ROWS[i].name, name) == 0)
			return &IMPORT_ROWS[i];
	return NULL;
}

static bool unknown_column(struct input *in, const char *name)
{
	const char *names[32];
	size_t n = 0;
	for (size_t i = 0; i < IMPORT_ROWS_N && n < 32; i++)
		names[n++] = IMPORT_ROWS[i].name;
	const char *near = str_nearest(name, names, n);
	return input_wrong(in, name, "there is no such column%s%s%s",
			   near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static bool read_column(struct input *in, const char *name, struct import_column *out)
{
	if (strncmp(name, ATTRIBUTE, sizeof(ATTRIBUTE) - 1) == 0 && name[sizeof(ATTRIBUTE) - 1]) {
		out->name = "attributes";
		out->attribute = name + sizeof(ATTRIBUTE) - 1;
		return true;
	}
	const struct input_row *row = find_member(name);
	if (!row)
		return unknown_column(in, name);
	out->name = row->name;
	out->is_json = row->kind == INPUT_OBJECT || row->kind == INPUT_JSON ||
		       row->kind == INPUT_BOOL;
	return true;
}

static bool is_repeated(const struct import_header *h, const struct import_column *c)
{
	for (size_t i = 0; i < h->n; i++) {
		const struct import_column *one = &h->columns[i];
		bool same = c->attribute ? one->attribute && !strcmp(one->attribute, c->attribute)
					 : !one->attribute && !strcmp(one->name, c->name);
		if (same)
			return true;
	}
	return false;
}

bool import_read_header(struct input *in, const struct record *record, struct import_header *h)
{
	bool has_flow = false, has_ref = false;
	if (record->broken)
		return input_wrong(in, "header", "%s", record->broken);
	for (size_t i = 0; i < record->n_fields; i++) {
		struct import_column c = {0};
		const char *name = arena_str(&h->arena, record->fields[i]).ptr;
		if (!name)
			name = "";
		if (!read_column(in, name, &c))
			return false;
		if (is_repeated(h, &c))
			return input_wrong(in, name, "the column is there twice");
		has_flow |= strcmp(name, "flow") == 0;
		has_ref |= strcmp(name, "ref") == 0;
		h->columns[h->n++] = c;
	}
	if (!has_flow || !has_ref)
		return input_wrong(in, has_flow ? "ref" : "flow",
				   "the first row must name the columns, and this one is needed");
	return true;
}

/* ---- rows ---- */

static bool take_cell(struct input *in, const struct import_column *c, txw_str cell, json_t *object,
		      json_t **extra)
{
	json_error_t e;
	txw_str text = csv_plain(cell);
	json_t *v = c->is_json ? json_loadb(text.ptr, text.len,
					    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e)
			       : json_stringn(text.ptr, text.len);
	if (!v)
		return input_wrong(in, c->name, "must hold JSON: %s",
				   c->is_json ? e.text : "not UTF-8");
	if (!c->attribute)
		return json_object_set_new(object, c->name, v) == 0;
	if (!*extra)
		*extra = json_object();
	return json_object_set_new(*extra, c->attribute, v) == 0;
}

/* Attributes of columns of their own are put over those of `attributes`. */
static bool merge_attributes(json_t *object, json_t *extra)
{
	json_t *whole = json_object_get(object, "attributes");
	if (!extra)
		return true;
	if (json_is_object(whole)) {
		json_object_update(whole, extra);
		json_decref(extra);
		return true;
	}
	return json_object_set_new(object, "attributes", extra) == 0;
}

static json_t *object_of_cells(struct input *in, const struct import_header *h,
			       const struct record *record)
{
	if (record->n_fields != h->n) {
		input_wrong(in, NULL, "%zu fields, where the header has %zu", record->n_fields,
			    h->n);
		return NULL;
	}
	json_t *object = json_object(), *extra = NULL;
	for (size_t i = 0; i < h->n; i++) {
		if (record->fields[i].len == 0)
			continue;
		if (!take_cell(in, &h->columns[i], record->fields[i], object, &extra)) {
			json_decref(extra);
			json_decref(object);
			return NULL;
		}
	}
	merge_attributes(object, extra);
	return object;
}

bool import_read_row(struct input *in, const struct import_header *header,
		     const struct record *record, txw_time now, json_t **json, struct op *op)
{
	*json = NULL;
	if (record->broken)
		return input_wrong(in, NULL, "%s", record->broken);
	*json = header ? object_of_cells(in, header, record) : input_parse(in, record->text);
	op->kind = OP_IMPORT;
	return *json && input_read(in, *json, IMPORT_ROWS, IMPORT_ROWS_N, op, NULL) &&
	       members_check(in, now, op);
}
