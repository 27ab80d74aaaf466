"""Two hosts on one store: each follows what the other commits."""

import os
import threading

from txwlib import check
from txwlib.site import HEAD, STORE
from txwlib.wait import until


def _pair(t, clock, notify):
    """Two sites on the first one's schema."""
    if STORE != "postgresql":
        raise check.Skip("a database file has one host")
    first = t.site(start=False, clock=clock)
    store = (f'store.postgresql main {{ conninfo = "{os.environ["TXW_PG"]}" '
             f'schema = "{first.schema}" notify = {notify} }}\n')
    sites = [t.site(clock=clock, store=store,
                    head=HEAD.replace('"store.sqlite"', '"store.postgresql"')) for _ in range(2)]
    return sites


def _waiting(site, after):
    """A long poll that has begun: a thread, and where its answer goes."""
    got = []
    thread = threading.Thread(
        target=lambda: got.append(site.get(f"/v1/events?after={after}&wait=20s")))
    thread.start()
    return thread, got


def _a_long_poll_sees_the_other_hosts_events(t, clock, notify):
    one, two = _pair(t, clock, notify)
    one.create("p0")
    one.get("/v1/events?after=0&wait=20s")
    for n in range(1, 4):
        thread, got = _waiting(one, n)
        tx = two.create(f"p{n}")
        thread.join(15)
        check.equal([e["transaction"]["id"] for page in got for e in page["data"]], [tx["id"]],
                    "what the wait was answered")
    check.equal([e["seq"] for e in one.events()], [1, 2, 3, 4], "the log")


def what_a_host_has_shown_it_takes_as_a_cursor(t):
    one, two = _pair(t, "virtual", "false")  # no hint, no polling: it is not told
    one.create("p1")
    two.create("p2")
    page = one.get("/v1/events?after=0")
    check.equal([e["seq"] for e in page["data"]], [1, 2], "read from the store")
    check.equal(one.get(f"/v1/events?after={page['last_seq']}")["data"], [], "nothing newer")


def a_hint_wakes_who_waits_for_another_hosts_event(t):
    # A virtual clock stands still: nothing is polled for, the hint alone counts.
    _a_long_poll_sees_the_other_hosts_events(t, "virtual", "true")


def without_hints_another_hosts_event_is_found_by_polling(t):
    _a_long_poll_sees_the_other_hosts_events(t, "real", "false")


def a_row_that_another_host_changed_is_not_shown_as_it_was(t):
    one, two = _pair(t, "virtual", "true")
    tx = one.create("p1")
    check.equal(one.get(f"/v1/transactions/{tx['id']}")["status"], "pending", "kept in memory")
    two.post(f"/v1/transactions/{tx['id']}/status", {"status": "settled"})
    until(lambda: one.get(f"/v1/transactions/{tx['id']}")["status"] == "settled", "its new status")
