/*
 * ext_http.c: extension "txw.http/1", on top of egress.
 *
 * Between egress and the plugin stands a http_call, so that an answer that
 * comes after the instance's end reaches nobody.
 *
 *   UNDER WAY -> freed     on_done()            the plugin is told
 *   UNDER WAY -> DROPPED   ext_http_cancel_all  the instance ends
 *   DROPPED   -> freed     on_done()            nobody is told
 *
 * Lock order: ext's, then egress's own.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "egress/egress.h"
#include "plugin/ext.h"

struct http_call {
	struct ext *ext;
	struct http_call *next;
	struct http_call **link; /* what points to us */
	uint64_t id;
	txw_http_done done;
	void *ctx;
};

static void unlink_call(struct http_call *c)
{
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
}

static void on_done(void *ctx, const txw_http_response *response)
{
	struct http_call *c = ctx;
	struct ext *x = c->ext;

	pthread_mutex_lock(&x->lock);
	unlink_call(c);
	bool is_dropped = x->is_closed;
	bool is_last = is_dropped && !x->calls;
	pthread_mutex_unlock(&x->lock);
	if (!is_dropped)
		c->done(c->ctx, response);
	if (is_last)
		ext_free(x);
	free(c);
}

/* The plugin's struct, which may be older than ours. */
static int32_t take_request(txw_http_request *to, const txw_http_request *from, struct err *e)
{
	if (!from || from->size < offsetof(txw_http_request, reserved))
		return err_set(e, TXW_E_INVALID, "an HTTP request that is too short");
	memset(to, 0, sizeof(*to));
	memcpy(to, from, from->size < sizeof(*to) ? from->size : sizeof(*to));
	to->size = sizeof(*to);
	return 0;
}

static int32_t http_start(txw_instance *self, const txw_http_request *request, txw_http_done done,
			  void *ctx, uint64_t *id, txw_error *err)
{
	struct ext *x = ext_of(self);
	struct err e = {0};
	txw_http_request mine;
	int32_t rc = take_request(&mine, request, &e);

	if (rc == 0 && !done)
		rc = err_set(&e, TXW_E_INVALID, "an HTTP request without a done function");
	if (rc == 0 && !self->services->egress)
		rc = err_set(&e, TXW_E_UNSUPPORTED, "no HTTP before the site runs");
	if (rc < 0)
		return ext_error(self, rc, &e, err);
	struct http_call *c = xcalloc(1, sizeof(*c));
	c->ext = x;
	c->done = done;
	c->ctx = ctx;
	/* Under the lock, so that the answer, which may come at once and on
	 * another thread, finds the call complete. */
	pthread_mutex_lock(&x->lock);
	rc = egress_start(self->services->egress, x->policy, &mine, on_done, c, &c->id, &e);
	if (rc >= 0) {
		c->next = x->calls;
		c->link = &x->calls;
		if (c->next)
			c->next->link = &c->next;
		x->calls = c;
		if (id)
			*id = c->id;
	}
	pthread_mutex_unlock(&x->lock);
	if (rc >= 0)
		return rc;
	free(c);
	return ext_error(self, rc, &e, err);
}

static void http_cancel(txw_instance *self, uint64_t id)
{
	if (self->services->egress)
		egress_cancel(self->services->egress, id);
}

static int32_t http_check(txw_instance *self, txw_str url, txw_error *err)
{
	struct err e = {0};
	int32_t rc = egress_check(ext_of(self)->policy, url, &e);

	return rc < 0 ? ext_error(self, rc, &e, err) : rc;
}

/* The caller holds x's lock. */
void ext_http_cancel_all(struct ext *x, struct egress *egress)
{
	for (struct http_call *c = x->calls; c; c = c->next)
		egress_cancel(egress, c->id);
}

const txw_http_ext HTTP_EXT = {
    .size = sizeof(HTTP_EXT),
    .start = http_start,
    .cancel = http_cancel,
    .check = http_check,
};
