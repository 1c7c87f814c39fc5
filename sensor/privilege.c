/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/privilege.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/config.h"
#include "sensor/sandbox.h"

#define OWN_USER "ringflow"
#define ANY_USER "nobody"
#define NET_RAW_BIT 13

/* -- whom to become ------------------------------------------------------------------- */

/* Started by root the sensor becomes somebody else. Not to read capture files: whoever named
 * them meant to read them. */
static const char *user_of(const struct config *config)
{
	if (config->user)
		return config->user;
	if (config->file_count > 0 || geteuid() != 0)
		return NULL;
	return getpwnam(OWN_USER) ? OWN_USER : getpwnam(ANY_USER) ? ANY_USER : NULL;
}

/* -- which files ---------------------------------------------------------------------- */

/* The folder that a path is in; .room is for its name. */
static const char *folder_of(const char *path, char room[static PATH_MAX])
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return ".";
	if (slash == path)
		return "/";
	snprintf(room, PATH_MAX, "%.*s", (int)(slash - path), path);
	return room;
}

/* A path of the table and what it is made of, which has to stay in memory. */
struct path_list {
	struct sandbox_path
		paths[CONFIG_FILES_MAX + CONFIG_SOURCES_MAX + CONFIG_DESTINATIONS_MAX + 3];
	char rooms[CONFIG_SOURCES_MAX + CONFIG_DESTINATIONS_MAX + 2][PATH_MAX];
	size_t count, room_count;
};

static void list(struct path_list *list, const char *path, enum sandbox_access access)
{
	list->paths[list->count++] = (struct sandbox_path){ path, access };
}

static void list_folder_of(struct path_list *to, const char *path, enum sandbox_access access)
{
	if (path)
		list(to, folder_of(path, to->rooms[to->room_count++]), access);
}

static int limit_paths(const struct config *config)
{
	struct path_list *paths = calloc(1, sizeof(*paths));

	if (!paths)
		return -ENOMEM;
	for (size_t i = 0; i < config->file_count; i++)
		list(paths, config->files[i], SANDBOX_READ);
	/* To be read again: the files, and those that come into their folders. */
	list(paths, config_folder, SANDBOX_READ);
	for (size_t i = 0; i < config->source_count; i++)
		list_folder_of(paths, config->sources[i], SANDBOX_READ);
	for (size_t i = 0; i < config->destination_count; i++)
		list_folder_of(paths, config->destinations[i].path, SANDBOX_KEEP);
	list_folder_of(paths, config->control_path, SANDBOX_UNLINK);
	list_folder_of(paths, config->pid_file, SANDBOX_UNLINK);
	int rc = sandbox_landlock(config->file_count == 0, paths->paths, paths->count);
	free(paths);
	return rc;
}

/* -- the sandbox ---------------------------------------------------------------------- */

static int enter_landlock(const struct config *config, struct privilege_report *report,
	char error[static PRIVILEGE_ERROR_BYTES])
{
	if (!(config->sandbox & CONFIG_SANDBOX_LANDLOCK)) {
		report->gap = "--sandbox leaves Landlock out";
		report->is_gap_asked_for = true;
		return 0;
	}
	int rc = limit_paths(config);
	if (rc < 0) {
		snprintf(error, PRIVILEGE_ERROR_BYTES, "Landlock: %s", strerror(-rc));
		return rc;
	}
	report->landlock_abi = rc;
	if (rc == 0)
		report->gap = "no Landlock here";
	return 0;
}

static int enter_seccomp(const struct config *config, bool keeps_net_raw,
	struct privilege_report *report, char error[static PRIVILEGE_ERROR_BYTES])
{
	if (!(config->sandbox & CONFIG_SANDBOX_SECCOMP)) {
		report->gap = report->gap ? "--sandbox leaves both parts out"
					  : "--sandbox leaves the filter for system calls out";
		report->is_gap_asked_for = true;
		return 0;
	}
	int rc = sandbox_seccomp(keeps_net_raw);
	report->filters_calls = rc == 0;
	if (rc == -ENOTSUP) {
		report->gap = sandbox_seccomp_gap();
		return 0;
	}
	if (rc < 0)
		snprintf(error, PRIVILEGE_ERROR_BYTES, "filtering system calls: %s",
			strerror(-rc));
	return rc;
}

int privilege_drop(const struct config *config, bool keeps_net_raw,
	struct privilege_report *ret_report, char error[static PRIVILEGE_ERROR_BYTES])
{
	struct privilege_report report = { 0 };
	int rc = privilege_give_up(
		user_of(config), config->user != NULL, keeps_net_raw, &report, error);

	if (rc == 0)
		rc = enter_landlock(config, &report, error);
	if (rc == 0)
		rc = enter_seccomp(config, keeps_net_raw, &report, error);
	if (rc == 0)
		*ret_report = report;
	return rc;
}

/* -- words ---------------------------------------------------------------------------- */

const char *privilege_describe(
	const struct privilege_report *report, char text[static PRIVILEGE_TEXT_BYTES])
{
	char landlock[32] = "any path";

	if (report->landlock_abi > 0)
		snprintf(landlock, sizeof(landlock), "Landlock %d", report->landlock_abi);
	snprintf(text, PRIVILEGE_TEXT_BYTES, "user %s, %s, %s, %s, %s, %u threads checked",
		report->user,
		report->capabilities == 0                            ? "no capabilities"
		: report->capabilities == UINT64_C(1) << NET_RAW_BIT ? "CAP_NET_RAW alone"
								     : "capabilities",
		report->has_no_new_privs ? "no new privileges" : "new privileges possible",
		landlock, report->filters_calls ? "filtered system calls" : "any system call",
		report->threads);
	return text;
}
