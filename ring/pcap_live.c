/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Live source through libpcap: for hosts without AF_PACKET, and for what only libpcap can read
 * (the interface "any", hardware types without a link type of their own). libpcap takes its
 * buffer back after each packet, so packets are copied, and it tells nothing about offload.
 *
 * A lost interface means a new libpcap handle with a new descriptor. The descriptor that the
 * lane waits on is a copy with a number that never changes:
 *
 *   capturing    libpcap's descriptor
 *   no handle    the read end of a pipe to which nobody writes: silent
 */
#include "ring/source.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ring/dlt.h"
#include "ring/live_clock.h"
#include "ring/view_arena.h"

#define NS_PER_SECOND 1000000000ull
#define NS_PER_US 1000u
#define NS_PER_MS 1000000ull
#define TRY_INTERVAL_NS 200000000ull
#define SNAP_BYTES_MAX 262144

/* Head of a cooked (SLL2) frame, as captured on "any". */
#define LINKTYPE_LINUX_SLL2 276
#define SLL2_BYTES 20
#define SLL2_IF_INDEX_OFFSET 4
#define SLL2_PKT_TYPE_OFFSET 10
#define SLL2_OUTGOING 4

/* libpcap counts in 32 bits, and from zero for each handle. */
struct handle_count {
	uint32_t last;
	uint64_t total;
};

struct pcap_live {
	struct source_config config; /* pointers borrowed */
	pcap_t *pcap;                /* NULL: the link was lost for good */
	bool is_lost;
	bool is_dead;       /* lost, and the handle will not work again */
	bool is_other_kind; /* what has the name now is another kind of link */
	bool has_ns_stamps;
	int link_type;
	uint32_t if_index;
	int wait_fd;
	int silent_fds[2];  /* a pipe */
	int query_fd;       /* for interface flags */
	uint16_t mtu_bytes; /* 0: not known, or more than any super-packet */
	uint64_t check_interval_ns;
	uint64_t next_check_ns;
	uint64_t newest_ns; /* stamp */
	struct live_clock clock;
	struct view_arena arena;
	struct handle_count received, dropped, interface_dropped;
	uint64_t losses, returns, rebinds;
	char notice[SOURCE_ERROR_BYTES];
};

extern const struct source_ops pcap_live_ops;

static uint64_t clock_now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static bool is_any(const struct pcap_live *live)
{
	return strcmp(live->config.interface, "any") == 0;
}

/* How long libpcap may keep a packet to itself. */
static uint64_t holdback_ns(const struct pcap_live *live)
{
	return 2 * live->config.retire_timeout_ms * NS_PER_MS;
}

/* -- libpcap's handle ----------------------------------------------------------------- */

static void set_options(struct pcap_live *live, pcap_t *pcap)
{
	const struct source_config *config = &live->config;
	uint32_t snap_bytes = config->snap_bytes;

	if (snap_bytes == 0 || snap_bytes > SNAP_BYTES_MAX)
		snap_bytes = SNAP_BYTES_MAX;
	pcap_set_snaplen(pcap, (int)snap_bytes);
	pcap_set_promisc(pcap, config->is_promiscuous && !is_any(live));
	pcap_set_timeout(pcap, (int)config->retire_timeout_ms);
	if (config->buffer_bytes && config->buffer_bytes <= INT32_MAX)
		pcap_set_buffer_size(pcap, (int)config->buffer_bytes);
	live->has_ns_stamps = pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO) == 0;
}

/* libpcap's numbers are no errno; what matters is told apart, the rest is text. */
static int activate(pcap_t *pcap, const char *interface, char error[static SOURCE_ERROR_BYTES])
{
	int outcome = pcap_activate(pcap);

	if (outcome >= 0)
		return 0; /* positive: a warning */
	const char *reason = *pcap_geterr(pcap) ? pcap_geterr(pcap) : pcap_statustostr(outcome);
	snprintf(error, SOURCE_ERROR_BYTES, "%s: %s", interface, reason);
	switch (outcome) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return -ENODEV;
	case PCAP_ERROR_PERM_DENIED:
		return -EPERM;
	case PCAP_ERROR_IFACE_NOT_UP:
		return -ENETDOWN;
	default:
		return -EIO;
	}
}

static int set_filter(
	struct pcap_live *live, pcap_t *pcap, char error[static SOURCE_ERROR_BYTES])
{
	const char *filter = live->config.filter;
	char text[PCAP_ERRBUF_SIZE];
	bpf_u_int32 net, mask;
	struct bpf_program program;

	if (!filter || !*filter)
		return 0;
	if (pcap_lookupnet(live->config.interface, &net, &mask, text))
		mask = PCAP_NETMASK_UNKNOWN;
	int outcome = pcap_compile(pcap, &program, filter, 1, mask);
	if (outcome == 0) {
		outcome = pcap_setfilter(pcap, &program);
		pcap_freecode(&program);
	}
	if (outcome)
		snprintf(error, SOURCE_ERROR_BYTES, "filter '%.80s': %s", filter,
			pcap_geterr(pcap));
	return outcome ? -EINVAL : 0;
}

static int start_handle(
	struct pcap_live *live, pcap_t *pcap, char error[static SOURCE_ERROR_BYTES])
{
	char text[PCAP_ERRBUF_SIZE];

	set_options(live, pcap);
	int outcome = activate(pcap, live->config.interface, error);
	if (outcome)
		return outcome;
	/* Cooked frames of the second version say on which interface they were seen. */
	if (is_any(live))
		pcap_set_datalink(pcap, LINKTYPE_LINUX_SLL2);
	if (pcap_setnonblock(pcap, 1, text)) {
		snprintf(error, SOURCE_ERROR_BYTES, "%s: %s", live->config.interface, text);
		return -EIO;
	}
	return set_filter(live, pcap, error);
}

/* Let the lane wait on .fd, under the number that it knows. */
static int wait_on(struct pcap_live *live, int fd)
{
	if (dup2(fd, live->wait_fd) < 0)
		return -errno;
	fcntl(live->wait_fd, F_SETFD, FD_CLOEXEC);
	return 0;
}

static int open_handle(struct pcap_live *live, char error[static SOURCE_ERROR_BYTES])
{
	char text[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_create(live->config.interface, text);

	if (!pcap) {
		snprintf(error, SOURCE_ERROR_BYTES, "%s: %s", live->config.interface, text);
		return -EIO;
	}
	int outcome = start_handle(live, pcap, error);
	if (outcome) {
		pcap_close(pcap);
		return outcome;
	}
	int fd = pcap_get_selectable_fd(pcap);
	wait_on(live, fd >= 0 ? fd : live->silent_fds[0]);
	live->pcap = pcap;
	live->received.last = live->dropped.last = live->interface_dropped.last = 0;
	return 0;
}

/* -- counts --------------------------------------------------------------------------- */

static void grow(struct handle_count *count, uint32_t now)
{
	count->total += (uint32_t)(now - count->last);
	count->last = now;
}

static void add_handle_counts(struct pcap_live *live)
{
	struct pcap_stat counts;

	if (!live->pcap || pcap_stats(live->pcap, &counts))
		return;
	grow(&live->received, counts.ps_recv);
	grow(&live->dropped, counts.ps_drop);
	grow(&live->interface_dropped, counts.ps_ifdrop);
}

/* -- the link ------------------------------------------------------------------------- */

/* By index, because the interface may have been renamed meanwhile. */
static bool interface_exists(const struct pcap_live *live, char name[static IF_NAMESIZE])
{
	return if_indextoname(live->if_index, name) != NULL;
}

static bool is_up(const struct pcap_live *live, const char *name)
{
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return !ioctl(live->query_fd, SIOCGIFFLAGS, &request) && (request.ifr_flags & IFF_UP);
}

static uint16_t ask_mtu(const struct pcap_live *live)
{
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", live->config.interface);
	if (ioctl(live->query_fd, SIOCGIFMTU, &request) || request.ifr_mtu < 0 ||
		request.ifr_mtu > UINT16_MAX)
		return 0;
	return (uint16_t)request.ifr_mtu;
}

/* The handle stays open for a while: it may still hold packets from before. */
static void lose(struct pcap_live *live)
{
	live->is_lost = true;
	live->losses++;
	live->next_check_ns = clock_now_ns(CLOCK_MONOTONIC) + live->check_interval_ns;
	snprintf(live->notice, sizeof(live->notice), "%s: link lost", live->config.interface);
}

static void come_back(struct pcap_live *live)
{
	live->is_lost = false;
	live->is_dead = false;
	live->returns++;
	snprintf(live->notice, sizeof(live->notice), "%s: capturing again",
		live->config.interface);
}

static void close_handle(struct pcap_live *live)
{
	if (!live->pcap)
		return;
	add_handle_counts(live);
	wait_on(live, live->silent_fds[0]);
	pcap_close(live->pcap);
	live->pcap = NULL;
}

/* The handle is of no more use: open another one when the name is an interface again. */
static void replace_handle(struct pcap_live *live)
{
	uint32_t if_index = if_nametoindex(live->config.interface);

	close_handle(live);
	if (!is_any(live) && (!if_index || !is_up(live, live->config.interface)))
		return;
	if (open_handle(live, live->notice))
		return;
	live->is_other_kind = dlt_link_type(pcap_datalink(live->pcap)) != live->link_type;
	if (live->is_other_kind) {
		close_handle(live);
		snprintf(live->notice, sizeof(live->notice),
			"%s: came back with another kind of link", live->config.interface);
		return;
	}
	live->rebinds += if_index != live->if_index;
	live->if_index = if_index;
	come_back(live);
}

/* A few times a second, when there is nothing to hand over. */
static void check_link(struct pcap_live *live)
{
	char name[IF_NAMESIZE];
	uint64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);

	if (now_ns < live->next_check_ns)
		return;
	live->next_check_ns = now_ns + live->check_interval_ns;
	live->mtu_bytes = ask_mtu(live);
	if (live->is_lost && live->is_dead) {
		replace_handle(live);
		return;
	}
	if (is_any(live))
		return;
	live->is_dead = !interface_exists(live, name);
	bool is_working = !live->is_dead && is_up(live, name);
	if (live->is_lost && is_working)
		come_back(live);
	else if (!live->is_lost && !is_working)
		lose(live);
}

/* -- life ----------------------------------------------------------------------------- */

/* Of Ethernet until it is there. The filter is looked at now, by whoever wrote it. */
static int set_up_waiting(
	struct pcap_live *live, const char *why, char error[static SOURCE_ERROR_BYTES])
{
	const char *filter = live->config.filter;
	struct bpf_program program;
	pcap_t *nothing = pcap_open_dead(DLT_EN10MB, SNAP_BYTES_MAX);
	int outcome = nothing ? 0 : -ENOMEM;

	if (nothing && filter && *filter &&
		pcap_compile(nothing, &program, filter, 1, PCAP_NETMASK_UNKNOWN)) {
		snprintf(error, SOURCE_ERROR_BYTES, "filter '%.80s': %s", filter,
			pcap_geterr(nothing));
		outcome = -EINVAL;
	} else if (nothing && filter && *filter) {
		pcap_freecode(&program);
	}
	if (nothing)
		pcap_close(nothing);
	if (outcome)
		return outcome;
	live->link_type = dlt_link_type(DLT_EN10MB);
	live->is_dead = true;
	lose(live);
	snprintf(live->notice, sizeof(live->notice), "%s: %s", live->config.interface, why);
	return 0;
}

static int set_up(struct pcap_live *live, char error[static SOURCE_ERROR_BYTES])
{
	if (pipe(live->silent_fds) || view_arena_open(&live->arena, live->config.snap_bytes)) {
		int outcome = errno ? -errno : -ENOMEM;
		snprintf(error, SOURCE_ERROR_BYTES, "%s: %s", live->config.interface,
			strerror(-outcome));
		return outcome;
	}
	fcntl(live->silent_fds[0], F_SETFD, FD_CLOEXEC);
	fcntl(live->silent_fds[1], F_SETFD, FD_CLOEXEC);
	live->wait_fd = fcntl(live->silent_fds[0], F_DUPFD_CLOEXEC, 0);
	live->query_fd = socket(AF_INET, SOCK_DGRAM, 0);
	fcntl(live->query_fd, F_SETFD, FD_CLOEXEC);
	live->clock.holdback_ns = holdback_ns(live);
	live->check_interval_ns = TRY_INTERVAL_NS;
	if (live->check_interval_ns < holdback_ns(live))
		live->check_interval_ns = holdback_ns(live);
	live->if_index = if_nametoindex(live->config.interface);
	int outcome = open_handle(live, error);
	if (outcome == -ENETDOWN || (outcome == -ENODEV && live->config.waits_for_interface))
		return set_up_waiting(
			live, outcome == -ENODEV ? "no such interface" : "link is down", error);
	if (outcome)
		return outcome;
	live->link_type = dlt_link_type(pcap_datalink(live->pcap));
	live->mtu_bytes = ask_mtu(live);
	return 0;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void pcap_live_close(void *state)
{
	struct pcap_live *live = state;

	if (live->pcap)
		pcap_close(live->pcap);
	close_fd(live->wait_fd);
	close_fd(live->silent_fds[0]);
	close_fd(live->silent_fds[1]);
	close_fd(live->query_fd);
	view_arena_close(&live->arena);
	free(live);
}

static int pcap_live_open(const struct source_config *config, void **ret_state,
	int *ret_link_type, char error[static SOURCE_ERROR_BYTES])
{
	struct pcap_live *live = calloc(1, sizeof(*live));

	if (!live) {
		snprintf(error, SOURCE_ERROR_BYTES, "out of memory");
		return -ENOMEM;
	}
	live->config = *config;
	live->wait_fd = live->query_fd = live->silent_fds[0] = live->silent_fds[1] = -1;
	int outcome = set_up(live, error);
	if (outcome) {
		pcap_live_close(live);
		return outcome;
	}
	*ret_link_type = live->link_type;
	*ret_state = live;
	return 0;
}

static int pcap_live_fd(void *state)
{
	const struct pcap_live *live = state;

	return live->wait_fd;
}

/* -- packets -------------------------------------------------------------------------- */

static uint64_t stamp_ns(const struct pcap_live *live, const struct pcap_pkthdr *header)
{
	if (header->ts.tv_sec < 0 || header->ts.tv_usec < 0)
		return 0;
	return (uint64_t)header->ts.tv_sec * NS_PER_SECOND +
	       (uint64_t)header->ts.tv_usec * (live->has_ns_stamps ? 1 : NS_PER_US);
}

/* "any": the cooked header has what the interface's index and direction are. */
static void note_cooked(const struct pcap_live *live, struct packet *packet)
{
	const uint8_t *index = packet->bytes + SLL2_IF_INDEX_OFFSET;

	if (live->link_type != LINKTYPE_LINUX_SLL2 || packet->captured_bytes < SLL2_BYTES)
		return;
	packet->if_index = (uint32_t)index[0] << 24 | (uint32_t)index[1] << 16 |
			   (uint32_t)index[2] << 8 | index[3];
	packet->is_outgoing = packet->bytes[SLL2_PKT_TYPE_OFFSET] == SLL2_OUTGOING;
}

/* libpcap does not tell of offloads. A packet that this link cannot hold was put together by
 * the host, out of frames that were full; the decoder knows where the packet begins in the
 * frame. */
static void note_super_packet(const struct pcap_live *live, struct packet *packet)
{
	if (live->mtu_bytes == 0 || packet->wire_bytes <= live->mtu_bytes)
		return;
	packet->gso = PACKET_GSO_LINK;
	packet->gso_bytes = live->mtu_bytes;
}

static void keep(struct pcap_live *live, const struct pcap_pkthdr *header, const u_char *bytes,
	struct packet_batch *batch)
{
	struct packet *packet = &batch->packets[batch->count++];

	*packet = (struct packet){
		.bytes = bytes,
		.captured_bytes = header->caplen,
		.wire_bytes = header->len,
		.stamp_ns = stamp_ns(live, header),
		.if_index = live->if_index,
	};
	view_arena_keep(&live->arena, packet);
	note_cooked(live, packet);
	note_super_packet(live, packet);
	if (packet->stamp_ns > live->newest_ns)
		live->newest_ns = packet->stamp_ns;
}

static void fill(struct pcap_live *live, struct packet_batch *batch)
{
	struct pcap_pkthdr *header;
	const u_char *bytes;
	int outcome = 1;

	while (batch->count < PACKET_BATCH_MAX && view_arena_has_room(&live->arena)) {
		outcome = pcap_next_ex(live->pcap, &header, &bytes);
		if (outcome != 1)
			break;
		keep(live, header, bytes, batch);
	}
	if (outcome >= 0)
		return;
	live->is_dead = true;
	if (!live->is_lost)
		lose(live);
}

static int pcap_live_next(void *state, struct packet_batch *batch)
{
	struct pcap_live *live = state;

	view_arena_reset(&live->arena);
	if (live->pcap)
		fill(live, batch);
	if (batch->count == 0)
		check_link(live);
	/* What the lane reads is decided before the interface is there: start again for it. */
	if (live->is_other_kind && live->returns == 0)
		return -EPROTONOSUPPORT;
	struct host_time now = live_clock_read();
	live_clock_settle(&live->clock, &now, live->newest_ns, batch);
	return 0;
}

static void pcap_live_release(void *state, struct packet_batch *batch)
{
	struct pcap_live *live = state;

	(void)batch;
	view_arena_reset(&live->arena);
}

static void pcap_live_stats(void *state, struct ring_stats *ret_stats)
{
	struct pcap_live *live = state;

	add_handle_counts(live);
	*ret_stats = (struct ring_stats){
		.received_pkts = live->received.total,
		.dropped_pkts = live->dropped.total,
		.interface_dropped_pkts = live->interface_dropped.total,
		.link_losses = live->losses,
		.link_returns = live->returns,
		.rebinds = live->rebinds,
		.clock_steps = live->clock.steps,
		.odd_stamps = live->clock.odd_stamps,
	};
}

static const char *pcap_live_error(void *state)
{
	const struct pcap_live *live = state;

	return live->notice;
}

const struct source_ops pcap_live_ops = {
	.open = pcap_live_open,
	.fd = pcap_live_fd,
	.next = pcap_live_next,
	.release = pcap_live_release,
	.stats = pcap_live_stats,
	.close = pcap_live_close,
	.error = pcap_live_error,
};
