# SPDX-License-Identifier: BSD-2-Clause
"""Stock collectors as witnesses: nfcapd with nfdump, nfacctd, and tshark's dissector.

Each takes datagrams on a loopback port (tshark: from a capture made here) and says which flows it
understood, in one form for all: Flow tuples, ICMP type and code as type * 256 + code in dport.
"""

import calendar
import collections
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "pcap-fixtures"))
import capture  # noqa: E402
import wire  # noqa: E402

Flow = collections.namedtuple("Flow", "source destination protocol sport dport packets octets")
ICMP = (1, 58)
ENVIRONMENT = dict(os.environ, TZ="UTC", LC_ALL="C")
START_S, END_S = 10, 20


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def udp_sockets(port, pid):
    """(queued octets, drops) of the process' socket on .port, as its namespace shows them."""
    for line in pathlib.Path("/proc/%d/net/udp" % pid).read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].split(":")[1], 16) == port:
            return int(fields[4].split(":")[1], 16), int(fields[-1])
    return None


class Collector:
    """A process that listens on a UDP port; finish() ends it and leaves .flows filled."""

    def __init__(self, folder, prefix=()):
        """prefix: words in front of the command, to run it in a namespace."""
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.log = open(self.folder / "log", "w+")
        self.process = subprocess.Popen([*prefix, *self.command()], stdout=self.log,
                                        stderr=subprocess.STDOUT, env=ENVIRONMENT)
        end = time.monotonic() + START_S
        while not udp_sockets(self.port, self.process.pid):
            assert self.process.poll() is None and time.monotonic() < end, self.text()
            time.sleep(0.02)

    def text(self):
        return (self.folder / "log").read_text()

    def wait_for_drain(self):
        """Until the collector has read all that was sent to it; none of it may be lost."""
        end = time.monotonic() + END_S
        while time.monotonic() < end:
            queued, drops = udp_sockets(self.port, self.process.pid)
            assert drops == 0, "the collector's socket overflowed"
            if queued == 0:
                return
            time.sleep(0.02)
        raise AssertionError("the collector does not read")

    def finish(self):
        self.wait_for_drain()
        time.sleep(0.3)
        self.process.send_signal(self.ending)
        self.process.wait(END_S)
        self.log.close()
        return self.read()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)


def milliseconds(text):
    """nfdump's UTC time stamps."""
    whole, part = text.split(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 1000 + int(part)


class Nfcapd(Collector):
    """NetFlow v1, v5, v9 and IPFIX."""

    ending = signal.SIGTERM

    def command(self):
        return ["nfcapd", "-w", str(self.folder), "-b", "127.0.0.1", "-p", str(self.port), "-B", "20000000",
                "-t", "3600"]

    def read(self):
        rows = []
        for path in sorted(self.folder.glob("nfcapd.*")):
            done = subprocess.run(["nfdump", "-r", str(path), "-N", "-o", "json"], env=ENVIRONMENT,
                                  capture_output=True, text=True, timeout=60, check=True)
            text = done.stdout.strip()
            rows += json.loads(text) if text.startswith("[") else []
        self.rows = [row for row in rows if row.get("type") == "FLOW"]
        self.times = {}
        return [self.flow(row) for row in self.rows]

    def flow(self, row):
        protocol = row.get("proto", 0)
        sport, dport = row.get("src_port", 0), row.get("dst_port", 0)
        if protocol in ICMP and "icmp_type" in row:
            sport, dport = 0, row["icmp_type"] * 256 + row["icmp_code"]
        found = Flow(row.get("src4_addr", row.get("src6_addr")), row.get("dst4_addr", row.get("dst6_addr")),
                     protocol, sport, dport, row["in_packets"], row["in_bytes"])
        self.times.setdefault(found, []).append((milliseconds(row["first"]), milliseconds(row["last"])))
        return found


class Nfacctd(Collector):
    """NetFlow v5, v9 and IPFIX; sums over equal keys."""

    ending = signal.SIGINT

    def command(self):
        settings = {"daemonize": "false", "nfacctd_ip": "127.0.0.1", "nfacctd_port": self.port,
                    "plugins": "print", "aggregate": "src_host,dst_host,src_port,dst_port,proto",
                    "print_output": "json", "print_output_file": self.folder / "flows",
                    "print_output_file_append": "true", "print_refresh_time": 1,
                    "nfacctd_pipe_size": 20000000, "plugin_pipe_size": 40960000,
                    "plugin_buffer_size": 40960, "nfacctd_disable_checks": "true"}
        path = self.folder / "conf"
        path.write_text("".join("%s: %s\n" % pair for pair in settings.items()))
        return ["nfacctd", "-f", str(path)]

    def wait_for_drain(self):
        super().wait_for_drain()
        time.sleep(2.2)  # the plugin writes once a second

    def read(self):
        out = []
        path = self.folder / "flows"
        for line in path.read_text().splitlines() if path.exists() else []:
            row = json.loads(line)
            protocol = row["ip_proto"]
            out.append(Flow(row["ip_src"], row["ip_dst"],
                            protocol_number(protocol),
                            row["port_src"], row["port_dst"], row["packets"], row["bytes"]))
        return out


PROTOCOLS = {"icmp": 1, "icmpv6": 58, "udp-lite": 136, "igmp": 2, "ip": 0, "hopopt": 0, "ipip": 4, "ipencap": 4, "tcp": 6, "udp": 17, "dccp": 33,
             "ipv6": 41, "ipv6-route": 43, "ipv6-frag": 44, "gre": 47, "esp": 50, "ah": 51, "icmp6": 58, "ipv6-icmp": 58, "ipv6-nonxt": 59,
             "ospf": 89, "sctp": 132, "mobility-header": 135, "udplite": 136, "hip": 139, "shim6": 140}


def protocol_number(name):
    """Of a name as collectors and goflow2 write it, or of digits."""
    text = str(name).lower()
    return int(text) if text.isdigit() else PROTOCOLS[text]


def tshark_rows(replays, folder, port=9995):
    """What tshark reads in lists of datagrams: for each list its counters, and its complaints."""
    packets = []
    for place, datagrams in enumerate(replays):
        # An exporter of its own for each list: sequences and templates are told apart by that.
        source = "127.1.%d.%d" % (place >> 8, place & 255)
        packets += [capture.Packet(1_800_000_000 * capture.NS_PER_S + len(packets) * 1000, wire.ethernet(
            wire.ipv4(source, "127.0.0.1", wire.UDP, wire.udp(port, port, datagram))))
            for datagram in datagrams]
    path = pathlib.Path(folder) / "datagrams.pcap"
    path.write_bytes(capture.pcap(packets, 1))
    fields = ["ip.src", "cflow.packets", "cflow.octets", "_ws.malformed", "_ws.expert.message"]
    command = ["tshark", "-n", "-r", str(path), "-d", "udp.port==%d,cflow" % port, "-T", "fields",
               "-E", "separator=|"]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=True)
    counters, complaints = [[] for _ in replays], [[] for _ in replays]
    for line in done.stdout.splitlines():
        source, packets_text, octets_text, malformed, expert = line.split("|", 4)
        place = int(source.split(".")[2]) << 8 | int(source.split(".")[3])
        if packets_text:
            counters[place] += zip(map(int, packets_text.split(",")), map(int, octets_text.split(",")))
        complaints[place] += [word for word in (malformed, expert) if word]
    return list(zip(counters, complaints))
