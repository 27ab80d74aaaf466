"""A strict reader of the Prometheus text format (0.0.4)."""

import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)')
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("", "_sum", "_count")}


def parse(text):
    """{(name, frozenset of (label, value))} -> float; ValueError on anything
    that the format does not allow."""
    if not text.endswith("\n"):
        raise ValueError("the last line has no end")
    series, types, current, closed = {}, {}, None, set()
    for number, line in enumerate(text.split("\n")[:-1], 1):
        def wrong(why):
            return ValueError(f"line {number}: {why}: {line!r}")
        if line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            if kind not in ("counter", "gauge", "histogram", "summary", "untyped"):
                raise wrong("unknown type")
            if name in types:
                raise wrong("second TYPE")
            types[name] = kind
            current = name
            continue
        if line.startswith("#") or not line:
            continue
        match = NAME.match(line)
        if not match:
            raise wrong("no name")
        name, rest = match.group(), line[match.end():]
        labels = {}
        if rest.startswith("{"):
            end = rest.rindex("}")
            inner, rest = rest[1:end], rest[end + 1:]
            at = 0
            while at < len(inner):
                found = LABEL.match(inner, at)
                if not found:
                    raise wrong("bad labels")
                if found.group(1) in labels:
                    raise wrong("a label twice")
                labels[found.group(1)] = found.group(2)
                at = found.end()
        words = rest.split()
        if len(words) not in (1, 2):
            raise wrong("no value")
        value = float(words[0].replace("Inf", "inf"))
        family = next((f for f in (name, *(name.removesuffix(s) for s in
                                           ("_bucket", "_sum", "_count"))) if f in types), None)
        if family is None:
            raise wrong("a series without TYPE")
        if family != current:
            raise wrong("a family's series are apart")
        kind = types[family]
        if kind in SUFFIXES and name not in tuple(family + s for s in SUFFIXES[kind]):
            raise wrong("not a name of its family")
        if kind == "counter" and value < 0:
            raise wrong("a counter below zero")
        key = (name, frozenset(labels.items()))
        if key in series:
            raise wrong("a series twice")
        series[key] = value
    _histograms(series, types)
    return series


def _histograms(series, types):
    for family in (n for n, kind in types.items() if kind == "histogram"):
        buckets = {}
        for (name, labels), value in series.items():
            if name == family + "_bucket":
                bound = dict(labels)["le"]
                rest = frozenset(x for x in labels if x[0] != "le")
                buckets.setdefault(rest, []).append((float(bound.replace("Inf", "inf")), value))
        for rest, counts in buckets.items():
            counts.sort()
            values = [v for _, v in counts]
            if values != sorted(values):
                raise ValueError(f"{family}: buckets are not cumulative")
            if counts[-1][0] != float("inf"):
                raise ValueError(f"{family}: no +Inf bucket")
            if counts[-1][1] != series[(family + "_count", rest)]:
                raise ValueError(f"{family}: _count is not the +Inf bucket")
