/*
 * fuzz.h: what the fuzz targets share. Each file is one libFuzzer target: it
 * reads bytes as one of our readers does and checks what must always hold, so
 * that a finding is a crash, a sanitizer's report or a property that broke.
 */
#ifndef TXWATCH_TESTS_FUZZ_H
#define TXWATCH_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(cond)                                                                 \
	do {                                                                       \
		if (!(cond)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                   \
		}                                                                  \
	} while (0)

#endif
