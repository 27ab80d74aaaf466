/*
 * instance.c: one configured use of a role.
 *
 *   instance_open()   policy, extensions, create(), worker
 *   instance_close()  worker, destroy(), extensions: backwards
 *
 * [load]; instance_run is the caller's thread's matter, see instance.h.
 */
#include "plugin/instance.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "egress/egress.h"
#include "plugin/ext.h"
#include "plugin/worker.h"

static const txw_value *find_value(const struct conf_section *section, const char *name)
{
	for (size_t i = 0; i < section->n_values; i++)
		if (strcmp(section->values[i].name, name) == 0)
			return &section->values[i];
	return NULL;
}

/* Every instance has one; without `allow-networks` it admits public
 * addresses only. */
static struct egress_policy *make_policy(const struct conf_section *section, struct err *e)
{
	const txw_value *allow = find_value(section, "allow-networks");

	if (!allow || !allow->is_set)
		return egress_policy_make(NULL, 0, e);
	struct egress_policy *policy = egress_policy_make(allow->texts, allow->n, e);
	if (!policy)
		err_prefix(e, "allow-networks: ");
	return policy;
}

/* The plugin sees the values of its own rows, which come first. */
static int32_t create(instance *in, struct err *e)
{
	const txw_role *row = &in->role->row;
	txw_error from = ERR_ABI_INIT;
	txw_setup setup = {
	    .size = sizeof(setup),
	    .n_values = row->n_options,
	    .value_stride = sizeof(txw_value),
	    .values = in->section->values,
	    .host = &HOST_TABLE,
	    .self = in,
	    .name = in->name,
	};

	assert(in->section->n_values >= row->n_options);
	return err_from_plugin(e, row->create(&setup, &in->self, &from), &from);
}

instance *instance_open(const struct role *role, const struct conf_section *section,
			struct services *services, struct err *e)
{
	instance *in = xcalloc(1, sizeof(*in));

	in->magic = INSTANCE_MAGIC;
	in->name = section->title;
	in->role = role;
	in->section = section;
	in->services = services;
	in->policy = make_policy(section, e);
	if (!in->policy)
		goto free_instance;
	in->ext = ext_open(in->policy);
	if (create(in, e) < 0)
		goto close_ext;
	if (role->row.flags & TXW_BLOCKING) {
		in->worker = worker_open(in->name, services->loop, e);
		if (!in->worker)
			goto destroy;
	}
	return in;

destroy:
	if (role->row.destroy)
		role->row.destroy(in->self);
close_ext:
	ext_close(in->ext, services->egress);
free_instance:
	err_prefix(e, "%s %s: ", role->full_name, section->title);
	in->magic = 0;
	free(in);
	return NULL;
}

void instance_close(instance *in)
{
	if (!in)
		return;
	assert(in->magic == INSTANCE_MAGIC);
	assert(ext_is_home(in));
	worker_close(in->worker);
	if (in->role->row.destroy)
		in->role->row.destroy(in->self);
	ext_close(in->ext, in->services->egress);
	in->magic = 0;
	free(in);
}

int32_t instance_run(instance *in, struct task *task)
{
	assert(in->magic == INSTANCE_MAGIC);
	if (in->worker)
		return worker_put(in->worker, task);
	assert(ext_is_home(in));
	task->run(task);
	return 0;
}
