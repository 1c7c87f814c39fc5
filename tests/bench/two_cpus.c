/* SPDX-License-Identifier: BSD-2-Clause */
#include "two_cpus.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "bench.h"

#include "sensor/loop.h"

#define MEMORY_BYTES (16u << 20) /* as large as the tables of bench_lanes */
#define LINE_BYTES 64u
#define STEPS 4000000u
#define AHEAD 8u /* lines that are on their way at a time */

struct worker {
	_Alignas(128) pthread_t thread;
	int cpu;
	pthread_barrier_t *start;
	uint8_t *memory;
	uint64_t start_ns, end_ns;
};

static uint64_t *line_of(const struct worker *worker, uint64_t number)
{
	return (uint64_t *)(worker->memory + number % (MEMORY_BYTES / LINE_BYTES) * LINE_BYTES);
}

static void work(const struct worker *worker)
{
	uint64_t seed = 1, numbers[AHEAD];

	for (unsigned i = 0; i < AHEAD; i++)
		numbers[i] = bench_random(&seed);
	for (unsigned i = 0; i < STEPS; i++) {
		uint64_t *number = &numbers[i % AHEAD];

		*line_of(worker, *number) += *number;
		*number = bench_random(&seed);
		for (unsigned mix = 0; mix < AHEAD; mix++)
			*number = bench_mix(*number);
		__builtin_prefetch(line_of(worker, *number), 1);
	}
}

static void *run(void *user)
{
	struct worker *worker = user;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)worker->cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	memset(worker->memory, 1, MEMORY_BYTES);
	pthread_barrier_wait(worker->start);
	worker->start_ns = loop_now_ns();
	work(worker);
	worker->end_ns = loop_now_ns();
	return NULL;
}

static double rate_of(const int *cpus, unsigned count)
{
	struct worker workers[2];
	uint64_t start_ns = UINT64_MAX, end_ns = 0;
	pthread_barrier_t start;

	pthread_barrier_init(&start, NULL, count);
	for (unsigned i = 0; i < count; i++) {
		workers[i] = (struct worker){ .cpu = cpus[i], .start = &start };
		workers[i].memory = aligned_alloc(LINE_BYTES, MEMORY_BYTES);
		if (!workers[i].memory)
			bench_fail("memory", -ENOMEM);
		int rc = -pthread_create(&workers[i].thread, NULL, run, &workers[i]);
		if (rc < 0)
			bench_fail("thread", rc);
	}
	for (unsigned i = 0; i < count; i++) {
		pthread_join(workers[i].thread, NULL);
		free(workers[i].memory);
		if (workers[i].start_ns < start_ns)
			start_ns = workers[i].start_ns;
		if (workers[i].end_ns > end_ns)
			end_ns = workers[i].end_ns;
	}
	pthread_barrier_destroy(&start);
	return (double)STEPS * count * BENCH_NS_PER_S / (double)(end_ns - start_ns);
}

struct two_cpus two_cpus_measure(const int cpus[static 2])
{
	struct two_cpus rates = { .one = rate_of(cpus, 1) };

	rates.both = rate_of(cpus, 2);
	return rates;
}
