/* handlers.h: the table's handlers, by file. Each ends its call, at once or
 * later. [loop] */
#ifndef TXWATCH_API_HANDLERS_H
#define TXWATCH_API_HANDLERS_H

#include "api/inside.h"

/* transactions.c */
void do_tx_create(struct call *c);
void do_tx_get(struct call *c);
void do_tx_by_ref(struct call *c);
void do_tx_update(struct call *c);
void do_tx_status(struct call *c);
void do_tx_poll(struct call *c);
void do_tx_pause(struct call *c);
void do_tx_resume(struct call *c);

/* tx_list.c */
void do_tx_list(struct call *c);

/* history.c */
void do_tx_history(struct call *c);

/* batch.c */
void do_tx_batch(struct call *c);

/* import.c */
void do_tx_import(struct call *c);

/* export.c */
void do_tx_export(struct call *c);

/* bulk.c */
void do_tx_bulk(struct call *c);

/* purge.c */
void do_tx_purge(struct call *c);

/* jobs.c */
void do_job_list(struct call *c);
void do_job_get(struct call *c);
void do_job_cancel(struct call *c);

/* events.c */
void do_events(struct call *c);

/* subscriptions.c */
void do_sub_create(struct call *c);
void do_sub_list(struct call *c);
void do_sub_get(struct call *c);
void do_sub_patch(struct call *c);
void do_sub_delete(struct call *c);
void do_sub_test(struct call *c);
void do_sub_replay(struct call *c);

/* deliveries.c */
void do_dlv_list(struct call *c);
void do_dlv_get(struct call *c);
void do_dlv_retry(struct call *c);

/* tokens.c */
void do_token_create(struct call *c);
void do_token_list(struct call *c);
void do_token_get(struct call *c);
void do_token_delete(struct call *c);

/* audit.c */
void do_audit_list(struct call *c);

/* meta.c */
void do_flows(struct call *c);
void do_plugins(struct call *c);
void do_reload(struct call *c);
void do_pollers(struct call *c);
void do_healthz(struct call *c);
void do_readyz(struct call *c);

/* openapi.c */
void do_openapi(struct call *c);

/* test_clock.c */
void do_clock_get(struct call *c);
void do_clock_advance(struct call *c);

#endif
