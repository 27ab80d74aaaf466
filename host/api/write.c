/* write.c: see write.h. */
#include "api/write.h"

#include <stdlib.h>

void write_ops(struct write *w, size_t n)
{
	struct batch *b = w->batch;
	txw_str tenant = w->call->tenant;
	/* The token may go with a reload while the batch waits. */
	txw_str actor = arena_str(&b->arena, str_of(w->call->token->actor));
	txw_str trace = arena_str(&b->arena, http_trace_theirs(w->call->request));
	b->ops = xcalloc(n, sizeof(struct op));
	b->n = n;
	for (size_t i = 0; i < n; i++) {
		b->ops[i].name.tenant = tenant;
		b->ops[i].source = STR_LIT("api");
		b->ops[i].actor = actor;
		b->ops[i].trace = trace;
	}
}

struct write *write_new(struct call *c, size_t n, void (*render)(struct write *, struct answer *))
{
	struct write *w = arena_alloc(c->arena, sizeof(*w));
	w->call = c;
	w->render = render;
	w->batch = xcalloc(1, sizeof(struct batch));
	w->batch->ctx = w;
	w->in.arena = &w->batch->arena;
	if (n)
		write_ops(w, n);
	return w;
}

void write_free(struct write *w)
{
	if (!w->batch)
		return;
	input_end(&w->in);
	json_decref(w->json);
	batch_free(w->batch);
	w->json = NULL;
	w->batch = NULL;
}

static int32_t write_finish(struct batch *b, struct unit *u, struct err *e)
{
	struct write *w = b->ctx;
	answer_reset(&w->answer);
	w->render(w, &w->answer);
	w->is_rendered = true;
	return once_save(w->call->once, u, &w->answer, e);
}

static void write_done(struct batch *b)
{
	struct write *w = b->ctx;
	struct call *c = w->call;
	struct answer a = w->answer;
	bool is_told = b->job.rc == 0 || (b->atomic && b->job.rc == TXW_E_CANCELLED);
	if (!is_told) {
		struct err e = b->job.err;
		buf_free(&a.body);
		write_free(w);
		call_failed(c, e.code, &e, NULL);
		return;
	}
	if (!w->is_rendered || b->job.rc < 0) {
		answer_reset(&a);
		w->render(w, &a);
	}
	write_free(w); /* before the call, and w with it, ends */
	call_answer(c, &a);
}

bool op_may(const struct call *c, const struct op *op)
{
	return !(op->set & OP_SET_HELD) || c->token->scope >= SCOPE_ADMIN;
}

void call_no_admin(struct call *c, const char *for_what)
{
	struct answer a = {0};
	answer_problem_open(&a, c, PROBLEM_FORBIDDEN,
			    arena_printf(c->arena, "%s needs the scope `admin`", for_what));
	json_m_text(&a.body, "scope", scope_name(SCOPE_ADMIN));
	json_close(&a.body, '}');
	call_answer(c, &a);
}

bool write_may(struct write *w)
{
	struct call *c = w->call;
	for (size_t i = 0; i < w->batch->n; i++) {
		if (op_may(c, &w->batch->ops[i]))
			continue;
		write_free(w);
		call_no_admin(c, "legal_hold");
		return false;
	}
	return true;
}

void write_submit(struct write *w)
{
	struct batch *b = w->batch;
	struct call *c = w->call;
	b->done = write_done;
	b->finish = c->once && !w->is_dry ? write_finish : NULL;
	int32_t rc = batch_submit(c->api->site->engine, b);
	if (rc >= 0)
		return;
	struct err e = b->job.err;
	write_free(w);
	call_failed(c, rc, &e, NULL);
}

void write_wrong(struct write *w)
{
	struct call *c = w->call;
	struct mistake m = {
	    .member = w->in.mistake.member ? arena_printf(c->arena, "%s", w->in.mistake.member)
					   : NULL,
	    .text = arena_printf(c->arena, "%s", w->in.mistake.text),
	};
	write_free(w);
	call_wrong(c, &m);
}
