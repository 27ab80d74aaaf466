/*
 * badplugin.c: plugins that are wrong in one way each, and some that look odd
 * and are right. tests/abi/CMakeLists.txt compiles it once for each CASE_.
 */
#include <stdlib.h>
#include <txwatch/txwatch.h>

#ifndef ROLE_NAME
#error "the name of the role is given by CMakeLists.txt"
#endif

#ifdef CASE_nolibrary
int txwatch_absent(void);
#endif

static int32_t create(const txw_setup *setup, void **out, txw_error *err)
{
	(void)setup;
	(void)err;
#ifdef CASE_nolibrary
	*out = NULL;
	return txwatch_absent();
#else
	*out = NULL;
	return TXW_OK;
#endif
}

static int32_t send_items(void *instance, const txw_delivery *items, size_t stride, size_t n,
			  txw_error *err)
{
	(void)instance;
	(void)items;
	(void)stride;
	(void)n;
	(void)err;
	return TXW_OK;
}

/* ---- the structs, as this case has them ---- */

#if defined(CASE_short)
/* As an older SDK would have made them: less than today's structs. */
#define OPTION_SIZE offsetof(txw_option, min)
#define ROLE_SIZE   offsetof(txw_role, destroy)
#define CALLS_SIZE  offsetof(txw_notifier, cancel)
#else
#define OPTION_SIZE sizeof(txw_option)
#define ROLE_SIZE   sizeof(struct long_role)
#define CALLS_SIZE  sizeof(txw_notifier)
#endif

/* As a newer SDK would make it: more than today's. */
struct long_role {
	txw_role role;
#ifdef CASE_long
	void *news[4];
#endif
};

#ifdef CASE_rows
#define FALLBACK "soon"
#else
#define FALLBACK "5s"
#endif

static const txw_option OPTIONS[] = {
    {.size = OPTION_SIZE,
     .type = TXW_OPT_DURATION,
     .name = "pause",
     .fallback = FALLBACK,
     .help = "How long"},
#if defined(CASE_shared) || defined(CASE_clash)
    {.size = OPTION_SIZE,
#ifdef CASE_clash
     .type = TXW_OPT_STRING,
#else
     .type = TXW_OPT_DURATION,
#endif
     .name = "timeout",
     .help = "The host's timeout"},
#endif
};

#ifdef CASE_nocall
#define HAS_SEND 0
#else
#define HAS_SEND 1
#endif

static const txw_notifier CALLS = {
    .size = CALLS_SIZE,
    .max_batch = 4,
    .send = HAS_SEND ? send_items : NULL,
};

static const struct long_role ROLES[] = {
    {.role = {.size = ROLE_SIZE,
	      .kind = TXW_ROLE_NOTIFIER,
	      .n_options = sizeof(OPTIONS) / sizeof(OPTIONS[0]),
	      .name = ROLE_NAME,
	      .summary = "For the loader's tests",
	      .options = OPTIONS,
	      .option_stride = sizeof(OPTIONS[0]),
	      .vtable = &CALLS,
	      .create = create,
	      .destroy = free}},
#ifdef CASE_long
    {.role = {.size = ROLE_SIZE,
	      .kind = TXW_ROLE_NOTIFIER,
	      .name = ROLE_NAME "-two",
	      .vtable = &CALLS,
	      .create = create}},
#endif
};

#if defined(CASE_major)
#define MAJOR (TXW_ABI_MAJOR + 1)
#elif defined(CASE_older)
#define MAJOR (TXW_ABI_MAJOR - 1)
#else
#define MAJOR TXW_ABI_MAJOR
#endif
#ifdef CASE_minor
#define MINOR (TXW_ABI_MINOR + 7)
#else
#define MINOR TXW_ABI_MINOR
#endif

static const txw_plugin PLUGIN = {
    .size = sizeof(txw_plugin),
    .abi_major = MAJOR,
    .abi_minor = MINOR,
    .n_roles = sizeof(ROLES) / sizeof(ROLES[0]),
    .version = "1.2.3",
    .author = "Tests",
    .license = "Apache-2.0",
    .roles = &ROLES[0].role,
    .role_stride = sizeof(ROLES[0]),
};

/* ---- the one symbol ---- */

#if defined(CASE_nosymbol)
TXW_EXPORT const txw_plugin *something_else(void);
#define ENTRY something_else
#elif defined(CASE_symbol2)
/* A plugin of a later major. */
TXW_EXPORT const txw_plugin *txw_plugin_2(void);
#define ENTRY txw_plugin_2
#else
#define ENTRY txw_plugin_1
#endif

const txw_plugin *ENTRY(void)
{
#ifdef CASE_nulltable
	(void)PLUGIN;
	return NULL;
#else
	return &PLUGIN;
#endif
}
