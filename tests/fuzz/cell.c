/* cell.c: a cell of an export comes back as it was, and is no formula. */
#include "fuzz.h"

#include "api/records.h"
#include "base/str.h"

static bool on_record(void *ctx, const struct record *r)
{
	txw_str want = *(txw_str *)ctx;
	MUST(!r->broken && r->n_fields == 2);
	MUST(str_eq(csv_plain(r->fields[0]), want));
	MUST(r->fields[0].len == 0 || !memchr("=+-@\t\r", r->fields[0].ptr[0], 6));
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	txw_str cell = {(const char *)data, size};
	struct records r = {.is_csv = true};
	struct buf b = {0};
	if (size > 100000 || !str_utf8(cell))
		return 0;
	csv_put_text(&b, cell);
	buf_text(&b, ",x\r\n");
	/* A byte order mark at a file's beginning is no cell's. */
	r.is_past_mark = true;
	MUST(records_feed(&r, b.ptr, b.len, on_record, &cell) == b.len);
	records_free(&r);
	buf_free(&b);
	return 0;
}
