#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""CPU time of ringflowd and softflowd over the same generated capture, side by side.

    tests/bench/compare.py [RINGFLOWD [PACKETS [FLOWS [RUNS]]]]

The best of several runs, taken in turns. There is no verdict: machines differ, and time is no
assertion. A program that fails is.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COLLECTOR = "127.0.0.1:9"


def cpu_seconds(command):
    """User and system time of one run."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit("%s: status %d" % (" ".join(command), process.returncode))
    return usage.ru_utime + usage.ru_stime


def main():
    given = sys.argv[1:] + [None] * 4
    sensor = given[0] or str(ROOT / "build/sensor/ringflowd")
    packets, flows, runs = int(given[1] or 500_000), int(given[2] or 5000), int(given[3] or 3)
    peer = shutil.which("softflowd")
    with tempfile.TemporaryDirectory(prefix="ringflow-bench-") as folder:
        load = folder + "/load.pcap"
        subprocess.run([str(ROOT / "tests/bench/workload.py"), load, str(packets), str(flows)], check=True)
        rows = {}
        for version in ("5", "9", "10"):
            rows["ringflowd -v " + version] = [sensor, "-r", load, "-n", COLLECTOR, "-v", version]
            if peer and version != "10":
                # A table with room for all flows, as ours has.
                rows["softflowd -v " + version] = [peer, "-a", "-m", "1000000", "-r", load, "-n", COLLECTOR,
                                                   "-v", version, "-p", "none", "-c", "none"]
        best = {}
        for _ in range(runs):
            for name, command in rows.items():
                best[name] = min(cpu_seconds(command), best.get(name, float("inf")))
    print("%d packets, %d flows, best of %d" % (packets, flows, runs))
    for name, seconds in best.items():
        print("%-18s %6.2f s CPU  %6.2f Mpackets/s" % (name, seconds, packets / max(seconds, 1e-6) / 1e6))
    if not peer:
        print("softflowd is not installed: nothing to compare with")


if __name__ == "__main__":
    main()
