/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libpcap's live handles tell the link type as DLT_ value, which differs by operating system
 * for a few old types. LINKTYPE_ values are the same everywhere.
 */
#ifndef RING_DLT_H
#define RING_DLT_H

/* LINKTYPE_ value of a DLT_ value of this host. */
int dlt_link_type(int dlt);

#endif
