/* out.h: to the terminal, or to whatever stdout is. */
#ifndef TXWATCH_CLIENT_OUT_H
#define TXWATCH_CLIENT_OUT_H

#include "command/client/ask.h"
#include "command/client/print.h"

struct screen {
	size_t width;    /* columns of the terminal; 0 = stdout is none */
	bool has_colour; /* a terminal that knows colours, and NO_COLOR is not set */
};
struct screen screen_find(void);

/* Writes and empties the buffer; false: stdout is closed or full, see errno. */
bool out_flush(struct buf *b);
/* The command's end when stdout took no more: as a signal would have ended it
 * if its reader has gone, else the status after saying why. */
int out_stopped(struct client *c, int error);

/* A good answer's object: as it came with --json, else a member a line. */
int out_object(struct client *c, const struct reply *r);
/* Asks for one object by GET, or by POST, and prints it. */
int out_get(struct client *c, const char *path);
int out_post(struct client *c, const char *path, json_t *body);

/* Rows as they come: with --json one a line, else a table. */
struct rows {
	struct client *client;
	struct buf out;
	struct printer printer;
};
void rows_open(struct rows *r, struct client *c, const struct column *columns);
void rows_add(struct rows *r, const json_t *row);
/* Writes what is there; false as of out_flush. */
bool rows_flush(struct rows *r);
void rows_close(struct rows *r);

/* A list of the API, page after page up to --limit rows, or --all. path: with
 * the query so far, let go. has_pages: the route takes limit and cursor. */
int out_list(struct client *c, struct buf *path, const struct column *columns, bool has_pages);

/* Where a long piece of work is, on stderr if that is a terminal. */
struct progress {
	bool is_on;
	int64_t drawn_at; /* ticks */
};
void progress_open(struct progress *p);
/* total 0: not known, no bar. */
void progress_show(struct progress *p, int64_t done, int64_t total, const char *text);
void progress_clear(struct progress *p);
/* The line without the terminal's codes, in so many columns. */
void progress_line(struct buf *out, int64_t done, int64_t total, const char *text, size_t width);

#endif
