/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What needs rights is opened first; then the rights go, in this order:
 *
 *   user, capabilities   privilege_capng.c (libcap-ng) or privilege_none.c
 *   no_new_privs
 *   paths                sandbox_landlock.c: which files can be opened from here on
 *   system calls         sandbox_seccomp.c: which of them the kernel still answers
 *
 * All of this is per thread and inherited: it runs before any other thread is made. What came
 * of it is read back from /proc, for every thread, and refused when it is not what was meant.
 */
#ifndef SENSOR_PRIVILEGE_H
#define SENSOR_PRIVILEGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PRIVILEGE_ERROR_BYTES 512
#define PRIVILEGE_TEXT_BYTES 256
#define PRIVILEGE_USER_BYTES 64

struct config;

/* What the process may still do. */
struct privilege_report {
	char user[PRIVILEGE_USER_BYTES]; /* whom it runs as */
	uid_t uid;
	uint64_t capabilities; /* effective and permitted: a bit per capability */
	uint64_t bounding;     /* what could not be cut; of no use under no_new_privs, like */
	uint64_t inheritable;  /* what is left where the service manager forbids capset(2) */
	bool has_no_new_privs;
	int landlock_abi;      /* 0: paths are not limited */
	bool filters_calls;    /* system calls are limited */
	const char *gap;       /* why one of the two is not on, as a phrase; NULL: both are */
	bool is_gap_asked_for; /* by --sandbox */
	unsigned threads;      /* as of the last check; 0: /proc could not be read */
};

/*
 * Give up, for good, all rights that the steady state does not need. keeps_net_raw: the source
 * must be able to open its interface again (libpcap does, the ring does not).
 * 0, or a negative errno with a sentence in .error.
 */
int privilege_drop(const struct config *config, bool keeps_net_raw,
	struct privilege_report *ret_report, char error[static PRIVILEGE_ERROR_BYTES]);

/*
 * Look at every thread of the process: 0 when all have the rights of .report and no more, and
 * .report->threads says how many they are; 0 with .threads == 0 when there is no /proc to look
 * into. -EPERM with a sentence in .error when one differs.
 */
int privilege_check(struct privilege_report *report, char error[static PRIVILEGE_ERROR_BYTES]);

/* "user nobody, no capabilities, ..." in one line. Returns .text. */
const char *privilege_describe(
	const struct privilege_report *report, char text[static PRIVILEGE_TEXT_BYTES]);

/* The first step of privilege_drop(), by the build: change the user, drop the capabilities,
 * forbid new ones; fills the first half of the report. user: NULL keeps it; .is_asked_for: to
 * fail where it cannot be had is better than to stay. */
int privilege_give_up(const char *user, bool is_asked_for, bool keeps_net_raw,
	struct privilege_report *report, char error[static PRIVILEGE_ERROR_BYTES]);

#endif
