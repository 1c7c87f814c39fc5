# SPDX-License-Identifier: BSD-2-Clause
"""demo.pcap: a quarter of a minute in the life of a small network, for the README's first command."""

import struct

import wire
from registry import at, fixture, framed, ip, ping_talk

LAPTOP4, LAPTOP6 = "192.0.2.23", "2001:db8:23::23"
RESOLVER4, RESOLVER6 = "192.0.2.53", "2001:db8:23::53"
SEGMENT_BYTES = 1440


def dns_message(ident, name, kind, answer=None):
    question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
    question += struct.pack("!HH", kind, 1)
    flags = 0x0100 if answer is None else 0x8180
    out = struct.pack("!HHHHHH", ident, flags, 1, 0 if answer is None else 1, 0, 0) + question
    if answer is not None:
        out += struct.pack("!HHHIH", 0xC00C, kind, 1, 300, len(answer)) + answer
    return out


def lookup(ident, name, host, resolver=RESOLVER4, client=LAPTOP4):
    kind = 28 if ":" in host else 1
    port = 40000 + ident
    ask = wire.udp(port, 53, dns_message(ident, name, kind))
    answer = wire.udp(53, port, dns_message(ident, name, kind, wire.address(host)))
    return [(True, ip(client, resolver, wire.UDP, ask)), (False, ip(resolver, client, wire.UDP, answer))]


def https(client, server, port, request_bytes, answer_bytes, tos=0):
    """A TLS-like exchange: hello, hello with certificate, request, answer in full segments."""
    talk, seq, ack = [], 1000, 5000
    fields = {"traffic_class": tos} if ":" in client else {"tos": tos}

    def send(forward, flags, data=b""):
        nonlocal seq, ack
        ends = (client, server) if forward else (server, client)
        ports = (port, 443) if forward else (443, port)
        numbers = (seq, ack) if forward else (ack, seq)
        segment = wire.tcp(*ports, flags, data, seq=numbers[0], ack=numbers[1])
        talk.append((forward, ip(*ends, wire.TCP, segment, **fields)))
        step = len(data) + (1 if flags & (wire.SYN | wire.FIN) else 0)
        if forward:
            seq += step
        else:
            ack += step

    def stream(forward, size):
        sent = 0
        while sent < size:
            part = min(SEGMENT_BYTES, size - sent)
            sent += part
            send(forward, wire.ACK | (wire.PSH if sent == size else 0), b"\x17\x03\x03" + struct.pack("!H", part - 5) + b"\0" * (part - 5))
            if sent // SEGMENT_BYTES % 2 == 0:
                send(not forward, wire.ACK)
        send(not forward, wire.ACK)

    send(True, wire.SYN)
    send(False, wire.SYN | wire.ACK)
    send(True, wire.ACK)
    stream(True, 517)
    stream(False, 3900)
    stream(True, request_bytes)
    stream(False, answer_bytes)
    send(True, wire.FIN | wire.ACK)
    send(False, wire.FIN | wire.ACK)
    send(True, wire.ACK)
    return talk


@fixture("demo.pcap", "the README's first command: DNS, HTTPS, QUIC, NTP, ping, SSH, IPv4 and IPv6")
def demo():
    web6, web4, video = "2001:db8:80::80", "198.51.100.80", "203.0.113.44"
    packets = framed(lookup(1, "www.example.org", web6), 12)
    packets += framed(lookup(2, "www.example.org", web4), 12, 3)
    packets += framed(https(LAPTOP6, web6, 50001, 400, 60000), 3, 40)
    packets += framed(https(LAPTOP4, web4, 50002, 900, 2500), 9, 400)
    packets += framed(lookup(3, "video.example.net", video, RESOLVER6, LAPTOP6), 15, 900)
    quic = []
    for place in range(90):
        forward = place % 5 == 0
        ends, ports = ((LAPTOP4, video), (50443, 443)) if forward else ((video, LAPTOP4), (443, 50443))
        size = 42 if forward and place else 1200
        quic.append((forward, ip(*ends, wire.UDP, wire.udp(*ports, b"\x40" + b"\0" * (size - 1)))))
    packets += framed(quic, 20, 1000)
    packets += framed(ping_talk(LAPTOP4, "192.0.2.1", 5), 500, 2000)
    packets += framed(ping_talk(LAPTOP6, "2001:db8:23::1", 3), 500, 2100)
    ntp = [(True, ip(LAPTOP4, "192.0.2.123", wire.UDP, wire.udp(123, 123, b"\x23" + b"\0" * 47))),
           (False, ip("192.0.2.123", LAPTOP4, wire.UDP, wire.udp(123, 123, b"\x24" + b"\0" * 47)))]
    packets += framed(ntp, 4, 5000)
    typed = []
    for place in range(20):
        typed.append((True, ip(LAPTOP4, "192.0.2.22", wire.TCP, wire.tcp(
            50022, 22, wire.PSH | wire.ACK, b"k" * 36, seq=1 + 36 * place, ack=1), tos=0x10)))
        typed.append((False, ip("192.0.2.22", LAPTOP4, wire.TCP, wire.tcp(
            22, 50022, wire.PSH | wire.ACK, b"e" * 44, seq=1 + 44 * place, ack=1), tos=0x10)))
    packets += framed(typed, 150, 6000)
    refused = [(True, ip(LAPTOP4, "192.0.2.99", wire.TCP, wire.tcp(50023, 23, wire.SYN))),
               (False, ip("192.0.2.99", LAPTOP4, wire.TCP, wire.tcp(23, 50023, wire.RST | wire.ACK)))]
    packets += framed(refused, 1, 9000)
    arp = wire.Payload(bytes.fromhex("0001080006040001") + wire.mac(wire.MAC_A)
                       + wire.address(LAPTOP4) + b"\0" * 6 + wire.address("192.0.2.1"), wire.ETHERTYPE_ARP)
    packets.append(at(1990, wire.ethernet(arp, destination="ff:ff:ff:ff:ff:ff", pad=60)))
    return sorted(packets, key=lambda packet: packet.at_ns)
