#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every fixture, in every export version, through nfcapd, nfacctd and tshark: they must read the
very flows that --print json shows.

    collectors_replay.py [--build DIR]

Needs no rights: everything happens on loopback. What a collector is known to read differently is
in the tables below, with the reason; nothing else is forgiven.
"""

import argparse
import collections
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import peers

FIXTURES = peers.ROOT / "pcap-fixtures"
SKIP = 77
COUNTER_MAX = 0xFFFFFFFF  # of v1 and v5; larger flows go out as several records

# nfacctd reads ports in v5 for TCP and UDP alone, and ICMP types nowhere but in a port.
NFACCTD_V5_WITHOUT_PORTS = {33, 132, 136}

# Captures whose times no 32-bit uptime can tell, or that have no sane time at all.
ODD_TIMES = {"time-far-back.pcap", "time-jump.pcap", "time-uptime-wrap.pcap", "odd-microseconds.pcap"}


def captures():
    for line in (FIXTURES / "MANIFEST").read_text().splitlines():
        if line and not line.startswith("#"):
            name, link, packets = line.split("\t")[:3]
            if int(packets) and link != "147":
                yield name


def numbers(row):
    """One of our JSON lines as the collectors would tell it."""
    protocol = peers.protocol_number(row["proto"])
    is_icmp = (protocol == 1 and ":" not in row["src_addr"]) or (protocol == 58 and ":" in row["src_addr"])
    sport, dport = row["src_port"], row["dst_port"]
    if is_icmp:
        sport, dport = 0, row["icmp_type"] * 256 + row["icmp_code"]
    flow = peers.Flow(row["src_addr"], row["dst_addr"], protocol, sport, dport, row["packets"], row["bytes"])
    return flow, (row["time_flow_start_ns"] // 1_000_000, row["time_flow_end_ns"] // 1_000_000)


class Replay:
    """Our own reading of a capture, and the datagrams that carry it."""

    def __init__(self, sensor, name, version):
        self.name = name
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
            sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
            sink.bind(("127.0.0.1", 0))
            done = subprocess.run(
                [sensor, "-r", str(FIXTURES / name), "-v", version, "--domain", "7", "--print", "json", "-n",
                 "127.0.0.1:%d" % sink.getsockname()[1]], capture_output=True, text=True, timeout=60)
            assert done.returncode in (0, 4), (name, done.returncode, done.stderr)
            sink.setblocking(False)
            self.datagrams = []
            while True:
                try:
                    self.datagrams.append(sink.recv(65536))
                except BlockingIOError:
                    break
        self.flows = [numbers(json.loads(line)) for line in done.stdout.splitlines() if line.startswith("{")]


def sums(flows):
    """Packets and octets by key: what is left when records of one key are added up."""
    out = collections.defaultdict(lambda: [0, 0])
    for flow in flows:
        out[flow[:5]][0] += flow.packets
        out[flow[:5]][1] += flow.octets
    return {key: tuple(value) for key, value in out.items()}


def show(some):
    return "\n".join("%s: %s" % pair for pair in sorted(some.items(), key=str)[:20])


class Collectors(unittest.TestCase):
    sensor = None
    maxDiff = 4000

    def replays(self, version):
        """All fixtures; IPv6 left out where the version has no place for it."""
        out = [Replay(self.sensor, name, version) for name in captures()]
        if version in ("1", "5"):
            for replay in out:
                replay.flows = [pair for pair in replay.flows if ":" not in pair[0].source]
        return out

    def collect(self, kind, version, replays):
        with tempfile.TemporaryDirectory(prefix="ringflow-peers-") as folder:
            collector = kind(folder)
            try:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                    sender.bind(("127.0.0.1", 0))
                    for replay in replays:
                        for datagram in replay.datagrams:
                            sender.sendto(datagram, ("127.0.0.1", collector.port))
                        time.sleep(0.005)
                return collector, collector.finish()
            finally:
                collector.kill()

    def assert_same(self, ours, theirs, what):
        missing = {key: value for key, value in ours.items() if theirs.get(key) != value}
        extra = {key: value for key, value in theirs.items() if ours.get(key) != value}
        self.assertEqual((len(missing), len(extra)), (0, 0), "%s\nours: %s\ntheirs: %s" % (
            what, show(missing), show(extra)))

    def nfcapd(self, version):
        replays = self.replays(version)
        collector, theirs = self.collect(peers.Nfcapd, version, replays)
        ours = [flow for replay in replays for flow, _ in replay.flows]
        if version in ("1", "5"):
            # A flow of more than 32 bits arrives in pieces; sums are what must hold.
            self.assert_same(sums(ours), sums(theirs), "nfcapd v" + version)
        else:
            self.assert_same(collections.Counter(ours), collections.Counter(theirs), "nfcapd v" + version)
        self.check_times(version, replays, collector.times)

    def check_times(self, version, replays, theirs):
        """First and last to the millisecond, record by record."""
        odd = {flow for replay in replays if replay.name in ODD_TIMES for flow, _ in replay.flows}
        giant = {flow for replay in replays for flow, _ in replay.flows if flow.octets > COUNTER_MAX}
        skipped = odd | (giant if version in ("1", "5") else set())
        ours = {}
        for replay in replays:
            for flow, times in replay.flows:
                ours.setdefault(flow, []).append(times)
        self.assertGreater(len(set(ours) - skipped), 100)
        wrong = {flow: (sorted(times), sorted(theirs.get(flow, []))) for flow, times in ours.items()
                 if flow not in skipped and sorted(times) != sorted(theirs.get(flow, []))}
        self.assertEqual(wrong, {}, "times of v%s: (ours, nfcapd's)" % version)

    def nfacctd(self, version):
        replays = self.replays(version)
        _, theirs = self.collect(peers.Nfacctd, version, replays)
        ours = [flow for replay in replays for flow, _ in replay.flows]
        if version == "5":
            ours = [flow._replace(sport=0, dport=0) if flow.protocol in NFACCTD_V5_WITHOUT_PORTS else flow
                    for flow in ours]
        else:
            ours = [flow._replace(dport=0) if flow.protocol in peers.ICMP else flow for flow in ours]
        self.assert_same(sums(ours), sums(theirs), "nfacctd v" + version)

    def tshark(self, version):
        replays = self.replays(version)
        with tempfile.TemporaryDirectory(prefix="ringflow-peers-") as folder:
            read = peers.tshark_rows([replay.datagrams for replay in replays], folder)
        for replay, (counters, complaints) in zip(replays, read):
            ours = [(flow.packets, flow.octets) for flow, _ in replay.flows]
            self.assertEqual(complaints, [], replay.name)
            if version in ("1", "5"):
                self.assertEqual([sum(part) for part in zip(*counters)], [sum(part) for part in zip(*ours)],
                                 replay.name)
            else:
                self.assertEqual(sorted(counters), sorted(ours), replay.name)


def add_cases():
    for kind, versions in (("nfcapd", "1 5 9 10"), ("nfacctd", "5 9 10"), ("tshark", "1 5 9 10")):
        for version in versions.split():
            def case(self, kind=kind, version=version):
                getattr(self, kind)(version)
            setattr(Collectors, "test_%s_reads_v%s" % (kind, version), case)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=str(peers.ROOT / "build"))
    parser.add_argument("cases", nargs="*")
    arguments = parser.parse_args()
    missing = [name for name in ("nfcapd", "nfdump", "nfacctd", "tshark") if not shutil.which(name)]
    if missing:
        print("SKIPPED: %s not installed" % ", ".join(missing), file=sys.stderr)
        sys.exit(SKIP)
    Collectors.sensor = str(pathlib.Path(arguments.build).resolve() / "sensor/ringflowd")
    add_cases()
    unittest.main(argv=[sys.argv[0], "-v", *arguments.cases])


if __name__ == "__main__":
    main()
