#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Seeds for fuzz_ring_walk: rings of three small TPACKET_V3 blocks with good packets.

  make_ring_walk_corpus.py DIRECTORY      write the seeds, for libFuzzer
  make_ring_walk_corpus.py --replay PROG  write them to a temporary directory and run PROG on all

Offsets are those of linux/if_packet.h on a little-endian host.
"""
import pathlib
import struct
import subprocess
import sys
import tempfile

BLOCK_BYTES, BLOCKS = 1024, 3
FIRST_PACKET, FRAME_AT, OFFLOAD_BYTES = 48, 92, 10
VLAN_VALID, TPID_VALID = 1 << 4, 1 << 6
HOST, OUTGOING = 0, 4


def packet(frame, is_last, status=0, tag=(0, 0), gso=(0, 0), kind=HOST):
    space = (FRAME_AT + len(frame) + 7) & ~7
    header = struct.pack('<IIIIIIHH', 0 if is_last else space, 1700000000, 5, len(frame), len(frame),
                         status, FRAME_AT, FRAME_AT + 14)
    header += struct.pack('<IIHH8x', 0, tag[0], tag[1], 0)
    address = struct.pack('<HHiHBB8x', 17, 8, 2, 1, kind, 6)
    offload = struct.pack('<BBHHHH', 0, gso[0], 54, gso[1], 0, 0)
    room = FRAME_AT - OFFLOAD_BYTES
    return ((header + address).ljust(room, b'\0') + offload + frame).ljust(space, b'\0')


def block(packets):
    head = struct.pack('<IIIIIIQ16x', 3, 0, 1, len(packets), FIRST_PACKET, 0, 1)
    body = b''.join(packet(is_last=number == len(packets) - 1, **one)
                    for number, one in enumerate(packets))
    return (head + body).ljust(BLOCK_BYTES, b'\0')


def ring(flags, *blocks):
    return bytes([flags]) + b''.join(block(one) for one in blocks).ljust(BLOCK_BYTES * BLOCKS, b'\0')


def seeds():
    plain = {'frame': bytes(60)}
    tagged = dict(plain, status=VLAN_VALID | TPID_VALID, tag=(5, 0x88a8))
    super_packet = {'frame': bytes(400), 'gso': (1, 100)}
    own = dict(plain, kind=OUTGOING)
    yield 'plain', ring(0, [plain] * 5, [plain], [plain] * 2)
    yield 'tags', ring(0, [tagged, plain, tagged], [tagged])
    yield 'gso', ring(0, [super_packet, plain], [super_packet])
    yield 'loopback', ring(1, [own, plain, own], [own] * 3, [plain])


def write(directory):
    directory.mkdir(exist_ok=True)
    for name, seed in seeds():
        (directory / name).write_bytes(seed)
    return sorted(map(str, directory.iterdir()))


if __name__ == '__main__':
    if sys.argv[1] == '--replay':
        with tempfile.TemporaryDirectory() as name:
            sys.exit(subprocess.run([sys.argv[2], *write(pathlib.Path(name))]).returncode)
    write(pathlib.Path(sys.argv[1]))
