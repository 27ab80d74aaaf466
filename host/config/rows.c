/*
 * rows.c: what the host's own sections may hold, and what it adds to every
 * plugin's. docs/configuration.md is printed from these rows.
 */
#include "base/clock.h"
#include "config/conf.h"

#define RANGED(type_, name_, flags_, fallback_, min_, max_, help_)                        \
	{                                                                                 \
		.size = sizeof(txw_option), .type = TXW_OPT_##type_, .flags = (flags_),   \
		.name = (name_), .fallback = (fallback_), .help = (help_), .min = (min_), \
		.max = (max_)                                                             \
	}
#define PLAIN(type_, name_, flags_, fallback_, help_) \
	RANGED(type_, name_, flags_, fallback_, 0, 0, help_)
#define CHOICE(name_, flags_, fallback_, choices_, help_)                                        \
	{                                                                                        \
		.size = sizeof(txw_option), .type = TXW_OPT_CHOICE, .flags = (flags_),           \
		.name = (name_), .fallback = (fallback_), .choices = (choices_), .help = (help_) \
	}

#define N_ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))
#define ROWS(rows)   .options = (rows), .option_stride = sizeof(txw_option), .n_options = N_ROWS(rows)

#define LIST     TXW_OPT_LIST
#define REQUIRED TXW_OPT_REQUIRED
#define YEAR     (366 * DAY)
#define KB       INT64_C(1024)
#define GB       (KB * KB * KB)

static const txw_option ROOT[] = {
    PLAIN(STRING, "plugins", LIST, NULL,
	  "The plugins to load, by their full names, such as \"store.sqlite\""),
    PLAIN(STRING, "plugin-path", LIST, NULL,
	  "The directories to look for plugins in, in this order, and before the one installed "
	  "beside the program"),
    CHOICE("log-level", 0, "info", "error|warn|info|debug", "How much is logged"),
    CHOICE("log-format", 0, "auto", "auto|json|human",
	   "How log lines are written; auto is human on a terminal and json elsewhere"),
    RANGED(DURATION, "drain", 0, "10s", 0, HOUR,
	   "How long a stopping host waits for what is under way"),
    PLAIN(STRING, "redact", LIST, NULL,
	  "JSON Pointers into detail and attributes, as \"/card/number\"; the values there are "
	  "replaced before anything is kept, and a segment * leads to every member"),
    CHOICE("evidence", 0, "none", "none|hash-chain",
	   "What proves that the log was not altered: with hash-chain every event carries a hash "
	   "of its content and of the event before; `txwatch verify` checks them"),
    RANGED(DURATION, "audit-keep", 0, "365d", DAY, 100 * YEAR,
	   "How long rows of the audit log are kept"),
};

static const txw_option HTTP[] = {
    PLAIN(STRING, "listen", 0, "127.0.0.1:8420",
	  "The address and port to listen on; port 0 picks a free one, an IPv6 address stands in "
	  "brackets"),
    RANGED(BYTES, "max-body", 0, "16MB", KB, GB, "The largest request body that is read"),
    RANGED(INTEGER, "max-connections", 0, "1024", 1, 65536,
	   "How many connections may be open at once"),
    RANGED(DURATION, "idle-timeout", 0, "60s", SECOND, HOUR,
	   "How long a connection may say nothing before it is closed"),
    CHOICE("metrics", 0, "open", "open|site",
	   "Who may read the exporters' pages, such as /metrics: everybody, or who has a token of "
	   "the tenant `default`, which is the site's own"),
    PLAIN(STRING, "tls-cert", 0, NULL,
	  "A PEM file with the listener's certificate, and those that lead from it to a known one; "
	  "with it the listener speaks TLS 1.2 and 1.3 alone"),
    PLAIN(STRING, "tls-key", 0, NULL, "A PEM file with that certificate's private key"),
    PLAIN(STRING, "rate", 0, NULL,
	  "How many requests a token may make, as \"100/s\", \"600/m\" or \"1000/h\": a period's "
	  "worth at once; beyond it 429; without it as many as it likes"),
    PLAIN(STRING, "cors-origins", LIST, NULL,
	  "The origins whose pages may ask, such as \"https://ops.example\"; \"*\" lets any; "
	  "without it none"),
};

static const txw_option TOKEN[] = {
    PLAIN(SECRET, "value", 0, NULL, "The token itself; give either this or hash"),
    PLAIN(STRING, "hash", 0, NULL,
	  "The token's SHA-256 as \"sha256:\" and 64 hexadecimal digits, as `txwatch token` prints "
	  "it"),
    CHOICE("scopes", LIST | REQUIRED, NULL, "read|write|admin",
	   "What its bearer may do: read shows, write changes transactions and subscriptions, "
	   "admin may do all"),
    PLAIN(STRING, "tenant", 0, "default", "Whose data it opens"),
    PLAIN(STRING, "expires", 0, NULL,
	  "When it ends, as RFC 3339 has it (\"2027-01-31T00:00:00Z\"); without it never"),
};

static const txw_option JWT[] = {
    PLAIN(STRING, "keys", REQUIRED, NULL,
	  "A JWKS file (RFC 7517) with the keys that sign: oct for HS256, RSA for RS256, OKP with "
	  "Ed25519 for EdDSA; read again by a reload"),
    PLAIN(STRING, "issuer", REQUIRED, NULL, "What `iss` of a token must be"),
    PLAIN(STRING, "audience", REQUIRED, NULL, "What `aud` of a token must be or hold"),
    RANGED(DURATION, "skew", 0, "60s", 0, 10 * MINUTE,
	   "By how much the issuer's clock may differ from this one's"),
    PLAIN(STRING, "tenant", 0, "default", "Whose data it opens, unless tenant-claim says"),
    PLAIN(STRING, "tenant-claim", 0, NULL,
	  "The claim that holds the tenant; a token without it is then refused"),
    PLAIN(STRING, "scope-claim", 0, "scope",
	  "The claim that holds the scopes, as a list or as words with spaces between"),
    PLAIN(STRING, "scope-prefix", 0,
	  "txwatch:", "What stands before read, write and admin in that claim, as in txwatch:read"),
};

static const txw_option FLOW[] = {
    PLAIN(STRING, "redact", LIST, NULL,
	  "JSON Pointers into detail and attributes, as \"/card/number\"; the values there are "
	  "replaced before anything is kept, and a segment * leads to every member; beside those "
	  "of the site"),
    PLAIN(STRING, "initial", REQUIRED, NULL, "The state a transaction begins in"),
    RANGED(DURATION, "expires", 0, NULL, SECOND, 100 * YEAR,
	   "How long after its creation an open transaction expires; without it never"),
    PLAIN(STRING, "expires-to", 0, NULL,
	  "The state an expiry moves to; by default the one whose outcome is expired"),
    RANGED(DURATION, "warn-before", 0, NULL, SECOND, YEAR,
	   "How long before a deadline transaction.expiring tells that it is near; without it "
	   "nothing tells"),
    CHOICE("illegal", 0, "record", "refuse|record|flag",
	   "What happens to a move the flow does not allow: refuse it, refuse and record it as an "
	   "anomaly, or apply it and flag it"),
    CHOICE("late", 0, "record", "record|reopen|refuse",
	   "What happens to a status that is seen after the deadline, where next does not allow "
	   "it: record it as an anomaly, apply it all the same, or refuse it"),
};

static const txw_option RETENTION[] = {
    RANGED(DURATION, "after", REQUIRED, NULL, HOUR, 100 * YEAR,
	   "How long after it finished a transaction is purged, with its history"),
    PLAIN(STRING, "flow", 0, NULL, "Only this flow's; by default every flow's"),
    CHOICE("outcome", LIST, NULL, "success|failure|cancelled|expired",
	   "Only those that finished so; by default all"),
    PLAIN(STRING, "tenant", 0, NULL, "Only this tenant's; by default every tenant's"),
};

static const txw_option STATE[] = {
    PLAIN(STRING, "next", LIST, NULL, "The states it may move to"),
    CHOICE("outcome", 0, NULL, "success|failure|cancelled|expired",
	   "What reaching this state means; a state without it is open, and watched"),
    RANGED(DURATION, "expires", 0, NULL, SECOND, 100 * YEAR,
	   "How long a transaction may stay in this state; without it for ever"),
    PLAIN(STRING, "expires-to", 0, NULL, "The state that expiry moves to; by default the flow's"),
    RANGED(DURATION, "warn-before", 0, NULL, 0, YEAR,
	   "How long before a deadline in this state transaction.expiring tells; by default as the "
	   "flow says, 0 for not at all"),
    RANGED(DURATION, "every", 0, NULL, 10 * MILLISECOND, YEAR,
	   "How often to poll in this state; by default as the poller says, like the next three"),
    RANGED(DURATION, "slow-to", 0, NULL, 10 * MILLISECOND, YEAR,
	   "How far the interval may grow in this state"),
    RANGED(DURATION, "first-after", 0, NULL, 0, YEAR,
	   "How long after entering this state the first poll is made"),
    PLAIN(STRING, "multiplier", 0, NULL,
	  "What the interval is multiplied by after each poll in this state, such as \"1.5\""),
};

static const txw_option ROUTE[] = {
    PLAIN(STRING, "when", 0, NULL,
	  "A filter over events, such as \"type = transaction.failed AND amount > 1000\"; without "
	  "it every event"),
    PLAIN(STRING, "to", LIST | REQUIRED, NULL,
	  "Where to: a notifier's instance and an address, as in "
	  "\"hooks:https://shop.example/hook\""),
    PLAIN(BOOLEAN, "ordered", 0, "false",
	  "Whether a transaction's events wait for one another, so that they arrive in order"),
    PLAIN(STRING, "tenant", 0, NULL, "Only this tenant's events; by default every tenant's"),
};

static const txw_option POLLER[] = {
    PLAIN(STRING, "flow", REQUIRED, NULL, "The flow whose transactions it watches"),
    RANGED(DURATION, "every", 0, "30s", 10 * MILLISECOND, YEAR,
	   "How often an open transaction is polled"),
    RANGED(DURATION, "slow-to", 0, NULL, 10 * MILLISECOND, YEAR,
	   "How far the interval grows while a transaction stays in one state; without it the "
	   "interval is constant"),
    RANGED(DURATION, "first-after", 0, "0", 0, YEAR,
	   "How long after a transaction enters a state the first poll is made"),
    PLAIN(STRING, "multiplier", 0, "1.5",
	  "What the interval is multiplied by after each poll, up to slow-to"),
    RANGED(INTEGER, "jitter", 0, "10", 0, 50,
	   "By how many percent an interval is varied at random, so that polls spread"),
    RANGED(INTEGER, "concurrency", 0, "16", 1, 4096, "How many polls may be under way at once"),
    PLAIN(
	STRING, "rate", 0, NULL,
	"How many polls may begin in a time, as \"10/s\" or \"600/m\"; without it as many as come"),
    RANGED(DURATION, "timeout", 0, "10s", 10 * MILLISECOND, 10 * MINUTE,
	   "How long one poll may take as a whole"),
    PLAIN(STRING, "map", LIST, NULL,
	  "The upstream's words and the flow's, as \"SUCCESS=settled\"; a word that is a state's "
	  "name needs none"),
    CHOICE("unknown", 0, "hold", "hold|ignore",
	   "What happens on a word that is neither mapped nor a state: hold the status and record "
	   "an anomaly, or ignore it"),
    RANGED(DURATION, "not-found-grace", 0, "1m", 0, YEAR,
	   "How long after its creation a transaction may be unknown to the upstream"),
    PLAIN(STRING, "not-found", 0, NULL,
	  "The state to move to when the upstream still does not know it after the grace; without "
	  "it the status is held and an anomaly recorded"),
    RANGED(INTEGER, "breaker-failures", 0, "5", 1, 100000,
	   "How many failed polls in a row stop the polling for breaker-pause"),
    RANGED(DURATION, "breaker-pause", 0, "30s", 10 * MILLISECOND, DAY,
	   "How long polling stops before one poll tries whether the upstream is back"),
    PLAIN(STRING, "allow-networks", LIST, NULL,
	  "Networks that are not public but may be asked, as \"10.1.0.0/16\" or \"127.0.0.1\""),
    PLAIN(STRING, "tenant", 0, "default", "Whose transactions it watches"),
};

static const txw_option NOTIFIER[] = {
    RANGED(INTEGER, "concurrency", 0, "16", 1, 4096,
	   "How many attempts at one target may be under way at once"),
    PLAIN(STRING, "rate", 0, NULL,
	  "How many attempts at one target may begin in a time, as \"10/s\" or \"600/m\"; without "
	  "it as many as come"),
    RANGED(DURATION, "timeout", 0, "15s", 10 * MILLISECOND, 10 * MINUTE,
	   "How long one attempt may take as a whole"),
    RANGED(DURATION, "schedule", LIST, "5s, 5m, 30m, 2h, 5h, 10h, 14h, 20h, 24h", 0, YEAR,
	   "The pauses between the attempts at one delivery; after the last attempt it is dead"),
    RANGED(INTEGER, "jitter", 0, "20", 0, 90,
	   "By how many percent a pause is varied at random, so that retries spread"),
    RANGED(DURATION, "disable-after", 0, "5d", SECOND, YEAR,
	   "How long a target may fail without a break before it is disabled"),
    PLAIN(STRING, "allow-networks", LIST, NULL,
	  "Networks that are not public but may be reached, as \"10.1.0.0/16\" or \"127.0.0.1\""),
};

static const txw_option EXPORTER[] = {
    PLAIN(STRING, "allow-networks", LIST, NULL,
	  "Networks that are not public but may be reached, as \"10.1.0.0/16\" or \"127.0.0.1\""),
};

static const struct conf_schema FLOW_CHILDREN[] = {
    {.keyword = "state", .help = "A state of the flow", .is_titled = 1, ROWS(STATE)},
    {.keyword = NULL},
};

const struct conf_schema CONF_HOST_SCHEMAS[] = {
    {.keyword = "http", .help = "The HTTP listener of the API", .is_single = 1, ROWS(HTTP)},
    {.keyword = "token",
     .help = "A token of the API; `txwatch token` makes one",
     .is_titled = 1,
     ROWS(TOKEN)},
    {.keyword = "jwt",
     .help = "Signed tokens of another issuer (JWT) for a site's own users",
     .is_single = 1,
     ROWS(JWT)},
    {.keyword = "flow",
     .help = "A state machine that transactions go through",
     .is_titled = 1,
     ROWS(FLOW),
     .children = FLOW_CHILDREN},
    {.keyword = "retention",
     .help = "How long finished transactions are kept; docs/history.md",
     .is_titled = 1,
     ROWS(RETENTION)},
    {.keyword = "route",
     .help = "Sends the events that a filter lets through to targets",
     .is_titled = 1,
     ROWS(ROUTE)},
    {.keyword = NULL},
};

const struct conf_schema CONF_ROOT_SCHEMA = {
    .keyword = "",
    .help = "The site as a whole",
    .is_single = 1,
    ROWS(ROOT),
};

const txw_option *conf_role_options(uint32_t role, size_t *n)
{
	static const struct {
		const txw_option *rows;
		size_t n;
	} roles[] = {
	    [TXW_ROLE_POLLER] = {POLLER, N_ROWS(POLLER)},
	    [TXW_ROLE_STORE] = {NULL, 0},
	    [TXW_ROLE_NOTIFIER] = {NOTIFIER, N_ROWS(NOTIFIER)},
	    [TXW_ROLE_EXPORTER] = {EXPORTER, N_ROWS(EXPORTER)},
	};

	*n = role < N_ROWS(roles) ? roles[role].n : 0;
	return role < N_ROWS(roles) ? roles[role].rows : NULL;
}
