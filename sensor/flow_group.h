/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flows added up by what they have in common, in bounded memory: when there are too many groups
 * the smaller half is forgotten, and by how much any group may be too small since then is
 * known. Groups that are greater than that are among those that are kept.
 */
#ifndef SENSOR_FLOW_GROUP_H
#define SENSOR_FLOW_GROUP_H

#include "export/flow_record.h"
#include "sensor/flow_cache.h"

#define FLOW_GROUPS_MAX 32768
#define FLOW_GROUP_NAME_BYTES 128

enum flow_group_by {
	FLOW_GROUP_ADDRESS, /* each flow counts for both of its ends */
	FLOW_GROUP_INITIATOR,
	FLOW_GROUP_RESPONDER,
	FLOW_GROUP_PAIR,
	FLOW_GROUP_PORT, /* the responder's, with the protocol */
	FLOW_GROUP_PROTOCOL,
	FLOW_GROUP_VLAN,
	FLOW_GROUP_BY_COUNT
};

enum flow_group_order {
	FLOW_GROUP_OCTETS,
	FLOW_GROUP_PACKETS,
	FLOW_GROUP_FLOWS,
	FLOW_GROUP_ORDER_COUNT
};

extern const char *const flow_group_by_names[FLOW_GROUP_BY_COUNT];
extern const char *const flow_group_order_names[FLOW_GROUP_ORDER_COUNT];

/* Whole words, so that it can be hashed and compared as they are. */
struct flow_group_key {
	uint8_t address[2][16]; /* those that count */
	uint8_t ip_version;     /* 0 when addresses do not count */
	uint8_t protocol;
	uint16_t port, vlan;
	uint16_t padding;
};

struct flow_group {
	struct flow_group_key key;
	uint64_t flows, packets, octets;
};

struct flow_groups;

/* 0, or a negative errno. */
int flow_groups_new(
	enum flow_group_by by, enum flow_group_order order, struct flow_groups **ret_groups);
void flow_groups_free(void *groups); /* NULL is fine */

void flow_groups_add(struct flow_groups *groups, const struct flow_record *record);

/* Put the groups in order, the greatest first. Returns them, .ret_count of them, for as long as
 * .groups lives; nothing is added after that. */
const struct flow_group *flow_groups_finish(struct flow_groups *groups, size_t *ret_count);

/* What the order goes by. */
uint64_t flow_group_value(enum flow_group_order order, const struct flow_group *group);

/* What any group, kept or forgotten, may have more than is said, in the unit of the order. */
uint64_t flow_groups_uncertain(const struct flow_groups *groups);

/* What the flows of a group have in common, for people. Returns .out. */
const char *flow_group_name(enum flow_group_by by, const struct flow_group_key *key,
	char out[static FLOW_GROUP_NAME_BYTES]);

#endif
