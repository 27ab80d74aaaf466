/* batch.c: operations as one job of the engine; see op.h. */
#include <stdlib.h>

#include "engine/op.h"

static bool is_good(enum op_result r)
{
	return r == OP_CREATED || r == OP_CHANGED || r == OP_UNCHANGED;
}

static int32_t batch_apply(struct job *job, struct unit *u, struct err *e)
{
	struct batch *b = (struct batch *)job;
	int32_t rc;
	bool bad = false;
	for (size_t i = 0; i < b->n; i++) {
		if ((rc = op_run(b, u, &b->ops[i], e)) < 0)
			return rc;
		if (b->atomic && !is_good(b->ops[i].result)) {
			bad = true;
			break;
		}
	}
	if (bad) {
		for (size_t i = 0; i < b->n; i++) {
			if (b->ops[i].result == OP_PENDING || is_good(b->ops[i].result))
				b->ops[i].result = OP_UNDONE;
			b->ops[i].after = NULL; /* no such row came to be */
		}
		return err_set(e, TXW_E_CANCELLED, "another operation of the batch failed");
	}
	return b->finish ? b->finish(b, u, e) : 0;
}

static size_t batch_names(const struct job *job, txw_tx_name *out)
{
	const struct batch *b = (const struct batch *)job;
	for (size_t i = 0; i < b->n; i++)
		out[i] = b->ops[i].name;
	return b->n;
}

static void batch_done(struct job *job)
{
	struct batch *b = (struct batch *)job;
	b->done(b);
}

int32_t batch_submit(struct engine *g, struct batch *b)
{
	b->job.apply = batch_apply;
	b->job.done = batch_done;
	b->job.names = batch_names;
	b->job.item.weight = b->n ? b->n : 1;
	if (!b->internal)
		return engine_submit(g, &b->job);
	engine_submit_internal(g, &b->job);
	return TXW_PENDING;
}

void batch_free(struct batch *b)
{
	arena_free(&b->arena);
	free(b->ops);
	free(b);
}
