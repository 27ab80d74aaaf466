/* page.c: reads that take longer than a moment, on a reader's thread. */
#include "api/inside.h"

static void drop(struct page *p)
{
	if (p->dropped)
		p->dropped(p);
	buf_free(&p->answer.body);
	call_failed(p->call, p->job.rc, &p->job.err, p->what);
}

static int32_t page_run(struct read_job *job, const txw_store *store, void *reader, struct err *e)
{
	struct page *p = (struct page *)job;
	answer_reset(&p->answer);
	p->answer.status = 200;
	int32_t rc = p->fill(p, store, reader, e);
	/* Here, however long it is: this thread keeps nobody waiting. */
	if (rc >= 0)
		answer_pack(&p->answer, p->call, true);
	return rc;
}

static void page_done(struct read_job *job)
{
	struct page *p = (struct page *)job;
	if (job->rc < 0) {
		drop(p);
		return;
	}
	if (p->then && !p->then(p))
		return;
	call_answer(p->call, &p->answer);
}

void page_submit(struct page *p)
{
	p->job.run = page_run;
	p->job.done = page_done;
	int32_t rc = readers_submit(p->call->api->site->readers, &p->job);
	if (rc >= 0)
		return;
	p->job.rc = rc;
	drop(p);
}
