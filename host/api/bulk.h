/* bulk.h: the kinds of jobs that POST /v1/transactions:bulk and :purge begin. */
#ifndef TXWATCH_API_BULK_H
#define TXWATCH_API_BULK_H

#include "jobs/jobs.h"

extern const struct work_kind BULK_KIND;
extern const struct work_kind PURGE_KIND; /* purge.c */

#endif
