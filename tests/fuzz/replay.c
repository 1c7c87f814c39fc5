/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A main() for fuzz targets where there is no libFuzzer: every file named, as it is, cut at
 * every length, and with octets changed by a generator of fixed seed. Ends at the first abort
 * or sanitizer report; else prints how many inputs were run.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_BYTES_MAX (1u << 20)
#define CUTS_MAX 4096
#define MUTANTS_PER_FILE 2000
#define CHANGES_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* xorshift64: the same numbers everywhere. */
static uint64_t next_number(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* From memory of its exact size. */
static void run(const uint8_t *bytes, size_t length)
{
	uint8_t *exact = malloc(length ? length : 1);
	if (!exact)
		abort();
	memcpy(exact, bytes, length);
	LLVMFuzzerTestOneInput(exact, length);
	free(exact);
}

static void run_mutant(uint8_t *scratch, const uint8_t *bytes, size_t length, uint64_t *random)
{
	memcpy(scratch, bytes, length);
	unsigned changes = 1 + next_number(random) % CHANGES_MAX;
	for (unsigned i = 0; i < changes; i++) {
		uint64_t number = next_number(random);
		scratch[(number >> 16) % length] = (uint8_t)number;
	}
	run(scratch, length);
}

static size_t replay(const uint8_t *bytes, uint8_t *scratch, size_t length)
{
	uint64_t random = 0x9e3779b97f4a7c15;
	size_t inputs = 0;
	for (size_t cut = 0; cut <= length && cut < CUTS_MAX; cut++, inputs++)
		run(bytes, cut);
	run(bytes, length);
	for (unsigned i = 0; length && i < MUTANTS_PER_FILE; i++, inputs++)
		run_mutant(scratch, bytes, length, &random);
	return inputs + 1;
}

int main(int argc, char **argv)
{
	uint8_t *bytes = malloc(2 * INPUT_BYTES_MAX);
	size_t inputs = 0;
	if (!bytes)
		return 1;
	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");
		if (!file) {
			perror(argv[i]);
			free(bytes);
			return 1;
		}
		size_t length = fread(bytes, 1, INPUT_BYTES_MAX, file);
		fclose(file);
		inputs += replay(bytes, bytes + INPUT_BYTES_MAX, length);
	}
	free(bytes);
	printf("%zu inputs of %d files\n", inputs, argc - 1);
	return inputs ? 0 : 1;
}
