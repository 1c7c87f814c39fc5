#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""ringflowd, softflowd and the machine's limits side by side, and whether the goals are met.

    tests/bench/side_by_side.py [--build DIR] [--quick] [--only PART,...] [--runs N]

Prints one table and a verdict for each goal; the exit status is 1 when one is missed or a total
is wrong. README.md, next to this, says what each number means. --quick takes a minute, runs on
workloads a tenth of the size and so gives numbers, but no verdicts.
"""

import argparse
import mmap
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WORKLOADS = ("W1", "W2", "W3", "W4", "W5")
NAMES = {"W1": "mix", "W2": "scan", "W3": "elephants", "W4": "concurrent", "W5": "v6mix"}
FLOWS = {"W1": 1_000_000, "W2": 5_000_000, "W3": 1000, "W4": 4_000_000, "W5": 1_000_000}
PACKETS = {"W1": 10_000_000, "W2": 5_000_000, "W3": 10_000_000, "W4": 10_000_000, "W5": 10_000_000}
PARTS = WORKLOADS + ("memory", "expiry", "flood", "lanes", "live")

MEASURED_CPU, OTHER_CPU = 0, 1
TWO_LANES = "  2 lanes"  # ringflowd, on both CPUs
OURS = ("ringflowd", TWO_LANES)
WARM_BYTES = 3 << 30
HUGE_PAGE_BYTES = 2 << 20
RUN_LIMIT_S = 900
BUSY_LOAD = 0.7  # by what went before, as a build, too: it is a mean over a minute
SKIPPED = 77  # exit status of what this machine cannot run

# What must hold: name of the value, "least" or "most", the bound, its unit, and what it is.
GOALS = (
    ("softflowd/ringflowd W1", "least", 12, "times", "mix: CPU of softflowd over ringflowd's"),
    ("softflowd/ringflowd W2", "least", 22, "times", "scan"),
    ("softflowd/ringflowd W3", "least", 3, "times", "elephants"),
    ("softflowd/ringflowd W4", "least", 25, "times", "concurrent"),
    ("softflowd/ringflowd W5", "least", 9, "times", "IPv6 mix"),
    ("ipfixprobe/ringflowd W1", "least", 5, "times", "mix: CPU of ipfixprobe over ringflowd's"),
    ("ipfixprobe/ringflowd W2", "least", 5, "times", "scan"),
    ("ipfixprobe/ringflowd W4", "least", 5, "times", "concurrent"),
    ("ipfixprobe/ringflowd W5", "least", 5, "times", "IPv6 mix"),
    ("ringflowd/limit W1", "most", 1.5, "times", "mix: CPU of ringflowd over libpcap + ideal"),
    ("ringflowd/limit W2", "most", 1.5, "times", "scan"),
    ("ringflowd/limit W3", "most", 1.5, "times", "elephants"),
    ("ringflowd/limit W4", "most", 1.5, "times", "concurrent"),
    ("ringflowd/limit W5", "most", 1.5, "times", "IPv6 mix"),
    ("cost W4/W3", "most", 3, "times", "ringflowd with 4 M flows over 1,000"),
    ("memory_v4_bytes", "most", 160, "bytes", "resident per IPv4 flow, indexes included"),
    ("memory_v6_bytes", "most", 160, "bytes", "resident per IPv6 flow, indexes included"),
    ("fill_pause_ms", "most", 10, "ms", "longest batch while the table fills"),
    ("rss_10m_mib", "most", 2047, "MiB", "ringflowd with 10 M flows at once"),
    ("expiry_pass_ms", "most", 20, "ms", "longest pass while 5 M flows end at once"),
    ("flood_ratio", "most", 1.5, "times", "chosen tuples over random ones, random key"),
    ("lanes_ratio", "least", 1.7, "times", "packets a second of two lanes over one"),
    ("live", "least", 1, "", "live.py is content"),
)


# What the machine gives at best, told beside a goal: goal -> (value, words).
CEILINGS = {"lanes_ratio": ("lanes_machine_ratio", "two CPUs of this machine, sharing nothing: %.2f")}


class Wrong(Exception):
    """A program failed or reported wrong totals."""


# -- running ----------------------------------------------------------------------------------


def pinned(cpu):
    """For preexec_fn: stay on one CPU, where there are two; None: anywhere. Always given, because
    a child made without it would count our own peak of memory as its own."""
    def pin():
        if cpu is not None and os.cpu_count() > 1:
            os.sched_setaffinity(0, {cpu})
    return pin


def warm_memory():
    """Touch memory and give it back: a virtual machine pays its host for pages that nobody used
    of late, and that would be charged to whoever comes first."""
    spare = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGESIZE") // 2
    size = min(WARM_BYTES, spare // HUGE_PAGE_BYTES * HUGE_PAGE_BYTES)
    with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory.madvise(mmap.MADV_HUGEPAGE)
        for place in range(0, size, HUGE_PAGE_BYTES):
            memory[place] = 1


def numbers(text):
    """NAME=NUMBER lines."""
    return {name: float(value) for name, value in re.findall(r"^(\w+)=([\d.]+)$", text, re.M)}


class Cost:
    """One run: CPU seconds of all threads, seconds on the clock, peak resident MiB."""

    def __init__(self, command, **how):
        begin = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **how)
        guard = threading.Timer(RUN_LIMIT_S, process.kill)
        guard.start()
        complaint = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        guard.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stderr.close()
        if process.returncode:
            raise Wrong("%s: status %d\n%s" % (" ".join(command), process.returncode,
                                               complaint.decode(errors="replace")[-500:]))
        self.wall_s = time.monotonic() - begin
        self.cpu_s = usage.ru_utime + usage.ru_stime
        self.rss_mib = usage.ru_maxrss / 1024


class Sink:
    """The collector, on the other CPU."""

    def __init__(self, tools):
        self.process = subprocess.Popen([tools / "bench_sink"], stdout=subprocess.PIPE, text=True,
                                        preexec_fn=pinned(OTHER_CPU))
        self.port = int(numbers(self.process.stdout.readline())["port"])

    def __enter__(self):
        return self

    def totals(self):
        self.process.terminate()
        return numbers(self.process.communicate()[0])

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def machine():
    """One line about where and when this was measured."""
    text = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*: (.*)$", text, re.M)
    return "%s, %s, %d CPUs, %.0f GiB, Linux %s" % (
        time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), model[1] if model else platform.machine(),
        os.cpu_count(), os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGESIZE") / 2**30, platform.release())


# -- the programs -----------------------------------------------------------------------------


def log2_up(number):
    return max(17, (int(number) - 1).bit_length())


def peers(options, wanted):
    """How to run each program: name -> function of file, flows and port."""
    def ours(lanes):
        return lambda file, flows, port: [
            str(options.ringflowd), "-r", file, "--lanes", str(lanes), "-m", str(flows * 5 // 4 + 1000),
            "-n", "127.0.0.1:%d" % port]
    found = {"ringflowd": ours(1), TWO_LANES: ours(2)}
    if shutil.which("softflowd"):
        found["softflowd"] = lambda file, flows, port: [
            "softflowd", "-r", file, "-m", "16000000", "-v", "10", "-n", "127.0.0.1:%d" % port]
    elif "softflowd" in wanted:
        print("!! softflowd is not installed: its goals are not measured")
    probe = os.environ.get("IPFIXPROBE")
    if probe:
        found["ipfixprobe"] = lambda file, flows, port: [
            probe, "-L", os.environ.get("IPFIXPROBE_PLUGINS", "."), "-i", "pcap;file=" + file,
            "-s", "cache;size=%d;line=4;active=3600;inactive=3600;split" % log2_up(2 * flows),
            "-o", "ipfix;host=127.0.0.1;port=%d;udp;mtu=1450" % port]
    elif "ipfixprobe" in wanted:
        print("!! IPFIXPROBE does not name an ipfixprobe (IPFIXPROBE_PLUGINS: its plugin folder): "
              "its goals are not measured")
    return found


def check_totals(peer, got, meta):
    """What is wrong, as text; ringflowd may have nothing wrong, and no peer a lost record."""
    wrong = []
    if got["kernel_drops"] or got["bad"]:
        wrong.append("sink lost %d datagrams, %d bad" % (got["kernel_drops"], got["bad"]))
    if got["packets"] != meta["packets"]:
        wrong.append("packets %+d" % (got["packets"] - meta["packets"]))
    if got["octets"] != meta["ip_bytes"]:
        padded = got["octets"] == meta["padded_bytes"]
        wrong.append("octets %+.2f %%%s" % (100 * (got["octets"] / meta["ip_bytes"] - 1),
                                            ", Ethernet padding" if padded else ""))
    if got["records"] != meta["one_way_flows"]:
        wrong.append("records %+d" % (got["records"] - meta["one_way_flows"]))
    if got["sequence_gap"] and peer in OURS:
        wrong.append("sequence numbers off by %d" % got["sequence_gap"])
    return ", ".join(wrong)


def replay(peer, command, file, meta, tools, is_warm):
    """One run of one program over one file: cost and what is wrong with what it sent."""
    with Sink(tools) as sink:
        if is_warm:
            warm_memory()
        cost = Cost(command(file, int(meta["two_way_flows"]), sink.port),
                    preexec_fn=pinned(None if peer == TWO_LANES else MEASURED_CPU))
        wrong = check_totals(peer, sink.totals(), meta)
    if wrong and peer in OURS:
        raise Wrong("ringflowd: %s: %s" % (file, wrong))
    return cost, wrong


def make_workload(name, tools, folder, scale, packets=None, flows=None):
    """A capture file and what its .meta says."""
    file = os.path.join(folder, name + ".pcap")
    subprocess.run([tools / "bench_workload", "--packets", str(packets or PACKETS[name] // scale),
                    "--flows", str(flows or max(FLOWS[name] // scale, 1000)), name, file], check=True)
    return file, numbers(pathlib.Path(file + ".meta").read_text())


class Row:
    """All runs of one program over one workload."""

    def __init__(self):
        self.costs, self.wrong = [], ""

    def add(self, cost, wrong):
        self.costs.append(cost)
        self.wrong = wrong or self.wrong

    def median(self, member):
        return statistics.median(getattr(cost, member) for cost in self.costs)


def compare(name, options, tools, folder, values):
    """One workload through everybody, in turns."""
    file, meta = make_workload(name, tools, folder, 10 if options.quick else 1)
    rows = {peer: Row() for peer in options.peers}
    limits = []
    for _ in range(options.runs):
        for peer, command in options.peers.items():
            rows[peer].add(*replay(peer, command, file, meta, tools, not options.quick))
        if not options.quick:
            warm_memory()
        limits.append(numbers(subprocess.run(
            [tools / "bench_limits", file, str(int(meta["one_way_flows"]))], check=True, text=True,
            stdout=subprocess.PIPE, preexec_fn=pinned(MEASURED_CPU)).stdout))
    os.unlink(file)

    packets = meta["packets"]
    libpcap, ideal = (statistics.median(l[k] for l in limits) for k in ("libpcap_ns", "ideal_ns"))
    cpu = {peer: row.median("cpu_s") * 1e9 / packets for peer, row in rows.items()}
    for peer, row in rows.items():
        low, high = (f(c.cpu_s for c in row.costs) * 1e9 / packets for f in (min, max))
        print("%-3s %-11s %-12s %7.1f %15s %8.1f %6.0f %7.2f %7.2f  %s" % (
            name, NAMES[name], peer, cpu[peer], "%.0f..%.0f" % (low, high),
            row.median("wall_s") * 1e9 / packets, row.median("rss_mib"),
            cpu.get("softflowd", float("nan")) / cpu[peer], cpu[peer] / (libpcap + ideal),
            row.wrong or "totals right"))
        if peer not in OURS:
            values["%s/ringflowd %s" % (peer, name)] = cpu[peer] / cpu["ringflowd"]
    print("%-3s %-11s %-12s %7.1f = libpcap %.1f + ideal %.1f   (read() alone %.1f)" % (
        name, NAMES[name], "limit", libpcap + ideal, libpcap, ideal,
        statistics.median(l["read_ns"] for l in limits)), flush=True)
    values["ringflowd/limit " + name] = cpu["ringflowd"] / (libpcap + ideal)
    values["cpu " + name] = cpu["ringflowd"]


def compare_all(options, tools, folder, values):
    wanted = [name for name in WORKLOADS if name in options.only]
    if wanted:
        print("%-3s %-11s %-12s %7s %15s %8s %6s %7s %7s" % (
            "", "workload", "program", "CPU ns", "min..max", "wall ns", "MiB", "faster", "x limit"))
    for name in wanted:
        compare(name, options, tools, folder, values)
    if {"W3", "W4"} <= set(wanted):
        values["cost W4/W3"] = values["cpu W4"] / values["cpu W3"]


def check_all(options, tools, folder):
    """Small workloads through ringflowd: are its totals right, and the benchmark's own?"""
    for name in WORKLOADS:
        file, meta = make_workload(name, tools, folder, 200)
        for peer, command in options.peers.items():
            replay(peer, command, file, meta, tools, False)
        print("%s: %d packets in %d records: totals right" % (name, meta["packets"], meta["one_way_flows"]))


# -- the other parts --------------------------------------------------------------------------


def micro(program, options, values):
    """A micro-benchmark, whose NAME=NUMBER lines become values."""
    path = options.build / "tests/bench" / program
    if not path.exists():
        print("!! %s is not built: its goals are not measured" % program)
        return
    warm_memory()
    done = subprocess.run([path], text=True, stdout=subprocess.PIPE, preexec_fn=pinned(
        None if program == "bench_lanes" else MEASURED_CPU))
    sys.stdout.write(done.stdout)
    if done.returncode == SKIPPED:
        print("!! %s: this machine cannot run it: its goals are not measured" % program)
    elif done.returncode:
        raise Wrong("%s: status %d" % (program, done.returncode))
    values.update(numbers(done.stdout))


def measure_ten_million(options, tools, folder, values):
    flows = 1_000_000 if options.quick else 10_000_000
    file, meta = make_workload("W2", tools, folder, 1, packets=flows, flows=flows)
    cost, _ = replay("ringflowd", options.peers["ringflowd"], file, meta, tools, False)
    os.unlink(file)
    print("rss_10m_mib=%.0f" % cost.rss_mib)
    values["rss_10m_mib"] = cost.rss_mib


def measure_live(options, values):
    script = ROOT / "tests/bench/live.py"
    status = subprocess.run([script, "--build", options.build]
                            + (["--seconds", "1", "--runs", "1"] if options.quick else [])).returncode
    if status == SKIPPED:
        print("!! live links: this machine cannot (see live.py): not measured")
    else:
        values["live"] = int(status == 0)


def measure_parts(options, tools, folder, values):
    if "memory" in options.only:
        micro("bench_memory", options, values)
        measure_ten_million(options, tools, folder, values)
    for part in ("expiry", "flood", "lanes"):
        if part in options.only:
            micro("bench_" + part, options, values)
    if "live" in options.only:
        measure_live(options, values)


# -- verdicts ---------------------------------------------------------------------------------


def judge(values, is_quick):
    """Print each goal; returns the names of those that are missed and of those not measured."""
    missed, unmeasured = [], []
    print()
    for name, bound, limit, unit, what in GOALS:
        value = values.get(name)
        if value is None:
            verdict = "not measured"
            unmeasured.append(name)
        elif is_quick:
            verdict = "not judged"
        elif value >= limit if bound == "least" else value <= limit:
            verdict = "met"
        else:
            verdict = "MISSED"
            missed.append(name)
        ceiling, words = CEILINGS.get(name, (None, ""))
        if ceiling in values:
            what += " (" + words % values[ceiling] + ")"
        print("%-24s %8s %-5s at %-5s %5g  %-12s %s" % (
            name, "-" if value is None else "%.2f" % value, unit, bound, limit, verdict, what))
    return missed, unmeasured


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="build folder")
    parser.add_argument("--ringflowd", type=pathlib.Path, help="another ringflowd than the build's")
    parser.add_argument("--quick", action="store_true", help="small workloads, no verdicts")
    parser.add_argument("--check", action="store_true", help="only ringflowd's totals, no times")
    parser.add_argument("--runs", type=int, help="of each program, medians count [3, quick 1]")
    parser.add_argument("--only", default=",".join(PARTS), help="of: " + " ".join(PARTS))
    parser.add_argument("--peers", default="softflowd,ipfixprobe", help="beside ringflowd")
    parser.add_argument("--folder", help="where the captures go, 1.2 GB at a time [a temporary one]")
    options = parser.parse_args(arguments)
    options.only = options.only.split(",")
    if not set(options.only) <= set(PARTS):
        parser.error("--only: of " + " ".join(PARTS))
    options.build = options.build.resolve()
    options.ringflowd = options.ringflowd or options.build / "sensor/ringflowd"
    options.runs = options.runs or (1 if options.quick else 3)
    wanted = ["ringflowd", TWO_LANES] + ([] if options.check else options.peers.split(","))
    options.peers = {name: run for name, run in peers(options, wanted).items() if name in wanted}
    return options


def main():
    options = parse(sys.argv[1:])
    tools = options.build / "tests/bench"
    values = {}
    print(machine())
    if os.getloadavg()[0] > BUSY_LOAD:
        print("!! the machine is busy (load %.1f): do not trust these numbers" % os.getloadavg()[0])
    with tempfile.TemporaryDirectory(prefix="ringflow-bench-", dir=options.folder) as folder:
        try:
            if options.check:
                check_all(options, tools, folder)
                return
            compare_all(options, tools, folder, values)
            measure_parts(options, tools, folder, values)
        except Wrong as wrong:
            sys.exit("WRONG: %s" % wrong)
    missed, unmeasured = judge(values, options.quick)
    print("\n%d goals, %d of them not measured" % (len(GOALS), len(unmeasured)))
    if missed:
        sys.exit("missed: " + ", ".join(missed))
    print("no goal is missed" if not options.quick else "all totals are right")


if __name__ == "__main__":
    main()
