#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Seeds for fuzz_decode: one file for each link type and kind of packet.

  make_decode_corpus.py DIRECTORY      write the seeds, for libFuzzer
  make_decode_corpus.py --replay PROG  write them to a temporary directory and run PROG on all

The layout of a seed is at the head of fuzz_decode.c; the link type rows are counted in the
order of sensor/linktype.def.
"""
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile

LINKTYPE_DEF = pathlib.Path(__file__).resolve().parents[2] / 'sensor' / 'linktype.def'

FRAMES, SEPARATE, GSO_TCP, GSO_UDP, TAG, LONGER = 1, 2, 1 << 2, 2 << 2, 0x10, 0x20

SOURCE4, DESTINATION4 = socket.inet_aton('10.1.0.1'), socket.inet_aton('10.2.0.2')
SOURCE6 = socket.inet_pton(socket.AF_INET6, '2001:db8::1')
DESTINATION6 = socket.inet_pton(socket.AF_INET6, '2001:db8::2')
MACS = bytes.fromhex('020000000002020000000001')
SNAP = bytes.fromhex('aaaa03000000')


def ip4(protocol, payload, options=b'', fragment=0, length=None, ident=7):
    words = 5 + len(options) // 4
    total = words * 4 + len(payload) if length is None else length
    return struct.pack('>BBHHHBBH', 0x40 | words, 0, total, ident, fragment, 64, protocol,
                       0) + SOURCE4 + DESTINATION4 + options + payload


def ip6(next_header, payload, length=None):
    return struct.pack('>IHBB', 6 << 28, len(payload) if length is None else length,
                       next_header, 64) + SOURCE6 + DESTINATION6 + payload


def tcp(payload=b'', options=b''):
    return struct.pack('>HHIIBBHHH', 1000, 80, 1, 0, (5 + len(options) // 4) << 4, 2, 8192, 0,
                       0) + options + payload


def udp(payload=b'', port=53):
    return struct.pack('>HHHH', 1000, port, 8 + len(payload), 0) + payload


def ethernet(type_, payload):
    return MACS + struct.pack('>H', type_) + payload


def mpls(labels, payload):
    return b''.join(struct.pack('>I', label << 12 | (i == len(labels) - 1) << 8 | 64)
                    for i, label in enumerate(labels)) + payload


def wifi(control, payload, addresses=3, extra=b''):
    return struct.pack('<HH', control, 0) + (MACS * 2)[:18] + b'\x10\0' + \
        (MACS[:6] if addresses == 4 else b'') + extra + payload


def packets():
    """name -> (flags, segment size, IP packets of one input)"""
    data = bytes(3000)
    chain = bytes.fromhex('2b000502000001003c0000000000000033000104000000001104000000000001'
                          '00000001000000000000000000000000') + udp()
    jumbo = bytes.fromhex('0600c204000235bc')
    return {
        'tcp': (0, 0, [ip4(6, tcp()), ip6(6, tcp())]),
        'udp': (LONGER, 0, [ip4(17, udp(), b'\x94\x04\0\0'), ip6(17, udp())]),
        'icmp': (TAG, 0, [ip4(1, b'\x08\0' + bytes(6)), ip6(58, b'\x80\0' + bytes(6))]),
        'ports': (0, 0, [ip4(p, udp()) for p in (33, 132, 136, 47, 50)]),
        'fragments': (0, 0, [ip4(17, udp(), fragment=0x2000), ip4(17, bytes(16), fragment=185),
                             ip6(44, b'\x11\0\0\x01\0\0\0\x09' + udp()),
                             ip6(44, b'\x11\0\x05\xa8\0\0\0\x09' + bytes(8))]),
        'separate': (SEPARATE, 0, [ip4(17, udp(), fragment=0x2000)]),
        'chain': (0, 0, [ip6(0, chain)]),
        'zero': (LONGER | FRAMES, 0, [ip4(6, tcp(), length=0), ip6(6, tcp(), length=0)]),
        'gso': (GSO_TCP, 1000, [ip4(6, tcp(data)), ip6(6, tcp(data, bytes(12)))]),
        'gso-udp': (GSO_UDP, 1000, [ip4(17, udp(data)), ip6(17, udp(data))]),
        'gso-big': (GSO_TCP | LONGER, 1400, [ip6(0, jumbo + tcp(), length=0)]),
        'gso-tunnel': (GSO_TCP, 1000, [
            ip4(4, ip4(6, tcp(data))), ip6(41, ip6(6, tcp(data))),
            ip4(47, bytes.fromhex('2000080000000005') + ip4(6, tcp(data))),
            ip4(17, udp(bytes(8) + ethernet(0x800, ip4(6, tcp(data))), 4789)),
            ip4(17, udp(bytes.fromhex('010065580000010000000000') +
                        ethernet(0x800, ip4(6, tcp(data))), 6081))]),
    }


def framings():
    """(LINKTYPE_ value, name, function that frames an IP packet)"""
    def v6(packet):
        return packet[0] >> 4 == 6

    def type_(packet):
        return b'\x86\xdd' if v6(packet) else b'\x08\0'

    def ppp(packet):
        return b'\0\x57' if v6(packet) else b'\0\x21'

    def family(packet):
        return struct.pack('>I', 24 if v6(packet) else 2)
    return [
        (1, 'ethernet', lambda p: MACS + type_(p) + p),
        (1, 'vlan', lambda p: ethernet(0x88a8, b'\0\x64\x81\0\0\xc8' + type_(p) + p)),
        (1, 'mpls', lambda p: ethernet(0x8847, mpls([16, 17, 18], p))),
        (1, 'snap', lambda p: ethernet(36, SNAP + type_(p) + p)),
        (1, 'pppoe', lambda p: ethernet(0x8864, b'\x11\0\0\7\0\x20' + ppp(p) + p)),
        (101, 'raw', lambda p: p),
        (0, 'null', lambda p: family(p)[::-1] + p),
        (108, 'loop', lambda p: family(p) + p),
        (9, 'ppp', lambda p: b'\xff\x03' + ppp(p) + p),
        (50, 'ppp-chdlc', lambda p: b'\x0f\0' + type_(p) + p),
        (51, 'ppp-ether', lambda p: b'\x11\0\0\7\0\x20' + ppp(p) + p),
        (104, 'chdlc', lambda p: b'\x0f\0' + type_(p) + p),
        (107, 'frelay', lambda p: b'\x18\x41\x03' + (b'\x8e' if v6(p) else b'\xcc') + p),
        (107, 'frelay-snap', lambda p: b'\x18\x41\x03\0\x80\0\0\0' + type_(p) + p),
        (113, 'sll', lambda p: b'\0\0\0\1\0\6' + bytes(8) + type_(p) + p),
        (276, 'sll2', lambda p: type_(p) + bytes(6) + b'\0\1\0\6' + bytes(8) + p),
        (117, 'pflog', lambda p: bytes([61, 24 if v6(p) else 2]) + bytes(62) + p),
        (105, 'wifi', lambda p: wifi(0x0108, SNAP + type_(p) + p)),
        (105, 'wifi-4-qos-ht', lambda p: wifi(0x8388, SNAP + type_(p) + p, 4, bytes(6))),
        (127, 'radiotap', lambda p: bytes.fromhex('0000190003000080000000000000000000000000'
                                                  '0000000020') +
         wifi(0x0288, SNAP + type_(p) + p, 3, bytes(4))),
        (119, 'prism', lambda p: struct.pack('<II136x', 0x44, 144) +
         wifi(0x0208, SNAP + type_(p) + p)),
        (163, 'avs', lambda p: bytes.fromhex('802110010000000c00000000') +
         wifi(0x0208, SNAP + type_(p) + p)),
    ]


def write_corpus(directory):
    rows = [int(x) for x in re.findall(r'^LINKTYPE\((\d+),', LINKTYPE_DEF.read_text(), re.M)]
    written = []
    for link_type, link_name, frame in framings():
        for name, (flags, segment, group) in packets().items():
            seed = struct.pack('>BBHH', rows.index(link_type), flags, segment, 0x2064)
            for packet in group:
                frame_bytes = frame(packet)
                seed += struct.pack('>H', len(frame_bytes)) + frame_bytes
            path = pathlib.Path(directory) / ('%s-%s' % (link_name, name))
            path.write_bytes(seed)
            written.append(str(path))
    return written


def main():
    if len(sys.argv) == 3 and sys.argv[1] == '--replay':
        with tempfile.TemporaryDirectory(prefix='decode-corpus-') as directory:
            return subprocess.run([sys.argv[2]] + write_corpus(directory)).returncode
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    pathlib.Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    print('%d seeds' % len(write_corpus(sys.argv[1])))
    return 0


if __name__ == '__main__':
    sys.exit(main())
