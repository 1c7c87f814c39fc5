/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Printed records on their way to a descriptor (--print: standard output). Each lane puts its
 * records into a bounded ring, a thread of the sink's own writes them out, so a reader that is
 * slow, or gone, is none of the lanes' business, and no lane is another's: live, a record that
 * finds no room is dropped whole and counted. In replay nothing is urgent and the lane waits
 * for room instead.
 */
#ifndef SENSOR_PRINT_SINK_H
#define SENSOR_PRINT_SINK_H

#include "export/print.h"

struct print_sink;

/*
 * Print to .fd (borrowed until the sink is freed) as .config says, the header first.
 * .may_wait: print_sink_record() waits for room, print_sink_close() for the reader.
 * .lanes: how many will print. The records of one keep their order.
 * 0 or a negative errno.
 */
int print_sink_new(const struct print_config *config, int fd, bool may_wait, unsigned lanes,
	struct print_sink **ret_sink);

/* Print one record. From one thread for each lane. */
void print_sink_record(
	struct print_sink *sink, unsigned lane, const struct flow_record *record);

/* Records of a lane that were not, or not wholly, written. Exact after print_sink_close(). Any
 * thread. */
uint64_t print_sink_lost(const struct print_sink *sink, unsigned lane);

/*
 * Write out what is held and end the thread; later records are lost. Live, a reader that takes
 * nothing for a second is given up and the rest counted as lost. NULL and a second call are
 * fine.
 */
void print_sink_close(struct print_sink *sink);

/* Close, then free. NULL is fine. */
void print_sink_free(struct print_sink *sink);

#endif
