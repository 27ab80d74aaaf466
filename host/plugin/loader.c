/*
 * loader.c: finds plugin files, loads them, keeps what they offer.
 *
 * A file that cannot be used stays in the list with the reason; the others
 * are not harmed by it. Invariants:
 *   - a name is looked for once; the same name again is the same entry;
 *   - a role's full name is offered by at most one loaded file;
 *   - nothing is ever dlclose'd: texts and functions of a file, refused ones
 *     too, stay valid for the life of the process.
 *
 * [load], all of it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "plugin/intake.h"
#include "plugin/loader.h"

#define MAX_FILE_NAME 128u

/* ABI majors whose entry symbol is looked for, to tell a plugin of another
 * time from something that is no plugin at all. */
#define MAX_MAJOR_KNOWN 9u

struct plugins *plugins_open(void)
{
	struct plugins *p = xcalloc(1, sizeof(*p));

	p->last = &p->first;
	return p;
}

void plugins_close(struct plugins *p)
{
	if (!p)
		return;
	arena_free(&p->arena);
	free(p->schemas);
	free(p->refused);
	free(p->dirs);
	free(p);
}

const struct plugin_file *plugins_first(const struct plugins *p)
{
	return p->first;
}

const struct role *plugins_role(const struct plugins *p, const char *full_name)
{
	for (const struct plugin_file *f = p->first; f; f = f->next)
		for (size_t i = 0; f->is_loaded && i < f->n_roles; i++)
			if (strcmp(f->roles[i].full_name, full_name) == 0)
				return &f->roles[i];
	return NULL;
}

/* Letters, digits and "._-"; no way out of the directory. */
static int32_t check_name(txw_str name, struct err *e)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";

	if (name.len == 0)
		return err_set(e, TXW_E_INVALID, "a plugin's name is empty");
	if (name.len > MAX_FILE_NAME)
		return err_set(e, TXW_E_INVALID,
			       "a plugin's name has %zu bytes; at most %u are "
			       "allowed",
			       name.len, MAX_FILE_NAME);
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (c && strchr(allowed, c) && !(c == '.' && (i == 0 || name.ptr[i - 1] == '.')))
			continue;
		return err_set(
		    e, TXW_E_INVALID,
		    "plugin `%.*s`: a plugin is named KIND.NAME (\"poller.http\"), not by "
		    "a path: say where it is with `plugin-path`",
		    STR_ARG(name));
	}
	return 0;
}

/*
 * Is the file cut off, as by a copy that a full disk ended? The loader would
 * map what is not there and die of it. The section headers come last.
 */
static bool is_cut(int fd, off_t size)
{
	ElfW(Ehdr) head;
	if (pread(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head))
		return true;
	/* Of another machine: the loader refuses it by its head. */
	if (head.e_phentsize != sizeof(ElfW(Phdr)))
		return false;
	uint64_t sections = (uint64_t)head.e_shnum * head.e_shentsize;
	if (head.e_shoff > (uint64_t)size || sections > (uint64_t)size - head.e_shoff)
		return true;
	for (unsigned i = 0; i < head.e_phnum; i++) {
		ElfW(Phdr) part;
		off_t at = (off_t)(head.e_phoff + (uint64_t)i * sizeof(part));
		if (pread(fd, &part, sizeof(part), at) != (ssize_t)sizeof(part))
			return true;
		if (part.p_offset > (uint64_t)size ||
		    part.p_filesz > (uint64_t)size - part.p_offset)
			return true;
	}
	return false;
}

/* Opens the file for a look: a shared object is a regular file that begins
 * as an ELF file does. */
static int32_t look_at(const char *path, struct err *e)
{
	static const char magic[4] = {0x7f, 'E', 'L', 'F'};
	char head[sizeof(magic)] = {0};
	struct stat st;
	ssize_t n = 0;
	bool cut = false;

	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set(e, TXW_E_IO,
			       "%s cannot be read: %s: give txwatch the right to "
			       "read it",
			       path, strerror(errno));
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		n = pread(fd, head, sizeof(head), 0);
	if (n == (ssize_t)sizeof(head))
		cut = is_cut(fd, st.st_size);
	close(fd);
	if (n != (ssize_t)sizeof(head) || memcmp(head, magic, sizeof(magic)) != 0)
		return err_set(e, TXW_E_INVALID,
			       "%s is not a shared object: it does not begin as an ELF file does: "
			       "build or install it again",
			       path);
	if (cut)
		return err_set(e, TXW_E_INVALID,
			       "%s is cut off: it ends before its own tables say: build or "
			       "install it again",
			       path);
	return 0;
}

/* The entry point; an error if there is none. */
static int32_t find_entry(void *handle, const char *path, const txw_plugin *(**entry)(void),
			  struct err *e)
{
	char symbol[32];
	void *address = dlsym(handle, "txw_plugin_1");

	if (address) {
		/* POSIX lets dlsym's answer be a function's address; ISO C
		 * has no cast for it. */
		memcpy(entry, &address, sizeof(address));
		return 0;
	}
	for (uint32_t major = 0; major <= MAX_MAJOR_KNOWN; major++) {
		snprintf(symbol, sizeof(symbol), "txw_plugin_%u", major);
		if (dlsym(handle, symbol))
			return intake_wrong_version(path, major, 0, e);
	}
	return err_set(
	    e, TXW_E_INVALID,
	    "%s is not a txwatch plugin: it has no txw_plugin_1: remove it from `plugins`", path);
}

static int32_t check_duplicates(const struct plugins *p, const struct plugin_file *file,
				struct err *e)
{
	for (size_t i = 0; i < file->n_roles; i++) {
		const struct role *other = plugins_role(p, file->roles[i].full_name);
		if (other)
			return err_set(e, TXW_E_EXISTS,
				       "%s offers %s, which %s offers already: load only one of "
				       "the two",
				       file->path, other->full_name, other->file->path);
	}
	return 0;
}

/* A file is named after a role, so that a section's keyword says which file
 * it needs. Another name works, but misleads. */
static void check_file_name(struct plugins *p, struct plugin_file *file)
{
	for (size_t i = 0; i < file->n_roles; i++)
		if (strcmp(file->roles[i].full_name, file->name) == 0)
			return;
	file->warning = arena_printf(&p->arena, "%s offers no %s: its sections are named %s%s",
				     file->path, file->name, file->roles[0].full_name,
				     file->n_roles > 1 ? " and others" : "");
}

static int32_t load_file(struct plugins *p, struct plugin_file *file, struct err *e)
{
	const txw_plugin *(*entry)(void) = NULL;
	int32_t rc = look_at(file->path, e);

	if (rc < 0)
		return rc;
	void *handle = dlopen(file->path, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		const char *why = dlerror();
		return err_set(e, TXW_E_IO,
			       "%s cannot be loaded: %s: install what is missing, or rebuild the "
			       "plugin",
			       file->path, why ? why : "the dynamic linker does not say why");
	}
	if ((rc = find_entry(handle, file->path, &entry, e)) < 0)
		return rc;
	if ((rc = intake_plugin(&p->arena, entry(), file, e)) < 0)
		return rc;
	if ((rc = check_duplicates(p, file, e)) < 0)
		return rc;
	check_file_name(p, file);
	return 0;
}

static struct plugin_file *find_file(const struct plugins *p, txw_str name)
{
	for (struct plugin_file *f = p->first; f; f = f->next)
		if (str_is(name, f->name))
			return f;
	return NULL;
}

const struct plugin_file *plugins_load(struct plugins *p, txw_str name)
{
	struct err e = {0};
	struct plugin_file *file = find_file(p, name);

	if (file)
		return file;
	file = arena_alloc(&p->arena, sizeof(*file));
	file->name = arena_printf(&p->arena, "%.*s", STR_ARG(name));
	file->path = file->version = file->author = file->license = "";
	int32_t rc = check_name(name, &e);
	if (rc == 0)
		rc = search_find(p, file->name, &file->path, &e);
	if (rc == 0)
		rc = load_file(p, file, &e);
	if (rc < 0) {
		file->reason = arena_printf(&p->arena, "%s", e.text);
		file->n_roles = 0;
		file->roles = NULL;
	}
	file->is_loaded = rc == 0;
	/* Only now: a file is not its own duplicate. */
	*p->last = file;
	p->last = &file->next;
	return file;
}

/* ---- what conf_parse wants to know ---- */

static size_t count_roles(const struct plugins *p)
{
	size_t n = 0;

	for (const struct plugin_file *f = p->first; f; f = f->next)
		n += f->n_roles;
	return n;
}

const struct conf_schema *plugins_schemas(struct plugins *p)
{
	size_t n = 0;

	while (CONF_HOST_SCHEMAS[n].keyword)
		n++;
	free(p->schemas);
	p->schemas = xcalloc(n + count_roles(p) + 1, sizeof(*p->schemas));
	memcpy(p->schemas, CONF_HOST_SCHEMAS, n * sizeof(*p->schemas));
	for (const struct plugin_file *f = p->first; f; f = f->next)
		for (size_t i = 0; i < f->n_roles; i++)
			p->schemas[n++] = *f->roles[i].schema;
	return p->schemas;
}

const char *const *plugins_refused(struct plugins *p)
{
	size_t n = 0;

	for (const struct plugin_file *f = p->first; f; f = f->next)
		n += !f->is_loaded;
	free(p->refused);
	p->refused = xcalloc(n + 1, sizeof(*p->refused));
	n = 0;
	/* A role may be there although the file of its name was refused: as
	 * the second one to offer it. */
	for (const struct plugin_file *f = p->first; f; f = f->next)
		if (!f->is_loaded && !plugins_role(p, f->name))
			p->refused[n++] = f->name;
	return p->refused;
}
