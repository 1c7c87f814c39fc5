#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Seeds for fuzz_export: every version and option, with records that have something in them.

    make_export_corpus.py DIRECTORY             write the seeds
    make_export_corpus.py --replay FUZZ_EXPORT  run the target on them
"""

import pathlib
import random
import struct
import subprocess
import sys
import tempfile

ADD, ADVANCE, FLUSH, REFRESH = range(4)
BOOT_MS = 1700000000000
RECORD_BYTES = 400  # as the target has it
RUNS = 8  # a bit of the refusals: the transport takes runs


PLAIN = (0, ())
FULL = (2, ())
TINY = (0, (22,))  # records of one octet
# Addresses, counters and more, by their place in element.def.
NAMED = (0, (0, 1, 2, 3, 14, 15, 40, 30, 20, 10, 16, 18, 19, 50))


def settings(version, time, biflow, fields, labels, size, refuse, template):
    preset, elements = template
    return struct.pack('>BBBBBHBBHIQBB', version, time, biflow, fields, labels, size, 60, 16, 1000, 100,
                       BOOT_MS, preset, len(elements)) + bytes(elements) + bytes([refuse])


def operations(numbers):
    out = b''
    now_ns = BOOT_MS * 1000000
    for _ in range(12):
        now_ns += numbers.randrange(3000000000)
        what = numbers.choice((ADD, ADD, ADD, ADD, ADVANCE, FLUSH, REFRESH))
        out += struct.pack('>BQ', what, now_ns)
        if what == ADD:
            out += numbers.randbytes(RECORD_BYTES)
    return out


def write_corpus(directory):
    written = []
    numbers = random.Random(1)
    for version in range(4):
        for time, biflow, fields, labels, size, refuse, template in (
                (2, 0, 7, 0, 1400, 0, PLAIN), (0, 1, 7, 3, 512, 0, PLAIN), (3, 2, 7, 10, 65535, 0, PLAIN),
                (4, 2, 1, 0, 300, 3, PLAIN), (1, 0, 0, 0, 256, 2, PLAIN), (2, 2, 7, 10, 400, 1, PLAIN),
                (2, 1, 7, 0, 401, RUNS, PLAIN), (0, 0, 7, 2, 301, RUNS + 3, PLAIN),
                (2, 0, 7, 0, 1300, 0, NAMED), (2, 2, 7, 0, 700, 0, NAMED), (2, 2, 7, 3, 1200, RUNS, FULL),
                (2, 0, 7, 3, 600, RUNS, FULL), (2, 1, 7, 0, 402, 0, (1, ())),
                (2, 0, 7, 0, 403, 0, TINY)):
            seed = settings(version, time, biflow, fields, labels, size, refuse, template)
            seed += operations(numbers)
            path = pathlib.Path(directory) / ('%d-%d-%d-%d' % (version, time, biflow, size))
            path.write_bytes(seed)
            written.append(str(path))
    return written


def main():
    if len(sys.argv) == 3 and sys.argv[1] == '--replay':
        with tempfile.TemporaryDirectory(prefix='export-corpus-') as directory:
            return subprocess.run([sys.argv[2]] + write_corpus(directory)).returncode
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    pathlib.Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    print('%d seeds' % len(write_corpus(sys.argv[1])))
    return 0


if __name__ == '__main__':
    sys.exit(main())
