/*
 * intake.c: takes over what a plugin file hands to the host.
 *
 * A plugin is code in our own process, so it cannot be distrusted; it can be
 * wrong, though, and then the site's owner wants a sentence and not a crash.
 * Hence every pointer is checked for NULL and alignment and every size, stride
 * and count for reason before it is followed.
 *
 * Growable structs are copied into zeroed ones of the host's size: a shorter
 * one's missing fields are 0, a longer one's unknown fields are left behind.
 * What a field's absence means is said where the field is used; `least` is
 * how much of a struct there must be for it to make sense at all.
 *
 * [load]
 */
#include "plugin/intake.h"

#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#define MAX_STRUCT  65536u /* bytes; the largest of 1.0, txw_store, has 300 */
#define MAX_ROLES   32u
#define MAX_OPTIONS 256u
#define MAX_NAME    64u

#define THROUGH(type, field) (offsetof(type, field) + sizeof(((type *)0)->field))

/* The calls a role's vtable must have. */
struct call {
	size_t offset;
	const char *name;
};
#define CALL(type, field)                     \
	{                                     \
		offsetof(type, field), #field \
	}

static const struct call POLLER_CALLS[] = {CALL(txw_poller, poll), {0, NULL}};
static const struct call NOTIFIER_CALLS[] = {CALL(txw_notifier, send), {0, NULL}};
static const struct call EXPORTER_CALLS[] = {{0, NULL}}; /* one of two: see below */
static const struct call STORE_CALLS[] = {
    CALL(txw_store, open),          CALL(txw_store, close),        CALL(txw_store, info),
    CALL(txw_store, begin),         CALL(txw_store, commit),       CALL(txw_store, rollback),
    CALL(txw_store, load),          CALL(txw_store, save),         CALL(txw_store, append),
    CALL(txw_store, seen),          CALL(txw_store, due),          CALL(txw_store, reschedule),
    CALL(txw_store, next_due),      CALL(txw_store, put_target),   CALL(txw_store, put_deliveries),
    CALL(txw_store, settle),        CALL(txw_store, claim),        CALL(txw_store, waiting),
    CALL(txw_store, unblock),       CALL(txw_store, move),         CALL(txw_store, put_doc),
    CALL(txw_store, get_doc),       CALL(txw_store, delete_doc),   CALL(txw_store, expire_docs),
    CALL(txw_store, put_mark),      CALL(txw_store, get_mark),     CALL(txw_store, reader_open),
    CALL(txw_store, reader_close),  CALL(txw_store, read_tx),      CALL(txw_store, list_tx),
    CALL(txw_store, history),       CALL(txw_store, list_events),  CALL(txw_store, list_deliveries),
    CALL(txw_store, list_attempts), CALL(txw_store, list_targets), CALL(txw_store, list_docs),
    CALL(txw_store, stats),         CALL(txw_store, ping),         CALL(txw_store, target_due),
    CALL(txw_store, release),       CALL(txw_store, resend),       {0, NULL},
};

/* The kinds of role, by number. */
static const struct kind {
	const char *name;
	size_t size;
	size_t least;
	const struct call *calls;
} KINDS[] = {
    [TXW_ROLE_POLLER] = {"poller", sizeof(txw_poller), THROUGH(txw_poller, poll), POLLER_CALLS},
    [TXW_ROLE_STORE] = {"store", sizeof(txw_store), THROUGH(txw_store, resend), STORE_CALLS},
    [TXW_ROLE_NOTIFIER] = {"notifier", sizeof(txw_notifier), THROUGH(txw_notifier, send),
			   NOTIFIER_CALLS},
    [TXW_ROLE_EXPORTER] = {"exporter", sizeof(txw_exporter), THROUGH(txw_exporter, render),
			   EXPORTER_CALLS},
};

static const struct kind *kind_of(uint32_t kind)
{
	if (kind >= sizeof(KINDS) / sizeof(KINDS[0]) || !KINDS[kind].name)
		return NULL;
	return &KINDS[kind];
}

const char *role_kind_name(uint32_t kind)
{
	const struct kind *k = kind_of(kind);
	return k ? k->name : "unknown";
}

/* A growable struct at `from`; what: "its role 1" for the error. */
static int32_t copy_struct(void *to, size_t to_size, const void *from, size_t least,
			   const char *what, struct err *e)
{
	uint32_t size;

	if (!from)
		return err_set(e, TXW_E_INVALID, "%s is NULL", what);
	if ((uintptr_t)from % alignof(void *) != 0)
		return err_set(e, TXW_E_INVALID, "%s is at a misaligned address", what);
	memcpy(&size, from, sizeof(size));
	if (size < least)
		return err_set(e, TXW_E_INVALID, "%s has size %u, and at least %zu is needed", what,
			       size, least);
	if (size > MAX_STRUCT)
		return err_set(e, TXW_E_INVALID, "%s has size %u, which cannot be", what, size);
	uint32_t n = size < to_size ? size : (uint32_t)to_size;
	memset(to, 0, to_size);
	memcpy(to, from, n);
	memcpy(to, &n, sizeof(n));
	return 0;
}

/* The i-th of an array of growable structs. */
static int32_t copy_element(void *to, size_t to_size, const void *first, size_t stride, size_t i,
			    size_t least, const char *what, struct err *e)
{
	uint32_t size;

	if (!first)
		return err_set(e, TXW_E_INVALID, "%s: its array is NULL", what);
	if (stride < least || stride > MAX_STRUCT || stride % alignof(void *) != 0)
		return err_set(e, TXW_E_INVALID, "%s: its array has stride %zu, which cannot be",
			       what, stride);
	const char *from = (const char *)first + i * stride;
	memcpy(&size, from, sizeof(size));
	if (size > stride)
		return err_set(e, TXW_E_INVALID, "%s has size %u, beyond its array's stride %zu",
			       what, size, stride);
	return copy_struct(to, to_size, from, least, what, e);
}

static bool has_call(const void *vtable, size_t offset)
{
	void (*fn)(void);

	memcpy(&fn, (const char *)vtable + offset, sizeof(fn));
	return fn != NULL;
}

/* Lower case letters, digits and '-', a letter first. */
static bool name_is_valid(const char *name)
{
	if (!name || name[0] < 'a' || name[0] > 'z')
		return false;
	size_t len = strnlen(name, MAX_NAME + 1);
	return len <= MAX_NAME && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static int32_t take_vtable(struct role *role, const struct kind *kind, struct err *e)
{
	char what[128];

	snprintf(what, sizeof(what), "its %s's vtable", role->full_name);
	int32_t rc = copy_struct(&role->v, kind->size, role->row.vtable, kind->least, what, e);
	if (rc < 0)
		return rc;
	for (const struct call *c = kind->calls; c->name; c++)
		if (!has_call(&role->v, c->offset))
			return err_set(e, TXW_E_INVALID, "its %s has no %s()", role->full_name,
				       c->name);
	if (role->row.kind == TXW_ROLE_EXPORTER && !role->v.exporter.render &&
	    !role->v.exporter.push)
		return err_set(e, TXW_E_INVALID, "its %s has neither render() nor push()",
			       role->full_name);
	return 0;
}

/* The rows, one after another in structs of the host's size. */
static int32_t take_options(struct arena *a, struct role *role, txw_option **out, struct err *e)
{
	txw_role *row = &role->row;
	char what[128];

	if (row->n_options > MAX_OPTIONS)
		return err_set(e, TXW_E_INVALID, "its %s has %u options; at most %u are allowed",
			       role->full_name, row->n_options, MAX_OPTIONS);
	if (!row->n_options) {
		row->options = NULL;
		row->option_stride = sizeof(txw_option);
		return 0;
	}
	txw_option *rows = arena_alloc(a, row->n_options * sizeof(*rows));
	for (uint32_t i = 0; i < row->n_options; i++) {
		snprintf(what, sizeof(what), "its %s's option row %u", role->full_name, i + 1);
		int32_t rc = copy_element(&rows[i], sizeof(rows[i]), row->options,
					  row->option_stride, i, THROUGH(txw_option, help), what,
					  e);
		if (rc < 0)
			return rc;
		rows[i].size = sizeof(rows[i]); /* what is missing is 0 now */
		if (!rows[i].name)
			return err_set(e, TXW_E_INVALID, "%s has no name", what);
	}
	*out = rows;
	row->options = rows;
	row->option_stride = sizeof(*rows);
	if (conf_check_rows(rows, sizeof(*rows), row->n_options, e) < 0)
		return err_prefix(e, "its %s's ", role->full_name);
	return 0;
}

/*
 * The host's common rows beside the role's own. A role that wants to see a
 * common option's value declares a row of the same name and type: the section
 * has that option once, as the host's row says, and both read it. So a common
 * row that a later host adds does not shut out plugins that had it before.
 */
static int32_t share_row(struct role *role, txw_option *own, const txw_option *common,
			 struct err *e)
{
	if (own->type != common->type || ((own->flags ^ common->flags) & TXW_OPT_LIST))
		return err_set(e, TXW_E_INVALID,
			       "its %s's option `%s` differs in type from the option that every "
			       "%s has under this name",
			       role->full_name, own->name, role_kind_name(role->row.kind));
	*own = *common;
	return 0;
}

static txw_option *find_row(txw_option *rows, uint32_t n, const char *name)
{
	for (uint32_t i = 0; i < n; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

/* rows: the role's own, a copy of ours. */
static int32_t make_schema(struct arena *a, struct role *role, txw_option *rows, struct err *e)
{
	size_t n = 0;
	const txw_option *common = conf_role_options(role->row.kind, &n);
	txw_option *kept = arena_alloc(a, (n + 1) * sizeof(*kept));
	size_t n_kept = 0;

	for (size_t i = 0; i < n; i++) {
		txw_option *own = find_row(rows, role->row.n_options, common[i].name);
		if (!own)
			kept[n_kept++] = common[i];
		else if (share_row(role, own, &common[i], e) < 0)
			return e->code;
	}
	struct conf_schema *s = arena_alloc(a, sizeof(*s));
	s->keyword = role->full_name;
	s->help = role->row.summary;
	s->is_titled = 1;
	s->options = role->row.options;
	s->option_stride = role->row.option_stride;
	s->n_options = role->row.n_options;
	s->more_options = kept;
	s->n_more_options = n_kept;
	role->schema = s;
	return 0;
}

static int32_t take_role(struct arena *a, const txw_plugin *from, uint32_t i,
			 struct plugin_file *file, struct err *e)
{
	struct role *role = &file->roles[i];
	txw_option *rows = NULL;
	char what[32];

	snprintf(what, sizeof(what), "its role %u", i + 1);
	int32_t rc = copy_element(&role->row, sizeof(role->row), from->roles, from->role_stride, i,
				  THROUGH(txw_role, create), what, e);
	if (rc < 0)
		return rc;
	const struct kind *kind = kind_of(role->row.kind);
	if (!kind)
		return err_set(e, TXW_E_INVALID, "%s is of kind %u, which does not exist", what,
			       role->row.kind);
	if (!name_is_valid(role->row.name))
		return err_set(e, TXW_E_INVALID,
			       "%s, a %s, has no valid name: lower case letters, digits and '-', "
			       "at most %u",
			       what, kind->name, MAX_NAME);
	role->file = file;
	role->full_name = arena_printf(a, "%s.%s", kind->name, role->row.name);
	if (!role->row.summary)
		role->row.summary = "";
	for (uint32_t k = 0; k < i; k++)
		if (strcmp(file->roles[k].full_name, role->full_name) == 0)
			return err_set(e, TXW_E_INVALID, "it offers %s twice", role->full_name);
	if (!role->row.create)
		return err_set(e, TXW_E_INVALID, "its %s has no create()", role->full_name);
	if ((rc = take_vtable(role, kind, e)) < 0 || (rc = take_options(a, role, &rows, e)) < 0)
		return rc;
	return make_schema(a, role, rows, e);
}

int32_t intake_wrong_version(const char *path, uint32_t major, uint32_t minor, struct err *e)
{
	const char *remedy = major < TXW_ABI_MAJOR ? "rebuild the plugin" : "upgrade txwatch";

	return err_set(e, TXW_E_VERSION,
		       "%s was built for plugin ABI %u.%u; this txwatch %s offers %u.%u: %s", path,
		       major, minor, TXW_VERSION, TXW_ABI_MAJOR, TXW_ABI_MINOR, remedy);
}

static int32_t take_file(struct arena *a, const txw_plugin *from, struct plugin_file *file,
			 struct err *e)
{
	txw_plugin p;
	uint32_t version[2];

	/* Where the version stands is the same in every major, and nothing
	 * else may be read before it is known to fit. */
	if ((uintptr_t)from % alignof(void *) != 0)
		return err_set(e, TXW_E_INVALID, "its table is at a misaligned address");
	memcpy(version, &from->abi_major, sizeof(version));
	file->abi_major = version[0];
	file->abi_minor = version[1];
	if (version[0] != TXW_ABI_MAJOR || version[1] > TXW_ABI_MINOR)
		return intake_wrong_version(file->path, version[0], version[1], e);
	int32_t rc = copy_struct(&p, sizeof(p), from, THROUGH(txw_plugin, role_stride), "its table",
				 e);
	if (rc < 0)
		return rc;
	file->version = p.version ? p.version : "";
	file->author = p.author ? p.author : "";
	file->license = p.license ? p.license : "";
	if (p.n_roles == 0 || p.n_roles > MAX_ROLES)
		return err_set(e, TXW_E_INVALID, "it offers %u roles; 1 to %u are possible",
			       p.n_roles, MAX_ROLES);
	file->roles = arena_alloc(a, p.n_roles * sizeof(*file->roles));
	for (uint32_t i = 0; i < p.n_roles; i++) {
		if ((rc = take_role(a, &p, i, file, e)) < 0)
			return rc;
		file->n_roles = i + 1;
	}
	return 0;
}

int32_t intake_plugin(struct arena *a, const txw_plugin *from, struct plugin_file *file,
		      struct err *e)
{
	if (!from)
		return err_set(e, TXW_E_INVALID,
			       "%s offers nothing: its txw_plugin_1() answered NULL: report it to "
			       "the plugin's author",
			       file->path);
	int32_t rc = take_file(a, from, file, e);
	if (rc == 0)
		return 0;
	file->n_roles = 0;
	file->roles = NULL;
	if (rc == TXW_E_VERSION)
		return rc;
	err_prefix(e, "%s is malformed: ", file->path);
	size_t len = strlen(e->text);
	snprintf(e->text + len, sizeof(e->text) - len, ": report it to the plugin's author");
	return rc;
}
