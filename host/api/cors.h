/*
 * cors.h: pages of other origins (Fetch, 3.2): `http.cors-origins` says which.
 *
 * Tokens come in a header that a page sets itself, so no answer ever allows
 * credentials, and "*" is safe to give.
 */
#ifndef TXWATCH_API_CORS_H
#define TXWATCH_API_CORS_H

#include "config/conf.h"
#include "http/server.h"

/* Sets an answer's fields. origins: of the config; n = 0: none are set. */
void cors_answer(struct http_request *r, const txw_str *origins, size_t n);
/* Those of OPTIONS beside them, if it asks before the page does. methods: as
 * in Allow. */
void cors_preflight(struct http_request *r, const txw_str *origins, size_t n, const char *methods);

#endif
