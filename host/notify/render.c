/* render.c: deliveries, attempts and subscriptions as the API shows them. */
#include "base/id.h"
#include "base/row.h"
#include "base/str.h"
#include "notify/private.h"

#include <stdlib.h>

static const char *const STATES[] = {
    [TXW_DLV_PENDING] = "pending",     [TXW_DLV_BLOCKED] = "blocked",
    [TXW_DLV_DELIVERED] = "delivered", [TXW_DLV_DEAD] = "dead",
    [TXW_DLV_PARKED] = "parked",       [TXW_DLV_SUPPRESSED] = "suppressed",
    [TXW_DLV_SENDING] = "sending",
};
#define N_STATES (sizeof(STATES) / sizeof(STATES[0]))

const char *delivery_state_name(uint32_t state)
{
	return state < N_STATES ? STATES[state] : "unknown";
}

bool delivery_state_parse(txw_str name, uint32_t *out)
{
	for (uint32_t i = 0; i < N_STATES; i++) {
		if (str_is(name, STATES[i])) {
			*out = i;
			return true;
		}
	}
	return false;
}

static void m_event(struct buf *b, uint32_t site, const txw_event *ev)
{
	json_key(b, "event");
	json_open(b, '{');
	json_m_int(b, "seq", ev->seq);
	json_m_id(b, "id", "evt", id_from_key(ev->at, site, ev->seq));
	json_m_text(b, "type", event_type_name(ev->type));
	json_m_time(b, "at", ev->at);
	json_close(b, '}');
	if (!ev->tx)
		return;
	json_key(b, "transaction");
	json_open(b, '{');
	json_m_id(b, "id", "tx", ev->tx->id);
	json_m_str(b, "flow", ev->tx->flow);
	json_m_str(b, "ref", ev->tx->ref);
	json_close(b, '}');
}

void delivery_render(struct buf *b, uint32_t site, const txw_delivery_row *row,
		     const txw_target *target, const txw_event *event)
{
	json_open(b, '{');
	json_m_id(b, "id", "dlv", id_from_key(row->created_at, site, row->key));
	json_m_str(b, "target", target ? target->name : STR_NONE);
	if (target && str_starts(target->name, STR_LIT("sub_")))
		json_m_str(b, "subscription", target->name);
	json_m_int(b, "seq", row->seq);
	if (event)
		m_event(b, site, event);
	json_m_text(b, "state", delivery_state_name(row->state));
	json_m_int(b, "attempt_count", row->attempts);
	json_m_time(b, "next_attempt_at", row->state == TXW_DLV_PENDING ? row->due_at : 0);
	if (row->status)
		json_m_int(b, "status", row->status);
	json_m_opt(b, "reason", row->reason);
	json_m_bool(b, "ordered", row->ordered != 0);
	json_m_time(b, "created_at", row->created_at);
	json_m_time(b, "updated_at", row->updated_at);
	json_close(b, '}');
}

static const char *const VERDICTS[] = {
    [TXW_VERDICT_OK] = "ok",     [TXW_VERDICT_RETRY] = "retry",       [TXW_VERDICT_DROP] = "drop",
    [TXW_VERDICT_GONE] = "gone", [TXW_VERDICT_THROTTLE] = "throttle",
};

static void m_seconds(struct buf *b, const char *key, int64_t micros)
{
	if (micros > 0) {
		json_key(b, key);
		buf_printf(b, "%lld.%06lld", (long long)(micros / SECOND),
			   (long long)(micros % SECOND));
	}
}

void attempt_render(struct buf *b, const txw_attempt *row)
{
	json_open(b, '{');
	json_m_int(b, "attempt", row->n);
	json_m_time(b, "at", row->at);
	json_m_text(b, "verdict",
		    row->verdict < sizeof(VERDICTS) / sizeof(VERDICTS[0]) ? VERDICTS[row->verdict]
									  : "unknown");
	if (row->status)
		json_m_int(b, "status", row->status);
	json_m_opt(b, "reason", row->reason);
	json_m_opt(b, "peer", row->peer);
	m_seconds(b, "took_seconds", row->took);
	m_seconds(b, "connect_seconds", row->connect_took);
	m_seconds(b, "tls_seconds", row->tls_took);
	m_seconds(b, "first_byte_seconds", row->first_byte_took);
	json_m_opt(b, "response", row->response);
	json_close(b, '}');
}

/* ---- subscriptions ---- */

static void m_json(struct buf *b, const char *key, const json_t *value)
{
	if (!value)
		return;
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	json_key(b, key);
	json_raw(b, str_of(text));
	free(text);
}

static const char *const SHOWN[] = {"channel", "target",         "events",      "filter",
				    "ordered", "rate",           "concurrency", "description",
				    "enabled", "disabled_reason"};

void sub_render(struct buf *b, const txw_doc *doc, const txw_target *state)
{
	json_t *body = json_loadb(doc->body.ptr, doc->body.len, 0, NULL);
	json_open(b, '{');
	json_m_str(b, "id", doc->id);
	for (size_t i = 0; i < sizeof(SHOWN) / sizeof(SHOWN[0]); i++)
		m_json(b, SHOWN[i], json_object_get(body, SHOWN[i]));
	const json_t *settings = json_object_get(body, "settings");
	m_json(b, "format", json_object_get(settings, "format"));
	m_json(b, "headers", json_object_get(settings, "headers"));
	if (state && state->paused_until)
		json_m_time(b, "paused_until", state->paused_until);
	if (state && state->failing_since) {
		json_m_time(b, "failing_since", state->failing_since);
		json_m_int(b, "failures", state->failures);
	}
	json_m_int(b, "version", doc->version);
	json_m_time(b, "created_at", doc->created_at);
	json_m_time(b, "updated_at", doc->updated_at);
	json_close(b, '}');
	json_decref(body);
}
