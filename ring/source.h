/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A source of packets: AF_PACKET ring, libpcap live capture, or capture files. The lane talks
 * to all of them through the calls below and never knows which one it has.
 *
 * No call blocks, save for source_next() on capture files: for a writer that is slow (a pipe),
 * or for the thread that reads them when they are shared (replay_share.h).
 *
 * A lane waits with poll() on source_fd() and calls source_next() when it is readable, has an
 * error, or 250 ms have passed: a lost interface is looked for from inside source_next(), and
 * that must happen even when the descriptor stays silent.
 */
#ifndef RING_SOURCE_H
#define RING_SOURCE_H

#include <stddef.h>

#include "ring/packet.h"

#define SOURCE_ERROR_BYTES 512

/*
 * Outcomes of source_next() besides 0 and a negative errno.
 *
 * SOURCE_DAMAGED: a capture file ends in damage. Everything before it was handed over, and so
 * were the files behind it; source_error() says which file, packet and offset; batch->is_end is
 * set.
 */
enum {
	SOURCE_DAMAGED = 1,
};

/*
 * How far a live source has come, and its totals: all that whoever goes on with its descriptors
 * has to know. Plain memory, which may be kept and given to another process of the same build.
 */
struct source_place {
	uint64_t
		block_sequence; /* the block that is read next, by the kernel's count; 0: any */
	uint32_t block;         /* where in the ring that is */
	uint32_t done_pkts;     /* of it, handed over already */
	int32_t link_type;
	uint32_t uses_spare; /* the first descriptor is of no more use, the second took over */
	uint32_t skips_outgoing; /* loopback */
	uint32_t zero;
	uint64_t newest_ns; /* the newest stamp, as the kernel made it */
	uint64_t clock_ns;  /* as packet_batch has it, and so .step_ns */
	int64_t step_ns;
	int64_t origin_ns; /* of the clock; 0: none yet */
	uint64_t damaged_pkts;
	struct ring_stats totals; /* .interface_dropped_pkts as of the last source_stats() */
};

/* What a live source leaves behind, or was opened by somebody else. */
struct source_handed {
	int fd, spare_fd;                 /* -1: none. Taken, and closed when that fails */
	const struct source_place *place; /* NULL: nobody has read from it yet */
};

/* Packet sockets that are bound to nothing yet (protocol 0, not blocking), from somebody who
 * may make them: of all that a ring needs, that is the one thing that takes a right. */
#define SOURCE_SOCKETS_MAX 128

struct source_sockets {
	int fds[SOURCE_SOCKETS_MAX];
	unsigned count; /* the last one is taken next */
};

struct source_config {
	const char *kind;         /* "tpacket", "pcap" (live) or "file"; NULL: best available */
	const char *interface;    /* live sources; "any" with libpcap; borrowed for its life */
	const char *const *files; /* capture files in order, "-" is standard input; borrowed */
	size_t file_count;
	const char *filter;   /* pcap-filter expression or NULL */
	uint32_t snap_bytes;  /* octets of each frame to keep; 0: all */
	bool keeps_headers;   /* of common frames only what a flow needs to know, where the
			       * source can; .snap_bytes is for the others */
	uint32_t block_bytes; /* ring geometry; a power of two multiple of the page size */
	uint32_t block_count;
	uint32_t retire_timeout_ms; /* a block is handed over at the latest after this */
	uint32_t buffer_bytes;      /* libpcap's live buffer (softflowd's -B); 0: its default */
	bool is_promiscuous;
	bool waits_for_interface; /* live: one that does not exist yet is taken for Ethernet
				   * and captured once it does, like one that was lost */
	int stop_fd;              /* a pipe ends when this is readable; borrowed; 0: none */
	uint64_t steering_key[2]; /* of source_open_lanes(): random in service */
	/* Go on with these, one for each lane, instead of opening anything; borrowed for the
	 * call, the descriptors are taken. NULL: open new ones. */
	const struct source_handed *handed;
	/* Use these where a socket has to be made, as long as there are any. Borrowed for the
	 * call, what is used is taken. NULL: none. */
	struct source_sockets *sockets;
};

struct source;
struct view_arena;

/* A filter that is ready to take the place of the one that a source has. */
struct source_filter;

/*
 * What a source of capture files can do besides, for replay_share.h.
 */
struct source_replay_ops {
	/* As .next, but the packets' bytes go to .arena (borrowed for the call), as long as
	 * there is room, and outlive the batch. */
	int (*next_to)(void *state, struct packet_batch *batch, struct view_arena *arena);
	/* A call may have to wait for a slow writer, now or later. */
	bool (*may_wait)(const void *state);
	/* Like stop_fd, one more; borrowed. */
	void (*stop_on)(void *state, int fd);
};

/*
 * The implementation behind a source. A row of the table in source.c; which rows exist is
 * decided by the build. All calls get the implementation's own state.
 */
struct source_ops {
	/* -EPROTONOSUPPORT: not an interface for this source; the next live one is tried when
	 * config->kind is NULL. */
	int (*open)(const struct source_config *config, void **ret_state, int *ret_link_type,
		char error[static SOURCE_ERROR_BYTES]);
	/* As open, for so many lanes; returns how many there are. NULL: always one. */
	int (*open_lanes)(const struct source_config *config, unsigned lanes, void **ret_states,
		int *ret_link_type, char error[static SOURCE_ERROR_BYTES]);
	int (*fd)(void *state);                  /* NULL: none */
	uint32_t (*if_index)(const void *state); /* NULL: not known */
	int (*next)(void *state, struct packet_batch *batch);
	void (*release)(void *state, struct packet_batch *batch);
	void (*stats)(void *state, struct ring_stats *ret_stats);
	void (*close)(void *state);
	/* The last error or notice as text; never NULL. */
	const char *(*error)(void *state);
	void (*leave)(void *state); /* NULL: nothing to do */
	/* NULL: nobody can go on with this source. */
	void (*keep)(void *state, struct source_handed *ret_handed);
	void (*place)(void *state, struct source_place *ret_place);
	/* See source_compile_filter(), which uses nothing that .next changes. NULL: the filter
	 * stays. A filter is one piece of memory, to be freed with free(). */
	int (*compile)(void *state, const char *expression, struct source_filter **ret_filter,
		char error[static SOURCE_ERROR_BYTES]);
	int (*set_filter)(void *state, const struct source_filter *filter);
	const struct source_replay_ops *replay; /* NULL: not of capture files */
};

/* Open the source that config->kind names, or the best one. 0, or a negative errno with a
 * sentence in .error that names the interface, file or option. */
int source_open(const struct source_config *config, struct source **ret_source,
	char error[static SOURCE_ERROR_BYTES]);

/*
 * Open a source for each of .lanes threads. Live, each gets its share of the packets: both
 * directions of a flow and all its fragments come from the same source. Of capture files each
 * gets all packets, in order; they have to be read side by side, as none gets far ahead of the
 * others. Returns how many there are, which is 1 where packets cannot be shared out, or as
 * source_open(). ret_sources has room for .lanes.
 */
int source_open_lanes(const struct source_config *config, unsigned lanes,
	struct source **ret_sources, char error[static SOURCE_ERROR_BYTES]);

/* Link type of every packet of this source: a LINKTYPE_ value (not libpcap's DLT_ aliases). */
int source_link_type(const struct source *source);

const char *source_name(const struct source *source);

/* The index that the system gave the interface; 0 when it is not known. */
uint32_t source_if_index(const struct source *source);

/* Live sources watch an interface; capture files end. */
bool source_is_live(const struct source *source);

/* A descriptor that polls readable when source_next() has packets; -1 for capture files, which
 * always have. The number stays the same for the source's life, but libpcap's live source puts
 * another open file behind it when link_returns grows: whoever uses epoll adds it again then.
 */
int source_fd(const struct source *source);

/*
 * Fill .batch with the packets that are ready. 0 with batch->count == 0 when there are none
 * yet. Positive: SOURCE_DAMAGED. Negative errno: the source is of no more use. A lost interface
 * is neither: it is counted in ring_stats (link_losses, link_returns, rebinds), and capture
 * goes on within a second of the interface's return. The views are valid until
 * source_release(), which must come before the next source_next().
 */
int source_next(struct source *source, struct packet_batch *batch);
void source_release(struct source *source, struct packet_batch *batch);

/* There will be no source_next() any more; totals and error stay until source_close(). Whoever
 * stops before the end says so at once: others may wait for it (replay_share.h). */
void source_leave(struct source *source);

/* Totals so far. Call from the thread that calls source_next(), at least once a minute: the
 * kernel's own counters are 32 bits wide. */
void source_stats(struct source *source, struct ring_stats *ret_stats);

/* The descriptors with which another process can go on, still the source's. False: there are
 * none, this source cannot be handed on. */
bool source_keep(struct source *source, struct source_handed *ret_handed);

/* How far it has come: all packets handed over so far are done. Only where source_keep(). */
void source_place(struct source *source, struct source_place *ret_place);

/* Can the filter be changed without losing a packet? */
bool source_can_change_filter(const struct source *source);

/*
 * Compile an expression, NULL: none, for this source and for those that were opened with it.
 * Takes no rights, and may be called from any one thread while others use the source. 0, or a
 * negative errno with a sentence in .error. Only where source_can_change_filter().
 */
int source_compile_filter(struct source *source, const char *expression,
	struct source_filter **ret_filter, char error[static SOURCE_ERROR_BYTES]);
void source_filter_free(struct source_filter *filter); /* NULL is fine */

/* From the next packet on that arrives, this filter counts. From the thread that calls
 * source_next(). 0, or a negative errno: the old one stays, or, of several sockets, some do. */
int source_set_filter(struct source *source, const struct source_filter *filter);

/* The text behind the last negative or SOURCE_DAMAGED outcome, or the last link event. */
const char *source_error(const struct source *source);

void source_close(struct source *source); /* NULL is fine */

#endif
