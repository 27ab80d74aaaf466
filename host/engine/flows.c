/* flows.c: see flows.h. */
#include "engine/flows.h"

#include "base/str.h"

bool flows_polls(const struct flow_entry *entry, const txw_tx *tx)
{
	return entry->is_polled && str_eq(entry->tenant, tx->tenant);
}

struct flow_entry *flows_find(const struct flows *f, txw_str name)
{
	/* A site has a handful: a scan beats a table. */
	for (size_t i = 0; i < f->n; i++)
		if (str_eq(f->entries[i].flow->name, name))
			return &f->entries[i];
	return NULL;
}
