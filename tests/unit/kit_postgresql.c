/*
 * kit_postgresql.c: a fresh schema on the test server for the store suites.
 *
 * The server is tests/postgresql's: TXW_PG says where it is, or the file that
 * CTest's fixture wrote.
 */
#include "store_kit.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVER_FILE TXW_BUILD_DIR "/postgresql.env"

static bool find_server(struct kit *k)
{
	const char *given = getenv("TXW_PG");
	char line[256] = "";
	FILE *f = given ? NULL : fopen(SERVER_FILE, "r");
	while (f && fgets(line, sizeof(line), f) && strncmp(line, "TXW_PG=\"", 8) != 0)
		;
	if (f)
		fclose(f);
	if (given)
		snprintf(k->path, sizeof(k->path), "%s", given);
	else
		snprintf(k->path, sizeof(k->path), "%.*s", (int)strcspn(line + 8, "\""), line + 8);
	if (!k->path[0])
		print_error("no server: tests/postgresql start " SERVER_FILE "\n");
	return k->path[0] != '\0';
}

bool kit_postgresql_exec(struct kit *k, const char *sql)
{
	PGconn *conn = PQconnectdb(k->path);
	PGresult *r = PQexec(conn, sql);
	ExecStatusType status = PQresultStatus(r);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		print_error("%s: %s", sql, PQerrorMessage(conn));
	PQclear(r);
	PQfinish(conn);
	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/* k->dir is the schema's name. */
static bool make(struct kit *k)
{
	static unsigned n;
	if (!find_server(k))
		return false;
	snprintf(k->dir, sizeof(k->dir), "kit_%d_%u", (int)getpid(), ++n);
	return true;
}

static void remove_all(struct kit *k)
{
	char sql[128];
	snprintf(sql, sizeof(sql),
		 "SET client_min_messages = warning;"
		 "DROP SCHEMA IF EXISTS %s CASCADE",
		 k->dir);
	kit_postgresql_exec(k, sql);
}

static size_t options(struct kit *k, txw_value *values)
{
	const char *at = k->conninfo ? k->conninfo : k->path;
	size_t n = 0;
	k->texts[0] = str_of(at);
	k->texts[1] = str_of(k->dir);
	values[n++] = (txw_value){
	    .type = TXW_OPT_STRING, .name = "conninfo", .is_set = 1, .n = 1, .texts = &k->texts[0]};
	values[n++] = (txw_value){
	    .type = TXW_OPT_STRING, .name = "schema", .is_set = 1, .n = 1, .texts = &k->texts[1]};
	values[n++] = (txw_value){.type = TXW_OPT_DURATION,
				  .name = "statement-timeout",
				  .is_set = !!k->busy,
				  .n = 1,
				  .number = k->busy};
	values[n++] = (txw_value){.type = TXW_OPT_DURATION,
				  .name = "read-timeout",
				  .is_set = !!k->read_timeout,
				  .n = 1,
				  .number = k->read_timeout};
	values[n++] = (txw_value){.type = TXW_OPT_DURATION,
				  .name = "commit-timeout",
				  .is_set = !!k->commit_timeout,
				  .n = 1,
				  .number = k->commit_timeout};
	return n;
}

const struct kit_store KIT_POSTGRESQL = {
    .name = "postgresql",
    .is_remote = true,
    .plugin = TXW_BUILD_DIR "/plugins/store.postgresql.so",
    .make = make,
    .remove = remove_all,
    .options = options,
};
