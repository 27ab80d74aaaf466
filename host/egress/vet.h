/*
 * vet.h: which addresses may be connected to.
 *
 * Refused unless a network of the policy admits them: everything that is not
 * globally reachable unicast in the IANA special-purpose address registries
 * (RFC 6890), multicast, and IPv4 inside IPv6 (mapped, translated, 6to4,
 * Teredo), which is judged by the IPv4 address it holds.
 */
#ifndef TXWATCH_EGRESS_VET_H
#define TXWATCH_EGRESS_VET_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/err.h"

struct network {
	int family;
	unsigned bits;
	uint8_t bytes[16];
};

int32_t network_parse(txw_str text, struct network *out, struct err *e);
/* NULL if allowed, else which kind of address it is ("loopback"). */
const char *vet_address(const struct sockaddr *address, const struct network *allowed, size_t n);

#endif
