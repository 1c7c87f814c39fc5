#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Seeds for fuzz_ipfix: small files of IPFIX messages with everything that a reader has to know.

    make_ipfix_corpus.py DIRECTORY            write the seeds
    make_ipfix_corpus.py --replay FUZZ_IPFIX  run the target on them
"""

import pathlib
import struct
import subprocess
import sys
import tempfile

VARIABLE = 65535


def message(*sets, sequence=0, domain=7):
    body = b''.join(sets)
    return struct.pack('>HHIII', 10, 16 + len(body), 1700000000, sequence, domain) + body


def one_set(number, body):
    return struct.pack('>HH', number, 4 + len(body)) + body


def field(number, octets, enterprise=0):
    if enterprise:
        return struct.pack('>HHI', number | 0x8000, octets, enterprise)
    return struct.pack('>HH', number, octets)


def template(number, *fields):
    return one_set(2, struct.pack('>HH', number, len(fields)) + b''.join(fields))


def options(number, scopes, *fields):
    return one_set(3, struct.pack('>HHH', number, len(fields), scopes) + b''.join(fields))


def seeds():
    flow = template(256, *[field(*pair) for pair in (
        (8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (1, 8), (2, 4), (6, 2), (152, 8), (157, 8), (56, 6), (70, 3),
        (71, 3), (136, 1), (32, 2))], field(1, 8, 29305), field(2, 8, 29305))
    yield 'flow', message(flow, one_set(256, bytes(range(70)))) + message(one_set(256, bytes(140)), sequence=1)
    yield 'strings', message(template(300, field(82, VARIABLE), field(83, 8), field(313, VARIABLE)),
                             one_set(300, b'\x04eth0down\0\0\0\0\xff\x01\x00' + bytes(256)))
    yield 'described', message(
        options(400, 2, field(346, 4), field(303, 2), field(339, 1), field(341, VARIABLE)),
        one_set(400, struct.pack('>IHB', 41, 5, 4) + b'\x04load' + struct.pack('>IHB', 41, 6, 10) + b'\x01f'),
        template(401, field(5, 4, 41), field(6, 8, 41), field(7, 3, 41)), one_set(401, bytes(range(30))))
    types = template(500, *[field(number, octets) for number, octets in (
        (311, 8), (311, 4), (388, 1), (434, 4), (27, 16), (150, 4), (154, 8), (58, 2), (58, 2), (9999, 5))])
    yield 'types', message(types, one_set(500, bytes(range(54))))
    yield 'withdrawn', message(template(256, field(4, 1))) + message(one_set(256, b'ab')) + message(
        template(256)) + message(one_set(256, b'ab')) + message(one_set(2, struct.pack('>HH', 2, 0)))
    yield 'padded', message(template(256, field(7, 2)), one_set(256, b'\0\1\0'), b'', one_set(999, b'nobody'))


def write_corpus(directory):
    written = []
    for name, content in seeds():
        path = pathlib.Path(directory) / name
        path.write_bytes(content)
        written.append(str(path))
    return written


def main():
    if len(sys.argv) == 3 and sys.argv[1] == '--replay':
        with tempfile.TemporaryDirectory(prefix='ipfix-corpus-') as directory:
            return subprocess.run([sys.argv[2]] + write_corpus(directory)).returncode
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    pathlib.Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    print('%d seeds' % len(write_corpus(sys.argv[1])))
    return 0


if __name__ == '__main__':
    sys.exit(main())
