/* store_kit.c: see store_kit.h. */
#include "store_kit.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/row.h"

/* One line for each store; TXW_STORE picks one, the first is the default. */
static const struct kit_store *const STORES[] = {
    &KIT_SQLITE,
    &KIT_POSTGRESQL,
};
#define N_STORES (sizeof(STORES) / sizeof(STORES[0]))

static const struct kit_store *the_store(void)
{
	const char *name = getenv("TXW_STORE");
	size_t i = 0;
	while (name && i < N_STORES && strcmp(STORES[i]->name, name) != 0)
		i++;
	if (i == N_STORES)
		print_error("TXW_STORE=%s: the kit has no such store\n", name);
	return i < N_STORES ? STORES[i] : NULL;
}

bool kit_listens;
char kit_said[4096];

static void keep_line(txw_instance *self, uint32_t level, txw_str text)
{
	(void)self;
	(void)level;
	snprintf(kit_said, sizeof(kit_said), "%.*s", STR_ARG(text));
}

static uint32_t is_heard(txw_instance *self, uint32_t level)
{
	(void)self;
	(void)level;
	return kit_listens;
}

static const txw_log_ext LOG = {.size = sizeof(LOG), .write = keep_line, .enabled = is_heard};

static const void *get_ext(txw_instance *self, const char *name)
{
	(void)self;
	return strcmp(name, TXW_EXT_LOG) == 0 ? &LOG : NULL;
}

static const txw_host HOST = {
    .size = sizeof(HOST),
    .abi_major = TXW_ABI_MAJOR,
    .abi_minor = TXW_ABI_MINOR,
    .version = "test",
    .get_ext = get_ext,
};

int32_t kit_note(struct kit *k, int32_t rc)
{
	k->text[0] = '\0';
	if (rc < 0)
		snprintf(k->text, sizeof(k->text), "%.*s", STR_ARG(k->err.text));
	return rc;
}

int32_t kit_check(struct kit *k, int32_t rc, const char *what, const char *file, int line)
{
	if (rc < 0) {
		kit_note(k, rc);
		print_error("%s: %d, %s\n", what, rc, k->text);
		_fail(file, line);
	}
	return rc;
}

int32_t kit_make(struct kit *k)
{
	txw_value values[KIT_VALUES_MAX] = {0};
	uint32_t n_values = (uint32_t)k->store->options(k, values);
	txw_setup setup = {
	    .size = sizeof(setup),
	    .n_values = n_values,
	    .value_stride = sizeof(txw_value),
	    .values = values,
	    .host = &HOST,
	    .name = "main",
	};
	for (size_t i = 0; i < setup.n_values; i++)
		values[i].size = sizeof(txw_value);
	k->err = (txw_error){.size = sizeof(k->err)};
	return kit_note(k, k->role->create(&setup, &k->self, &k->err));
}

int32_t kit_open(struct kit *k)
{
	int32_t rc = kit_make(k);
	if (rc < 0)
		return rc;
	rc = kit_note(k, k->v->open(k->self, &k->err));
	if (rc == TXW_OK)
		rc = kit_note(k, k->v->reader_open(k->self, &k->reader, &k->err));
	if (rc < 0)
		kit_close(k);
	return rc;
}

void kit_close(struct kit *k)
{
	if (k->reader)
		k->v->reader_close(k->reader);
	k->reader = NULL;
	if (!k->self)
		return;
	k->v->close(k->self);
	k->role->destroy(k->self);
	k->self = NULL;
}

void kit_reopen(struct kit *k)
{
	kit_close(k);
	kit_check(k, kit_open(k), "opening it again", __FILE__, __LINE__);
}

int kit_setup(void **state)
{
	struct kit *k = xcalloc(1, sizeof(*k));
	k->store = the_store();
	k->library = k->store ? dlopen(k->store->plugin, RTLD_NOW | RTLD_LOCAL) : NULL;
	if (!k->library) {
		print_error("%s\n", k->store ? dlerror() : "no store");
		return -1;
	}
	const txw_plugin *(*entry)(void) = NULL;
	*(void **)&entry = dlsym(k->library, "txw_plugin_1");
	k->role = entry()->roles;
	k->v = k->role->vtable;
	if (!k->store->make(k))
		return -1;
	*state = k;
	if (kit_open(k) < 0) {
		print_error("%s\n", k->text);
		return -1;
	}
	return 0;
}

int kit_teardown(void **state)
{
	struct kit *k = *state;
	kit_close(k);
	k->store->remove(k);
	arena_free(&k->arena);
	/* Not dlclosed: hosts do not either, and leaks keep their names. */
	free(k);
	return 0;
}

txw_str kit_printf(struct kit *k, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return arena_str(&k->arena, (txw_str){text, (size_t)n});
}

txw_tx *kit_tx(struct kit *k, const char *ref)
{
	txw_tx *tx = arena_alloc(&k->arena, sizeof(*tx));
	uint64_t n = ++k->n_ids;
	*tx = (txw_tx){
	    .size = sizeof(*tx),
	    .id = {UINT64_C(0x0190000000007000), UINT64_C(0x8000000000000000) | n},
	    .tenant = STR_LIT("default"),
	    .flow = STR_LIT("payment"),
	    .ref = arena_str(&k->arena, str_of(ref)),
	    .status = STR_LIT("pending"),
	    .owner = STR_LIT("ada"),
	    .amount = STR_LIT("1250.00"),
	    .currency = STR_LIT("EUR"),
	    .attributes = STR_LIT("{\"country\":\"DE\"}"),
	    .reason = STR_LIT("as asked"),
	    .code = STR_LIT("A1"),
	    .source_version = STR_LIT("17"),
	    .anomaly = STR_LIT("odd"),
	    .source_at = KIT_NOW - 3 * SEC,
	    .created_at = KIT_NOW,
	    .updated_at = KIT_NOW,
	    .status_since = KIT_NOW,
	    .expires_at = KIT_NOW + 3600 * SEC,
	    .finished_at = 0,
	    .next_poll_at = KIT_NOW + 5 * SEC,
	    .due_at = KIT_NOW + 5 * SEC,
	    .polls = 3,
	    .poll_failures = 2,
	    .paused = 1,
	    .deadline = KIT_NOW + 7200 * SEC,
	    .warned = KIT_NOW + 3600 * SEC,
	    .held = 1,
	};
	return tx;
}

txw_event *kit_event(struct kit *k, txw_tx *tx, const char *from)
{
	txw_event *ev = arena_alloc(&k->arena, sizeof(*ev));
	*ev = (txw_event){
	    .size = sizeof(*ev),
	    .type = TXW_EV_STATUS_CHANGED,
	    .id = {UINT64_C(0x0190000000017000), UINT64_C(0x9000000000000000) | ++k->n_ids},
	    .at = tx->updated_at,
	    .tenant = tx->tenant,
	    .from = str_of(from),
	    .to = tx->status,
	    .source = STR_LIT("bank"),
	    .actor = STR_LIT("tok_1"),
	    .source_at = tx->source_at,
	    .reason = STR_LIT("because"),
	    .code = STR_LIT("B2"),
	    .detail = STR_LIT("{\"raw\":1}"),
	    .digest = STR_LIT("\0\1 thirty-two bytes of a digest \xff"),
	    .hash = STR_LIT("\xfe thirty-two bytes of the hash \0\0"),
	    .trace = STR_LIT("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
	    .tx = tx,
	};
	return ev;
}

txw_event *kit_change(struct kit *k, txw_tx *tx, const char *status)
{
	txw_store_info info = {.size = sizeof(info)};
	txw_str from = tx->status;
	tx->status = arena_str(&k->arena, str_of(status));
	tx->version++;
	OK(k->v->save(k->self, &tx, 1, &k->err));
	txw_event *ev = kit_event(k, tx, "");
	ev->from = from;
	ev->prev = tx->last_seq;
	OK(k->v->append(k->self, &ev, 1, &k->err));
	OK(k->v->info(k->self, &info, &k->err));
	tx->last_seq = ev->seq;
	ev->tx = row_copy_tx(&k->arena, tx);
	return ev;
}

void kit_commit_change(struct kit *k, txw_tx *tx, const char *status)
{
	BEGIN();
	kit_change(k, tx, status);
	COMMIT();
}

/* ---- the bag ---- */

static struct kit *bag(void *ctx)
{
	struct kit *k = ctx;
	assert_true(k->n < BAG_MAX);
	return k;
}

void bag_empty(struct kit *k)
{
	k->n = 0;
}

int32_t bag_tx(void *ctx, const txw_tx *row)
{
	struct kit *k = bag(ctx);
	k->txs[k->n++] = row_copy_tx(&k->arena, row);
	return 0;
}

int32_t bag_event(void *ctx, const txw_event *event)
{
	struct kit *k = bag(ctx);
	k->events[k->n++] = row_copy_event(&k->arena, event);
	return 0;
}

static txw_target keep_target(struct kit *k, const txw_target *row)
{
	txw_target t = *row;
	t.tenant = arena_str(&k->arena, t.tenant);
	t.name = arena_str(&k->arena, t.name);
	t.reason = arena_str(&k->arena, t.reason);
	return t;
}

int32_t bag_delivery(void *ctx, const txw_delivery_row *row, const txw_target *target,
		     const txw_event *event)
{
	struct kit *k = bag(ctx);
	k->deliveries[k->n] = *row;
	k->deliveries[k->n].tenant = arena_str(&k->arena, row->tenant);
	k->deliveries[k->n].reason = arena_str(&k->arena, row->reason);
	k->targets[k->n] = keep_target(k, target);
	k->events[k->n] = event ? row_copy_event(&k->arena, event) : NULL;
	k->n++;
	return 0;
}

int32_t bag_target(void *ctx, const txw_target *row, txw_time first_due)
{
	struct kit *k = bag(ctx);
	k->targets[k->n] = keep_target(k, row);
	k->first_due[k->n++] = first_due;
	return 0;
}

int32_t bag_attempt(void *ctx, const txw_attempt *row)
{
	struct kit *k = bag(ctx);
	txw_attempt *a = &k->attempts[k->n++];
	*a = *row;
	a->peer = arena_str(&k->arena, a->peer);
	a->reason = arena_str(&k->arena, a->reason);
	a->response = arena_str(&k->arena, a->response);
	return 0;
}

int32_t bag_doc(void *ctx, const txw_doc *row)
{
	struct kit *k = bag(ctx);
	txw_doc *d = &k->docs[k->n++];
	*d = *row;
	d->kind = arena_str(&k->arena, d->kind);
	d->tenant = arena_str(&k->arena, d->tenant);
	d->id = arena_str(&k->arena, d->id);
	d->body = arena_str(&k->arena, d->body);
	return 0;
}

/* ---- comparing ---- */

void assert_str(txw_str have, const char *want)
{
	if (!str_is(have, want))
		print_error("have \"%.*s\", want \"%s\"\n", STR_ARG(have), want);
	assert_true(str_is(have, want));
}

#define SAME_STR(field)                                                                    \
	do {                                                                               \
		if (!str_eq(a->field, b->field))                                           \
			print_error(#field ": \"%.*s\" and \"%.*s\"\n", STR_ARG(a->field), \
				    STR_ARG(b->field));                                    \
		assert_true(str_eq(a->field, b->field));                                   \
	} while (0)
#define SAME_INT(field)                               \
	do {                                          \
		if (a->field != b->field)             \
			print_error(#field "\n");     \
		assert_int_equal(a->field, b->field); \
	} while (0)

void assert_same_tx(const txw_tx *a, const txw_tx *b)
{
	SAME_INT(id.hi);
	SAME_INT(id.lo);
	SAME_INT(outcome);
	SAME_STR(tenant);
	SAME_STR(flow);
	SAME_STR(ref);
	SAME_STR(status);
	SAME_STR(owner);
	SAME_STR(amount);
	SAME_STR(currency);
	SAME_STR(attributes);
	SAME_STR(reason);
	SAME_STR(code);
	SAME_STR(source_version);
	SAME_STR(anomaly);
	SAME_INT(source_at);
	SAME_INT(version);
	SAME_INT(last_seq);
	SAME_INT(created_at);
	SAME_INT(updated_at);
	SAME_INT(status_since);
	SAME_INT(expires_at);
	SAME_INT(finished_at);
	SAME_INT(next_poll_at);
	SAME_INT(due_at);
	SAME_INT(polls);
	SAME_INT(poll_failures);
	SAME_INT(paused);
	SAME_INT(deadline);
	SAME_INT(warned);
	SAME_INT(held);
}

void assert_same_event(const txw_event *a, const txw_event *b)
{
	SAME_INT(type);
	SAME_INT(seq);
	SAME_INT(prev);
	SAME_INT(id.hi);
	SAME_INT(id.lo);
	SAME_INT(at);
	SAME_STR(tenant);
	SAME_STR(from);
	SAME_STR(to);
	SAME_STR(source);
	SAME_STR(actor);
	SAME_STR(source_event_id);
	SAME_INT(source_at);
	SAME_STR(reason);
	SAME_STR(code);
	SAME_STR(detail);
	SAME_STR(digest);
	SAME_STR(hash);
	SAME_STR(trace);
	assert_int_equal(!a->tx, !b->tx);
	if (a->tx) {
		SAME_INT(tx->key);
		assert_same_tx(a->tx, b->tx);
	}
}
