/*
 * answer.c: what a receiver's answer means for the delivery.
 *
 * Success is 2xx alone. 410, or the header `webhook-delivery: disable`, says
 * the target wants no more; `webhook-delivery: abort-message` gives up this one
 * event; 429, 502, 503 and 504 pause the whole target, for as long as
 * Retry-After says. All else is tried again on the host's schedule, an address
 * that was refused too: names come to point elsewhere. Pure.
 */
#include "answer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* So far ahead that no sum with a time overflows. */
#define LONGEST_SECONDS (INT64_C(100) * 366 * 86400)
#define SECOND          INT64_C(1000000)

struct rule {
	uint32_t low, high; /* statuses, both included */
	uint32_t verdict;
	const char *why; /* NULL: the status says it */
};

/* The first that holds. */
static const struct rule RULES[] = {
    {200, 299, TXW_VERDICT_OK, NULL},
    {300, 399, TXW_VERDICT_RETRY, "redirects are not followed"},
    {410, 410, TXW_VERDICT_GONE, "the receiver wants no more"},
    {429, 429, TXW_VERDICT_THROTTLE, "the receiver asks for time"},
    {502, 504, TXW_VERDICT_THROTTLE, "the receiver is not available"},
    {0, UINT32_MAX, TXW_VERDICT_RETRY, NULL},
};

static txw_str header(const txw_http_response *r, const char *name)
{
	size_t len = strlen(name);
	for (uint32_t i = 0; i < r->n_headers; i++)
		if (r->headers[i].name.len == len && memcmp(r->headers[i].name.ptr, name, len) == 0)
			return r->headers[i].value;
	return (txw_str){NULL, 0};
}

static int is_word(txw_str s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.ptr, word, s.len) == 0;
}

static int64_t seconds_after(const char *digits)
{
	int64_t v = 0;
	for (; *digits; digits++) {
		if (*digits < '0' || *digits > '9')
			return -1;
		v = v * 10 + (*digits - '0');
		if (v > LONGEST_SECONDS)
			v = LONGEST_SECONDS;
	}
	return v;
}

int64_t retry_after(txw_str value, txw_time now)
{
	/* RFC 9110, section 5.6.7: IMF-fixdate, RFC 850, asctime. */
	static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT",
					    "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"};
	char text[64];
	if (value.len == 0 || value.len >= sizeof(text))
		return 0;
	memcpy(text, value.ptr, value.len);
	text[value.len] = '\0';

	int64_t seconds = seconds_after(text);
	if (seconds >= 0)
		return seconds * SECOND;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm tm = {0};
		const char *end = strptime(text, forms[i], &tm);
		if (!end || *end)
			continue;
		int64_t at = (int64_t)timegm(&tm);
		int64_t left = at < LONGEST_SECONDS * 3 ? at * SECOND - now : 0;
		return left > 0 ? left : 0;
	}
	return 0;
}

static void judge_status(const txw_http_response *r, txw_time now, struct judgement *out)
{
	const struct rule *rule = RULES;
	while (r->status < rule->low || r->status > rule->high)
		rule++;
	out->verdict = rule->verdict;
	if (rule->verdict == TXW_VERDICT_OK)
		return;
	(void)snprintf(out->reason, sizeof(out->reason), rule->why ? "HTTP %u: %s" : "HTTP %u",
		       r->status, rule->why);
	if (rule->verdict == TXW_VERDICT_THROTTLE)
		out->after = retry_after(header(r, "retry-after"), now);
}

void answer_judge(const txw_http_response *r, txw_time now, struct judgement *out)
{
	*out = (struct judgement){.verdict = TXW_VERDICT_RETRY};
	if (r->error != TXW_OK) {
		size_t len = r->text.len < sizeof(out->reason) - 1 ? r->text.len
								   : sizeof(out->reason) - 1;
		if (len)
			memcpy(out->reason, r->text.ptr, len);
		else
			(void)snprintf(out->reason, sizeof(out->reason), "no answer");
		return;
	}
	judge_status(r, now, out);

	txw_str wish = header(r, "webhook-delivery");
	if (is_word(wish, "disable")) {
		out->verdict = TXW_VERDICT_GONE;
		(void)snprintf(out->reason, sizeof(out->reason),
			       "HTTP %u: the receiver asks to be disabled", r->status);
	} else if (is_word(wish, "abort-message") && out->verdict != TXW_VERDICT_OK) {
		out->verdict = TXW_VERDICT_DROP;
		(void)snprintf(out->reason, sizeof(out->reason),
			       "HTTP %u: the receiver gives this event up", r->status);
	}
}
