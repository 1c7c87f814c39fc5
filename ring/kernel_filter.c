/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operator's expression and the snap length as one classic BPF program. libpcap compiles,
 * the kernel runs it; the program's return value is the snap length. Where headers are all that
 * is wanted, every return that keeps a frame becomes a jump to the program of header_snap.h.
 *
 * The kernel takes the VLAN tag off a frame before the program sees it. Only a libpcap handle
 * that is active on a live Ethernet interface makes code for `vlan` that asks the kernel for
 * the tag; a dead handle makes code that looks into the frame and never matches. So a live
 * handle is opened for the compiler's sake. libpcap refuses interfaces that are down; the
 * loopback has frames of the same form and stands in. Without either, an expression that does
 * not mention tags compiles the same on a dead handle.
 */
#include "ring/kernel_filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ring/header_snap.h"
#include "ring/steering.h"

#define SNAP_BYTES_MAX 262144
/* The handle is only compiled with: keep its ring small. */
#define COMPILER_BUFFER_BYTES 65536
#define LINKTYPE_RAW 101
#define UNUSED_ETHERTYPE 0xffff /* reserved (RFC 1701) */

_Static_assert(sizeof(struct sock_filter) == sizeof(struct bpf_insn), "one instruction format");

static int snap_of(uint32_t snap_bytes)
{
	return snap_bytes && snap_bytes < SNAP_BYTES_MAX ? (int)snap_bytes : SNAP_BYTES_MAX;
}

static pcap_t *open_live(const char *interface, int snap_bytes)
{
	char text[PCAP_ERRBUF_SIZE];
	pcap_t *handle = pcap_create(interface, text);

	if (!handle)
		return NULL;
	pcap_set_snaplen(handle, snap_bytes);
	pcap_set_buffer_size(handle, COMPILER_BUFFER_BYTES);
	if (pcap_activate(handle) < 0 || pcap_datalink(handle) != DLT_EN10MB) {
		pcap_close(handle);
		return NULL;
	}
	return handle;
}

/* Frames of other link types have no tag that could be taken off. */
static pcap_t *open_for_tags(
	const char *first, const char *second, int link_type, int snap_bytes)
{
	if (link_type != DLT_EN10MB)
		return NULL;
	pcap_t *handle = open_live(first, snap_bytes);
	return handle ? handle : open_live(second, snap_bytes);
}

static pcap_t *open_compiler(
	const char *interface, int link_type, int snap_bytes, const char *expression)
{
	pcap_t *handle = open_for_tags(interface, "lo", link_type, snap_bytes);

	if (!handle && link_type == DLT_EN10MB && strstr(expression, "vlan"))
		return NULL;
	if (!handle)
		handle = pcap_open_dead(
			link_type == LINKTYPE_RAW ? DLT_RAW : link_type, snap_bytes);
	return handle;
}

static bpf_u_int32 netmask_of(const char *interface)
{
	char text[PCAP_ERRBUF_SIZE];
	bpf_u_int32 net, mask;

	/* Only `ip broadcast` wants it. */
	return pcap_lookupnet(interface, &net, &mask, text) ? PCAP_NETMASK_UNKNOWN : mask;
}

static int too_long(const struct kernel_filter *filter, unsigned length, unsigned room,
	char error[static SOURCE_ERROR_BYTES])
{
	snprintf(error, SOURCE_ERROR_BYTES,
		"filter '%s': too long for the kernel (%u instructions of %u)", filter->words,
		length, room);
	return -E2BIG;
}

static int take_program(const struct bpf_program *program, struct kernel_filter *ret_filter,
	char error[static SOURCE_ERROR_BYTES])
{
	if (program->bf_len > BPF_MAXINSNS)
		return too_long(ret_filter, program->bf_len, BPF_MAXINSNS, error);
	memcpy(ret_filter->code, program->bf_insns,
		program->bf_len * sizeof(*ret_filter->code));
	ret_filter->count = program->bf_len;
	return 0;
}

static int compile_with(pcap_t *compiler, const struct source_config *config,
	struct kernel_filter *ret_filter, char error[static SOURCE_ERROR_BYTES])
{
	struct bpf_program program;

	if (pcap_compile(
		    compiler, &program, config->filter, 1, netmask_of(config->interface))) {
		snprintf(error, SOURCE_ERROR_BYTES, "filter '%s': %s", ret_filter->words,
			pcap_geterr(compiler));
		return -EINVAL;
	}
	int outcome = take_program(&program, ret_filter, error);
	pcap_freecode(&program);
	return outcome;
}

static int compile_expression(const struct source_config *config, int link_type, pcap_t *kept,
	struct kernel_filter *ret_filter, char error[static SOURCE_ERROR_BYTES])
{
	pcap_t *compiler = kept;

	if (!kept)
		compiler = open_compiler(config->interface, link_type,
			snap_of(config->snap_bytes), config->filter);
	if (!compiler) {
		snprintf(error, SOURCE_ERROR_BYTES,
			"filter '%s': 'vlan' can only be compiled while %s is up",
			ret_filter->words, config->interface);
		return -ENETDOWN;
	}
	int outcome = compile_with(compiler, config, ret_filter, error);
	if (!kept)
		pcap_close(compiler);
	return outcome;
}

/* Let frames that the program keeps go on to the one that says how much of them. */
static void append_header_snap(uint32_t snap_bytes, struct kernel_filter *filter)
{
	if (filter->count + HEADER_SNAP_CODE_MAX > BPF_MAXINSNS)
		return; /* all of them keep the snap length, which is right as well */
	for (unsigned i = 0; i < filter->count; i++)
		if (filter->code[i].code == (BPF_RET | BPF_K) && filter->code[i].k != 0)
			filter->code[i] = (struct sock_filter)BPF_STMT(
				BPF_JMP | BPF_JA, filter->count - i - 1);
	filter->count += header_snap_write(snap_bytes, filter->code + filter->count);
}

/* A socket gets frames of the protocol that it is bound to. This one has no use for any, which
 * would cost the host time. */
static int silence(int fd)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &none };
	struct sockaddr_ll address;
	socklen_t bytes = sizeof(address);

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ||
		getsockname(fd, (struct sockaddr *)&address, &bytes))
		return -errno;
	address.sll_protocol = htons(UNUSED_ETHERTYPE);
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
}

struct pcap *kernel_filter_keep_compiler(const struct source_config *config, int link_type)
{
	pcap_t *handle =
		open_for_tags("lo", config->interface, link_type, snap_of(config->snap_bytes));

	if (!handle || silence(pcap_fileno(handle)) == 0)
		return handle;
	pcap_close(handle);
	return NULL;
}

void kernel_filter_free_compiler(struct pcap *compiler)
{
	if (compiler)
		pcap_close(compiler);
}

int kernel_filter_compile(const struct source_config *config, int link_type,
	struct pcap *compiler, struct kernel_filter *ret_filter,
	char error[static SOURCE_ERROR_BYTES])
{
	bool has_expression = config->filter && *config->filter;
	int snap_bytes = snap_of(config->snap_bytes);
	int outcome = 0;

	snprintf(ret_filter->words, sizeof(ret_filter->words), "%.80s",
		has_expression ? config->filter : "snap length");
	ret_filter->code[0] =
		(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (uint32_t)snap_bytes);
	ret_filter->count = 1;
	if (has_expression)
		outcome = compile_expression(config, link_type, compiler, ret_filter, error);
	if (outcome == 0 && config->keeps_headers && header_snap_takes(link_type))
		append_header_snap((uint32_t)snap_bytes, ret_filter);
	return outcome;
}

int kernel_filter_attach(int fd, const struct kernel_filter *filter,
	const struct steering_program *ahead, char error[static SOURCE_ERROR_BYTES])
{
	struct sock_filter code[BPF_MAXINSNS];
	unsigned ahead_count = ahead ? ahead->count : 0;

	if (ahead_count + filter->count > BPF_MAXINSNS)
		return too_long(filter, filter->count, BPF_MAXINSNS - ahead_count, error);
	if (ahead)
		memcpy(code, ahead->code, ahead_count * sizeof(*code));
	memcpy(code + ahead_count, filter->code, filter->count * sizeof(*code));
	struct sock_fprog program = {
		.len = (unsigned short)(ahead_count + filter->count),
		.filter = code,
	};
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program))) {
		int outcome = -errno;
		snprintf(error, SOURCE_ERROR_BYTES, "filter '%s': the kernel refuses it: %s",
			filter->words, strerror(-outcome));
		return outcome;
	}
	return 0;
}

/* Every kind of socket takes the same programs. */
int kernel_filter_check(const struct kernel_filter *filter,
	const struct steering_program *ahead, char error[static SOURCE_ERROR_BYTES])
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		int outcome = -errno;
		snprintf(error, SOURCE_ERROR_BYTES, "filter '%s': %s", filter->words,
			strerror(-outcome));
		return outcome;
	}
	int outcome = kernel_filter_attach(fd, filter, ahead, error);
	close(fd);
	return outcome;
}
