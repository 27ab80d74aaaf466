/*
 * ref_curl.c: the fastest honest way to post with libcurl: one thread, one
 * curl_multi_poll loop, pooled easy handles, kept connections.
 *
 *   bench_ref_curl URL COUNT IN_FLIGHT     prints {"seconds":..,"rate":..}
 *
 * Each request is a POST of 500 bytes with three headers of its own, as a
 * webhook has.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BODY 500

struct poster {
	CURLM *multi;
	long left; /* to start */
	long done;
	long failed;
	char body[BODY];
};

struct one {
	CURL *easy;
	struct curl_slist *headers;
};

static size_t swallow(char *bytes, size_t size, size_t n, void *ctx)
{
	(void)bytes;
	(void)ctx;
	return size * n;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Gives a handle its next request: new headers, as ids and signatures are
 * new each time. */
static bool start(struct poster *p, struct one *o)
{
	char text[128];

	if (p->left == 0)
		return false;
	curl_slist_free_all(o->headers);
	snprintf(text, sizeof(text), "webhook-id: evt_%026ld", p->left);
	o->headers = curl_slist_append(NULL, text);
	snprintf(text, sizeof(text), "webhook-timestamp: %ld", 1700000000 + p->left);
	curl_slist_append(o->headers, text);
	curl_slist_append(o->headers,
			  "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	curl_easy_setopt(o->easy, CURLOPT_HTTPHEADER, o->headers);
	curl_multi_add_handle(p->multi, o->easy);
	p->left--;
	return true;
}

static void collect(struct poster *p)
{
	CURLMsg *message;
	int rest;

	while ((message = curl_multi_info_read(p->multi, &rest)) != NULL) {
		struct one *o;
		long status = 0;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &o);
		curl_easy_getinfo(o->easy, CURLINFO_RESPONSE_CODE, &status);
		if (message->data.result != CURLE_OK || status != 200)
			p->failed++;
		p->done++;
		curl_multi_remove_handle(p->multi, o->easy);
		start(p, o);
	}
}

int main(int argc, char **argv)
{
	static struct poster p;

	if (argc != 4) {
		fprintf(stderr, "usage: bench_ref_curl URL COUNT IN_FLIGHT\n");
		return 2;
	}
	long count = strtol(argv[2], NULL, 10), in_flight = strtol(argv[3], NULL, 10);
	struct one *ones = calloc((size_t)in_flight, sizeof(*ones));

	curl_global_init(CURL_GLOBAL_ALL);
	memset(p.body, 'x', BODY);
	p.multi = curl_multi_init();
	p.left = count;
	curl_multi_setopt(p.multi, CURLMOPT_MAXCONNECTS, in_flight);
	if (ones == NULL || p.multi == NULL)
		return 1;

	double began = now();

	for (long i = 0; i < in_flight; i++) {
		CURL *easy = ones[i].easy = curl_easy_init();

		curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, p.body);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)BODY);
		curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
		curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
		curl_easy_setopt(easy, CURLOPT_PRIVATE, &ones[i]);
		start(&p, &ones[i]);
	}
	while (p.done < count) {
		int running;

		curl_multi_perform(p.multi, &running);
		collect(&p);
		if (p.done < count)
			curl_multi_poll(p.multi, NULL, 0, 1000, NULL);
	}
	double took = now() - began;

	printf("{\"seconds\":%.4f,\"rate\":%.1f,\"failed\":%ld}\n", took, (double)count / took,
	       p.failed);
	return p.failed ? 1 : 0;
}
