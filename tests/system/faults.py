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
    ("sigterm", "SIGTERM with 50,000 open flows", "all exported before the exit, in bounded time",
     "Flows exported", cases.sigterm, True),
    ("sigterm_full_socket", "SIGTERM while the export socket is full", "sent as the socket takes it, none lost",
     "postponed-sends", cases.sigterm_full_socket, False),
    ("sigterm_stuck_reader", "SIGTERM while nobody reads --print", "the reader gets a second, losses are counted",
     "lost-prints, log", cases.sigterm_stuck_reader, False),
    ("quiet_link", "quiet link", "a packet is seen within the retire time", "Packets processed",
     cases.quiet_link, True),
    ("ring_overrun", "ring overrun", "packets = metered + dropped, to the last one",
     "Packets dropped, log", cases.ring_overrun, True),
    ("collector_down", "UDP collector down", "losses counted per collector, said once; templates on return",
     "lost-records, log", cases.collector_down, True),
    ("socket_full", "export socket full", "records wait in the flow table", "postponed-sends",
     cases.socket_full, False),
    ("full_disk", "--print to a full disk", "capture goes on, lost records are counted", "lost-prints, log",
     cases.full_disk, False),
    ("silent_client", "silent control clients", "capture untouched", "Packets processed",
     cases.silent_client, True),
    ("early_hangup", "control clients hang up early", "nothing happens", "-", cases.early_hangup, True),
    ("control_garbage", "garbage on the control socket", "a line with the error", "-",
     cases.control_garbage, True),
    ("link_down", "interface down and up", "capture resumes, said once each", "log", cases.link_down, True),
    ("link_recreated", "interface deleted, made anew", "captured again within a second", "log",
     cases.link_recreated, True),
    ("link_renamed", "interface renamed", "capture goes on", "Packets processed", cases.link_renamed, True),
    ("link_absent", "interface absent at the start", "waits, captures within a second (or exits: --if-absent)",
     "log, STATUS", cases.link_absent, True),
    ("link_is_down", "interface down at the start", "waits, captures within a second", "log, STATUS",
     cases.link_is_down, True),
    ("jumbo", "jumbo frames, blocks smaller than a frame", "true lengths", "Packets processed",
     cases.jumbo, True),
    ("clock_set_back", "capture: clock set back an hour", "flows end when idle, no negative duration",
     "clock-jumps", cases.clock_set_back, True),
    ("stamp_from_future", "capture: a stamp a year ahead", "flows end when idle", "clock-jumps",
     cases.stamp_from_future, True),
    ("stamps_out_of_order", "out-of-order stamps", "first = earliest, last = latest", "the record",
     cases.stamps_out_of_order, True),
    ("table_full", "flow table full (20,000 flows in 1,000)", "fixed memory, evictions counted",
     "Flows expired (forced)", cases.table_full, True),
    ("memory_limit", "address space used up", "allocated at the start; no growth, no exit", "-",
     cases.memory_limit, True),
    ("memory_at_start", "too little memory at the start", "says so, exit status 1", "log",
     cases.memory_at_start, True),
    ("memory_cgroup", "memory cgroup of 64 MiB, 200,000 flows", "stays within the sizes given", "-",
     cases.memory_cgroup, True),
    ("malformed", "an MPLS frame without a last label", "counted by reason", "Ignored packets",
     cases.malformed, True),
    ("truncated_capture", "truncated capture", "flows up to the cut exported, exit status 4", "exit status",
     cases.truncated_capture, True),
    ("stale_files", "stale pid file and control socket", "neither matters", "-", cases.stale_files, True),
)]

# Faults that other tests provoke: fault, promise, test.
ELSEWHERE = (
    ("clock set on a live link", "durations are true, expiry goes on", "tests/test_live_clock.c"),
    ("hash flood", "random key, bounded probes", "tests/test_flow_table.c, tests/bench"),
    ("malformed packets", "never a crash or a loop", "tests/fuzz, tests/sweep.c, tests/mutants.py"),
)


class Faults(unittest.TestCase):
    """A test for each row."""


def add_test(row):
    def test(self):
        outcome = row.case(cases.Ringflowd())
        print("%s: %s" % (row.name, outcome.text), file=sys.stderr)
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
    print("| fault | promise | ringflowd | %s | seen in |\n|---|---|---|---|---|" % peer)
    for row in FAULTS:
        if names and row.name not in names:
            continue
        ours = run_row(row, cases.Ringflowd())
        theirs = run_row(row, cases.Softflowd()) if row.with_peer else "not run"
        print("| %s | %s | %s | %s | %s |" % (row.fault, row.promise, ours, theirs, row.seen), flush=True)


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
