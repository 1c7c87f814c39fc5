/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the process can still reach once it is at work: files (Landlock) and system calls
 * (seccomp). Each is a file that the build takes or leaves; the tables sandbox_path.def and
 * sandbox_call.def say what stays allowed, and why.
 */
#ifndef SENSOR_SANDBOX_H
#define SENSOR_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

enum sandbox_access {
	SANDBOX_READ,   /* read files, list folders */
	SANDBOX_CHANGE, /* read and write what is there */
	SANDBOX_UNLINK, /* take away files of a folder */
	SANDBOX_KEEP,   /* make, write, rename and take away files of a folder */
};

struct sandbox_path {
	const char *path; /* a file, or a folder for all beneath it */
	enum sandbox_access access;
};

/* Whoever wants a file that is neither in the table nor beneath one of .more gets EACCES from
 * here on. Paths that do not exist are left out. is_live: of an interface, not of capture
 * files. Returns the version of Landlock; 0 when there is none; or a negative errno. */
int sandbox_landlock(bool is_live, const struct sandbox_path *more, size_t count);

/*
 * A system call that is not in the table gets ENOSYS, as from a kernel that does not know it,
 * for which libraries have another way. Those that no library asks for, but an intruder does,
 * end the process. may_open_packet_sockets: libpcap opens its interface again.
 * 0, -ENOTSUP when this build cannot or should not filter, or a negative errno.
 */
int sandbox_seccomp(bool may_open_packet_sockets);

/* Why sandbox_seccomp() says -ENOTSUP, as a phrase. */
const char *sandbox_seccomp_gap(void);

#endif
