#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Seeds for fuzz_capture: small captures of each form, plain and compressed.

  make_capture_corpus.py DIRECTORY      write the seeds, for libFuzzer
  make_capture_corpus.py --replay PROG  write them to a temporary directory and run PROG on all
"""
import gzip
import lzma
import pathlib
import struct
import subprocess
import sys
import tempfile

FRAME = bytes(12) + b'\x08\x00\x45' + bytes(27)


def pcap(order, magic=0xa1b2c3d4, minor=4, link_type=1, packets=3):
    out = struct.pack(order + 'IHHiIII', magic, 2, minor, 0, 0, 65535, link_type)
    for number in range(packets):
        out += struct.pack(order + 'IIII', 1700000000, number, len(FRAME), len(FRAME)) + FRAME
    return out


def block(order, kind, body):
    body = body.ljust((len(body) + 3) & ~3, b'\0')
    length = struct.pack(order + 'I', 12 + len(body))
    return struct.pack(order + 'I', kind) + length + body + length


def pcapng(order):
    out = block(order, 0x0a0d0d0a, struct.pack(order + 'IHHq', 0x1a2b3c4d, 1, 0, -1))
    # An interface with nanosecond stamps (option 9), a packet, a block of no known type.
    out += block(order, 1, struct.pack(order + 'HHIHHB3xHH', 1, 0, 65535, 9, 1, 9, 0, 0))
    out += block(order, 6, struct.pack(order + 'IIIII', 0, 1, 2, len(FRAME), len(FRAME)) + FRAME)
    out += block(order, 0x80001234, bytes(8))
    return out + block(order, 3, struct.pack(order + 'I', len(FRAME)) + FRAME)


def seeds():
    for name, order in (('little', '<'), ('big', '>')):
        yield 'pcap-' + name, pcap(order)
        yield 'pcap-ns-' + name, pcap(order, magic=0xa1b23c4d)
        yield 'pcapng-' + name, pcapng(order)
    yield 'pcap-2.3', pcap('<', minor=3)
    yield 'pcap-raw', pcap('<', link_type=101)
    yield 'pcapng-two-sections', pcapng('<') + pcapng('>')
    yield 'gzip', gzip.compress(pcap('<'), mtime=0)
    yield 'gzip-two', gzip.compress(pcap('<')[:50], mtime=0) + gzip.compress(pcap('<')[50:], mtime=0)
    # Damage before the first octet comes out.
    yield 'gzip-empty', gzip.compress(pcap('<'), mtime=0)[:10] + b'\xff' * 16
    yield 'xz', lzma.compress(pcapng('<'))


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
