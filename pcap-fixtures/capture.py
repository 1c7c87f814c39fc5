# SPDX-License-Identifier: BSD-2-Clause
"""Capture files: pcap and pcapng in either byte order, and four containers around them.

The containers hold their content uncompressed (every one of the formats has a block type for
that), so that the bytes do not depend on the version of a compression library.
"""

import struct
import zlib

NS_PER_S = 1_000_000_000


class Packet:
    """One frame with its time and the length it had on the wire."""

    def __init__(self, at_ns, frame, wire=None, interface=0):
        self.at_ns = at_ns
        self.frame = bytes(frame)
        self.wire = len(self.frame) if wire is None else wire
        self.interface = interface


# -- pcap -----------------------------------------------------------------------------------


def pcap(packets, link_type, *, order="<", nanoseconds=False, snap_bytes=262144):
    unit = 1 if nanoseconds else 1000
    out = struct.pack(order + "IHHiIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0,
                      snap_bytes, link_type)
    for packet in packets:
        out += struct.pack(order + "IIII", packet.at_ns // NS_PER_S,
                           packet.at_ns % NS_PER_S // unit, len(packet.frame), packet.wire)
        out += packet.frame
    return out


# -- pcapng ---------------------------------------------------------------------------------


def block(order, kind, body):
    body += b"\0" * (-len(body) % 4)
    size = len(body) + 12
    return struct.pack(order + "II", kind, size) + body + struct.pack(order + "I", size)


def option(order, code, value):
    return struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def pcapng(packets, link_type, *, order="<", resolution=6, interfaces=1, comment=None,
           offset_s=0):
    """resolution: if_tsresol, a power of ten; with the top bit set, of two."""
    out = block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    for _ in range(interfaces):
        body = struct.pack(order + "HHI", link_type, 0, 262144)
        body += option(order, 9, bytes([resolution]))
        if offset_s:
            body += option(order, 14, struct.pack(order + "q", offset_s))
        out += block(order, 1, body + option(order, 0, b""))
    if comment is not None:
        out += block(order, 0x00000BAD, comment)
    ticks = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10 ** resolution
    for packet in packets:
        stamp = (packet.at_ns - offset_s * NS_PER_S) * ticks // NS_PER_S
        body = struct.pack(order + "IIIII", packet.interface, stamp >> 32, stamp & 0xFFFFFFFF,
                           len(packet.frame), packet.wire)
        out += block(order, 6, body + packet.frame)
    return out


# -- containers -----------------------------------------------------------------------------


def gzip(data):
    out = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    for at in range(0, len(data), 0xFFFF):
        part = data[at : at + 0xFFFF]
        is_last = at + len(part) == len(data)
        out += struct.pack("<BHH", 1 if is_last else 0, len(part), len(part) ^ 0xFFFF) + part
    return out + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def zstd(data):
    """One frame, single segment, content size in four octets, raw blocks (RFC 8878)."""
    out = struct.pack("<IBI", 0xFD2FB528, 0xA0, len(data))
    for at in range(0, len(data), 1 << 16):
        part = data[at : at + (1 << 16)]
        is_last = at + len(part) == len(data)
        out += struct.pack("<I", len(part) << 3 | (1 if is_last else 0))[:3] + part
    return out


def xxh32(data, seed=0):
    """xxHash32 of fewer than 16 octets: what the LZ4 frame header needs."""
    p2, p3, p4, p5 = 2246822519, 3266489917, 668265263, 374761393
    mask = 0xFFFFFFFF
    value = (seed + p5 + len(data)) & mask

    def turn(number, bits):
        return (number << bits | number >> (32 - bits)) & mask

    whole = len(data) // 4 * 4
    for at in range(0, whole, 4):
        value = turn((value + struct.unpack_from("<I", data, at)[0] * p3) & mask, 17) * p4 & mask
    for octet in data[whole:]:
        value = turn((value + octet * p5) & mask, 11) * 2654435761 & mask
    value = (value ^ value >> 15) * p2 & mask
    value = (value ^ value >> 13) * p3 & mask
    return value ^ value >> 16


def lz4(data):
    """Independent blocks of at most 64 KiB, stored (top bit of the size), no checksums."""
    descriptor = bytes([0x60, 0x40])
    out = struct.pack("<I", 0x184D2204) + descriptor + bytes([xxh32(descriptor) >> 8 & 0xFF])
    for at in range(0, len(data), 1 << 16):
        part = data[at : at + (1 << 16)]
        out += struct.pack("<I", 0x80000000 | len(part)) + part
    return out + struct.pack("<I", 0)


def xz(data):
    """One block of uncompressed LZMA2 chunks, CRC32 check."""
    flags = b"\0\x01"
    out = b"\xfd7zXZ\0" + flags + struct.pack("<I", zlib.crc32(flags))
    head = bytes([2, 0, 0x21, 1, 16, 0, 0, 0])
    head += struct.pack("<I", zlib.crc32(head))
    body = b""
    for at in range(0, len(data), 1 << 16):
        part = data[at : at + (1 << 16)]
        body += struct.pack(">BH", 1 if at == 0 else 2, len(part) - 1) + part
    body += b"\0"
    unpadded = len(head) + len(body) + 4
    out += head + body + b"\0" * (-len(body) % 4) + struct.pack("<I", zlib.crc32(data))
    index = b"\0\x01" + variable_length(unpadded) + variable_length(len(data))
    index += b"\0" * (-len(index) % 4)
    index += struct.pack("<I", zlib.crc32(index))
    tail = struct.pack("<I", len(index) // 4 - 1) + flags
    return out + index + struct.pack("<I", zlib.crc32(tail)) + tail + b"YZ"


def variable_length(number):
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])
