/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which link type an AF_PACKET SOCK_RAW socket delivers on an interface, by its hardware type
 * (ARPHRD_ number).
 */
#ifndef RING_HARDWARE_TYPE_H
#define RING_HARDWARE_TYPE_H

/* LINKTYPE_ value, or -1 when frames of such interfaces have no form that is known here. */
int hardware_type_link_type(unsigned hardware_type);

#endif
