#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Real collectors read every field of what the exporter sends.

    collectors.py PROBE nfcapd|nfacctd|tshark

PROBE is tests/export_probe: it sends made-up flows and prints what must arrive. Each version, time
form and option that the collector can read is sent to it on loopback, and what it understood is
compared field by field. Exit status 77 when the collector is not installed.
"""

import calendar
import collections
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

SKIP = 77
WAIT_S = 20
ENVIRONMENT = dict(os.environ, TZ="UTC", LC_ALL="C")
ICMP = (1, 58)

Key = collections.namedtuple("Key", "source destination protocol sport dport")
Values = collections.namedtuple("Values", "packets octets tos flags first_ms last_ms")


def add(flows, key, values):
    """Records of one flow (a version with 32-bit counters splits) become one."""
    old = flows.get(key)
    if old:
        values = Values(old.packets + values.packets, old.octets + values.octets, values.tos,
                        old.flags | values.flags, min(old.first_ms, values.first_ms),
                        max(old.last_ms, values.last_ms))
    flows[key] = values


def send(probe, port, version, options):
    """Run the probe; returns {Key: Values} of what it says it sent."""
    words = [probe, "127.0.0.1", str(port), str(version)]
    words += ["%s=%s" % pair for pair in options.items()]
    text = subprocess.run(words, check=True, capture_output=True, text=True, timeout=WAIT_S).stdout
    flows = {}
    for line in text.splitlines():
        source, destination, *numbers = line.split()
        numbers = [int(number) for number in numbers]
        add(flows, Key(source, destination, *numbers[:3]), Values(*numbers[3:]))
    assert flows, "the probe printed nothing"
    return flows


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def queued_octets(port):
    """What waits in the socket bound to .port, None when there is no such socket."""
    for line in open("/proc/net/udp").read().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].split(":")[1], 16) == port:
            return int(fields[4].split(":")[1], 16)
    return None


def wait_until(condition, what):
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def collect(command, port, ending, action):
    """Run a collector around .action; returns what that returns."""
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: queued_octets(port) is not None, "the collector does not listen")
        result = action()
        wait_until(lambda: queued_octets(port) == 0, "the collector does not read")
        time.sleep(0.3)
        process.send_signal(ending)
        process.wait(WAIT_S)
        return result
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


# -- nfcapd and nfdump -------------------------------------------------------------------------


def nfdump_ms(text):
    whole, part = text.split(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 1000 + int(part)


def nfdump_flags(text):
    """"...AP.SF": a letter for each bit that is set, highest first."""
    return int("".join("0" if letter == "." else "1" for letter in text), 2)


def run_nfcapd(probe, folder, version, options):
    port = free_port()
    command = ["nfcapd", "-w", str(folder), "-b", "127.0.0.1", "-p", str(port), "-t", "3600"]
    wanted = collect(command, port, signal.SIGTERM, lambda: send(probe, port, version, options))
    found = {}
    for path in folder.glob("nfcapd.*"):
        text = subprocess.run(["nfdump", "-r", str(path), "-o", "json"], env=ENVIRONMENT, check=True,
                              capture_output=True, text=True, timeout=WAIT_S).stdout
        for row in json.loads(text) if text.startswith("[") else []:
            protocol = row["proto"]
            sport, dport = row.get("src_port", 0), row.get("dst_port", 0)
            if protocol in ICMP:
                sport, dport = 0, row["icmp_type"] * 256 + row["icmp_code"]
            key = Key(row.get("src4_addr", row.get("src6_addr")),
                      row.get("dst4_addr", row.get("dst6_addr")), protocol, sport, dport)
            add(found, key, Values(row["in_packets"], row["in_bytes"], row["src_tos"],
                                   nfdump_flags(row.get("tcp_flags", ".")),
                                   nfdump_ms(row["first"]), nfdump_ms(row["last"])))
    # It multiplies by the interval that it has been told, in every version but v1.
    scale = options.get("sampling", 1) if version != 1 else 1
    wanted = {key: values._replace(packets=values.packets * scale, octets=values.octets * scale)
              for key, values in wanted.items()}
    return wanted, found


# -- nfacctd -----------------------------------------------------------------------------------

PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "ipv6-icmp": 58, "sctp": 132}


def nfacctd_ms(text):
    seconds, microseconds = text.split(".")
    return int(seconds) * 1000 + int(microseconds) // 1000


def run_nfacctd(probe, folder, version, options):
    port = free_port()
    configuration = folder / "conf"
    output = folder / "flows"
    configuration.write_text("""daemonize: false
nfacctd_ip: 127.0.0.1
nfacctd_port: %d
plugins: print
aggregate: src_host,dst_host,src_port,dst_port,proto,tos,tcpflags,timestamp_start,timestamp_end,\
vlan,src_mac,dst_mac,in_iface,out_iface,sampling_rate
timestamps_since_epoch: true
print_output: json
print_output_file: %s
print_refresh_time: 3600
plugin_pipe_size: 1024000
plugin_buffer_size: 10240
""" % (port, output))
    wanted = collect(["nfacctd", "-f", str(configuration)], port, signal.SIGINT,
                     lambda: send(probe, port, version, options))
    wait_until(output.exists, "nfacctd wrote nothing")
    found = {}
    for line in output.read_text().splitlines():
        row = json.loads(line)
        assert row["sampling_rate"] == options.get("sampling", 1), row
        assert {row["iface_in"], row["iface_out"]} == {3, 4}, row
        if version != 5:
            assert row["vlan"] == 42, row
            assert {row["mac_src"], row["mac_dst"]} == {"02:00:00:00:00:01", "02:00:00:00:00:02"}, row
        add(found, Key(row["ip_src"], row["ip_dst"], PROTOCOLS[row["ip_proto"]], row["port_src"],
                       row["port_dst"]),
            Values(row["packets"], row["bytes"], row["tos"], int(row["tcp_flags"]),
                   nfacctd_ms(row["timestamp_start"]), nfacctd_ms(row["timestamp_end"])))
    return nfacctd_view(wanted, version), nfacctd_times(wanted, found, version)


def nfacctd_view(wanted, version):
    """What it makes of keys: no ICMP types but in v5's port, and there no SCTP ports."""
    view = {}
    for key, values in wanted.items():
        if (key.protocol in ICMP and version != 5) or (version == 5 and key.protocol == 132):
            key = key._replace(sport=0, dport=0)
        add(view, key, values)
    return view


def nfacctd_times(wanted, found, version):
    """Its times from sysUptime are cut to seconds: take those that are right to the second."""
    if version == 10:
        return found
    times = {key[:3]: values[4:] for key, values in wanted.items()}
    for key, values in found.items():
        sent = times.get(key[:3], (0, 0))
        if abs(sent[0] - values.first_ms) < 1000 and abs(sent[1] - values.last_ms) < 1000:
            found[key] = values._replace(first_ms=sent[0], last_ms=sent[1])
    return found


# -- tshark ------------------------------------------------------------------------------------


def receive(probe, version, options):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
        collector.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        collector.bind(("127.0.0.1", 0))
        wanted = send(probe, collector.getsockname()[1], version, options)
        datagrams = []
        while select.select([collector], [], [], 0.2)[0]:
            datagrams.append(collector.recv(65535))
    return wanted, datagrams


def write_capture(path, datagrams, port):
    """Raw IPv4 (link type 101), as if the datagrams had been captured."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        for datagram in datagrams:
            udp = struct.pack(">HHHH", port, port, 8 + len(datagram), 0) + datagram
            packet = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                                 b"\x7f\0\0\1", b"\x7f\0\0\1") + udp
            file.write(struct.pack("<IIII", 1700000100, 0, len(packet), len(packet)) + packet)


def raw(fields, *names):
    """The number of the first of .names that the flow has, 0 without."""
    for name in names:
        if name in fields:
            return int(fields[name], 16)
    return 0


def tshark_ms(fields, side, boot_ms):
    """Absolute milliseconds, whatever the form."""
    if "cflow.time" + side in fields:
        return boot_ms + int(fields["cflow.time" + side], 16)
    octets = fields["cflow.abstime" + side]
    return int(octets, 16) if len(octets) == 16 else int(octets, 16) * 1000


def tshark_flows(message):
    """The flows of one dissected message."""
    header = {field.get("name"): field.get("value") for field in message.iter("field")
              if field.get("name") in ("cflow.unix_secs", "cflow.unix_nsecs", "cflow.sysuptime")}
    boot_ms = raw(header, "cflow.unix_secs") * 1000 + raw(header, "cflow.unix_nsecs") // 1000000 \
        - raw(header, "cflow.sysuptime")
    for flow in message.iter("field"):
        names = {field.get("name") for field in flow.findall("field")}
        if not names & {"cflow.srcaddr", "cflow.srcaddrv6"}:
            continue
        parts = [field for field in flow.iter("field") if field.get("value")]
        fields = {field.get("name"): field.get("value") for field in parts}
        shown = {field.get("name"): field.get("show") for field in parts}
        protocol = raw(fields, "cflow.protocol")
        dport = raw(fields, "cflow.dstport", "cflow.icmp_type", "cflow.icmp_type_code_ipv4")
        if dport == 0:
            dport = raw(fields, "cflow.icmp_ipv6_type") * 256 + raw(fields, "cflow.icmp_ipv6_code")
        key = Key(shown.get("cflow.srcaddr", shown.get("cflow.srcaddrv6")),
                  shown.get("cflow.dstaddr", shown.get("cflow.dstaddrv6")), protocol,
                  raw(fields, "cflow.srcport"), dport)
        yield key, Values(raw(fields, "cflow.packets"), raw(fields, "cflow.octets"),
                          raw(fields, "cflow.tos"), raw(fields, "cflow.tcpflags"),
                          tshark_ms(fields, "start", boot_ms), tshark_ms(fields, "end", boot_ms))


def run_tshark(probe, folder, version, options):
    wanted, datagrams = receive(probe, version, options)
    path = folder / "datagrams.pcap"
    write_capture(path, datagrams, 2055)
    text = subprocess.run(["tshark", "-n", "-r", str(path), "-d", "udp.port==2055,cflow", "-T", "pdml"],
                          env=ENVIRONMENT, check=True, capture_output=True, text=True,
                          timeout=60).stdout
    assert "malformed" not in text.lower() and "_ws.expert" not in text, "tshark complains"
    found = {}
    for message in xml.etree.ElementTree.fromstring(text).iter("proto"):
        if message.get("name") == "cflow":
            for key, values in tshark_flows(message):
                add(found, key, values)
    if options.get("time") == 1:
        wanted = {key: values._replace(first_ms=values.first_ms // 1000 * 1000,
                                       last_ms=values.last_ms // 1000 * 1000)
                  for key, values in wanted.items()}
    return wanted, found


# -- the cases ---------------------------------------------------------------------------------

NFDUMP, FULL = 1, 2  # enum template_preset
ALL_OPTIONS = 255  # 1 << enum options_set
# What the tests look at, with elements between that no collector has to know.
NAMED = ",".join([
    "sourceIPv4Address", "destinationIPv4Address", "sourceIPv6Address", "destinationIPv6Address", "flowId",
    "flowStartMilliseconds", "flowEndMilliseconds", "octetDeltaCount", "packetDeltaCount", "communityId",
    "sourceTransportPort", "destinationTransportPort", "icmpTypeCodeIPv4", "icmpTypeCodeIPv6",
    "protocolIdentifier", "ipClassOfService", "tcpControlBits", "exporterIPv4Address", "exporterIPv6Address",
    "ingressInterface", "egressInterface", "vlanId", "sourceMacAddress", "destinationMacAddress",
    "observationPointId", "interfaceName", "flowDurationMilliseconds", "dot1qCustomerVlanId"])

# Collector: how to run it, and {version: options it is tried with}.
COLLECTORS = {
    "nfcapd": (run_nfcapd, ["nfcapd", "nfdump"], {
        1: [{}, {"rounds": 9}],
        5: [{}, {"rounds": 9}, {"sampling": 10}],
        9: [{}, {"rounds": 9, "bytes": 500}, {"sampling": 10}, {"labels": 3}, {"preset": NFDUMP},
            {"preset": FULL}],
        10: [{}, {"rounds": 9, "bytes": 500}, {"sampling": 10}, {"labels": 3}, {"preset": NFDUMP},
             {"preset": FULL}, {"template": NAMED, "options": ALL_OPTIONS}],
    }),
    "nfacctd": (run_nfacctd, ["nfacctd"], {
        5: [{}, {"sampling": 10}],
        9: [{}, {"sampling": 10, "bytes": 500}, {"preset": FULL}],
        10: [{}, {"sampling": 10, "bytes": 500}, {"labels": 3}, {"preset": NFDUMP}, {"preset": FULL},
             {"template": NAMED, "options": ALL_OPTIONS}],
    }),
    "tshark": (run_tshark, ["tshark"], {
        1: [{"rounds": 9}],
        5: [{"rounds": 9, "sampling": 10}],
        9: [{"rounds": 9}, {"labels": 10, "bytes": 700, "rounds": 3}, {"time": 1}, {"time": 2},
            {"preset": NFDUMP}, {"preset": FULL}],
        10: [{"rounds": 9}, {"labels": 10, "bytes": 700, "rounds": 3, "refresh": 2}, {"time": 1},
             {"preset": NFDUMP}, {"preset": FULL}, {"template": NAMED, "options": ALL_OPTIONS}],
    }),
}


def compare(wanted, found):
    """Lines that tell the differences."""
    lines = ["missing %s %s" % (key, wanted[key]) for key in wanted.keys() - found.keys()]
    lines += ["not sent %s %s" % (key, found[key]) for key in found.keys() - wanted.keys()]
    lines += ["%s\n    sent %s\n    read %s" % (key, wanted[key], found[key])
              for key in wanted.keys() & found.keys() if wanted[key] != found[key]]
    return lines


def main():
    probe, name = sys.argv[1:]
    run, programs, cases = COLLECTORS[name]
    for program in programs:
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin"):
            print("%s is not installed" % program)
            return SKIP
    ENVIRONMENT["PATH"] += ":/usr/sbin"
    failures = 0
    for version, tries in cases.items():
        for options in tries:
            with tempfile.TemporaryDirectory() as folder:
                wanted, found = run(probe, pathlib.Path(folder), version, options)
            lines = compare(wanted, found)
            failures += bool(lines)
            print("%s v%d %s: %s" % (name, version, options, "\n  ".join(["WRONG"] + lines) if lines
                                     else "%d flows right" % len(found)))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
