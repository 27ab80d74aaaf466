/* allowance.c: see allowance.h. The bucket itself is base/rate.c's. */
#include "api/allowance.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rate.h"
#include "base/str.h"

#define PLACES 4096u /* a power of two */
#define PROBES 4u

struct place {
	uint64_t who; /* a hash; 0 = free */
	txw_time next;
};

struct allowances {
	struct rate rate;
	int64_t quota;
	int64_t window; /* microseconds */
	struct place places[PLACES];
};

struct allowances *allowances_open(txw_str text)
{
	struct rate rate;
	if (text.len == 0 || !rate_parse(text, &rate))
		return NULL;
	struct allowances *a = xcalloc(1, sizeof(*a));
	char unit = text.ptr[text.len - 1];
	a->window = unit == 's' ? SECOND : unit == 'm' ? MINUTE : HOUR;
	a->rate = rate;
	a->quota = a->window / rate.gap;
	/* A whole period's worth, not only a second's. */
	a->rate.burst = a->window - rate.gap;
	return a;
}

void allowances_close(struct allowances *a)
{
	free(a);
}

static uint64_t hash(txw_str tenant, txw_str token)
{
	const txw_str parts[] = {tenant, {"", 1}, token};
	uint64_t h = UINT64_C(14695981039346656037);
	for (size_t p = 0; p < 3; p++) {
		for (size_t i = 0; i < parts[p].len; i++)
			h = (h ^ (unsigned char)parts[p].ptr[i]) * UINT64_C(1099511628211);
	}
	return h ? h : 1;
}

static struct place *place_of(struct allowances *a, uint64_t who)
{
	struct place *fullest = NULL;
	for (unsigned i = 0; i < PROBES; i++) {
		struct place *p = &a->places[(who + i) & (PLACES - 1)];
		if (p->who == who)
			return p;
		if (!fullest || p->next < fullest->next)
			fullest = p;
	}
	*fullest = (struct place){.who = who};
	return fullest;
}

static int64_t seconds(int64_t micros)
{
	return micros <= 0 ? 0 : (micros + SECOND - 1) / SECOND;
}

void allowance_take(struct allowances *a, txw_str tenant, txw_str token, txw_time now,
		    struct allowance *out)
{
	struct place *p = place_of(a, hash(tenant, token));
	struct rate r = a->rate;
	r.next = p->next;
	txw_time again = rate_take(&r, now);
	p->next = r.next;
	int64_t used = r.next - now; /* of the period, at the pace */
	int64_t room = r.burst - used;
	out->left = room < 0 ? 0 : room / r.gap + 1;
	out->reset = seconds(used);
	out->wait = again ? seconds(again - now) : 0;
}

void allowance_policy(const struct allowances *a, char out[ALLOWANCE_TEXT_MAX])
{
	snprintf(out, ALLOWANCE_TEXT_MAX, "\"token\";q=%lld;w=%lld", (long long)a->quota,
		 (long long)(a->window / SECOND));
}

void allowance_print(const struct allowance *one, char out[ALLOWANCE_TEXT_MAX])
{
	snprintf(out, ALLOWANCE_TEXT_MAX, "\"token\";r=%lld;t=%lld", (long long)one->left,
		 (long long)one->reset);
}
