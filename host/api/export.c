/*
 * export.c: GET /v1/transactions:export: every row that a filter holds for,
 * streamed, as of one moment.
 *
 * An export has a reader of the store of its own, whose snapshot it holds. A
 * block is read on a reader's thread while the one before is being sent, so
 * memory is two blocks; for those who take gzip it is packed there, too. A
 * snapshot keeps the store's WAL from being emptied: it is let go of after
 * EXPORT_TIME, or when the WAL has grown too long, and a client that takes
 * nothing is closed by the server's idle timeout. Then the answer is cut off
 * (no last chunk), with NDJSON after a line that says why, so that nobody
 * takes it for whole.
 *
 *   READING -> TELLING  the first block is there (an error is an answer)
 *   TELLING -> CLOSED   all was told, or the client left; freed when no read
 *                       is under way
 *
 * The loop owns it; a block's read has it while `is_reading`.
 */
#include <stdlib.h>

#include "api/encoding.h"
#include "api/handlers.h"
#include "api/records.h"
#include "api/walk.h"
#include "base/id.h"

#define EXPORTS_MAX 4
#define EXPORT_TIME (10 * MINUTE)
#define WAL_MAX     ((int64_t)1 << 30)
#define BLOCK       ((size_t)128 * 1024)
#define PAGE        200 /* rows of one query */

struct export
{
	struct read_job job;
	struct call *call; /* not after is_closed */
	struct arena arena;
	struct walk walk;
	const txw_store *store;
	void *store_self;
	void *reader; /* its own; NULL: not yet, or no more */
	bool is_csv;
	bool is_reading;
	bool is_started; /* the head is out */
	bool is_waiting; /* the client has all there was */
	bool is_closed;
	bool is_late; /* EXPORT_TIME has passed */
	bool is_cut;  /* the line that says why was told */
	struct timer timer;
	struct packer *packer; /* NULL: plain */
	struct buf told;       /* being sent */
	size_t sent;           /* of it */
	struct buf next;       /* being read */
	int64_t rows;
};

/* ---- rows ---- */

struct cell {
	const char *name;
	void (*put)(struct buf *out, const txw_tx *tx);
};

#define TEXT_CELL(field)                                           \
	static void put_##field(struct buf *out, const txw_tx *tx) \
	{                                                          \
		csv_put_text(out, tx->field);                      \
	}
#define TIME_CELL(field)                                                 \
	static void put_##field(struct buf *out, const txw_tx *tx)       \
	{                                                                \
		char text[TIME_TEXT_MAX];                                \
		if (tx->field)                                           \
			buf_add(out, text, time_print(text, tx->field)); \
	}
TEXT_CELL(flow)
TEXT_CELL(ref)
TEXT_CELL(status)
TEXT_CELL(owner)
TEXT_CELL(currency)
TEXT_CELL(reason)
TEXT_CELL(code)
TEXT_CELL(source_version)
TEXT_CELL(anomaly)
TIME_CELL(source_at)
TIME_CELL(created_at)
TIME_CELL(updated_at)
TIME_CELL(status_since)
TIME_CELL(expires_at)
TIME_CELL(finished_at)

static void put_id(struct buf *out, const txw_tx *tx)
{
	char text[ID_TEXT_MAX];
	buf_add(out, text, id_print(text, "tx", tx->id));
}

static void put_outcome(struct buf *out, const txw_tx *tx)
{
	buf_text(out, outcome_name(tx->outcome));
}

static void put_version(struct buf *out, const txw_tx *tx)
{
	buf_int(out, tx->version);
}

/* A number: a minus before it is no formula. */
static void put_amount(struct buf *out, const txw_tx *tx)
{
	csv_put(out, tx->amount);
}

static void put_attributes(struct buf *out, const txw_tx *tx)
{
	csv_put(out, tx->attributes);
}

static void put_paused(struct buf *out, const txw_tx *tx)
{
	if (tx->paused)
		buf_text(out, "true");
}

static void put_held(struct buf *out, const txw_tx *tx)
{
	if (tx->held)
		buf_text(out, "true");
}

static const struct cell CELLS[] = {
    {"id", put_id},
    {"flow", put_flow},
    {"ref", put_ref},
    {"status", put_status},
    {"outcome", put_outcome},
    {"version", put_version},
    {"owner", put_owner},
    {"amount", put_amount},
    {"currency", put_currency},
    {"attributes", put_attributes},
    {"reason", put_reason},
    {"code", put_code},
    {"source_version", put_source_version},
    {"source_at", put_source_at},
    {"anomaly", put_anomaly},
    {"created_at", put_created_at},
    {"updated_at", put_updated_at},
    {"status_since", put_status_since},
    {"expires_at", put_expires_at},
    {"finished_at", put_finished_at},
    {"paused", put_paused},
    {"legal_hold", put_held},
};
#define CELLS_N (sizeof(CELLS) / sizeof(CELLS[0]))

static void put_header(struct buf *out)
{
	for (size_t i = 0; i < CELLS_N; i++)
		buf_printf(out, "%s%s", i ? "," : "", CELLS[i].name);
	buf_text(out, "\r\n");
}

static int32_t take_row(void *ctx, const txw_tx *row)
{
	struct export *x = ctx;
	x->rows++;
	if (!x->is_csv) {
		json_tx(&x->next, row);
		buf_char(&x->next, '\n');
		return 0;
	}
	for (size_t i = 0; i < CELLS_N; i++) {
		if (i)
			buf_char(&x->next, ',');
		CELLS[i].put(&x->next, row);
	}
	buf_text(&x->next, "\r\n");
	return 0;
}

/* ---- reading: [reader] ---- */

static int32_t open_reader(struct export *x, struct err *e)
{
	txw_error from = ERR_ABI_INIT;
	int32_t rc = err_from_plugin(e, x->store->reader_open(x->store_self, &x->reader, &from),
				     &from);
	if (rc >= 0 && x->store->snapshot)
		rc = READ_CALL(x->store, e, snapshot, x->reader, 1);
	return rc;
}

static int32_t check_wal(struct export *x, struct err *e)
{
	txw_store_stats stats = {.size = sizeof(stats)};
	int32_t rc = READ_CALL(x->store, e, stats, x->reader, &stats);
	if (rc >= 0 && stats.wal_bytes > WAL_MAX)
		rc = err_set(e, TXW_E_BUSY,
			     "the store changes too fast to hold its state for so long");
	return rc;
}

static int32_t run(struct read_job *job, const txw_store *store, void *shared, struct err *e)
{
	struct export *x = (struct export *)job;
	int32_t rc = 0;
	(void)store;
	(void)shared;
	if (!x->reader) {
		if ((rc = open_reader(x, e)) < 0)
			return rc;
		if (x->is_csv)
			put_header(&x->next);
	}
	if ((rc = check_wal(x, e)) < 0)
		return rc;
	while (rc >= 0 && !x->walk.is_over && x->next.len < BLOCK)
		rc = walk_read(&x->walk, x->store, x->reader, PAGE, take_row, x, e);
	if (x->packer)
		packer_pack(x->packer, &x->next, rc >= 0 && x->walk.is_over);
	return rc;
}

/* ---- life ---- */

static void close_reader(struct export *x)
{
	if (x->reader)
		x->store->reader_close(x->reader);
	x->reader = NULL;
}

static void export_free(struct export *x)
{
	close_reader(x);
	packer_close(x->packer);
	buf_free(&x->told);
	buf_free(&x->next);
	arena_free(&x->arena);
	free(x);
}

static void done(struct read_job *job);

static int32_t read_more(struct export *x)
{
	x->job.run = run;
	x->job.done = done;
	int32_t rc = readers_submit(x->call->api->site->readers, &x->job);
	x->is_reading = rc >= 0;
	return rc;
}

static void on_late(struct timer *timer)
{
	struct export *x = (struct export *)((char *)timer - offsetof(struct export, timer));
	x->is_late = true;
	if (x->is_reading)
		return; /* done() closes it */
	close_reader(x);
	if (x->is_waiting)
		http_resume(x->call->request);
}

/* ---- the answer ---- */

static void put_error(struct export *x)
{
	enum problem p = x->is_late ? PROBLEM_BUSY : problem_of(x->job.rc);
	if (x->is_csv)
		return;
	json_open(&x->told, '{');
	json_key(&x->told, "error");
	problem_open(&x->told, p,
		     x->is_late ? "an export may take ten minutes" : "the rows could not be read",
		     http_request_id(x->call->request));
	json_close(&x->told, '}');
	json_close(&x->told, '}');
	buf_char(&x->told, '\n');
	if (x->packer)
		packer_pack(x->packer, &x->told, false);
}

/* The next block into told; false: there is none, and *end says why. */
static bool turn(struct export *x, int32_t *end)
{
	x->told.len = x->sent = 0;
	if (x->is_reading) { /* the reader's thread has all but told */
		x->is_waiting = true;
		*end = HTTP_WAIT;
		return false;
	}
	bool is_broken = x->job.rc < 0 || (x->is_late && !x->walk.is_over);
	if (x->next.len) {
		struct buf empty = x->told;
		x->told = x->next;
		x->next = empty;
		if (!is_broken && !x->walk.is_over && read_more(x) < 0)
			x->job.rc = TXW_E_BUSY; /* told when this block is */
		return true;
	}
	if (!is_broken) {
		*end = HTTP_END;
		return false;
	}
	if (!x->is_cut)
		put_error(x);
	x->is_cut = true;
	*end = HTTP_FAIL;
	return x->told.len != 0;
}

static int32_t export_read(void *ctx, char *out, size_t max)
{
	struct export *x = ctx;
	int32_t end = 0;
	x->is_waiting = false;
	if (x->sent == x->told.len && !turn(x, &end))
		return end;
	size_t n = x->told.len - x->sent;
	if (n > max)
		n = max;
	memcpy(out, x->told.ptr + x->sent, n);
	x->sent += n;
	return (int32_t)n;
}

static void export_closed(void *ctx)
{
	struct export *x = ctx;
	struct call *c = x->call;
	c->api->exports--;
	timer_clear(c->api->site->loop, &x->timer);
	x->is_closed = true;
	x->call = NULL;
	if (!x->is_reading)
		export_free(x);
	call_stream_closed(c);
}

static const struct http_source SOURCE = {export_read, export_closed};

static void begin_answer(struct export *x)
{
	struct call *c = x->call;
	x->is_started = true;
	http_set_header(c->request, "Vary", STR_LIT("Accept, Accept-Encoding"));
	if (x->packer)
		http_set_header(c->request, "Content-Encoding", STR_LIT("gzip"));
	http_set_header(c->request, "Content-Disposition",
			x->is_csv ? STR_LIT("attachment; filename=\"transactions.csv\"")
				  : STR_LIT("attachment; filename=\"transactions.ndjson\""));
	call_stream(c,
		    x->is_csv ? "text/csv; charset=utf-8; header=present" : "application/x-ndjson",
		    &SOURCE, x);
}

static void refuse(struct export *x, int32_t rc)
{
	struct call *c = x->call;
	struct err e = x->job.err;
	c->api->exports--;
	timer_clear(c->api->site->loop, &x->timer);
	export_free(x);
	call_failed(c, rc, &e, NULL);
}

static void done(struct read_job *job)
{
	struct export *x = (struct export *)job;
	x->is_reading = false;
	if (x->is_closed) {
		export_free(x);
		return;
	}
	if (x->walk.is_over || x->is_late || job->rc < 0)
		close_reader(x);
	if (!x->is_started) {
		if (job->rc < 0)
			refuse(x, job->rc);
		else
			begin_answer(x);
		return;
	}
	if (x->is_waiting)
		http_resume(x->call->request);
}

/* ---- the request ---- */

static bool take_format(struct call *c, bool *is_csv)
{
	size_t n = 0;
	txw_str format = http_query(c->request, "format", &n);
	txw_str accept = http_header(c->request, "Accept");
	*is_csv = n ? str_is(format, "csv")
		    : accept.len && memmem(accept.ptr, accept.len, "text/csv", 8) != NULL;
	if (n == 0 || *is_csv || str_is(format, "ndjson"))
		return true;
	call_problem(c, PROBLEM_INVALID, "format must be ndjson or csv");
	return false;
}

static bool take_order(struct call *c, bool *descending)
{
	size_t n = 0;
	txw_str order = http_query(c->request, "order", &n);
	*descending = str_is(order, "desc");
	if (n == 0 || *descending || str_is(order, "asc"))
		return true;
	call_problem(c, PROBLEM_INVALID, "order must be asc or desc");
	return false;
}

void do_tx_export(struct call *c)
{
	struct api_site *site = c->api->site;
	bool is_csv, descending;
	if (!take_format(c, &is_csv) || !take_order(c, &descending))
		return;
	if (c->api->exports >= EXPORTS_MAX) {
		call_problem(c, PROBLEM_BUSY, "%d exports are under way, which is the most",
			     EXPORTS_MAX);
		return;
	}
	struct export *x = xcalloc(1, sizeof(*x));
	x->call = c;
	x->is_csv = is_csv;
	x->store = readers_store(site->readers);
	x->store_self = engine_store(site->engine)->self;
	x->walk.tenant = arena_str(&x->arena, c->tenant);
	x->walk.descending = descending;
	if (!tx_filter(c, &x->arena, &x->walk.filter)) {
		export_free(x);
		return;
	}
	if (c->takes_gzip)
		x->packer = packer_open();
	c->api->exports++;
	x->timer.fire = on_late;
	timer_set(site->loop, &x->timer, loop_now(site->loop) + EXPORT_TIME);
	int32_t rc = read_more(x);
	if (rc < 0)
		refuse(x, rc);
}
