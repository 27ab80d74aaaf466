/* bulk.h: the kind of job that POST /v1/transactions:bulk begins. */
#ifndef TXWATCH_API_BULK_H
#define TXWATCH_API_BULK_H

#include "jobs/jobs.h"

extern const struct work_kind BULK_KIND;

#endif
