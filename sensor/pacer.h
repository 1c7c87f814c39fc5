/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many records may leave now. Credit grows with time, up to PACER_BURST_NS of it or what
 * one record takes, and each record uses some up.
 */
#ifndef SENSOR_PACER_H
#define SENSOR_PACER_H

#include <stddef.h>
#include <stdint.h>

#define PACER_BURST_NS 50000000ULL
#define PACER_SECOND_NS 1000000000ULL

struct pacer {
	uint32_t records_per_s; /* 0: any number */
	uint64_t seen_ns;       /* as of then, on a clock that never goes back */
	uint64_t credit_ns;
};

static inline uint64_t pacer_most_ns(const struct pacer *pacer)
{
	uint64_t record_ns = PACER_SECOND_NS / pacer->records_per_s + 1;

	return record_ns > PACER_BURST_NS ? record_ns : PACER_BURST_NS;
}

/* At most .most. */
static inline size_t pacer_budget(struct pacer *pacer, uint64_t now_ns, size_t most)
{
	if (pacer->records_per_s == 0)
		return most;
	uint64_t credit_ns = pacer->credit_ns + (now_ns - pacer->seen_ns);
	if (credit_ns < pacer->credit_ns || credit_ns > pacer_most_ns(pacer))
		credit_ns = pacer_most_ns(pacer);
	pacer->credit_ns = credit_ns;
	pacer->seen_ns = now_ns;
	uint64_t records = credit_ns * pacer->records_per_s / PACER_SECOND_NS;
	return records < most ? (size_t)records : most;
}

static inline void pacer_spend(struct pacer *pacer, uint64_t records)
{
	if (pacer->records_per_s == 0)
		return;
	uint64_t used_ns = records * PACER_SECOND_NS / pacer->records_per_s;
	pacer->credit_ns -= used_ns < pacer->credit_ns ? used_ns : pacer->credit_ns;
}

#endif
