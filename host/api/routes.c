/* routes.c: the table of routes; see route.h. The first match wins. */
#include "api/handlers.h"

static const struct route_query TX_LIST[] = {
    {"flow", "only of this flow"},
    {"status", "only in this status"},
    {"outcome", "only with this outcome: open, success, failure, cancelled, expired"},
    {"owner", "only of this owner"},
    {"ref", "only with this ref"},
    {"filter", "only what the filter holds for"},
    {"q", "only those of which ref, owner, attributes or reason contains this text"},
    {"order", "desc (newest first, the default) or asc"},
    {"order_by", "up to four fields: `amount desc, created_at`"},
    {"count", "true: with `total`"},
    {"facets", "with how many there are by each of these: flow, status, outcome"},
    {"fields", "only these members: `id,status,attributes.country`"},
    {"expand", "with the newest of these: history, deliveries"},
    {"limit", "rows a page, 1 to 1000; 50 unless given"},
    {"cursor", "`next` of the page before"},
    {0},
};
static const struct route_query AT[] = {
    {"at", "as it was at this time"},
    {"fields", "only these members: `id,status,attributes.country`"},
    {"expand", "with the newest of these: history, deliveries"},
    {0},
};
static const struct route_query EXPORT[] = {
    {"format", "ndjson (the default) or csv; else as `Accept` says"},
    {"flow", "only of this flow"},
    {"status", "only in this status"},
    {"outcome", "only with this outcome: open, success, failure, cancelled, expired"},
    {"owner", "only of this owner"},
    {"ref", "only with this ref"},
    {"filter", "only what the filter holds for"},
    {"order", "asc (oldest first, the default) or desc"},
    {0},
};
static const struct route_query PAGE[] = {
    {"limit", "rows a page, 1 to 1000; 50 unless given"},
    {"cursor", "`next` of the page before"},
    {0},
};
static const struct route_query HISTORY[] = {
    {"content", "true: with the bytes that each digest is of, in base64"},
    {"limit", "rows a page, 1 to 1000; 50 unless given"},
    {"cursor", "`next` of the page before"},
    {0},
};
static const struct route_query DRY_RUN[] = {
    {"dry_run", "true: say what would be, change nothing"},
    {0},
};
static const struct route_query EVENTS[] = {
    {"after", "events with a greater seq; 0 unless given"},
    {"filter", "only events the filter holds for"},
    {"gaps", "true: read on although purged events are missing"},
    {"limit", "events a page, 1 to 1000; 50 unless given"},
    {"content", "true: with the bytes that each digest is of, in base64"},
    {"wait", "when there is none: wait for one for so long, at most 60s"},
    {"cursor", "`next` of the page before, in place of after"},
    {0},
};
static const struct route_query DLV_LIST[] = {
    {"state", "only in this state: pending, delivered, dead, parked ..."},
    {"subscription", "only to this subscription"},
    {"target", "only to this target, as in `target` of a delivery"},
    {"transaction", "only of events of this transaction"},
    {"limit", "rows a page, 1 to 1000; 50 unless given"},
    {"cursor", "`next` of the page before"},
    {0},
};

static const struct route_query TENANT[] = {
    {"tenant", "of another tenant; for the site's operators"},
    {0},
};
static const struct route_query TOKEN_LIST[] = {
    {"tenant", "of another tenant; for the site's operators"},
    {"limit", "rows a page, 1 to 1000; 50 unless given"},
    {"cursor", "`next` of the page before"},
    {0},
};
static const struct route_query AUDIT_LIST[] = {
    {"actor", "only what this one did, such as token:operator"},
    {"action", "only this action, or those that begin so: token.*"},
    {"object", "only what was done to this"},
    {"from", "only at this time or later"},
    {"to", "only before this time"},
    {"tenant", "of another tenant; for the site's operators"},
    {"limit", "rows a page, 1 to 1000; 50 unless given"},
    {"cursor", "`next` of the page before"},
    {0},
};

#define ROUTE(m, p, s, f, fn, sum, in, out, q)  \
	{                                       \
		m, p, s, f, fn, sum, in, out, q \
	}
#define TX  "/v1/transactions"
#define SUB "/v1/subscriptions"
#define DLV "/v1/deliveries"
#define JOB "/v1/jobs"
#define TOK "/v1/tokens"

const struct route ROUTES[] = {
    ROUTE("GET", TX "/by-ref/{flow}/{ref}", SCOPE_READ, ROUTE_REST | ROUTE_TAGGED, do_tx_by_ref,
	  "One transaction by its flow and ref", NULL, "Transaction|TransactionPart", AT),
    ROUTE("GET", TX "/{id}", SCOPE_READ, ROUTE_TAGGED, do_tx_get, "One transaction", NULL,
	  "Transaction|TransactionPart", AT),
    ROUTE("POST", TX, SCOPE_WRITE, ROUTE_BODY | ROUTE_ONCE | ROUTE_MADE | ROUTE_ALSO_200,
	  do_tx_create, "Begin to watch a transaction", "NewTransaction", "Transaction", NULL),
    ROUTE("GET", TX, SCOPE_READ, 0, do_tx_list, "Transactions, newest first", NULL,
	  "TransactionList", TX_LIST),
    ROUTE("PATCH", TX "/{id}", SCOPE_WRITE, ROUTE_BODY | ROUTE_TAGGED, do_tx_update,
	  "Change owner, amount, currency, attributes or deadline", "TransactionChange",
	  "Transaction", NULL),
    ROUTE("POST", TX "/{id}/status", SCOPE_WRITE, ROUTE_BODY | ROUTE_ONCE | ROUTE_TAGGED,
	  do_tx_status, "Report the status a transaction is in", "Observation",
	  "Transaction|DryRun", DRY_RUN),
    ROUTE("POST", TX "/{id}/poll", SCOPE_WRITE, ROUTE_ONCE | ROUTE_TAGGED, do_tx_poll,
	  "Poll it now", NULL, "Transaction", NULL),
    ROUTE("POST", TX "/{id}/pause", SCOPE_WRITE, ROUTE_ONCE | ROUTE_TAGGED, do_tx_pause,
	  "Stop polling and expiring it", NULL, "Transaction", NULL),
    ROUTE("POST", TX "/{id}/resume", SCOPE_WRITE, ROUTE_ONCE | ROUTE_TAGGED, do_tx_resume,
	  "Watch it again", NULL, "Transaction", NULL),
    ROUTE("GET", TX "/{id}/history", SCOPE_READ, 0, do_tx_history, "Its events, oldest first", NULL,
	  "EventList", HISTORY),
    ROUTE("POST", TX ":batch", SCOPE_WRITE, ROUTE_BODY | ROUTE_ONCE | ROUTE_LARGE, do_tx_batch,
	  "Up to 10 000 operations in one commit", "Batch", "BatchResults", NULL),
    ROUTE("POST", TX ":import", SCOPE_WRITE, ROUTE_STREAM, do_tx_import,
	  "Create and move what the rows of the body say", "application/x-ndjson|text/csv",
	  "application/x-ndjson", NULL),
    ROUTE("GET", TX ":export", SCOPE_READ, 0, do_tx_export,
	  "All that a filter holds for, streamed as of one moment", NULL,
	  "application/x-ndjson|text/csv", EXPORT),
    ROUTE("POST", TX ":bulk", SCOPE_WRITE, ROUTE_BODY | ROUTE_ONCE | ROUTE_LATER, do_tx_bulk,
	  "Do something to all that a filter holds for, as a job", "Bulk", "Job", NULL),
    ROUTE("POST", TX ":purge", SCOPE_ADMIN, ROUTE_BODY | ROUTE_ONCE | ROUTE_LATER, do_tx_purge,
	  "Delete finished transactions with their history, as a job", "Purge", "Job", NULL),

    ROUTE("GET", "/v1/events", SCOPE_READ, 0, do_events, "The log after a seq", NULL, "EventList",
	  EVENTS),

    ROUTE("POST", SUB, SCOPE_WRITE, ROUTE_BODY | ROUTE_ONCE | ROUTE_MADE, do_sub_create,
	  "Subscribe a target; the secret is shown this once", "NewSubscription", "Subscription",
	  NULL),
    ROUTE("GET", SUB, SCOPE_READ, 0, do_sub_list, "Subscriptions", NULL, "SubscriptionList", PAGE),
    ROUTE("GET", SUB "/{id}", SCOPE_READ, 0, do_sub_get, "One subscription and its state", NULL,
	  "Subscription", NULL),
    ROUTE("PATCH", SUB "/{id}", SCOPE_WRITE, ROUTE_BODY | ROUTE_TAGGED, do_sub_patch,
	  "Change a subscription", "SubscriptionChange", "Subscription", NULL),
    ROUTE("DELETE", SUB "/{id}", SCOPE_WRITE, ROUTE_TAGGED, do_sub_delete, "End a subscription",
	  NULL, NULL, NULL),
    ROUTE("POST", SUB "/{id}/test", SCOPE_WRITE, ROUTE_ONCE | ROUTE_LATER, do_sub_test,
	  "Send it a test event", NULL, "Event", NULL),
    ROUTE("POST", SUB "/{id}/replay", SCOPE_WRITE,
	  ROUTE_BODY | ROUTE_ONCE | ROUTE_MAY_LACK | ROUTE_LATER, do_sub_replay,
	  "Send its dead and parked deliveries again", "Replay", "ReplayResult", NULL),

    ROUTE("GET", DLV, SCOPE_READ, 0, do_dlv_list, "Deliveries, newest first", NULL, "DeliveryList",
	  DLV_LIST),
    ROUTE("GET", DLV "/{id}", SCOPE_READ, 0, do_dlv_get, "One delivery and its attempts", NULL,
	  "Delivery", NULL),
    ROUTE("POST", DLV "/{id}/retry", SCOPE_WRITE, 0, do_dlv_retry, "Send it again, now", NULL,
	  "Delivery", NULL),

    ROUTE("GET", JOB, SCOPE_READ, 0, do_job_list, "Jobs, newest first", NULL, "JobList", PAGE),
    ROUTE("GET", JOB "/{id}", SCOPE_READ, 0, do_job_get, "One job and how far it is", NULL, "Job",
	  NULL),
    ROUTE("POST", JOB "/{id}/cancel", SCOPE_WRITE, 0, do_job_cancel,
	  "End a job before its next step", NULL, "Job", NULL),
    ROUTE("POST", TOK, SCOPE_ADMIN, ROUTE_BODY | ROUTE_ONCE | ROUTE_MADE, do_token_create,
	  "Make a token; it is shown this once", "NewToken", "Token", NULL),
    ROUTE("GET", TOK, SCOPE_ADMIN, 0, do_token_list, "Tokens made by the API, oldest first", NULL,
	  "TokenList", TOKEN_LIST),
    ROUTE("GET", TOK "/{id}", SCOPE_ADMIN, 0, do_token_get, "One token", NULL, "Token", TENANT),
    ROUTE("DELETE", TOK "/{id}", SCOPE_ADMIN, 0, do_token_delete,
	  "End a token; no request passes with it from then on", NULL, NULL, TENANT),
    ROUTE("GET", "/v1/audit", SCOPE_ADMIN, 0, do_audit_list, "Who did what, newest first", NULL,
	  "AuditList", AUDIT_LIST),

    ROUTE("GET", "/v1/flows", SCOPE_READ, 0, do_flows, "The site's flows", NULL, "FlowList", NULL),
    ROUTE("GET", "/v1/plugins", SCOPE_READ, 0, do_plugins, "Plugins and their instances", NULL,
	  "PluginList", NULL),
    ROUTE("GET", "/v1/pollers", SCOPE_READ, 0, do_pollers, "Pollers and how they fare", NULL,
	  "PollerList", NULL),
    ROUTE("POST", "/v1/reload", SCOPE_ADMIN, ROUTE_LATER, do_reload,
	  "Check the config anew and take it over", NULL, "Reload", NULL),

    ROUTE("GET", "/v1/test/clock", SCOPE_ADMIN, ROUTE_VIRTUAL, do_clock_get, "The virtual clock",
	  NULL, "Clock", NULL),
    ROUTE("POST", "/v1/test/clock", SCOPE_ADMIN, ROUTE_VIRTUAL | ROUTE_BODY, do_clock_advance,
	  "Move the virtual clock and wait until all is at rest", "Advance", "Clock", NULL),

    ROUTE("GET", "/openapi.json", SCOPE_OPEN, ROUTE_TAGGED, do_openapi,
	  "This description (OpenAPI 3.1)", NULL, "OpenApi", NULL),
    ROUTE("GET", "/healthz", SCOPE_OPEN, 0, do_healthz, "Is it alive?", NULL, "Health", NULL),
    ROUTE("GET", "/readyz", SCOPE_OPEN, ROUTE_SICK, do_readyz, "Is it ready, and if not, why?",
	  NULL, "Readiness", NULL),
};
const size_t ROUTES_N = sizeof(ROUTES) / sizeof(ROUTES[0]);
