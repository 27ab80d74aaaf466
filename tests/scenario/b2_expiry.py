"""Expiry: by state, by TTL, by the hour; the last look; the catch-up."""

from txwlib import check
from txwlib.conf import flow, poller
from txwlib.times import seconds, text


def a_silent_payment_expires_at_its_states_deadline(t):
    site = t.site(flow=flow(pending="expires = 30m"))
    site.create("p1")
    site.advance("29m")
    check.equal(site.tx("p1")["status"], "pending", "at 29 minutes")
    site.advance("2m")
    row = site.tx("p1")
    check.equal((row["status"], row["outcome"]), ("expired", "expired"), "at 31 minutes")
    check.equal(site.events()[-1]["type"], "transaction.expired", "the event")


def a_state_says_where_its_expiry_goes(t):
    site = t.site(flow=flow(authorized='expires = 7d expires-to = "failed"'))
    site.status(site.create("p1"), "authorized")
    site.advance("8d")
    check.equal(site.tx("p1")["status"], "failed", "status")


def a_move_starts_the_next_states_deadline(t):
    site = t.site(flow=flow(pending="expires = 30m", authorized="expires = 2h"))
    tx = site.create("p1")
    site.advance("20m")
    site.status(tx, "authorized")
    site.advance("1h50m")
    check.equal(site.tx("p1")["status"], "authorized", "status")
    site.advance("11m")
    check.equal(site.tx("p1")["status"], "expired", "status")


def the_flows_ttl_counts_from_creation_over_all_states(t):
    site = t.site(flow=flow(top="expires = 1h"))
    tx = site.create("p1")
    site.advance("50m")
    site.status(tx, "authorized")
    site.advance("11m")
    check.equal(site.tx("p1")["status"], "expired", "status")


def an_absolute_time_is_kept(t):
    site = t.site()
    site.create("p1", expires_at=text(site.now() + 5400))
    site.create("p2", expires_in="90m")
    site.create("p3")
    site.advance("89m")
    check.equal([site.tx(r)["status"] for r in ("p1", "p2")], ["pending"] * 2, "before")
    site.advance("2m")
    check.equal([site.tx(r)["status"] for r in ("p1", "p2", "p3")],
                ["expired", "expired", "pending"], "after")


def what_finished_does_not_expire(t):
    site = t.site(flow=flow(top="expires = 1h"))
    site.status(site.create("p1"), "settled")
    site.advance("2d")
    check.equal(site.tx("p1")["status"], "settled", "status")


def it_expires_at_its_deadline_and_not_later(t):
    site = t.site(flow=flow(pending="expires = 30m"))
    made = site.create("p1")
    site.advance("10h")
    event = site.events()[-1]
    check.true(abs(seconds(event["at"]) - seconds(made["created_at"]) - 1800) <= 5,
               f"expired at 30 minutes: {event['at']}")


def the_last_look_saves_what_settled_at_the_last_moment(t):
    bank = t.bank()
    site = t.site(poller(bank, every="20m"), flow=flow(pending="expires = 30m"))
    bank.script("p1", "PENDING")
    bank.script("p2", "PENDING")
    site.create("p1")
    site.create("p2")
    site.advance("29m")
    bank.script("p1", "SUCCESS")
    site.advance("2m")
    check.equal(site.tx("p1")["status"], "settled", "the one that settled")
    check.equal(site.tx("p2")["status"], "expired", "the one that did not")
    check.equal(site.events(type="transaction.expired", ref="p1"), [], "expired events of p1")


def each_of_a_crowd_gets_its_last_look(t):
    bank = t.bank()
    site = t.site(poller(bank, "concurrency = 1", every="2h"), flow=flow(pending="expires = 30m"))
    refs = [f"p{i}" for i in range(60)]
    for ref in refs:
        bank.script(ref, "PENDING")
    site.post("/v1/transactions:batch", {"operations": [
        {"op": "create", "flow": "payment", "ref": ref} for ref in refs]})
    site.settle()
    for ref in refs:
        bank.script(ref, "SUCCESS")
    site.advance("40m")
    rows = site.pages("/v1/transactions?limit=1000")
    check.equal({r["status"] for r in rows}, {"settled"}, "statuses")


def a_last_look_that_fails_does_not_keep_it_alive_forever(t):
    from txwlib.peers import Answer
    bank = t.bank()
    site = t.site(poller(bank, every="20m", ), flow=flow(pending="expires = 30m"))
    bank.everyone = Answer(500)
    site.create("p1")
    site.advance("2h")
    check.equal(site.tx("p1")["status"], "expired", "status")


def expired_during_downtime_is_caught_up_at_start(t):
    site = t.site(flow=flow(pending="expires = 30m"))
    for i in range(20):
        site.create(f"p{i}")
    site.down_for(7200)
    site.settle()
    rows = site.pages("/v1/transactions?limit=1000")
    check.equal({r["status"] for r in rows}, {"expired"}, "statuses")
    site.restart()
    site.advance("1h")
    check.equal(len(site.events(type="transaction.expired")), 20, "each expired once")


def a_last_look_is_made_even_after_downtime(t):
    bank = t.bank()
    site = t.site(poller(bank, every="20m"), flow=flow(pending="expires = 30m"))
    bank.script("p1", "PENDING")
    site.create("p1")
    site.settle()
    bank.script("p1", "SUCCESS")
    site.down_for(7200)
    site.settle()
    check.equal(site.tx("p1")["status"], "settled", "status")


def expired_during_downtime_on_the_real_clock_too(t):
    import time
    from txwlib.wait import until
    site = t.site(clock="real")
    # It expires while nothing runs: the kill comes first.
    site.create("p1", expires_at=text(time.time() + 2))
    site.kill()
    site.start()
    until(lambda: site.tx("p1")["status"] == "expired", "p1 to expire", 20)


def an_extended_deadline_is_kept(t):
    site = t.site(flow=flow(pending="expires = 30m"))
    tx = site.create("p1", expires_in="10m")
    reply = site.ask("PATCH", "/v1/transactions/" + tx["id"],
                     {"expires_at": text(site.now() + 1500)})
    if reply.status in (404, 405):
        raise check.Skip("this host has no PATCH of transactions")
    check.equal(reply.status, 200, repr(reply))
    site.advance("20m")
    check.equal(site.tx("p1")["status"], "pending", "after the first deadline")
    site.advance("10m")
    check.equal(site.tx("p1")["status"], "expired", "after the extended one")
