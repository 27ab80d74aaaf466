/*
 * rate.c: see rate.h. The generic cell rate algorithm (ITU-T I.371): one
 * number, the theoretical arrival time, stands for the bucket.
 */
#include "base/rate.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"

bool rate_parse(txw_str text, struct rate *out)
{
	*out = (struct rate){0};
	if (text.len == 0)
		return true;
	const char *slash = memchr(text.ptr, '/', text.len);
	int64_t n;
	if (!slash || text.ptr + text.len - slash != 2 ||
	    !str_int((txw_str){text.ptr, (size_t)(slash - text.ptr)}, &n) || n <= 0)
		return false;
	int64_t period = slash[1] == 's'   ? SECOND
			 : slash[1] == 'm' ? MINUTE
			 : slash[1] == 'h' ? HOUR
					   : 0;
	if (period == 0 || n > period)
		return false;
	out->gap = period / n;
	out->burst = out->gap > SECOND ? 0 : SECOND - out->gap;
	return true;
}

txw_time rate_take(struct rate *r, txw_time now)
{
	if (r->gap == 0)
		return 0;
	if (r->next < now)
		r->next = now;
	if (r->next - now > r->burst)
		return r->next - r->burst;
	r->next += r->gap;
	return 0;
}
