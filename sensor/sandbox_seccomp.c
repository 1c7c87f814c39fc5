/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter is made from sandbox_call.def. Rows say which calls; the few whose arguments
 * matter stand here:
 *
 *	clone     threads alone; clone3, whose arguments a filter cannot see, is answered with
 *	          ENOSYS, and the C library takes clone instead
 *
 *	mmap      nothing that can be written and run
 *
 *	mprotect  nothing that can be run
 *
 *	tgkill    the process itself (abort)
 */
#include "sensor/sandbox.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOW_HALF UINT64_C(0xffffffff) /* what the kernel looks at of an int */
#define BINARY_TREE 2                 /* a search, not a walk, through the rows */
#define API_KILL_PROCESS 3            /* libseccomp's level of kernels that know it */
#ifdef __s390__
#define CLONE_FLAGS 1 /* which argument they are */
#else
#define CLONE_FLAGS 0
#endif

enum row_kind {
	ROW_CALL,
	ROW_FAMILY,
	ROW_REQUEST,
	ROW_CONTROL,
	ROW_NEVER,
};

struct row {
	enum row_kind kind;
	const char *name;
	uint64_t argument;
};

static const struct row rows[] = {
#define GROUP(why)
#define CALL(name) { ROW_CALL, #name, 0 },
#define FAMILY(name) { ROW_FAMILY, #name, name },
#define REQUEST(name) { ROW_REQUEST, #name, name },
#define CONTROL(name) { ROW_CONTROL, #name, name },
#define NEVER(name) { ROW_NEVER, #name, 0 },
#include "sensor/sandbox_call.def"
};

static struct scmp_arg_cmp equals(unsigned argument, uint64_t value)
{
	return SCMP_CMP64(argument, SCMP_CMP_MASKED_EQ, LOW_HALF, value);
}

static struct scmp_arg_cmp has_bits(unsigned argument, uint64_t mask, uint64_t value)
{
	return SCMP_CMP64(argument, SCMP_CMP_MASKED_EQ, mask, value);
}

/* What neither this architecture nor this libseccomp knows cannot be called by its name. */
static int add(scmp_filter_ctx filter, uint32_t action, const char *name,
	const struct scmp_arg_cmp *condition)
{
	int number = seccomp_syscall_resolve_name(name);

	if (number == __NR_SCMP_ERROR)
		return 0;
	return seccomp_rule_add_array(filter, action, number, condition ? 1 : 0, condition);
}

static int allow(scmp_filter_ctx filter, const char *name, struct scmp_arg_cmp condition)
{
	return add(filter, SCMP_ACT_ALLOW, name, &condition);
}

static int allow_family(scmp_filter_ctx filter, uint64_t family)
{
	int rc = allow(filter, "socket", equals(0, family));

	return rc < 0 ? rc : allow(filter, "socketpair", equals(0, family));
}

static int add_row(scmp_filter_ctx filter, const struct row *row)
{
	switch (row->kind) {
	case ROW_CALL:
		return add(filter, SCMP_ACT_ALLOW, row->name, NULL);
	case ROW_FAMILY:
		return allow_family(filter, row->argument);
	case ROW_REQUEST:
		return allow(filter, "ioctl", equals(1, row->argument));
	case ROW_CONTROL:
		return allow(filter, "prctl", equals(0, row->argument));
	case ROW_NEVER:
		/* Where the kernel cannot, or is not allowed to say that it can, these are as
		 * any other call that is not in the table. */
		if (seccomp_api_get() < API_KILL_PROCESS)
			return 0;
		return add(filter, SCMP_ACT_KILL_PROCESS, row->name, NULL);
	}
	return 0;
}

static int add_special(scmp_filter_ctx filter)
{
	const struct {
		const char *name;
		struct scmp_arg_cmp condition;
	} specials[] = {
		{ "clone", has_bits(CLONE_FLAGS, CLONE_THREAD, CLONE_THREAD) },
		{ "mmap", has_bits(2, PROT_WRITE, 0) },
		{ "mmap", has_bits(2, PROT_EXEC, 0) },
		{ "mmap2", has_bits(2, PROT_WRITE, 0) },
		{ "mmap2", has_bits(2, PROT_EXEC, 0) },
		{ "mprotect", has_bits(2, PROT_EXEC, 0) },
		{ "tgkill", equals(0, (uint64_t)getpid()) },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(specials) / sizeof(specials[0]); i++)
		rc = allow(filter, specials[i].name, specials[i].condition);
	return rc;
}

static int fill(scmp_filter_ctx filter, bool may_open_packet_sockets)
{
	int rc = add_special(filter);

	for (size_t i = 0; rc == 0 && i < sizeof(rows) / sizeof(rows[0]); i++)
		rc = add_row(filter, &rows[i]);
	if (rc == 0 && may_open_packet_sockets)
		rc = allow_family(filter, AF_PACKET);
	return rc;
}

int sandbox_seccomp(bool may_open_packet_sockets)
{
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
		return -ENOTSUP;
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (!filter)
		return -ENOMEM;
	/* To the kernel's log goes what was refused; an old kernel does without. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, BINARY_TREE);
	int rc = fill(filter, may_open_packet_sockets);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc;
}

const char *sandbox_seccomp_gap(void)
{
	return "the kernel has no filter for system calls";
}
