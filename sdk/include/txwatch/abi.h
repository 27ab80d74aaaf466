/*
 * txwatch/abi.h: the words every txwatch plugin and host share.
 *
 * This header is the ABI's change log, newest first:
 *
 *   1.0  the first: pollers, stores, notifiers, exporters; extensions log,
 *        clock, http, metrics, state, random.
 *
 * Compatibility. A plugin exports one function, txw_plugin_1. The host loads
 * it if and only if the major versions are equal and the plugin's minor (the
 * lowest it needs) is at most the host's. Within a major version:
 *   - a struct that begins with `uint32_t size` may grow, at its end only;
 *     whoever fills it sets size = sizeof(the struct it was compiled with),
 *     whoever reads it looks at no byte beyond that size;
 *   - an array of such structs comes with a stride, the distance in bytes
 *     from one element to the next: use it, not sizeof;
 *   - every other struct is frozen.
 *
 * Thread tags. Every function says where it is called:
 *   [load]    the host's main thread, before anything runs
 *   [loop]    the host's event loop: return within a millisecond
 *   [worker]  a thread of the instance's own, where blocking is allowed
 *   [writer]  the engine's thread, the store's one writer
 *   [reader]  one of several reader threads, one call at a time per reader
 *   [any]     any thread, several at once
 * One instance is never entered twice at once, `cancel` and the [reader]
 * calls excepted.
 *
 * Ownership. What one side passes is borrowed until the call returns (or,
 * for a call that answered TXW_PENDING, until its completion). Nothing
 * allocated on one side is freed on the other.
 */
#ifndef TXWATCH_ABI_H
#define TXWATCH_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TXW_ABI_MAJOR 1u
#define TXW_ABI_MINOR 0u

#if defined(__GNUC__) || defined(__clang__)
#define TXW_EXPORT __attribute__((visibility("default")))
#else
#define TXW_EXPORT
#endif

/* Microseconds since 1970-01-01T00:00:00Z; 0 means "none". */
typedef int64_t txw_time;

/* Bytes that are not zero-terminated. UTF-8 where they are text.
 * ptr may be NULL if and only if len is 0; that means "none". Frozen. */
typedef struct txw_str {
	const char *ptr;
	size_t len;
} txw_str;

/* A UUIDv7 (RFC 9562), most significant half first; shown as a TypeID:
 * a prefix ("tx", "evt", "sub", "dlv") and 26 base32 characters. Frozen. */
typedef struct txw_id {
	uint64_t hi;
	uint64_t lo;
} txw_id;

/*
 * What a call returns: zero or more is success, negative an error. With an
 * error a function may fill the caller's txw_error; the caller copies the
 * text at once, so it may live in the callee's instance.
 */
#define TXW_OK            0
#define TXW_PENDING       1     /* completion comes by complete() */
#define TXW_E_INVALID     (-1)  /* the input cannot be right */
#define TXW_E_NOMEM       (-2)  /* no memory */
#define TXW_E_IO          (-3)  /* disk, file or socket trouble */
#define TXW_E_FULL        (-4)  /* no space on the device */
#define TXW_E_BUSY        (-5)  /* locked or over a limit: try later */
#define TXW_E_CORRUPT     (-6)  /* stored data is damaged */
#define TXW_E_NOTFOUND    (-7)  /* there is no such thing */
#define TXW_E_EXISTS      (-8)  /* there is one already */
#define TXW_E_UNSUPPORTED (-9)  /* not offered by this side */
#define TXW_E_CANCELLED   (-10) /* the host called cancel, or is stopping */
#define TXW_E_TIMEOUT     (-11) /* a deadline passed */
#define TXW_E_DENIED      (-12) /* refused by policy */
#define TXW_E_VERSION     (-13) /* made by an incompatible version */

typedef struct txw_error {
	uint32_t size;
	int32_t code; /* one of TXW_E_ */
	txw_str text; /* what happened, where, what to do */
} txw_error;

/* The verdict on one item of a batch. */
#define TXW_VERDICT_OK       0 /* done */
#define TXW_VERDICT_RETRY    1 /* failed: try again (after, or the schedule) */
#define TXW_VERDICT_DROP     2 /* failed for good: dead, with the reason */
#define TXW_VERDICT_GONE     3 /* the target wants no more: disable it */
#define TXW_VERDICT_THROTTLE 4 /* failed; pause the whole target for `after` */

/* ------------------------------------------------------------------ */
/* Options: what a config section of this plugin may hold, as data.    */

#define TXW_OPT_STRING   0
#define TXW_OPT_INTEGER  1
#define TXW_OPT_BOOLEAN  2 /* true or false */
#define TXW_OPT_DURATION 3 /* 250ms 5s 30m 2h 7d; value in microseconds */
#define TXW_OPT_BYTES    4 /* 512 64KB 1MB; value in bytes (KB = 1024) */
#define TXW_OPT_CHOICE   5 /* one of `choices` */
#define TXW_OPT_SECRET   6 /* env:NAME or file:/path; never printed */

#define TXW_OPT_LIST       1u /* flag: { "a", "b" } */
#define TXW_OPT_REQUIRED   2u /* flag: the section must have it */
#define TXW_OPT_DEPRECATED 4u /* flag: still works, warned about */

typedef struct txw_option {
	uint32_t size;
	uint32_t type;        /* TXW_OPT_STRING ... */
	uint32_t flags;       /* TXW_OPT_LIST ... */
	uint32_t reserved;    /* 0 */
	const char *name;     /* lower case, words joined by '-' */
	const char *fallback; /* the default as config text; NULL = none */
	const char *choices;  /* CHOICE: "a|b|c"; else NULL */
	const char *help;     /* one sentence, ends without a full stop */
	int64_t min;          /* INTEGER, DURATION, BYTES: the range, */
	int64_t max;          /*   checked when max > min */
} txw_option;

/* One option's value as parsed and checked. */
typedef struct txw_value {
	uint32_t size;
	uint32_t type;
	const char *name;     /* as in its txw_option row */
	uint32_t is_set;      /* 0: not in the file, and no default */
	uint32_t n;           /* how many texts; 1 unless a list */
	int64_t number;       /* INTEGER, BOOLEAN, DURATION, BYTES */
	const txw_str *texts; /* STRING, CHOICE, SECRET (opened), or a list */
} txw_value;

/* ------------------------------------------------------------------ */
/* The host, as an instance sees it.                                   */

typedef struct txw_instance txw_instance; /* the host's: opaque */

typedef struct txw_host {
	uint32_t size;
	uint32_t abi_major;
	uint32_t abi_minor;
	uint32_t reserved;
	const char *version; /* the host's, for messages: "0.1.0" */

	/* The table of an extension by name and revision ("txw.http/1"), or
	 * NULL when this host has none. The table lives as long as the
	 * process. [any] */
	const void *(*get_ext)(txw_instance *self, const char *name);
} txw_host;

/* What an instance is made from. Borrowed for the call. */
typedef struct txw_setup {
	uint32_t size;
	uint32_t n_values; /* one for each of the role's option rows */
	size_t value_stride;
	const txw_value *values;
	const txw_host *host; /* lives as long as the process */
	txw_instance *self;   /* lives as long as the instance */
	const char *name;     /* the section's title */
} txw_setup;

/* ------------------------------------------------------------------ */
/* Plugin: one file, one or more roles.                                */

#define TXW_ROLE_POLLER   1u /* vtable: txw_poller   (poller.h)   */
#define TXW_ROLE_STORE    2u /* vtable: txw_store    (store.h)    */
#define TXW_ROLE_NOTIFIER 3u /* vtable: txw_notifier (notifier.h) */
#define TXW_ROLE_EXPORTER 4u /* vtable: txw_exporter (exporter.h) */

#define TXW_BLOCKING \
	1u /* role flag: calls may block; the instance
                                  * gets a [worker] thread of its own */

typedef struct txw_role {
	uint32_t size;
	uint32_t kind;  /* TXW_ROLE_POLLER ... */
	uint32_t flags; /* TXW_BLOCKING */
	uint32_t n_options;
	const char *name;    /* the part after the dot: "webhook" */
	const char *summary; /* one line for `txwatch plugins` */
	const txw_option *options;
	size_t option_stride;
	const void *vtable; /* of the kind; lives as long as the process */

	/* Makes an instance; *out is handed to every other call. Must not
	 * touch the network; a file or database may be opened. On error *out
	 * stays untouched and the host loads the site without it or not at
	 * all. [load] */
	int32_t (*create)(const txw_setup *setup, void **out, txw_error *err);

	/* Ends an instance: every pending token has been completed or
	 * cancelled before. May be NULL. [load] */
	void (*destroy)(void *instance);
} txw_role;

typedef struct txw_plugin {
	uint32_t size;
	uint32_t abi_major; /* TXW_ABI_MAJOR at compile time */
	uint32_t abi_minor; /* the lowest minor it needs */
	uint32_t n_roles;
	const char *version; /* the plugin's own */
	const char *author;
	const char *license; /* SPDX */
	const txw_role *roles;
	size_t role_stride;
} txw_plugin;

/* The one symbol of a plugin file. Pure: the same answer every time. [load] */
TXW_EXPORT const txw_plugin *txw_plugin_1(void);

#ifdef __cplusplus
}
#endif

#endif
