/*
 * store_sqlite_test.c: what is store.sqlite's alone: its file, its locks, its
 * schema, a full disk, a killed writer, the WAL's bound.
 */
#include "store_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Another program's connection. */
static sqlite3 *shell(struct kit *k)
{
	sqlite3 *db;
	assert_int_equal(SQLITE_OK, sqlite3_open(k->path, &db));
	return db;
}

static void run(sqlite3 *db, const char *sql)
{
	char *why = NULL;
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		print_error("%s: %s\n", sql, why);
	assert_null(why);
}

static void shell_run(struct kit *k, const char *sql)
{
	sqlite3 *db = shell(k);
	run(db, sql);
	sqlite3_close(db);
}

static void expect_words(struct kit *k, const char *a, const char *b)
{
	if (!strstr(k->text, a) || !strstr(k->text, b))
		print_error("the error says: %s\n", k->text);
	assert_non_null(strstr(k->text, a));
	assert_non_null(strstr(k->text, b));
}

/* A second instance beside k's, on the same path. */
static int32_t open_second(struct kit *k)
{
	void *self = k->self, *reader = k->reader;
	k->self = k->reader = NULL;
	int32_t rc = kit_open(k);
	kit_close(k);
	k->self = self;
	k->reader = reader;
	return rc;
}

/* ---- opening ---- */

static void a_second_host_is_refused_by_any_name_of_the_file(void **state)
{
	struct kit *k = *state;
	char real[sizeof(k->path)], link_name[sizeof(k->path)];
	REFUSED(TXW_E_BUSY, open_second(k));
	expect_words(k, "another txwatch", "process");
	snprintf(real, sizeof(real), "%s", k->path);
	snprintf(link_name, sizeof(link_name), "%s/alias.db", k->dir);
	assert_int_equal(0, symlink(real, link_name));
	snprintf(k->path, sizeof(k->path), "%s", link_name);
	REFUSED(TXW_E_BUSY, open_second(k));
	snprintf(k->path, sizeof(k->path), "%s", real);
	kit_commit_change(k, kit_tx(k, "A"), "x"); /* the first is unharmed */
	kit_close(k);
	OK(kit_open(k));
}

static void a_path_that_cannot_be_is_refused_in_words(void **state)
{
	struct kit *k = *state;
	kit_close(k);
	snprintf(k->path, sizeof(k->path), "%s/none/test.db", k->dir);
	REFUSED(TXW_E_IO, kit_open(k));
	expect_words(k, "/none/test.db", "make the directory");
	snprintf(k->path, sizeof(k->path), "%s", k->dir);
	REFUSED(TXW_E_INVALID, kit_open(k));
	expect_words(k, k->dir, "is a directory");
	k->path[0] = '\0';
	REFUSED(TXW_E_INVALID, kit_open(k));
	expect_words(k, "path", "missing");
}

/* As another user: root may write anywhere. 0, or what went wrong. */
static int try_without_permission(struct kit *k)
{
	if (setuid(65534) != 0)
		return 0;
	if (kit_open(k) != TXW_E_DENIED)
		return 1;
	return strstr(k->text, "write permission") ? 0 : 2;
}

static void an_unwritable_directory_is_refused_in_words(void **state)
{
	struct kit *k = *state;
	int status;
	kit_close(k);
	snprintf(k->path, sizeof(k->path), "%s/new.db", k->dir);
	assert_int_equal(0, chmod(k->dir, 0555));
	pid_t pid = fork();
	if (pid == 0)
		_exit(try_without_permission(k));
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_int_equal(0, chmod(k->dir, 0755));
	assert_int_equal(0, status);
}

static void a_file_that_is_no_database_is_refused_and_not_touched(void **state)
{
	struct kit *k = *state;
	static const char TEXT[] = "This is somebody's shopping list, not a database.\n";
	char back[sizeof(TEXT)] = "";
	snprintf(k->path, sizeof(k->path), "%s/list.txt", k->dir);
	kit_close(k);
	FILE *f = fopen(k->path, "w");
	for (int i = 0; i < 100; i++)
		fputs(TEXT, f);
	fclose(f);
	REFUSED(TXW_E_CORRUPT, kit_open(k));
	expect_words(k, "list.txt", "no SQLite database");
	f = fopen(k->path, "r");
	assert_int_equal(sizeof(TEXT) - 1, fread(back, 1, sizeof(TEXT) - 1, f));
	fclose(f);
	assert_string_equal(TEXT, back);
}

static void another_programs_database_is_refused(void **state)
{
	struct kit *k = *state;
	kit_close(k);
	snprintf(k->path, sizeof(k->path), "%s/other.db", k->dir);
	shell_run(k, "CREATE TABLE browser_history (url)");
	REFUSED(TXW_E_INVALID, kit_open(k));
	expect_words(k, "another program", "path");
}

static void a_damaged_file_is_refused(void **state)
{
	struct kit *k = *state;
	char junk[512];
	struct stat st;
	BEGIN();
	for (int i = 0; i < 200; i++)
		kit_change(k, kit_tx(k, kit_printf(k, "R%d", i).ptr), "x");
	COMMIT();
	kit_close(k);
	assert_int_equal(0, stat(k->path, &st));
	memset(junk, 0x5a, sizeof(junk));
	int fd = open(k->path, O_WRONLY);
	for (off_t at = 8192; at < st.st_size; at += 16384)
		assert_int_equal(sizeof(junk), pwrite(fd, junk, sizeof(junk), at));
	close(fd);
	REFUSED(TXW_E_CORRUPT, kit_open(k));
	expect_words(k, k->path, "restore a backup");
	k->check = "full";
	REFUSED(TXW_E_CORRUPT, kit_open(k));
	k->check = "off";
	kit_open(k); /* by request: whatever comes of it */
}

static void a_locked_database_is_refused_and_opens_when_free(void **state)
{
	struct kit *k = *state;
	kit_close(k);
	k->busy = 20000;
	sqlite3 *db = shell(k);
	run(db, "BEGIN IMMEDIATE");
	REFUSED(TXW_E_BUSY, kit_open(k));
	expect_words(k, "locked", "another program");
	run(db, "COMMIT");
	run(db,
	    "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; INSERT INTO mark VALUES ('x', 1);"
	    "COMMIT");
	REFUSED(TXW_E_BUSY, kit_open(k));
	sqlite3_close(db);
	OK(kit_open(k));
}

/* ---- schema ---- */

static int64_t ask(struct kit *k, const char *sql)
{
	sqlite3 *db = shell(k);
	sqlite3_stmt *st = NULL;
	assert_int_equal(SQLITE_OK, sqlite3_prepare_v2(db, sql, -1, &st, NULL));
	assert_int_equal(SQLITE_ROW, sqlite3_step(st));
	int64_t n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static void an_empty_file_is_migrated_from_version_0(void **state)
{
	struct kit *k = *state;
	txw_store_info info = {.size = sizeof(info)};
	kit_close(k);
	snprintf(k->path, sizeof(k->path), "%s/empty.db", k->dir);
	close(open(k->path, O_CREAT | O_WRONLY, 0600));
	OK(kit_open(k));
	OK(k->v->info(k->self, &info, &k->err));
	assert_true(info.schema_version >= 1);
	assert_int_equal(info.schema_version, ask(k, "PRAGMA user_version"));
	kit_reopen(k);
	kit_commit_change(k, kit_tx(k, "A"), "x");
}

static void a_newer_schema_is_refused_and_not_touched(void **state)
{
	struct kit *k = *state;
	kit_close(k);
	shell_run(k, "PRAGMA user_version = 999");
	REFUSED(TXW_E_VERSION, kit_open(k));
	expect_words(k, "schema 999", "upgrade txwatch");
	assert_int_equal(999, ask(k, "PRAGMA user_version"));
}

static void a_migration_that_cannot_be_finished_changes_nothing(void **state)
{
	struct kit *k = *state;
	kit_close(k);
	snprintf(k->path, sizeof(k->path), "%s/half.db", k->dir);
	/* Ours, of version 0, with a table of step 1 there already. */
	shell_run(k, "PRAGMA application_id = 1954051889; CREATE TABLE mark (x)");
	assert_true(kit_open(k) < 0);
	expect_words(k, "migrating", "mark");
	assert_int_equal(0, ask(k, "PRAGMA user_version"));
	assert_int_equal(1, ask(k, "SELECT count(*) FROM sqlite_schema"));
}

/* As schema 2 left it: without what later steps made. */
static const char AS_SCHEMA_2[] = "DROP TABLE rollup; DROP TABLE shape; DROP TABLE purged;"
				  "DROP INDEX tx_open; DROP INDEX tx_done;"
				  "DROP INDEX tx_finished;"
				  "ALTER TABLE tx DROP COLUMN fin;"
				  "CREATE INDEX tx_outcome ON tx (outcome);"
				  "PRAGMA user_version = 2;";

static void what_was_there_before_there_were_counts_is_counted(void **state)
{
	struct kit *k = *state;
	txw_tx *a = kit_tx(k, "A"), *b = kit_tx(k, "B");
	a->outcome = b->outcome = TXW_OPEN;
	a->finished_at = b->finished_at = 0;
	BEGIN();
	kit_change(k, a, "pending");
	kit_change(k, b, "pending");
	b->outcome = TXW_FAILURE;
	b->finished_at = KIT_NOW;
	kit_change(k, b, "failed");
	COMMIT();
	kit_close(k);
	shell_run(k, AS_SCHEMA_2);
	OK(kit_open(k));
	assert_int_equal(2, ask(k, "SELECT count(*) FROM rollup WHERE kind = 'now'"));
	assert_int_equal(2, ask(k, "SELECT count(*) FROM shape"));
	/* And found by the indexes that were made for it. */
	bag_empty(k);
	txw_filter failed = {.size = sizeof(failed),
			     .kind = TXW_F_TEST,
			     .op = TXW_F_EQ,
			     .field = TXW_FIELD_STATUS,
			     .text = STR_LIT("failed")};
	txw_tx_query q = {.size = sizeof(q), .limit = 10, .filter = &failed};
	OK(k->v->list_tx(k->reader, &q, bag_tx, k, &k->err));
	assert_int_equal(1, k->n);
	assert_str(k->txs[0]->ref, "B");
	assert_int_equal(1, ask(k, "SELECT count FROM rollup WHERE kind = 'now' AND bucket = 0"
				   " AND flow = 'payment' AND key = 'open/pending'"));
	assert_int_equal(1, ask(k, "SELECT count FROM rollup WHERE kind = 'now'"
				   " AND flow = 'payment' AND key = 'failure/failed'"));
	assert_int_equal(3, ask(k, "SELECT count FROM rollup WHERE kind = 'events'"
				   " AND bucket = 1790000000000000 / 86400000000 * 86400000000"
				   " AND flow = 'payment' AND key = 'transaction.status_changed'"));
}

/* ---- when things go wrong ---- */

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;
	assert_int_equal(0, getrlimit(RLIMIT_FSIZE, &limit));
	limit.rlim_cur = bytes ? bytes : limit.rlim_max;
	assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &limit));
}

/* Fills a unit until the store says no; a row of it is a page. */
static int32_t fill(struct kit *k)
{
	char *big = xmalloc(4000);
	memset(big, 'x', 4000);
	int32_t rc = TXW_OK;
	BEGIN();
	for (int i = 0; i < 400 && rc == TXW_OK; i++) {
		txw_tx *tx = kit_tx(k, kit_printf(k, "fill-%d", i).ptr);
		tx->reason = (txw_str){big, 4000};
		tx->version = 1;
		rc = k->v->save(k->self, &tx, 1, &k->err);
	}
	if (rc == TXW_OK)
		rc = k->v->commit(k->self, &k->err);
	free(big);
	return kit_note(k, rc);
}

static void a_full_disk_is_told_and_writing_goes_on_when_there_is_room(void **state)
{
	struct kit *k = *state;
	txw_tx *tx = kit_tx(k, "A");
	kit_commit_change(k, tx, "x");
	signal(SIGXFSZ, SIG_IGN);
	limit_files(300 * 1024);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(TXW_E_FULL, fill(k));
		expect_words(k, "committing", "make room");
		ROLLBACK();
	}
	/* What fits still goes in. */
	kit_commit_change(k, tx, "y");
	limit_files(0);
	assert_int_equal(TXW_OK, fill(k));
	kit_commit_change(k, tx, "z");
	kit_reopen(k);
	txw_store_info info = {.size = sizeof(info)};
	OK(k->v->info(k->self, &info, &k->err));
	assert_int_equal(3, info.last_seq);
}

static void a_full_disk_in_the_middle_of_a_unit_breaks_only_that_unit(void **state)
{
	struct kit *k = *state;
	char *big = xmalloc(60000);
	memset(big, 'x', 60000);
	txw_tx *tx = kit_tx(k, "A");
	kit_commit_change(k, tx, "x");
	signal(SIGXFSZ, SIG_IGN);
	/* More than the page cache holds is spilled before the commit. */
	limit_files(4 * 1024 * 1024);
	int32_t rc = TXW_OK;
	BEGIN();
	for (int i = 0; i < 1000 && rc == TXW_OK; i++) {
		txw_tx *row = kit_tx(k, kit_printf(k, "spill-%d", i).ptr);
		row->reason = (txw_str){big, 60000};
		rc = k->v->save(k->self, &row, 1, &k->err);
	}
	assert_int_equal(TXW_E_FULL, kit_note(k, rc));
	expect_words(k, "saving", "make room");
	/* Nothing of it can be committed any more. */
	assert_true(k->v->commit(k->self, &k->err) < 0);
	ROLLBACK();
	limit_files(0);
	kit_commit_change(k, tx, "y");
	kit_reopen(k);
	assert_int_equal(1, ask(k, "SELECT count(*) FROM tx"));
	free(big);
}

/* Writes until it is killed, telling the last durable seq after each unit. */
static void write_until_killed(struct kit *k, int to)
{
	txw_tx *txs[8];
	if (kit_open(k) < 0)
		_exit(1);
	for (int i = 0; i < 8; i++)
		txs[i] = kit_tx(k, kit_printf(k, "R%d", i).ptr);
	for (int64_t seq = 0;;) {
		BEGIN();
		for (int i = 0; i < 8; i++)
			seq = kit_change(k, txs[i], seq % 3 ? "x" : "y")->seq;
		COMMIT();
		if (write(to, &seq, sizeof(seq)) != sizeof(seq))
			_exit(2);
	}
}

static void what_was_acknowledged_survives_kill_9(void **state)
{
	struct kit *k = *state;
	txw_store_info info = {.size = sizeof(info)};
	int ends[2], status;
	int64_t acknowledged = 0, seq;
	kit_close(k);
	assert_int_equal(0, pipe(ends));
	pid_t pid = fork();
	if (pid == 0)
		write_until_killed(k, ends[1]);
	close(ends[1]);
	for (int i = 0; i < 60; i++) {
		assert_int_equal(sizeof(seq), read(ends[0], &seq, sizeof(seq)));
		acknowledged = seq;
	}
	assert_int_equal(0, kill(pid, SIGKILL));
	assert_int_equal(pid, waitpid(pid, &status, 0));
	while (read(ends[0], &seq, sizeof(seq)) == sizeof(seq))
		acknowledged = seq;
	close(ends[0]);
	k->check = "full";
	OK(kit_open(k)); /* the kernel gave the lock back */
	OK(k->v->info(k->self, &info, &k->err));
	assert_true(info.last_seq >= acknowledged);
	assert_int_equal(0, info.last_seq % 8); /* whole units only */
	bag_empty(k);
	txw_tx_query all = {.size = sizeof(all), .limit = 100, .ascending = 1};
	OK(k->v->list_tx(k->reader, &all, bag_tx, k, &k->err));
	assert_int_equal(8, k->n);
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(info.last_seq / 8, k->txs[i]->version);
		assert_int_equal(info.last_seq - 7 + (int64_t)i, k->txs[i]->last_seq);
	}
	assert_int_equal(info.last_seq, ask(k, "SELECT count(*) FROM event"));
}

/* ---- searching and checkpoints ---- */

static void a_search_without_an_end_is_given_up(void **state)
{
	struct kit *k = *state;
	txw_filter f = {.size = sizeof(f),
			.kind = TXW_F_TEST,
			.op = TXW_F_HAS,
			.field = TXW_FIELD_REASON,
			.text = STR_LIT("nowhere")};
	txw_tx_query q = {.size = sizeof(q), .limit = 10, .filter = &f};
	BEGIN();
	for (int i = 0; i < 3000; i++)
		kit_change(k, kit_tx(k, kit_printf(k, "R%d", i).ptr), "x");
	COMMIT();
	k->read_timeout = 1;
	kit_reopen(k);
	REFUSED(TXW_E_TIMEOUT, k->v->list_tx(k->reader, &q, bag_tx, k, &k->err));
	expect_words(k, "searching", "narrow the search");
	q.filter = NULL; /* what is quick still works */
	bag_empty(k);
	OK(k->v->list_tx(k->reader, &q, bag_tx, k, &k->err));
	assert_int_equal(10, k->n);
}

/* Says that the filter's page was read by that index. */
static void expect_read_by(struct kit *k, const txw_filter *f, const char *index)
{
	txw_tx_query q = {
	    .size = sizeof(q), .limit = 10, .filter = f, .tenant = STR_LIT("default")};
	kit_listens = true;
	bag_empty(k);
	OK(k->v->list_tx(k->reader, &q, bag_tx, k, &k->err));
	kit_listens = false;
	assert_int_equal(1, k->n);
	if (!strstr(kit_said, index))
		print_error("%s\n", kit_said);
	assert_non_null(strstr(kit_said, index));
}

static void a_flow_is_found_by_its_index_among_thousands(void **state)
{
	static const char MANY[] =
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)";
	struct kit *k = *state;
	char sql[512];
	txw_filter flow = {.size = sizeof(flow),
			   .kind = TXW_F_TEST,
			   .op = TXW_F_EQ,
			   .field = TXW_FIELD_FLOW,
			   .text = STR_LIT("payment")};
	txw_filter status = flow;
	const txw_filter *both[] = {&status, &flow};
	txw_filter and = {
	    .size = sizeof(and), .kind = TXW_F_AND, .n_children = 2, .children = both};
	status.field = TXW_FIELD_STATUS;
	status.text = STR_LIT("x");
	kit_commit_change(k, kit_tx(k, "A"), "x");
	snprintf(sql, sizeof(sql),
		 "%s INSERT INTO name SELECT (SELECT max(id) FROM name) + i, 'f' || i FROM n",
		 MANY);
	shell_run(k, sql);
	snprintf(sql, sizeof(sql),
		 "%s INSERT INTO shape SELECT tenant, (SELECT id FROM name WHERE text = 'f' || i),"
		 " status, outcome, finished FROM n, (SELECT * FROM shape LIMIT 1)",
		 MANY);
	shell_run(k, sql);
	kit_reopen(k);
	expect_read_by(k, &flow, "INDEX tx_open (tenant=? AND flow=?");
	expect_read_by(k, &and, "INDEX tx_open (tenant=? AND flow=?");
}

static void the_wal_is_moved_into_the_file_and_stays_bounded(void **state)
{
	struct kit *k = *state;
	char *big = xmalloc(64 * 1024);
	memset(big, 'x', 64 * 1024);
	txw_store_stats stats = {.size = sizeof(stats)};
	txw_tx *tx = kit_tx(k, "A");
	tx->reason = (txw_str){big, 64 * 1024};
	int64_t most = 0;
	for (int i = 0; i < 60; i++) {
		BEGIN();
		for (int n = 0; n < 30; n++) {
			char *ref = big + 64 * 1024 - 8;
			snprintf(ref, 8, "%07d", i * 30 + n);
			tx->key = 0;
			tx->ref = str_of(ref);
			tx->id.lo++;
			OK(k->v->save(k->self, &tx, 1, &k->err));
		}
		COMMIT();
		OK(k->v->stats(k->reader, &stats, &k->err));
		most = stats.wal_bytes > most ? stats.wal_bytes : most;
	}
	assert_true(stats.checkpoints > 0);
	assert_true(most < 96 * 1024 * 1024);
	assert_true(stats.bytes > 100 * 1024 * 1024);
	free(big);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_second_host_is_refused_by_any_name_of_the_file),
	    CASE(a_path_that_cannot_be_is_refused_in_words),
	    CASE(an_unwritable_directory_is_refused_in_words),
	    CASE(a_file_that_is_no_database_is_refused_and_not_touched),
	    CASE(another_programs_database_is_refused),
	    CASE(a_damaged_file_is_refused),
	    CASE(a_locked_database_is_refused_and_opens_when_free),
	    CASE(an_empty_file_is_migrated_from_version_0),
	    CASE(a_newer_schema_is_refused_and_not_touched),
	    CASE(a_migration_that_cannot_be_finished_changes_nothing),
	    CASE(what_was_there_before_there_were_counts_is_counted),
	    CASE(a_full_disk_is_told_and_writing_goes_on_when_there_is_room),
	    CASE(a_full_disk_in_the_middle_of_a_unit_breaks_only_that_unit),
	    CASE(what_was_acknowledged_survives_kill_9),
	    CASE(a_search_without_an_end_is_given_up),
	    CASE(a_flow_is_found_by_its_index_among_thousands),
	    CASE(the_wal_is_moved_into_the_file_and_stays_bounded),
	};
	return cmocka_run_group_tests_name("store.sqlite", tests, NULL, NULL);
}
