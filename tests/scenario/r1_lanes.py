"""What was once broken in delivering."""

import os
import time

from txwlib import check
from txwlib.conf import hooks
from txwlib.peers import HANG
from txwlib.wait import until


def _processor_seconds(site):
    with open(f"/proc/{site.process.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def a_full_lane_waits_without_spinning(t):
    """Its wake timer was set to a moment that had passed, again and again."""
    receiver = t.receiver()
    site = t.site(hooks=hooks("concurrency = 2", "timeout = 30s"), clock="real")
    site.subscribe(receiver.url + "/hook")
    receiver.behave("/hook", HANG)
    site.post("/v1/transactions:batch", {"operations": [
        {"op": "create", "flow": "payment", "ref": f"p{i}"} for i in range(2000)]})
    until(lambda: len(receiver.on("/hook")) == 2, "two in flight")
    site.get("/v1/transactions")
    before, end = _processor_seconds(site), time.monotonic() + 1
    until(lambda: time.monotonic() > end, "a second to pass")
    check.true(_processor_seconds(site) - before < 0.3, "a host at rest")
    site.kill()
