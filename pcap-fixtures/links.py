# SPDX-License-Identifier: BSD-2-Clause
"""Link types, tags and labels: what may stand in front of an IP packet."""

import wire
from capture import pcap
from registry import (A4, B4, at, bare, every, fixture, framed, ping_talk, plain_talk, tcp_talk,
                      udp_talk)

# -- Ethernet -------------------------------------------------------------------------------


@fixture("link-ethernet.pcap", "Ethernet II; a TCP conversation and a UDP exchange are a flow each")
def ethernet():
    return framed(plain_talk())


@fixture("link-vlan.pcap", "one 802.1Q tag, its priority bits are not part of the VLAN id")
def vlan():
    return framed(plain_talk(), wrap=lambda p: wire.vlan(100, p, priority=5))


@fixture("link-vlan-stack.pcap", "802.1ad over 802.1Q, and 0x9100 over 802.1Q")
def vlan_stack():
    service = lambda p: wire.vlan(200, wire.vlan(100, p), tpid=wire.ETHERTYPE_SERVICE_VLAN)
    old = lambda p: wire.vlan(300, wire.vlan(100, p), tpid=wire.ETHERTYPE_OLD_QINQ)
    return framed(tcp_talk(), wrap=service) + framed(udp_talk(), start_ms=100, wrap=old)


@fixture("link-vlan-priority.pcap", "a priority tag (VLAN 0) is a tag like any other")
def vlan_priority():
    return framed(udp_talk(), wrap=lambda p: wire.vlan(0, p, priority=7))


@fixture("link-llc-snap.pcap", "802.3 length field, LLC and SNAP in front of IP; a bridge PDU is no IP")
def llc_snap():
    frames = [wire.ethernet_snap(p, pad=60) for _, p in plain_talk()]
    bridge = b"\x42\x42\x03" + b"\0" * 35
    frames.append(wire.mac("01:80:c2:00:00:00") + wire.mac(wire.MAC_A) + b"\0\x26" + bridge)
    return every(10, frames)


@fixture("link-pppoe.pcap", "PPPoE session data is looked into, discovery is no IP")
def pppoe():
    offer = wire.Payload(bytes([0x11, 0x09, 0, 0, 0, 4, 1, 1, 0, 0]),
                         wire.ETHERTYPE_PPPOE_DISCOVERY)
    return framed([(True, offer)]) + framed(plain_talk(), start_ms=10, wrap=wire.pppoe)


@fixture("link-pppoe-vlan.pcap", "PPPoE behind a VLAN tag")
def pppoe_vlan():
    return framed(plain_talk(), wrap=lambda p: wire.vlan(7, wire.pppoe(p)))


@fixture("link-mpls.pcap", "MPLS stacks of 1, 3 and 10 labels, both MPLS ethertypes")
def mpls():
    deep = list(range(1000, 1010))
    return (framed(tcp_talk(), wrap=lambda p: wire.mpls([16], p))
            + framed(udp_talk(), start_ms=100, wrap=lambda p: wire.mpls([17, 18, 19], p))
            + framed(ping_talk(), start_ms=200, wrap=lambda p: wire.mpls(
                deep, p, ethertype=wire.ETHERTYPE_MPLS_UPSTREAM)))


@fixture("link-mpls-deep.pcap", "12 labels: deeper than is exported, still counted")
def mpls_deep():
    return framed(udp_talk(), wrap=lambda p: wire.mpls(list(range(20, 32)), p))


@fixture("link-mpls-vlan.pcap", "labels behind a VLAN tag")
def mpls_vlan():
    return framed(plain_talk(), wrap=lambda p: wire.vlan(42, wire.mpls([99], p)))


@fixture("link-mpls-other.pcap", "below the labels a pseudo-wire and nothing at all: no IP")
def mpls_other():
    wired = wire.mpls([55], b"\0\0\0\0" + wire.ethernet(tcp_talk()[0][1]))
    return framed([(True, wired), (True, wire.mpls([56], b""))])


@fixture("link-non-ip.pcap", "ARP, LLDP and an unknown ethertype are dropped by name, not counted")
def non_ip():
    arp = bytes.fromhex("0001080006040001") + wire.mac(wire.MAC_A) + wire.address(A4)
    arp += b"\0" * 6 + wire.address(B4)
    lldp = b"\x02\x07\x04" + wire.mac(wire.MAC_A) + b"\x04\x02\x071" + b"\x06\x02\0\x78" + b"\0\0"
    return every(10, [wire.ethernet(wire.Payload(arp, wire.ETHERTYPE_ARP), pad=60),
                      wire.ethernet(wire.Payload(lldp, 0x88CC), pad=60),
                      wire.ethernet(wire.Payload(b"\0" * 46, 0x88B5))])


# -- Linux cooked ---------------------------------------------------------------------------


@fixture("link-sll.pcap", "Linux cooked capture, version 1", link=113)
def sll():
    return bare(plain_talk(), wire.linux_sll)


@fixture("link-sll2.pcap", "Linux cooked capture, version 2: carries the interface index", link=276)
def sll2():
    return bare(plain_talk(), wire.linux_sll2)


@fixture("link-sll-vlan.pcap", "a VLAN tag behind a cooked header", link=113)
def sll_vlan():
    return bare(plain_talk(), lambda p: wire.linux_sll(wire.vlan(9, p)))


# -- raw IP ---------------------------------------------------------------------------------


@fixture("link-raw12.pcap", "raw IP under number 12", link=12)
def raw12():
    return bare(plain_talk())


@fixture("link-raw14.pcap", "raw IP under number 14", link=14)
def raw14():
    return bare(plain_talk())


@fixture("link-raw101.pcap", "raw IP under number 101", link=101)
def raw101():
    return bare(plain_talk())


@fixture("link-ipv4.pcap", "raw IPv4 (228)", link=228)
def raw_ipv4():
    return bare(tcp_talk())


@fixture("link-ipv6.pcap", "raw IPv6 (229)", link=229)
def raw_ipv6():
    return bare(udp_talk())


# -- BSD ------------------------------------------------------------------------------------

BSD_FAMILIES_V6 = (24, 28, 30)  # NetBSD and OpenBSD, FreeBSD, Darwin


def bsd_families():
    """One UDP talk for each number that an IPv6 address family has somewhere."""
    for place, family in enumerate(BSD_FAMILIES_V6):
        for _, packet in udp_talk(sport=6000 + place):
            yield family, packet


@fixture("link-null.pcap", "BSD loopback, address family in the file's order", link=0)
def null():
    frames = [wire.bsd_null(p, 2) for _, p in tcp_talk()]
    frames += [wire.bsd_null(p, family) for family, p in bsd_families()]
    return every(10, frames)


@fixture("link-null-be.pcap", "BSD loopback written on a big-endian machine", link=0,
         form=lambda packets, link: pcap(packets, link, order=">"))
def null_big_endian():
    frames = [wire.bsd_null(p, 2, ">") for _, p in tcp_talk()]
    frames += [wire.bsd_null(p, family, ">") for family, p in bsd_families()]
    return every(10, frames)


@fixture("link-loop.pcap", "OpenBSD loopback, address family in network order", link=108)
def loop():
    frames = [wire.bsd_null(p, 2, ">") for _, p in tcp_talk()]
    frames += [wire.bsd_null(p, 24, ">") for _, p in udp_talk()]
    return every(10, frames)


@fixture("link-pflog.pcap", "OpenBSD packet filter log: header of 61 octets, padded to 64", link=117)
def pflog():
    frames = [wire.pflog(p, 2) for _, p in tcp_talk()]
    frames += [wire.pflog(p, 24) for _, p in udp_talk()]
    return every(10, frames)


# -- PPP and serial lines -------------------------------------------------------------------


@fixture("link-ppp.pcap", "PPP without framing, with it, and with a one-octet protocol", link=9)
def ppp():
    frames = [wire.ppp(p) for _, p in tcp_talk()]
    frames += [wire.ppp(p, framing=b"\xff\x03") for _, p in udp_talk()]
    frames += [wire.ppp(p, protocol=0x21, is_compressed=True) for _, p in ping_talk()]
    frames.append(wire.ppp(b"\x01\x01\0\x04", protocol=0xC021, framing=b"\xff\x03"))
    return every(10, frames)


@fixture("link-ppp-serial.pcap", "PPP in HDLC-like framing, and Cisco framing under one number", link=50)
def ppp_serial():
    frames = [wire.ppp(p, framing=b"\xff\x03") for _, p in tcp_talk()]
    frames += [wire.chdlc(p) for _, p in udp_talk()]
    return every(10, frames)


@fixture("link-ppp-ether.pcap", "PPPoE without the Ethernet header", link=51)
def ppp_ether():
    return bare(plain_talk(), lambda p: bytes(wire.pppoe(p)))


@fixture("link-chdlc.pcap", "Cisco HDLC, unicast and multicast; its keepalive is no IP", link=104)
def chdlc():
    frames = [wire.chdlc(p) for _, p in tcp_talk()]
    frames += [wire.chdlc(p, is_multicast=True) for _, p in udp_talk()]
    frames += [wire.chdlc(wire.mpls([33], p)) for _, p in ping_talk()]
    frames.append(wire.chdlc(wire.Payload(b"\0" * 14, 0x8035)))
    return every(10, frames)


@fixture("link-frame-relay.pcap", "Frame Relay with NLPID for IP, and with SNAP", link=107)
def frame_relay():
    frames = [wire.frame_relay(p) for _, p in tcp_talk()]
    frames += [wire.frame_relay_snap(p) for _, p in udp_talk()]
    frames.append(b"\x18\x41\x03\xcf" + b"\0" * 8)
    return every(10, frames)


# -- radio ----------------------------------------------------------------------------------


@fixture("link-80211.pcap", "802.11 data, QoS data and four-address frames; a beacon is no IP", link=105)
def wifi():
    frames = [wire.wifi(p) for _, p in tcp_talk()]
    frames += [wire.wifi(p, quality=True, to_ds=False, from_ds=True) for _, p in udp_talk()]
    frames += [wire.wifi(p, to_ds=True, from_ds=True, four_address=True) for _, p in ping_talk()]
    frames.append(b"\x80\0\0\0" + b"\xff" * 6 + wire.mac(wire.MAC_A) * 2 + b"\0" * 10 + b"\x64\0\x01\0" + b"\0\x03net")
    return every(10, frames)


@fixture("link-radiotap.pcap", "802.11 behind a radiotap header", link=127)
def radiotap():
    return bare(plain_talk(), lambda p: wire.radiotap(wire.wifi(p, quality=True)))


@fixture("link-unknown.pcap", "a link type that nobody decodes: refused with its number", link=147)
def unknown():
    return [at(0, b"\0" * 60)]
