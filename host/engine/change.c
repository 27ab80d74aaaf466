/* change.c: what is said of refusals; see change.h. */
#include "engine/change.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "engine/flows.h"

#define NAMES_MAX 64

static const char *nearest_text(struct change *c, txw_str word, const char *const *names, size_t n)
{
	const char *near = str_nearest(arena_printf(&c->batch->arena, "%.*s", STR_ARG(word)), names,
				       n);
	return near ? arena_printf(&c->batch->arena, "; did you mean \"%s\"?", near) : "";
}

const char *change_unknown_text(struct change *c)
{
	const struct flow *f = c->entry->flow;
	const char *names[NAMES_MAX];
	size_t n = 0;
	for (; n < f->n_states && n < NAMES_MAX; n++)
		names[n] = f->states[n].name.ptr;
	return arena_printf(&c->batch->arena, "flow %.*s has no state \"%.*s\"%s", STR_ARG(f->name),
			    STR_ARG(c->op->status), nearest_text(c, c->op->status, names, n));
}

const char *change_illegal_text(struct change *c)
{
	const struct flow *f = c->entry->flow;
	struct buf b = {0};
	flow_allowed_text(f, flow_find(f, c->row->status), &b);
	const char *text = arena_printf(
	    &c->batch->arena, "flow %.*s does not move from \"%.*s\" to \"%.*s\"; %s%.*s",
	    STR_ARG(f->name), STR_ARG(c->row->status), STR_ARG(c->op->status),
	    b.len ? "allowed: " : "nothing follows it", STR_ARG(buf_view(&b)));
	buf_free(&b);
	return text;
}

static const char *deadline_text(struct change *c)
{
	char text[TIME_TEXT_MAX];
	txw_time ended = c->row->expires_at;
	if (!ended)
		return "it had expired";
	time_print(text, ended);
	return arena_printf(&c->batch->arena, "its deadline %s had passed", text);
}

const char *change_late_text(struct change *c)
{
	return arena_printf(&c->batch->arena, "%s; %s", deadline_text(c), change_illegal_text(c));
}

const char *change_late_reason(struct change *c)
{
	txw_str given = c->op->reason;
	return given.len ? arena_printf(&c->batch->arena, "late: %.*s", STR_ARG(given))
			 : arena_printf(&c->batch->arena, "late: %s", deadline_text(c));
}

const char *change_no_flow_text(struct change *c, txw_str flow)
{
	const struct flows *all = engine_flows(c->unit->engine);
	const char *names[NAMES_MAX];
	size_t n = 0;
	for (; n < all->n && n < NAMES_MAX; n++)
		names[n] = all->entries[n].flow->name.ptr;
	return arena_printf(&c->batch->arena, "there is no flow \"%.*s\"%s", STR_ARG(flow),
			    nearest_text(c, flow, names, n));
}
