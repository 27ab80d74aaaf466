/* settings.h: a poller.http section, understood. */
#ifndef POLLER_HTTP_SETTINGS_H
#define POLLER_HTTP_SETTINGS_H

#include "pointer.h"
#include "template.h"
#include "txwatch/ext/http.h"
#include "txwatch/setup.h"

#define BATCH_MAX 500

#define N_OPTIONS 29
extern const txw_option OPTIONS[N_OPTIONS];

struct settings {
	struct template url;
	struct template body;
	txw_str method;
	enum writing body_writing;
	const txw_http_header *headers; /* of every request */
	uint32_t n_headers;
	uint32_t n_get_headers; /* the first so many go with a GET without body */
	uint32_t batch;         /* refs a request; 0: one request a transaction */
	int64_t body_cap;
	struct pointer list, ref;
	struct pointer status, reason, code, source_time, source_version, event_id;
	struct pointer owner, amount, currency, attributes, expires;
	bool discovers;
	struct template discover;
	int64_t discover_every;
	struct pointer discover_list, discover_next, discover_cursor, discover_more;
};

/* Everything lives in the pool. On error the text is a literal. */
int32_t settings_read(const txw_setup *setup, struct pool *pool, struct settings *out,
		      txw_error *err);

#endif
