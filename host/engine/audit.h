/*
 * audit.h: who did what to the site: a row for every administrative act.
 *
 * A row is a document of kind "audit" of the tenant it concerns, id "aud_..."
 * (ascending with time), written in the unit of the act: both are durable, or
 * neither is. It goes when the site's `audit-keep` is over.
 */
#ifndef TXWATCH_ENGINE_AUDIT_H
#define TXWATCH_ENGINE_AUDIT_H

#include "engine/engine.h"

#define AUDIT_KIND STR_LIT("audit")
#define AUDIT_ID   "aud"
/* Whose the acts on the site as a whole are, and nobody's own (a signal's, a
 * throttled peer's). */
#define AUDIT_SITE STR_LIT("default")

struct audit {
	txw_str tenant;
	txw_str actor;      /* "token:NAME", "jwt:SUBJECT", "signal:HUP", "host" */
	const char *action; /* "token.create", "subscription.delete", "reload" */
	txw_str object;     /* the id or name of what it was done to; or none */
	txw_str detail;     /* a JSON object as text, without secrets; or none */
};

/* Appends the row to the unit. [writer] */
int32_t audit_add(struct unit *u, const struct audit *row, struct err *e);
/* For an act that writes nothing itself: copied, and written in a job of its
 * own. [any] */
void audit_submit(struct engine *g, const struct audit *row);
/* The config was taken over (rc 0) or refused. [any] */
void audit_reload(struct engine *g, txw_str actor, int32_t rc);

#endif
