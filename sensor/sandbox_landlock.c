/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Landlock, through its system calls: the C library has no functions for them. Each version of
 * the interface knows more kinds of access; those that this kernel does not know are left out,
 * since it would refuse the whole.
 */
#include "sensor/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As of version 6: headers may be older than the kernel that is met. */
struct ruleset {
	uint64_t access_fs, access_net, scoped;
};

#define ACCESS_FIRST ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1) /* the bits of version 1 */
#define ACCESS_REFER (UINT64_C(1) << 13)
#define ACCESS_TRUNCATE (UINT64_C(1) << 14)
#define ACCESS_IOCTL_DEV (UINT64_C(1) << 15)
#define SCOPE_ABSTRACT_SOCKET (UINT64_C(1) << 0)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

static const struct {
	int since;
	uint64_t access_fs, scoped;
} versions[] = {
	{ 1, ACCESS_FIRST, 0 },
	{ 2, ACCESS_REFER, 0 },
	{ 3, ACCESS_TRUNCATE, 0 },
	{ 5, ACCESS_IOCTL_DEV, 0 },
	{ 6, 0, SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL },
};

static const uint64_t granted[] = {
	[SANDBOX_READ] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
	[SANDBOX_CHANGE] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE,
	[SANDBOX_UNLINK] = LANDLOCK_ACCESS_FS_REMOVE_FILE,
	[SANDBOX_KEEP] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
			 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE |
			 ACCESS_TRUNCATE,
};
#define GRANTED_FILE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE)

static const struct {
	struct sandbox_path path;
	bool is_for_replay;
} table[] = {
#define PATH(path, access, replay, why) { { path, SANDBOX_##access }, replay },
#include "sensor/sandbox_path.def"
#undef PATH
};

static struct ruleset ruleset_of(int version)
{
	struct ruleset rules = { 0 };

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (version >= versions[i].since) {
			rules.access_fs |= versions[i].access_fs;
			rules.scoped |= versions[i].scoped;
		}
	return rules;
}

/* What is not there, or not to be had, needs no rule. */
static int allow(int rules_fd, const struct ruleset *rules, const struct sandbox_path *path)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = granted[path->access] & rules->access_fs,
	};
	struct stat status;
	int rc = 0;

	rule.parent_fd = open(path->path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return 0;
	if (fstat(rule.parent_fd, &status) == 0 && !S_ISDIR(status.st_mode))
		rule.allowed_access &= GRANTED_FILE;
	if (rule.allowed_access &&
		syscall(SYS_landlock_add_rule, rules_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
		rc = -errno;
	close(rule.parent_fd);
	return rc;
}

static int allow_table(int rules_fd, const struct ruleset *rules, bool is_live)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(table) / sizeof(table[0]); i++)
		if (is_live || table[i].is_for_replay)
			rc = allow(rules_fd, rules, &table[i].path);
	return rc;
}

int sandbox_landlock(bool is_live, const struct sandbox_path *more, size_t count)
{
	int version = (int)syscall(
		SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (version < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM ? 0 : -errno;
	struct ruleset rules = ruleset_of(version);
	int rules_fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
	if (rules_fd < 0)
		return -errno;
	int rc = allow_table(rules_fd, &rules, is_live);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = allow(rules_fd, &rules, &more[i]);
	if (rc == 0 && syscall(SYS_landlock_restrict_self, rules_fd, 0))
		rc = -errno;
	close(rules_fd);
	return rc < 0 ? rc : version;
}
