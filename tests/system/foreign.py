# SPDX-License-Identifier: BSD-2-Clause
"""Makes the memory of a lane (sensor/lane_state.h) that has left into one that another version could
have left: members change places, with their contents, and the description says so.
"""

import mmap
import os
import struct

HEAD = struct.Struct("=8s4Q4I")  # magic, layout, word, total, whole, regions, at, fields, at
REGION = struct.Struct("=24s3Q")  # name, offset, stride, count
FIELD = struct.Struct("=24s2IQ")  # name, region, bits, first bit
COPY_BIT = 1 << 63
LENGTH_MASK = (1 << 48) - 1

# Members of one width.
SWAPS = {
    "entries": (("address-1", "address-0"), ("activity-ns", "first-ns-0"),
                ("first-ns-1", "last-ns-1"), ("port-0", "path-1")),
    "lane": (("block-sequence", "clock-ns"), ("block", "entries-touched"), ("done-pkts", "has-begun")),
    "exporters": (("begun-bytes", "set-mark"), ("message-count", "flows-begun"), ("sequence", "is-used")),
}


class State:
    def __init__(self, fd):
        self.memory = mmap.mmap(fd, os.fstat(fd).st_size)
        magic, self.layout, self.word, _, whole, *tables = HEAD.unpack_from(self.memory)
        regions, regions_at, fields, self.fields_at = tables
        assert magic == b"RFSTATE1" and whole and not self.word & LENGTH_MASK, "left between two commits"
        self.regions, self.fields = {}, {}
        for number in range(regions):
            name, *rest = REGION.unpack_from(self.memory, regions_at + number * REGION.size)
            self.regions[name.rstrip(b"\0").decode()] = (number, *rest)
        for number in range(fields):
            name, region, bits, at = FIELD.unpack_from(self.memory, self.place(number))
            self.fields[name.rstrip(b"\0").decode()] = (number, region, bits, at)

    def place(self, number):
        return self.fields_at + number * FIELD.size

    def get(self, region, number, name):
        _, at, stride, _ = self.regions[region]
        _, _, bits, bit = self.fields[name]
        start = at + number * stride + bit // 8
        return int.from_bytes(self.memory[start:start + bits // 8], "little")

    def swap(self, region, count, one, other):
        """Contents, then the description."""
        index, at, stride, _ = self.regions[region]
        a, b = self.fields[one], self.fields[other]
        octets = a[2] // 8
        assert a[1] == b[1] == index and a[2] == b[2] and (a[2] | a[3] | b[3]) % 8 == 0, (one, other)
        for number in range(count):
            x, y = at + number * stride + a[3] // 8, at + number * stride + b[3] // 8
            self.memory[x:x + octets], self.memory[y:y + octets] = self.memory[y:y + octets], self.memory[x:x + octets]
        for name, mine, its in ((one, a, b), (other, b, a)):
            struct.pack_into("=Q", self.memory, self.place(mine[0]) + FIELD.size - 8, its[3])
            self.fields[name] = (mine[0], mine[1], mine[2], its[3])

    def rename(self, name, to):
        struct.pack_into("=24s", self.memory, self.place(self.fields[name][0]), to.encode())

    def close(self):
        struct.pack_into("=Q", self.memory, 8, self.layout ^ 1)
        self.memory.close()


def rewrite(fd):
    """Returns how many entries were in use."""
    state = State(fd)
    touched = state.get("lane", 1 if state.word & COPY_BIT else 0, "entries-touched")
    counts = {"entries": touched + 1, "lane": 2, "exporters": state.regions["exporters"][3]}
    for region, pairs in SWAPS.items():
        for one, other in pairs:
            state.swap(region, counts[region], one, other)
    state.rename("is-outgoing", "nobody-knows-this")
    state.close()
    return touched
