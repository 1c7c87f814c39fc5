/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware types and the link type of their raw frames. Tunnels and point-to-point devices have
 * no link header of their own: the frame starts with the IP header. The numbers are kernel and
 * registry constants, so they stand here as such.
 */
#include "ring/hardware_type.h"

#include <linux/if_arp.h>
#include <stddef.h>

/* clang-format off */
enum {
	LINKTYPE_ETHERNET          = 1,
	LINKTYPE_RAW               = 101,
	LINKTYPE_C_HDLC            = 104,
	LINKTYPE_IEEE802_11        = 105,
	LINKTYPE_IEEE802_11_RADIOTAP = 127,
};

static const struct {
	unsigned hardware_type;
	int link_type;
} rows[] = {
	{ ARPHRD_ETHER,              LINKTYPE_ETHERNET },
	{ ARPHRD_LOOPBACK,           LINKTYPE_ETHERNET },
	{ ARPHRD_NONE,               LINKTYPE_RAW },  /* tun, wireguard */
	{ ARPHRD_RAWIP,              LINKTYPE_RAW },  /* cellular modems */
	{ ARPHRD_PPP,                LINKTYPE_RAW },
	{ ARPHRD_TUNNEL,             LINKTYPE_RAW },  /* ipip */
	{ ARPHRD_TUNNEL6,            LINKTYPE_RAW },
	{ ARPHRD_SIT,                LINKTYPE_RAW },
	{ ARPHRD_CISCO,              LINKTYPE_C_HDLC },
	{ ARPHRD_IEEE80211,          LINKTYPE_IEEE802_11 },
	{ ARPHRD_IEEE80211_RADIOTAP, LINKTYPE_IEEE802_11_RADIOTAP },
};
/* clang-format on */

int hardware_type_link_type(unsigned hardware_type)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].hardware_type == hardware_type)
			return rows[i].link_type;
	return -1;
}
