/* progress.c: a line that says how far something is; see out.h. */
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "command/client/out.h"
#include "command/client/text.h"

#define EVERY (100 * MILLISECOND)
#define BAR   30

void progress_open(struct progress *p)
{
	const char *term = getenv("TERM");

	*p = (struct progress){.is_on = isatty(STDERR_FILENO) == 1 &&
					!(term && strcmp(term, "dumb") == 0)};
}

void progress_line(struct buf *out, int64_t done, int64_t total, const char *text, size_t width)
{
	struct buf line = {0};

	if (total > 0) {
		int64_t shown = done < 0 ? 0 : done > total ? total : done;
		int64_t filled = (int64_t)((double)shown / (double)total * BAR);

		buf_char(&line, '[');
		for (int64_t i = 0; i < BAR; i++)
			buf_char(&line, i < filled ? '#' : ' ');
		buf_printf(&line, "] %3lld %%  ", (long long)((double)shown / (double)total * 100));
	}
	text_safe(&line, str_of(text));
	text_cut(out, buf_view(&line), width);
	buf_free(&line);
}

void progress_show(struct progress *p, int64_t done, int64_t total, const char *text)
{
	int64_t now = clock_ticks();
	struct buf b = {0};

	if (!p->is_on || (p->drawn_at && now - p->drawn_at < EVERY && done != total))
		return;
	p->drawn_at = now;
	progress_line(&b, done, total, text, 79);
	fprintf(stderr, "\r%.*s\033[K", STR_ARG(buf_view(&b)));
	fflush(stderr);
	buf_free(&b);
}

void progress_clear(struct progress *p)
{
	if (p->is_on && p->drawn_at)
		fprintf(stderr, "\r\033[K");
	p->drawn_at = 0;
}
