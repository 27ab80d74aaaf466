/*
 * marks.h: where everything of a config file stands: what scan.c found, what
 * check.c judges and what parse.c puts beside libconfuse's values.
 *
 * Positions are bytes in conf_scan.text. Private to host/config.
 */
#ifndef TXWATCH_CONFIG_MARKS_H
#define TXWATCH_CONFIG_MARKS_H

#include "config/conf.h"

#define CONF_MAX_BYTES    (1024u * 1024u)
#define CONF_MAX_DEPTH    8u     /* sections in sections */
#define CONF_MAX_SECTIONS 10000u /* of a file */

struct mark_option {
	const char *name;
	int line;
	size_t begin, end;
	bool is_list; /* in braces */
	bool is_bad;  /* its value was complained about */
	uint32_t n;
	const txw_str *texts;
	struct mark_option *next;

	/* check.c's, anew for each parse: */
	bool is_dropped; /* blanked out before libconfuse reads */
	size_t row;      /* its place in the section's schema */
};

struct mark_section {
	const char *keyword; /* "" = the whole file */
	const char *title;   /* NULL = none given */
	int line;
	size_t begin, end;
	struct mark_section *parent;
	struct mark_option *options;
	struct mark_option **last_option;
	struct mark_section *children;
	struct mark_section **last_child;
	struct mark_section *next;

	bool is_dropped; /* as above */
	const struct conf_schema *schema;
	size_t schema_place;
};

struct marks {
	struct mark_section root;
	size_t n_sections;
	bool is_bad; /* a value was complained about: no config comes of it */
};

/* As conf_problem, with the section's name before it ("poller.http bank: "). */
void mark_problem(struct conf_report *r, const struct mark_section *s, int line, const char *fmt,
		  ...) __attribute__((format(printf, 4, 5)));
void mark_warning(struct conf_report *r, const struct mark_section *s, int line, const char *fmt,
		  ...) __attribute__((format(printf, 4, 5)));

/* check.c: compares a section and what is in it with its schema; reports, and
 * drops what libconfuse would stumble over. Of the root, children of a
 * `refused` keyword are dropped in silence. */
struct check {
	struct conf_report *report;
	const char *const *refused; /* NULL-ended, or NULL */
	const txw_str *plugins;     /* the `plugins` list */
	size_t n_plugins;
};
void check_section(const struct check *c, struct mark_section *s, const struct conf_schema *schema);

/* rules.c: what rows cannot say of the host's own sections. */
void check_rules(const struct conf_section *s, const struct mark_section *mark,
		 struct conf_report *report);

#endif
