/*
 * plugin.c: notifier.webhook: signed HTTP deliveries.
 *
 * The contract with receivers is the Standard Webhooks specification, 1.0:
 * every request is signed by every active key of its target. Keys, headers and
 * format are the target's own (a subscription's settings), or else the
 * section's.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "webhook.h"

#define USER_AGENT   "txwatch/" TXW_VERSION
#define MAX_BATCH    64
#define LENGTH_OF(a) (sizeof(a) / sizeof((a)[0]))

static const txw_option OPTIONS[] = {
    {.size = sizeof(txw_option),
     .type = TXW_OPT_SECRET,
     .name = "secret",
     .help = "Key for targets without their own: whsec_ (HMAC-SHA256) or whsk_ (Ed25519)"},
    {.size = sizeof(txw_option),
     .type = TXW_OPT_CHOICE,
     .name = "format",
     .fallback = "standard",
     .choices = "standard|cloudevents",
     .help = "Body of targets that do not choose: Standard Webhooks, or CloudEvents 1.0 JSON"},
    {.size = sizeof(txw_option),
     .type = TXW_OPT_STRING,
     .name = "source",
     .fallback = "/txwatch",
     .help = "Who sends, as the CloudEvents attribute \"source\""},
    {.size = sizeof(txw_option),
     .type = TXW_OPT_STRING,
     .name = "user-agent",
     .fallback = USER_AGENT,
     .help = "The User-Agent header"},
    {.size = sizeof(txw_option),
     .type = TXW_OPT_STRING,
     .flags = TXW_OPT_LIST,
     .name = "headers",
     .help = "More headers for every target, each \"Name: value\""},
    {.size = sizeof(txw_option),
     .type = TXW_OPT_BYTES,
     .name = "response-kept",
     .fallback = "1KB",
     .help = "How much of an answer's body is kept with the attempt",
     .min = 0,
     .max = 4096},
};

/* ---- making ---- */

static int32_t find_extensions(struct webhook *w, const txw_setup *setup, txw_error *err)
{
	const txw_host *host = setup->host;
	w->self = setup->self;
	w->http = host->get_ext(w->self, TXW_EXT_HTTP);
	w->clock = host->get_ext(w->self, TXW_EXT_CLOCK);
	w->notify = host->get_ext(w->self, TXW_EXT_NOTIFY);
	if (!w->http)
		return txw_refuse(TXW_E_UNSUPPORTED, "this host offers no " TXW_EXT_HTTP, err);
	if (!w->clock)
		return txw_refuse(TXW_E_UNSUPPORTED, "this host offers no " TXW_EXT_CLOCK, err);
	if (!w->notify)
		return txw_refuse(TXW_E_UNSUPPORTED, "this host offers no " TXW_EXT_NOTIFY, err);
	return TXW_OK;
}

/* A copy that lives as long as the instance: the setup's texts are borrowed. */
static txw_str keep(struct webhook *w, txw_str s)
{
	struct kept *kept = malloc(sizeof(*kept) + s.len + 1);
	if (!kept) {
		w->is_short = 1;
		return (txw_str){NULL, 0};
	}
	if (s.len)
		memcpy(kept->text, s.ptr, s.len);
	kept->text[s.len] = '\0';
	kept->len = s.len;
	kept->next = w->kept;
	w->kept = kept;
	return (txw_str){s.len ? kept->text : NULL, s.len};
}

static txw_str keep_option(struct webhook *w, const txw_setup *setup, const char *name)
{
	return keep(w, txw_setup_text(setup, name));
}

static int32_t read_headers(struct webhook *w, const txw_setup *setup, txw_error *err)
{
	struct headers *h = &w->defaults.headers;
	const txw_value *lines = txw_setup_value(setup, "headers");
	txw_str agent = keep_option(w, setup, "user-agent");
	const char *why = headers_put(h, (txw_str){"user-agent", 10}, agent);
	for (uint32_t i = 0; !why && lines && i < lines->n; i++) {
		txw_str name, value;
		why = header_split(keep(w, lines->texts[i]), &name, &value);
		if (!why)
			why = headers_put(h, name, value);
	}
	return why ? txw_refuse(TXW_E_INVALID, why, err) : TXW_OK;
}

static int32_t check_secret(txw_str secret, txw_error *err)
{
	struct key *key;
	const char *why;
	if (secret.len == 0)
		return TXW_OK;
	int32_t rc = key_open(secret, &key, &why);
	if (rc < 0)
		return txw_refuse(rc, why, err);
	key_close(key);
	return TXW_OK;
}

static int32_t read_options(struct webhook *w, const txw_setup *setup, txw_error *err)
{
	txw_str format = keep_option(w, setup, "format");
	w->defaults.secret = keep_option(w, setup, "secret");
	w->defaults.format = format.len ? format_parse(format) : FORMAT_STANDARD;
	w->source = keep_option(w, setup, "source");
	w->response_kept = txw_setup_number(setup, "response-kept", 1024);
	if (w->defaults.format == FORMAT_COUNT)
		return txw_refuse(TXW_E_INVALID, "format is \"standard\" or \"cloudevents\"", err);
	if (w->source.len == 0)
		return txw_refuse(TXW_E_INVALID, "source must not be empty", err);
	int32_t rc = check_secret(w->defaults.secret, err);
	return rc < 0 ? rc : read_headers(w, setup, err);
}

static void destroy(void *instance)
{
	struct webhook *w = instance;
	webhook_forget(w);
	cache_close(w->cache);
	while (w->kept) {
		struct kept *kept = w->kept;
		w->kept = kept->next;
		OPENSSL_cleanse(kept->text, kept->len);
		free(kept);
	}
	text_free(&w->id);
	text_free(&w->head);
	text_free(&w->body);
	text_free(&w->signature);
	text_free(&w->why);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static int32_t create(const txw_setup *setup, void **out, txw_error *err)
{
	struct webhook *w = calloc(1, sizeof(*w));
	if (!w)
		return txw_refuse(TXW_E_NOMEM, "out of memory", err);
	pthread_mutex_init(&w->lock, NULL);
	int32_t rc = find_extensions(w, setup, err);
	if (rc == TXW_OK)
		rc = read_options(w, setup, err);
	if (rc == TXW_OK) {
		w->cache = cache_open();
		if (!w->cache || w->is_short)
			rc = txw_refuse(TXW_E_NOMEM, "out of memory", err);
	}
	if (rc < 0)
		destroy(w);
	else
		*out = w;
	return rc;
}

/* ---- checking a target ---- */

/* A target from a route has no settings: its key is the section's. */
static int32_t check(void *instance, txw_str address, txw_str settings, txw_error *err)
{
	struct webhook *w = instance;
	struct settings *parsed;
	int32_t rc = w->http->check(w->self, address, err);
	if (rc < 0)
		return rc;
	if (settings.len == 0 && w->defaults.secret.len == 0)
		return txw_refuse(
		    TXW_E_INVALID,
		    "webhooks are signed, and there is no secret for this target: set "
		    "`secret` in the notifier.webhook section, or subscribe by the API",
		    err);
	text_reset(&w->why);
	rc = settings_parse(&w->defaults, settings, &parsed, &w->why);
	if (rc < 0) {
		if (err) {
			err->code = rc;
			err->text = text_view(&w->why);
		}
		return rc;
	}
	settings_free(parsed);
	return TXW_OK;
}

/* ---- what is offered ---- */

static const txw_notifier NOTIFIER = {
    .size = sizeof(NOTIFIER),
    .max_batch = MAX_BATCH,
    .send = webhook_send,
    .cancel = webhook_cancel,
    .check = check,
};

static const txw_role ROLES[] = {
    {
	.size = sizeof(txw_role),
	.kind = TXW_ROLE_NOTIFIER,
	.name = "webhook",
	.summary = "signed HTTP deliveries (Standard Webhooks, CloudEvents)",
	.options = OPTIONS,
	.n_options = LENGTH_OF(OPTIONS),
	.option_stride = sizeof(txw_option),
	.vtable = &NOTIFIER,
	.create = create,
	.destroy = destroy,
    },
};

static const txw_plugin PLUGIN = {
    .size = sizeof(txw_plugin),
    .abi_major = TXW_ABI_MAJOR,
    .abi_minor = 0,
    .version = TXW_VERSION,
    .author = "The txwatch authors",
    .license = "Apache-2.0",
    .roles = ROLES,
    .n_roles = LENGTH_OF(ROLES),
    .role_stride = sizeof(txw_role),
};

const txw_plugin *txw_plugin_1(void)
{
	return &PLUGIN;
}
