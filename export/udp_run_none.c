/* SPDX-License-Identifier: BSD-2-Clause */
/* Hosts that send one datagram at a time. */
#include "export/udp_run.h"

#include <errno.h>

bool udp_run_is_known(int fd)
{
	return false;
}

int udp_run_send(int fd, const uint8_t *bytes, size_t length, size_t message_bytes)
{
	return -EOPNOTSUPP;
}

bool udp_run_is_refusal(int result)
{
	return result == -EOPNOTSUPP;
}
