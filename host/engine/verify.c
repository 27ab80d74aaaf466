/*
 * verify.c: see verify.h.
 *
 * The log is read once, in order. Where a seq is not among the events, its
 * digest must be among those that purged events left. After a finding the
 * chain goes on with what is stored, so that one change makes one finding.
 */
#include "engine/verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "engine/readers.h"

#define PAGE 1000

struct run {
	struct verify *v;
	const txw_store *store;
	struct evidence *hashes;
	void *reader;
	void *second; /* for what is read while the first one emits */
	struct err *e;
	int32_t rc;     /* of what was read so */
	int64_t next;   /* the seq expected; 0: the chain has not begun */
	int64_t begin;  /* the first purged digest's seq, or INT64_MAX */
	bool is_linked; /* prev is known */
	unsigned char prev[EVIDENCE_BYTES];
	struct verify_finding gap; /* MISSING or BARE, being extended; seq 0: none */
	uint32_t in_call;
	int64_t after;
	bool anchor_seen;
};

const char *verify_kind_name(enum verify_kind k)
{
	static const char *const names[] = {
	    [VERIFY_CONTENT] = "content",  [VERIFY_LINK] = "link",     [VERIFY_MISSING] = "missing",
	    [VERIFY_BARE] = "no evidence", [VERIFY_ANCHOR] = "anchor", [VERIFY_ROW] = "row",
	};
	return names[k];
}

static void tell(struct run *r, const struct verify_finding *f)
{
	r->v->findings++;
	r->v->found(r->v->ctx, f);
}

/* ---- findings over several events are told as one ---- */

static void end_gap(struct run *r)
{
	if (r->gap.seq)
		tell(r, &r->gap);
	r->gap.seq = 0;
}

static void extend_gap(struct run *r, enum verify_kind kind, int64_t first, int64_t last)
{
	if (r->gap.seq && r->gap.kind == kind && r->gap.last == first - 1) {
		r->gap.last = last;
		return;
	}
	end_gap(r);
	r->gap = (struct verify_finding){
	    .kind = kind,
	    .seq = first,
	    .last = last,
	    .what = kind == VERIFY_MISSING
			? "it is not in the log, and no digest of it either"
			: "it carries no evidence: it was switched off, or taken away"};
}

static void wrong(struct run *r, enum verify_kind kind, int64_t seq, const char *what)
{
	end_gap(r);
	tell(r, &(struct verify_finding){.kind = kind, .seq = seq, .last = seq, .what = what});
}

/* ---- the chain ---- */

static bool is_hash(txw_str s)
{
	return s.len == EVIDENCE_BYTES;
}

/* An event, or what a purged one left. */
static void check_link(struct run *r, const txw_event *ev)
{
	unsigned char want[EVIDENCE_BYTES];
	char text[160];
	evidence_link(r->hashes, r->prev, (const unsigned char *)ev->digest.ptr, want);
	if (r->is_linked && memcmp(want, ev->hash.ptr, sizeof(want)) != 0) {
		if (r->next == r->v->first)
			snprintf(text, sizeof(text), "it does not begin the chain");
		else
			snprintf(text, sizeof(text),
				 "it does not follow from event %" PRId64
				 ": one of the two is not what it was",
				 r->next - 1);
		wrong(r, VERIFY_LINK, ev->seq, text);
	}
	memcpy(r->prev, ev->hash.ptr, sizeof(r->prev));
	r->is_linked = true;
	if (ev->seq != r->v->anchor)
		return;
	r->anchor_seen = true;
	if (memcmp(ev->hash.ptr, r->v->anchor_hash, EVIDENCE_BYTES) != 0)
		wrong(r, VERIFY_ANCHOR, ev->seq, "its hash is not the one noted");
}

static void begin_at(struct run *r, int64_t seq)
{
	r->next = seq;
	r->v->first = seq;
}

static void skip_to(struct run *r, int64_t seq)
{
	if (seq > r->next)
		extend_gap(r, VERIFY_MISSING, r->next, seq - 1);
	r->next = seq;
}

static int32_t take_digest(void *ctx, const txw_event *ev)
{
	struct run *r = ctx;
	if (ev->seq >= r->after)
		return 1;
	r->in_call++;
	skip_to(r, ev->seq);
	if (!is_hash(ev->digest) || !is_hash(ev->hash))
		wrong(r, VERIFY_CONTENT, ev->seq, "what is left of it is no digest and hash");
	else
		check_link(r, ev);
	r->v->purged++;
	r->next++;
	return 0;
}

/* The seqs from next to `to` are not among the events. */
static void fill_gap(struct run *r, int64_t to)
{
	while (r->next < to && r->rc >= 0 && r->store->list_digests) {
		r->in_call = 0;
		r->after = to;
		r->rc = READ_CALL(r->store, r->e, list_digests, r->second, r->next - 1, PAGE,
				  take_digest, r);
		if (r->in_call < PAGE)
			break;
	}
	if (r->rc >= 0)
		skip_to(r, to);
}

static void check_event(struct run *r, const txw_event *ev)
{
	unsigned char digest[EVIDENCE_BYTES];
	if (!ev->digest.len && !ev->hash.len) {
		extend_gap(r, VERIFY_BARE, ev->seq, ev->seq);
		memcpy(r->prev, EVIDENCE_START, sizeof(r->prev));
		return;
	}
	if (!is_hash(ev->digest) || !is_hash(ev->hash)) {
		wrong(r, VERIFY_CONTENT, ev->seq, "its digest and hash are not 32 bytes each");
		r->is_linked = false;
		return;
	}
	evidence_digest(r->hashes, ev, digest);
	r->v->events++;
	if (memcmp(digest, ev->digest.ptr, sizeof(digest)) != 0)
		wrong(r, VERIFY_CONTENT, ev->seq, "its content is not what its digest was made of");
	check_link(r, ev);
}

static int32_t take_event(void *ctx, const txw_event *ev)
{
	struct run *r = ctx;
	r->in_call++;
	r->v->last = ev->seq;
	if (!r->next) {
		if (r->begin < ev->seq)
			begin_at(r, r->begin);
		else if (ev->digest.len || ev->hash.len)
			begin_at(r, ev->seq);
		else
			r->v->before++;
	}
	if (!r->next)
		return 0;
	fill_gap(r, ev->seq);
	if (r->rc < 0)
		return 1;
	check_event(r, ev);
	r->next = ev->seq + 1;
	return 0;
}

static int32_t take_begin(void *ctx, const txw_event *ev)
{
	struct run *r = ctx;
	r->begin = ev->seq;
	return 1;
}

static int32_t check_log(struct run *r)
{
	struct verify *v = r->v;
	txw_event_query q = {.size = sizeof(q), .limit = PAGE};
	int32_t rc = 0;
	r->begin = INT64_MAX;
	r->is_linked = v->from == 0;
	memcpy(r->prev, EVIDENCE_START, sizeof(r->prev));
	if (v->from) {
		q.after = v->from - 1;
		begin_at(r, v->from);
	} else if (r->store->list_digests) {
		rc = READ_CALL(r->store, r->e, list_digests, r->reader, 0, 1, take_begin, r);
	}
	while (rc >= 0) {
		r->in_call = 0;
		rc = READ_CALL(r->store, r->e, list_events, r->reader, &q, take_event, r);
		rc = rc < 0 ? rc : r->rc;
		if (rc < 0 || r->in_call == 0)
			break;
		q.after = v->last;
	}
	end_gap(r);
	if (rc >= 0 && v->anchor && !r->anchor_seen)
		wrong(r, VERIFY_ANCHOR, v->anchor, "the chain does not reach it");
	memcpy(v->head, r->prev, sizeof(v->head));
	return rc;
}

/* ---- rows ---- */

struct row_check {
	struct run *run;
	const txw_tx *row;
	int64_t seq;     /* of the last event read; 0: none yet */
	int64_t version; /* its transaction's */
	uint32_t in_call;
	bool is_wrong; /* one finding a row is enough */
};

/* What only an event changes. Polls move the rest, and the source's place. */
static const char *differs(const txw_tx *a, const txw_tx *b)
{
	const struct {
		const char *name;
		txw_str a, b;
	} texts[] = {
	    {"status", a->status, b->status},
	    {"owner", a->owner, b->owner},
	    {"amount", a->amount, b->amount},
	    {"currency", a->currency, b->currency},
	    {"attributes", a->attributes, b->attributes},
	    {"reason", a->reason, b->reason},
	    {"code", a->code, b->code},
	    {"anomaly", a->anomaly, b->anomaly},
	};
	const struct {
		const char *name;
		int64_t a, b;
	} numbers[] = {
	    {"outcome", a->outcome, b->outcome},
	    {"version", a->version, b->version},
	    {"paused", a->paused, b->paused},
	    {"legal_hold", a->held, b->held},
	    {"updated_at", a->updated_at, b->updated_at},
	    {"status_since", a->status_since, b->status_since},
	    {"expires_at", a->expires_at, b->expires_at},
	    {"finished_at", a->finished_at, b->finished_at},
	    {"deadline", a->deadline, b->deadline},
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!str_eq(texts[i].a, texts[i].b))
			return texts[i].name;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i].a != numbers[i].b)
			return numbers[i].name;
	return NULL;
}

static void row_wrong(struct row_check *c, const char *what)
{
	c->is_wrong = true;
	tell(c->run, &(struct verify_finding){
			 .kind = VERIFY_ROW, .seq = c->row->last_seq, .tx = c->row, .what = what});
}

/* The newest event has all that the row says. */
static bool is_told(struct row_check *c, const txw_event *ev)
{
	char text[96];
	const char *name = ev->tx ? differs(c->row, ev->tx) : "all of it";
	if (!name)
		return true;
	snprintf(text, sizeof(text), "its %s is not what its newest event says", name);
	row_wrong(c, text);
	return false;
}

static void version_missing(struct row_check *c, int64_t version)
{
	char text[96];
	snprintf(text, sizeof(text), "its event of version %lld is not in the log",
		 (long long)version);
	row_wrong(c, text);
}

/* Back from the newest, the versions fall by one. */
static int32_t take_history(void *ctx, const txw_event *ev)
{
	struct row_check *c = ctx;
	c->in_call++;
	if (!c->seq) {
		if (ev->seq != c->row->last_seq || !is_told(c, ev))
			return 1;
	} else if (!ev->tx || ev->tx->version != c->version - 1) {
		version_missing(c, c->version - 1);
		return 1;
	}
	c->version = ev->tx->version;
	c->seq = ev->seq;
	return 0;
}

static int32_t read_history(struct row_check *c, struct err *e)
{
	struct run *r = c->run;
	/* Not the newest of now: the row may have moved on since it was read. */
	int64_t before = c->row->last_seq + 1;
	int32_t rc;
	do {
		c->in_call = 0;
		rc = READ_CALL(r->store, e, history, r->second, c->row->key, before, PAGE,
			       take_history, c);
		before = c->seq;
	} while (rc >= 0 && !c->is_wrong && c->in_call == PAGE);
	return rc;
}

static int32_t take_row(void *ctx, const txw_tx *row)
{
	struct run *r = ctx;
	struct row_check c = {.run = r, .row = row};
	struct err e = {0};
	r->in_call++;
	r->after = row->key;
	r->v->rows++;
	int32_t rc = read_history(&c, &e);
	if (rc < 0 && rc != TXW_E_CORRUPT) {
		*r->e = e;
		r->rc = rc;
		return 1;
	}
	if (c.is_wrong)
		return 0;
	if (rc == TXW_E_CORRUPT)
		row_wrong(&c, "an event of its history is another transaction's");
	else if (!c.seq)
		row_wrong(&c, "its newest event is not in the log");
	else if (c.version != 1)
		version_missing(&c, c.version - 1);
	return 0;
}

static int32_t check_rows(struct run *r)
{
	txw_tx_query q = {.size = sizeof(q), .limit = PAGE, .ascending = 1};
	int32_t rc;
	do {
		r->in_call = 0;
		rc = READ_CALL(r->store, r->e, list_tx, r->reader, &q, take_row, r);
		q.after = r->after;
		rc = rc < 0 ? rc : r->rc;
	} while (rc >= 0 && r->in_call == PAGE);
	return rc;
}

int32_t verify_run(struct verify *v, struct err *e)
{
	struct run r = {.v = v, .store = &v->store->role->v.store, .e = e};
	txw_error from = ERR_ABI_INIT;
	int32_t rc;
	rc = err_from_plugin(e, r.store->reader_open(v->store->self, &r.reader, &from), &from);
	if (rc < 0)
		return rc;
	rc = err_from_plugin(e, r.store->reader_open(v->store->self, &r.second, &from), &from);
	if (rc < 0)
		goto close_reader;
	r.hashes = evidence_new();
	if ((rc = check_log(&r)) >= 0)
		rc = check_rows(&r);
	evidence_free(r.hashes);
	r.store->reader_close(r.second);
close_reader:
	r.store->reader_close(r.reader);
	return rc;
}
