/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a flow ends: softflowd's timeouts as rules over classes of flows.
 *
 * A class is what a flow *is* (a reset TCP connection, UDP, ...), and never changes because a
 * timeout was changed. Which rule a class is under, and with which reason its records close, is
 * worked out once per set of timeouts. So new timeouts reach open flows without touching them.
 *
 * All flows of a class wait equally long: the order of their last packets is the order of their
 * deadlines, and gives the least recently active flow, too. flow_due.h keeps that order.
 */
#ifndef SENSOR_EXPIRY_H
#define SENSOR_EXPIRY_H

#include <stdbool.h>
#include <stdint.h>

#include "sensor/end_reason.h"
#include "sensor/flow_cache.h"
#include "sensor/flow_key.h"

#define EXPIRY_NEVER_NS UINT64_MAX

enum expiry_class {
	EXPIRY_RST_FIN, /* reset, and closed by both ends as well */
	EXPIRY_RST,
	EXPIRY_FIN, /* closed by both ends */
	EXPIRY_TCP,
	EXPIRY_UDP,
	EXPIRY_ICMP,
	EXPIRY_GENERAL,
	EXPIRY_CLASS_COUNT
};

struct expiry_rule {
	uint64_t timeout_ns; /* since the last packet; EXPIRY_NEVER_NS: none */
	enum end_reason reason;
};

struct expiry {
	struct expiry_rule idle[EXPIRY_CLASS_COUNT];
	uint64_t maximum_life_ns; /* EXPIRY_NEVER_NS: none */
	uint64_t interval_ns;     /* idle deadlines are rounded up to multiples of it; 0: not */
};

void expiry_init(struct expiry *expiry, const struct flow_timeouts *timeouts);

/* A time after another; a sum that does not fit is never. */
static inline uint64_t expiry_add_ns(uint64_t time_ns, uint64_t timeout_ns)
{
	uint64_t sum_ns = time_ns + timeout_ns;

	return sum_ns < time_ns ? EXPIRY_NEVER_NS : sum_ns;
}

/* Round up to the expiry interval. Divides: not for every packet. */
uint64_t expiry_round_up_ns(const struct expiry *expiry, uint64_t time_ns);

/* The latest multiple of the interval that is not after time_ns. A flow whose idle time ran out
 * at or before this moment is past its rounded deadline. Divides, too. */
uint64_t expiry_round_down_ns(const struct expiry *expiry, uint64_t time_ns);

/* The class of a flow, by its key and the TCP flags seen from each end in this record. Keys
 * without ports see no flags, keys without a protocol are general. */
static inline enum expiry_class expiry_classify(
	const struct flow_key *key, const uint16_t tcp_flags[static 2])
{
	if (key->protocol == FLOW_PROTOCOL_TCP) {
		bool is_reset = (tcp_flags[0] | tcp_flags[1]) & TCP_RST;
		bool is_closed = tcp_flags[0] & tcp_flags[1] & TCP_FIN;

		if (is_reset)
			return is_closed ? EXPIRY_RST_FIN : EXPIRY_RST;
		return is_closed ? EXPIRY_FIN : EXPIRY_TCP;
	}
	if (key->protocol == FLOW_PROTOCOL_UDP)
		return EXPIRY_UDP;
	return flow_key_is_icmp(key) ? EXPIRY_ICMP : EXPIRY_GENERAL;
}

#endif
