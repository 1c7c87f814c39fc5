/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ringflowctl's side of the control socket: connect, send a request, hand what comes back to a
 * reader, and pass what the reader makes of it to standard output, which may be slow without
 * holding up the daemon.
 */
#ifndef SENSOR_CTL_SESSION_H
#define SENSOR_CTL_SESSION_H

#include "sensor/ctl_spool.h"

/* Makes output of a reply, piece by piece. */
struct ctl_reader {
	/* Take octets of the reply and put what is to be printed into .spool. 0, or a negative
	 * errno of the spool. */
	int (*take)(struct ctl_reader *reader, const char *bytes, size_t length,
		struct spool *spool);
	bool is_done; /* the reply is whole: nothing more is read */
};

/* A connected descriptor, or a negative errno. */
int ctl_connect(const char *path, int patience_s);

/* Why ctl_connect() failed, and what to do about it. */
const char *ctl_connect_reason(int rc);

/*
 * Send the request, read until the reader is done or the daemon hangs up, and print. 0;
 * -ETIMEDOUT when the daemon was silent for .patience_s; or another negative errno, -EPIPE
 * being standard output's.
 */
int ctl_exchange(
	int fd, const char *request, size_t length, int patience_s, struct ctl_reader *reader);

#endif
