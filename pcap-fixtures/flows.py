# SPDX-License-Identifier: BSD-2-Clause
"""What makes a flow, and what ends it: directions, flags, times, limits."""

import wire
from capture import pcap
from registry import (A4, A6, B4, B6, C4, at, every, fixture, framed, ip, ping_talk, tcp_talk,
                      udp_talk)

DAY_MS = 86_400_000


def datagram(source=A4, destination=B4, sport=1000, dport=2000, data=b"d" * 72, **fields):
    return wire.ethernet(ip(source, destination, wire.UDP, wire.udp(sport, dport, data), **fields))


# -- directions -----------------------------------------------------------------------------


@fixture("tcp-fin.pcap", "one conversation, both directions, ended by FIN both ways")
def tcp_fin():
    return framed(tcp_talk() + tcp_talk(A6, B6, sport=40001))


@fixture("tcp-rst.pcap", "refused at once, and reset in the middle")
def tcp_rst():
    refused = [(True, ip(A4, B4, wire.TCP, wire.tcp(40002, 81, wire.SYN))),
               (False, ip(B4, A4, wire.TCP, wire.tcp(81, 40002, wire.RST | wire.ACK)))]
    broken = tcp_talk(sport=40003)[:5]
    broken.append((False, ip(B4, A4, wire.TCP, wire.tcp(443, 40003, wire.RST))))
    return framed(refused + broken)


@fixture("tcp-half-closed.pcap", "FIN one way alone does not end a connection")
def tcp_half_closed():
    return framed(tcp_talk(sport=40004)[:6])


@fixture("tcp-midstream.pcap", "first seen in the middle; then SYN/ACK first, its SYN lost")
def tcp_midstream():
    return framed(tcp_talk(sport=40005)[4:]) + framed(tcp_talk(sport=40006)[1:], start_ms=100)


@fixture("tcp-flags.pcap", "all twelve control bits, the OR of each direction apart")
def tcp_flags():
    forward = (wire.SYN | wire.ECE | wire.CWR | wire.AE, wire.URG | wire.PSH | wire.ACK, 0)
    talk = [(True, ip(A4, B4, wire.TCP, wire.tcp(40007, 80, flags))) for flags in forward]
    talk.insert(1, (False, ip(B4, A4, wire.TCP, wire.tcp(80, 40007, wire.SYN | wire.ACK | wire.ECE))))
    talk.append((True, ip(A4, B4, wire.TCP, wire.tcp(40008, 80, 0xFFF))))
    return framed(talk)


@fixture("tcp-reused.pcap", "a port pair used again right after the end of its connection")
def tcp_reused():
    return framed(tcp_talk(sport=40009)) + framed(tcp_talk(sport=40009), start_ms=2000)


@fixture("same-addresses.pcap", "equal addresses, and equal ports too, are one conversation")
def same_addresses():
    own = "127.0.0.1"
    talk = tcp_talk(own, own, sport=40010, dport=80)
    talk += udp_talk(own, own, sport=123, dport=123) + udp_talk("::1", "::1", sport=40011, dport=53)
    return framed(talk)


@fixture("vlan-per-direction.pcap", "another VLAN each way does not split a conversation")
def vlan_per_direction():
    frames = []
    for forward, packet in tcp_talk():
        ends = (wire.MAC_A, wire.MAC_B) if forward else (wire.MAC_B, wire.MAC_A)
        frames.append(wire.ethernet(wire.vlan(10 if forward else 20, packet), *ends, pad=60))
    return every(10, frames)


@fixture("mpls-per-direction.pcap", "other labels each way do not split a conversation")
def mpls_per_direction():
    return every(10, [wire.ethernet(wire.mpls([500, 501] if forward else [600], packet), pad=60)
                      for forward, packet in tcp_talk()])


@fixture("mac-per-direction.pcap", "MAC addresses that differ within a direction do not split it")
def mac_per_direction():
    frames = []
    for place, (forward, packet) in enumerate(tcp_talk()):
        near = wire.MAC_A if place % 2 else wire.MAC_C
        ends = (near, wire.MAC_B) if forward else (wire.MAC_B, near)
        frames.append(wire.ethernet(packet, *ends, pad=60))
    return every(10, frames)


@fixture("tos-per-direction.pcap", "type of service, TTL and flow label are kept for each direction")
def tos_per_direction():
    talk = []
    for place, (forward, _) in enumerate(udp_talk(A4, B4) * 3):
        ends = (A4, B4) if forward else (B4, A4)
        ports = (1000, 2000) if forward else (2000, 1000)
        tos = (0x10 + place if forward else 0xB8)
        talk.append((forward, ip(*ends, wire.UDP, wire.udp(*ports, b"t"), tos=tos,
                                 ttl=60 + place if forward else 250)))
    talk += udp_talk(traffic_class=0x2E, label=0x12345, hops=9)
    return framed(talk)


@fixture("protocol-levels.pcap", "port pairs, protocols and addresses that fold at each track level")
def protocol_levels():
    talk = udp_talk(A4, B4, sport=1001) + udp_talk(A4, B4, sport=1002) + tcp_talk() + ping_talk()
    talk += udp_talk(A4, C4, sport=1001)
    return framed(talk)


@fixture("vlan-levels.pcap", "the same addresses in two VLANs and none: flows of their own with -T vlan")
def vlan_levels():
    packets = framed(udp_talk(A4, B4))
    for place, ident in enumerate((10, 20)):
        packets += framed(udp_talk(A4, B4), start_ms=100 + 100 * place,
                          wrap=lambda p, ident=ident: wire.vlan(ident, p))
    return packets


# -- times ----------------------------------------------------------------------------------


@fixture("time-active.pcap", "two and a half minutes without a pause: cut at the active timeout")
def time_active():
    return every(5000, [datagram() for _ in range(31)])


@fixture("time-active-exact.pcap", "packets 1 ms before, at and after the active timeout")
def time_active_exact():
    times = list(range(0, 60000, 10000)) + [59999, 60000, 60001, 70000]
    return [at(when, datagram()) for when in times]


@fixture("time-idle.pcap", "pauses around the idle timeout; another flow keeps the clock going")
def time_idle():
    talk = [at(when, datagram()) for when in (0, 14999, 30000, 45000, 90000)]
    other = [at(when, datagram(sport=3000)) for when in range(1000, 95000, 9500)]
    return sorted(talk + other, key=lambda packet: packet.at_ns)


@fixture("time-back.pcap", "stamps that go back: earliest and latest are kept, time is not negative")
def time_back():
    return [at(when, datagram()) for when in (1000, 3000, 500, 2000, 3500, 0)]


@fixture("time-far-back.pcap", "a stamp a day before the first packet")
def time_far_back():
    return [at(DAY_MS, datagram()), at(DAY_MS + 10, datagram(B4, A4, 2000, 1000)), at(0, datagram()),
            at(DAY_MS + 20, datagram())]


@fixture("time-jump.pcap", "ten years between two packets of one key")
def time_jump():
    return [at(0, datagram()), at(100, datagram()), at(3650 * DAY_MS, datagram()),
            at(3650 * DAY_MS + 100, datagram())]


def ticking():
    """Another flow that keeps the clock going: a packet every 5 seconds."""
    return [at(when, datagram(sport=4000)) for when in range(3000, 60000, 5000)]


@fixture("time-future.pcap", "a stamp 20 days ahead: flows still end when they are idle")
def time_future():
    return [at(0, datagram()), at(1000, datagram()), at(20 * DAY_MS, datagram(sport=3000)),
            at(2000, datagram()), at(2500, datagram()), *ticking(), at(58500, datagram())]


@fixture("time-set-back.pcap", "the clock was set back by an hour: flows still end when they are idle")
def time_set_back():
    hour = 3600_000
    return [at(hour, datagram()), at(hour + 1000, datagram()), at(2000, datagram()), at(2500, datagram()),
            *ticking(), at(58500, datagram())]


@fixture("time-uptime-wrap.pcap", "a capture of 60 days: 32-bit uptimes wrap after 49.7")
def time_uptime_wrap():
    days = (0, 20, 49, 49.7, 49.72, 50, 60)
    return [at(int(day * DAY_MS) + extra, datagram(sport=1000 + place))
            for place, day in enumerate(days) for extra in (0, 250)]


@fixture("time-nanoseconds.pcap", "stamps that differ below a microsecond",
         form=lambda packets, link: pcap(packets, link, nanoseconds=True))
def time_nanoseconds():
    return [at(place + 0.123456 + place * 0.000001, datagram()) for place in range(4)]


# -- counters and limits --------------------------------------------------------------------


@fixture("octets-4gib.pcap", "6 GB in one IPv6 flow and 8 GB in one IPv4 flow: more than 32 bits")
def octets_4gib():
    giant = 1_500_000_000
    jumbo = ip(A6, B6, wire.UDP, wire.udp(1, 2, b"x", length=0),
               headers=[wire.jumbo_header(giant)], length=0)
    offload = ip(A4, B4, wire.TCP, wire.tcp(40012, 80, wire.ACK, b"x"), total=0)
    packets = [at(place * 10, wire.ethernet(jumbo), 54 + giant) for place in range(4)]
    return packets + [at(100 + place * 10, wire.ethernet(offload), 2_000_000_014)
                      for place in range(4)]


@fixture("max-flows.pcap", "40 flows: with -m 8 the least recently active goes first")
def max_flows():
    frames = []
    for place in range(40):
        frames.append(datagram(sport=5000 + place))
        frames.append(datagram(sport=5000))
    return every(10, frames)


@fixture("sampling.pcap", "100 numbered packets: with -s 10 every tenth, from the first")
def sampling():
    return every(10, [datagram(data=b"n" * (place + 1)) for place in range(100)])


@fixture("many-flows.pcap", "70 flows both ways: more records than one message holds")
def many_flows():
    talk = []
    for place in range(70):
        talk += udp_talk(A4, B4, sport=20000 + place)
    return framed(talk, step_ms=1)


@fixture("families.pcap", "IPv4 and IPv6, ICMP and not, in turns: every template in one message")
def families():
    talk = []
    for place in range(3):
        talk += udp_talk(A4, B4, sport=100 + place) + udp_talk(sport=100 + place)
        talk += ping_talk(A4, "192.0.2.%d" % (50 + place), 1)
        talk += ping_talk(A6, "2001:db8::%x" % (0x50 + place), 1)
    return framed(talk)
