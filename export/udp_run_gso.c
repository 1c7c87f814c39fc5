/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Generic segmentation offload: the octets pass the kernel as one large packet, which is cut as
 * late as possible, at best by the network card. Far the most of what a datagram costs is paid
 * once per packet, not per octet.
 *
 * sendmmsg() would save the call alone, and it swallows the word that a datagram did not arrive
 * when that comes between two of its own.
 */
#include "export/udp_run.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

bool udp_run_is_known(int fd)
{
	int segment_bytes;
	socklen_t bytes = sizeof(segment_bytes);

	return getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment_bytes, &bytes) == 0;
}

int udp_run_send(int fd, const uint8_t *bytes, size_t length, size_t message_bytes)
{
	uint16_t segment_bytes = (uint16_t)message_bytes;
	struct iovec vector = { (void *)(uintptr_t)bytes, length };
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(sizeof(segment_bytes))];
	} control = { .bytes = { 0 } };
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *part = CMSG_FIRSTHDR(&message);
	ssize_t sent;

	part->cmsg_level = IPPROTO_UDP;
	part->cmsg_type = UDP_SEGMENT;
	part->cmsg_len = CMSG_LEN(sizeof(segment_bytes));
	memcpy(CMSG_DATA(part), &segment_bytes, sizeof(segment_bytes));
	do
		sent = sendmsg(fd, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

/* The route has no checksum offload, goes through IPsec, or has a smaller MTU than a message;
 * or the kernel is older than the option. */
bool udp_run_is_refusal(int result)
{
	return result == -EIO || result == -EINVAL || result == -EMSGSIZE ||
	       result == -ENOPROTOOPT || result == -EOPNOTSUPP;
}
