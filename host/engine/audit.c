/* audit.c: see audit.h. */
#include "engine/audit.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/id.h"
#include "base/log.h"
#include "base/str.h"

int32_t audit_add(struct unit *u, const struct audit *row, struct err *e)
{
	struct buf b = {0};
	char id[ID_TEXT_MAX];
	size_t n = id_print(id, AUDIT_ID, id_new(u->now));
	int64_t keep = engine_audit_kept(u->engine);
	json_open(&b, '{');
	json_m_str(&b, "actor", row->actor);
	json_m_text(&b, "action", row->action);
	json_m_opt(&b, "object", row->object);
	json_m_raw_opt(&b, "detail", row->detail);
	json_close(&b, '}');
	txw_doc doc = {
	    .size = sizeof(doc),
	    .kind = AUDIT_KIND,
	    .tenant = row->tenant,
	    .id = {id, n},
	    .body = buf_view(&b),
	    .version = 1,
	    .created_at = u->now,
	    .updated_at = u->now,
	    .expires_at = keep ? u->now + keep : 0,
	};
	int32_t rc = UNIT_CALL(u, e, put_doc, &doc);
	buf_free(&b);
	return rc;
}

/* ---- a job of its own ---- */

struct lone {
	struct job job;
	struct arena arena;
	struct audit row;
};

static int32_t lone_apply(struct job *job, struct unit *u, struct err *e)
{
	return audit_add(u, &((struct lone *)job)->row, e);
}

static void lone_done(struct job *job)
{
	struct lone *l = (struct lone *)job;
	if (job->rc < 0)
		log_warn("an act could not be written to the audit log", "action", l->row.action,
			 "actor", l->row.actor.ptr, "why", job->err.text);
	arena_free(&l->arena);
	free(l);
}

void audit_submit(struct engine *g, const struct audit *row)
{
	struct lone *l = xcalloc(1, sizeof(*l));
	l->row = (struct audit){
	    .tenant = arena_str(&l->arena, row->tenant),
	    .actor = arena_str(&l->arena, row->actor),
	    .action = row->action,
	    .object = arena_str(&l->arena, row->object),
	    .detail = arena_str(&l->arena, row->detail),
	};
	l->job.item.weight = 1;
	l->job.apply = lone_apply;
	l->job.done = lone_done;
	engine_submit_internal(g, &l->job);
}

void audit_reload(struct engine *g, txw_str actor, int32_t rc)
{
	audit_submit(g, &(struct audit){.tenant = AUDIT_SITE,
					.actor = actor,
					.action = "reload",
					.detail = rc < 0 ? STR_LIT("{\"result\":\"refused\"}")
							 : STR_LIT("{\"result\":\"taken\"}")});
}
