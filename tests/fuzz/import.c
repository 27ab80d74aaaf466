/* import.c: NDJSON and CSV rows: however the body is cut into pieces, the same
 * rows come out; each is taken over or has a mistake. */
#include "fuzz.h"

#include "api/import.h"
#include "base/clock.h"
#include "base/str.h"

#define NOW (INT64_C(1790000000) * SECOND)

struct take {
	bool is_csv;
	struct import_header header;
	struct buf seen;
	int64_t line;
};

static bool on_record(void *ctx, const struct record *r)
{
	struct take *t = ctx;
	struct arena a = {0};
	struct input in = {.arena = &a};
	struct op op = {0};
	json_t *json = NULL;
	MUST(r->line > t->line);
	t->line = r->line;
	bool ok;
	if (t->is_csv && t->header.n == 0) {
		in.arena = &t->header.arena;
		ok = import_read_header(&in, r, &t->header);
		if (!ok)
			t->header.n = 0;
	} else {
		ok = import_read_row(&in, t->is_csv ? &t->header : NULL, r, NOW, &json, &op);
		MUST(!ok || (op.name.flow.len && op.name.ref.len && op.kind == OP_IMPORT));
	}
	MUST(ok || in.mistake.text);
	buf_printf(&t->seen, "%lld %d %.*s\n", (long long)r->line, ok, STR_ARG(op.name.ref));
	input_end(&in);
	json_decref(json);
	arena_free(&a);
	return true;
}

static void feed(struct take *t, const char *data, size_t size, size_t piece)
{
	struct records r = {.is_csv = t->is_csv};
	for (size_t at = 0; at < size; at += piece) {
		size_t n = size - at < piece ? size - at : piece;
		MUST(records_feed(&r, data + at, n, on_record, t) == n);
	}
	records_end(&r, on_record, t);
	records_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct take whole = {.is_csv = data[0] & 1}, cut = {.is_csv = data[0] & 1};
	feed(&whole, (const char *)data + 2, size - 2, size);
	feed(&cut, (const char *)data + 2, size - 2, data[1] % 7 + 1);
	MUST(str_eq(buf_view(&whole.seen), buf_view(&cut.seen)));
	buf_free(&whole.seen);
	buf_free(&cut.seen);
	arena_free(&whole.header.arena);
	arena_free(&cut.header.arena);
	return 0;
}
