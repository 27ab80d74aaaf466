/* plugin.c: exporter.prometheus: the host's metrics, for Prometheus to scrape. */
#include <stdlib.h>
#include <string.h>

#include "render.h"

#define PATH_MAX_LEN 256

struct prometheus {
	char path[PATH_MAX_LEN + 1];
};

static const txw_option OPTIONS[] = {
    {.size = sizeof(txw_option),
     .type = TXW_OPT_STRING,
     .name = "path",
     .fallback = "/metrics",
     .help = "Where the metrics are served, at the address of the http section"},
};

/* The host compares it with the path of requests, byte by byte. */
static int is_path(txw_str s)
{
	if (s.len == 0 || s.len > PATH_MAX_LEN || s.ptr[0] != '/')
		return 0;
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] > '~' || s.ptr[i] == '?' || s.ptr[i] == '#')
			return 0;
	return 1;
}

static int32_t create(const txw_setup *setup, void **out, txw_error *err)
{
	const txw_value *v = txw_setup_value(setup, "path");
	txw_str path = v ? txw_setup_text(setup, "path") : (txw_str){"/metrics", 8};
	if (!is_path(path))
		return txw_refuse(TXW_E_INVALID,
				  "path must begin with '/' and hold no space, '?' or '#'", err);
	struct prometheus *p = calloc(1, sizeof(*p));
	if (!p)
		return txw_refuse(TXW_E_NOMEM, "out of memory", err);
	memcpy(p->path, path.ptr, path.len);
	*out = p;
	return TXW_OK;
}

static void destroy(void *instance)
{
	free(instance);
}

static const char *path_of(void *instance)
{
	return ((struct prometheus *)instance)->path;
}

static int32_t render_families(void *instance, const txw_family *families, size_t stride, size_t n,
			       txw_str accept, const txw_writer *out, txw_error *err)
{
	(void)instance;
	int32_t rc = render(accept_choose(accept), families, stride, n, out);
	return rc < 0 ? txw_refuse(rc, "the metrics could not be written", err) : rc;
}

static const txw_exporter EXPORTER = {
    .size = sizeof(EXPORTER),
    .path = path_of,
    .render = render_families,
};

static const txw_role ROLES[] = {
    {
	.size = sizeof(txw_role),
	.kind = TXW_ROLE_EXPORTER,
	.name = "prometheus",
	.summary = "metrics for Prometheus (text 0.0.4, OpenMetrics 1.0)",
	.options = OPTIONS,
	.n_options = sizeof(OPTIONS) / sizeof(OPTIONS[0]),
	.option_stride = sizeof(txw_option),
	.vtable = &EXPORTER,
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
    .n_roles = sizeof(ROLES) / sizeof(ROLES[0]),
    .role_stride = sizeof(txw_role),
};

const txw_plugin *txw_plugin_1(void)
{
	return &PLUGIN;
}
