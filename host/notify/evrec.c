/* evrec.c: an event in memory, made once for all who need it. */
#include "base/row.h"
#include "base/str.h"
#include "notify/private.h"

#include <stdlib.h>

static size_t texts_size(const txw_event *ev)
{
	const txw_tx *tx = ev->tx;
	size_t n = ev->tenant.len + ev->from.len + ev->to.len + ev->source.len + ev->actor.len +
		   ev->source_event_id.len + ev->reason.len + ev->code.len + ev->detail.len +
		   ev->digest.len + ev->hash.len + ev->trace.len;
	if (tx)
		n += tx->tenant.len + tx->flow.len + tx->ref.len + tx->status.len + tx->owner.len +
		     tx->amount.len + tx->currency.len + tx->attributes.len + tx->reason.len +
		     tx->code.len + tx->source_version.len + tx->anomaly.len;
	return n;
}

struct evrec *evrec_new(const txw_event *ev)
{
	struct evrec *r = xmalloc(sizeof(*r));
	*r = (struct evrec){.refs = 1};
	struct buf json = {0};
	buf_reserve(&json, 1024);
	json_event(&json, ev);
	/* One block for all: the structs, and each text rounded up. */
	arena_first(&r->arena, sizeof(txw_event) + sizeof(txw_tx) + texts_size(ev) + json.len +
				   32 * (size_t)26);
	txw_event with = *ev;
	with.json = buf_view(&json);
	r->ev = row_copy_event(&r->arena, &with);
	buf_free(&json);
	return r;
}

struct evrec *evrec_ref(struct evrec *r)
{
	atomic_fetch_add(&r->refs, 1);
	return r;
}

void evrec_unref(struct evrec *r)
{
	if (!r || atomic_fetch_sub(&r->refs, 1) != 1)
		return;
	arena_free(&r->arena);
	free(r);
}
