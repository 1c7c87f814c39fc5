#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Seeds for fuzz_config: configuration files, good and bad.

    make_config_corpus.py DIRECTORY             write the seeds
    make_config_corpus.py --replay FUZZ_CONFIG  run the target on them
"""

import pathlib
import subprocess
import sys
import tempfile

SEEDS = {
    'whole': b'# all kinds\ncollector = 192.0.2.1:4739,[::1]:9995\ntimeout = udp=1h30m\nmax-flows = 77\n'
             b'load-balance = yes\nverbose = no\nlog-level = notice\nexport-version = 9\ntrack = vlan\n'
             b'buffer-size = 8M\nmac = 02:00:00:00:00:01\nhop-limit = 7\ndomain = 3\nlanes = auto\n'
             b'pid-file = /run/x.pid\ncontrol = none\nprint = json\nsource = pcap\nmtu = 1500\n',
    'filter': b'filter = host 192.0.2.1\n\tor host 192.0.2.2\n  # one more\n\n\tor net 10.0.0.0/8\n',
    'windows': b'\xef\xbb\xbfsampling = 3\r\n\r\ncollector = none\r\n',
    'section': b'sampling = 3\n[collector one]\nhost = a\n',
    'comments': b'; a\n# b\nsampling = 3 ; c\n',
    'broken': b'sampling\n = \n[\n]\n:\n==\n',
    'octets': bytes(range(256)),
    'long': b'export-device = ' + b'x' * 300 + b'\n',
}


def write_corpus(directory):
    paths = []
    for name, octets in SEEDS.items():
        path = pathlib.Path(directory) / name
        path.write_bytes(octets)
        paths.append(str(path))
    return paths


def main():
    if len(sys.argv) == 3 and sys.argv[1] == '--replay':
        with tempfile.TemporaryDirectory(prefix='config-corpus-') as directory:
            return subprocess.run([sys.argv[2]] + write_corpus(directory)).returncode
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    pathlib.Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    print('%d seeds' % len(write_corpus(sys.argv[1])))
    return 0


if __name__ == '__main__':
    sys.exit(main())
