/* clock.c: time, real or virtual, and its texts; see clock.h. */
#include "base/clock.h"

#include <string.h>
#include <time.h>

void clock_real(struct clock *c)
{
	c->is_virtual = false;
	atomic_store(&c->now, 0);
}

void clock_virtual(struct clock *c, txw_time start)
{
	c->is_virtual = true;
	atomic_store(&c->now, start);
}

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * SECOND + ts.tv_nsec / 1000;
}

txw_time clock_now(const struct clock *c)
{
	if (c->is_virtual)
		return atomic_load(&c->now);
	return read_clock(CLOCK_REALTIME);
}

void clock_set(struct clock *c, txw_time to)
{
	int64_t now = atomic_load(&c->now);
	if (c->is_virtual && to > now)
		atomic_store(&c->now, to);
}

int64_t clock_ticks(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* Days and civil dates: the proleptic Gregorian calendar, by the era method
 * of H. Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
static int64_t days_from_civil(int64_t y, unsigned m, unsigned d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	unsigned yoe = (unsigned)(y - era * 400);
	unsigned doy = (153 * (m + (m > 2 ? (unsigned)-3 : 9)) + 2) / 5 + d - 1;
	unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + (int64_t)doe - 719468;
}

static void civil_from_days(int64_t z, int64_t *y, unsigned *m, unsigned *d)
{
	z += 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;
	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = (int64_t)yoe + era * 400 + (*m <= 2);
}

static char *put_digits(char *p, uint64_t v, int n)
{
	for (int i = n - 1; i >= 0; i--) {
		p[i] = (char)('0' + v % 10);
		v /= 10;
	}
	return p + n;
}

size_t time_print(char *out, txw_time t)
{
	int64_t days = t / DAY, rest = t % DAY;
	if (rest < 0) {
		rest += DAY;
		days--;
	}
	int64_t year;
	unsigned month, day;
	civil_from_days(days, &year, &month, &day);
	if (year < 0 || year > 9999) { /* beyond RFC 3339 */
		year = year < 0 ? 0 : 9999;
	}
	char *p = put_digits(out, (uint64_t)year, 4);
	*p++ = '-';
	p = put_digits(p, month, 2);
	*p++ = '-';
	p = put_digits(p, day, 2);
	*p++ = 'T';
	p = put_digits(p, (uint64_t)(rest / HOUR), 2);
	*p++ = ':';
	p = put_digits(p, (uint64_t)(rest / MINUTE % 60), 2);
	*p++ = ':';
	p = put_digits(p, (uint64_t)(rest / SECOND % 60), 2);
	uint64_t micros = (uint64_t)(rest % SECOND);
	if (micros) {
		*p++ = '.';
		p = put_digits(p, micros, 6);
		while (p[-1] == '0')
			p--;
	}
	*p++ = 'Z';
	*p = '\0';
	return (size_t)(p - out);
}

static bool take_digits(const char **p, const char *end, int n, int64_t *out)
{
	int64_t v = 0;
	for (int i = 0; i < n; i++, (*p)++) {
		if (*p == end || **p < '0' || **p > '9')
			return false;
		v = v * 10 + (**p - '0');
	}
	*out = v;
	return true;
}

static bool take_char(const char **p, const char *end, const char *any)
{
	if (*p == end || !strchr(any, **p) || **p == '\0')
		return false;
	(*p)++;
	return true;
}

static bool take_fraction(const char **p, const char *end, int64_t *micros)
{
	*micros = 0;
	if (!take_char(p, end, "."))
		return true;
	int digits = 0;
	int64_t scale = 100000;
	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++, digits++) {
		*micros += (**p - '0') * scale;
		scale /= 10;
	}
	return digits > 0;
}

static bool take_offset(const char **p, const char *end, int64_t *offset)
{
	*offset = 0;
	if (take_char(p, end, "Zz"))
		return true;
	bool west = *p < end && **p == '-';
	int64_t h, m;
	if (!take_char(p, end, "+-") || !take_digits(p, end, 2, &h) || !take_char(p, end, ":") ||
	    !take_digits(p, end, 2, &m) || h > 23 || m > 59)
		return false;
	*offset = (h * HOUR + m * MINUTE) * (west ? -1 : 1);
	return true;
}

bool time_parse(txw_str s, txw_time *out)
{
	static const uint8_t lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const char *p = s.ptr, *end = s.ptr + s.len;
	int64_t y, mo, d, h, mi, sec, micros, offset;
	if (!take_digits(&p, end, 4, &y) || !take_char(&p, end, "-") ||
	    !take_digits(&p, end, 2, &mo) || !take_char(&p, end, "-") ||
	    !take_digits(&p, end, 2, &d) || !take_char(&p, end, "Tt ") ||
	    !take_digits(&p, end, 2, &h) || !take_char(&p, end, ":") ||
	    !take_digits(&p, end, 2, &mi) || !take_char(&p, end, ":") ||
	    !take_digits(&p, end, 2, &sec) || !take_fraction(&p, end, &micros) ||
	    !take_offset(&p, end, &offset) || p != end)
		return false;
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
	if (mo < 1 || mo > 12 || d < 1 || d > lengths[mo - 1] || (mo == 2 && d == 29 && !leap) ||
	    h > 23 || mi > 59 || sec > 60)
		return false;
	txw_time t = days_from_civil(y, (unsigned)mo, (unsigned)d) * DAY + h * HOUR + mi * MINUTE +
		     sec * SECOND + micros - offset;
	/* By its offset it may be in a year that has no four digits. */
	if (t < days_from_civil(0, 1, 1) * DAY || t >= days_from_civil(10000, 1, 1) * DAY)
		return false;
	*out = t;
	return true;
}

struct unit_row {
	const char *name;
	int64_t micros;
};

/* Longest first for printing; "ms" before "m" for reading. */
static const struct unit_row UNITS[] = {
    {"d", DAY}, {"h", HOUR}, {"ms", MILLISECOND}, {"m", MINUTE}, {"s", SECOND}, {"us", 1},
};
#define N_UNITS (sizeof(UNITS) / sizeof(UNITS[0]))

static const struct unit_row *take_unit(const char **p, const char *end)
{
	for (size_t i = 0; i < N_UNITS; i++) {
		size_t n = strlen(UNITS[i].name);
		if ((size_t)(end - *p) >= n && memcmp(*p, UNITS[i].name, n) == 0) {
			*p += n;
			return &UNITS[i];
		}
	}
	return NULL;
}

bool duration_parse(txw_str s, int64_t *out)
{
	if (s.len == 1 && s.ptr[0] == '0') {
		*out = 0;
		return true;
	}
	const char *p = s.ptr, *end = s.ptr + s.len;
	int64_t total = 0, last = INT64_MAX;
	while (p < end) {
		int64_t v = 0;
		const char *start = p;
		for (; p < end && *p >= '0' && *p <= '9'; p++)
			if (__builtin_mul_overflow(v, 10, &v) ||
			    __builtin_add_overflow(v, *p - '0', &v))
				return false;
		const struct unit_row *unit = p > start ? take_unit(&p, end) : NULL;
		if (!unit || unit->micros >= last)
			return false;
		last = unit->micros;
		if (__builtin_mul_overflow(v, unit->micros, &v) ||
		    __builtin_add_overflow(total, v, &total))
			return false;
	}
	if (s.len == 0)
		return false;
	*out = total;
	return true;
}

size_t duration_print(char *out, int64_t d)
{
	static const struct unit_row order[] = {
	    {"d", DAY}, {"h", HOUR}, {"m", MINUTE}, {"s", SECOND}, {"ms", MILLISECOND}, {"us", 1},
	};
	char *p = out;
	uint64_t left = d < 0 ? 0 - (uint64_t)d : (uint64_t)d;
	if (d < 0)
		*p++ = '-';
	if (left == 0)
		*p++ = '0';
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && left; i++) {
		uint64_t n = left / (uint64_t)order[i].micros;
		if (n == 0)
			continue;
		left %= (uint64_t)order[i].micros;
		int digits = 1;
		for (uint64_t v = n; v >= 10; v /= 10)
			digits++;
		p = put_digits(p, n, digits);
		for (const char *u = order[i].name; *u; u++)
			*p++ = *u;
	}
	*p = '\0';
	return (size_t)(p - out);
}
