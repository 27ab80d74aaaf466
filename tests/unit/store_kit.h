/*
 * store_kit.h: what the store suites share: a plugin opened through its ABI
 * alone, rows to write, and a bag for what emit callbacks bring.
 *
 * A suite names no store: TXW_STORE does, and kit_NAME.c makes a database of
 * it. A fixture is one such database, open, with one reader.
 */
#ifndef STORE_KIT_H
#define STORE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "txwatch/txwatch.h"

#define KIT_NOW (INT64_C(1790000000) * 1000000)
#define SEC     INT64_C(1000000)
#define BAG_MAX 4096

#define KIT_VALUES_MAX 16

/* A store that the suites run on: kit_NAME.c, a line in store_kit.c's list and
 * its name in TXW_KIT_STORES of CMakeLists.txt. */
struct kit;
struct kit_store {
	const char *name;
	bool is_remote;                                      /* each call is a round trip */
	const char *plugin;                                  /* its path */
	bool (*make)(struct kit *k);                         /* an empty database for k alone */
	void (*remove)(struct kit *k);                       /* and all of it */
	size_t (*options)(struct kit *k, txw_value *values); /* but for size; how many */
};
extern const struct kit_store KIT_SQLITE;
extern const struct kit_store KIT_POSTGRESQL;

struct kit {
	const struct kit_store *store;
	txw_str texts[KIT_VALUES_MAX]; /* for kit_store.options */
	void *library;
	const txw_role *role;
	const txw_store *v;
	void *self; /* the instance */
	void *reader;
	char dir[64];
	char path[128];
	const char *conninfo;   /* of a server reached another way; NULL */
	const char *check;      /* option values; NULL = the default */
	int64_t busy;           /* microseconds; 0 = the default */
	int64_t read_timeout;   /* microseconds; 0 = the default */
	int64_t commit_timeout; /* microseconds; 0 = the default */
	txw_error err;
	char text[1024]; /* err's, as a string */
	uint64_t n_ids;
	struct arena arena; /* of what the test made and the bag holds */

	/* The bag. */
	size_t n;
	const txw_tx *txs[BAG_MAX];
	const txw_event *events[BAG_MAX];
	txw_delivery_row deliveries[BAG_MAX];
	txw_target targets[BAG_MAX];
	txw_attempt attempts[BAG_MAX];
	txw_doc docs[BAG_MAX];
	txw_time first_due[BAG_MAX];
};

/* cmocka fixtures: *state is a struct kit. */
int kit_setup(void **state);
int kit_teardown(void **state);

/* Without asserting, for tests of refusals: the call's result, the text in
 * k->text. kit_open also opens the reader. */
int32_t kit_make(struct kit *k);
int32_t kit_open(struct kit *k);
void kit_close(struct kit *k); /* reader, store and instance */
void kit_reopen(struct kit *k);

/* Fails the test with the store's words unless rc >= 0; returns rc. */
int32_t kit_check(struct kit *k, int32_t rc, const char *what, const char *file, int line);
#define OK(call)            kit_check(k, (call), #call, __FILE__, __LINE__)
#define REFUSED(code, call) assert_int_equal((code), kit_note(k, (call)))
int32_t kit_note(struct kit *k, int32_t rc);
/* For what may fail in a function that hands the error on. */
#define TRY(call)                                   \
	do {                                        \
		int32_t try_rc = (call);            \
		if (try_rc < 0)                     \
			return kit_note(k, try_rc); \
	} while (0)

/* The last line a store has logged, while somebody listens. */
extern bool kit_listens;
extern char kit_said[4096];

/* Shorthands on the kit's store. */
#define BEGIN()    OK(k->v->begin(k->self, &k->err))
#define COMMIT()   OK(k->v->commit(k->self, &k->err))
#define ROLLBACK() k->v->rollback(k->self)

/* A row with every field filled, of flow "payment"; in the arena. */
txw_tx *kit_tx(struct kit *k, const char *ref);
/* An event of it that says it went to its status from `from`. */
txw_event *kit_event(struct kit *k, txw_tx *tx, const char *from);
/* Saves and appends in the open unit, as the engine does: version, prev and
 * last_seq are kept right. */
txw_event *kit_change(struct kit *k, txw_tx *tx, const char *status);
/* The same in a unit of its own. */
void kit_commit_change(struct kit *k, txw_tx *tx, const char *status);
txw_str kit_printf(struct kit *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Emit callbacks: copy into the bag (ctx is the kit). */
int32_t bag_tx(void *ctx, const txw_tx *row);
int32_t bag_event(void *ctx, const txw_event *event);
int32_t bag_delivery(void *ctx, const txw_delivery_row *row, const txw_target *target,
		     const txw_event *event);
int32_t bag_target(void *ctx, const txw_target *row, txw_time first_due);
int32_t bag_attempt(void *ctx, const txw_attempt *row);
int32_t bag_doc(void *ctx, const txw_doc *row);
void bag_empty(struct kit *k);

/* Every field but key. */
void assert_same_tx(const txw_tx *a, const txw_tx *b);
void assert_same_event(const txw_event *a, const txw_event *b);
void assert_str(txw_str have, const char *want);

/* kit_postgresql.c: SQL on a connection of its own, beside the store's. */
bool kit_postgresql_exec(struct kit *k, const char *sql);

#endif
