/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A data record of IPFIX as a flow record, as far as it tells a flow: so it is printed like one
 * of our own.
 */
#ifndef SENSOR_IPFIX_FLOW_H
#define SENSOR_IPFIX_FLOW_H

#include "export/flow_record.h"
#include "sensor/ipfix_reader.h"

struct ipfix_flow {
	struct flow_record record;
	uint32_t labels[FLOW_MPLS_MAX]; /* what its sides borrow */
	uint32_t sampling_interval;     /* 1 when the record does not say */
};

/* False when the record tells no flow: it has options, or neither packets nor octets. */
bool ipfix_flow_read(const struct ipfix_record *record, struct ipfix_flow *ret_flow);

/* A time stamp of one of the four types, as nanoseconds since 1970. */
uint64_t ipfix_time_ns(const struct ipfix_value *value, enum ipfix_type type);

/* Of at most 8 octets, the most significant first. */
uint64_t ipfix_number(const struct ipfix_value *value);

#endif
