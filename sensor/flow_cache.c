/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public face of the flow cache, and what a packet does to its flow.
 *
 * Packets are taken in groups: first all keys and hashes, then all index slots, then all
 * entries, then the neighbours in the activity lists; each step asks for the memory that the
 * next one needs. Only the last step counts, one packet after the other.
 */
#include "sensor/flow_cache.h"

#include <errno.h>
#include <stdlib.h>

#include "sensor/flow_close.h"
#include "sensor/flow_compose.h"

#define METER_BUDGET_PACED 2048 /* records that one call closes when paced */
#define NEIGHBOURS_AHEAD_PKTS 4
#define SNAPSHOT_ENTRIES 8192 /* that one call looks at: most may be empty */

/* -- the clock ------------------------------------------------------------------------ */

/* The horizon moves by whole intervals, so it is divided once per interval. */
static inline void set_clock(struct flow_cache *cache, uint64_t now_ns)
{
	if (now_ns <= cache->clock_ns)
		return;
	cache->clock_ns = now_ns;
	if (cache->expiry.interval_ns == 0)
		cache->horizon_ns = now_ns;
	else if (now_ns - cache->horizon_ns >= cache->expiry.interval_ns)
		cache->horizon_ns = expiry_round_down_ns(&cache->expiry, now_ns);
}

static inline void set_due(struct flow_cache *cache, uint64_t timeout_ns)
{
	uint64_t due_ns = expiry_add_ns(cache->clock_ns, timeout_ns);

	if (due_ns < cache->next_due_ns)
		cache->next_due_ns = due_ns;
}

/* -- one packet ----------------------------------------------------------------------- */

static uint32_t add_flow(struct flow_cache *cache, const struct flow_probe *probe)
{
	if (cache->table.used == cache->table.capacity)
		flow_close_for_room(cache);

	uint32_t index = flow_table_add(&cache->table, probe);
	struct flow_entry *entry = &cache->table.entries[index];

	cache->table.details[index].flow_id = ++cache->stats.created_flows;
	entry->initiator = probe->sender;
	entry->class = expiry_classify(&entry->key, entry->tcp_flags);
	flow_list_append(&cache->activity[entry->class], cache->table.activity, index);
	return index;
}

static void begin_record(struct flow_cache *cache, uint32_t index)
{
	struct flow_entry *entry = &cache->table.entries[index];

	for (unsigned i = 0; i < 2; i++) {
		entry->packets[i] = 0;
		entry->octets[i] = 0;
		entry->tcp_flags[i] = 0;
	}
	entry->start_ns = cache->clock_ns;
	flow_list_append(&cache->age, cache->table.age, index);
	cache->stats.active_flows++;
	set_due(cache, cache->expiry.maximum_life_ns);
}

static inline uint16_t with_bit(uint16_t mask, unsigned bit, bool is_set)
{
	return (uint16_t)((mask & ~(1u << bit)) | (unsigned)is_set << bit) & 3;
}

/* What the first packet of a direction alone decides. */
static void begin_side(struct flow_cache *cache, uint32_t index, const struct flow_probe *probe,
	const struct packet_meta *meta)
{
	struct flow_entry *entry = &cache->table.entries[index];
	struct flow_detail *detail = &cache->table.details[index];
	unsigned sender = probe->sender;
	bool is_default_used = cache->is_default_ingress_forced || meta->if_index == 0;

	entry->seen = with_bit(entry->seen, sender, true);
	entry->outgoing = with_bit(entry->outgoing, sender, meta->is_outgoing);
	entry->labelled = with_bit(entry->labelled, sender, meta->mpls_count > 0);
	entry->vlan_id[sender] = meta->vlan_id;
	entry->min_ttl[sender] = entry->max_ttl[sender] = meta->ttl;
	entry->last_ns[sender] = detail->first_ns[sender] = meta->stamp_ns;
	detail->ingress_if[sender] =
		is_default_used ? cache->default_ingress_if : meta->if_index;
	detail->flow_label[sender] = meta->flow_label;
	memcpy(detail->mac[sender], probe->mac, sizeof(probe->mac));
	if (meta->mpls_count > 0) {
		struct flow_stack *stack = &cache->table.stacks[index][sender];

		stack->count = meta->mpls_count;
		memcpy(stack->label, meta->mpls, sizeof(stack->label));
	}
}

/* The first SYN says who began: its sender, or the receiver if it is the answer to one. Once a
 * record of the flow has gone out its direction stays. */
static inline void learn_initiator(
	struct flow_entry *entry, unsigned sender, uint16_t tcp_flags)
{
	if (!(tcp_flags & TCP_SYN) || entry->is_initiator_known || entry->is_continued)
		return;
	entry->initiator = tcp_flags & TCP_ACK ? !sender : sender;
	entry->is_initiator_known = true;
}

static inline void count_packet(struct flow_cache *cache, uint32_t index, unsigned sender,
	const struct packet_meta *meta)
{
	struct flow_entry *entry = &cache->table.entries[index];
	uint64_t *first_ns = &cache->table.details[index].first_ns[sender];

	entry->packets[sender] += meta->packets;
	entry->octets[sender] += meta->octets;
	entry->tos[sender] = meta->tos;
	if (meta->ttl < entry->min_ttl[sender])
		entry->min_ttl[sender] = meta->ttl;
	if (meta->ttl > entry->max_ttl[sender])
		entry->max_ttl[sender] = meta->ttl;
	if (meta->stamp_ns >= entry->last_ns[sender])
		entry->last_ns[sender] = meta->stamp_ns;
	else if (meta->stamp_ns < *first_ns)
		*first_ns = meta->stamp_ns;
	if (cache->level->has_ports && entry->key.protocol == FLOW_PROTOCOL_TCP) {
		entry->tcp_flags[sender] |= meta->tcp_flags;
		learn_initiator(entry, sender, meta->tcp_flags);
	}
	cache->stats.metered_pkts += meta->packets;
	cache->stats.metered_octets += meta->octets;
	cache->stats.fragments += meta->is_fragment;
}

/* The flow is now the most recently active of its class. */
static inline void touch_flow(struct flow_cache *cache, uint32_t index)
{
	struct flow_entry *entry = &cache->table.entries[index];
	enum expiry_class class = expiry_classify(&entry->key, entry->tcp_flags);

	entry->activity_ns = cache->clock_ns;
	if (class != entry->class || cache->activity[class].tail != index) {
		flow_list_remove(&cache->activity[entry->class], cache->table.activity, index);
		flow_list_append(&cache->activity[class], cache->table.activity, index);
		entry->class = class;
	}
	set_due(cache, cache->expiry.idle[class].timeout_ns);
}

static inline void meter_packet(struct flow_cache *cache, const struct flow_probe *probe,
	const struct packet_meta *meta, size_t *budget)
{
	set_clock(cache, meta->clock_ns > meta->stamp_ns ? meta->clock_ns : meta->stamp_ns);
	if (cache->clock_ns >= cache->next_due_ns && *budget > 0)
		flow_close_due(cache, budget);

	uint32_t index = flow_table_find(&cache->table, probe);

	if (index && flow_close_is_due(cache, index) && flow_close_if_due(cache, index))
		index = 0;
	if (index == 0)
		index = add_flow(cache, probe);
	if (!cache->table.entries[index].seen)
		begin_record(cache, index);
	if (!(cache->table.entries[index].seen >> probe->sender & 1))
		begin_side(cache, index, probe, meta);
	count_packet(cache, index, probe->sender, meta);
	touch_flow(cache, index);
}

/* -- groups of packets ---------------------------------------------------------------- */

static inline void prefetch_neighbours(const struct flow_table *table, uint32_t index)
{
	struct flow_link link = table->activity[index];

	__builtin_prefetch(&table->activity[link.previous], 1);
	__builtin_prefetch(&table->activity[link.next], 1);
}

static void meter_group(struct flow_cache *cache, const struct packet_meta *metas,
	unsigned count, size_t *budget)
{
	struct flow_probe *probes = cache->probes;

	for (unsigned i = 0; i < count; i++) {
		flow_key_make(cache->level, cache->hash_key, &metas[i], &probes[i]);
		flow_table_prefetch_slot(&cache->table, probes[i].hash);
	}
	for (unsigned i = 0; i < count; i++) {
		probes[i].candidate = flow_table_guess(&cache->table, probes[i].hash);
		flow_table_prefetch_entry(&cache->table, probes[i].candidate);
	}
	for (unsigned i = 0; i < count; i++) {
		if (i + NEIGHBOURS_AHEAD_PKTS < count)
			prefetch_neighbours(
				&cache->table, probes[i + NEIGHBOURS_AHEAD_PKTS].candidate);
		meter_packet(cache, &probes[i], &metas[i], budget);
	}
}

void flow_cache_meter(struct flow_cache *cache, const struct packet_meta *metas, unsigned count)
{
	size_t budget = cache->is_paced ? METER_BUDGET_PACED : SIZE_MAX;

	for (unsigned done = 0; done < count; done += FLOW_GROUP_PKTS) {
		unsigned rest = count - done;

		meter_group(cache, metas + done,
			rest < FLOW_GROUP_PKTS ? rest : FLOW_GROUP_PKTS, &budget);
	}
}

/* -- life ----------------------------------------------------------------------------- */

int flow_cache_new(const struct flow_cache_config *config, struct flow_cache **ret_cache)
{
	if ((unsigned)config->level >= TRACK_LEVEL_COUNT || !config->sink.record ||
		config->timeouts.general_ns == 0)
		return -EINVAL;
	struct flow_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	cache->level = &flow_levels[config->level];
	int error =
		flow_table_init(&cache->table, config->maximum_flows, cache->level->has_mac);

	if (error) {
		free(cache);
		return error;
	}
	expiry_init(&cache->expiry, &config->timeouts);
	cache->next_due_ns = EXPIRY_NEVER_NS;
	memcpy(cache->hash_key, config->hash_key, sizeof(cache->hash_key));
	cache->default_ingress_if = config->default_ingress_if;
	cache->is_default_ingress_forced = config->is_default_ingress_forced;
	cache->is_paced = config->is_paced;
	cache->sink = config->sink;
	*ret_cache = cache;
	return 0;
}

void flow_cache_free(struct flow_cache *cache)
{
	if (!cache)
		return;
	flow_table_fini(&cache->table);
	free(cache);
}

bool flow_cache_advance(struct flow_cache *cache, uint64_t now_ns, size_t budget)
{
	set_clock(cache, now_ns);
	if (cache->clock_ns < cache->next_due_ns)
		return true;
	return flow_close_due(cache, &budget);
}

uint64_t flow_cache_clock_ns(const struct flow_cache *cache)
{
	return cache->clock_ns;
}

uint64_t flow_cache_next_due_ns(const struct flow_cache *cache)
{
	return cache->table.used ? cache->next_due_ns : EXPIRY_NEVER_NS;
}

void flow_cache_set_timeouts(struct flow_cache *cache, const struct flow_timeouts *timeouts)
{
	size_t none = 0;

	expiry_init(&cache->expiry, timeouts);
	memset(cache->rounding, 0, sizeof(cache->rounding));
	cache->horizon_ns = expiry_round_down_ns(&cache->expiry, cache->clock_ns);
	flow_close_due(cache, &none);
}

const struct flow_cache_stats *flow_cache_stats(const struct flow_cache *cache)
{
	return &cache->stats;
}

/* Entries without an open record count as work but not as flows; the loop ends with 0 only when
 * nothing is left. */
size_t flow_cache_expire_all(struct flow_cache *cache, size_t budget)
{
	size_t closed = 0;

	for (size_t steps = 0; cache->table.used && (steps < budget || closed == 0); steps++)
		closed += flow_close_now(cache, flow_close_oldest(cache), END_FLUSH);
	return closed;
}

size_t flow_cache_delete_all(struct flow_cache *cache, size_t budget)
{
	size_t deleted = 0;

	for (size_t steps = 0; cache->table.used && (steps < budget || deleted == 0); steps++)
		deleted += flow_close_silently(cache, flow_close_oldest(cache));
	return deleted;
}

/* A snapshot is read when the table has moved on: it borrows nothing. */
static void copy_flow(const struct flow_cache *cache, uint32_t index, struct flow_snapshot *out)
{
	uint64_t idle_ns = flow_close_idle_deadline_ns(cache, index);
	uint64_t life_ns = flow_close_life_deadline_ns(cache, index);

	flow_compose(&cache->table, index, &out->record);
	for (unsigned i = 0; i < 2; i++) {
		out->record.side[i].mpls = NULL;
		out->record.side[i].mpls_count = 0;
	}
	out->deadline_ns = idle_ns < life_ns ? idle_ns : life_ns;
}

size_t flow_cache_snapshot(const struct flow_cache *cache, uint64_t *cursor,
	struct flow_snapshot *out, size_t capacity)
{
	uint64_t end = *cursor + SNAPSHOT_ENTRIES;
	size_t count = 0;

	if (end > cache->table.touched)
		end = cache->table.touched;
	for (; *cursor < end && count < capacity; (*cursor)++) {
		uint32_t index = (uint32_t)*cursor + 1;
		const struct flow_entry *entry = &cache->table.entries[index];

		if (entry->key.ip_version == 0 || !entry->seen)
			continue;
		copy_flow(cache, index, &out[count++]);
	}
	return count;
}

bool flow_cache_snapshot_ended(const struct flow_cache *cache, uint64_t cursor)
{
	return cursor >= cache->table.touched;
}
