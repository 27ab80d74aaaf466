/*
 * policy.c: the networks an instance may reach beyond the public ones, and
 * the check of a URL against them before anything is sent.
 *
 * Immutable after making. [any]
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "egress/transfer.h"

struct egress_policy *egress_policy_make(const txw_str *networks, size_t n, struct err *err)
{
	struct egress_policy *p = xcalloc(1, sizeof(*p) + n * sizeof(p->networks[0]));
	for (; p->n < n; p->n++) {
		if (network_parse(networks[p->n], &p->networks[p->n], err) < 0) {
			free(p);
			return NULL;
		}
	}
	return p;
}

void egress_policy_free(struct egress_policy *p)
{
	free(p);
}

static bool network_same(const struct network *a, const struct network *b)
{
	return a->family == b->family && a->bits == b->bits &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* In the order written: two orders of one set cost a thread, no more. */
bool policy_same(const struct egress_policy *a, const struct egress_policy *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!network_same(&a->networks[i], &b->networks[i]))
			return false;
	return true;
}

struct egress_policy *policy_copy(const struct egress_policy *p)
{
	size_t size = sizeof(*p) + p->n * sizeof(p->networks[0]);
	struct egress_policy *copy = xmalloc(size);
	memcpy(copy, p, size);
	return copy;
}

/* RFC 6761: localhost and what is below it, with or without the root's dot. */
static bool is_localhost(const char *host)
{
	static const char name[] = "localhost";
	size_t len = strlen(host);
	if (len && host[len - 1] == '.')
		len--;
	if (len < sizeof(name) - 1)
		return false;
	const char *tail = host + len - (sizeof(name) - 1);
	return strncasecmp(tail, name, sizeof(name) - 1) == 0 && (tail == host || tail[-1] == '.');
}

static const char *vet_text(const struct egress_policy *policy, int family, const char *text)
{
	struct sockaddr_storage ss = {.ss_family = (sa_family_t)family};
	void *bytes = family == AF_INET ? (void *)&((struct sockaddr_in *)&ss)->sin_addr
					: (void *)&((struct sockaddr_in6 *)&ss)->sin6_addr;
	if (inet_pton(family, text, bytes) != 1)
		return NULL; /* a name: judged when it is resolved */
	return vet_address((struct sockaddr *)&ss, policy->networks, policy->n);
}

/* host as libcurl normalises it: 127.1 is 127.0.0.1, IPv6 in brackets. */
static const char *vet_host(const struct egress_policy *policy, char *host)
{
	size_t len = strlen(host);
	if (is_localhost(host)) {
		const char *v4 = vet_text(policy, AF_INET, "127.0.0.1");
		const char *v6 = vet_text(policy, AF_INET6, "::1");
		return v4 && v6 ? v4 : NULL;
	}
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		const char *kind = vet_text(policy, AF_INET6, host + 1);
		host[len - 1] = ']';
		return kind;
	}
	return vet_text(policy, AF_INET, host);
}

int32_t egress_check(const struct egress_policy *policy, txw_str url, struct err *err)
{
	if (url.len && memchr(url.ptr, '\0', url.len))
		return err_set(err, TXW_E_INVALID, "the URL has a NUL in it");
	char *z = str_dup(url);
	CURLU *parts = NULL;
	int32_t rc = request_check_url(z, &parts, err);
	free(z);
	if (rc < 0)
		return rc;

	char *host = NULL;
	if (curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
		rc = err_set(err, TXW_E_INVALID, "the URL names no host");
	} else {
		const char *kind = vet_host(policy, host);
		if (kind)
			rc = err_set(err, TXW_E_DENIED,
				     "%s is a %s address; allow-networks of the instance does not "
				     "admit it",
				     host, kind);
	}
	curl_free(host);
	curl_url_cleanup(parts);
	return rc;
}
