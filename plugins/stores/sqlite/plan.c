/*
 * plan.c: see plan.h.
 *
 * What can be found is read from the shapes, which are exact; how much of it,
 * from the host's counts, which only say which way is the quicker. Arms are
 * taken wherever they leave anything out: how rows of a kind lie among the
 * others nobody knows, and those wanted may all be at the far end.
 */
#include "plan.h"

#include <string.h>

#include "filter_sql.h"

/* Looked at, of what the tenant has, or of its flow that the filter names; with
 * more the whole is read. */
#define SHAPES_MAX 4096
#define DEPTH_MAX  64

/* What a filter says of a row of which flow, status and outcome are known. */
enum answer { NEVER, ALWAYS, PERHAPS };

struct words {
	txw_str flow;
	txw_str status;
	txw_str outcome;
};

static const char *const OUTCOMES[] = {"open", "success", "failure", "cancelled", "expired"};

static enum answer of_test(const txw_filter *f, const struct words *w)
{
	const txw_str *have = f->field == TXW_FIELD_FLOW      ? &w->flow
			      : f->field == TXW_FIELD_STATUS  ? &w->status
			      : f->field == TXW_FIELD_OUTCOME ? &w->outcome
							      : NULL;
	if (!have || !have->len || f->op < TXW_F_EQ || f->op > TXW_F_HAS)
		return PERHAPS;
	return text_match(f->op, *have, f->text) ? ALWAYS : NEVER;
}

/* Nesting is bounded: filter_sql refuses what is deeper. */
static enum answer of_filter(const txw_filter *f, const struct words *w, int depth)
{
	bool is_and = f->kind == TXW_F_AND;
	enum answer all = is_and ? ALWAYS : NEVER;
	if (f->kind == TXW_F_TEST)
		return of_test(f, w);
	if (depth > DEPTH_MAX)
		return PERHAPS;
	if (f->kind == TXW_F_NOT && f->n_children == 1) {
		enum answer a = of_filter(f->children[0], w, depth + 1);
		return a == PERHAPS ? PERHAPS : a == ALWAYS ? NEVER : ALWAYS;
	}
	if (!is_and && f->kind != TXW_F_OR)
		return PERHAPS;
	for (uint32_t i = 0; i < f->n_children; i++) {
		enum answer a = of_filter(f->children[i], w, depth + 1);
		if (a == (is_and ? NEVER : ALWAYS))
			return a;
		if (a == PERHAPS)
			all = PERHAPS;
	}
	return all;
}

static bool can_hold(const txw_filter *f, const struct words *w)
{
	return !f || of_filter(f, w, 0) != NEVER;
}

/* Does the filter name a row or an owner? */
static bool is_named(const txw_filter *f, int depth)
{
	if (!f || depth > DEPTH_MAX)
		return false;
	if (f->kind == TXW_F_AND) {
		for (uint32_t i = 0; i < f->n_children; i++)
			if (is_named(f->children[i], depth + 1))
				return true;
		return false;
	}
	bool is_prefix = f->text.len && f->text.ptr[f->text.len - 1] == '*';
	return f->kind == TXW_F_TEST && f->op == TXW_F_EQ && !is_prefix &&
	       (f->field == TXW_FIELD_ID || f->field == TXW_FIELD_REF ||
		f->field == TXW_FIELD_OWNER);
}

/* Adds the shape's arm, unless it is there. false: there are too many. */
static bool add_arm(struct plan *p, const struct shape *s)
{
	struct arm arm = {s->tenant, s->flow, s->is_finished ? s->status : 0};
	for (size_t i = 0; i < p->n; i++)
		if (p->arms[i].tenant == arm.tenant && p->arms[i].flow == arm.flow &&
		    p->arms[i].fin == arm.fin)
			return true;
	if (p->n == ARMS_MAX)
		return false;
	p->arms[p->n++] = arm;
	return true;
}

static bool is_of(enum part part, bool is_finished)
{
	return part == PART_ALL || (part == PART_FINISHED) == is_finished;
}

static int32_t use_whole(struct plan *p)
{
	p->is_whole = p->n > 0;
	return TXW_OK;
}

/* Does such a statement find anything? 1, 0 or an error. */
static int32_t is_any(struct reader *r, sqlite3_stmt *st, txw_error *err)
{
	int32_t rc = db_step(&r->db, st, "planning a search", err);
	sqlite3_reset(st);
	return rc;
}

/* All of a tenant's rows are wanted: are there any but these? */
static int32_t look_for_others(struct reader *r, const txw_tx_query *q, struct plan *p,
			       txw_error *err)
{
	sqlite3_stmt *st = db_stmt(&r->db, SQL_SHAPE_OTHERS);
	bind_int(st, 1, names_find(&r->names, q->tenant));
	int32_t rc = is_any(r, st, err);
	if (rc < 0)
		return rc;
	return rc == 0 ? use_whole(p) : TXW_OK;
}

/* Has the tenant another flow? 1, 0 or an error. */
static int32_t has_other_flow(struct reader *r, const txw_tx_query *q, txw_str flow, txw_error *err)
{
	sqlite3_stmt *st = db_stmt(&r->db, SQL_SHAPE_FLOWS);
	bind_int(st, 1, names_find(&r->names, q->tenant));
	bind_int(st, 2, names_find(&r->names, flow));
	return is_any(r, st, err);
}

/* The one flow that rows must be of; empty: of any. */
static txw_str flow_of(const txw_filter *f, int depth)
{
	txw_str none = {NULL, 0};
	if (!f || depth > DEPTH_MAX)
		return none;
	bool is_prefix = f->text.len && f->text.ptr[f->text.len - 1] == '*';
	if (f->kind == TXW_F_TEST && f->field == TXW_FIELD_FLOW && f->op == TXW_F_EQ && !is_prefix)
		return f->text;
	for (uint32_t i = 0; f->kind == TXW_F_AND && i < f->n_children; i++) {
		txw_str flow = flow_of(f->children[i], depth + 1);
		if (flow.len)
			return flow;
	}
	return none;
}

/* Shapes of all, of a tenant, or of a tenant's flow. */
static sqlite3_stmt *shapes_of(struct reader *r, const txw_tx_query *q, txw_str flow)
{
	bool all = q->tenant.len == 0;
	int which = all ? SQL_SHAPE_LIST_ALL : flow.len ? SQL_SHAPE_LIST_FLOW : SQL_SHAPE_LIST;
	sqlite3_stmt *st = db_stmt(&r->db, which);
	if (!all)
		bind_int(st, 2, names_find(&r->names, q->tenant));
	if (flow.len)
		bind_int(st, 3, names_find(&r->names, flow));
	bind_int(st, 1, SHAPES_MAX);
	return st;
}

/* What one look at the shapes told. */
struct look {
	bool is_less; /* the filter leaves some out */
	bool is_cut;  /* there are SHAPES_MAX, and maybe more */
};

static int32_t take_shapes(struct reader *r, sqlite3_stmt *st, const txw_tx_query *q,
			   enum part part, struct plan *p, struct look *look, txw_error *err)
{
	int n = 0;
	int32_t rc;
	p->n = 0;
	while ((rc = db_step(&r->db, st, "planning a search", err)) > 0 && !p->is_whole &&
	       !look->is_cut) {
		struct shape s = {column_int(st, 0), column_int(st, 1), column_int(st, 2),
				  (uint32_t)column_int(st, 3), (uint32_t)column_int(st, 4)};
		const char *outcome = s.outcome < 5 ? OUTCOMES[s.outcome] : "";
		struct words w = {names_text(&r->names, &r->db, s.flow),
				  names_text(&r->names, &r->db, s.status),
				  {outcome, strlen(outcome)}};
		bool is_in = is_of(part, s.is_finished) && can_hold(q->filter, &w);
		look->is_less = look->is_less || !is_in;
		look->is_cut = ++n == SHAPES_MAX;
		p->is_whole = is_in && !add_arm(p, &s);
	}
	sqlite3_reset(st);
	return rc < 0 ? rc : TXW_OK;
}

static int32_t read_shapes(struct reader *r, const txw_tx_query *q, enum part part, struct plan *p,
			   txw_error *err)
{
	bool all = q->tenant.len == 0;
	txw_str flow = all ? (txw_str){NULL, 0} : flow_of(q->filter, 0);
	struct look look = {0};
	int32_t rc = flow.len ? has_other_flow(r, q, flow, err) : 0;
	if (rc < 0)
		return rc;
	look.is_less = rc > 0;
	rc = take_shapes(r, shapes_of(r, q, flow), q, part, p, &look, err);
	p->is_whole = p->is_whole || look.is_cut;
	if (rc < 0 || p->is_whole || look.is_less)
		return rc;
	return all ? use_whole(p) : look_for_others(r, q, p, err);
}

struct expectation {
	const txw_filter *filter;
	enum part part;
	int64_t n; /* -1: nothing is counted */
};

static int32_t expect(void *ctx, const txw_count *row)
{
	struct expectation *x = ctx;
	const char *slash = row->key.len ? memchr(row->key.ptr, '/', row->key.len) : NULL;
	if (!slash)
		return 0;
	size_t at = (size_t)(slash - row->key.ptr);
	struct words w = {row->flow, {slash + 1, row->key.len - at - 1}, {row->key.ptr, at}};
	if (x->n < 0)
		x->n = 0;
	if (is_of(x->part, at != 4 || memcmp(row->key.ptr, "open", 4) != 0) &&
	    can_hold(x->filter, &w))
		x->n += row->count;
	return 0;
}

/* How much will be found, as far as the counts can say. */
static int32_t weigh(struct reader *r, const txw_tx_query *q, enum part part, struct plan *p,
		     txw_error *err)
{
	struct expectation x = {q->filter, part, -1};
	txw_count_query now = {.size = sizeof(now), .tenant = q->tenant, .kind = {"now", 3}};
	int32_t rc = counts_read(r, &now, expect, &x, err);
	p->expected = x.n;
	return rc;
}

int32_t plan_make(struct reader *r, const txw_tx_query *q, enum part part, struct plan *p,
		  txw_error *err)
{
	*p = (struct plan){.expected = -1};
	if (is_named(q->filter, 0)) {
		p->is_whole = p->is_named = true;
		return TXW_OK;
	}
	int32_t rc = read_shapes(r, q, part, p, err);
	/* Only an order asks how much there is. */
	return rc < 0 || !q->n_order ? rc : weigh(r, q, part, p, err);
}
