/*
 * schemas.c: the rows of bodies and answers; see schema.h. An answer's row
 * says what its renderer writes: json_tx, json_event (base/row.c), the
 * renderers in notify/render.c, and those of the handlers here.
 */
#include "api/schema.h"
#include "api/write.h"

#define OPT MEMBER_OPTIONAL
#define NIL MEMBER_NULLABLE

#define OUTCOMES "open|success|failure|cancelled|expired"

/* ---- transactions ---- */

static const struct member TRANSACTION[] = {
    {"id", MEMBER_ID, 0, "tx", "Its id here"},
    {"flow", MEMBER_TEXT, 0, NULL, NULL},
    {"ref", MEMBER_TEXT, 0, NULL, NULL},
    {"status", MEMBER_TEXT, 0, NULL, NULL},
    {"outcome", MEMBER_CHOICE, 0, OUTCOMES, "What its status means"},
    {"version", MEMBER_INTEGER, 0, NULL, "Rises by one with every event; its ETag"},
    {"owner", MEMBER_TEXT, NIL, NULL, NULL},
    {"amount", MEMBER_DECIMAL, NIL, NULL, NULL},
    {"currency", MEMBER_TEXT, NIL, NULL, NULL},
    {"attributes", MEMBER_OBJECT, 0, NULL, NULL},
    {"reason", MEMBER_TEXT, OPT, NULL, NULL},
    {"code", MEMBER_TEXT, OPT, NULL, NULL},
    {"source_version", MEMBER_TEXT, OPT, NULL, NULL},
    {"source_at", MEMBER_TIME, OPT, NULL, NULL},
    {"anomaly", MEMBER_TEXT, OPT, NULL, "The last word that the flow does not know or allow"},
    {"paused", MEMBER_BOOLEAN, OPT, NULL, "Neither polled nor expired until resumed"},
    {"legal_hold", MEMBER_BOOLEAN, OPT, NULL, NULL},
    {"created_at", MEMBER_TIME, 0, NULL, NULL},
    {"updated_at", MEMBER_TIME, 0, NULL, NULL},
    {"status_since", MEMBER_TIME, NIL, NULL, "When it came into this status"},
    {"expires_at", MEMBER_TIME, NIL, NULL, NULL},
    {"finished_at", MEMBER_TIME, NIL, NULL, "When its outcome was decided"},
    {"next_poll_at", MEMBER_TIME, NIL, NULL, "When it is asked after next"},
    {"poll_failures", MEMBER_INTEGER, OPT, NULL, "Polls that failed in a row"},
    {"history", MEMBER_OF, OPT, "NewestEvents", "With expand=history"},
    {"deliveries", MEMBER_OF, OPT, "NewestDeliveries", "With expand=deliveries"},
    {0},
};
static const struct member NEWEST_EVENTS[] = {
    {"data", MEMBER_LIST, 0, "Event", "The newest, oldest first"},
    {"more", MEMBER_BOOLEAN, 0, NULL, "There are older ones"},
    {0},
};
static const struct member NEWEST_DELIVERIES[] = {
    {"data", MEMBER_LIST, 0, "Delivery", "The newest, newest first"},
    {"more", MEMBER_BOOLEAN, 0, NULL, "There are older ones"},
    {0},
};
static const struct member TRANSACTION_LIST[] = {
    {"data", MEMBER_LIST, 0, "Transaction|TransactionPart", NULL},
    {"next", MEMBER_TEXT, NIL, NULL, NULL},
    {"total", MEMBER_INTEGER, OPT, NULL, "With count=true: how many there are in all"},
    {"total_is_at_least", MEMBER_BOOLEAN, OPT, NULL, "They were not counted to the end"},
    {"facets", MEMBER_OF, OPT, "Facets", "With facets"},
    {0},
};
static const struct member FACETS[] = {
    {"flow", MEMBER_LIST, OPT, "Facet", NULL},
    {"status", MEMBER_LIST, OPT, "Facet", NULL},
    {"outcome", MEMBER_LIST, OPT, "Facet", "What their statuses mean"},
    {0},
};
static const struct member FACET[] = {
    {"value", MEMBER_TEXT, 0, NULL, NULL},
    {"count", MEMBER_INTEGER, 0, NULL, "How many have it"},
    {0},
};
static const struct member DRY_RUN[] = {
    {"dry_run", MEMBER_BOOLEAN, 0, NULL, "Always true: nothing was changed"},
    {"result", MEMBER_CHOICE, 0, "created|changed|unchanged", "What would have been done"},
    {"events", MEMBER_LIST, 0, NULL, "The types of the events there would be"},
    {"deadline", MEMBER_OF, NIL, "Deadline", "When it would expire; null: never"},
    {"transaction", MEMBER_OF, 0, "Transaction", "As it would be"},
    {0},
};
static const struct member DEADLINE[] = {
    {"at", MEMBER_TIME, 0, NULL, "When it expires if it is still open"},
    {"to", MEMBER_TEXT, 0, NULL, "The status it moves to then"},
    {"warns_at", MEMBER_TIME, NIL, NULL, "When transaction.expiring tells of it"},
    {0},
};
static const struct member BATCH[] = {
    {"operations", MEMBER_LIST, 0, "BatchCreate|BatchStatus|BatchUpdate",
     "1 to 10 000, done in this order"},
    {0},
};
static const struct member BATCH_CREATE_OP[] = {
    {"op", MEMBER_CHOICE, 0, "create", "What to do"},
    {0},
};
static const struct member BATCH_STATUS_OP[] = {
    {"op", MEMBER_CHOICE, 0, "status", "What to do"},
    {"id", MEMBER_ID, OPT, "tx", "Of the transaction; else flow and ref"},
    {0},
};
static const struct member BATCH_UPDATE_OP[] = {
    {"op", MEMBER_CHOICE, 0, "update", "What to do"},
    {"id", MEMBER_ID, OPT, "tx", "Of the transaction; else flow and ref"},
    {0},
};
static const struct member BATCH_RESULTS[] = {
    {"results", MEMBER_LIST, 0, "BatchResult", "One an operation, in their order"},
    {0},
};
static const struct member BATCH_RESULT[] = {
    {"result", MEMBER_CHOICE, 0,
     "created|changed|unchanged|refused|stale|not_found|invalid|conflict|undone",
     "What became of the operation"},
    {"id", MEMBER_ID, OPT, "tx", "Of the transaction"},
    {"version", MEMBER_INTEGER, OPT, NULL, "Of the transaction, afterwards"},
    {"status", MEMBER_TEXT, OPT, NULL, "Of the transaction, afterwards"},
    {"transaction", MEMBER_OF, OPT, "Transaction", "Under \"return\": \"transaction\""},
    {"why", MEMBER_TEXT, OPT, NULL, "Of what was not done"},
    {0},
};

/* ---- events ---- */

static const struct member EVENT[] = {
    {"seq", MEMBER_INTEGER, 0, NULL, "Its place in the log"},
    {"id", MEMBER_ID, 0, "evt", "The same at every delivery"},
    {"type", MEMBER_TEXT, 0, NULL, "transaction.created, transaction.failed ..."},
    {"at", MEMBER_TIME, 0, NULL, "When it was committed"},
    {"tenant", MEMBER_TEXT, 0, NULL, "Whose it is"},
    {"source", MEMBER_TEXT, OPT, NULL, "What it was heard from: a poller's name, api ..."},
    {"actor", MEMBER_TEXT, OPT, NULL, "Who did it, as token:NAME"},
    {"trace", MEMBER_TEXT, OPT, NULL, "The traceparent of the request that caused it"},
    {"change", MEMBER_OF, 0, "Change", "What it changed"},
    {"transaction", MEMBER_OF, OPT, "Transaction", "As the event left it"},
    {"digest", MEMBER_TEXT, OPT, NULL, "SHA-256 of its content, where the log is chained"},
    {"hash", MEMBER_TEXT, OPT, NULL, "Over the digest and the hash of the event before"},
    {"content", MEMBER_TEXT, OPT, NULL, "With content=true: the digest's bytes, in base64"},
    {0},
};
static const struct member CHANGE[] = {
    {"from", MEMBER_TEXT, OPT | NIL, NULL, "The status before"},
    {"to", MEMBER_TEXT, OPT | NIL, NULL, "The status after"},
    {"reason", MEMBER_TEXT, OPT, NULL, NULL},
    {"code", MEMBER_TEXT, OPT, NULL, NULL},
    {"source_event_id", MEMBER_TEXT, OPT, NULL, NULL},
    {"source_at", MEMBER_TIME, OPT, NULL, NULL},
    {"detail", MEMBER_ANY, OPT, NULL, NULL},
    {0},
};
static const struct member EVENT_LIST[] = {
    {"data", MEMBER_LIST, 0, "Event", "Oldest first"},
    {"next", MEMBER_TEXT, NIL, NULL, NULL},
    {"last_seq", MEMBER_INTEGER, OPT, NULL, "Of /v1/events: where to go on"},
    {"epoch", MEMBER_TEXT, OPT, NULL, "Of /v1/events: another one, another log"},
    {0},
};

/* ---- subscriptions, deliveries ---- */

#define SUB_SHARED                                                                               \
	{"filter", MEMBER_TEXT, OPT, NULL, "Only events it holds for"},                          \
	    {"headers", MEMBER_OBJECT, OPT, NULL, "Sent along with every delivery"},             \
	    {"ordered", MEMBER_BOOLEAN, OPT, NULL,                                               \
	     "A transaction's events one after the other, by seq"},                              \
	    {"rate", MEMBER_TEXT, OPT, NULL, "At most so many, as 50/s, 600/m or 1000/h"},       \
	    {"concurrency", MEMBER_INTEGER, OPT, NULL, "At most so many at once"},               \
	    {"format", MEMBER_TEXT, OPT, NULL, "What the body looks like: the notifier's word"}, \
	    {"description", MEMBER_TEXT, OPT, NULL, "For people"},                               \
	{                                                                                        \
		"enabled", MEMBER_BOOLEAN, OPT, NULL, "false: what comes is parked"              \
	}

static const struct member SUBSCRIPTION[] = {
    {"id", MEMBER_ID, 0, "sub", "Its id"},
    {"channel", MEMBER_TEXT, 0, NULL, "The notifier's name"},
    {"target", MEMBER_TEXT, 0, NULL, "Where to"},
    {"events", MEMBER_LIST, 0, NULL, "Types, transaction.* or *"},
    SUB_SHARED,
    {"disabled_reason", MEMBER_TEXT, OPT, NULL, "Why it was disabled"},
    {"paused_until", MEMBER_TIME, OPT, NULL, "The target asked for time"},
    {"failing_since", MEMBER_TIME, OPT, NULL, "Since then every attempt failed"},
    {"failures", MEMBER_INTEGER, OPT, NULL, "Failed attempts in a row"},
    {"version", MEMBER_INTEGER, 0, NULL, "Rises with every change"},
    {"created_at", MEMBER_TIME, 0, NULL, NULL},
    {"updated_at", MEMBER_TIME, 0, NULL, NULL},
    {"secret", MEMBER_TEXT, OPT, NULL, "On creation only: what deliveries are signed with"},
    {0},
};
static const struct member NEW_SUBSCRIPTION[] = {
    {"channel", MEMBER_TEXT, OPT, NULL, "The notifier's name; may be absent if there is one"},
    {"target", MEMBER_TEXT, 0, NULL, "Where to"},
    {"events", MEMBER_LIST, OPT, NULL, "1 to 32 types; transaction.* unless given"},
    {"secret", MEMBER_TEXT, OPT, NULL, "To sign with; made unless given"},
    SUB_SHARED,
    {0},
};
static const struct member SUBSCRIPTION_CHANGE[] = {
    {"channel", MEMBER_TEXT, OPT, NULL, "The notifier's name"},
    {"target", MEMBER_TEXT, OPT, NULL, "Where to"},
    {"events", MEMBER_LIST, OPT, NULL, "1 to 32 types, transaction.* or *"},
    {"secret", MEMBER_TEXT, OPT, NULL, "To sign with from now on"},
    SUB_SHARED,
    {0},
};
static const struct member REPLAYED[] = {
    {"replayed", MEMBER_INTEGER, 0, NULL, "Deliveries that are due again"},
    {0},
};
static const struct member NOTHING[] = {{0}};

#define DLV_STATES "pending|blocked|sending|delivered|dead|parked|suppressed"

static const struct member DELIVERY[] = {
    {"id", MEMBER_ID, 0, "dlv", "Its id"},
    {"target", MEMBER_TEXT, 0, NULL, "Which target: a subscription's id, or another's name"},
    {"subscription", MEMBER_ID, OPT, "sub", "Of the target that is one"},
    {"seq", MEMBER_INTEGER, 0, NULL, "Of the event"},
    {"event", MEMBER_OF, OPT, "EventName", "Which event"},
    {"transaction", MEMBER_OF, OPT, "TransactionName", "Whose event"},
    {"state", MEMBER_CHOICE, 0, DLV_STATES, "Where it stands"},
    {"attempt_count", MEMBER_INTEGER, 0, NULL, "Attempts so far"},
    {"next_attempt_at", MEMBER_TIME, NIL, NULL, "While it is pending"},
    {"status", MEMBER_INTEGER, OPT, NULL, "The last answer's, as 503"},
    {"reason", MEMBER_TEXT, OPT, NULL, "Why it stands so"},
    {"ordered", MEMBER_BOOLEAN, 0, NULL, "It waits for the one before it"},
    {"created_at", MEMBER_TIME, 0, NULL, NULL},
    {"updated_at", MEMBER_TIME, 0, NULL, NULL},
    {"attempts", MEMBER_LIST, OPT, "Attempt", "Of one delivery: every attempt"},
    {0},
};
static const struct member EVENT_NAME[] = {
    {"seq", MEMBER_INTEGER, 0, NULL, NULL},
    {"id", MEMBER_ID, 0, "evt", NULL},
    {"type", MEMBER_TEXT, 0, NULL, NULL},
    {"at", MEMBER_TIME, 0, NULL, NULL},
    {0},
};
static const struct member TRANSACTION_NAME[] = {
    {"id", MEMBER_ID, 0, "tx", NULL},
    {"flow", MEMBER_TEXT, 0, NULL, NULL},
    {"ref", MEMBER_TEXT, 0, NULL, NULL},
    {0},
};
static const struct member ATTEMPT[] = {
    {"attempt", MEMBER_INTEGER, 0, NULL, "1 is the first"},
    {"at", MEMBER_TIME, 0, NULL, "When it began"},
    {"verdict", MEMBER_CHOICE, 0, "ok|retry|drop|gone|throttle|unknown", "What came of it"},
    {"status", MEMBER_INTEGER, OPT, NULL, "The answer's, as 503"},
    {"reason", MEMBER_TEXT, OPT, NULL, "Why it failed"},
    {"peer", MEMBER_TEXT, OPT, NULL, "The address that answered"},
    {"took_seconds", MEMBER_NUMBER, OPT, NULL, "All of it"},
    {"connect_seconds", MEMBER_NUMBER, OPT, NULL, "Until connected"},
    {"tls_seconds", MEMBER_NUMBER, OPT, NULL, "Until TLS was agreed"},
    {"first_byte_seconds", MEMBER_NUMBER, OPT, NULL, "Until the answer began"},
    {"response", MEMBER_TEXT, OPT, NULL, "The answer's beginning"},
    {0},
};

/* ---- jobs ---- */

static const struct member BULK[] = {
    {"action", MEMBER_OF, 0, "BulkAction", "What to do to each"},
    {0},
};
static const struct member BULK_ACTION[] = {
    {"status", MEMBER_OF, OPT, "Observation", "Report a status"},
    {"update", MEMBER_OF, OPT, "TransactionChange", "Change them"},
    {"poll", MEMBER_OF, OPT, "Nothing", "Poll them now"},
    {"pause", MEMBER_OF, OPT, "Nothing", "Stop polling and expiring them"},
    {"resume", MEMBER_OF, OPT, "Nothing", "Watch them again"},
    {0},
};
static const struct member JOB[] = {
    {"id", MEMBER_ID, 0, "job", "Its id"},
    {"kind", MEMBER_TEXT, 0, NULL, "bulk ..."},
    {"state", MEMBER_TEXT, 0, NULL, "queued, running, done, cancelled, failed"},
    {"actor", MEMBER_TEXT, OPT, NULL, "Who began it"},
    {"created_at", MEMBER_TIME, 0, NULL, NULL},
    {"started_at", MEMBER_TIME, NIL, NULL, "When it got its turn"},
    {"finished_at", MEMBER_TIME, NIL, NULL, "When it ended"},
    {"why", MEMBER_TEXT, OPT, NULL, "Of a failed one"},
    {"request", MEMBER_OBJECT, 0, NULL, "What was asked for"},
    {"progress", MEMBER_OBJECT, 0, NULL, "How far it is, in the kind's own members"},
    {0},
};

/* ---- who may what ---- */

static const struct member NEW_TOKEN[] = {
    {"scopes", MEMBER_LIST, 0, NULL, "Of read, write, admin"},
    {0},
};
static const struct member TOKEN[] = {
    {"id", MEMBER_ID, 0, "tok", "Its id"},
    {"name", MEMBER_TEXT, 0, NULL, "For people"},
    {"tenant", MEMBER_TEXT, 0, NULL, "Whose data it opens"},
    {"scopes", MEMBER_LIST, 0, NULL, "Of read, write, admin"},
    {"created_by", MEMBER_TEXT, OPT | NIL, NULL, "Who made it, as token:NAME"},
    {"created_at", MEMBER_TIME, OPT, NULL, NULL},
    {"expires_at", MEMBER_TIME, OPT | NIL, NULL, "When it ends; null: never"},
    {"last_used_at", MEMBER_TIME, OPT | NIL, NULL, "When a request last passed with it"},
    {"token", MEMBER_TEXT, OPT, NULL, "On creation only: what its bearer sends"},
    {0},
};
static const struct member AUDIT[] = {
    {"id", MEMBER_TEXT, 0, NULL, "Its id"},
    {"at", MEMBER_TIME, 0, NULL, "When it was done"},
    {"tenant", MEMBER_TEXT, 0, NULL, "Whose it is"},
    {"actor", MEMBER_TEXT, OPT, NULL, "Who did it, as token:NAME or jwt:SUBJECT"},
    {"action", MEMBER_TEXT, OPT, NULL, "What was done: token.create ..."},
    {"object", MEMBER_TEXT, OPT, NULL, "To what"},
    {"detail", MEMBER_ANY, OPT, NULL, "What more is to be said"},
    {0},
};

/* ---- what runs here ---- */

static const struct member FLOW[] = {
    {"name", MEMBER_TEXT, 0, NULL, NULL},
    {"initial", MEMBER_TEXT, 0, NULL, "The state a transaction begins in"},
    {"illegal", MEMBER_CHOICE, 0, "refuse|record|flag", "What a move not allowed leads to"},
    {"late", MEMBER_CHOICE, 0, "record|reopen|refuse", "What a status after expiry leads to"},
    {"expires", MEMBER_PERIOD, OPT, NULL, "After its creation"},
    {"polled", MEMBER_BOOLEAN, 0, NULL, "A poller asks after its transactions"},
    {"states", MEMBER_LIST, 0, "State", NULL},
    {0},
};
static const struct member STATE[] = {
    {"name", MEMBER_TEXT, 0, NULL, NULL},
    {"outcome", MEMBER_CHOICE, 0, OUTCOMES, "What it means"},
    {"next", MEMBER_LIST, 0, NULL, "The states that may follow"},
    {"expires", MEMBER_PERIOD, OPT, NULL, "After coming into it"},
    {"warn_before", MEMBER_PERIOD, OPT, NULL, "How long before its deadline it is warned of"},
    {"expires_to", MEMBER_TEXT, OPT, NULL, "The state an expiry moves to"},
    {0},
};
static const struct member PLUGIN[] = {
    {"name", MEMBER_TEXT, 0, NULL, NULL},
    {"path", MEMBER_TEXT, OPT, NULL, "Its file; for the site's operators"},
    {"loaded", MEMBER_BOOLEAN, 0, NULL, NULL},
    {"reason", MEMBER_TEXT, OPT, NULL, "Why it was refused"},
    {"warning", MEMBER_TEXT, OPT, NULL, NULL},
    {"version", MEMBER_TEXT, OPT, NULL, NULL},
    {"author", MEMBER_TEXT, OPT, NULL, NULL},
    {"license", MEMBER_TEXT, OPT, NULL, NULL},
    {"abi", MEMBER_TEXT, OPT, NULL, "MAJOR.MINOR, the lowest it needs"},
    {"roles", MEMBER_LIST, 0, "Role", NULL},
    {0},
};
static const struct member ROLE[] = {
    {"name", MEMBER_TEXT, 0, NULL, "The keyword of its sections"},
    {"kind", MEMBER_TEXT, 0, NULL, "poller, store, notifier, exporter"},
    {"summary", MEMBER_TEXT, OPT, NULL, NULL},
    {"instances", MEMBER_LIST, 0, "Instance", NULL},
    {0},
};
static const struct member INSTANCE[] = {
    {"name", MEMBER_TEXT, 0, NULL, "Its section's title"},
    {"misbehaved", MEMBER_INTEGER, 0, NULL, "Broken rules of the ABI, counted"},
    {0},
};
static const struct member POLLER[] = {
    {"instance", MEMBER_TEXT, 0, NULL, "Its section's title"},
    {"plugin", MEMBER_TEXT, 0, NULL, NULL},
    {"flow", MEMBER_TEXT, 0, NULL, NULL},
    {"state", MEMBER_CHOICE, 0, "up|down|probing|paused", NULL},
    {"until", MEMBER_TIME, NIL, NULL, "Nothing is asked before"},
    {"failures", MEMBER_INTEGER, 0, NULL, "In a row"},
    {"in_flight", MEMBER_INTEGER, 0, NULL, "Polls under way"},
    {"waiting", MEMBER_INTEGER, 0, NULL, "Polls that are due and wait"},
    {"cursor", MEMBER_TEXT, OPT | NIL, NULL, "Where discovery goes on"},
    {0},
};
static const struct member RELOAD[] = {
    {"status", MEMBER_CHOICE, 0, "reloading", NULL},
    {0},
};
static const struct member CLOCK[] = {
    {"now", MEMBER_TIME, 0, NULL, "The site's time"},
    {0},
};
static const struct member ADVANCE[] = {
    {"advance", MEMBER_PERIOD, 0, NULL, "By how much"},
    {"patience", MEMBER_PERIOD, OPT, NULL, "Real time given to peers that do not answer"},
    {0},
};
static const struct member HEALTH[] = {
    {"status", MEMBER_CHOICE, 0, "ok", NULL},
    {"version", MEMBER_TEXT, 0, NULL, "Of txwatch"},
    {0},
};
static const struct member READINESS[] = {
    {"status", MEMBER_CHOICE, 0, "ready|not ready", NULL},
    {"reasons", MEMBER_LIST, 0, "Reason", "Why it is not ready"},
    {"pollers_down", MEMBER_INTEGER, 0, NULL, "Upstreams that fail; no reason by itself"},
    {0},
};
static const struct member REASON[] = {
    {"code", MEMBER_CHOICE, 0, "draining|disk-full|store-writes|store-reads", NULL},
    {"detail", MEMBER_TEXT, 0, NULL, NULL},
    {0},
};
static const struct member OPENAPI[] = {
    {"openapi", MEMBER_TEXT, 0, NULL, NULL},      {"info", MEMBER_OBJECT, 0, NULL, NULL},
    {"servers", MEMBER_LIST, 0, "Any", NULL},     {"tags", MEMBER_LIST, 0, "Any", NULL},
    {"security", MEMBER_LIST, 0, "Any", NULL},    {"paths", MEMBER_OBJECT, 0, NULL, NULL},
    {"components", MEMBER_OBJECT, 0, NULL, NULL}, {0},
};

/* What any problem may hold; each says which in problem.h. */
static const struct member PROBLEM[] = {
    {"type", MEMBER_TEXT, 0, NULL, "urn:txwatch:problem: and a name that never changes"},
    {"title", MEMBER_TEXT, 0, NULL, "The type in words"},
    {"status", MEMBER_INTEGER, 0, NULL, "The answer's"},
    {"detail", MEMBER_TEXT, 0, NULL, "What is wrong here, and what to do"},
    {"instance", MEMBER_TEXT, 0, NULL, "The request's id"},
    {"member", MEMBER_TEXT, OPT, NULL, "Of invalid: the body's member"},
    {"scope", MEMBER_TEXT, OPT, NULL, "Of forbidden: what the token lacks"},
    {"current", MEMBER_TEXT, OPT, NULL, "Of refused: the status it is in"},
    {"allowed", MEMBER_LIST, OPT, NULL, "Of refused: the statuses that may follow"},
    {"transaction", MEMBER_OF, OPT, "Transaction", "Of stale, precondition-failed: as it is"},
    {"results", MEMBER_LIST, OPT, "BatchResult", "Of batch-undone: one an operation"},
    {"dry_run", MEMBER_BOOLEAN, OPT, NULL, "Of refused in a dry run"},
    {"result", MEMBER_TEXT, OPT, NULL, "Of refused in a dry run: refused"},
    {"events", MEMBER_LIST, OPT, NULL, "Of refused in a dry run: the events there would be"},
    {"last_seq", MEMBER_INTEGER, OPT, NULL, "Of gone: the log's end"},
    {"oldest", MEMBER_INTEGER, OPT, NULL, "Of gone: from this seq on nothing was purged"},
    {"epoch", MEMBER_TEXT, OPT, NULL, "Of gone: the log's epoch"},
    {0},
};

/* ---- the table ---- */

#define ANSWER(name, members, help)                     \
	{                                               \
		name, help, members, 0, 0, false, false \
	}
#define BODY(name, members, help)                      \
	{                                              \
		name, help, members, 0, 0, true, false \
	}
#define READ(name, rows, members, help)                           \
	{                                                         \
		name, help, members, rows, &rows##_N, true, false \
	}

const struct schema SCHEMAS[] = {
    ANSWER("Transaction", TRANSACTION, "A transaction as it stands"),
    {"TransactionPart", "With fields: what was asked for", TRANSACTION, NULL, NULL, false, true},
    ANSWER("TransactionList", TRANSACTION_LIST, "A page; next leads to the one after it"),
    ANSWER("NewestEvents", NEWEST_EVENTS, "A transaction's newest events"),
    ANSWER("NewestDeliveries", NEWEST_DELIVERIES, "A transaction's newest deliveries"),
    ANSWER("Facets", FACETS, "How many there are by value, most first"),
    ANSWER("Facet", FACET, "A value and how many have it"),
    READ("NewTransaction", CREATE_ROWS, NULL, "A transaction to watch"),
    READ("TransactionChange", UPDATE_ROWS, NULL, "What to change; null takes a value away"),
    READ("Observation", STATUS_ROWS, NULL, "A status that somebody saw it in"),
    ANSWER("DryRun", DRY_RUN, "What would have been"),
    ANSWER("Deadline", DEADLINE, "Until when, and what then"),
    READ("Batch", BATCH_ROWS, BATCH, "Operations for one commit"),
    READ("BatchCreate", BATCH_CREATE_ROWS, BATCH_CREATE_OP, "Begin to watch one"),
    READ("BatchStatus", BATCH_STATUS_ROWS, BATCH_STATUS_OP, "Report a status"),
    READ("BatchUpdate", BATCH_UPDATE_ROWS, BATCH_UPDATE_OP, "Change one"),
    ANSWER("BatchResults", BATCH_RESULTS, "What became of a batch"),
    ANSWER("BatchResult", BATCH_RESULT, "What became of an operation"),
    ANSWER("Event", EVENT, "A committed fact"),
    ANSWER("Change", CHANGE, "What an event changed"),
    ANSWER("EventList", EVENT_LIST, "A page of events"),
    ANSWER("Subscription", SUBSCRIPTION, "A target, and which events it gets"),
    BODY("NewSubscription", NEW_SUBSCRIPTION, "A target to send events to"),
    BODY("SubscriptionChange", SUBSCRIPTION_CHANGE, "What to change"),
    BODY("Nothing", NOTHING, "An empty object"),
    BODY("Replay", NOTHING, "Nothing: an empty object, or no body"),
    ANSWER("ReplayResult", REPLAYED, "How many are sent again"),
    ANSWER("Delivery", DELIVERY, "An event on its way to a target"),
    ANSWER("EventName", EVENT_NAME, "Which event"),
    ANSWER("TransactionName", TRANSACTION_NAME, "Which transaction"),
    ANSWER("Attempt", ATTEMPT, "One try of a delivery"),
    READ("Bulk", BULK_ROWS, BULK, "One action on all that a filter holds for"),
    READ("Purge", PURGE_ROWS, NULL, "Which finished transactions to forget"),
    BODY("BulkAction", BULK_ACTION, "Exactly one of these"),
    ANSWER("Job", JOB, "Long work and how far it is"),
    READ("NewToken", TOKEN_ROWS, NEW_TOKEN, "A token to make"),
    ANSWER("Token", TOKEN, "A token made by the API"),
    ANSWER("Audit", AUDIT, "Who did what"),
    ANSWER("Flow", FLOW, "A declared state machine"),
    ANSWER("State", STATE, "One state of a flow"),
    ANSWER("Plugin", PLUGIN, "A plugin's file"),
    ANSWER("Role", ROLE, "What a plugin can be"),
    ANSWER("Instance", INSTANCE, "One use of a role"),
    ANSWER("Poller", POLLER, "A poller and how it fares"),
    ANSWER("Reload", RELOAD, "The new config is right and takes over"),
    ANSWER("Clock", CLOCK, "The site's clock"),
    BODY("Advance", ADVANCE, "How far to move the virtual clock"),
    ANSWER("Health", HEALTH, "It is alive"),
    ANSWER("Readiness", READINESS, "Whether it is ready"),
    ANSWER("Reason", REASON, "Why it is not ready"),
    ANSWER("OpenApi", OPENAPI, "An OpenAPI 3.1 document"),
    ANSWER("Problem", PROBLEM, "What went wrong (RFC 9457)"),
    ANSWER("Any", NULL, "Any value"),
};
const size_t SCHEMAS_N = sizeof(SCHEMAS) / sizeof(SCHEMAS[0]);

/* What a member's name means wherever it stands. */
static const struct {
	const char *name;
	const char *help;
} WORDS[] = {
    {"flow", "The flow's name"},
    {"ref", "Its name in its own system; one a flow"},
    {"status", "The state of its flow that it is in"},
    {"owner", "Whose it is: free text to search by"},
    {"amount", "An exact decimal, as \"1250.00\""},
    {"currency", "3 to 12 capitals or digits, as \"EUR\""},
    {"outcome", "Only those with this outcome"},
    {"finished_before", "Only those that were decided before"},
    {"filter", "Which; docs/filter.md has the language"},
    {"dry_run", "true: say what would be, change nothing"},
    {"legal_hold", "true: retention and purge leave it alone; scope admin"},
    {"attributes", "An object of your own"},
    {"expires_at", "When it expires if it is still open"},
    {"expires_in", "How long until it expires, as \"36h\""},
    {"reason", "Why, for people"},
    {"code", "Why, for programs"},
    {"detail", "Anything: kept as it came"},
    {"source_event_id", "The source's own id: the same one again makes no second event"},
    {"source_version", "The source's own order: an older one cannot undo a newer"},
    {"source_at", "When it happened at the source"},
    {"if_version", "Only if it has this version"},
    {"atomic", "true: all or none"},
    {"return", "summary or transaction: how much a result shows"},
    {"next", "The next page's cursor; null: this is the last"},
    {"data", "The page"},
    {"created_at", "When it was made"},
    {"updated_at", "When it was last changed"},
};

const char *member_help(const struct member *m)
{
	if (m->help)
		return m->help;
	for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++) {
		if (strcmp(WORDS[i].name, m->name) == 0)
			return WORDS[i].help;
	}
	return "";
}
