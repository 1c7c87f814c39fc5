/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operator's expression and the snap length as one classic BPF program. libpcap compiles,
 * the kernel runs it; the program's return value is the snap length.
 *
 * The kernel takes the VLAN tag off a frame before the program sees it. Only a libpcap handle
 * that is active on a live Ethernet interface makes code for `vlan` that asks the kernel for
 * the tag; a dead handle makes code that looks into the frame and never matches. So a live
 * handle is opened for the compiler's sake. libpcap refuses interfaces that are down; the
 * loopback has frames of the same form and stands in. Without either, an expression that does
 * not mention tags compiles the same on a dead handle.
 */
#include "ring/kernel_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define SNAP_BYTES_MAX 262144
/* The handle is only compiled with: keep its ring small. */
#define COMPILER_BUFFER_BYTES 65536
#define LINKTYPE_RAW 101

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

static pcap_t *open_compiler(
	const char *interface, int link_type, int snap_bytes, const char *expression)
{
	pcap_t *handle = NULL;

	/* Frames of other link types have no tag that could be taken off. */
	if (link_type == DLT_EN10MB) {
		handle = open_live(interface, snap_bytes);
		if (!handle)
			handle = open_live("lo", snap_bytes);
		if (!handle && strstr(expression, "vlan"))
			return NULL;
	}
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

static int attach(int fd, const struct bpf_program *program, const char *expression,
	char error[static SOURCE_ERROR_BYTES])
{
	struct sock_fprog kernel_program = {
		.len = (unsigned short)program->bf_len,
		.filter = (struct sock_filter *)program->bf_insns,
	};

	if (program->bf_len > BPF_MAXINSNS) {
		snprintf(error, SOURCE_ERROR_BYTES,
			"filter '%.80s': too long for the kernel (%u instructions of %u)",
			expression, program->bf_len, BPF_MAXINSNS);
		return -E2BIG;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &kernel_program,
		    sizeof(kernel_program))) {
		int outcome = -errno;
		snprintf(error, SOURCE_ERROR_BYTES, "filter '%.80s': the kernel refuses it: %s",
			expression, strerror(-outcome));
		return outcome;
	}
	return 0;
}

static int attach_expression(int fd, const char *interface, int link_type, int snap_bytes,
	const char *expression, char error[static SOURCE_ERROR_BYTES])
{
	struct bpf_program program;
	pcap_t *compiler = open_compiler(interface, link_type, snap_bytes, expression);

	if (!compiler) {
		snprintf(error, SOURCE_ERROR_BYTES,
			"filter '%.80s': 'vlan' can only be compiled while %s is up",
			expression, interface);
		return -ENETDOWN;
	}
	if (pcap_compile(compiler, &program, expression, 1, netmask_of(interface))) {
		snprintf(error, SOURCE_ERROR_BYTES, "filter '%.80s': %s", expression,
			pcap_geterr(compiler));
		pcap_close(compiler);
		return -EINVAL;
	}
	int outcome = attach(fd, &program, expression, error);
	pcap_freecode(&program);
	pcap_close(compiler);
	return outcome;
}

int kernel_filter_attach(int fd, const char *interface, int link_type, uint32_t snap_bytes,
	const char *expression, char error[static SOURCE_ERROR_BYTES])
{
	struct bpf_insn keep = BPF_STMT(BPF_RET | BPF_K, snap_bytes);
	const struct bpf_program snap_only = { .bf_len = 1, .bf_insns = &keep };

	if (expression && *expression)
		return attach_expression(
			fd, interface, link_type, snap_of(snap_bytes), expression, error);
	if (snap_bytes)
		return attach(fd, &snap_only, "snap length", error);
	return 0;
}
