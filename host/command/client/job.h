/* job.h: long work on the host. */
#ifndef TXWATCH_CLIENT_JOB_H
#define TXWATCH_CLIENT_JOB_H

#include "command/client/client.h"

/* Waits for a job's end, shows how far it is, and prints it. The status of its
 * end: EXIT_WELL, EXIT_FAILED, or EXIT_REFUSED when it was cancelled. */
int job_wait(struct client *c, const char *id);

#endif
