/* names.c: see names.h. */
#include "names.h"

#include <stdlib.h>
#include <string.h>

static uint32_t hash(txw_str s)
{
	uint32_t h = 2166136261u; /* FNV-1a */
	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.ptr[i]) * 16777619u;
	return h;
}

static void place(struct names *m, uint32_t id)
{
	uint32_t i = hash(m->texts[id - 1]) & (m->n_slots - 1);
	while (m->slots[i])
		i = (i + 1) & (m->n_slots - 1);
	m->slots[i] = id;
}

static void rehash(struct names *m)
{
	if (m->n_slots)
		memset(m->slots, 0, m->n_slots * sizeof(*m->slots));
	for (uint32_t id = 1; id <= m->n; id++)
		place(m, id);
}

static int32_t reserve(struct names *m)
{
	if (m->n < m->cap)
		return TXW_OK;
	uint32_t cap = m->cap ? m->cap * 2 : 32;
	txw_str *texts = realloc(m->texts, cap * sizeof(*texts));
	if (!texts)
		return TXW_E_NOMEM;
	m->texts = texts;
	uint32_t *slots = realloc(m->slots, cap * 2 * sizeof(*slots));
	if (!slots)
		return TXW_E_NOMEM;
	m->slots = slots;
	m->n_slots = cap * 2;
	m->cap = cap;
	rehash(m);
	return TXW_OK;
}

static int32_t remember(struct names *m, txw_str text)
{
	if (reserve(m) < 0)
		return TXW_E_NOMEM;
	char *copy = malloc(text.len + 1);
	if (!copy)
		return TXW_E_NOMEM;
	if (text.len)
		memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	m->texts[m->n].ptr = copy;
	m->texts[m->n].len = text.len;
	place(m, ++m->n);
	return TXW_OK;
}

int32_t names_load(struct names *m, struct db *db, txw_error *err)
{
	sqlite3_stmt *st = db_stmt(db, SQL_NAME_LOAD);
	int32_t rc;
	bind_int(st, 1, m->n);
	while ((rc = db_step(db, st, "loading the names", err)) > 0) {
		if (column_int(st, 0) != (int64_t)m->n + 1)
			rc = db_say(db, TXW_E_CORRUPT, err,
				    "%s: the table `name` has a gap after %u; restore a backup",
				    db->path, m->n);
		else if (remember(m, column_text(st, 1)) < 0)
			rc = db_say(db, TXW_E_NOMEM, err, "no memory for a name");
		if (rc < 0) {
			sqlite3_reset(st);
			return rc;
		}
	}
	return rc;
}

void names_free(struct names *m)
{
	for (uint32_t i = 0; i < m->n; i++)
		free((char *)m->texts[i].ptr);
	free(m->texts);
	free(m->slots);
	memset(m, 0, sizeof(*m));
}

int64_t names_find(const struct names *m, txw_str text)
{
	if (!text.len || !m->n_slots)
		return 0;
	uint32_t i = hash(text) & (m->n_slots - 1);
	for (; m->slots[i]; i = (i + 1) & (m->n_slots - 1)) {
		txw_str have = m->texts[m->slots[i] - 1];
		if (have.len == text.len && memcmp(have.ptr, text.ptr, text.len) == 0)
			return m->slots[i];
	}
	return 0;
}

int32_t names_put(struct names *m, struct db *db, txw_str text, int64_t *id, txw_error *err)
{
	*id = names_find(m, text);
	if (*id || !text.len)
		return TXW_OK;
	sqlite3_stmt *st = db_stmt(db, SQL_NAME_ADD);
	bind_int(st, 1, (int64_t)m->n + 1);
	bind_text(st, 2, text);
	int32_t rc = db_run(db, st, "adding a name", err);
	if (rc < 0)
		return rc;
	if (remember(m, text) < 0)
		return db_say(db, TXW_E_NOMEM, err, "no memory for a name");
	*id = m->n;
	return TXW_OK;
}

txw_str names_text(struct names *m, struct db *db, int64_t id)
{
	int32_t rc = TXW_OK;
	if (id > (int64_t)m->n)
		rc = names_load(m, db, NULL);
	if (id >= 1 && id <= (int64_t)m->n)
		return m->texts[id - 1];
	if (rc == TXW_OK && id)
		rc = db_say(db, TXW_E_CORRUPT, NULL,
			    "%s: the table `name` lacks %lld; restore a backup", db->path,
			    (long long)id);
	if (rc < 0)
		m->failed = rc;
	return (txw_str){NULL, 0};
}

int32_t names_whole(struct names *m, struct db *db, txw_error *err)
{
	int32_t rc = m->failed;
	m->failed = TXW_OK;
	if (rc < 0 && err) {
		err->code = rc;
		err->text = (txw_str){db->text, strlen(db->text)};
	}
	return rc;
}

void names_commit(struct names *m)
{
	m->committed = m->n;
}

void names_rollback(struct names *m)
{
	if (m->n == m->committed)
		return;
	while (m->n > m->committed)
		free((char *)m->texts[--m->n].ptr);
	rehash(m);
}
