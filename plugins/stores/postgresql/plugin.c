/*
 * plugin.c: store.postgresql: rows on a PostgreSQL server, for sites whose
 * truth is to be shared or kept by people who run such a server anyway.
 *
 * What the database holds is in schema.c, who does what in store.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "store.h"

bool store_logs(struct store *s, uint32_t level)
{
	return s->log && s->log->enabled(s->self, level);
}

void store_log(struct store *s, uint32_t level, const char *format, ...)
{
	char line[DB_TEXT_MAX];
	va_list ap;
	if (!store_logs(s, level))
		return;
	va_start(ap, format);
	int n = vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	size_t len = n < 0 ? 0 : (size_t)n;
	if (len >= sizeof(line))
		len = sizeof(line) - 1;
	s->log->write(s->self, level, (txw_str){line, len});
}

static int32_t no_memory(txw_error *err)
{
	static const char TEXT[] = "store.postgresql: no memory for an instance";
	if (err) {
		err->code = TXW_E_NOMEM;
		err->text = (txw_str){TEXT, sizeof(TEXT) - 1};
	}
	return TXW_E_NOMEM;
}

static int32_t create(const txw_setup *setup, void **out, txw_error *err)
{
	struct options options;
	int32_t rc = options_read(setup, &options, err);
	if (rc < 0)
		return rc;
	struct store *s = calloc(1, sizeof(*s));
	if (!s || sql_make(&s->sql) < 0) {
		options_free(&options);
		free(s);
		return no_memory(err);
	}
	s->magic = STORE_MAGIC;
	s->options = options;
	s->self = setup->self;
	if (setup->host && setup->host->get_ext)
		s->log = setup->host->get_ext(setup->self, TXW_EXT_LOG);
	db_init(&s->db, &s->options, &s->sql, DB_WRITER);
	db_init(&s->reader_failed, &s->options, &s->sql, DB_READER);
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
	sql_free(&s->sql);
	s->magic = 0;
	free(s);
}

static int32_t open_store(void *instance, txw_error *err)
{
	struct store *s = instance;
	PGresult *r = NULL;
	int32_t rc;
	if (s->is_open)
		return db_say(&s->db, TXW_E_INVALID, err, "%s is open already", s->db.location);
	while (getrandom(&s->host, sizeof(s->host), 0) != (ssize_t)sizeof(s->host))
		;
	if ((rc = db_connect(&s->db, err)) < 0 || (rc = schema_open(s, err)) < 0 ||
	    (rc = log_read_head(s, err)) < 0 || (rc = log_read_partitions(s, err)) < 0)
		goto undo;
	s->committed_spans = s->n_spans;
	db_args(&s->db);
	if ((rc = db_ask(&s->db, SQL_UNIT_SWEEP, &r, err)) < 0)
		goto undo;
	PQclear(r);
	s->is_open = true;
	store_log(s, TXW_LOG_DEBUG, "%s: schema %u, %lld events", s->db.location, s->schema,
		  (long long)s->last_seq);
	return TXW_OK;

undo:
	close_store(s);
	return rc;
}

static void close_store(void *instance)
{
	struct store *s = instance;
	struct list *lists[] = {&s->events, &s->deliveries, &s->attempts, &s->counts, &s->unseen};
	listen_stop(s);
	if (s->is_in_unit)
		unit_rollback(s);
	db_close(&s->db);
	rows_free(&s->rows);
	arena_free(&s->arena);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		free(lists[i]->at);
		*lists[i] = (struct list){.at = NULL};
	}
	free(s->spans);
	s->spans = NULL;
	s->n_spans = s->cap_spans = s->committed_spans = 0;
	s->tx_keys.n = s->tx_keys.at = s->delivery_keys.n = s->delivery_keys.at = 0;
	s->last_seq = s->committed_seq = 0;
	s->unresolved = 0;
	s->is_open = false;
}

static int32_t info(void *instance, txw_store_info *out, txw_error *err)
{
	struct store *s = instance;
	if (!s->is_open)
		return db_say(&s->db, TXW_E_INVALID, err, "store.postgresql is not open");
	txw_store_info have = {
	    .size = sizeof(have),
	    .schema_version = s->schema,
	    .site = s->site,
	    .epoch = s->epoch,
	    .last_seq = s->committed_seq,
	    .last_at = s->committed_at,
	    .location = {s->db.location, strlen(s->db.location)},
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
    .load = tx_load,
    .save = tx_save,
    .append = log_append,
    .seen = log_seen,
    .due = tx_due,
    .reschedule = tx_reschedule,
    .next_due = tx_next_due,
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
    .list_tx = lists_tx,
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
    .add_counts = docs_add_counts,
    .purge = purge,
    .snapshot = read_pin,
    .scan_docs = read_scan_docs,
    .count_tx = lists_count,
    .facet_tx = lists_facet,
    .list_counts = read_counts,
    .list_digests = read_digests,
    .listen = listen_start,
    .prefetch = tx_prefetch,
};

static const txw_role ROLES[] = {
    {
	.size = sizeof(txw_role),
	.kind = TXW_ROLE_STORE,
	.n_options = OPTIONS_COUNT,
	.name = "postgresql",
	.summary = "Keeps everything on a PostgreSQL server",
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
