/* order_by.c: see order_by.h. */
#include "api/order_by.h"

#include <stddef.h>
#include <string.h>

#include "base/str.h"

#define AT(member) offsetof(txw_tx, member)

enum kind { TEXT, NUMBER, OUTCOME };

/* What can be ordered by. Not by what is long, or different in each row. */
static const struct field {
	const char *name;
	uint32_t field;
	enum kind kind;
	size_t offset;
} FIELDS[] = {
    {"created_at", TXW_FIELD_CREATED_AT, NUMBER, AT(created_at)},
    {"updated_at", TXW_FIELD_UPDATED_AT, NUMBER, AT(updated_at)},
    {"status_since", TXW_FIELD_STATUS_SINCE, NUMBER, AT(status_since)},
    {"expires_at", TXW_FIELD_EXPIRES_AT, NUMBER, AT(expires_at)},
    {"finished_at", TXW_FIELD_FINISHED_AT, NUMBER, AT(finished_at)},
    {"ref", TXW_FIELD_REF, TEXT, AT(ref)},
    {"flow", TXW_FIELD_FLOW, TEXT, AT(flow)},
    {"status", TXW_FIELD_STATUS, TEXT, AT(status)},
    {"outcome", TXW_FIELD_OUTCOME, OUTCOME, AT(outcome)},
    {"owner", TXW_FIELD_OWNER, TEXT, AT(owner)},
    {"amount", TXW_FIELD_AMOUNT, TEXT, AT(amount)},
    {"currency", TXW_FIELD_CURRENCY, TEXT, AT(currency)},
    {"code", TXW_FIELD_CODE, TEXT, AT(code)},
    {"version", TXW_FIELD_VERSION, NUMBER, AT(version)},
};
#define N_FIELDS (sizeof(FIELDS) / sizeof(FIELDS[0]))

static const struct field *by_name(txw_str name)
{
	for (size_t i = 0; i < N_FIELDS; i++)
		if (str_is(name, FIELDS[i].name))
			return &FIELDS[i];
	return NULL;
}

static const struct field *by_number(uint32_t field)
{
	for (size_t i = 0; i < N_FIELDS; i++)
		if (FIELDS[i].field == field)
			return &FIELDS[i];
	return NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next word, up to a blank or a comma. */
static txw_str word(txw_str *text)
{
	while (text->len && is_blank(text->ptr[0]))
		*text = (txw_str){text->ptr + 1, text->len - 1};
	size_t n = 0;
	while (n < text->len && !is_blank(text->ptr[n]) && text->ptr[n] != ',')
		n++;
	txw_str w = {text->ptr, n};
	*text = (txw_str){text->ptr + n, text->len - n};
	return w;
}

static bool refuse_name(txw_str name, struct err *e)
{
	const char *names[N_FIELDS];
	char copy[64];
	size_t n = name.len < sizeof(copy) ? name.len : sizeof(copy) - 1;
	memcpy(copy, name.len ? name.ptr : "", n);
	copy[n] = '\0';
	for (size_t i = 0; i < N_FIELDS; i++)
		names[i] = FIELDS[i].name;
	const char *near = str_nearest(copy, names, N_FIELDS);
	if (near)
		err_set(e, TXW_E_INVALID,
			"order_by: there is no order by \"%.*s\"; did you mean \"%s\"?",
			STR_ARG(name), near);
	else
		err_set(e, TXW_E_INVALID,
			"order_by: there is no order by \"%.*s\"; there is by created_at, "
			"updated_at, status_since, expires_at, finished_at, ref, flow, status, "
			"outcome, owner, amount, currency, code and version",
			STR_ARG(name));
	return false;
}

static bool take_direction(txw_str direction, txw_order *key, struct err *e)
{
	key->descending = str_is(direction, "desc");
	if (key->descending || direction.len == 0 || str_is(direction, "asc"))
		return true;
	err_set(e, TXW_E_INVALID, "order_by: after a field comes asc or desc, not \"%.*s\"",
		STR_ARG(direction));
	return false;
}

static bool take_key(txw_str *text, struct order_by *o, struct err *e)
{
	txw_str name = word(text), direction = word(text), more = word(text);
	const struct field *f = by_name(name);
	if (name.len == 0) {
		err_set(e, TXW_E_INVALID, "order_by: a field's name is missing");
		return false;
	}
	if (!f)
		return refuse_name(name, e);
	if (more.len) {
		err_set(e, TXW_E_INVALID, "order_by: a comma is missing before \"%.*s\"",
			STR_ARG(more));
		return false;
	}
	if (o->n == ORDER_KEYS_MAX) {
		err_set(e, TXW_E_INVALID, "order_by has at most %d fields", ORDER_KEYS_MAX);
		return false;
	}
	for (uint32_t i = 0; i < o->n; i++) {
		if (o->keys[i].field == f->field) {
			err_set(e, TXW_E_INVALID, "order_by names \"%s\" twice", f->name);
			return false;
		}
	}
	o->keys[o->n].field = f->field;
	return take_direction(direction, &o->keys[o->n++], e);
}

bool order_by_parse(txw_str text, struct order_by *out, struct err *e)
{
	*out = (struct order_by){0};
	for (;;) {
		if (!take_key(&text, out, e))
			return false;
		if (text.len == 0)
			break;
		text = (txw_str){text.ptr + 1, text.len - 1}; /* the comma */
	}
	out->ascending = !out->keys[out->n - 1].descending;
	if (out->keys[out->n - 1].field == TXW_FIELD_CREATED_AT)
		out->n--;
	return true;
}

bool order_by_is_indexed(const struct order_by *o)
{
	return o->n == 0 || o->keys[0].field == TXW_FIELD_REF ||
	       (o->n == 1 && o->keys[0].field == TXW_FIELD_FINISHED_AT);
}

/* ---- a place in it ---- */

/* A number in eight bytes, an outcome in one, a text behind its length in
 * two. */
static void save_number(struct buf *out, uint64_t v, int bytes)
{
	while (bytes-- > 0)
		buf_char(out, (char)(v >> (8 * bytes) & 0xff));
}

static bool load_number(txw_str *bytes, size_t n, uint64_t *v)
{
	*v = 0;
	if (bytes->len < n)
		return false;
	for (size_t i = 0; i < n; i++)
		*v = *v << 8 | (unsigned char)bytes->ptr[i];
	*bytes = (txw_str){bytes->ptr + n, bytes->len - n};
	return true;
}

void order_by_save(const struct order_by *o, const txw_tx *row, struct buf *out)
{
	for (uint32_t i = 0; i < o->n; i++) {
		const struct field *f = by_number(o->keys[i].field);
		const char *at = (const char *)row + f->offset;
		txw_str text;
		int64_t number;
		if (f->kind == TEXT) {
			memcpy(&text, at, sizeof(text));
			save_number(out, text.len, 2);
			buf_str(out, text);
		} else if (f->kind == NUMBER) {
			memcpy(&number, at, sizeof(number));
			save_number(out, (uint64_t)number, 8);
		} else {
			save_number(out, row->outcome, 1);
		}
	}
}

bool order_by_load(const struct order_by *o, txw_str bytes, txw_tx *row)
{
	for (uint32_t i = 0; i < o->n; i++) {
		const struct field *f = by_number(o->keys[i].field);
		char *at = (char *)row + f->offset;
		uint64_t v;
		if (!load_number(&bytes, f->kind == TEXT ? 2 : f->kind == NUMBER ? 8 : 1, &v))
			return false;
		if (f->kind == TEXT) {
			txw_str text = {bytes.ptr, (size_t)v};
			if (bytes.len < text.len)
				return false;
			memcpy(at, &text, sizeof(text));
			bytes = (txw_str){bytes.ptr + text.len, bytes.len - text.len};
		} else if (f->kind == NUMBER) {
			int64_t number = (int64_t)v;
			memcpy(at, &number, sizeof(number));
		} else {
			row->outcome = (uint32_t)v;
		}
	}
	return bytes.len == 0;
}
