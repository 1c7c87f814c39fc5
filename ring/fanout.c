/* SPDX-License-Identifier: BSD-2-Clause */
#include "ring/fanout.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#define ID_MASK 0xffff
#define TYPE_SHIFT 16

int fanout_shut(int fd)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &none };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ? -errno
										       : 0;
}

/* The kernel finds an id that is not taken in this network namespace. */
static int make_group(struct fanout *group, int fd, int link_type)
{
	struct steering_program program;
	uint32_t request = (PACKET_FANOUT_CBPF | PACKET_FANOUT_FLAG_UNIQUEID) << TYPE_SHIFT;
	uint32_t answer;
	socklen_t answer_bytes = sizeof(answer);

	if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &request, sizeof(request)) ||
		getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &answer, &answer_bytes))
		return -errno;
	steering_write(&group->steering, link_type, STEERING_FANOUT, 0, &program);
	struct sock_fprog code = { .len = (uint16_t)program.count, .filter = program.code };
	if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, &code, sizeof(code)))
		return -errno;
	group->id = answer & ID_MASK;
	group->has_id = true;
	return 0;
}

int fanout_join(struct fanout *group, int fd, int link_type)
{
	if (!group->has_id)
		return make_group(group, fd, link_type);
	uint32_t request = (uint32_t)PACKET_FANOUT_CBPF << TYPE_SHIFT | group->id;
	return setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &request, sizeof(request)) ? -errno
										    : 0;
}
