/* members.c: what the bodies of transactions may hold, as rows. */
#include "api/write.h"
#include "base/clock.h"
#include "base/id.h"

#define AT(field) offsetof(struct op, field)

/* clang-format off */
#define NAME_MEMBERS \
	{"flow", INPUT_LINE, 0, AT(name.flow), 128, 0}, \
	{"ref", INPUT_LINE, 0, AT(name.ref), 256, 0}

#define CREATE_MEMBERS \
	{"flow", INPUT_LINE, INPUT_REQUIRED, AT(name.flow), 128, 0}, \
	{"ref", INPUT_LINE, INPUT_REQUIRED, AT(name.ref), 256, 0}, \
	{"status", INPUT_LINE, INPUT_NULLABLE, AT(status), 128, 0}, \
	{"owner", INPUT_LINE, INPUT_NULLABLE, AT(owner), 256, 0}, \
	{"amount", INPUT_DECIMAL, INPUT_NULLABLE, AT(amount), 0, 0}, \
	{"currency", INPUT_CURRENCY, INPUT_NULLABLE, AT(currency), 0, 0}, \
	{"attributes", INPUT_OBJECT, INPUT_NULLABLE, AT(attributes), 0, 0}, \
	{"expires_at", INPUT_TIME, INPUT_NULLABLE, AT(expires_at), 0, 0}, \
	{"expires_in", INPUT_PERIOD, INPUT_NULLABLE, AT(expires_in), 0, 0}, \
	{"reason", INPUT_TEXT, INPUT_NULLABLE, AT(reason), 1000, 0}, \
	{"code", INPUT_LINE, INPUT_NULLABLE, AT(code), 128, 0}

#define STATUS_MEMBERS \
	{"status", INPUT_LINE, INPUT_REQUIRED, AT(status), 128, 0}, \
	{"reason", INPUT_TEXT, INPUT_NULLABLE, AT(reason), 1000, 0}, \
	{"code", INPUT_LINE, INPUT_NULLABLE, AT(code), 128, 0}, \
	{"detail", INPUT_JSON, INPUT_NULLABLE, AT(detail), 0, 0}, \
	{"source_event_id", INPUT_LINE, INPUT_NULLABLE, AT(source_event_id), 256, 0}, \
	{"source_version", INPUT_LINE, INPUT_NULLABLE, AT(source_version), 128, 0}, \
	{"source_at", INPUT_TIME, INPUT_NULLABLE, AT(source_at), 0, 0}

#define UPDATE_MEMBERS \
	{"owner", INPUT_LINE, INPUT_NULLABLE, AT(owner), 256, OP_SET_OWNER}, \
	{"amount", INPUT_DECIMAL, INPUT_NULLABLE, AT(amount), 0, OP_SET_AMOUNT}, \
	{"currency", INPUT_CURRENCY, INPUT_NULLABLE, AT(currency), 0, OP_SET_CURRENCY}, \
	{"attributes", INPUT_OBJECT, INPUT_NULLABLE, AT(attributes), 0, OP_SET_ATTRIBUTES}, \
	{"expires_at", INPUT_TIME, INPUT_NULLABLE, AT(expires_at), 0, OP_SET_EXPIRES}, \
	{"expires_in", INPUT_PERIOD, 0, AT(expires_in), 0, OP_SET_EXPIRES}, \
	{"legal_hold", INPUT_BOOL, 0, AT(held), 0, OP_SET_HELD}

#define BATCH_MEMBERS \
	{"op", INPUT_SKIP, INPUT_REQUIRED, 0, 0, 0}

#define EXISTING_MEMBERS \
	{"id", INPUT_SKIP, 0, 0, 0, 0}, \
	NAME_MEMBERS, \
	{"if_version", INPUT_COUNT, INPUT_NULLABLE, AT(if_version), 0, 0}

/* What an export has beside; told by the site, never taken over. */
#define SHOWN_MEMBERS \
	{"id", INPUT_SKIP, 0, 0, 0, 0}, \
	{"outcome", INPUT_SKIP, 0, 0, 0, 0}, \
	{"version", INPUT_SKIP, 0, 0, 0, 0}, \
	{"anomaly", INPUT_SKIP, 0, 0, 0, 0}, \
	{"created_at", INPUT_SKIP, 0, 0, 0, 0}, \
	{"updated_at", INPUT_SKIP, 0, 0, 0, 0}, \
	{"status_since", INPUT_SKIP, 0, 0, 0, 0}, \
	{"finished_at", INPUT_SKIP, 0, 0, 0, 0}, \
	{"next_poll_at", INPUT_SKIP, 0, 0, 0, 0}, \
	{"poll_failures", INPUT_SKIP, 0, 0, 0, 0}

#define IMPORT_MEMBERS \
	CREATE_MEMBERS, \
	{"detail", INPUT_JSON, INPUT_NULLABLE, AT(detail), 0, 0}, \
	{"source_event_id", INPUT_LINE, INPUT_NULLABLE, AT(source_event_id), 256, 0}, \
	{"source_version", INPUT_LINE, INPUT_NULLABLE, AT(source_version), 128, 0}, \
	{"source_at", INPUT_TIME, INPUT_NULLABLE, AT(source_at), 0, 0}, \
	{"paused", INPUT_BOOL, INPUT_NULLABLE, AT(paused), 0, 0}, \
	{"legal_hold", INPUT_BOOL, INPUT_NULLABLE, AT(held), 0, 0}, \
	SHOWN_MEMBERS

/* clang-format on */

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

const struct input_row CREATE_ROWS[] = {CREATE_MEMBERS};
const size_t CREATE_ROWS_N = COUNT(CREATE_ROWS);
const struct input_row STATUS_ROWS[] = {STATUS_MEMBERS};
const size_t STATUS_ROWS_N = COUNT(STATUS_ROWS);
const struct input_row UPDATE_ROWS[] = {UPDATE_MEMBERS};
const size_t UPDATE_ROWS_N = COUNT(UPDATE_ROWS);

const struct input_row IMPORT_ROWS[] = {IMPORT_MEMBERS};
const size_t IMPORT_ROWS_N = COUNT(IMPORT_ROWS);

const struct input_row BATCH_CREATE_ROWS[] = {BATCH_MEMBERS, CREATE_MEMBERS};
const size_t BATCH_CREATE_ROWS_N = COUNT(BATCH_CREATE_ROWS);
const struct input_row BATCH_STATUS_ROWS[] = {BATCH_MEMBERS, EXISTING_MEMBERS, STATUS_MEMBERS};
const size_t BATCH_STATUS_ROWS_N = COUNT(BATCH_STATUS_ROWS);
const struct input_row BATCH_UPDATE_ROWS[] = {BATCH_MEMBERS, EXISTING_MEMBERS, UPDATE_MEMBERS};
const size_t BATCH_UPDATE_ROWS_N = COUNT(BATCH_UPDATE_ROWS);

static const struct {
	const char *name;
	enum op_kind kind;
	const struct input_row *rows;
	size_t n;
} KINDS[] = {
    {"create", OP_CREATE, BATCH_CREATE_ROWS, COUNT(BATCH_CREATE_ROWS)},
    {"status", OP_STATUS, BATCH_STATUS_ROWS, COUNT(BATCH_STATUS_ROWS)},
    {"update", OP_UPDATE, BATCH_UPDATE_ROWS, COUNT(BATCH_UPDATE_ROWS)},
};

bool members_check(struct input *in, txw_time now, struct op *op)
{
	if (op->expires_at && op->expires_in)
		return input_wrong(in, "expires_in", "give either expires_at or expires_in");
	/* What is imported may have had its time. */
	if (op->kind != OP_IMPORT && op->expires_at && op->expires_at <= now)
		return input_wrong(in, "expires_at", "must be in the future");
	if (op->expires_in > INT64_MAX / 2 - now)
		return input_wrong(in, "expires_in", "is too long");
	if (op->kind == OP_UPDATE && op->expires_in) {
		op->expires_at = now + op->expires_in;
		op->expires_in = 0;
	}
	return true;
}

/* Which transaction: by id, or by flow and ref. */
static bool read_name(struct input *in, const json_t *object, struct op *op)
{
	const json_t *id = json_object_get(object, "id");
	bool by_name = op->name.flow.len && op->name.ref.len;
	if (!id) {
		if (!by_name)
			return input_wrong(in, "id", "give either id, or flow and ref");
		return true;
	}
	if (op->name.flow.len || op->name.ref.len)
		return input_wrong(in, "id", "give either id, or flow and ref");
	txw_str text = {json_string_value(id), json_string_length(id)};
	if (!json_is_string(id) || !id_parse(text, "tx", &op->name.id) || id_is_none(op->name.id))
		return input_wrong(in, "id", "must be the id of a transaction, \"tx_...\"");
	return true;
}

bool members_batch_op(struct input *in, const json_t *object, txw_time now, struct op *op)
{
	if (!json_is_object(object))
		return input_wrong(in, "op", "an operation must be an object");
	const char *word = json_string_value(json_object_get(object, "op"));
	size_t i = 0;
	while (i < COUNT(KINDS) && (!word || strcmp(word, KINDS[i].name) != 0))
		i++;
	if (i == COUNT(KINDS))
		return input_wrong(in, "op", "must be \"create\", \"status\" or \"update\"");
	op->kind = KINDS[i].kind;
	if (!input_read(in, object, KINDS[i].rows, KINDS[i].n, op, &op->set))
		return false;
	if (op->kind != OP_CREATE && !read_name(in, object, op))
		return false;
	return members_check(in, now, op);
}
