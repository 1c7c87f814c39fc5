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


def settings(version, time, biflow, fields, labels, size, refuse):
    return struct.pack('>BBBBBHBBHIQB', version, time, biflow, fields, labels, size, 60, 16, 1000, 100,
                       BOOT_MS, refuse)


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
        for time, biflow, fields, labels, size, refuse in (
                (2, 0, 7, 0, 1400, 0), (0, 1, 7, 3, 512, 0), (3, 2, 7, 10, 65535, 0),
                (4, 2, 1, 0, 300, 3), (1, 0, 0, 0, 256, 2), (2, 2, 7, 10, 400, 1),
                    (2, 1, 7, 0, 401, RUNS), (0, 0, 7, 2, 301, RUNS + 3)):
            seed = settings(version, time, biflow, fields, labels, size, refuse) + operations(numbers)
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
