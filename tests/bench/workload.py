#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A capture for benchmarks: workload.py FILE PACKETS FLOWS

TCP and UDP over IPv4, one in eight over IPv6; sizes as on a mixed link; a few flows carry most of
the packets. The same arguments give the same file.
"""

import pathlib
import random
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "pcap-fixtures"))
import wire  # noqa: E402

SIZES = (0, 0, 0, 52, 260, 512, 1200, 1200)
KEEP = 96  # octets of each frame that are in the file
GAP_US = 10


def frames(choose, flows):
    """A frame and its wire length for each flow."""
    out = []
    for place in range(flows):
        size = choose.choice(SIZES)
        sport, dport = choose.randrange(1024, 65536), choose.choice((53, 80, 443, 8080))
        segment = (wire.tcp(sport, dport, wire.ACK, b"\0" * size) if place % 4
                   else wire.udp(sport, dport, b"\0" * size))
        protocol = wire.TCP if place % 4 else wire.UDP
        if place % 8 == 0:
            packet = wire.ipv6("2001:db8::%x" % (place & 0xFFFF), "2001:db8:1::%x" % (place >> 8 & 0xFF),
                               protocol, segment)
        else:
            packet = wire.ipv4("10.%d.%d.%d" % (place >> 16, place >> 8 & 255, place & 255),
                               "198.51.100.%d" % (place % 200), protocol, segment)
        frame = wire.ethernet(packet, pad=60)
        out.append((frame[:KEEP], len(frame)))
    return out


def main():
    path, packets, flows = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    choose = random.Random(1)
    table = frames(choose, flows)
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for place in range(packets):
            # The square prefers low numbers: half of the packets are in 3 of 10 flows.
            frame, length = table[int(choose.random() ** 2 * flows)]
            at_us = place * GAP_US
            out.write(struct.pack("<IIII", 1_700_000_000 + at_us // 1_000_000, at_us % 1_000_000,
                                  len(frame), length) + frame)


if __name__ == "__main__":
    main()
