/* SPDX-License-Identifier: BSD-2-Clause */
/* The version, and what the build contains: the build system hands both in. */
#include <pcap/pcap.h>

#include "sensor/config_row.h"

#ifndef RINGFLOW_VERSION
#error "the build system defines RINGFLOW_VERSION"
#endif

const char *version_number(void)
{
	return RINGFLOW_VERSION;
}

void version_write(const char *program, bool is_verbose, FILE *out)
{
	fprintf(out, "%s (ringflow) " RINGFLOW_VERSION "\n", program);
	if (!is_verbose)
		return;
	fprintf(out, "sources: " RINGFLOW_SOURCES "\n");
	fprintf(out, "compressed captures: " RINGFLOW_COMPRESSION "\n");
	fprintf(out, "%s\n", pcap_lib_version());
}
