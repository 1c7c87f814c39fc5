/* SPDX-License-Identifier: BSD-2-Clause */
/* A build without libseccomp. */
#include "sensor/sandbox.h"

#include <errno.h>

int sandbox_seccomp(bool may_open_packet_sockets)
{
	(void)may_open_packet_sockets;
	return -ENOTSUP;
}

const char *sandbox_seccomp_gap(void)
{
	return "this build has no libseccomp";
}
