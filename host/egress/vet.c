/*
 * vet.c: which addresses may be connected to.
 *
 * The tables are the IANA IPv4 and IPv6 Special-Purpose Address Registries
 * (RFC 6890 and what updates it) and the multicast blocks; of the rows that
 * hold an address, the longest prefix decides. A row without a kind is
 * globally reachable. IPv6 outside 2000::/3 is not allocated as unicast, so it
 * is refused unless a row says otherwise.
 *
 * Pure. [any]
 */
#include "egress/vet.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* Where an IPv6 address holds an IPv4 one, which then decides. */
enum inside {
	INSIDE_NONE,
	INSIDE_LAST,   /* bits 96..127 */
	INSIDE_6TO4,   /* bits 16..47, RFC 3056 */
	INSIDE_TEREDO, /* server in 32..63, client inverted in 96..127, RFC 4380 */
};

struct special {
	uint8_t bytes[16];
	uint8_t bits;
	uint8_t inside;
	const char *kind; /* NULL: globally reachable */
};

static const struct special V4[] = {
    {{0}, 8, 0, "\"this network\""},
    {{10}, 8, 0, "private"},
    {{100, 64}, 10, 0, "shared (carrier-grade NAT)"},
    {{127}, 8, 0, "loopback"},
    {{168, 63, 129, 16}, 32, 0, "cloud metadata"}, /* Azure's, outside the registry */
    {{169, 254}, 16, 0, "link-local"},
    {{169, 254, 169, 254}, 32, 0, "cloud metadata"},
    {{172, 16}, 12, 0, "private"},
    {{192, 0, 0}, 24, 0, "protocol assignment"},
    {{192, 0, 0, 9}, 32, 0, NULL},
    {{192, 0, 0, 10}, 32, 0, NULL},
    {{192, 0, 2}, 24, 0, "documentation"},
    {{192, 88, 99}, 24, 0, "6to4 relay"},
    {{192, 168}, 16, 0, "private"},
    {{198, 18}, 15, 0, "benchmarking"},
    {{198, 51, 100}, 24, 0, "documentation"},
    {{203, 0, 113}, 24, 0, "documentation"},
    {{224}, 4, 0, "multicast"},
    {{240}, 4, 0, "reserved"},
    {{255, 255, 255, 255}, 32, 0, "broadcast"},
};

static const struct special V6[] = {
    {{0}, 0, 0, "reserved"},
    {{0}, 128, 0, "unspecified"},
    {{[15] = 1}, 128, 0, "loopback"},
    {{[10] = 0xff, 0xff}, 96, INSIDE_LAST, "IPv4-mapped"},
    {{[8] = 0xff, 0xff}, 96, INSIDE_LAST, "IPv4-translated"},
    {{0x00, 0x64, 0xff, 0x9b}, 96, INSIDE_LAST, "NAT64"},
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, 0, "local NAT64"},
    {{0x01}, 64, 0, "discard-only"},
    {{0x20}, 3, 0, NULL},
    {{0x20, 0x01}, 23, 0, "protocol assignment"},
    {{0x20, 0x01}, 32, INSIDE_TEREDO, "Teredo"},
    {{0x20, 0x01, 0x00, 0x01, [15] = 1}, 128, 0, NULL},
    {{0x20, 0x01, 0x00, 0x01, [15] = 2}, 128, 0, NULL},
    {{0x20, 0x01, 0x00, 0x01, [15] = 3}, 128, 0, NULL},
    {{0x20, 0x01, 0x00, 0x02}, 48, 0, "benchmarking"},
    {{0x20, 0x01, 0x00, 0x03}, 32, 0, NULL},
    {{0x20, 0x01, 0x00, 0x04, 0x01, 0x12}, 48, 0, NULL},
    {{0x20, 0x01, 0x00, 0x10}, 28, 0, "ORCHID"},
    {{0x20, 0x01, 0x00, 0x20}, 28, 0, NULL},
    {{0x20, 0x01, 0x00, 0x30}, 28, 0, NULL},
    {{0x20, 0x01, 0x0d, 0xb8}, 32, 0, "documentation"},
    {{0x20, 0x02}, 16, INSIDE_6TO4, "6to4"},
    {{0x3f, 0xff}, 20, 0, "documentation"},
    {{0x5f, 0x00}, 16, 0, "segment routing"},
    {{0xfc}, 7, 0, "private"},
    {{0xfe, 0x80}, 10, 0, "link-local"},
    {{0xfe, 0xc0}, 10, 0, "site-local"},
    {{0xff}, 8, 0, "multicast"},
};

static bool prefix_holds(const uint8_t *prefix, unsigned bits, const uint8_t *address)
{
	unsigned whole = bits / 8, rest = bits % 8;
	if (memcmp(prefix, address, whole) != 0)
		return false;
	return rest == 0 || ((prefix[whole] ^ address[whole]) >> (8 - rest)) == 0;
}

static const struct special *longest(const struct special *rows, size_t n, const uint8_t *address)
{
	const struct special *best = NULL;
	for (size_t i = 0; i < n; i++)
		if ((!best || rows[i].bits > best->bits) &&
		    prefix_holds(rows[i].bytes, rows[i].bits, address))
			best = &rows[i];
	return best;
}

static bool is_admitted(int family, const uint8_t *address, const struct network *allowed, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (allowed[i].family == family &&
		    prefix_holds(allowed[i].bytes, allowed[i].bits, address))
			return true;
	return false;
}

static const char *vet_v4(const uint8_t *address, const struct network *allowed, size_t n)
{
	if (is_admitted(AF_INET, address, allowed, n))
		return NULL;
	const struct special *row = longest(V4, sizeof(V4) / sizeof(V4[0]), address);
	return row ? row->kind : NULL;
}

/* The client's IPv4 address stands inverted; the server is contacted too. */
static const char *vet_teredo(const uint8_t *address, const struct network *allowed, size_t n)
{
	uint8_t client[4];
	for (size_t i = 0; i < sizeof(client); i++)
		client[i] = (uint8_t)~address[12 + i];
	const char *kind = vet_v4(address + 4, allowed, n);
	return kind ? kind : vet_v4(client, allowed, n);
}

static const char *vet_v6(const uint8_t *address, const struct network *allowed, size_t n)
{
	if (is_admitted(AF_INET6, address, allowed, n))
		return NULL;
	const struct special *row = longest(V6, sizeof(V6) / sizeof(V6[0]), address);
	switch (row->inside) { /* ::/0 is a row, so there always is one */
	case INSIDE_LAST:
		return vet_v4(address + 12, allowed, n);
	case INSIDE_6TO4:
		return vet_v4(address + 2, allowed, n);
	case INSIDE_TEREDO:
		return vet_teredo(address, allowed, n);
	default:
		return row->kind;
	}
}

const char *vet_address(const struct sockaddr *address, const struct network *allowed, size_t n)
{
	uint8_t bytes[16];
	switch (address->sa_family) {
	case AF_INET:
		memcpy(bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
		return vet_v4(bytes, allowed, n);
	case AF_INET6:
		memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
		return vet_v6(bytes, allowed, n);
	default:
		return "non-internet";
	}
}

/* ---- networks ---- */

static bool has_host_bits(const struct network *net, unsigned width)
{
	for (unsigned bit = net->bits; bit < width; bit++)
		if (net->bytes[bit / 8] & (0x80u >> (bit % 8)))
			return true;
	return false;
}

static int32_t not_a_network(txw_str text, struct err *e)
{
	return err_set(e, TXW_E_INVALID,
		       "\"%.*s\" is not a network: write an address and a prefix length, as "
		       "10.1.0.0/16 or fd00:1::/32, or one address",
		       STR_ARG(text));
}

int32_t network_parse(txw_str text, struct network *out, struct err *e)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = text.len ? memchr(text.ptr, '/', text.len) : NULL;
	size_t len = slash ? (size_t)(slash - text.ptr) : text.len;
	if (len == 0 || len >= sizeof(address) || memchr(text.ptr, '\0', len))
		return not_a_network(text, e);
	memcpy(address, text.ptr, len);
	address[len] = '\0';

	struct network net = {.family = strchr(address, ':') ? AF_INET6 : AF_INET};
	unsigned width = net.family == AF_INET6 ? 128 : 32;
	if (inet_pton(net.family, address, net.bytes) != 1)
		return not_a_network(text, e);
	int64_t bits = width;
	if (slash &&
	    (!str_int((txw_str){slash + 1, text.len - len - 1}, &bits) || bits < 0 || bits > width))
		return not_a_network(text, e);
	net.bits = (unsigned)bits;
	if (has_host_bits(&net, width))
		return err_set(e, TXW_E_INVALID,
			       "\"%.*s\" is not a network: it has bits set beyond its first %u",
			       STR_ARG(text), net.bits);
	*out = net;
	return 0;
}
