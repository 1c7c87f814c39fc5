/* SPDX-License-Identifier: BSD-2-Clause */
/* A build with sanitizers: they trace, fork and read what they please, and so they may. */
#include "sensor/sandbox.h"

#include <errno.h>
#include <sys/prctl.h>

int sandbox_seccomp(bool may_open_packet_sockets)
{
	(void)may_open_packet_sockets;
	/* The search for leaks attaches to our threads, also after a change of the user. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return -ENOTSUP;
}

const char *sandbox_seccomp_gap(void)
{
	return "this is a build with sanitizers";
}
