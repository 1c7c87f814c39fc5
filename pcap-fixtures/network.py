# SPDX-License-Identifier: BSD-2-Clause
"""IP and transport headers: lengths, extension headers, fragments, protocols."""

import struct

import wire
from registry import (A4, A6, B4, B6, C4, at, every, fixture, framed, ip, ping_talk, tcp_talk,
                      udp_talk)


def ethernet_frames(packets, step_ms=10, pad=60):
    return every(step_ms, [wire.ethernet(p, pad=pad) for p in packets])


# -- lengths --------------------------------------------------------------------------------


@fixture("ip4-options.pcap", "IPv4 options: ports are behind them, their octets count")
def ip4_options():
    return framed(tcp_talk(options=b"\x94\x04\0\0") + udp_talk(A4, B4, options=b"\x07\x27\x04" + b"\0" * 37))


@fixture("ip-padding.pcap", "Ethernet padding and a trailer are not IP octets")
def padding():
    segment = wire.tcp(40000, 80, wire.SYN)
    return every(10, [wire.ethernet(ip(A4, B4, wire.TCP, segment), pad=60),
                      wire.ethernet(ip(A4, B4, wire.TCP, segment), trailer=b"\xaa" * 40),
                      wire.ethernet(ip(A4, B4, 253, b""), pad=60),
                      wire.ethernet(ip(A4, B4, wire.UDP, b""), pad=60)])


@fixture("ip6-jumbo.pcap", "a jumbogram's length is in its hop-by-hop option")
def jumbo():
    data = wire.udp(9000, 9001, b"j" * 200, length=0)
    length = 16 + 70000
    packet = ip(A6, B6, wire.UDP, data, headers=[wire.jumbo_header(length)], length=0)
    return [at(0, wire.ethernet(packet), 14 + 40 + length),
            at(10, wire.ethernet(packet), 14 + 40 + length)]


@fixture("ip-offload.pcap", "length 0 in the IP header (segmentation offload): the frame tells")
def offload():
    segment = wire.tcp(40000, 80, wire.ACK, b"d" * 3000)
    return every(10, [wire.ethernet(ip(A4, B4, wire.TCP, segment, total=0)),
                      wire.ethernet(ip(A6, B6, wire.TCP, segment, length=0)),
                      wire.ethernet(ip(A6, B6, wire.NO_NEXT, b"", length=0))])


@fixture("ip-snapped.pcap", "frames cut by the snap length: octets are those of the IP header")
def snapped():
    packets = []
    for place, keep in enumerate((96, 54, 48, 42, 38, 36, 34)):
        frame = wire.ethernet(ip(A4, B4, wire.TCP, wire.tcp(40000, 80, wire.ACK, b"d" * 1000)))
        packets.append(at(10 * place, frame[:keep], len(frame)))
    return packets


# -- IPv6 extension headers -----------------------------------------------------------------


@fixture("ip6-extensions.pcap", "hop-by-hop, routing and destination options are walked")
def extensions():
    chain = [wire.options_header(wire.HOP_BY_HOP), wire.options_header(wire.DESTINATION),
             wire.routing_header(), wire.options_header(wire.DESTINATION, b"\x01" + b"\x0c" + b"\0" * 12)]
    return framed(tcp_talk(A6, B6, headers=chain) + udp_talk(headers=chain[:1])
                  + ping_talk(A6, B6, headers=chain[1:2]))


@fixture("ip6-ah.pcap", "an authentication header in IPv6 is walked; its length counts words")
def ah6():
    return framed(tcp_talk(A6, B6, headers=[wire.authentication_header()])
                  + udp_talk(headers=[wire.options_header(wire.HOP_BY_HOP),
                                      wire.authentication_header(icv=b"\xbb" * 20)]))


@fixture("ip6-no-next.pcap", "no next header: protocol 59 and no ports")
def no_next():
    return ethernet_frames([ip(A6, B6, wire.NO_NEXT, b"z" * 20),
                            ip(A6, B6, wire.NO_NEXT, b"", headers=[wire.options_header(wire.DESTINATION)])])


@fixture("ip6-chain-long.pcap", "24 extension headers: the walk has a bound and the packet an end")
def chain_long():
    chain = [wire.options_header(wire.DESTINATION)] * 24
    return ethernet_frames([ip(A6, B6, wire.UDP, wire.udp(1, 2, b"x"), headers=chain)])


@fixture("ip6-mobility.pcap", "mobility, HIP and shim6 are protocols of their own")
def mobility():
    body = bytes([59, 1]) + b"\0" * 14
    return ethernet_frames([ip(A6, B6, number, body) for number in (135, 139, 140)])


# -- fragments ------------------------------------------------------------------------------


def pieces4(ident, data, sizes, source=A4, destination=B4, protocol=wire.UDP, **fields):
    """IPv4 fragments of a transport segment; sizes are those of all but the last."""
    out, offset = [], 0
    for size in list(sizes) + [None]:
        end = len(data) if size is None else offset + size
        out.append(ip(source, destination, protocol, data[offset:end], ident=ident, offset=offset,
                      more=size is not None, **fields))
        offset = end
    return out


def pieces6(ident, data, sizes, source=A6, destination=B6, protocol=wire.UDP, before=()):
    out, offset = [], 0
    for size in list(sizes) + [None]:
        end = len(data) if size is None else offset + size
        head = wire.fragment_header(offset, size is not None, ident)
        out.append(ip(source, destination, protocol, data[offset:end],
                      headers=list(before) + [head]))
        offset = end
    return out


DATAGRAM = wire.udp(2049, 700, b"f" * 3000)


@fixture("fragments4.pcap", "later IPv4 fragments belong to the flow of the first")
def fragments4():
    answer = pieces4(8, wire.udp(700, 2049, b"g" * 2000), [1480], B4, A4)
    return ethernet_frames(pieces4(7, DATAGRAM, [1480, 1480]) + answer)


@fixture("fragments4-shuffled.pcap", "fragments before the first of their datagram, two datagrams mixed")
def fragments4_shuffled():
    one, two = pieces4(7, DATAGRAM, [1000, 1000]), pieces4(9, DATAGRAM, [1480, 1480])
    return ethernet_frames([one[1], two[2], one[0], two[0], one[2], two[1]])


@fixture("fragments4-late.pcap", "a fragment 31 s after the first finds nothing to follow")
def fragments4_late():
    one = pieces4(7, DATAGRAM, [1480, 1480])
    return [at(0, wire.ethernet(one[0])), at(29000, wire.ethernet(one[1])),
            at(31000, wire.ethernet(one[2]))]


@fixture("fragments4-reused.pcap", "an identification used again by another port pair and protocol")
def fragments4_reused():
    other = wire.udp(2050, 701, b"h" * 3000)
    segment = wire.tcp(2049, 700, wire.ACK, b"i" * 3000)
    return ethernet_frames(pieces4(7, DATAGRAM, [1480, 1480]) + pieces4(7, other, [1480, 1480])
                           + pieces4(7, segment, [1480, 1480], protocol=wire.TCP))


@fixture("fragments4-tiny.pcap", "a first fragment too small for the ports, and one too small for the flags")
def fragments4_tiny():
    segment = wire.tcp(2049, 700, wire.SYN, b"t" * 40)
    return ethernet_frames(pieces4(5, segment, [8]) + pieces4(6, segment, [16]))


@fixture("fragments6.pcap", "IPv6 fragments follow the first one, extension headers before them too")
def fragments6():
    before = [wire.options_header(wire.HOP_BY_HOP)]
    return ethernet_frames(pieces6(7, DATAGRAM, [1232, 1232])
                           + pieces6(8, wire.tcp(1, 2, wire.ACK, b"s" * 2000), [1232],
                                     protocol=wire.TCP, before=before))


@fixture("fragments6-shuffled.pcap", "IPv6 fragments out of order; an atomic fragment is whole")
def fragments6_shuffled():
    one = pieces6(7, DATAGRAM, [1000, 1000])
    atomic = ip(A6, B6, wire.UDP, wire.udp(3, 4, b"a" * 20),
                headers=[wire.fragment_header(0, False, 99)])
    return ethernet_frames([one[2], one[1], one[0], atomic])


@fixture("fragments4-reversed.pcap", "every datagram's first fragment comes last; one identification, three protocols")
def fragments4_reversed():
    one = pieces4(7, DATAGRAM, [1480, 1480])
    two = pieces4(7, wire.tcp(2049, 700, wire.ACK, b"r" * 2000), [1480], protocol=wire.TCP)
    three = pieces4(7, wire.icmp(8, data=b"p" * 2000), [1480], protocol=wire.ICMP)
    answer = pieces4(7, wire.udp(700, 2049, b"g" * 2000), [1480], B4, A4)
    return ethernet_frames([one[2], two[1], three[1], one[1], two[0], three[0], one[0],
                            answer[1], answer[0]])


@fixture("fragments4-window.pcap", "a first fragment 30 s after a later one, one 30.001 s after, and one that never comes")
def fragments4_window():
    one, two, three = (pieces4(ident, wire.udp(2000 + ident, 700, b"w" * 3000), [1480])
                       for ident in (7, 8, 9))
    return [at(0, wire.ethernet(one[1])), at(10, wire.ethernet(two[1])),
            at(20000, wire.ethernet(three[1])), at(30000, wire.ethernet(one[0])),
            at(30011, wire.ethernet(two[0]))]


@fixture("fragments6-reversed.pcap", "IPv6 fragments before their first, which alone tells the protocol behind the options")
def fragments6_reversed():
    options = wire.options_header(wire.DESTINATION)[1][1:]
    one = pieces6(0x10007, bytes([wire.UDP]) + options + wire.udp(2049, 700, b"u" * 2000), [1232],
                  protocol=wire.DESTINATION)
    two = pieces6(0x20007, bytes([wire.ICMPV6]) + options + wire.icmpv6(128, data=b"p" * 2000),
                  [1232], protocol=wire.DESTINATION)
    return ethernet_frames([one[1], two[1], two[0], one[0]])


# -- protocols ------------------------------------------------------------------------------


@fixture("ports.pcap", "TCP, UDP, UDP-Lite, SCTP and DCCP have ports, in IPv4 and IPv6")
def ports():
    talk = []
    for a, b in ((A4, B4), (A6, B6)):
        talk += [(True, ip(a, b, wire.TCP, wire.tcp(1001, 2001, wire.ACK))),
                 (True, ip(a, b, wire.UDP, wire.udp(1002, 2002, b"u"))),
                 (True, ip(a, b, wire.UDPLITE, wire.udplite(1003, 2003, b"l"))),
                 (True, ip(a, b, wire.SCTP, wire.sctp(1004, 2004))),
                 (True, ip(a, b, wire.DCCP, wire.dccp(1005, 2005))),
                 (False, ip(b, a, wire.SCTP, wire.sctp(2004, 1004)))]
    return framed(talk)


@fixture("protocols.pcap", "IGMP, IP in IP, GRE, ESP, AH, OSPF and an unassigned number: no ports")
def protocols():
    inner = ip(A4, C4, wire.UDP, wire.udp(1, 2, b"x"))
    secured = wire.authentication_header()[1]
    packets = [ip(A4, "224.0.0.1", wire.IGMP, b"\x11\x64\xee\x9b\0\0\0\0", ttl=1),
               ip(A4, B4, wire.IPIP, inner), ip(A4, B4, 41, ip(A6, B6, wire.NO_NEXT)),
               ip(A4, B4, wire.GRE, struct.pack("!HH", 0, 0x800) + inner),
               ip(A4, B4, wire.ESP, struct.pack("!II", 5, 1) + b"\xee" * 40),
               ip(A6, B6, wire.ESP, struct.pack("!II", 5, 2) + b"\xee" * 40),
               ip(A4, B4, wire.AH, bytes([wire.UDP]) + secured[1:] + wire.udp(1, 2)),
               ip(A4, "224.0.0.5", wire.OSPF, b"\x02\x01\0\x2c" + wire.address(A4) + b"\0" * 36, ttl=1),
               ip(A4, B4, 253, b"\0\x50\0\x51 not ports")]
    return ethernet_frames(packets)


@fixture("icmp-echo.pcap", "an echo request and its reply are one flow, IPv4 and IPv6")
def icmp_echo():
    return framed(ping_talk(count=3) + ping_talk(A6, B6, count=3))


@fixture("icmp-errors.pcap", "errors have their type and code, and flows of their own")
def icmp_errors():
    quoted4 = ip(A4, C4, wire.UDP, wire.udp(1, 2, b"x"))
    quoted6 = ip(A6, B6, wire.UDP, wire.udp(1, 2, b"x"))
    return ethernet_frames([ip(B4, A4, wire.ICMP, wire.icmp(3, 3, b"\0" * 4, quoted4)),
                            ip(B4, A4, wire.ICMP, wire.icmp(11, 0, b"\0" * 4, quoted4)),
                            ip(B4, A4, wire.ICMP, wire.icmp(5, 1, wire.address(C4), quoted4)),
                            ip(B6, A6, wire.ICMPV6, wire.icmpv6(1, 4, b"\0" * 4, quoted6)),
                            ip(B6, A6, wire.ICMPV6, wire.icmpv6(2, 0, b"\0\0\x05\0", quoted6))])


@fixture("icmp-neighbours.pcap", "neighbour solicitation and advertisement, timestamp and mask pairs")
def icmp_neighbours():
    target = wire.address(B6)
    return framed([(True, ip(A6, "ff02::1:ff00:7", wire.ICMPV6, wire.icmpv6(135, 0, b"\0" * 4, target), hops=255)),
                   (False, ip(B6, A6, wire.ICMPV6, wire.icmpv6(136, 0, b"\x60\0\0\0", target), hops=255)),
                   (True, ip(A4, B4, wire.ICMP, wire.icmp(13, 0, data=b"\0" * 12))),
                   (False, ip(B4, A4, wire.ICMP, wire.icmp(14, 0, data=b"\0" * 12))),
                   (True, ip(A4, B4, wire.ICMP, wire.icmp(17, 0, data=b"\0" * 4))),
                   (False, ip(B4, A4, wire.ICMP, wire.icmp(18, 0, data=b"\0" * 4)))])


@fixture("icmp-wrong-family.pcap", "protocol 58 in IPv4 and 1 in IPv6 are numbers, not ICMP")
def icmp_wrong_family():
    return ethernet_frames([ip(A4, B4, 58, wire.icmpv6(128)), ip(A6, B6, 1, wire.icmp(8))])


# -- broken packets -------------------------------------------------------------------------


@fixture("bad-ipv4.pcap", "wrong version, header length and total length, each dropped by name")
def bad_ipv4():
    segment = wire.udp(1, 2, b"b" * 20)
    whole = wire.ethernet(ip(A4, B4, wire.UDP, segment))
    return every(10, [wire.ethernet(ip(A4, B4, wire.UDP, segment, version=5)),
                      wire.ethernet(ip(A4, B4, wire.UDP, segment, ihl=4)),
                      wire.ethernet(ip(A4, B4, wire.UDP, segment, ihl=0)),
                      wire.ethernet(ip(A4, B4, wire.UDP, segment, total=19)),
                      whole[:14 + 19], whole[:14], whole])


@fixture("bad-ipv4-length.pcap", "total length beyond the frame: the header's word is taken")
def bad_ipv4_length():
    segment = wire.udp(1, 2, b"b" * 20)
    return every(10, [wire.ethernet(ip(A4, B4, wire.UDP, segment, total=1500)),
                      wire.ethernet(ip(A4, B4, wire.UDP, segment, ihl=15, total=1500))])


@fixture("bad-ipv6.pcap", "wrong version, short header, chains that end in the middle")
def bad_ipv6():
    chain = [wire.options_header(wire.HOP_BY_HOP), wire.routing_header()]
    whole = wire.ethernet(ip(A6, B6, wire.UDP, wire.udp(1, 2, b"x"), headers=chain))
    packets = [at(0, wire.ethernet(ip(A6, B6, wire.UDP, wire.udp(1, 2), version=7))),
               at(10, whole[:14 + 39], len(whole)), at(20, whole[:14 + 41], len(whole)),
               at(30, whole[:14 + 40 + 8 + 1], len(whole)), at(40, whole)]
    return packets


@fixture("bad-ethernet.pcap", "frames shorter than an Ethernet header, and of no octets at all")
def bad_ethernet():
    whole = wire.ethernet(ip(A4, B4, wire.UDP, wire.udp(1, 2)))
    return [at(10 * place, whole[:size]) for place, size in enumerate((0, 1, 12, 13, 14))]


@fixture("bad-vlan.pcap", "tags cut in the middle, and a stack with no end")
def bad_vlan():
    deep = ip(A4, B4, wire.UDP, wire.udp(1, 2))
    for ident in range(40):
        deep = wire.vlan(ident, deep)
    whole = wire.ethernet(wire.vlan(5, ip(A4, B4, wire.UDP, wire.udp(1, 2))))
    return every(10, [whole[:15], whole[:17], whole[:18], wire.ethernet(deep)])


@fixture("bad-mpls.pcap", "a label stack without a bottom, and one cut in the middle")
def bad_mpls():
    endless = wire.mpls([77] * 300, b"", bottom=False)
    whole = wire.ethernet(wire.mpls([77, 78], ip(A4, B4, wire.UDP, wire.udp(1, 2))))
    return every(10, [wire.ethernet(endless), whole[:17], whole[:19], whole[:22]])


@fixture("bad-transport.pcap", "TCP and UDP headers that do not fit: counted, without what is missing")
def bad_transport():
    segment = wire.tcp(1001, 2001, wire.SYN)
    packets = [ip(A4, B4, wire.TCP, segment[:size]) for size in (0, 3, 4, 13, 14, 19)]
    packets += [ip(A4, B4, wire.TCP, wire.tcp(1002, 2002, wire.SYN, offset=4)),
                ip(A4, B4, wire.TCP, wire.tcp(1003, 2003, wire.SYN, offset=15)),
                ip(A4, B4, wire.UDP, wire.udp(1004, 2004, b"x", length=3)),
                ip(A4, B4, wire.UDP, wire.udp(1005, 2005)[:4]),
                ip(A4, B4, wire.ICMP, wire.icmp(8)[:1]), ip(A4, B4, wire.ICMP, wire.icmp(8)[:2])]
    return ethernet_frames(packets)


@fixture("bad-pppoe.pcap", "PPPoE and PPP headers cut in the middle, and a code that is no data")
def bad_pppoe():
    inner = wire.pppoe(ip(A4, B4, wire.UDP, wire.udp(1, 2)))
    whole = wire.ethernet(inner)
    return every(10, [whole[:16], whole[:20], whole[:21],
                      wire.ethernet(wire.pppoe(ip(A4, B4, wire.UDP, wire.udp(1, 2)), code=0xA7))])


@fixture("bad-radiotap.pcap", "radiotap lengths that lie, and 802.11 headers cut in the middle", link=127)
def bad_radiotap():
    whole = wire.radiotap(wire.wifi(ip(A4, B4, wire.UDP, wire.udp(1, 2))))
    return every(10, [b"\0\0\xff\xff\0\0\0\0" + whole[8:], b"\0\0\x02\0\0\0\0\0", whole[:3], whole[:20],
                      whole[:36], whole])


@fixture("bad-pflog.pcap", "a header length beyond the packet, and one below its minimum", link=117)
def bad_pflog():
    whole = wire.pflog(ip(A4, B4, wire.UDP, wire.udp(1, 2)), 2)
    return every(10, [b"\xff" + whole[1:], b"\x03" + whole[1:], whole[:20], whole])
