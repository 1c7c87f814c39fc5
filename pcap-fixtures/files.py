# SPDX-License-Identifier: BSD-2-Clause
"""Capture file formats, containers, and damage."""

import struct

import capture
from capture import pcap, pcapng
from registry import fixture, framed, plain_talk, udp_talk

# All of these carry the same ten packets, so that they all have to give the same flows.


@fixture("file-be.pcap", "pcap, big-endian",
         form=lambda packets, link: pcap(packets, link, order=">"))
def big_endian():
    return framed(plain_talk())


@fixture("file-ns.pcap", "pcap, nanoseconds",
         form=lambda packets, link: pcap(packets, link, nanoseconds=True))
def nanoseconds():
    return framed(plain_talk())


@fixture("file-ns-be.pcap", "pcap, nanoseconds, big-endian",
         form=lambda packets, link: pcap(packets, link, nanoseconds=True, order=">"))
def nanoseconds_big_endian():
    return framed(plain_talk())


@fixture("file.pcapng", "pcapng, microseconds, an unknown block among the packets",
         form=lambda packets, link: pcapng(packets, link, comment=b"any block"))
def next_generation():
    return framed(plain_talk())


@fixture("file-be.pcapng", "pcapng, big-endian",
         form=lambda packets, link: pcapng(packets, link, order=">"))
def next_generation_big_endian():
    return framed(plain_talk())


@fixture("file-ns.pcapng", "pcapng, nanoseconds, two interfaces of one link type",
         form=lambda packets, link: pcapng(packets, link, resolution=9, interfaces=2))
def next_generation_nanoseconds():
    packets = framed(plain_talk())
    for place, packet in enumerate(packets):
        packet.interface = place % 2
    return packets


@fixture("file-binary.pcapng", "pcapng, stamps in 2^-30 s with an offset of the time zero",
         form=lambda packets, link: pcapng(packets, link, resolution=0x80 | 30,
                                           offset_s=1_600_000_000))
def next_generation_binary():
    return framed(plain_talk())


@fixture("file.pcap.gz", "pcap in gzip", form=lambda packets, link: capture.gzip(pcap(packets, link)))
def gzipped():
    return framed(plain_talk())


@fixture("file.pcap.zst", "pcap in Zstandard", form=lambda packets, link: capture.zstd(pcap(packets, link)))
def zstandard():
    return framed(plain_talk())


@fixture("file.pcap.lz4", "pcap in LZ4", form=lambda packets, link: capture.lz4(pcap(packets, link)))
def lz4():
    return framed(plain_talk())


@fixture("file.pcap.xz", "pcap in xz", form=lambda packets, link: capture.xz(pcap(packets, link)))
def xz():
    return framed(plain_talk())


@fixture("file.pcapng.gz", "pcapng in gzip",
         form=lambda packets, link: capture.gzip(pcapng(packets, link)))
def gzipped_next_generation():
    return framed(plain_talk())


@fixture("file-empty.pcap", "a capture of no packets: no flows, no damage")
def empty():
    return []


# -- damage ---------------------------------------------------------------------------------


@fixture("cut-record.pcap", "ends within its tenth packet: nine are exported, exit status 4",
         form=lambda packets, link: pcap(packets, link)[:-20], readable=9)
def cut_record():
    return framed(plain_talk())


@fixture("cut-record-header.pcap", "ends within the header of its tenth packet",
         form=lambda packets, link: pcap(packets[:9], link) + b"\0\xf1\x53\x65\0\0", readable=9)
def cut_record_header():
    return framed(plain_talk())


@fixture("cut-header.pcap", "ends within the file header: no capture at all, exit status 1",
         form=lambda packets, link: pcap(packets, link)[:20], readable=0)
def cut_header():
    return []


@fixture("cut.pcapng", "pcapng that ends within a block",
         form=lambda packets, link: pcapng(packets, link)[:-30], readable=9)
def cut_next_generation():
    return framed(plain_talk())


@fixture("cut.pcap.gz", "gzip that ends in the middle",
         form=lambda packets, link: capture.gzip(pcap(packets, link))[:-40], readable=9)
def cut_gzip():
    return framed(plain_talk())


@fixture("bogus-length.pcap", "a packet of two gigabytes in the middle: five before it are exported",
         form=lambda packets, link: pcap(packets[:5], link) + struct.pack(
             "<IIII", 1_700_000_000, 50000, 0x7FFFFFFF, 0x7FFFFFFF) + pcap(packets[5:], link)[24:],
         readable=5)
def bogus_length():
    return framed(plain_talk())


@fixture("bogus-block.pcapng", "a block whose length is no multiple of four",
         form=lambda packets, link: pcapng(packets[:5], link) + struct.pack("<III", 6, 33, 0)
         + b"\0" * 64, readable=5)
def bogus_block():
    return framed(plain_talk())


@fixture("odd-wire-length.pcap", "a frame that says it was shorter on the wire than what was kept")
def odd_wire_length():
    frames = framed(udp_talk())
    frames[0].wire = 20
    frames[1].wire = 0
    return frames


@fixture("odd-microseconds.pcap", "a stamp with more than a million microseconds",
         form=lambda packets, link: pcap(packets[:1], link) + struct.pack(
             "<IIII", 1_700_000_000, 1_500_000, len(packets[1].frame), packets[1].wire)
         + packets[1].frame)
def odd_microseconds():
    return framed(udp_talk())
