# SPDX-License-Identifier: BSD-2-Clause
"""The list of fixtures, and the small conversations most of them carry.

A fixture is a function under @fixture. It gives the packets; the decorator's arguments are its
row of MANIFEST. Adding a fixture is adding such a function and running make.py.
"""

import wire
from capture import NS_PER_S, Packet, pcap

T0_S = 1_700_000_000  # 2023-11-14 22:13:20 UTC; every capture begins here unless it says why not
MS = 1_000_000

A4, B4, C4 = "192.0.2.1", "198.51.100.7", "203.0.113.9"
A6, B6, C6 = "2001:db8::1", "2001:db8:0:1::7", "2001:db8:0:2::9"

ETHERNET = 1

FIXTURES = []


class Fixture:
    def __init__(self, name, link, proves, make, form, readable):
        self.name, self.link, self.proves = name, link, proves
        self.make, self.form, self.readable = make, form, readable
        self.how = "%s.py %s" % (make.__module__, make.__name__)

    def build(self):
        """The bytes of the file, and how many packets a reader gets out of it."""
        packets = list(self.make())
        count = len(packets) if self.readable is None else self.readable
        return self.form(packets, self.link), count


def fixture(name, proves, *, link=ETHERNET, form=pcap, readable=None):
    """readable: packets a reader gets, where damage makes them fewer than the function gives."""

    def register(make):
        FIXTURES.append(Fixture(name, link, proves, make, form, readable))
        return make

    return register


def at(milliseconds, frame, wire_bytes=None, interface=0):
    return Packet(T0_S * NS_PER_S + int(milliseconds * MS), frame, wire_bytes, interface)


def every(step_ms, frames, start_ms=0):
    """Packets that follow each other at an even pace."""
    return [at(start_ms + step_ms * place, frame) for place, frame in enumerate(frames)]


# -- conversations: lists of (is_forward, IP packet) ------------------------------------------


def ip(source, destination, protocol, payload=b"", **fields):
    make = wire.ipv6 if ":" in source else wire.ipv4
    return make(source, destination, protocol, payload, **fields)


def tcp_talk(a=A4, b=B4, sport=40000, dport=443, request=b"x" * 120, answer=b"y" * 900, **fields):
    """Handshake, one question, one answer, an orderly end: eight packets."""
    steps = [
        (True, wire.tcp(sport, dport, wire.SYN, seq=100)),
        (False, wire.tcp(dport, sport, wire.SYN | wire.ACK, seq=500, ack=101)),
        (True, wire.tcp(sport, dport, wire.ACK, seq=101, ack=501)),
        (True, wire.tcp(sport, dport, wire.PSH | wire.ACK, request, seq=101, ack=501)),
        (False, wire.tcp(dport, sport, wire.PSH | wire.ACK, answer, seq=501,
                         ack=101 + len(request))),
        (True, wire.tcp(sport, dport, wire.FIN | wire.ACK, seq=101 + len(request),
                        ack=501 + len(answer))),
        (False, wire.tcp(dport, sport, wire.FIN | wire.ACK, seq=501 + len(answer),
                         ack=102 + len(request))),
        (True, wire.tcp(sport, dport, wire.ACK, seq=102 + len(request), ack=502 + len(answer))),
    ]
    return [(forward, ip(a, b, wire.TCP, segment, **fields) if forward
             else ip(b, a, wire.TCP, segment, **fields)) for forward, segment in steps]


def udp_talk(a=A6, b=B6, sport=5353, dport=7, question=b"q" * 30, answer=b"r" * 80, **fields):
    """A question and its answer: two packets."""
    return [(True, ip(a, b, wire.UDP, wire.udp(sport, dport, question), **fields)),
            (False, ip(b, a, wire.UDP, wire.udp(dport, sport, answer), **fields))]


def ping_talk(a=A4, b=B4, count=2, **fields):
    """Echo requests and replies, IPv4 or IPv6."""
    steps = []
    for place in range(count):
        rest = bytes([0, 7, 0, place + 1])
        if ":" in a:
            ask, reply = wire.icmpv6(128, 0, rest, b"p" * 32), wire.icmpv6(129, 0, rest, b"p" * 32)
            steps += [(True, ip(a, b, wire.ICMPV6, ask, **fields)),
                      (False, ip(b, a, wire.ICMPV6, reply, **fields))]
        else:
            ask, reply = wire.icmp(8, 0, rest, b"p" * 32), wire.icmp(0, 0, rest, b"p" * 32)
            steps += [(True, ip(a, b, wire.ICMP, ask, **fields)),
                      (False, ip(b, a, wire.ICMP, reply, **fields))]
    return steps


def plain_talk():
    """What the link type fixtures carry: TCP over IPv4, then UDP over IPv6; ten packets."""
    return tcp_talk() + udp_talk()


def framed(talk, step_ms=10, start_ms=0, wrap=lambda packet: packet):
    """A talk as Ethernet frames; wrap puts tags or labels around the IP packet."""
    frames = []
    for forward, packet in talk:
        ends = (wire.MAC_A, wire.MAC_B) if forward else (wire.MAC_B, wire.MAC_A)
        frames.append(wire.ethernet(wrap(packet), *ends, pad=60))
    return every(step_ms, frames, start_ms)


def bare(talk, wrap=lambda packet: packet, step_ms=10):
    """A talk under a link header that has no direction."""
    return every(step_ms, [wrap(packet) for _, packet in talk])
