/* SPDX-License-Identifier: BSD-2-Clause */
/* DLT_ values of this host that are not the LINKTYPE_ value. All others are. */
#include "ring/dlt.h"

#include <pcap/pcap.h>
#include <stddef.h>

/* clang-format off */
static const struct {
	int dlt;
	int link_type;
} rows[] = {
	{ DLT_ATM_RFC1483, 100 },
	{ DLT_RAW,         101 },
	{ DLT_SLIP_BSDOS,  102 },
	{ DLT_PPP_BSDOS,   103 },
	{ DLT_LOOP,        108 },
	{ DLT_ENC,         109 },
};
/* clang-format on */

int dlt_link_type(int dlt)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].dlt == dlt)
			return rows[i].link_type;
	return dlt;
}
