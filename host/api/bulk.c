/*
 * bulk.c: one action on every transaction that a filter holds for, as a job
 * of the kind "bulk".
 *
 * The rows are walked by key, oldest first, up to the newest of the moment it
 * began. A step reads CHUNK of them on a reader's thread; in the unit each is
 * loaded anew and asked again whether the filter still holds, since it may
 * have moved meanwhile. A dry run does the same and writes nothing.
 *
 * cursor:   {"after":KEY,"end":KEY}
 * progress: {"matched":N|null,"done":N,"changed":N,"unchanged":N,"refused":N,
 *            "skipped":N,"reasons":[{"result","why","count"}],
 *            "examples":[{"id","ref","result","why"}]}
 */
#include "api/bulk.h"

#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/walk.h"
#include "api/write.h"
#include "filter/filter.h"

#define CHUNK        200
#define REASONS_MAX  20
#define EXAMPLES_MAX 10
#define COUNT_MAX    1000000 /* beyond it `matched` is null */

struct bulk {
	struct arena arena;
	struct input in;
	const txw_filter *filter;
	struct op op; /* what is done to each; texts borrowed from the params */
	bool is_dry;
	/* Of the step: */
	struct walk walk;
	txw_id ids[CHUNK];
	size_t n;
	int64_t matched;    /* -1: not counted */
	struct batch batch; /* only its arena: results' texts */
};

/* ---- what is asked for ---- */

static const char ACTIONS[] = "must be one of status, update, poll, pause, resume";

static const struct {
	const char *name;
	enum op_kind kind;
	uint32_t set;
	uint32_t paused;
} KINDS[] = {
    {"status", OP_STATUS, 0, 0},
    {"update", OP_UPDATE, 0, 0},
    {"poll", OP_UPDATE, OP_SET_POLL_NOW, 0},
    {"pause", OP_UPDATE, OP_SET_PAUSED, 1},
    {"resume", OP_UPDATE, OP_SET_PAUSED, 0},
};

/* What the action's object may hold. */
static bool read_members(struct input *in, const json_t *object, txw_time now, struct op *op)
{
	if (op->kind == OP_STATUS)
		return input_read(in, object, STATUS_ROWS, STATUS_ROWS_N, op, NULL);
	if (op->set)
		return input_read(in, object, NULL, 0, op, NULL);
	if (json_object_size(object) == 0)
		return input_wrong(in, "owner", "name at least one member to change");
	return input_read(in, object, UPDATE_ROWS, UPDATE_ROWS_N, op, &op->set) &&
	       members_check(in, now, op);
}

/* {"status":{...}} and so on into *op. */
static bool read_action(struct input *in, const json_t *action, txw_time now, struct op *op)
{
	if (!json_is_object(action) || json_object_size(action) != 1)
		return input_wrong(in, "action", "%s", ACTIONS);
	for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++) {
		const json_t *v = json_object_get(action, KINDS[i].name);
		if (!v)
			continue;
		op->kind = KINDS[i].kind;
		op->set = KINDS[i].set;
		op->paused = KINDS[i].paused;
		if (!json_is_object(v))
			return input_wrong(in, "action", "%s must be an object", KINDS[i].name);
		if (read_members(in, v, now, op))
			return true;
		in->mistake.member = arena_printf(in->arena, "action.%s.%s", KINDS[i].name,
						  in->mistake.member);
		return false;
	}
	return input_wrong(in, "action", "%s", ACTIONS);
}

struct bulk_head {
	txw_str filter;
	uint32_t dry_run;
};
const struct input_row BULK_ROWS[] = {
    {"filter", INPUT_TEXT, INPUT_REQUIRED, offsetof(struct bulk_head, filter), FILTER_TEXT_MAX, 0},
    {"action", INPUT_SKIP, INPUT_REQUIRED, 0, 0, 0},
    {"dry_run", INPUT_BOOL, 0, offsetof(struct bulk_head, dry_run), 0, 0},
};
const size_t BULK_ROWS_N = sizeof(BULK_ROWS) / sizeof(BULK_ROWS[0]);

/* The params into b. Negative: b->in.mistake is set, or else the filter cannot
 * be read. */
static int32_t read_params(struct bulk *b, const json_t *params, txw_time now, struct err *e)
{
	struct bulk_head head = {0};
	b->in.arena = &b->arena;
	if (!input_read(&b->in, params, BULK_ROWS, BULK_ROWS_N, &head, NULL) ||
	    !read_action(&b->in, json_object_get(params, "action"), now, &b->op))
		return err_set(e, TXW_E_INVALID, "%s: %s", b->in.mistake.member,
			       b->in.mistake.text);
	b->is_dry = head.dry_run;
	return filter_parse(&b->arena, head.filter, FILTER_TX, now, &b->filter, e);
}

static void bulk_free(struct bulk *b)
{
	input_end(&b->in);
	arena_free(&b->arena);
	arena_free(&b->batch.arena);
	free(b);
}

/* The params are kept, and shown. */
static bool redact_action(struct call *c, const json_t *params)
{
	json_t *action = json_object_get(params, "action");
	json_t *status = json_object_get(action, "status");
	json_t *update = json_object_get(action, "update");
	return (!status || redact_members(c, status)) && (!update || redact_members(c, update));
}

/* The filter may choose transactions of any flow, but a word of none is a slip
 * of the pen: a job would refuse row after row. */
static bool know_status(const struct call *c, struct bulk *b)
{
	const struct flows *flows = c->api->site->flows;
	txw_str word = b->op.status;
	bool is_known = b->op.kind != OP_STATUS;
	for (size_t i = 0; !is_known && i < flows->n; i++) {
		const struct flow *f = flows->entries[i].flow;
		is_known = flow_find(f, word) < f->n_states;
	}
	return is_known || input_wrong(&b->in, "action.status.status",
				       "no flow has a state \"%.*s\"", STR_ARG(word));
}

void do_tx_bulk(struct call *c)
{
	struct input in = {.arena = c->arena};
	struct err e = {0};
	json_t *params = input_parse(&in, http_body(c->request));
	if (!params) {
		call_wrong(c, &in.mistake);
		return;
	}
	struct bulk *b = xcalloc(1, sizeof(*b));
	int32_t rc = read_params(b, params, loop_now(c->api->site->loop), &e);
	if (rc >= 0 && !know_status(c, b)) {
		call_wrong(c, &b->in.mistake);
	} else if (rc >= 0 && !op_may(c, &b->op)) {
		call_no_admin(c, "legal_hold");
	} else if (rc >= 0 && !redact_action(c, params)) {
		call_problem(c, PROBLEM_INTERNAL, NULL);
	} else if (rc >= 0) {
		call_begin_job(c, "bulk", params);
		params = NULL;
	} else if (b->in.mistake.text) {
		call_wrong(c, &b->in.mistake);
	} else {
		call_problem(c, PROBLEM_BAD_FILTER, "%s", e.text);
	}
	bulk_free(b);
	json_decref(params);
}

/* ---- a step's reading ---- */

static int32_t take_newest(void *ctx, const txw_tx *row)
{
	*(int64_t *)ctx = row->key;
	return 1;
}

/* Where the walk ends, and how many there are. */
static int32_t measure(struct work *w, struct bulk *b, const txw_store *store, void *reader,
		       struct err *e)
{
	txw_tx_query q = {.size = sizeof(q), .limit = 1, .tenant = w->tenant};
	b->walk.end = 0;
	b->matched = -1;
	int32_t rc = READ_CALL(store, e, list_tx, reader, &q, take_newest, &b->walk.end);
	if (rc < 0 || !store->count_tx)
		return rc;
	q.filter = b->filter;
	rc = READ_CALL(store, e, count_tx, reader, &q, COUNT_MAX, &b->matched);
	if (rc == TXW_E_TIMEOUT || b->matched == COUNT_MAX)
		b->matched = -1;
	return rc == TXW_E_TIMEOUT ? 0 : rc;
}

static int32_t take_row(void *ctx, const txw_tx *row)
{
	struct bulk *b = ctx;
	b->ids[b->n++] = row->id;
	return 0;
}

static int32_t bulk_read(struct work *w, const txw_store *store, void *reader, struct err *e)
{
	struct bulk *b = w->own;
	const json_t *end = json_object_get(w->cursor, "end");
	int32_t rc = 0;
	if (end)
		b->walk.end = json_integer_value(end);
	else if ((rc = measure(w, b, store, reader, e)) < 0)
		return rc;
	b->n = 0;
	b->walk.tenant = w->tenant;
	b->walk.filter = b->filter;
	b->walk.last = json_integer_value(json_object_get(w->cursor, "after"));
	b->walk.is_over = b->walk.end == 0; /* there are none at all */
	if (!b->walk.is_over)
		rc = walk_read(&b->walk, store, reader, CHUNK, take_row, b, e);
	w->weight = b->n;
	return rc;
}

/* ---- what came of it ---- */

static void count(json_t *progress, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(progress, key));
	json_object_set_new(progress, key, json_integer(n + 1));
}

static void add_reason(json_t *list, const char *result, const char *why)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *one = json_array_get(list, i);
		const char *has = json_string_value(json_object_get(one, "why"));
		if (strcmp(json_string_value(json_object_get(one, "result")), result) == 0 && has &&
		    strcmp(has, why) == 0) {
			count(one, "count");
			return;
		}
	}
	if (json_array_size(list) < REASONS_MAX)
		json_array_append_new(
		    list, json_pack("{s:s,s:s,s:i}", "result", result, "why", why, "count", 1));
}

static void add_refused(json_t *progress, const struct op *op, const txw_tx *row)
{
	char id[ID_TEXT_MAX];
	const char *result = op_result_name(op->result);
	const char *why = op->why ? op->why : "";
	json_t *examples = json_object_get(progress, "examples");
	count(progress, "refused");
	add_reason(json_object_get(progress, "reasons"), result, why);
	if (json_array_size(examples) >= EXAMPLES_MAX)
		return;
	id_print(id, "tx", row->id);
	json_array_append_new(examples,
			      json_pack("{s:s,s:s%,s:s,s:s}", "id", id, "ref", row->ref.ptr,
					row->ref.len, "result", result, "why", why));
}

static void begin_progress(const struct bulk *b, json_t *cursor, json_t *progress)
{
	static const char *const counts[] = {"done", "changed", "unchanged", "refused", "skipped"};
	json_object_set_new(cursor, "end", json_integer(b->walk.end));
	json_object_set_new(progress, "matched",
			    b->matched < 0 ? json_null() : json_integer(b->matched));
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		json_object_set_new(progress, counts[i], json_integer(0));
	json_object_set_new(progress, "reasons", json_array());
	json_object_set_new(progress, "examples", json_array());
}

/* ---- a step's writing ---- */

static int32_t act(struct work *w, struct bulk *b, struct unit *u, const txw_tx *row, struct err *e)
{
	json_t *progress = w->next_progress;
	if (!row || !filter_match_tx(b->filter, row)) {
		count(progress, "skipped");
		return 0;
	}
	struct op op = b->op;
	op.name = (txw_tx_name){.size = sizeof(op.name), .id = row->id, .tenant = w->tenant};
	op.source = STR_LIT("api");
	op.actor = w->actor;
	op.trace = w->trace;
	op.dry_run = b->is_dry;
	int32_t rc = op_run(&b->batch, u, &op, e);
	if (rc < 0)
		return rc;
	count(progress, "done");
	/* A poll brought forward is a change, though not one of the log. */
	bool polls = (op.set & OP_SET_POLL_NOW) && op.after && op.after->next_poll_at == u->now;
	if (op.result == OP_CHANGED || op.result == OP_CREATED || polls)
		count(progress, "changed");
	else if (op.result == OP_UNCHANGED)
		count(progress, "unchanged");
	else
		add_refused(progress, &op, row);
	return 0;
}

static int32_t bulk_step(struct work *w, struct unit *u, struct err *e)
{
	struct bulk *b = w->own;
	txw_tx_name names[CHUNK];
	const txw_tx *rows[CHUNK];
	int32_t rc = 0;
	arena_reset(&b->batch.arena);
	if (!json_object_get(w->next_cursor, "end"))
		begin_progress(b, w->next_cursor, w->next_progress);
	for (size_t i = 0; i < b->n; i++)
		names[i] = (txw_tx_name){.size = sizeof(names[i]), .id = b->ids[i]};
	if (b->n && (rc = UNIT_CALL(u, e, load, names, sizeof(names[0]), b->n, rows)) < 0)
		return rc;
	for (size_t i = 0; i < b->n; i++) {
		if ((rc = act(w, b, u, rows[i], e)) < 0)
			return rc;
	}
	json_object_set_new(w->next_cursor, "after", json_integer(b->walk.last));
	return b->walk.is_over ? WORK_OVER : WORK_MORE;
}

/* ---- the kind ---- */

static int32_t bulk_open(struct work *w, struct err *e)
{
	struct bulk *b = xcalloc(1, sizeof(*b));
	/* Relative times mean the moment it was asked for. */
	int32_t rc = read_params(b, w->params, w->created_at, e);
	w->own = b;
	if (rc < 0)
		bulk_free(b);
	return rc;
}

static void bulk_close(struct work *w)
{
	bulk_free(w->own);
}

const struct work_kind BULK_KIND = {
    .name = "bulk",
    .open = bulk_open,
    .read = bulk_read,
    .step = bulk_step,
    .close = bulk_close,
};
