/*
 * plugin.c: poller.http: asks an upstream over HTTP how transactions are.
 *
 * An instance is its settings and its requests under way. Everything but
 * cancel() runs on the host's loop; nothing waits.
 */
#include <stdlib.h>

#include "poller.h"

/* Does the host's table reach as far as this member? */
#define OFFERS(table, member) \
	((table) &&           \
	 (table)->size >= offsetof(__typeof__(*(table)), member) + sizeof((table)->member))

static int32_t find_extensions(struct poller *p, const txw_setup *setup, txw_error *err)
{
	const txw_host *h = setup->host;
	p->http = h->get_ext(setup->self, TXW_EXT_HTTP);
	p->poll = h->get_ext(setup->self, TXW_EXT_POLL);
	p->clock = h->get_ext(setup->self, TXW_EXT_CLOCK);
	p->log = h->get_ext(setup->self, TXW_EXT_LOG);
	if (!OFFERS(p->http, cancel))
		return txw_refuse(TXW_E_UNSUPPORTED, "this host has no extension txw.http/1", err);
	if (!OFFERS(p->poll, discovered))
		return txw_refuse(TXW_E_UNSUPPORTED, "this host has no extension txw.poll/1", err);
	if (!OFFERS(p->clock, now))
		return txw_refuse(TXW_E_UNSUPPORTED, "this host has no extension txw.clock/1", err);
	if (!OFFERS(p->log, write))
		p->log = NULL;
	return 0;
}

/* A URL that could never be asked is told at load, not at the first poll. */
static int32_t check_url(struct poller *p, const struct template *t, txw_error *err)
{
	const txw_str sample = LIT("x");
	struct text url = {0};
	int32_t rc = 0;
	template_write(t, WRITE_PERCENT, &sample, 1, &url);
	if (url.is_broken)
		rc = txw_refuse(TXW_E_NOMEM, "no memory for an instance", err);
	else if (url_has_dots(text_view(&url)))
		rc = txw_refuse(TXW_E_INVALID, "`url` or `discover` has a . or .. in its path",
				err);
	else if (OFFERS(p->http, check))
		rc = p->http->check(p->self, text_view(&url), err);
	text_free(&url);
	return rc;
}

static void destroy(void *instance)
{
	struct poller *p = instance;
	requests_drop(p);
	pthread_mutex_destroy(&p->lock);
	pool_free(&p->pool);
	free(p);
}

static int32_t create(const txw_setup *setup, void **out, txw_error *err)
{
	struct poller *p = calloc(1, sizeof *p);
	if (!p)
		return txw_refuse(TXW_E_NOMEM, "no memory for an instance", err);
	pthread_mutex_init(&p->lock, NULL);
	p->self = setup->self;
	int32_t rc = find_extensions(p, setup, err);
	if (rc == 0)
		rc = settings_read(setup, &p->pool, &p->settings, err);
	if (rc == 0)
		rc = check_url(p, &p->settings.url, err);
	if (rc == 0 && p->settings.discovers)
		rc = check_url(p, &p->settings.discover, err);
	if (rc < 0) {
		destroy(p);
		return rc;
	}
	*out = p;
	return TXW_OK;
}

static void cancel(void *instance, uint64_t token)
{
	request_cancel(instance, token);
}

static int64_t discover_every(void *instance)
{
	const struct poller *p = instance;
	return p->settings.discovers ? p->settings.discover_every : 0;
}

static uint32_t batch(void *instance)
{
	const struct poller *p = instance;
	return p->settings.batch ? p->settings.batch : 1;
}

static const txw_poller VTABLE = {
    .size = sizeof(txw_poller),
    .max_batch = BATCH_MAX,
    .poll = poll_items,
    .discover = discover_page,
    .cancel = cancel,
    .discover_every = discover_every,
    .batch = batch,
};

const txw_plugin *txw_plugin_1(void)
{
	static const txw_role roles[] = {{
	    .size = sizeof(txw_role),
	    .kind = TXW_ROLE_POLLER,
	    .n_options = N_OPTIONS,
	    .name = "http",
	    .summary = "asks an upstream over HTTP, in JSON",
	    .options = OPTIONS,
	    .option_stride = sizeof(txw_option),
	    .vtable = &VTABLE,
	    .create = create,
	    .destroy = destroy,
	}};
	static const txw_plugin plugin = {
	    .size = sizeof plugin,
	    .abi_major = TXW_ABI_MAJOR,
	    .abi_minor = 0,
	    .n_roles = 1,
	    .version = TXW_VERSION,
	    .author = "the txwatch authors",
	    .license = "Apache-2.0",
	    .roles = roles,
	    .role_stride = sizeof roles[0],
	};
	return &plugin;
}
