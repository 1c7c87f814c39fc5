/* SPDX-License-Identifier: BSD-2-Clause */
/* The user and the capabilities, through libcap-ng. */
#include "sensor/privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static bool is_capable(unsigned capability)
{
	return capng_have_capability(CAPNG_EFFECTIVE, capability) == 1;
}

static void name_user(struct privilege_report *report)
{
	const struct passwd *account = getpwuid(report->uid);

	if (account)
		snprintf(report->user, sizeof(report->user), "%s", account->pw_name);
	else
		snprintf(report->user, sizeof(report->user), "%lu", (unsigned long)report->uid);
}

/* Whom to become: NULL for nobody else. */
static int find_account(const char *user, bool is_asked_for, const struct passwd **ret_account,
	char error[static PRIVILEGE_ERROR_BYTES])
{
	*ret_account = NULL;
	if (!user)
		return 0;
	const struct passwd *account = getpwnam(user);
	if (!account) {
		snprintf(error, PRIVILEGE_ERROR_BYTES, "--user %s: no such user", user);
		return -ENOENT;
	}
	if (account->pw_uid == geteuid())
		return 0;
	if (!is_capable(CAP_SETUID) || !is_capable(CAP_SETGID)) {
		snprintf(error, PRIVILEGE_ERROR_BYTES,
			"--user %s: changing the user needs CAP_SETUID and CAP_SETGID", user);
		return is_asked_for ? -EPERM : 0;
	}
	*ret_account = account;
	return 0;
}

static uint64_t set_of(capng_type_t type)
{
	uint64_t set = 0;

	for (unsigned capability = 0; capability <= CAP_LAST_CAP; capability++)
		if (capng_have_capability(type, capability) == 1)
			set |= UINT64_C(1) << capability;
	return set;
}

/* While the process still may. Without CAP_SETPCAP the bounding set cannot be cut; it does not
 * matter then, since no_new_privs keeps anybody from using it. */
static int cut_bounding(uint64_t *ret_left, char error[static PRIVILEGE_ERROR_BYTES])
{
	*ret_left = 0;
	if (!is_capable(CAP_SETPCAP)) {
		*ret_left = set_of(CAPNG_BOUNDING_SET);
		return 0;
	}
	capng_clear(CAPNG_SELECT_BOUNDS);
	int rc = capng_apply(CAPNG_SELECT_BOUNDS);
	if (rc == 0)
		return 0;
	snprintf(error, PRIVILEGE_ERROR_BYTES,
		"the bounding set of capabilities cannot be cut (libcap-ng %d)", rc);
	return -EPERM;
}

static int apply(const struct passwd *account, char error[static PRIVILEGE_ERROR_BYTES])
{
	int rc = account ? capng_change_id((int)account->pw_uid, (int)account->pw_gid,
				   CAPNG_INIT_SUPP_GRP | CAPNG_CLEAR_AMBIENT)
			 : capng_apply(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT);

	if (rc == 0)
		return 0;
	if (account)
		snprintf(error, PRIVILEGE_ERROR_BYTES,
			"--user %s: cannot be had (libcap-ng %d: %s)", account->pw_name, rc,
			strerror(errno));
	else
		snprintf(error, PRIVILEGE_ERROR_BYTES,
			"capabilities cannot be given up (libcap-ng %d: %s)", rc,
			strerror(errno));
	return -EPERM;
}

static int change(const struct passwd *account, bool keeps_net_raw,
	char error[static PRIVILEGE_ERROR_BYTES])
{
	capng_clear(CAPNG_SELECT_ALL);
	if (keeps_net_raw)
		capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_RAW, -1);
	return apply(account, error);
}

/* Nothing to give up, perhaps because the program was run without rights: then it is no matter
 * whether capset(2) is forbidden, as it is in systemd's stricter units. */
static bool is_there_already(const struct passwd *account, uint64_t wanted)
{
	return !account && set_of(CAPNG_EFFECTIVE) == wanted &&
	       set_of(CAPNG_PERMITTED) == wanted && set_of(CAPNG_AMBIENT) == 0;
}

int privilege_give_up(const char *user, bool is_asked_for, bool keeps_net_raw,
	struct privilege_report *report, char error[static PRIVILEGE_ERROR_BYTES])
{
	const struct passwd *account;

	if (capng_get_caps_process() != 0) {
		snprintf(error, PRIVILEGE_ERROR_BYTES, "the capabilities cannot be read");
		return -EPERM;
	}
	int rc = find_account(user, is_asked_for, &account, error);
	if (rc < 0)
		return rc;
	uint64_t bounding;
	rc = cut_bounding(&bounding, error);
	if (rc < 0)
		return rc;
	keeps_net_raw = keeps_net_raw && is_capable(CAP_NET_RAW);
	uint64_t wanted = keeps_net_raw ? UINT64_C(1) << CAP_NET_RAW : 0;
	uint64_t inheritable = 0;
	if (is_there_already(account, wanted))
		inheritable = set_of(CAPNG_INHERITABLE);
	else
		rc = change(account, keeps_net_raw, error);
	if (rc < 0)
		return rc;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		snprintf(error, PRIVILEGE_ERROR_BYTES, "no_new_privs: %s", strerror(errno));
		return -EPERM;
	}
	report->uid = geteuid();
	report->capabilities = wanted;
	report->bounding = bounding;
	report->inheritable = inheritable;
	report->has_no_new_privs = true;
	name_user(report);
	return 0;
}
