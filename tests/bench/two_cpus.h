/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What two CPUs of this machine do together, beside what one of them does alone. Two that share
 * a core, its caches or a host with others do less than twice as much, whatever runs on them.
 */
#ifndef TESTS_BENCH_TWO_CPUS_H
#define TESTS_BENCH_TWO_CPUS_H

#include <stdint.h>

/* Steps a second of one thread on cpus[0] and of two threads, one on each; by the wall clock.
 * The threads share nothing: a step mixes a number and reads and writes a line of memory that
 * it leads to, which is what a packet mostly costs. */
struct two_cpus {
	double one, both;
};

struct two_cpus two_cpus_measure(const int cpus[static 2]);

#endif
