/*
 * names.h: words that repeat in every row, kept as small integers.
 *
 * Tenants, flows, states and sources are few and are written with each
 * event; the table `name` gives each a number from 1, without gaps, and this
 * is its image in memory. The writer adds, each reader loads what it misses.
 *
 * Owned by one thread, as the connection beside it is.
 */
#ifndef SQLITE_NAMES_H
#define SQLITE_NAMES_H

#include <stdint.h>

#include "db.h"

struct names {
	txw_str *texts; /* texts[id - 1], owned */
	uint32_t n;
	uint32_t cap;
	uint32_t committed; /* of n, what outlives a rollback */
	uint32_t *slots;    /* hash: id or 0 */
	uint32_t n_slots;   /* a power of two */
	int32_t failed;     /* why a word was not found; names_whole */
};

/* Loads what the database has beyond n. */
int32_t names_load(struct names *names, struct db *db, txw_error *err);
void names_free(struct names *names);

/* *id = the word's number, 0 for the empty word; adds it if it is new. */
int32_t names_put(struct names *names, struct db *db, txw_str text, int64_t *id, txw_error *err);
/* The word's number, 0 if there is none. */
int64_t names_find(const struct names *names, txw_str text);
/* The word; loads it if it is unknown. Empty for 0, and for what cannot be
 * had: whoever shows it asks names_whole first. */
txw_str names_text(struct names *names, struct db *db, int64_t id);
/* An error if a word could not be had since the last call; its text is db's. */
int32_t names_whole(struct names *names, struct db *db, txw_error *err);

void names_commit(struct names *names);
void names_rollback(struct names *names);

#endif
