/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much of a frame is worth copying into the ring, decided by the kernel for each frame of
 * an Ethernet interface:
 *
 *   short frames                             whole
 *   TCP and UDP over IPv4                    up to the transport header behind 40 octets of
 *                                            options, had they been there
 *   TCP and UDP over IPv6                    up to the transport header
 *   IPv6 with extension headers              whole: nobody knows how far the headers reach
 *   UDP to a port of a tunnel, all others    the snap length
 *
 * The transport header means TCP's up to the control bits, and all of UDP's. Copying is most of
 * what a frame costs the kernel. What a flow needs to know is the same whether this runs or
 * not.
 */
#ifndef RING_HEADER_SNAP_H
#define RING_HEADER_SNAP_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

/* Instructions that header_snap_write() writes at most. */
#define HEADER_SNAP_CODE_MAX 40

/* Is there a program for frames of this LINKTYPE_ value? */
bool header_snap_takes(int link_type);

/* Write the program; returns its number of instructions. */
unsigned header_snap_write(uint32_t snap_bytes, struct sock_filter *ret_code);

#endif
