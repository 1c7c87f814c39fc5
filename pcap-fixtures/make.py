#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Write the fixtures and their MANIFEST, or check that they are what this would write.

    ./make.py           write every file, and remove captures that no fixture makes
    ./make.py --check   compare only; exit 1 and say which file differs
    ./make.py --list    one row per fixture, as in MANIFEST

The same bytes come out everywhere: no clock, no randomness, no compression library.
"""

import pathlib
import sys

import registry

# Importing a topic registers its fixtures, in the order of the MANIFEST.
import demo  # noqa: F401
import links  # noqa: F401
import network  # noqa: F401
import flows  # noqa: F401
import files  # noqa: F401

HERE = pathlib.Path(__file__).resolve().parent
MANIFEST_HEAD = """\
# One row for each capture: file, link type, packets a reader gets, how it was made (the function
# in this folder), what it proves. Fields are separated by tabs. Written by make.py.
"""
CAPTURE_SUFFIXES = (".pcap", ".pcapng", ".gz", ".zst", ".lz4", ".xz")


def build_all():
    """Name to bytes, MANIFEST included."""
    rows, out = [], {}
    for entry in registry.FIXTURES:
        assert entry.name not in out, entry.name
        data, packets = entry.build()
        out[entry.name] = data
        rows.append("%s\t%d\t%d\t%s\t%s\n" % (entry.name, entry.link, packets, entry.how, entry.proves))
    out["MANIFEST"] = (MANIFEST_HEAD + "".join(rows)).encode()
    return out


def present():
    return {path.name for path in HERE.iterdir() if path.name.endswith(CAPTURE_SUFFIXES)}


def write(wanted):
    for name, data in wanted.items():
        (HERE / name).write_bytes(data)
    for name in present() - set(wanted):
        (HERE / name).unlink()


def check(wanted):
    wrong = ["%s: no fixture makes it" % name for name in sorted(present() - set(wanted))]
    for name, data in wanted.items():
        path = HERE / name
        if not path.exists():
            wrong.append("%s: missing" % name)
        elif path.read_bytes() != data:
            wrong.append("%s: other bytes than make.py writes" % name)
    for line in wrong:
        print(line)
    print("%d fixtures, %d wrong" % (len(wanted) - 1, len(wrong)))
    return 1 if wrong else 0


def main(arguments):
    wanted = build_all()
    if arguments == ["--check"]:
        return check(wanted)
    if arguments == ["--list"]:
        print(wanted["MANIFEST"].decode(), end="")
        return 0
    if arguments:
        print(__doc__, file=sys.stderr)
        return 2
    write(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
