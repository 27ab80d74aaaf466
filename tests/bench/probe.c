/*
 * probe.c: what a durable write costs on this disk: the median time of
 * fdatasync after appending 4 KB, in microseconds.
 *
 *   bench_probe FILE
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 500

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static double took[ROUNDS];
	static char page[4096];
	int fd = argc == 2 ? open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;

	if (fd < 0) {
		fprintf(stderr, "usage: bench_probe FILE\n");
		return 2;
	}
	memset(page, 'x', sizeof(page));
	for (int i = 0; i < ROUNDS; i++) {
		double began = now();

		if (write(fd, page, sizeof(page)) != (ssize_t)sizeof(page) || fdatasync(fd) < 0) {
			perror("bench_probe");
			return 1;
		}
		took[i] = now() - began;
	}
	close(fd);
	unlink(argv[1]);
	qsort(took, ROUNDS, sizeof(took[0]), by_size);
	printf("{\"p50_us\":%.1f,\"p99_us\":%.1f}\n", took[ROUNDS / 2], took[ROUNDS * 99 / 100]);
	return 0;
}
