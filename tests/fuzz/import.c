/* import.c: NDJSON and CSV rows: however the body is cut into pieces, the same
 * rows come out; each is taken over or has a mistake; and a CSV row says what
 * the same row says as NDJSON. */
#include "fuzz.h"

#include "api/import.h"
#include "base/clock.h"
#include "base/str.h"

#define NOW (INT64_C(1790000000) * SECOND)

struct take {
	bool is_csv;
	bool compares; /* with the same row as NDJSON */
	bool is_over;  /* a bad header ends it */
	struct import_header header;
	struct buf seen;
	int64_t line;
};

static void same_op(const struct op *a, const struct op *b)
{
	MUST(str_eq(a->name.flow, b->name.flow) && str_eq(a->name.ref, b->name.ref));
	MUST(str_eq(a->status, b->status) && str_eq(a->owner, b->owner));
	MUST(str_eq(a->amount, b->amount) && str_eq(a->currency, b->currency));
	MUST(str_eq(a->attributes, b->attributes) && str_eq(a->detail, b->detail));
	MUST(str_eq(a->reason, b->reason) && str_eq(a->code, b->code));
	MUST(str_eq(a->source_version, b->source_version) && a->source_at == b->source_at);
	MUST(a->expires_at == b->expires_at && a->set == b->set);
}

/* The row that CSV made, as a line of NDJSON. */
static void read_as_json(const json_t *row, const struct op *want)
{
	struct arena a = {0};
	struct input in = {.arena = &a};
	struct op op = {0};
	json_t *json = NULL;
	char *line = json_dumps(row, JSON_COMPACT);
	MUST(line);
	struct record r = {.line = 1, .text = str_of(line)};
	MUST(import_read_row(&in, NULL, &r, NOW, &json, &op));
	same_op(want, &op);
	input_end(&in);
	json_decref(json);
	arena_free(&a);
	free(line);
}

static bool on_record(void *ctx, const struct record *r)
{
	struct take *t = ctx;
	struct arena a = {0};
	struct input in = {.arena = &a};
	struct op op = {0};
	json_t *json = NULL;
	MUST(r->line > t->line);
	t->line = r->line;
	if (t->is_over)
		return true;
	bool ok;
	if (t->is_csv && t->header.n == 0) {
		in.arena = &t->header.arena;
		ok = import_read_header(&in, r, &t->header);
		t->is_over = !ok;
		MUST(ok || in.mistake.member);
	} else {
		ok = import_read_row(&in, t->is_csv ? &t->header : NULL, r, NOW, &json, &op);
		MUST(!ok || (op.name.flow.len && op.name.ref.len && op.kind == OP_IMPORT));
		if (ok && t->is_csv && t->compares)
			read_as_json(json, &op);
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
	struct take whole = {.is_csv = data[0] & 1, .compares = true};
	struct take cut = {.is_csv = data[0] & 1};
	feed(&whole, (const char *)data + 2, size - 2, size);
	feed(&cut, (const char *)data + 2, size - 2, data[1] % 7 + 1);
	MUST(str_eq(buf_view(&whole.seen), buf_view(&cut.seen)));
	buf_free(&whole.seen);
	buf_free(&cut.seen);
	arena_free(&whole.header.arena);
	arena_free(&cut.header.arena);
	return 0;
}
