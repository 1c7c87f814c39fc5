/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public face of the flow cache, and what a packet does to its flow.
 *
 * Packets go through three steps, each a chunk of packets ahead of the next: key and hash,
 * which asks for the index slot; a look at the slot, which asks for the entry; counting. So the
 * memory that a step needs has been on its way while others were worked on, and never much at
 * once.
 */
#include "sensor/flow_cache.h"

#include <errno.h>
#include <stdlib.h>

#include "sensor/flow_adopt.h"
#include "sensor/flow_close.h"
#include "sensor/flow_compose.h"
#include "sensor/flow_due.h"

#define LOOKS_PACED 8192      /* entries that one call looks at in vain when paced */
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

__attribute__((noinline)) static void keep_stack(struct flow_cache *cache, uint32_t index,
	unsigned sender, const struct packet_meta *meta)
{
	struct flow_stack *stack = &cache->table.stacks[index][sender];
	struct flow_entry *entry = &cache->table.entries[index];

	undo_keep(cache->table.undo, stack, sizeof(*stack));
	flow_entry_set_labelled(entry, flow_entry_labelled(entry) | 1u << sender);
	stack->count = meta->mpls_count;
	memcpy(stack->label, meta->mpls, sizeof(stack->label));
}

static void keep_path(struct flow_cache *cache, uint32_t index, unsigned sender,
	const struct packet_meta *meta)
{
	bool is_default_used = cache->is_default_ingress_forced || meta->if_index == 0;
	struct flow_path path = {
		.if_index = is_default_used ? cache->default_ingress_if : meta->if_index,
		.vlan_id = meta->vlan_id,
		.inner = (uint16_t)((meta->inner_vlan_id & FLOW_PATH_VLAN_MASK) |
				    (meta->is_outgoing ? FLOW_PATH_OUTGOING : 0)),
	};

	static_assert(sizeof(path.macs) == sizeof(meta->macs), "a path has a packet's");
	memcpy(path.macs, meta->macs, sizeof(path.macs));
	flow_table_set_path(&cache->table, index, sender, &path);
}

/* What an endpoint's first packet says that is not counted. */
static inline void keep_rare(struct flow_cache *cache, uint32_t index, unsigned sender,
	const struct packet_meta *meta)
{
	keep_path(cache, index, sender, meta);
	if (meta->ip_version == 6 &&
		meta->flow_label != flow_table_label(&cache->table, index, sender))
		flow_table_set_label(&cache->table, index, sender, meta->flow_label);
	if (meta->mpls_count > 0)
		keep_stack(cache, index, sender, meta);
}

static inline void open_record(struct flow_cache *cache, uint32_t index)
{
	flow_list_append(cache->table.age, cache->age, index);
	cache->stats.active_flows++;
	set_due(cache, cache->expiry.maximum_life_ns);
}

static const struct flow_count no_packets = { .first_ns = UINT64_MAX };

/* The next record of a flow whose last one was closed by its lifetime. */
static void begin_record(struct flow_cache *cache, uint32_t index)
{
	struct flow_entry *entry = &cache->table.entries[index];

	entry->count[0] = entry->count[1] = no_packets;
	flow_entry_set_labelled(entry, 0);
	open_record(cache, index);
}

static void begin_side(struct flow_cache *cache, uint32_t index, unsigned sender,
	const struct packet_meta *meta)
{
	struct flow_entry *entry = &cache->table.entries[index];
	struct flow_count *count = &entry->count[sender];
	uint64_t start_ns =
		flow_entry_seen(entry) ? flow_entry_start_ns(entry) : cache->clock_ns;

	flow_entry_set_seen(entry, flow_entry_seen(entry) | 1u << sender);
	count->packets_ttl = flow_count_word(0, meta->ttl, meta->ttl, meta->tos);
	count->last_ns = count->first_ns = meta->stamp_ns;
	flow_entry_set_start(entry, start_ns);
	keep_rare(cache, index, sender, meta);
}

/* A SYN says who began: its sender, or the receiver if it is the answer to one. */
static inline unsigned initiator_by_syn(unsigned sender, uint16_t tcp_flags)
{
	return tcp_flags & TCP_ACK ? !sender : sender;
}

/* The first SYN does. Once a record of the flow has gone out its direction stays. */
static inline void learn_initiator(
	struct flow_entry *entry, unsigned sender, uint16_t tcp_flags)
{
	if (!(tcp_flags & TCP_SYN) || flow_entry_is_initiator_known(entry) ||
		flow_entry_is_continued(entry))
		return;
	flow_entry_set_initiator(entry, initiator_by_syn(sender, tcp_flags));
	flow_entry_set_is_initiator_known(entry, true);
}

static inline bool has_tcp_flags(const struct flow_cache *cache, const struct flow_key *key)
{
	return cache->table.keying.level.has_ports && key->protocol == FLOW_PROTOCOL_TCP;
}

static uint32_t make_room(struct flow_cache *cache, const struct flow_probe *probe)
{
	uint32_t index;

	if (cache->table.used == cache->table.capacity)
		flow_close_for_room(cache);
	while ((index = flow_table_add(&cache->table, probe)) == 0)
		flow_close_now(cache, flow_table_at_home(&cache->table, probe), END_OVERFLOWS);
	return index;
}

static inline uint32_t take_entry(
	struct flow_cache *cache, const struct flow_probe *probe, uint32_t at)
{
	if (at == FLOW_TABLE_NO_SLOT || cache->table.used == cache->table.capacity)
		return make_room(cache, probe);
	return flow_table_add_at(&cache->table, probe, at);
}

/* A flow, its first record and its first packet: what count_packet() and those before it would
 * come to, written at once. */
static void begin_flow(struct flow_cache *cache, const struct flow_probe *probe, uint32_t at,
	const struct packet_meta *meta)
{
	uint32_t index = take_entry(cache, probe, at);
	struct flow_entry *entry = &cache->table.entries[index];
	unsigned sender = probe->sender;
	uint16_t flags[2] = { has_tcp_flags(cache, &probe->key) ? meta->tcp_flags : 0 };
	enum expiry_class class = expiry_classify(&probe->key, flags);
	bool is_syn = flags[0] & TCP_SYN;

	entry->activity_ns = cache->clock_ns;
	entry->state =
		flow_state_flow_id(++cache->stats.created_flows) | flow_state_class(class) |
		flow_state_initiator(is_syn ? initiator_by_syn(sender, flags[0]) : sender) |
		flow_state_is_initiator_known(is_syn) | flow_state_seen(1u << sender);
	entry->count[sender] = (struct flow_count){
		.octets_flags = meta->octets << FLOW_COUNT_OCTETS_SHIFT | flags[0],
		.packets_ttl = flow_count_word(meta->packets, meta->ttl, meta->ttl, meta->tos),
		.first_ns = meta->stamp_ns,
		.last_ns = meta->stamp_ns,
	};
	entry->count[!sender] = no_packets;
	if (meta->stamp_ns != cache->clock_ns)
		flow_entry_set_start(entry, cache->clock_ns);
	flow_due_add(cache, index);
	set_due(cache, cache->expiry.idle[class].timeout_ns);
	open_record(cache, index);
	keep_rare(cache, index, sender, meta);
}

/* A stamp before the first one: the record began when it began all the same. */
static void set_first(struct flow_entry *entry, unsigned sender, uint64_t stamp_ns)
{
	uint64_t start_ns = flow_entry_start_ns(entry);

	entry->count[sender].first_ns = stamp_ns;
	flow_entry_set_start(entry, start_ns);
}

/* Flags that may put the flow into another class: it goes to the end of that queue. */
static void count_flags(
	struct flow_cache *cache, uint32_t index, unsigned sender, uint16_t tcp_flags)
{
	struct flow_entry *entry = &cache->table.entries[index];

	entry->count[sender].octets_flags |= tcp_flags;
	learn_initiator(entry, sender, tcp_flags);

	uint16_t flags[2] = { flow_count_tcp_flags(&entry->count[0]),
		flow_count_tcp_flags(&entry->count[1]) };
	enum expiry_class class = expiry_classify(&entry->key, flags);

	if (class == flow_entry_class(entry))
		return;
	flow_list_remove(cache->table.activity, index);
	flow_entry_set_class(entry, class);
	flow_due_add(cache, index);
	set_due(cache, cache->expiry.idle[class].timeout_ns);
}

static inline void count_totals(struct flow_cache *cache, const struct packet_meta *meta)
{
	cache->stats.metered_pkts += meta->packets;
	cache->stats.metered_octets += meta->octets;
	cache->stats.fragments += meta->is_fragment;
}

static inline void count_packet(struct flow_cache *cache, uint32_t index, unsigned sender,
	const struct packet_meta *meta)
{
	struct flow_entry *entry = &cache->table.entries[index];
	struct flow_count *count = &entry->count[sender];

	if (entry->activity_ns != cache->clock_ns) {
		entry->activity_ns = cache->clock_ns;
		flow_entry_set_is_touched(entry, 1);
	}
	flow_count_add(count, meta->packets, meta->octets, meta->ttl, meta->tos);
	if (meta->stamp_ns >= count->last_ns)
		count->last_ns = meta->stamp_ns;
	else if (meta->stamp_ns < count->first_ns)
		set_first(entry, sender, meta->stamp_ns);
	if ((meta->tcp_flags & ~flow_count_tcp_flags(count)) &&
		has_tcp_flags(cache, &entry->key))
		count_flags(cache, index, sender, meta->tcp_flags);
	if (flow_count_octets(count) >= FLOW_COUNT_OCTETS_MAX ||
		flow_count_packets(count) >= FLOW_COUNT_PKTS_MAX)
		flow_close_life(cache, index, cache->clock_ns);
}

/* The guess is still right unless flows came or went since, or tags are equal. */
static inline uint32_t find_flow(
	const struct flow_cache *cache, const struct flow_probe *probe, uint32_t *ret_at)
{
	if (probe->guess && flow_table_matches(&cache->table, probe->guess, probe))
		return probe->guess;
	return flow_table_look_up(&cache->table, probe, ret_at);
}

static inline void meter_packet(struct flow_cache *cache, const struct flow_probe *probe,
	const struct packet_meta *meta, size_t *budget)
{
	set_clock(cache, meta->clock_ns > meta->stamp_ns ? meta->clock_ns : meta->stamp_ns);
	if (cache->clock_ns >= cache->next_due_ns && *budget > 0 &&
		!flow_close_due(cache, budget))
		*budget = 0;

	uint32_t at = FLOW_TABLE_NO_SLOT;
	uint32_t index = find_flow(cache, probe, &at);

	flow_close_keep(cache, index);
	/* An exact cache has closed all that was due. */
	if (index && cache->is_paced && flow_close_is_due(cache, index) &&
		flow_close_if_due(cache, index)) {
		index = 0;
		at = FLOW_TABLE_NO_SLOT;
	}
	count_totals(cache, meta);
	if (index == 0) {
		begin_flow(cache, probe, at, meta);
		return;
	}
	const struct flow_entry *entry = &cache->table.entries[index];

	if (!flow_entry_seen(entry))
		begin_record(cache, index);
	if (!(flow_entry_seen(entry) >> probe->sender & 1))
		begin_side(cache, index, probe->sender, meta);
	count_packet(cache, index, probe->sender, meta);
}

/* -- many packets --------------------------------------------------------------------- */

static inline struct flow_probe *probe_at(struct flow_cache *cache, unsigned i)
{
	return &cache->probes[i % FLOW_PROBES];
}

/*
 * Packets .first to .end - 1 of a call, of which there may be none. Each step works on a chunk
 * at a time: the addresses of a large table are not in the processor's page tables, and it
 * looks up several of them in the time of one when the instructions are next to each other.
 */
struct chunk {
	unsigned first, end;
};

/* Chunk number .number of .count packets; negative: those before the first. */
static inline struct chunk chunk_at(int number, unsigned count)
{
	unsigned first = number < 0 ? 0 : (unsigned)number * FLOW_AHEAD_PKTS;
	unsigned end = number < 0 ? 0 : first + FLOW_AHEAD_PKTS;

	return (struct chunk){ first, end < count ? end : count };
}

static inline void make_probes(
	struct flow_cache *cache, const struct packet_meta *metas, struct chunk chunk)
{
	for (unsigned i = chunk.first; i < chunk.end; i++)
		flow_key_make(&cache->table.keying, &metas[i], probe_at(cache, i));
	for (unsigned i = chunk.first; i < chunk.end; i++)
		flow_table_prefetch_slot(&cache->table, probe_at(cache, i)->hash);
}

static inline void guess_entries(struct flow_cache *cache, struct chunk chunk)
{
	for (unsigned i = chunk.first; i < chunk.end; i++) {
		struct flow_probe *probe = probe_at(cache, i);

		probe->guess = flow_table_guess(&cache->table, probe->hash);
		flow_table_prefetch_entry(&cache->table, probe->guess);
	}
}

void flow_cache_meter(struct flow_cache *cache, const struct packet_meta *metas, unsigned count)
{
	size_t budget = cache->is_paced ? 0 : SIZE_MAX;
	int chunks = (int)((count + FLOW_AHEAD_PKTS - 1) / FLOW_AHEAD_PKTS);

	cache->looks_left = LOOKS_PACED;
	for (int number = 0; number < chunks + 2; number++) {
		struct chunk chunk = chunk_at(number - 2, count);

		make_probes(cache, metas, chunk_at(number, count));
		guess_entries(cache, chunk_at(number - 1, count));
		for (unsigned i = chunk.first; i < chunk.end; i++)
			meter_packet(cache, probe_at(cache, i), &metas[i], &budget);
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
	int error = flow_table_init_kept(&cache->table, config->maximum_flows, FLOW_DUE_ANCHORS,
		config->level, config->hash_key, config->memory);

	if (error) {
		free(cache);
		return error;
	}
	flow_due_init(cache);
	expiry_init(&cache->expiry, &config->timeouts);
	cache->next_due_ns = EXPIRY_NEVER_NS;
	cache->default_ingress_if = config->default_ingress_if;
	cache->is_default_ingress_forced = config->is_default_ingress_forced;
	cache->is_paced = config->is_paced;
	cache->sink = config->sink;
	error = config->saved ? flow_adopt(cache, config->saved) : 0;
	if (error)
		flow_cache_free(cache);
	else
		*ret_cache = cache;
	return error;
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
	cache->looks_left = LOOKS_PACED;
	return flow_close_due(cache, &budget);
}

bool flow_cache_prepare(struct flow_cache *cache)
{
	return flow_table_warm(&cache->table);
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
	for (unsigned class = 0; class < EXPIRY_CLASS_COUNT; class ++)
		cache->queues[class].rounding = (struct flow_rounding){ 0 };
	cache->looks_left = LOOKS_PACED;
	cache->horizon_ns = expiry_round_down_ns(&cache->expiry, cache->clock_ns);
	flow_close_due(cache, &none);
}

const struct flow_cache_stats *flow_cache_stats(const struct flow_cache *cache)
{
	return &cache->stats;
}

/* The next entry that is in use, in the order of the table and then from its start again. 0:
 * there is none. */
static uint32_t sweep(struct flow_cache *cache)
{
	const struct flow_table *table = &cache->table;

	for (uint32_t looked = 0; looked < table->touched; looked++) {
		cache->swept = cache->swept < table->touched ? cache->swept + 1 : 1;
		if (table->entries[cache->swept].key.ip_version != 0)
			return cache->swept;
	}
	return 0;
}

/* Entries without an open record count as work but not as flows; the loop ends with 0 only when
 * nothing is left. */
size_t flow_cache_expire_all(struct flow_cache *cache, size_t budget)
{
	size_t closed = 0;

	/* What is kept goes flow by flow: that can be undone. */
	if (budget >= cache->table.used && !cache->table.undo)
		return flow_close_all(cache, END_FLUSH);
	for (size_t steps = 0; cache->table.used && (steps < budget || closed == 0); steps++)
		closed += flow_close_now(cache, sweep(cache), END_FLUSH);
	return closed;
}

size_t flow_cache_delete_all(struct flow_cache *cache, size_t budget)
{
	size_t deleted = 0;

	for (size_t steps = 0; cache->table.used && (steps < budget || deleted == 0); steps++)
		deleted += flow_close_silently(cache, sweep(cache));
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

		if (entry->key.ip_version == 0 || !flow_entry_seen(entry))
			continue;
		copy_flow(cache, index, &out[count++]);
	}
	return count;
}

bool flow_cache_snapshot_ended(const struct flow_cache *cache, uint64_t cursor)
{
	return cursor >= cache->table.touched;
}
