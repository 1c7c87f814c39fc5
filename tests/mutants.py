#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Hostile copies of real captures: cut anywhere, octets changed, through a sanitizer build.

    mutants.py --sensor build-asan/sensor/ringflowd [--rounds N] FOLDER

A run may end with 0, 1 (no capture any more), or 4 (damaged). A crash, a hang, a sanitizer's
report, or books that do not balance are failures; the copy that did it is kept and named.
"""

import argparse
import concurrent.futures
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

ALLOWED = (0, 1, 4)
RUN_TIMEOUT_S = 60
COPY_OCTETS_MAX = 300_000
SEED = 20260101


def flipped(data, choose):
    """A few octets changed, more often in the headers than deep in the payload."""
    out = bytearray(data)
    for _ in range(choose.choice((1, 3, 10, 40))):
        place = choose.randrange(len(out))
        out[place] = choose.choice((0, 1, 0x7F, 0x80, 0xFF, choose.randrange(256)))
    return bytes(out)


def cut(data, choose):
    return data[:choose.randrange(len(data) + 1)]


def spliced(data, choose):
    """A piece left out in the middle."""
    start = choose.randrange(len(data))
    return data[:start] + data[start + choose.randrange(1, 200):]


KINDS = (cut, flipped, spliced, flipped)
OPTIONS = (["-v", "5"], ["-v", "9", "-T", "ether", "-x", "10"], ["-v", "10", "-b"],
           ["-v", "10", "--fragments", "separate", "-m", "4"], ["-v", "1", "--count", "frames"])


def try_one(sensor, path, options):
    """None, or what went wrong."""
    command = [sensor, "-r", str(path), "-n", "127.0.0.1:9", "--print", "json", *options]
    try:
        done = subprocess.run(command, capture_output=True, timeout=RUN_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return "no end within %d s" % RUN_TIMEOUT_S
    if done.returncode in ALLOWED and b"runtime error" not in done.stderr:
        return None
    return "status %d: %s" % (done.returncode, done.stderr.decode(errors="replace")[-3000:])


def mutate(sensor, source, rounds, folder):
    """All rounds of one capture; the complaints."""
    choose = random.Random("%d %s" % (SEED, source.name))
    data = source.read_bytes()[:COPY_OCTETS_MAX]
    wrong = []
    for place in range(rounds):
        copy = KINDS[place % len(KINDS)](data, choose)
        path = folder / ("%s.%d" % (source.name, place))
        path.write_bytes(copy)
        options = choose.choice(OPTIONS)
        complaint = try_one(sensor, path, options)
        if complaint:
            kept = pathlib.Path(tempfile.gettempdir()) / ("mutant-" + path.name)
            shutil.copy(path, kept)
            wrong.append("%s %s: %s" % (kept, " ".join(options), complaint))
        path.unlink()
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sensor", required=True)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("folder")
    arguments = parser.parse_args()
    sources = sorted(path for path in pathlib.Path(arguments.folder).rglob("*")
                     if path.is_file() and path.suffix != ".md" and path.name != "MANIFEST")
    wrong = []
    with tempfile.TemporaryDirectory(prefix="ringflow-mutants-") as folder, \
            concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for some in pool.map(lambda path: mutate(arguments.sensor, path, arguments.rounds,
                                                 pathlib.Path(folder)), sources):
            wrong += some
    for line in wrong:
        print(line)
    print("%d captures, %d copies, %d wrong" % (len(sources), len(sources) * arguments.rounds, len(wrong)))
    return 1 if wrong or not sources else 0


if __name__ == "__main__":
    sys.exit(main())
