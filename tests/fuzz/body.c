/* body.c: JSON bodies by rows: a mistake has a text; what was taken over holds
 * what the rows promise. The first byte picks the body. */
#include "fuzz.h"

#include "api/write.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "base/str.h"

#define NOW (INT64_C(1790000000) * SECOND)

static void check_op(const struct op *op)
{
	MUST(op->amount.len == 0 || decimal_valid(op->amount));
	MUST(op->attributes.len <= INPUT_JSON_MAX && op->detail.len <= INPUT_JSON_MAX);
	MUST(str_utf8(op->name.ref) && str_utf8(op->attributes) && str_utf8(op->detail));
	MUST(op->expires_in >= 0);
	if (op->attributes.len) {
		json_t *again = json_loadb(op->attributes.ptr, op->attributes.len, 0, NULL);
		MUST(json_is_object(again));
		json_decref(again);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		const struct input_row *rows;
		const size_t *n;
	} bodies[] = {{CREATE_ROWS, &CREATE_ROWS_N},
		      {STATUS_ROWS, &STATUS_ROWS_N},
		      {UPDATE_ROWS, &UPDATE_ROWS_N},
		      {IMPORT_ROWS, &IMPORT_ROWS_N}};
	struct arena a = {0};
	struct input in = {.arena = &a};
	struct op op = {0};
	if (size == 0)
		return 0;
	json_t *json = input_parse(&in, (txw_str){(const char *)data + 1, size - 1});
	unsigned pick = data[0] % 5;
	bool ok = json && (pick == 4 ? members_batch_op(&in, json, NOW, &op)
				     : input_read(&in, json, bodies[pick].rows, *bodies[pick].n,
						  &op, &op.set) &&
					   members_check(&in, NOW, &op));
	if (ok)
		check_op(&op);
	else
		MUST(in.mistake.text && in.mistake.text[0]);
	input_end(&in);
	json_decref(json);
	arena_free(&a);
	return 0;
}
