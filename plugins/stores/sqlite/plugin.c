/*
 * plugin.c: store.sqlite: the embedded store: one file, one writer, several
 * readers.
 *
 * WAL with synchronous=FULL: a commit that returned has been synced. What the
 * file holds is in schema.c, who does what in store.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

void store_log(struct store *s, uint32_t level, const char *format, ...)
{
	char line[DB_TEXT_MAX];
	va_list ap;
	if (!s->log || !s->log->enabled(s->self, level))
		return;
	va_start(ap, format);
	int n = vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	size_t len = n < 0 ? 0 : (size_t)n;
	if (len >= sizeof(line))
		len = sizeof(line) - 1;
	s->log->write(s->self, level, (txw_str){line, len});
}

static int32_t create(const txw_setup *setup, void **out, txw_error *err)
{
	struct options options;
	int32_t rc = options_read(setup, &options, err);
	if (rc < 0)
		return rc;
	struct store *s = calloc(1, sizeof(*s));
	if (!s) {
		static const char TEXT[] = "store.sqlite: no memory for an instance";
		options_free(&options);
		if (err) {
			err->code = TXW_E_NOMEM;
			err->text = (txw_str){TEXT, sizeof(TEXT) - 1};
		}
		return TXW_E_NOMEM;
	}
	/* Its statistics cost a lock at each allocation, and nobody reads them.
	 * Too late, and refused, when something used SQLite before. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	s->magic = STORE_MAGIC;
	s->options = options;
	s->self = setup->self;
	s->lock = -1;
	if (setup->host && setup->host->get_ext)
		s->log = setup->host->get_ext(setup->self, TXW_EXT_LOG);
	*out = s;
	return TXW_OK;
}

static void close_store(void *instance);

static void destroy(void *instance)
{
	struct store *s = instance;
	if (!s)
		return;
	close_store(s);
	options_free(&s->options);
	s->magic = 0;
	free(s);
}

/* Called after every commit with the pages that the WAL then holds. */
static int on_wal(void *arg, sqlite3 *handle, const char *name, int pages)
{
	struct store *s = arg;
	(void)handle;
	(void)name;
	s->wal_pages = pages;
	return SQLITE_OK;
}

static int32_t read_end_of_log(struct store *s, txw_error *err)
{
	sqlite3_stmt *st = db_stmt(&s->db, SQL_EVENT_LAST);
	int32_t rc = db_step(&s->db, st, "reading the log's end", err);
	if (rc > 0) {
		s->last_seq = column_int(st, 0);
		s->last_at = column_int(st, 1);
	}
	sqlite3_reset(st);
	s->committed_seq = s->last_seq;
	s->committed_at = s->last_at;
	return rc < 0 ? rc : TXW_OK;
}

static int32_t open_store(void *instance, txw_error *err)
{
	struct store *s = instance;
	int32_t rc;
	if (s->db.handle)
		return db_say(&s->db, TXW_E_INVALID, err, "%s is open already", s->path);
	if ((rc = lock_take(s, err)) < 0 ||
	    (rc = db_open(&s->db, s->path, SQLITE_OPEN_READWRITE, s->options.busy_timeout / 1000,
			  err)) < 0 ||
	    (rc = schema_open(s, err)) < 0 || (rc = db_prepare(&s->db, SQL_WRITER, err)) < 0 ||
	    (rc = names_load(&s->names, &s->db, err)) < 0 ||
	    (rc = shapes_load(&s->shapes, &s->db, err)) < 0 || (rc = read_end_of_log(s, err)) < 0)
		goto undo;
	names_commit(&s->names);
	/* Replaces SQLite's own checkpoints in the committing thread. */
	sqlite3_wal_hook(s->db.handle, on_wal, s);
	s->checkpointer = checkpoint_start(s, err);
	if (!s->checkpointer) {
		rc = err && err->code < 0 ? err->code : TXW_E_IO;
		goto undo;
	}
	store_log(s, TXW_LOG_DEBUG, "%s: schema %u, %lld events", s->path, s->schema,
		  (long long)s->last_seq);
	return TXW_OK;

undo:
	close_store(s);
	return rc;
}

/* The last connection's end moves the rest of the WAL into the file. */
static void close_store(void *instance)
{
	struct store *s = instance;
	if (s->is_in_unit)
		unit_rollback(s);
	checkpoint_stop(s->checkpointer);
	s->checkpointer = NULL;
	db_close(&s->db);
	names_free(&s->names);
	shapes_free(&s->shapes);
	arena_free(&s->arena);
	lock_release(s);
	s->last_seq = s->committed_seq = 0;
}

static int32_t info(void *instance, txw_store_info *out, txw_error *err)
{
	struct store *s = instance;
	if (!s->db.handle)
		return db_say(&s->db, TXW_E_INVALID, err, "%s is not open", s->options.path);
	txw_store_info have = {
	    .size = sizeof(have),
	    .schema_version = s->schema,
	    .site = s->site,
	    .epoch = s->epoch,
	    .last_seq = s->committed_seq,
	    .last_at = s->committed_at,
	    .location = {s->path, strlen(s->path)},
	};
	uint32_t size = out->size && out->size < sizeof(have) ? out->size : sizeof(have);
	memcpy(out, &have, size);
	out->size = size;
	return TXW_OK;
}

static const txw_store STORE = {
    .size = sizeof(STORE),
    .open = open_store,
    .close = close_store,
    .info = info,
    .begin = unit_begin,
    .commit = unit_commit,
    .rollback = unit_rollback,
    .load = unit_load,
    .save = unit_save,
    .append = log_append,
    .seen = log_seen,
    .due = due_claim,
    .reschedule = due_reschedule,
    .next_due = due_next,
    .put_target = deliver_put_target,
    .put_deliveries = deliver_put,
    .settle = deliver_settle,
    .claim = claim_deliveries,
    .waiting = claim_waiting,
    .unblock = claim_unblock,
    .move = claim_move,
    .put_doc = docs_put,
    .get_doc = docs_get,
    .delete_doc = docs_delete,
    .expire_docs = docs_expire,
    .put_mark = docs_put_mark,
    .get_mark = docs_get_mark,
    .reader_open = read_open,
    .reader_close = read_close,
    .read_tx = read_tx,
    .list_tx = search_list,
    .history = read_history,
    .list_events = lists_events,
    .list_deliveries = lists_deliveries,
    .list_attempts = read_attempts,
    .list_targets = read_targets,
    .list_docs = read_docs,
    .stats = read_stats,
    .ping = read_ping,
    .target_due = claim_target_due,
    .release = claim_release,
    .resend = claim_resend,
    .sequence = log_sequence,
    .add_counts = counts_add,
    .purge = purge_run,
    .snapshot = read_pin,
    .scan_docs = read_scan_docs,
    .count_tx = search_count,
    .facet_tx = search_facets,
    .list_counts = counts_list,
    .list_digests = purge_digests,
};

static const txw_role ROLES[] = {
    {
	.size = sizeof(txw_role),
	.kind = TXW_ROLE_STORE,
	.n_options = OPTIONS_COUNT,
	.name = "sqlite",
	.summary = "Keeps everything in one SQLite file beside the process",
	.options = OPTIONS,
	.option_stride = sizeof(txw_option),
	.vtable = &STORE,
	.create = create,
	.destroy = destroy,
    },
};

static const txw_plugin PLUGIN = {
    .size = sizeof(PLUGIN),
    .abi_major = TXW_ABI_MAJOR,
    .abi_minor = TXW_ABI_MINOR,
    .n_roles = sizeof(ROLES) / sizeof(ROLES[0]),
    .version = TXW_VERSION,
    .author = "txwatch",
    .license = "Apache-2.0",
    .roles = ROLES,
    .role_stride = sizeof(txw_role),
};

const txw_plugin *txw_plugin_1(void)
{
	return &PLUGIN;
}
