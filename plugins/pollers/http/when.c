/* when.c: see when.h. */
#include "when.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND     INT64_C(1000000)
#define DAY        (86400 * SECOND)
#define MAX_WAIT   (30 * DAY)
#define TEXT_LIMIT 64

/* Broken down, UTC. */
struct parts {
	int year, month, day, hour, minute, second;
};

/* Days since 1970-01-01 of a Gregorian date, counted from 1 March so that the
 * leap day is a year's last. */
static int64_t days(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool in_range(const struct parts *p)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (p->month < 1 || p->month > 12)
		return false;
	bool leap = (p->year % 4 == 0 && p->year % 100 != 0) || p->year % 400 == 0;
	int length = lengths[p->month - 1] + (leap && p->month == 2);
	/* 60: a leap second, taken as the next second. */
	return p->year >= 1970 && p->year <= 9999 && p->day >= 1 && p->day <= length &&
	       p->hour >= 0 && p->hour < 24 && p->minute >= 0 && p->minute < 60 && p->second >= 0 &&
	       p->second <= 60;
}

static txw_time join(const struct parts *p)
{
	int64_t s = days(p->year, p->month, p->day) * 86400 + p->hour * 3600 + p->minute * 60 +
		    p->second;
	return s * SECOND;
}

/* Two to four digits at s[at]; -1: not digits. */
static int digits(txw_str s, size_t at, size_t n)
{
	int v = 0;
	if (at + n > s.len)
		return -1;
	for (size_t i = at; i < at + n; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return -1;
		v = v * 10 + (s.ptr[i] - '0');
	}
	return v;
}

static bool is_at(txw_str s, size_t at, const char *any)
{
	return at < s.len && s.ptr[at] && strchr(any, s.ptr[at]);
}

/* The fraction behind the seconds, in microseconds; moves *at. */
static int64_t fraction(txw_str s, size_t *at)
{
	int64_t unit = SECOND / 10, v = 0;
	if (!is_at(s, *at, "."))
		return 0;
	for (++*at; is_at(s, *at, "0123456789"); ++*at) {
		v += (s.ptr[*at] - '0') * unit;
		unit /= 10;
	}
	return v;
}

static bool rfc3339(txw_str s, txw_time *out)
{
	struct parts p = {digits(s, 0, 4),  digits(s, 5, 2),  digits(s, 8, 2),
			  digits(s, 11, 2), digits(s, 14, 2), digits(s, 17, 2)};
	if (!in_range(&p) || !is_at(s, 4, "-") || !is_at(s, 7, "-") || !is_at(s, 10, "Tt ") ||
	    !is_at(s, 13, ":") || !is_at(s, 16, ":"))
		return false;
	size_t at = 19;
	*out = join(&p) + fraction(s, &at);
	if (is_at(s, at, "Zz"))
		return at + 1 == s.len;
	int hours = digits(s, at + 1, 2), minutes = digits(s, at + 4, 2);
	if (!is_at(s, at, "+-") || !is_at(s, at + 3, ":") || at + 6 != s.len || hours < 0 ||
	    hours > 23 || minutes < 0 || minutes > 59)
		return false;
	int64_t offset = (hours * 60 + minutes) * 60 * SECOND;
	*out -= s.ptr[at] == '+' ? offset : -offset;
	return true;
}

bool when_number(double v, txw_time *out)
{
	static const struct {
		double below;
		double microseconds;
	} rows[] = {{1e11, 1e6}, {1e14, 1e3}, {1e17, 1}, {9e18, 1e-3}};
	if (!(v > 0))
		return false;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (v >= rows[i].below)
			continue;
		*out = (txw_time)llround(v * rows[i].microseconds);
		return *out > 0;
	}
	return false;
}

bool when_text(txw_str s, txw_time *out)
{
	char text[TEXT_LIMIT];
	if (rfc3339(s, out))
		return *out > 0;
	if (s.len == 0 || s.len >= sizeof text || !is_at(s, 0, "0123456789"))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!is_at(s, i, "0123456789."))
			return false;
	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	char *end;
	double v = strtod(text, &end);
	return !*end && when_number(v, out);
}

static int month_of(const char *name)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	for (int i = 0; i < 12; i++)
		if (strncmp(names + 3 * i, name, 3) == 0)
			return i + 1;
	return 0;
}

bool when_http_date(txw_str s, txw_time now, txw_time *out)
{
	char text[TEXT_LIMIT], month[4] = "";
	struct parts p = {0};
	int end = 0;
	if (s.len >= sizeof text || (s.len && memchr(s.ptr, '\0', s.len)))
		return false;
	memcpy(text, s.ptr ? s.ptr : "", s.len);
	text[s.len] = '\0';
	/* Sun, 06 Nov 1994 08:49:37 GMT */
	bool ok = sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &p.day, month,
			 &p.year, &p.hour, &p.minute, &p.second, &end) == 6 &&
		  end && !text[end];
	if (!ok && sscanf(text, "%*[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n", &p.day, month,
			  &p.year, &p.hour, &p.minute, &p.second, &end) == 6) {
		/* Sunday, 06-Nov-94 08:49:37 GMT: a year that seems more than
		 * 50 years ahead is the past one with those digits. */
		int this_year = 1970 + (int)(now / (DAY * 365 + DAY / 4));
		p.year += this_year / 100 * 100;
		p.year -= p.year > this_year + 50 ? 100 : 0;
		ok = end && !text[end];
	}
	/* Sun Nov  6 08:49:37 1994 */
	if (!ok)
		ok = sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", month, &p.day,
			    &p.hour, &p.minute, &p.second, &p.year, &end) == 6 &&
		     end && !text[end];
	p.month = month_of(month);
	if (!ok || !in_range(&p))
		return false;
	*out = join(&p);
	return true;
}

int64_t when_retry(txw_str header, txw_time now)
{
	int64_t wait = 0;
	size_t i = 0;
	while (header.len &&
	       (header.ptr[header.len - 1] == ' ' || header.ptr[header.len - 1] == '\t'))
		header.len--;
	for (; i < header.len && header.ptr[i] >= '0' && header.ptr[i] <= '9'; i++)
		if (wait < MAX_WAIT / SECOND)
			wait = wait * 10 + (header.ptr[i] - '0');
	if (i && i == header.len)
		return wait < MAX_WAIT / SECOND ? wait * SECOND : MAX_WAIT;
	txw_time at;
	if (!when_http_date(header, now, &at) || at <= now)
		return 0;
	return at - now < MAX_WAIT ? at - now : MAX_WAIT;
}
