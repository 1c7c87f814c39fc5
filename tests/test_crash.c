/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A flow cache and an exporter whose process dies after every single instruction.
 *
 * A child counts packets, commits and sends, as a lane does, in memory that the parent sees.
 * The parent steps it instruction by instruction. After each that changed anything the memory
 * is taken as what a killed process has left: a copy is rolled back, gone on with to the end,
 * and the collector's view of it all is audited: the same sequence number means the same
 * octets, no number is missing, and each flow has the packets and octets that it has when
 * nobody dies.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "export/exporter_keep.h"
#include "sensor/flow_table.h"
#include "tests/test_flow_support.h"

#define FLOWS_MAX 12 /* fewer than there are: some are closed for room */
#define BATCH_PKTS 5
#define PKTS 60
#define DATAGRAMS_MAX 128
#define DATAGRAM_BYTES 512
#define LOG_BYTES 32768
#define PATHS_USED 64
#define MESSAGE_BYTES_USED 32768

struct datagram {
	uint32_t length;
	uint8_t bytes[DATAGRAM_BYTES];
};

/* One of the two copies of the small things. */
struct small_things {
	uint64_t done_pkts;
	struct flow_cache_saved cache;
	struct exporter_saved exporter;
};

struct world {
	uint64_t word;
	/* What has left: nothing brings it back. */
	uint64_t sent_count;
	struct datagram sent[DATAGRAMS_MAX];

	uint8_t log[LOG_BYTES];
	struct flow_entry entries[FLOWS_MAX + 1];
	struct flow_labels labels[FLOWS_MAX + 2];
	struct flow_stack stacks[FLOWS_MAX + 1][2];
	struct flow_path own_paths[FLOWS_MAX + 1][2];
	struct flow_path_node paths[FLOW_PATHS_MAX + 1]; /* PATHS_USED of them are used */
	uint8_t messages[EXPORTER_KEPT_BYTES];           /* and so many of these */
	struct small_things small[2];
};

/* A process. */
struct machine {
	struct transport transport; /* first: the exporter gives it back to us */
	struct world *world;
	struct undo undo;
	struct flow_cache *cache;
	struct exporter *exporter;
	uint64_t done_pkts;
};

/* -- a process ---------------------------------------------------------------------------- */

static int machine_submit(struct transport *transport, const uint8_t *bytes, size_t length)
{
	struct world *world = ((struct machine *)transport)->world;
	struct datagram *datagram = &world->sent[world->sent_count];

	if (world->sent_count == DATAGRAMS_MAX || length > DATAGRAM_BYTES)
		return -EMSGSIZE;
	datagram->length = (uint32_t)length;
	memcpy(datagram->bytes, bytes, length);
	undo_fence();
	world->sent_count++;
	undo_fence();
	return 0;
}

static void machine_close(struct transport *transport)
{
}

static const struct transport_ops machine_ops = {
	.submit = machine_submit,
	.close = machine_close,
};

static void machine_record(void *user, const struct flow_record *record, uint64_t now_ns)
{
	struct machine *machine = user;

	exporter_add(machine->exporter, record, now_ns);
}

static struct exporter_config exporter_settings(void)
{
	return (struct exporter_config){
		.version = EXPORT_NETFLOW_5,
		.sampling_interval = 1,
		.boot_ns = S(T0_S - 100),
		.flush_delay_ms = 1500,
		.message_bytes = 24 + 5 * 48,
		.interface_name = "",
		.interface_description = "",
	};
}

static bool machine_start(struct machine *machine, struct world *world)
{
	struct flow_memory memory = {
		.entries = world->entries,
		.labels = world->labels,
		.stacks = world->stacks,
		.own_paths = world->own_paths,
		.path_nodes = world->paths,
		.undo = &machine->undo,
	};
	struct flow_cache_config config = default_config();
	struct exporter_config settings = exporter_settings();
	const struct small_things *small;

	*machine = (struct machine){
		.transport = { .ops = &machine_ops, .name = "collector" },
		.world = world,
		.undo = {
			.memory = (uint8_t *)world,
			.word = &world->word,
			.log = world->log,
			.log_bytes = LOG_BYTES,
		},
	};
	if (undo_roll_back(&machine->undo, sizeof(*world)) != 0)
		return false;
	small = &world->small[undo_copy(&machine->undo)];
	config.maximum_flows = FLOWS_MAX;
	config.is_paced = true;
	config.timeouts.udp_ns = S(2) + S(1) / 2;
	config.timeouts.tcp_fin_ns = S(1);
	config.timeouts.maximum_life_ns = S(1);
	config.sink = (struct flow_sink){ machine_record, machine };
	config.memory = &memory;
	bool is_begun = small->exporter.is_used;

	config.saved = is_begun ? &small->cache : NULL;
	machine->done_pkts = small->done_pkts;
	return flow_cache_new(&config, &machine->cache) == 0 &&
	       exporter_new_kept(&settings, &machine->transport, world->messages,
		       is_begun ? &small->exporter : NULL, &machine->exporter) == 0;
}

static void machine_commit(struct machine *machine)
{
	struct small_things *next = &machine->world->small[!undo_copy(&machine->undo)];

	next->done_pkts = machine->done_pkts;
	flow_cache_save(machine->cache, &next->cache);
	exporter_save(machine->exporter, &next->exporter);
	undo_commit(&machine->undo);
}

static void machine_release(struct machine *machine)
{
	machine_commit(machine);
	if (exporter_release(machine->exporter))
		machine_commit(machine);
}

/* Flows of all kinds: short, long, IPv6 with labels, cut by their lifetime, ended by FIN. */
static struct packet_meta numbered_packet(uint64_t number)
{
	struct packet_meta meta;

	if (number % 7 == 3)
		meta = packet_v6(UDP, HOST_A, 5000, HOST_C, 53);
	else if (number % 5 == 1)
		meta = packet(TCP, 20 + (unsigned)number / 10, 80, HOST_B, 4000);
	else
		meta = packet(UDP, 1 + (unsigned)(number * 7 % 11), 6000, HOST_B, 7000);
	if (number % 5 == 1 && number % 10 == 6)
		meta.tcp_flags = TCP_FIN | TCP_ACK;
	if (number % 4 == 2) {
		meta.mpls_count = 1;
		meta.mpls[0] = 16 + (uint32_t)number;
	}
	meta.flow_label = number % 7 == 3 ? 0x12345 : 0;
	meta.vlan_id = (uint16_t)(number % 3);
	meta.octets = 100 + number;
	meta.stamp_ns = S(T0_S) + number * 150000000;
	meta.clock_ns = meta.stamp_ns;
	return meta;
}

static void machine_run(struct machine *machine)
{
	struct packet_meta metas[BATCH_PKTS];

	while (machine->done_pkts < PKTS) {
		for (unsigned i = 0; i < BATCH_PKTS; i++)
			metas[i] = numbered_packet(machine->done_pkts + i);
		flow_cache_meter(machine->cache, metas, BATCH_PKTS);
		machine->done_pkts += BATCH_PKTS;
		machine_commit(machine);
		uint64_t now_ns = flow_cache_clock_ns(machine->cache);

		flow_cache_advance(machine->cache, now_ns, SIZE_MAX);
		exporter_advance(machine->exporter, now_ns);
		machine_release(machine);
	}
	while (flow_cache_expire_all(machine->cache, 2) > 0)
		machine_release(machine);
	exporter_flush(machine->exporter, flow_cache_clock_ns(machine->cache));
	machine_release(machine);
}

static void machine_end(struct machine *machine)
{
	exporter_free(machine->exporter);
	flow_cache_free(machine->cache);
}

/* -- the collector --------------------------------------------------------------------------
 */

struct total {
	uint8_t key[13]; /* addresses, ports, protocol */
	uint64_t packets, octets;
};

struct view {
	uint32_t next_sequence;
	unsigned count;
	struct total totals[DATAGRAMS_MAX * 10];
};

static uint32_t be32(const uint8_t *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 |
	       from[3];
}

static void add_record(struct view *view, const uint8_t *row)
{
	struct total *total = view->totals;
	uint8_t key[13];

	memcpy(key, row, 8);
	memcpy(key + 8, row + 32, 4);
	key[12] = row[38];
	while (total < view->totals + view->count && memcmp(total->key, key, sizeof(key)) != 0)
		total++;
	if (total == view->totals + view->count) {
		view->count++;
		memcpy(total->key, key, sizeof(key));
		total->packets = total->octets = 0;
	}
	total->packets += be32(row + 16);
	total->octets += be32(row + 20);
}

static bool came_before(const struct world *world, uint64_t number, bool *ret_is_same)
{
	const struct datagram *datagram = &world->sent[number];

	for (uint64_t i = 0; i < number; i++) {
		const struct datagram *other = &world->sent[i];

		if (be32(other->bytes + 16) != be32(datagram->bytes + 16))
			continue;
		*ret_is_same = other->length == datagram->length &&
			       memcmp(other->bytes, datagram->bytes, other->length) == 0;
		return true;
	}
	return false;
}

/* NULL, or what is wrong. */
static const char *look(const struct world *world, struct view *view)
{
	bool is_same = true;

	view->next_sequence = 0;
	view->count = 0;
	for (uint64_t i = 0; i < world->sent_count; i++) {
		const struct datagram *datagram = &world->sent[i];
		unsigned rows = datagram->bytes[3];

		if (came_before(world, i, &is_same)) {
			if (!is_same)
				return "a sequence number means two things";
			continue;
		}
		if (be32(datagram->bytes + 16) != view->next_sequence)
			return "a sequence number is missing";
		view->next_sequence += rows;
		for (unsigned row = 0; row < rows; row++)
			add_record(view, datagram->bytes + 24 + row * 48);
	}
	return NULL;
}

static bool has_same_totals(const struct view *a, const struct view *b)
{
	if (a->count != b->count)
		return false;
	for (unsigned i = 0; i < a->count; i++) {
		const struct total *total = b->totals;

		while (total < b->totals + b->count &&
			memcmp(total->key, a->totals[i].key, sizeof(total->key)) != 0)
			total++;
		if (total == b->totals + b->count || total->packets != a->totals[i].packets ||
			total->octets != a->totals[i].octets)
			return false;
	}
	return true;
}

/* -- dying ------------------------------------------------------------------------------------
 */

static struct world *new_world(void)
{
	void *world = mmap(NULL, sizeof(struct world), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(world != MAP_FAILED);
	return world;
}

#define COPY(to, from, member, bytes) memcpy((to)->member, (from)->member, bytes)

/* All that is used of the arrays. */
static void copy_world(struct world *to, const struct world *from)
{
	memcpy(to, from, offsetof(struct world, paths));
	COPY(to, from, paths, PATHS_USED * sizeof(to->paths[0]));
	COPY(to, from, messages, MESSAGE_BYTES_USED);
	for (unsigned i = 0; i < 2; i++)
		memcpy(&to->small[i], &from->small[i],
			offsetof(struct small_things, exporter.messages) +
				DATAGRAMS_MAX * sizeof(struct gathered));
}

/* Would it make a difference to die now instead of when the copy was made? What has not been
 * committed of the small things makes none. */
static bool is_other(const struct world *now, const struct world *then)
{
	return now->word != then->word || now->sent_count != then->sent_count ||
	       memcmp(now->log, then->log,
		       offsetof(struct world, paths) - offsetof(struct world, log)) != 0 ||
	       memcmp(now->paths, then->paths, PATHS_USED * sizeof(now->paths[0])) != 0 ||
	       memcmp(now->messages, then->messages, MESSAGE_BYTES_USED) != 0;
}

static void fail_at(uint64_t step, const char *what)
{
	print_message("killed after instruction %llu: %s\n", (unsigned long long)step, what);
	fail();
}

/* The process died leaving .left: another one goes on. */
static void audit(struct world *left, const struct view *reference, uint64_t step)
{
	static struct view view;
	struct machine machine;

	if (!machine_start(&machine, left))
		fail_at(step, "cannot be gone on with");
	machine_release(&machine); /* what was waiting may leave */
	machine_run(&machine);
	machine_end(&machine);
	const char *wrong = look(left, &view);

	if (wrong)
		fail_at(step, wrong);
	if (!has_same_totals(&view, reference))
		fail_at(step, "the totals differ");
}

static void child_main(struct world *world)
{
	struct machine machine;

	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || !machine_start(&machine, world))
		_exit(2);
	raise(SIGSTOP);
	machine_run(&machine);
	_exit(0);
}

static bool step(pid_t child)
{
	int status;

	if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0 ||
		waitpid(child, &status, 0) != child)
		return false;
	return WIFSTOPPED(status);
}

static void a_process_may_die_after_any_instruction(void **state)
{
	static struct view reference;
	struct world *world = new_world(), *last = new_world(), *left = new_world();
	struct machine machine;
	uint64_t steps = 0, deaths = 0;
	int status;

	assert_true(machine_start(&machine, left));
	machine_run(&machine);
	machine_end(&machine);
	assert_null(look(left, &reference));
	assert_true(reference.count > FLOWS_MAX);

	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		child_main(world);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFSTOPPED(status)) {
		print_message("this host does not let us trace\n");
		skip();
	}
	copy_world(last, world);
	while (step(child)) {
		steps++;
		if (!is_other(world, last))
			continue;
		copy_world(last, world);
		copy_world(left, world);
		audit(left, &reference, steps);
		deaths++;
	}
	print_message("%llu instructions, %llu deaths\n", (unsigned long long)steps,
		(unsigned long long)deaths);
	assert_true(deaths > 1000);
	audit(world, &reference, steps);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_process_may_die_after_any_instruction),
};

UNIT_MAIN("crash", tests)
