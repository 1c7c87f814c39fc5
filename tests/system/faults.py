#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What can go wrong: every fault is provoked, and what was promised has to come true.

A row of FAULTS has the fault, the promise, how it is provoked (a function of fault_cases.py), and
where the operator sees it. The test suite runs all rows. `--peer softflowd` runs the rows with that
program, too, and prints the table of the README with what was seen of both. Faults whose tests
stand elsewhere are in ELSEWHERE.
"""

import argparse
import collections
import pathlib
import shutil
import sys
import unittest

import lab
import fault_cases as cases

Fault = collections.namedtuple("Fault", "name fault promise seen case with_peer")

# name, fault, promise, where it is seen, case, whether it can be done to another program
FAULTS = [Fault(*row) for row in (
    ("sigterm", "SIGTERM, 50,000 open flows", "all exported, bounded time", "Flows exported", cases.sigterm, True),
    ("sigterm_full_socket", "SIGTERM, export socket full", "sent as it takes them", "postponed-sends",
     cases.sigterm_full_socket, False),
    ("sigterm_stuck_reader", "SIGTERM, nobody reads `--print`", "ends; losses counted", "lost-prints",
     cases.sigterm_stuck_reader, False),
    ("sighup", "SIGHUP under traffic", "no flow lost", "log", cases.sighup, True),
    ("quiet_link", "quiet link", "seen within the retire time", "Packets processed", cases.quiet_link, True),
    ("ring_overrun", "ring overrun", "packets = metered + dropped", "Packets dropped by libpcap, log",
     cases.ring_overrun, True),
    ("table_full", "20,000 flows, room for 1,000", "fixed memory, evictions counted", "Flows expired (forced)",
     cases.table_full, True),
    ("collector_down", "UDP collector down", "losses counted, said once; templates on return",
     "lost-records, collectors, log", cases.collector_down, True),
    ("socket_full", "export socket full", "records wait in the table", "postponed-sends", cases.socket_full,
     False),
    ("full_disk", "`--print` to a full disk", "capture goes on; losses counted", "lost-prints, log",
     cases.full_disk, False),
    ("silent_client", "silent control clients", "capture untouched", "Packets processed", cases.silent_client,
     True),
    ("control_flood", "2,000 control clients", "capture untouched", "Packets processed", cases.control_flood,
     True),
    ("early_hangup", "clients that hang up early", "nothing happens", "-", cases.early_hangup, True),
    ("control_garbage", "garbage on the control socket", "an error line each", "-", cases.control_garbage, True),
    ("link_down", "interface down, up", "captures again", "log", cases.link_down, True),
    ("link_recreated", "interface deleted, made anew", "captures within a second", "log", cases.link_recreated,
     True),
    ("link_renamed", "interface renamed", "capture goes on", "Packets processed", cases.link_renamed, True),
    ("link_absent", "interface absent at the start", "waits (or exits: `--if-absent`)", "log, STATUS",
     cases.link_absent, True),
    ("link_is_down", "interface down at the start", "waits", "log, STATUS", cases.link_is_down, True),
    ("jumbo", "frames larger than a block", "true lengths", "Packets processed", cases.jumbo, True),
    ("clock_set_back", "clock set back (capture)", "idle flows end, no negative duration", "clock-jumps",
     cases.clock_set_back, True),
    ("stamp_from_future", "a stamp 20 days ahead (capture)", "idle flows end", "clock-jumps",
     cases.stamp_from_future, True),
    ("stamps_out_of_order", "stamps out of order", "earliest to latest", "the record",
     cases.stamps_out_of_order, True),
    ("memory_limit", "address space used up", "all is allocated at the start", "-", cases.memory_limit, True),
    ("memory_at_start", "no memory at the start", "says so, exit status 1", "log", cases.memory_at_start, False),
    ("memory_cgroup", "64 MiB cgroup, 200,000 flows", "stays within its sizes", "-", cases.memory_cgroup, True),
    ("malformed", "MPLS frame without a last label", "counted by reason", "Ignored packets", cases.malformed,
     True),
    ("truncated_capture", "truncated capture", "exported up to the cut, exit status 4", "exit status",
     cases.truncated_capture, True),
    ("stale_files", "stale pid file and socket", "neither matters", "-", cases.stale_files, True),
    ("privileges", "rights in the steady state", "none", "log", cases.privileges, True),
)]

# What other tests provoke: fault, promise, test.
ELSEWHERE = (
    ("killed, restarted, upgraded", "each packet counted once", "tests/system/restart.py, tests/system/handover.py"),
    ("a lane that stands still", "noticed by the watchdog", "tests/system/service.py"),
    ("a client that reads an octet a second", "no packet, no memory", "tests/system/control_load.py"),
    ("TCP collector away or stuck", "every record once", "tests/system/sessions.py"),
    ("clock set on a live link", "true durations, expiry goes on", "tests/test_live_clock.c"),
    ("hash flood", "random key, bounded probes", "tests/test_flow_table.c, tests/bench"),
    ("malformed packets", "no crash, no loop", "tests/fuzz, tests/sweep.c, tests/mutants.py"),
)


class Faults(unittest.TestCase):
    """A test for each row."""


def add_test(row):
    def test(self):
        outcome = row.case(cases.Ringflowd())
        print("%s: %s" % (row.name, outcome.text), file=sys.stderr)
        if outcome.is_kept is None:
            self.skipTest(outcome.text)
        self.assertTrue(outcome.is_kept, outcome.text)

    test.__doc__ = "%s: %s" % (row.fault, row.promise)
    setattr(Faults, "test_" + row.name, test)


for row in FAULTS:
    add_test(row)


def run_row(row, subject):
    try:
        return row.case(subject).text
    except (AssertionError, OSError, lab.subprocess.SubprocessError) as problem:
        return "failed: %s" % str(problem).splitlines()[0]


def write_table(peer, names):
    """The table of the README: what was seen of both programs in runs made now."""
    print("| fault | promise | ringflowd | %s |\n|---|---|---|---|" % peer)
    for row in FAULTS:
        if names and row.name not in names:
            continue
        ours = run_row(row, cases.Ringflowd())
        theirs = run_row(row, cases.Softflowd()) if row.with_peer else "not run"
        print("| %s | %s | %s | %s |" % (row.fault, row.promise, ours, theirs), flush=True)
    for fault, promise, test in ELSEWHERE if not names else ():
        print("| %s | %s | `%s` | not run |" % (fault, promise, test.replace(", ", "`, `")))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=str(lab.ROOT / "build"))
    parser.add_argument("--source")
    parser.add_argument("--peer", choices=["softflowd"])
    parser.add_argument("cases", nargs="*")
    arguments = parser.parse_args()
    lab.Sensor.build = pathlib.Path(arguments.build).resolve()
    lab.Sensor.source = arguments.source
    lab.require("ip", "tc", "prlimit", *([arguments.peer] if arguments.peer else []))
    if arguments.peer:
        write_table(arguments.peer, arguments.cases)
    else:
        unittest.main(argv=[sys.argv[0], "-v", *arguments.cases])


if __name__ == "__main__":
    main()
