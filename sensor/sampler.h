/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Systematic count-based sampling (RFC 5475 5.1, selectorAlgorithm 1): of every N packets the
 * first is taken. Every packet of the source advances the count, whatever is in it, so that the
 * announced 1 in N is true of the link and not of what was understood of it.
 */
#ifndef SENSOR_SAMPLER_H
#define SENSOR_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

struct sampler {
	uint32_t interval;     /* N; 0 and 1: every packet */
	uint32_t to_skip_pkts; /* before the next one is taken */
};

static inline struct sampler sampler_every(uint32_t interval)
{
	return (struct sampler){ .interval = interval > 0 ? interval : 1 };
}

static inline bool sampler_selects_all(const struct sampler *sampler)
{
	return sampler->interval == 1;
}

/* Call once per packet: is this one taken? */
static inline bool sampler_selects(struct sampler *sampler)
{
	if (sampler->to_skip_pkts > 0) {
		sampler->to_skip_pkts--;
		return false;
	}
	sampler->to_skip_pkts = sampler->interval - 1;
	return true;
}

#endif
