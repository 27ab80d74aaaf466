/*
 * ext.c: an instance's own data of the extensions.
 *
 *   OPEN   -> CLOSED   ext_close()          the instance ends
 *   CLOSED -> freed    ext_close() or ext_http's last answer
 */
#include "plugin/ext.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "egress/egress.h"

struct ext *ext_open(struct egress_policy *policy)
{
	struct ext *x = xcalloc(1, sizeof(*x));

	pthread_mutex_init(&x->lock, NULL);
	x->policy = policy;
	x->home = pthread_self();
	return x;
}

void ext_free(struct ext *x)
{
	ext_metrics_free(x);
	egress_policy_free(x->policy);
	pthread_mutex_destroy(&x->lock);
	free(x);
}

void ext_close(struct ext *x, struct egress *egress)
{
	pthread_mutex_lock(&x->lock);
	x->is_closed = true;
	bool is_over = x->calls == NULL;
	if (!is_over)
		ext_http_cancel_all(x, egress);
	pthread_mutex_unlock(&x->lock);
	if (is_over)
		ext_free(x);
}

int32_t ext_error(txw_instance *self, int32_t rc, const struct err *e, txw_error *err)
{
	struct ext *x = ext_of(self);

	if (!err || err->size < offsetof(txw_error, text) + sizeof(err->text))
		return rc;
	char *text = x->texts[x->next_text++ % EXT_TEXTS];
	snprintf(text, sizeof(x->texts[0]), "%.*s", (int)sizeof(x->texts[0]) - 1, e->text);
	err->code = rc;
	err->text = str_of(text);
	return rc;
}
