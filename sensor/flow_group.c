/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The groups lie one behind the other; slots, twice as many, find them by their hash. To forget
 * is to sort, cut, and fill the slots again.
 */
#include "sensor/flow_group.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/hash.h"
#include "sensor/random.h"

#define SLOTS (2 * FLOW_GROUPS_MAX)
#define KEPT (FLOW_GROUPS_MAX / 2)
#define KEY_WORDS (sizeof(struct flow_group_key) / sizeof(uint64_t))

static_assert(sizeof(struct flow_group_key) % sizeof(uint64_t) == 0, "the key is whole words");
static_assert((SLOTS & (SLOTS - 1)) == 0, "a mask finds the slot");

const char *const flow_group_by_names[FLOW_GROUP_BY_COUNT] = {
	[FLOW_GROUP_ADDRESS] = "address",
	[FLOW_GROUP_INITIATOR] = "initiator",
	[FLOW_GROUP_RESPONDER] = "responder",
	[FLOW_GROUP_PAIR] = "pair",
	[FLOW_GROUP_PORT] = "port",
	[FLOW_GROUP_PROTOCOL] = "protocol",
	[FLOW_GROUP_VLAN] = "vlan",
};

const char *const flow_group_order_names[FLOW_GROUP_ORDER_COUNT] = {
	[FLOW_GROUP_OCTETS] = "octets",
	[FLOW_GROUP_PACKETS] = "packets",
	[FLOW_GROUP_FLOWS] = "flows",
};

struct flow_groups {
	enum flow_group_by by;
	enum flow_group_order order;
	uint64_t hash_key[2];
	uint64_t uncertain;
	size_t count;
	uint32_t slots[SLOTS]; /* number of the group and one, 0: free */
	struct flow_group groups[FLOW_GROUPS_MAX];
};

int flow_groups_new(
	enum flow_group_by by, enum flow_group_order order, struct flow_groups **ret_groups)
{
	struct flow_groups *groups = calloc(1, sizeof(*groups));

	if (!groups)
		return -ENOMEM;
	groups->by = by;
	groups->order = order;
	int rc = random_fill(groups->hash_key, sizeof(groups->hash_key));
	if (rc < 0)
		free(groups);
	else
		*ret_groups = groups;
	return rc;
}

void flow_groups_free(void *groups)
{
	free(groups);
}

uint64_t flow_group_value(enum flow_group_order order, const struct flow_group *group)
{
	switch (order) {
	case FLOW_GROUP_PACKETS:
		return group->packets;
	case FLOW_GROUP_FLOWS:
		return group->flows;
	case FLOW_GROUP_OCTETS:
	case FLOW_GROUP_ORDER_COUNT:
		break;
	}
	return group->octets;
}

/* -- finding -------------------------------------------------------------------------- */

/* The slot of the key, or the free one where it belongs. */
static uint32_t *find_slot(struct flow_groups *groups, const struct flow_group_key *key)
{
	uint64_t words[KEY_WORDS];

	memcpy(words, key, sizeof(words));
	size_t at = (size_t)hash_words(groups->hash_key, words, KEY_WORDS) & (SLOTS - 1);
	while (groups->slots[at] != 0 &&
		memcmp(&groups->groups[groups->slots[at] - 1].key, key, sizeof(*key)) != 0)
		at = (at + 1) & (SLOTS - 1);
	return &groups->slots[at];
}

static int by_value(const void *a, const void *b, void *order)
{
	uint64_t a_value = flow_group_value(*(enum flow_group_order *)order, a);
	uint64_t b_value = flow_group_value(*(enum flow_group_order *)order, b);

	if (a_value != b_value)
		return a_value < b_value ? 1 : -1;
	return memcmp(&((const struct flow_group *)a)->key,
		&((const struct flow_group *)b)->key, sizeof(struct flow_group_key));
}

static void put_in_order(struct flow_groups *groups)
{
	qsort_r(groups->groups, groups->count, sizeof(groups->groups[0]), by_value,
		&groups->order);
}

static void forget_smaller_half(struct flow_groups *groups)
{
	put_in_order(groups);
	groups->uncertain += flow_group_value(groups->order, &groups->groups[KEPT]);
	groups->count = KEPT;
	memset(groups->slots, 0, sizeof(groups->slots));
	for (size_t i = 0; i < groups->count; i++)
		*find_slot(groups, &groups->groups[i].key) = (uint32_t)i + 1;
}

static void add_to(struct flow_groups *groups, const struct flow_group_key *key,
	const struct flow_record *record)
{
	uint32_t *slot = find_slot(groups, key);

	if (*slot == 0) {
		if (groups->count == FLOW_GROUPS_MAX) {
			forget_smaller_half(groups);
			slot = find_slot(groups, key);
		}
		groups->groups[groups->count++] = (struct flow_group){ .key = *key };
		*slot = (uint32_t)groups->count;
	}
	struct flow_group *group = &groups->groups[*slot - 1];
	group->flows++;
	group->packets += record->side[0].packets + record->side[1].packets;
	group->octets += record->side[0].octets + record->side[1].octets;
}

/* -- keys ----------------------------------------------------------------------------- */

static void set_address(struct flow_group_key *key, unsigned place,
	const struct flow_record *record, unsigned slot)
{
	key->ip_version = record->ip_version;
	memcpy(key->address[place], record->address[slot], record->ip_version == 4 ? 4 : 16);
}

static void add_by_address(struct flow_groups *groups, const struct flow_record *record)
{
	for (unsigned slot = 0; slot < 2; slot++) {
		struct flow_group_key key = { 0 };

		if (slot == 1 && memcmp(record->address[0], record->address[1],
					 sizeof(record->address[0])) == 0)
			return; /* one end alone */
		set_address(&key, 0, record, slot);
		add_to(groups, &key, record);
	}
}

void flow_groups_add(struct flow_groups *groups, const struct flow_record *record)
{
	struct flow_group_key key = { 0 };
	bool is_swapped =
		memcmp(record->address[0], record->address[1], sizeof(record->address[0])) > 0;

	switch (groups->by) {
	case FLOW_GROUP_ADDRESS:
		add_by_address(groups, record);
		return;
	case FLOW_GROUP_INITIATOR:
		set_address(&key, 0, record, 0);
		break;
	case FLOW_GROUP_RESPONDER:
		set_address(&key, 0, record, 1);
		break;
	case FLOW_GROUP_PAIR:
		set_address(&key, 0, record, is_swapped);
		set_address(&key, 1, record, !is_swapped);
		break;
	case FLOW_GROUP_PORT:
		key.protocol = record->protocol;
		key.port = record->port[1];
		break;
	case FLOW_GROUP_PROTOCOL:
		key.protocol = record->protocol;
		break;
	case FLOW_GROUP_VLAN:
		key.vlan = record->side[record->side[0].packets == 0].vlan_id;
		break;
	case FLOW_GROUP_BY_COUNT:
		return;
	}
	add_to(groups, &key, record);
}

/* -- results -------------------------------------------------------------------------- */

const struct flow_group *flow_groups_finish(struct flow_groups *groups, size_t *ret_count)
{
	put_in_order(groups);
	*ret_count = groups->count;
	return groups->groups;
}

uint64_t flow_groups_uncertain(const struct flow_groups *groups)
{
	return groups->uncertain;
}

static const char *write_address(
	const struct flow_group_key *key, unsigned place, char out[static INET6_ADDRSTRLEN])
{
	inet_ntop(key->ip_version == 4 ? AF_INET : AF_INET6, key->address[place], out,
		INET6_ADDRSTRLEN);
	return out;
}

const char *flow_group_name(enum flow_group_by by, const struct flow_group_key *key,
	char out[static FLOW_GROUP_NAME_BYTES])
{
	char a[INET6_ADDRSTRLEN], b[INET6_ADDRSTRLEN];

	switch (by) {
	case FLOW_GROUP_ADDRESS:
	case FLOW_GROUP_INITIATOR:
	case FLOW_GROUP_RESPONDER:
		snprintf(out, FLOW_GROUP_NAME_BYTES, "%s", write_address(key, 0, a));
		break;
	case FLOW_GROUP_PAIR:
		snprintf(out, FLOW_GROUP_NAME_BYTES, "%s <> %s", write_address(key, 0, a),
			write_address(key, 1, b));
		break;
	case FLOW_GROUP_PORT:
		snprintf(out, FLOW_GROUP_NAME_BYTES, "%u/%u", key->protocol, key->port);
		break;
	case FLOW_GROUP_PROTOCOL:
		snprintf(out, FLOW_GROUP_NAME_BYTES, "%u", key->protocol);
		break;
	case FLOW_GROUP_VLAN:
	case FLOW_GROUP_BY_COUNT:
		snprintf(out, FLOW_GROUP_NAME_BYTES, "%u", key->vlan);
		break;
	}
	return out;
}
