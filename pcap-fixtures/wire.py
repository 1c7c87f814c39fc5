# SPDX-License-Identifier: BSD-2-Clause
"""Bytes of packets, built from the inside out.

Every function takes what the header carries and returns the header with it, so a packet reads as
a nesting of its headers:

    ethernet(vlan(100, ipv4("192.0.2.1", "192.0.2.2", UDP, udp(53, 4000, b"x"))))

Length and protocol fields are filled in from the payload unless they are given, which is how the
malformed fixtures say what is wrong with them. Transport checksums are right, so that a
dissector has nothing to complain about that a fixture does not mean.
"""

import ipaddress
import struct

ICMP, IGMP, IPIP, TCP, UDP, DCCP, GRE, ESP, AH = 1, 2, 4, 6, 17, 33, 47, 50, 51
HOP_BY_HOP, ROUTING, FRAGMENT, ICMPV6, NO_NEXT, DESTINATION = 0, 43, 44, 58, 59, 60
OSPF, SCTP, UDPLITE = 89, 132, 136

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE = 1, 2, 4, 8, 16, 32, 64, 128, 256

ETHERTYPE_IPV4, ETHERTYPE_IPV6, ETHERTYPE_ARP = 0x0800, 0x86DD, 0x0806
ETHERTYPE_MPLS, ETHERTYPE_MPLS_UPSTREAM = 0x8847, 0x8848
ETHERTYPE_VLAN, ETHERTYPE_SERVICE_VLAN, ETHERTYPE_OLD_QINQ = 0x8100, 0x88A8, 0x9100
ETHERTYPE_PPPOE_DISCOVERY, ETHERTYPE_PPPOE = 0x8863, 0x8864

MAC_A, MAC_B, MAC_C = "02:00:5e:10:00:01", "02:00:5e:10:00:02", "02:00:5e:10:00:03"


class Payload(bytes):
    """Bytes that know the ethertype a link header in front of them has to name."""

    ethertype = 0

    def __new__(cls, data, ethertype):
        self = super().__new__(cls, data)
        self.ethertype = ethertype
        return self


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def address(text):
    return ipaddress.ip_address(text).packed


def checksum(data):
    if len(data) % 2:
        data = data + b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo_header(source, destination, protocol, length):
    ends = address(source) + address(destination)
    if len(ends) == 8:
        return ends + struct.pack("!BBH", 0, protocol, length)
    return ends + struct.pack("!IHBB", length, 0, 0, protocol)


# Where the checksum stands in each transport header that covers the pseudo header.
CHECKSUM_AT = {TCP: 16, UDP: 6, ICMPV6: 2}


def with_checksum(source, destination, protocol, segment):
    at = CHECKSUM_AT.get(protocol)
    if at is None or len(segment) < at + 2 or segment[at : at + 2] != b"\0\0":
        return segment
    ends = pseudo_header(source, destination, protocol, len(segment))
    value = checksum(ends + segment)
    if protocol == UDP and value == 0:
        value = 0xFFFF
    return segment[:at] + struct.pack("!H", value) + segment[at + 2 :]


# -- network --------------------------------------------------------------------------------


def ipv4(source, destination, protocol, payload=b"", *, tos=0, ttl=64, ident=0, offset=0,
         more=False, options=b"", version=4, ihl=None, total=None):
    """offset is in octets; total and ihl override what the payload and the options say."""
    words = 5 + len(options) // 4 if ihl is None else ihl
    length = 20 + len(options) + len(payload) if total is None else total
    if offset == 0 and not more:
        payload = with_checksum(source, destination, protocol, payload)
    flags = (0x2000 if more else 0) | offset // 8
    head = struct.pack("!BBHHHBBH4s4s", version << 4 | words, tos, length & 0xFFFF, ident,
                       flags, ttl, protocol, 0, address(source), address(destination))
    head = head[:10] + struct.pack("!H", checksum(head + options)) + head[12:]
    return Payload(head + options + payload, ETHERTYPE_IPV4)


def ipv6(source, destination, protocol, payload=b"", *, traffic_class=0, label=0, hops=64,
         headers=(), version=6, length=None):
    """headers: extension headers in order, each a (number, body) made by the functions below."""
    last = protocol if not headers else headers[-1][0]
    if not any(number == FRAGMENT for number, _ in headers):
        payload = with_checksum(source, destination, protocol, payload)
    chain, following = b"", protocol
    for number, body in reversed(headers):
        chain = bytes([following]) + body[1:] + chain
        following = number
    if not headers:
        following = last
    size = len(chain) + len(payload) if length is None else length
    head = struct.pack("!IHBB16s16s", version << 28 | traffic_class << 20 | label, size,
                       following, hops, address(source), address(destination))
    return Payload(head + chain + payload, ETHERTYPE_IPV6)


def options_header(number, data=b"\x01\x04\0\0\0\0"):
    """Hop-by-hop or destination options; data is padded to a multiple of eight less two."""
    data += b"\0" * (-(len(data) + 2) % 8)
    return number, bytes([0, (len(data) + 2) // 8 - 1]) + data


def routing_header():
    return ROUTING, struct.pack("!BBBBI16s", 0, 2, 2, 1, 0, address("2001:db8::99"))


def fragment_header(offset, more, ident):
    return FRAGMENT, struct.pack("!BBHI", 0, 0, offset | (1 if more else 0), ident)


def authentication_header(spi=0x100, sequence=1, icv=b"\xaa" * 12):
    return AH, struct.pack("!BBHII", 0, (12 + len(icv)) // 4 - 2, 0, spi, sequence) + icv


def jumbo_header(length):
    return HOP_BY_HOP, struct.pack("!BBBBI", 0, 0, 0xC2, 4, length)


# -- transport ------------------------------------------------------------------------------


def tcp(source, destination, flags, data=b"", *, seq=1, ack=0, options=b"", offset=None):
    words = 5 + len(options) // 4 if offset is None else offset
    return struct.pack("!HHIIHHHH", source, destination, seq, ack, words << 12 | flags,
                       64240, 0, 0) + options + data


def udp(source, destination, data=b"", *, length=None):
    size = 8 + len(data) if length is None else length
    return struct.pack("!HHHH", source, destination, size, 0) + data


def udplite(source, destination, data=b""):
    return struct.pack("!HHHH", source, destination, 8, 0xFFFF) + data


def sctp(source, destination, chunk=b"\x01\0\0\x08\0\0\0\0"):
    return struct.pack("!HHII", source, destination, 0x1234, 0) + chunk


def dccp(source, destination, data=b"\0" * 8):
    return struct.pack("!HHBBHBBH", source, destination, 4, 0, 0, 0x01, 0, 1) + data


def icmp(kind, code=0, rest=b"\0\1\0\1", data=b""):
    body = struct.pack("!BBH", kind, code, 0) + rest + data
    return body[:2] + struct.pack("!H", checksum(body)) + body[4:]


def icmpv6(kind, code=0, rest=b"\0\1\0\1", data=b""):
    return struct.pack("!BBH", kind, code, 0) + rest + data


# -- link -----------------------------------------------------------------------------------


def ethernet(payload, source=MAC_A, destination=MAC_B, ethertype=None, pad=0, trailer=b""):
    """pad: fill up to this frame length with zeros; trailer: octets behind the payload."""
    kind = payload.ethertype if ethertype is None else ethertype
    frame = mac(destination) + mac(source) + struct.pack("!H", kind) + payload + trailer
    return frame + b"\0" * max(0, pad - len(frame))


def vlan(ident, payload, *, tpid=ETHERTYPE_VLAN, priority=0, ethertype=None):
    kind = payload.ethertype if ethertype is None else ethertype
    return Payload(struct.pack("!HH", priority << 13 | ident, kind) + payload, tpid)


def mpls(labels, payload, *, ethertype=ETHERTYPE_MPLS, bottom=True, ttl=63):
    stack = b""
    for place, label in enumerate(labels):
        is_bottom = bottom and place == len(labels) - 1
        stack += struct.pack("!I", label << 12 | (0x100 if is_bottom else 0) | ttl)
    return Payload(stack + payload, ethertype)


PPP_PROTOCOL = {ETHERTYPE_IPV4: 0x0021, ETHERTYPE_IPV6: 0x0057, ETHERTYPE_MPLS: 0x0281}


def ppp(payload, *, protocol=None, is_compressed=False, framing=b""):
    kind = PPP_PROTOCOL[payload.ethertype] if protocol is None else protocol
    number = bytes([kind]) if is_compressed else struct.pack("!H", kind)
    return framing + number + payload


def pppoe(payload, *, session=0x11, code=0, version=0x11):
    inner = ppp(payload)
    head = struct.pack("!BBHH", version, code, session, len(inner))
    return Payload(head + inner, ETHERTYPE_PPPOE)


def linux_sll(payload, *, packet_type=0, source=MAC_A):
    return struct.pack("!HHH8sH", packet_type, 1, 6, mac(source), payload.ethertype) + payload


def linux_sll2(payload, *, packet_type=0, if_index=3, source=MAC_A):
    return struct.pack("!HHIHBB8s", payload.ethertype, 0, if_index, 1, packet_type, 6,
                       mac(source)) + payload


def bsd_null(payload, family, order="<"):
    return struct.pack(order + "I", family) + payload


def pflog(payload, family):
    """OpenBSD's log header: 61 octets that say so, padded to 64."""
    head = bytes([61, family, 0, 0]) + b"em0".ljust(16, b"\0") + b"\0" * 16
    head += struct.pack("!II", 1, 0xFFFFFFFF) + struct.pack("!IIII", 0, 0, 0, 0) + b"\1"
    return head.ljust(64, b"\0") + payload


def snap(payload, organisation=b"\0\0\0"):
    return b"\xaa\xaa\x03" + organisation + struct.pack("!H", payload.ethertype) + payload


def ethernet_snap(payload, source=MAC_A, destination=MAC_B, pad=0):
    inner = snap(payload)
    frame = mac(destination) + mac(source) + struct.pack("!H", len(inner)) + inner
    return frame + b"\0" * max(0, pad - len(frame))


def wifi(payload, *, to_ds=True, from_ds=False, quality=False, four_address=False):
    """An 802.11 data frame that carries LLC/SNAP."""
    control = 0x08 | (0x80 if quality else 0)
    flags = (1 if to_ds else 0) | (2 if from_ds else 0)
    head = bytes([control, flags]) + b"\0\0" + mac(MAC_A) + mac(MAC_B) + mac(MAC_C) + b"\x10\0"
    if four_address:
        head += mac(MAC_A)
    if quality:
        head += b"\0\0"
    return head + snap(payload)


def radiotap(frame):
    """Version 0, ten octets: flags (no FCS, no padding) and rate."""
    return struct.pack("<BBHI", 0, 0, 10, 0x06) + b"\0\x0c" + frame


def frame_relay(payload, *, nlpid=None):
    """Q.922 address of two octets, then NLPID (RFC 2427)."""
    kind = {ETHERTYPE_IPV4: 0xCC, ETHERTYPE_IPV6: 0x8E}[payload.ethertype] if nlpid is None else nlpid
    return b"\x18\x41\x03" + bytes([kind]) + payload


def frame_relay_snap(payload):
    return b"\x18\x41\x03\0\x80" + b"\0\0\0" + struct.pack("!H", payload.ethertype) + payload


def chdlc(payload, *, is_multicast=False):
    return struct.pack("!BBH", 0x8F if is_multicast else 0x0F, 0, payload.ethertype) + payload
