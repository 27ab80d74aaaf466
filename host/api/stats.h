/* stats.h: the API's metrics, by route. [loop] */
#ifndef TXWATCH_API_STATS_H
#define TXWATCH_API_STATS_H

#include <stdint.h>

struct api;
struct route;

void stats_open(struct api *api);
/* route NULL: none matched. took: microseconds. */
void stats_count(struct api *api, const struct route *route, int status, int64_t took);
void stats_close(struct api *api);

#endif
