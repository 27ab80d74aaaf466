/* rules.c: what option rows cannot say of the host's own sections. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rate.h"
#include "base/str.h"
#include "config/marks.h"
#include "config/value.h"

#define MIN_TOKEN 16u

static bool is_hash(txw_str s)
{
	txw_str prefix = STR_LIT("sha256:");

	if (!str_starts(s, prefix) || s.len != prefix.len + 64)
		return false;
	return strspn(s.ptr + prefix.len, "0123456789abcdefABCDEF") == 64;
}

static void check_token(const struct conf_section *s, const struct mark_section *mark,
			struct conf_report *report)
{
	bool has_value = conf_is_set(s, "value"), has_hash = conf_is_set(s, "hash");
	txw_str expires = conf_text(s, "expires");
	txw_time t;

	for (const struct mark_option *o = mark->options; o; o = o->next) {
		/* One that was complained about was given all the same. */
		has_value |= strcmp(o->name, "value") == 0;
		has_hash |= strcmp(o->name, "hash") == 0;
	}
	if (has_value == has_hash)
		mark_problem(report, mark, s->line,
			     has_value ? "has both value and hash: give one of them"
				       : "has neither value nor hash: give one of them (`txwatch "
					 "token` makes them)");
	if (conf_is_set(s, "value") && conf_text(s, "value").len < MIN_TOKEN)
		mark_problem(report, mark, conf_line(s, "value"),
			     "value has fewer than %u characters, which can be guessed; `txwatch "
			     "token` makes a good one",
			     MIN_TOKEN);
	if (conf_is_set(s, "hash") && !is_hash(conf_text(s, "hash")))
		mark_problem(report, mark, conf_line(s, "hash"),
			     "hash must be \"sha256:\" and 64 hexadecimal digits, as `txwatch "
			     "token` prints it");
	if (conf_is_set(s, "expires") && !time_parse(expires, &t))
		mark_problem(report, mark, conf_line(s, "expires"),
			     "expires must be a time like \"2027-01-31T00:00:00Z\", found %s",
			     value_shown(&report->arena, expires));
}

static bool is_listen(txw_str s)
{
	const char *colon = s.len ? memrchr(s.ptr, ':', s.len) : NULL;
	txw_str host, port;
	int64_t n;

	if (!colon)
		return false;
	host = (txw_str){s.ptr, (size_t)(colon - s.ptr)};
	port = (txw_str){colon + 1, s.len - host.len - 1};
	if (port.len == 0 || port.ptr[0] == '-' || !str_int(port, &n) || n > 65535)
		return false;
	if (host.len && host.ptr[0] == '[')
		return host.len > 2 && host.ptr[host.len - 1] == ']';
	return host.len > 0 && !memchr(host.ptr, ':', host.len);
}

/* As browsers send it: a scheme, a host in small letters, a port, no path. */
static bool is_origin(txw_str s)
{
	size_t head = str_starts(s, STR_LIT("https://"))  ? 8
		      : str_starts(s, STR_LIT("http://")) ? 7
							  : 0;

	if (str_is(s, "*"))
		return true;
	if (head == 0 || s.len == head)
		return false;
	for (size_t i = head; i < s.len; i++) {
		char c = s.ptr[i];
		bool is_word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (!is_word && c != '.' && c != '-' && c != ':' && c != '[' && c != ']')
			return false;
	}
	return true;
}

static void check_http(const struct conf_section *s, const struct mark_section *mark,
		       struct conf_report *report)
{
	struct rate rate;
	const txw_str *origins = NULL;
	size_t n = conf_list(s, "cors-origins", &origins);

	if (!rate_parse(conf_text(s, "rate"), &rate))
		mark_problem(report, mark, conf_line(s, "rate"),
			     "rate must be a number per s, m or h like \"100/s\", found %s",
			     value_shown(&report->arena, conf_text(s, "rate")));
	for (size_t i = 0; i < n; i++) {
		if (!is_origin(origins[i]))
			mark_problem(report, mark, conf_line(s, "cors-origins"),
				     "cors-origins must be origins like \"https://ops.example\", "
				     "without a path, or \"*\", found %s",
				     value_shown(&report->arena, origins[i]));
	}
	if (conf_is_set(s, "listen") && !is_listen(conf_text(s, "listen")))
		mark_problem(report, mark, conf_line(s, "listen"),
			     "listen must be ADDRESS:PORT like \"127.0.0.1:8420\" or "
			     "\"[::1]:8420\", found %s",
			     value_shown(&report->arena, conf_text(s, "listen")));
}

static const struct {
	const char *keyword;
	void (*check)(const struct conf_section *s, const struct mark_section *mark,
		      struct conf_report *report);
} RULES[] = {
    {"token", check_token},
    {"http", check_http},
};

void check_rules(const struct conf_section *s, const struct mark_section *mark,
		 struct conf_report *report)
{
	for (size_t i = 0; i < sizeof(RULES) / sizeof(RULES[0]); i++)
		if (!*mark->parent->keyword && strcmp(s->keyword, RULES[i].keyword) == 0)
			RULES[i].check(s, mark, report);
}
