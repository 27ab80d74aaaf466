/* table.c: the commands of a site, and which tables there are; the client's
 * are in client/table.c. */
#include "command/command.h"

#define CONFIG_OPTION                                                                        \
	{                                                                                    \
		.name = "config", .letter = 'c', .value = "FILE", .help = "The site's file", \
		.kind = VALUE_FILE                                                           \
	}
#define PLUGIN_PATH_OPTION                                                              \
	{                                                                               \
		.name = "plugin-path", .value = "DIRECTORY",                            \
		.help = "Look for plugins here too, before the site's own directories", \
		.kind = VALUE_DIRECTORY, .is_many = true                                \
	}

static const struct command_option RUN_OPTIONS[] = {
    CONFIG_OPTION,
    {.name = "clock",
     .value = "real|virtual[:TIME]",
     .help = "A virtual clock stands still until POST /v1/test/clock moves it"},
    {.name = NULL},
};
static const struct command_option CHECK_OPTIONS[] = {
    CONFIG_OPTION,
    {.name = NULL},
};
static const struct command_option PLUGINS_OPTIONS[] = {
    CONFIG_OPTION,
    PLUGIN_PATH_OPTION,
    {.name = "json", .help = "Print JSON"},
    {.name = NULL},
};
static const struct command_word EXPLAIN_WORDS[] = {
    {.name = "PLUGIN", .help = "A plugin, or a section of the host's own", .is_optional = true},
    {.name = NULL},
};
static const struct command_option EXPLAIN_OPTIONS[] = {
    {.name = "all", .help = "All of the host's sections, and every plugin's"},
    CONFIG_OPTION,
    PLUGIN_PATH_OPTION,
    {.name = "markdown", .help = "Print Markdown"},
    {.name = "openapi",
     .help = "The API's description; with --all the virtual clock's routes, too"},
    {.name = "api",
     .value = "PAGE",
     .help = "The API's page, docs/api.md, with what the tables say put in anew",
     .kind = VALUE_FILE},
    {.name = NULL},
};
static const struct command_word FLOW_WORDS[] = {
    {.name = "NAME", .help = "A flow of the file"},
    {.name = NULL},
};
static const struct command_word FLOW_TRY_WORDS[] = {
    {.name = "NAME", .help = "A flow of the file"},
    {.name = "STEP",
     .help = "A status to be seen, or a time in which nothing is, as +2h",
     .is_optional = true,
     .is_many = true},
    {.name = NULL},
};
static const struct command_word TOKEN_WORDS[] = {
    {.name = "NAME", .help = "The token's name, `operator` unless given", .is_optional = true},
    {.name = NULL},
};
static const struct command_option TOKEN_OPTIONS[] = {
    {.name = "scope",
     .value = "SCOPE",
     .help = "What it may do, `read` unless given",
     .choices = "read|write|admin",
     .is_many = true},
    {.name = "tenant", .value = "TENANT", .help = "Whose it is"},
    {.name = "expires",
     .value = "TIME",
     .help = "Until when it is good: a time to come, or a duration",
     .kind = VALUE_SOON},
    {.name = NULL},
};
static const struct command_option VERIFY_OPTIONS[] = {
    CONFIG_OPTION,
    {.name = "from", .value = "SEQ", .help = "Begin at this event", .kind = VALUE_NUMBER},
    {.name = "anchor",
     .value = "SEQ:HASH",
     .help = "The event must have this hash, which was noted before"},
    {.name = NULL},
};
static const struct command_word HELP_WORDS[] = {
    {.name = "COMMAND", .help = "One word or two", .is_optional = true, .is_many = true},
    {.name = NULL},
};
static const struct command_option HELP_OPTIONS[] = {
    {.name = "man", .help = "Print the client's commands as a section of its manual page"},
    {.name = NULL},
};
static const struct command_word COMPLETION_WORDS[] = {
    {.name = "SHELL", .help = "For which shell", .choices = "bash|zsh|fish"},
    {.name = NULL},
};

const struct command SITE_COMMANDS[] = {
    {.name = "run", .help = "Runs a site", .options = RUN_OPTIONS, .call = command_run},
    {.name = "check",
     .help = "Checks a site's file without running it",
     .options = CHECK_OPTIONS,
     .call = command_check},
    {.name = "plugins",
     .help = "Lists plugins: a site's, or all there are",
     .options = PLUGINS_OPTIONS,
     .call = command_plugins},
    {.name = "explain",
     .help = "Explains the options of a plugin's sections, or of the host's own; or the API",
     .words = EXPLAIN_WORDS,
     .options = EXPLAIN_OPTIONS,
     .call = command_explain},
    {.name = "flow list",
     .help = "Lists the flows of a site's file",
     .options = CHECK_OPTIONS,
     .call = command_flow_list},
    {.name = "flow graph",
     .help = "Draws a flow of a site's file for Graphviz",
     .words = FLOW_WORDS,
     .options = CHECK_OPTIONS,
     .call = command_flow_graph},
    {.name = "flow try",
     .help = "Tries what statuses would do in a flow of a site's file",
     .words = FLOW_TRY_WORDS,
     .options = CHECK_OPTIONS,
     .call = command_flow_try},
    {.name = "token make",
     .help = "Makes a token for the API and the section of a site's file that admits it",
     .words = TOKEN_WORDS,
     .options = TOKEN_OPTIONS,
     .call = command_token,
     .is_default = true},
    {.name = "verify",
     .help = "Proves a stopped site's log by its hashes, and names the first event that is broken",
     .options = VERIFY_OPTIONS,
     .call = command_verify},
    {.name = "version",
     .help = "Prints the versions of txwatch, its plugin ABI and its libraries",
     .call = command_version},
    {.name = "help",
     .help = "Prints what commands there are, or how one is called",
     .words = HELP_WORDS,
     .options = HELP_OPTIONS,
     .call = command_help},
    {.name = "completion",
     .help = "Prints what makes a shell complete txwatch's commands",
     .words = COMPLETION_WORDS,
     .call = command_completion},
    {.name = NULL},
};

const struct command_table COMMAND_TABLES[] = {
    {"A site", SITE_COMMANDS},
    {"A running site, over its API", CLIENT_COMMANDS},
    {NULL, NULL},
};
