/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Community ID, version 1 (github.com/corelight/community-id-spec): a name for a flow that
 * every program gives it alike, made of addresses, protocol and ports, the same for both
 * directions.
 */
#ifndef EXPORT_COMMUNITY_ID_H
#define EXPORT_COMMUNITY_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "export/flow_record.h"

#define COMMUNITY_ID_OCTETS 30 /* "1:" and a SHA-1 in base64 */

/* False when the build has no library for SHA-1. */
bool community_id_is_built(void);

/* Write COMMUNITY_ID_OCTETS without a zero behind them. .direction says whose ICMP type counts;
 * what answers each other has the same name. */
void community_id_write(uint8_t *to, const struct flow_record *record, unsigned direction);

#endif
