/* row.c: copies of rows, their names, and their JSON; see row.h. */
#include "base/row.h"

#include "base/id.h"
#include "base/str.h"

txw_tx *row_copy_tx(struct arena *a, const txw_tx *tx)
{
	txw_tx *c = arena_alloc(a, sizeof(*c));
	*c = *tx;
	c->size = sizeof(*c);
	txw_str *texts[] = {
	    &c->tenant,   &c->flow,       &c->ref,    &c->status, &c->owner,          &c->amount,
	    &c->currency, &c->attributes, &c->reason, &c->code,   &c->source_version, &c->anomaly,
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = arena_str(a, *texts[i]);
	return c;
}

txw_event *row_copy_event(struct arena *a, const txw_event *ev)
{
	txw_event *c = arena_alloc(a, sizeof(*c));
	*c = *ev;
	c->size = sizeof(*c);
	txw_str *texts[] = {
	    &c->tenant,          &c->from,   &c->to,    &c->source, &c->actor,
	    &c->source_event_id, &c->reason, &c->code,  &c->detail, &c->json,
	    &c->digest,          &c->hash,   &c->trace,
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = arena_str(a, *texts[i]);
	if (ev->tx)
		c->tx = row_copy_tx(a, ev->tx);
	return c;
}

static const char *const OUTCOMES[] = {"open", "success", "failure", "cancelled", "expired"};
#define N_OUTCOMES (sizeof(OUTCOMES) / sizeof(OUTCOMES[0]))

const char *outcome_name(uint32_t outcome)
{
	return outcome < N_OUTCOMES ? OUTCOMES[outcome] : "unknown";
}

bool outcome_parse(txw_str name, uint32_t *out)
{
	for (uint32_t i = 0; i < N_OUTCOMES; i++) {
		if (str_is(name, OUTCOMES[i])) {
			*out = i;
			return true;
		}
	}
	return false;
}

#define TYPE_ROW(sym, num, name, help) [num] = (name),
static const char *const TYPES[TXW_EV_MAX] = {TXW_EVENT_TYPES(TYPE_ROW)};

const char *event_type_name(uint32_t type)
{
	return type < TXW_EV_MAX && TYPES[type] ? TYPES[type] : "unknown";
}

bool event_type_parse(txw_str name, uint32_t *out)
{
	for (uint32_t i = 0; i < TXW_EV_MAX; i++) {
		if (TYPES[i] && str_is(name, TYPES[i])) {
			*out = i;
			return true;
		}
	}
	return false;
}

void json_m_id(struct buf *b, const char *key, const char *prefix, txw_id id)
{
	char text[ID_TEXT_MAX];
	size_t n = id_print(text, prefix, id);
	json_m_str(b, key, (txw_str){text, n});
}

static void m_null_or(struct buf *b, const char *key, txw_str s)
{
	if (s.len)
		json_m_str(b, key, s);
	else
		json_m_text(b, key, NULL);
}

void json_tx(struct buf *b, const txw_tx *tx)
{
	json_open(b, '{');
	json_m_id(b, "id", "tx", tx->id);
	json_m_str(b, "flow", tx->flow);
	json_m_str(b, "ref", tx->ref);
	json_m_str(b, "status", tx->status);
	json_m_text(b, "outcome", outcome_name(tx->outcome));
	json_m_int(b, "version", tx->version);
	m_null_or(b, "owner", tx->owner);
	m_null_or(b, "amount", tx->amount);
	m_null_or(b, "currency", tx->currency);
	json_key(b, "attributes");
	json_raw(b, tx->attributes.len ? tx->attributes : STR_LIT("{}"));
	json_m_opt(b, "reason", tx->reason);
	json_m_opt(b, "code", tx->code);
	json_m_opt(b, "source_version", tx->source_version);
	if (tx->source_at)
		json_m_time(b, "source_at", tx->source_at);
	json_m_opt(b, "anomaly", tx->anomaly);
	if (tx->paused)
		json_m_bool(b, "paused", 1);
	if (tx->held)
		json_m_bool(b, "legal_hold", 1);
	json_m_time(b, "created_at", tx->created_at);
	json_m_time(b, "updated_at", tx->updated_at);
	json_m_time(b, "status_since", tx->status_since);
	json_m_time(b, "expires_at", tx->expires_at);
	json_m_time(b, "finished_at", tx->finished_at);
	json_m_time(b, "next_poll_at", tx->next_poll_at);
	if (tx->poll_failures)
		json_m_int(b, "poll_failures", tx->poll_failures);
	json_close(b, '}');
}

static void json_change(struct buf *b, const txw_event *ev)
{
	json_key(b, "change");
	json_open(b, '{');
	if (ev->tx) {
		m_null_or(b, "from", ev->from);
		m_null_or(b, "to", ev->to);
	}
	json_m_opt(b, "reason", ev->reason);
	json_m_opt(b, "code", ev->code);
	json_m_opt(b, "source_event_id", ev->source_event_id);
	if (ev->source_at)
		json_m_time(b, "source_at", ev->source_at);
	json_m_raw_opt(b, "detail", ev->detail);
	json_close(b, '}');
}

static void m_hex(struct buf *b, const char *key, txw_str bytes)
{
	json_key(b, key);
	buf_char(b, '"');
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.ptr[i];
		buf_char(b, "0123456789abcdef"[c >> 4]);
		buf_char(b, "0123456789abcdef"[c & 15]);
	}
	buf_char(b, '"');
}

void json_event(struct buf *b, const txw_event *ev)
{
	json_open(b, '{');
	json_m_int(b, "seq", ev->seq);
	json_m_id(b, "id", "evt", ev->id);
	json_m_text(b, "type", event_type_name(ev->type));
	json_m_time(b, "at", ev->at);
	json_m_str(b, "tenant", ev->tenant);
	json_m_opt(b, "source", ev->source);
	json_m_opt(b, "actor", ev->actor);
	json_m_opt(b, "trace", ev->trace);
	json_change(b, ev);
	if (ev->tx) {
		json_key(b, "transaction");
		json_tx(b, ev->tx);
	}
	if (ev->hash.len) {
		m_hex(b, "digest", ev->digest);
		m_hex(b, "hash", ev->hash);
	}
	json_close(b, '}');
}
