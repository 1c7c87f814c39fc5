# SPDX-License-Identifier: BSD-2-Clause
"""A strict reader of OpenMetrics text 1.0, as far as counters, gauges and info go."""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(r"(%s)(?:\{(%s(?:,%s)*)\})? (\S+)" % (NAME, LABEL, LABEL))
SUFFIX = {"counter": "_total", "gauge": "", "info": "_info"}


def read(text):
    """{(sample name, labels as a sorted tuple of pairs): value}; AssertionError for what is wrong."""
    assert text.endswith("# EOF\n"), text[-40:]
    values, families, family = {}, {}, None
    for line in text[:-len("# EOF\n")].splitlines():
        if line.startswith("# "):
            word, name, rest = re.fullmatch(r"# (TYPE|HELP|UNIT) (%s) (.+)" % NAME, line).groups()
            if word == "TYPE":
                assert name not in families, "%s comes twice" % name
                assert rest in SUFFIX, line
                assert not name.endswith(("_total", "_info")), line
                families[name] = rest
                family = name
            assert name == family, "%s stands within %s" % (name, family)
            assert word != "UNIT" or name.endswith("_" + rest), line
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        name, labels, number = match.groups()
        assert name == family + SUFFIX[families[family]], "%s is no sample of %s" % (name, family)
        pairs = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or "")
        assert len({label for label, _ in pairs}) == len(pairs), line
        key = (name, tuple(sorted(pairs)))
        assert key not in values, "%s comes twice" % line
        values[key] = float(number)
        assert families[family] != "counter" or values[key] >= 0, line
    return values
