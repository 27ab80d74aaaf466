/* options.c: see options.h. */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000)
/* PostgreSQL cuts longer names; "txwatch_" goes before it in a channel's. */
#define SCHEMA_MAX 50

const txw_option OPTIONS[OPTIONS_COUNT] = {
    {.size = sizeof(txw_option),
     .type = TXW_OPT_STRING,
     .name = "conninfo",
     .help = "Where the server is, as libpq takes it: \"host=db.example dbname=txwatch\" or a "
	     "postgresql:// URL; what the options below say goes before it. Without any, libpq's "
	     "own defaults (PGHOST ...)"},
    {.size = sizeof(txw_option),
     .type = TXW_OPT_STRING,
     .name = "host",
     .help = "The server's name or address, or the directory of its Unix socket; several, "
	     "separated by commas, are tried in turn"},
    {.size = sizeof(txw_option),
     .type = TXW_OPT_INTEGER,
     .name = "port",
     .help = "The server's port",
     .min = 1,
     .max = 65535},
    {.size = sizeof(txw_option),
     .type = TXW_OPT_STRING,
     .name = "dbname",
     .help = "The database; it must exist, its encoding be UTF8"},
    {.size = sizeof(txw_option),
     .type = TXW_OPT_STRING,
     .name = "user",
     .help = "The role to log in as; it must own the schema, or be allowed to make it"},
    {.size = sizeof(txw_option),
     .type = TXW_OPT_SECRET,
     .name = "password",
     .help = "The role's password"},
    {.size = sizeof(txw_option),
     .type = TXW_OPT_CHOICE,
     .name = "sslmode",
     .choices = "disable|allow|prefer|require|verify-ca|verify-full",
     .help = "How much TLS is asked for; over a network `verify-full`"},
    {.size = sizeof(txw_option),
     .type = TXW_OPT_STRING,
     .name = "schema",
     .fallback = "txwatch",
     .help = "The schema that holds the tables; made if there is none. One for each site"},
    {.size = sizeof(txw_option),
     .type = TXW_OPT_DURATION,
     .name = "connect-timeout",
     .fallback = "5s",
     .help = "How long one attempt to connect may take",
     .min = 2 * SECOND,
     .max = 600 * SECOND},
    {.size = sizeof(txw_option),
     .type = TXW_OPT_DURATION,
     .name = "statement-timeout",
     .fallback = "30s",
     .help = "How long one statement of a commit may take, waiting for another host's commit "
	     "included",
     .min = 1,
     .max = 3600 * SECOND},
    {.size = sizeof(txw_option),
     .type = TXW_OPT_DURATION,
     .name = "read-timeout",
     .fallback = "5s",
     .help = "How long one page of a list may search before it is given up",
     .min = 1,
     .max = 600 * SECOND},
    {.size = sizeof(txw_option),
     .type = TXW_OPT_DURATION,
     .name = "commit-timeout",
     .fallback = "30s",
     .help = "When the connection is lost while committing: how long to try to learn from the "
	     "server whether it committed, before the change is answered as failed",
     .min = 0,
     .max = 3600 * SECOND},
    {.size = sizeof(txw_option),
     .type = TXW_OPT_BOOLEAN,
     .name = "notify",
     .fallback = "true",
     .help =
	 "Tell other hosts of a commit at once (NOTIFY), and hear of theirs (LISTEN); without it "
	 "they are found by polling, each second"},
};

static int32_t read_text(const txw_setup *setup, const char *name, char **out, txw_error *err)
{
	const txw_value *v = txw_setup_value(setup, name);
	if (!v || !v->n || !v->texts[0].len)
		return TXW_OK;
	if (memchr(v->texts[0].ptr, '\0', v->texts[0].len))
		return txw_refuse(TXW_E_INVALID,
				  "store.postgresql: an option has a zero byte in it", err);
	*out = strndup(v->texts[0].ptr, v->texts[0].len);
	return *out ? TXW_OK
		    : txw_refuse(TXW_E_NOMEM, "store.postgresql: no memory for an instance", err);
}

/* It becomes part of SQL texts and of a channel's name. */
static bool is_name(const char *s)
{
	size_t n = strlen(s);
	return n > 0 && n <= SCHEMA_MAX && (s[0] < '0' || s[0] > '9') &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == n && strncmp(s, "pg_", 3) != 0;
}

static int32_t read_texts(const txw_setup *setup, struct options *o, txw_error *err)
{
	const struct {
		const char *name;
		char **out;
	} TEXTS[] = {
	    {"conninfo", &o->conninfo}, {"host", &o->host},         {"dbname", &o->dbname},
	    {"user", &o->user},         {"password", &o->password}, {"sslmode", &o->sslmode},
	    {"schema", &o->schema},
	};
	for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
		int32_t rc = read_text(setup, TEXTS[i].name, TEXTS[i].out, err);
		if (rc < 0)
			return rc;
	}
	int64_t port = txw_setup_number(setup, "port", 0);
	if (!o->schema)
		o->schema = strdup("txwatch");
	if (!o->schema || (port && asprintf(&o->port, "%lld", (long long)port) < 0))
		return txw_refuse(TXW_E_NOMEM, "store.postgresql: no memory for an instance", err);
	return TXW_OK;
}

int32_t options_read(const txw_setup *setup, struct options *out, txw_error *err)
{
	*out = (struct options){
	    .connect_timeout = txw_setup_number(setup, "connect-timeout", 5 * SECOND),
	    .statement_timeout = txw_setup_number(setup, "statement-timeout", 30 * SECOND),
	    .read_timeout = txw_setup_number(setup, "read-timeout", 5 * SECOND),
	    .commit_timeout = txw_setup_number(setup, "commit-timeout", 30 * SECOND),
	    .notify = txw_setup_number(setup, "notify", 1) != 0,
	};
	int32_t rc = read_texts(setup, out, err);
	if (rc == TXW_OK && !is_name(out->schema))
		rc = txw_refuse(
		    TXW_E_INVALID,
		    "store.postgresql: `schema` must be 1 to 50 of a-z, 0-9 and _, begin "
		    "with no digit and not with pg_",
		    err);
	if (rc < 0)
		options_free(out);
	return rc;
}

void options_free(struct options *o)
{
	char *texts[] = {o->conninfo, o->host,     o->port,    o->dbname,
			 o->user,     o->password, o->sslmode, o->schema};
	if (o->password)
		explicit_bzero(o->password, strlen(o->password));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	*o = (struct options){.conninfo = NULL};
}
