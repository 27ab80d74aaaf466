/* inside.h: what the files of jobs/ share. */
#ifndef TXWATCH_JOBS_INSIDE_H
#define TXWATCH_JOBS_INSIDE_H

#include "base/clock.h"
#include "base/str.h"
#include "jobs/jobs.h"

/* ---- doc.c: a work as a document ---- */

const char *work_state_name(enum work_state s);
/* Writes w with its next state. [writer] */
int32_t work_save(struct work *w, struct unit *u, struct err *e);
/* Writes a new one; its id is set. [writer] */
int32_t work_save_new(struct work_request *r, struct unit *u, struct err *e);
/* From a document's object; false: it cannot be read. */
bool work_load(struct work *w, const json_t *doc);

/* The API's object. */
void work_show(struct buf *out, txw_str id, const json_t *doc);

/* ---- sweep.c: documents past their time go ---- */

struct sweep;
struct sweep *sweep_open(struct loop *loop, struct engine *g);
void sweep_drain(struct sweep *s);
void sweep_close(struct sweep *s);

#endif
