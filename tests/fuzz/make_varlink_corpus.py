#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Seeds for fuzz_varlink: calls of every kind, and filters as a client may send them.

  make_varlink_corpus.py DIRECTORY      write the seeds, for libFuzzer
  make_varlink_corpus.py --replay PROG  write them to a temporary directory and run PROG on all
"""
import json
import pathlib
import subprocess
import sys
import tempfile

OURS = 'io.ringflow.Sensor.'
FILTERS = ['tcp port 443', 'vlan 5 and net 192.0.2.0/24', 'ip6 and icmp6[icmp6type] = icmp6-echo',
           'tcp[tcpflags] & (tcp-syn|tcp-fin) != 0', 'host example.com', 'ip[2:2] > 100',
           'not (udp portrange 1-1023 or ether host 02:00:00:00:00:01)', 'ip proto \\tcp']


def call(method, parameters=None, **flags):
    made = dict({'method': method}, **flags)
    if parameters is not None:
        made['parameters'] = parameters
    return json.dumps(made).encode()


def seeds():
    yield 'info', call('org.varlink.service.GetInfo', more=False)
    yield 'description', call('org.varlink.service.GetInterfaceDescription',
                              {'interface': 'io.ringflow.Sensor'})
    yield 'run', call(OURS + 'Run', {'word': 'statistics'}, more=True)
    yield 'level', call(OURS + 'LogLevel', {'level': 'debug'}, oneway=True)
    yield 'top', call(OURS + 'Top', {'by': 'pair', 'sort': 'flows', 'limit': 3, 'filter': None})
    yield 'deep', call('a.b', {'x': [[[{'y': [1.5, True, None, '\u00fc\\"']}]]]})
    for number, expression in enumerate(FILTERS):
        yield 'flows%d' % number, call(OURS + 'Flows', {'filter': expression, 'limit': 0}, more=True)


def write(directory):
    directory.mkdir(exist_ok=True)
    for name, seed in seeds():
        (directory / name).write_bytes(seed)
    return sorted(map(str, directory.iterdir()))


if __name__ == '__main__':
    if len(sys.argv) == 3 and sys.argv[1] == '--replay':
        with tempfile.TemporaryDirectory() as folder:
            sys.exit(subprocess.call([sys.argv[2], *write(pathlib.Path(folder))]))
    elif len(sys.argv) == 2:
        write(pathlib.Path(sys.argv[1]))
    else:
        sys.exit(__doc__)
