/* throttle.c: see throttle.h. */
#include "api/throttle.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/mem.h"

#define PLACES 4096u /* a power of two */
#define PROBES 4u
#define WINDOW MINUTE

struct failing {
	uint64_t peer; /* its hash; 0 = free */
	txw_time since;
	unsigned n;
};

struct throttle {
	uint64_t key; /* so that nobody can choose whose place he takes */
	struct failing failing[PLACES];
};

struct throttle *throttle_open(void)
{
	struct throttle *t = xcalloc(1, sizeof(*t));
	while (getrandom(&t->key, sizeof(t->key), 0) != (ssize_t)sizeof(t->key))
		;
	return t;
}

void throttle_close(struct throttle *t)
{
	free(t);
}

static uint64_t mix(uint64_t h)
{
	h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
	return h ^ h >> 31;
}

static uint64_t hash_of(const struct throttle *t, const void *bytes, size_t n)
{
	const unsigned char *at = bytes;
	uint64_t h = mix(t->key + n);
	for (size_t i = 0; i < n; i++)
		h = mix(h ^ at[i]);
	return h ? h : 1;
}

static uint64_t peer_hash(const struct throttle *t, txw_str peer)
{
	char text[INET6_ADDRSTRLEN + 1];
	struct in6_addr v6;
	if (peer.len && peer.len < sizeof(text)) {
		memcpy(text, peer.ptr, peer.len);
		text[peer.len] = '\0';
		if (inet_pton(AF_INET6, text, &v6) == 1 && !IN6_IS_ADDR_V4MAPPED(&v6))
			return hash_of(t, &v6, 8);
	}
	return hash_of(t, peer.ptr, peer.len);
}

static size_t find(const struct throttle *t, uint64_t peer, txw_time now)
{
	for (unsigned i = 0; i < PROBES; i++) {
		size_t at = (peer + i) & (PLACES - 1);
		if (t->failing[at].peer == peer && now - t->failing[at].since < WINDOW)
			return at;
	}
	return PLACES;
}

int64_t throttle_wait(const struct throttle *t, txw_str peer, txw_time now)
{
	size_t at = find(t, peer_hash(t, peer), now);
	if (at == PLACES || t->failing[at].n < THROTTLE_MAX)
		return 0;
	return (t->failing[at].since + WINDOW - now) / SECOND + 1;
}

bool throttle_failed(struct throttle *t, txw_str peer, txw_time now)
{
	uint64_t hash = peer_hash(t, peer);
	size_t at = find(t, hash, now);
	if (at < PLACES)
		return ++t->failing[at].n == THROTTLE_MAX;
	struct failing *f = &t->failing[hash & (PLACES - 1)];
	for (unsigned i = 1; i < PROBES; i++) {
		struct failing *other = &t->failing[(hash + i) & (PLACES - 1)];
		if (other->peer == hash || other->since < f->since)
			f = other;
	}
	*f = (struct failing){.peer = hash, .since = now, .n = 1};
	return false;
}
