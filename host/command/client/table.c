/* table.c: the client's commands: their words, options and functions. */
#include "command/client/client.h"

#define END       \
	{         \
		0 \
	}
#define SWITCH(name_, letter_, help_)                                 \
	{                                                             \
		.name = (name_), .letter = (letter_), .help = (help_) \
	}
#define TEXT(name_, value_, help_)                                  \
	{                                                           \
		.name = (name_), .value = (value_), .help = (help_) \
	}
#define CHOICE(name_, value_, choices_, help_)                                             \
	{                                                                                  \
		.name = (name_), .value = (value_), .choices = (choices_), .help = (help_) \
	}
#define TYPED(name_, letter_, value_, kind_, help_)                                             \
	{                                                                                       \
		.name = (name_), .letter = (letter_), .value = (value_), .kind = VALUE_##kind_, \
		.help = (help_)                                                                 \
	}
#define MANY(name_, value_, help_)                                                   \
	{                                                                            \
		.name = (name_), .value = (value_), .help = (help_), .is_many = true \
	}

#define PAGING                                                                      \
	TYPED("limit", 'n', "N", NUMBER, "How many rows at most, 50 unless given"), \
	    SWITCH("all", 'a', "Every row there is")
#define TX_WORD                                                                        \
	{                                                                              \
		.name = "TRANSACTION", .help = "Its id, tx_..., or its name, FLOW/REF" \
	}
#define TX_FILTERS                                                                 \
	TEXT("flow", "FLOW", "Only of this flow"),                                 \
	    TEXT("status", "STATUS", "Only in this status"),                       \
	    CHOICE("outcome", "OUTCOME", "open|success|failure|cancelled|expired", \
		   "Only with this outcome"),                                      \
	    TEXT("owner", "OWNER", "Only of this owner"),                          \
	    TEXT("ref", "REF", "Only with this ref"),                              \
	    TEXT("filter", "FILTER",                                               \
		 "Only what the filter holds for: amount > 1000 AND status = failed")
#define TX_MEMBERS                                                                        \
	TEXT("owner", "OWNER", "Whose it is"),                                            \
	    TEXT("amount", "AMOUNT", "An exact decimal, as 1250.00"),                     \
	    TEXT("currency", "CURRENCY", "The amount's, as EUR"),                         \
	    TEXT("attributes", "JSON", "An object, whole"),                               \
	    TYPED("expires-in", 0, "DURATION", DURATION, "A deadline, counted from now"), \
	    TYPED("expires-at", 0, "TIME", TEXT, "A deadline")

/* ---- what every one of them takes ---- */

const struct command_option CLIENT_OPTIONS[] = {
    TEXT("url", "URL", "Where the host is, http://127.0.0.1:8420 unless given"),
    TEXT("host", "NAME", "The host of this name in the client's file"),
    TYPED("token-file", 0, "FILE", FILE, "The file that holds the token"),
    TYPED("ca-file", 0, "FILE", FILE, "The certificates to trust in place of the system's"),
    TYPED("client-file", 0, "FILE", FILE,
	  "The client's file, in place of ~/.config/txwatch/client.conf"),
    TYPED("timeout", 0, "DURATION", DURATION, "How long a request may take, 30s unless given"),
    TYPED("retries", 0, "N", NUMBER, "How often a busy host is asked again, 3 unless given"),
    SWITCH("json", 'j', "Print the API's JSON; of lists, an object a line"),
    END,
};

/* ---- transactions ---- */

static const struct command_option TX_LIST[] = {
    TX_FILTERS,
    TEXT("text", "TEXT", "Only with this text in ref, owner, reason or attributes"),
    CHOICE("order", "ORDER", "desc|asc", "Newest or oldest first"),
    TEXT("order-by", "FIELDS", "Sorted by up to four fields, as \"amount desc, ref\""),
    TEXT("fields", "FIELDS", "Show these, as \"ref, status, attributes.country\""),
    PAGING,
    END,
};
static const struct command_option TX_COUNT[] = {
    TX_FILTERS,
    TEXT("text", "TEXT", "Only with this text in ref, owner, reason or attributes"),
    TEXT("by", "FIELDS", "How many of each flow, status or outcome: one or more of these"),
    END,
};
static const struct command_word TX_ONE[] = {TX_WORD, END};
static const struct command_option TX_GET[] = {
    TYPED("at", 0, "TIME", TIME, "As it was then"),
    TEXT("expand", "WHAT", "With its newest history, deliveries, or both: history,deliveries"),
    END,
};
static const struct command_word TX_CREATE_WORDS[] = {
    {.name = "FLOW/REF", .help = "The flow, and the ref that the other system knows it by"},
    END,
};
static const struct command_option TX_CREATE[] = {
    TEXT("status", "STATUS", "The status it is in, the flow's first unless given"),
    TX_MEMBERS,
    TEXT("reason", "TEXT", "Why"),
    TEXT("code", "CODE", "The other system's code"),
    END,
};
static const struct command_word TX_SET_WORDS[] = {
    TX_WORD,
    {.name = "STATUS", .help = "The status it was seen in"},
    END,
};
static const struct command_option TX_SET[] = {
    TEXT("reason", "TEXT", "Why"),
    TEXT("code", "CODE", "The other system's code"),
    TEXT("detail", "JSON", "Evidence, kept in its history"),
    TEXT("source-event-id", "ID", "The message's own id: told twice, it counts once"),
    TEXT("source-version", "VERSION", "The source's version: an older one changes nothing"),
    TYPED("source-at", 0, "TIME", TIME, "When the source saw it"),
    TYPED("if-version", 0, "N", NUMBER, "Only if it still has this version"),
    SWITCH("dry-run", 0, "Say what would be, and change nothing"),
    END,
};
static const struct command_option TX_UPDATE[] = {
    TX_MEMBERS,
    SWITCH("hold", 0, "Put it under legal hold: retention and purge leave it alone"),
    SWITCH("release", 0, "Take the legal hold away"),
    TYPED("if-version", 0, "N", NUMBER, "Only if it still has this version"),
    END,
};
static const struct command_word TX_BULK_WORDS[] = {
    {.name = "ACTION", .help = "What to do with each", .choices = "set|update|poll|pause|resume"},
    {.name = "STATUS", .help = "Of set: the status they were seen in", .is_optional = true},
    END,
};
static const struct command_option TX_BULK[] = {
    TEXT("filter", "FILTER", "To which: all that it holds for; an empty one is all there is"),
    TEXT("reason", "TEXT", "Of set: why"),
    TEXT("code", "CODE", "Of set: the other system's code"),
    TEXT("detail", "JSON", "Of set: evidence, kept in their history"),
    TX_MEMBERS,
    SWITCH("dry-run", 0, "Work out what would be, and change nothing"),
    SWITCH("wait", 'w', "Wait for its end, and show how far it is"),
    END,
};
static const struct command_option TX_PURGE[] = {
    TYPED("finished-before", 0, "TIME", TIME, "Those that finished before this time; needed"),
    TEXT("flow", "FLOW", "Only of this flow"),
    CHOICE("outcome", "OUTCOME", "success|failure|cancelled|expired", "Only with this outcome"),
    SWITCH("dry-run", 0, "Count, and delete nothing"),
    SWITCH("wait", 'w', "Wait for its end, and show how far it is"),
    END,
};
static const struct command_word TX_IMPORT_WORDS[] = {
    {.name = "FILE", .help = "NDJSON or CSV; - is the standard input", .kind = VALUE_FILE},
    END,
};
static const struct command_option TX_IMPORT[] = {
    CHOICE("format", "FORMAT", "ndjson|csv", "What the file is; unless given, its name tells"),
    END,
};
static const struct command_option TX_EXPORT[] = {
    TYPED("output", 'o', "FILE", FILE, "To this file, which appears when it is whole"),
    CHOICE("format", "FORMAT", "ndjson|csv", "NDJSON unless given"),
    TX_FILTERS,
    CHOICE("order", "ORDER", "desc|asc", "Newest or oldest first"),
    END,
};
static const struct command_option PAGES[] = {PAGING, END};

/* ---- events ---- */

static const struct command_option EVENTS_TAIL[] = {
    SWITCH("follow", 'f', "Go on with what comes, over lost connections too"),
    TYPED("lines", 'n', "N", NUMBER, "How many of the last events, 10 unless given"),
    TYPED("after", 0, "SEQ", NUMBER, "From the event after this one on; 0 is the whole log"),
    TEXT("filter", "FILTER", "Only what the filter holds for: type = transaction.failed"),
    TYPED("wait", 0, "DURATION", DURATION, "How long one long poll waits, 30s unless given"),
    END,
};

/* ---- subscriptions, deliveries ---- */

#define SUB_MEMBERS                                                                        \
	MANY("event", "TYPE", "An event's type, as transaction.failed or transaction.*"),  \
	    TEXT("filter", "FILTER", "Only events the filter holds for"),                  \
	    MANY("header", "NAME: VALUE", "A header to send along"),                       \
	    TEXT("channel", "NAME", "The notifier that sends"),                            \
	    SWITCH("ordered", 0, "A transaction's events one after the other"),            \
	    TEXT("rate", "RATE", "At most so many, as 50/s"),                              \
	    TYPED("concurrency", 0, "N", NUMBER, "At most so many at once"),               \
	    CHOICE("format", "FORMAT", "standard|cloudevents", "How the body is written"), \
	    TEXT("description", "TEXT", "What it is for")
static const struct command_word SUB_ONE[] = {
    {.name = "SUBSCRIPTION", .help = "Its id, sub_..., or its target"},
    END,
};
static const struct command_word SUB_TARGET[] = {
    {.name = "TARGET", .help = "The URL to send to"},
    END,
};
static const struct command_option SUB_CREATE[] = {
    SUB_MEMBERS,
    SWITCH("disable", 0, "Park what comes until it is enabled"),
    END,
};
static const struct command_option SUB_UPDATE[] = {
    TEXT("target", "URL", "The URL to send to"),
    SUB_MEMBERS,
    SWITCH("unordered", 0, "Events as they come"),
    SWITCH("enable", 0, "Send again what comes"),
    SWITCH("disable", 0, "Park what comes until it is enabled"),
    END,
};
static const struct command_option DELIVERY_LIST[] = {
    CHOICE("state", "STATE", "pending|sending|blocked|delivered|dead|parked|suppressed",
	   "Only in this state"),
    TEXT("subscription", "SUBSCRIPTION", "Only to this one: its id or its target"),
    TEXT("target", "TARGET", "Only to this target, as a delivery names it"),
    TEXT("transaction", "TRANSACTION", "Only of this one's events: its id or FLOW/REF"),
    PAGING,
    END,
};
static const struct command_word DELIVERY_ONE[] = {
    {.name = "DELIVERY", .help = "Its id (dlv_...)"},
    END,
};

/* ---- jobs, tokens ---- */

static const struct command_word JOB_ONE[] = {
    {.name = "JOB", .help = "Its id (job_...)"},
    END,
};
static const struct command_option JOB_GET[] = {
    SWITCH("wait", 'w', "Wait for its end, and show how far it is"),
    END,
};
#define TOKEN_TENANT TEXT("tenant", "TENANT", "Another tenant's; for the site's operators")
static const struct command_word TOKEN_NEW[] = {
    {.name = "NAME", .help = "What it is called"},
    END,
};
static const struct command_word TOKEN_ONE[] = {
    {.name = "TOKEN", .help = "Its id, tok_..., or its name"},
    END,
};
static const struct command_option TOKEN_CREATE[] = {
    {.name = "scope",
     .value = "SCOPE",
     .help = "What it may do, read unless given",
     .choices = "read|write|admin",
     .is_many = true},
    TYPED("expires", 0, "TIME", SOON, "Until when it is good: a time to come, or a duration"),
    TOKEN_TENANT,
    END,
};
static const struct command_option TOKEN_LIST[] = {PAGING, TOKEN_TENANT, END};
static const struct command_option TOKEN_REVOKE[] = {TOKEN_TENANT, END};

static const struct command_option AUDIT_LIST[] = {
    TEXT("actor", "ACTOR", "Only what this one did, as token:operator"),
    TEXT("action", "ACTION", "Only this, as token.create or token.*"),
    TEXT("object", "OBJECT", "Only what was done to this"),
    TYPED("from", 0, "TIME", TIME, "Since then"),
    TYPED("to", 0, "TIME", TIME, "Before then"),
    PAGING,
    END,
};

/* ---- all of them ---- */

#define ROW(name_, help_, words_, options_, fn_)                                            \
	{                                                                                   \
		.name = (name_), .help = (help_), .words = (words_), .options = (options_), \
		.client = client_##fn_                                                      \
	}

const struct command CLIENT_COMMANDS[] = {
    ROW("tx list", "Lists transactions, newest first", NULL, TX_LIST, tx_list),
    ROW("tx count", "Counts transactions", NULL, TX_COUNT, tx_count),
    ROW("tx get", "Shows a transaction", TX_ONE, TX_GET, tx_get),
    ROW("tx create", "Begins to watch a transaction", TX_CREATE_WORDS, TX_CREATE, tx_create),
    ROW("tx set", "Tells that a transaction was seen in a status", TX_SET_WORDS, TX_SET, tx_set),
    {.name = "tx update",
     .help = "Changes a transaction's owner, amount, attributes or deadline",
     .words = TX_ONE,
     .options = TX_UPDATE,
     .client = client_tx_update,
     .more = "An empty value takes the member away."},
    ROW("tx history", "Shows a transaction's events, oldest first", TX_ONE, PAGES, tx_history),
    ROW("tx poll", "Has a transaction polled now", TX_ONE, NULL, tx_poll),
    ROW("tx pause", "Stops polling and expiring a transaction", TX_ONE, NULL, tx_pause),
    ROW("tx resume", "Has a transaction watched again", TX_ONE, NULL, tx_resume),
    {.name = "tx bulk",
     .help = "Does one thing to every transaction that a filter holds for, as a job",
     .words = TX_BULK_WORDS,
     .options = TX_BULK,
     .client = client_tx_bulk,
     .more = "With --wait it ends with status 1 when the job failed, and 4 when it was cancelled."},
    {.name = "tx purge",
     .help = "Deletes transactions that finished long ago, with their history, as a job",
     .options = TX_PURGE,
     .client = client_tx_purge,
     .more = "What is under legal hold stays."},
    {.name = "tx import",
     .help = "Creates and moves transactions from a file's rows",
     .words = TX_IMPORT_WORDS,
     .options = TX_IMPORT,
     .client = client_tx_import,
     .more = "Prints the rows that were refused, and how many came to what; with --json the "
	     "result of every row. Sending a file again does no harm: what is there is unchanged."},
    {.name = "tx export",
     .help = "Prints transactions as NDJSON or CSV, as of one moment",
     .options = TX_EXPORT,
     .client = client_tx_export,
     .more = "What it prints can be imported."},
    {.name = "events tail",
     .help = "Shows the last events, and with -f those that come",
     .options = EVENTS_TAIL,
     .client = client_events_tail,
     .more = "It goes on over lost connections, from one seq to the next, without a gap. It ends "
	     "with status 8 when the log does not reach the seq, or is another one, because then "
	     "nobody can say what was missed."},
    ROW("sub list", "Lists subscriptions", NULL, PAGES, sub_list),
    ROW("sub get", "Shows a subscription and its state", SUB_ONE, NULL, sub_get),
    {.name = "sub create",
     .help = "Subscribes a target to events",
     .words = SUB_TARGET,
     .options = SUB_CREATE,
     .client = client_sub_create,
     .more = "Without --event it is sent transaction.*; its secret is shown this once."},
    {.name = "sub update",
     .help = "Changes a subscription",
     .words = SUB_ONE,
     .options = SUB_UPDATE,
     .client = client_sub_update,
     .more = "An empty filter or rate takes it away."},
    ROW("sub delete", "Ends a subscription", SUB_ONE, NULL, sub_delete),
    ROW("sub test", "Sends a subscription a test event", SUB_ONE, NULL, sub_test),
    ROW("sub replay", "Sends a subscription's dead and parked deliveries again", SUB_ONE, NULL,
	sub_replay),
    ROW("delivery list", "Lists deliveries, newest first", NULL, DELIVERY_LIST, delivery_list),
    ROW("delivery get", "Shows a delivery and its attempts", DELIVERY_ONE, NULL, delivery_get),
    ROW("delivery retry", "Sends a delivery again, now", DELIVERY_ONE, NULL, delivery_retry),
    ROW("token list", "Lists the API's tokens", NULL, TOKEN_LIST, token_list),
    {.name = "token create",
     .help = "Makes a token at the host, which is shown this once",
     .words = TOKEN_NEW,
     .options = TOKEN_CREATE,
     .client = client_token_create},
    ROW("token revoke", "Ends a token", TOKEN_ONE, TOKEN_REVOKE, token_revoke),
    ROW("audit list", "Lists who did what, newest first", NULL, AUDIT_LIST, audit_list),
    ROW("job list", "Lists jobs, newest first", NULL, PAGES, job_list),
    {.name = "job get",
     .help = "Shows a job and how far it is",
     .words = JOB_ONE,
     .options = JOB_GET,
     .client = client_job_get,
     .more = "With --wait it ends with status 1 when the job failed, and 4 when it was cancelled."},
    ROW("job cancel", "Ends a job before its next step", JOB_ONE, NULL, job_cancel),
    ROW("host flows", "Lists the flows the host runs", NULL, NULL, host_flows),
    ROW("host plugins", "Lists the host's plugins and their instances", NULL, NULL, host_plugins),
    ROW("host pollers", "Lists the host's pollers and how they fare", NULL, NULL, host_pollers),
    ROW("host ready", "Says whether the host is ready, and if not why", NULL, NULL, host_ready),
    ROW("host reload", "Has the host take over its file anew", NULL, NULL, host_reload),
    {.name = NULL},
};
