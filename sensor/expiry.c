/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules of each class in the order in which they are tried: the first whose timeout is not
 * 0 holds. This is softflowd's order (RST, FIN both ways, protocol, general).
 */
#include "sensor/expiry.h"

#include <stddef.h>

#define RULES_MAX 4
#define ROUNDING_LEAST_NS 1000000000u /* intervals up to this do not round */

struct rule_row {
	size_t offset; /* of the timeout in struct flow_timeouts */
	enum end_reason reason;
};

/* clang-format off */
#define GENERAL { offsetof(struct flow_timeouts, general_ns), END_GENERAL }
#define TCP     { offsetof(struct flow_timeouts, tcp_ns),     END_TCP }
#define RST     { offsetof(struct flow_timeouts, tcp_rst_ns), END_TCP_RST }
#define FIN     { offsetof(struct flow_timeouts, tcp_fin_ns), END_TCP_FIN }
#define UDP     { offsetof(struct flow_timeouts, udp_ns),     END_UDP }
#define ICMP    { offsetof(struct flow_timeouts, icmp_ns),    END_ICMP }

/* The last rule of each row repeats to the right: it is the same answer. */
static const struct rule_row rule_rows[EXPIRY_CLASS_COUNT][RULES_MAX] = {
	[EXPIRY_RST_FIN] = { RST,     FIN,     TCP,     GENERAL },
	[EXPIRY_RST]     = { RST,     TCP,     GENERAL, GENERAL },
	[EXPIRY_FIN]     = { FIN,     TCP,     GENERAL, GENERAL },
	[EXPIRY_TCP]     = { TCP,     GENERAL, GENERAL, GENERAL },
	[EXPIRY_UDP]     = { UDP,     GENERAL, GENERAL, GENERAL },
	[EXPIRY_ICMP]    = { ICMP,    GENERAL, GENERAL, GENERAL },
	[EXPIRY_GENERAL] = { GENERAL, GENERAL, GENERAL, GENERAL },
};
/* clang-format on */

static uint64_t timeout_of(const struct flow_timeouts *timeouts, const struct rule_row *row)
{
	return *(const uint64_t *)((const char *)timeouts + row->offset);
}

static struct expiry_rule first_rule(
	const struct flow_timeouts *timeouts, const struct rule_row rows[static RULES_MAX])
{
	for (unsigned i = 0; i < RULES_MAX; i++) {
		uint64_t timeout_ns = timeout_of(timeouts, &rows[i]);

		if (timeout_ns != 0)
			return (struct expiry_rule){ timeout_ns, rows[i].reason };
	}
	return (struct expiry_rule){ EXPIRY_NEVER_NS, END_GENERAL };
}

void expiry_init(struct expiry *expiry, const struct flow_timeouts *timeouts)
{
	for (unsigned class = 0; class < EXPIRY_CLASS_COUNT; class ++)
		expiry->idle[class] = first_rule(timeouts, rule_rows[class]);
	expiry->maximum_life_ns =
		timeouts->maximum_life_ns ? timeouts->maximum_life_ns : EXPIRY_NEVER_NS;
	expiry->interval_ns = timeouts->expiry_interval_ns > ROUNDING_LEAST_NS
				      ? timeouts->expiry_interval_ns
				      : 0;
}

uint64_t expiry_round_up_ns(const struct expiry *expiry, uint64_t time_ns)
{
	if (expiry->interval_ns == 0 || time_ns == EXPIRY_NEVER_NS)
		return time_ns;
	uint64_t excess_ns = time_ns % expiry->interval_ns;

	return excess_ns ? expiry_add_ns(time_ns, expiry->interval_ns - excess_ns) : time_ns;
}

uint64_t expiry_round_down_ns(const struct expiry *expiry, uint64_t time_ns)
{
	return expiry->interval_ns ? time_ns - time_ns % expiry->interval_ns : time_ns;
}
