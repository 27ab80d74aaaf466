"""Webhooks: the contract of Standard Webhooks, on the virtual clock."""

import threading

from txwlib import check
from txwlib.conf import hooks, inside_name
from txwlib.peers import Answer, CUT, HANG
from txwlib.times import seconds
from txwlib.wait import until

HOUR = 3600
SCHEDULE = [5, 300, 1800, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR]


def _delivery(site, ref=None, state=None):
    """The one delivery (of a ref), with its attempts."""
    rows = site.deliveries()
    if ref:
        seqs = {e["seq"] for e in site.events(ref=ref)}
        rows = [r for r in rows if r["seq"] in seqs]
    if state:
        rows = [r for r in rows if r["state"] == state]
    check.equal(len(rows), 1, f"deliveries: {rows}")
    return site.get("/v1/deliveries/" + rows[0]["id"])


def a_subscription_shows_its_secret_once_and_gets_signed_webhooks(t):
    receiver = t.receiver()
    site = t.site()
    made = site.subscribe(receiver.url + "/hook")
    check.true(made["id"].startswith("sub_"), "an id sub_...")
    check.true(made["secret"].startswith("whsec_"), "a secret whsec_...")
    receiver.secrets["/hook"] = made["secret"]
    again = site.get("/v1/subscriptions/" + made["id"])
    check.true("secret" not in again and made["secret"] not in str(again), "no secret on reading")
    tx = site.create("p1", amount="12.50", currency="EUR")
    site.status(tx, "settled", reason="ü ok")
    until(lambda: len(receiver.on("/hook")) == 2, "two webhooks")
    check.equal(receiver.forged, [], "bad signatures")
    # Nobody asked for order: they may come either way round.
    first, second = sorted(receiver.on("/hook"), key=lambda got: got.seq)
    check.equal([first.json["type"], second.json["type"]],
                ["transaction.created", "transaction.succeeded"], "types")
    check.equal(first.event["transaction"]["amount"], "12.50", "amount")
    check.equal(second.event["change"]["reason"], "ü ok", "reason")
    check.true(first.json["timestamp"], "a timestamp in the body")
    check.holds(first.headers["content-type"], "application/json")
    logged = {e["seq"]: e for e in site.events()}
    for got in (first, second):
        check.equal(got.event, logged[got.seq], "the event as in the log")
    check.true(first.id != second.id, "an id for each event")
    site.settle()
    check.equal({r["state"] for r in site.deliveries()}, {"delivered"}, "delivery states")


def a_route_of_the_config_delivers_too(t):
    receiver = t.receiver()
    secret = "whsec_" + "YWJj" * 11
    receiver.secrets["/failures"] = secret
    site = t.site(f"""
route failures {{
    when = "type = transaction.failed AND amount > 1000"
    to = {{ "hooks:{receiver.url}/failures" }}
}}
""", hooks=hooks('secret = "env:HOOK_SECRET"'), env={"HOOK_SECRET": secret})
    for ref, amount, state in (("a", "2000", "failed"), ("b", "10", "failed"),
                               ("c", "5000", "settled"), ("d", "1000.01", "failed")):
        site.status(site.create(ref, amount=amount), state)
    until(lambda: len(receiver.on("/failures")) == 2, "two webhooks")
    site.settle()
    check.equal(sorted(g.ref for g in receiver.on("/failures")), ["a", "d"], "refs")
    check.equal(receiver.forged, [], "bad signatures")


def a_subscription_chooses_by_type_and_filter(t):
    receiver = t.receiver()
    site = t.site()
    site.subscribe(receiver.url + "/type", events=["transaction.failed"])
    site.subscribe(receiver.url + "/filter", filter="amount >= 100 AND status = settled")
    for ref, amount, state in (("a", "200", "failed"), ("b", "99.99", "settled"),
                               ("c", "100", "settled")):
        site.status(site.create(ref, amount=amount), state)
    until(lambda: receiver.on("/type") and receiver.on("/filter"), "both")
    site.settle()
    check.equal([g.ref for g in receiver.on("/type")], ["a"], "by type")
    check.equal([g.ref for g in receiver.on("/filter")], ["c"], "by filter")


def a_receiver_that_answers_500_gets_ten_attempts_on_the_schedule_then_it_is_dead(t):
    receiver = t.receiver()
    site = t.site()
    sub = site.subscribe(receiver.url + "/bad", events=["transaction.*"])
    site.subscribe(receiver.url + "/ops", events=["delivery.dead"])
    receiver.secrets["/bad"] = sub["secret"]
    receiver.behave("/bad", Answer(500, b"no"))
    site.create("p1")
    site.settle()
    site.advance("5d")
    got = receiver.on("/bad")
    check.equal(len(got), 10, "attempts")
    check.equal(len({g.id for g in got}), 1, "webhook-ids over the attempts")
    check.equal(receiver.forged, [], "bad signatures")
    gaps = [b.timestamp - a.timestamp for a, b in zip(got, got[1:])]
    for gap, planned in zip(gaps, SCHEDULE):
        check.true(planned * 0.8 - 1 <= gap <= planned * 1.2 + 2,
                   f"gaps on the schedule {SCHEDULE}: {gaps}")
    row = _delivery(site, "p1")
    check.equal((row["state"], len(row["attempts"])), ("dead", 10), "the delivery")
    check.equal({a["status"] for a in row["attempts"]}, {500}, "statuses of the attempts")
    check.equal([a["attempt"] for a in row["attempts"]], list(range(1, 11)), "numbers")
    check.equal(len(site.events(type="delivery.dead")), 1, "delivery.dead events")
    until(lambda: receiver.on("/ops"), "a webhook about the dead one")


def jitter_moves_the_retries(t):
    receiver = t.receiver()
    receiver.behave("/bad", Answer(500))
    site = t.site(hooks=hooks("concurrency = 64"))
    site.subscribe(receiver.url + "/bad")
    for i in range(12):
        site.create(f"p{i}")
    site.settle()
    site.advance("20m")
    second = {}
    for got in receiver.on("/bad"):
        second.setdefault(got.id, []).append(got.timestamp)
    gaps = {times[2] - times[1] for times in second.values() if len(times) > 2}
    check.true(len(gaps) > 2, f"gaps that differ: {gaps}")


def a_receiver_that_recovers_gets_it_and_no_more(t):
    receiver = t.receiver()
    site = t.site()
    site.subscribe(receiver.url + "/hook")
    receiver.behave("/hook", Answer(500), Answer(404), Answer(200))
    site.create("p1")
    site.settle()
    site.advance("5d")
    check.equal(len(receiver.on("/hook")), 3, "attempts")
    check.equal(_delivery(site)["state"], "delivered", "state")


def a_receiver_that_hangs_is_left_at_the_timeout(t):
    receiver = t.receiver()
    site = t.site(hooks=hooks("timeout = 15s"))
    site.subscribe(receiver.url + "/hook")
    receiver.behave("/hook", HANG, Answer(200))
    site.create("p1")
    until(lambda: receiver.on("/hook"), "the first attempt")
    site.advance("2m")
    row = _delivery(site)
    check.equal((row["state"], len(row["attempts"])), ("delivered", 2), "the delivery")
    check.holds(row["attempts"][0]["reason"], "15s")
    gap = receiver.on("/hook")[1].timestamp - receiver.on("/hook")[0].timestamp
    check.true(18 <= gap <= 24, f"15 s of waiting and 5 s of pause: {gap}")


def a_byte_a_second_is_left_at_the_timeout_too(t):
    receiver = t.receiver()
    site = t.site(hooks=hooks("timeout = 15s"))
    site.subscribe(receiver.url + "/hook")
    receiver.behave("/hook", Answer(200, b"x" * 100000, trickle=True), Answer(200))
    site.create("p1")
    until(lambda: receiver.on("/hook"), "the first attempt")
    site.advance("2m")
    row = _delivery(site)
    check.equal(row["state"], "delivered", "state")
    check.true(len(row["attempts"]) in (1, 2), "attempts")


def ten_megabytes_are_cut_and_the_status_counts(t):
    receiver = t.receiver()
    site = t.site()
    site.subscribe(receiver.url + "/ok")
    site.subscribe(receiver.url + "/bad")
    receiver.behave("/ok", Answer(200, b"y" * 10_000_000))
    receiver.behave("/bad", Answer(500, b"z" * 10_000_000), Answer(200))
    before = site.rss()
    site.create("p1")
    site.settle()
    site.advance("1m")
    for row in site.deliveries():
        one = site.get("/v1/deliveries/" + row["id"])
        check.equal(one["state"], "delivered", repr(one))
        for attempt in one["attempts"]:
            check.true(len(attempt.get("response") or "") <= 4096 * 6, "a response that is cut")
    check.true(site.rss() - before < 64 * 1024 * 1024, "memory that stays bounded")


def a_redirect_to_a_metadata_address_is_a_failure_and_not_followed(t):
    receiver = t.receiver()
    site = t.site()
    site.subscribe(receiver.url + "/hook")
    receiver.behave("/hook", Answer(302, b"", {"Location": "http://169.254.169.254/latest/"}),
                    Answer(301, b"", {"Location": receiver.url + "/elsewhere"}), Answer(200))
    site.create("p1")
    site.settle()
    site.advance("30m")
    row = _delivery(site)
    check.equal([a["status"] for a in row["attempts"]], [302, 301, 200], "statuses")
    check.equal(receiver.on("/elsewhere"), [], "what came at the redirect's place")


def a_name_that_resolves_to_the_loopback_is_refused_when_not_allowed(t):
    receiver = t.receiver()
    site = t.site(hooks=hooks(networks=False))
    site.subscribe(f"http://{inside_name()}:{receiver.port}/hook")
    site.create("p1")
    site.settle()
    attempt = _delivery(site)["attempts"][0]
    check.holds(attempt["reason"], "allow-networks")
    check.equal(receiver.got, [], "what came")


def literal_inside_addresses_are_refused_at_registration(t):
    site = t.site(hooks=hooks(networks=False))
    for url in ("http://127.0.0.1/x", "http://127.1/x", "http://2130706433/x", "http://0x7f.1/",
                "http://localhost/x", "http://[::1]/x", "http://[::ffff:127.0.0.1]/x", "http://169.254.169.254/latest",
                "http://10.0.0.1/", "http://192.168.1.1/", "http://0.0.0.0/", "http://[fe80::1]/",
                "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "nonsense",
                "http://", "http://user:pass@10.0.0.1/", "http://exa mple.com/",
                "http://example.com/\r\nX: 1"):
        reply = site.ask("POST", "/v1/subscriptions", {"channel": "hooks", "target": url,
                                                       "events": ["transaction.*"]})
        check.true(400 <= reply.status < 500, f"{url}: {reply}")
        check.holds(reply.headers["content-type"], "application/problem+json")
    check.equal(site.get("/v1/subscriptions")["data"], [], "subscriptions")


def a_410_disables_the_subscription_and_parks_what_comes(t):
    receiver = t.receiver()
    site = t.site()
    sub = site.subscribe(receiver.url + "/gone")
    site.subscribe(receiver.url + "/ops", events=["subscription.disabled"])
    receiver.behave("/gone", Answer(410))
    site.create("p1")
    until(lambda: receiver.on("/gone"), "the attempt")
    until(lambda: site.events(type="subscription.disabled"), "a subscription.disabled event")
    row = site.get("/v1/subscriptions/" + sub["id"])
    check.equal(row["enabled"], False, "enabled")
    check.holds(row["disabled_reason"], "410")
    site.create("p2")
    site.settle()
    site.advance("4d")
    check.equal(len(receiver.on("/gone")), 1, "attempts")
    rows = site.deliveries(subscription=sub["id"])
    check.equal([r["state"] for r in rows], ["parked", "parked"], f"states: {rows}")
    until(lambda: receiver.on("/ops"), "a webhook that tells of it")


def a_429_with_retry_after_pauses_the_whole_target(t):
    receiver = t.receiver()
    site = t.site()
    site.subscribe(receiver.url + "/hook")
    site.subscribe(receiver.url + "/other")
    receiver.behave("/hook", Answer(429, b"", {"Retry-After": "120"}), Answer(200))
    site.create("p1")
    until(lambda: receiver.on("/hook"), "the first attempt")
    site.settle()
    site.create("p2")
    site.advance("115s")
    check.equal(len(receiver.on("/hook")), 1, "attempts during the pause")
    check.equal(len(receiver.on("/other")), 2, "the other target goes on")
    site.advance("60s")
    got = receiver.on("/hook")
    check.equal(sorted(g.ref for g in got[1:]), ["p1", "p2"], "after the pause")
    check.true(all(g.timestamp - got[0].timestamp >= 119 for g in got[1:]),
               "120 s between")


def a_503_with_a_date_as_retry_after_is_obeyed(t):
    import email.utils
    receiver = t.receiver()
    site = t.site()
    site.subscribe(receiver.url + "/hook")
    until_then = email.utils.formatdate(site.now() + 600, usegmt=True)
    receiver.behave("/hook", Answer(503, b"", {"Retry-After": until_then}), Answer(200))
    site.create("p1")
    until(lambda: receiver.on("/hook"), "the first attempt")
    site.settle()
    site.advance("590s")
    check.equal(len(receiver.on("/hook")), 1, "attempts during the pause")
    site.advance("200s")
    check.equal(len(receiver.on("/hook")), 2, "attempts after it")


def a_closed_connection_is_a_failure_that_is_retried(t):
    receiver = t.receiver()
    site = t.site()
    site.subscribe(receiver.url + "/hook")
    receiver.behave("/hook", CUT, Answer(200))
    site.create("p1")
    site.settle()
    site.advance("1m")
    check.equal(_delivery(site)["state"], "delivered", "state")


def an_ordered_target_gets_each_transactions_events_in_order_under_failures(t):
    receiver = t.receiver()
    site = t.site(hooks=hooks("concurrency = 32", 'schedule = { "5s", "10s", "20s", "40s", "1m",'
                                                  ' "1m", "1m", "1m", "1m", "1m", "1m", "1m" }'))
    site.subscribe(receiver.url + "/hook", ordered=True)
    flaky = [Answer(500) if i % 3 else Answer(200) for i in range(60)] + [Answer(200)]
    receiver.behave("/hook", *flaky)
    txs = [site.create(f"p{i}") for i in range(8)]
    for state in ("authorized", "settled", "refunded"):
        for tx in txs:
            site.status(tx, state)
    site.settle()
    site.advance("2h")
    check.equal({r["state"] for r in site.deliveries()}, {"delivered"}, "states")
    for tx in txs:
        seqs = [g.seq for g in receiver.on("/hook", ref=tx["ref"])]
        check.equal(seqs, sorted(seqs), f"order of {tx['ref']}")
        check.equal(len(set(seqs)), 4, f"events of {tx['ref']}")


def concurrency_limits_what_is_in_flight_to_one_target(t):
    receiver = t.receiver()
    site = t.site(hooks=hooks("concurrency = 3"))
    site.subscribe(receiver.url + "/hook")
    receiver.behave("/hook", HANG)
    for i in range(10):
        site.create(f"p{i}")
    until(lambda: len(receiver.on("/hook")) == 3, "three in flight")
    site.settle()
    check.equal(len(receiver.on("/hook")), 3, "in flight")
    receiver.behave("/hook", Answer(200))
    receiver.over.set()
    site.advance("10m")
    until(lambda: len({g.id for g in receiver.on("/hook")}) == 10, "all")


def a_restart_in_the_middle_of_the_schedule_goes_on_with_it(t):
    receiver = t.receiver()
    site = t.site()
    sub = site.subscribe(receiver.url + "/bad")
    receiver.secrets["/bad"] = sub["secret"]
    receiver.behave("/bad", Answer(500))
    site.create("p1")
    site.settle()
    site.advance("10m")
    before = len(receiver.on("/bad"))
    check.equal(before, 3, "attempts before the restart")
    site.kill()
    site.start()
    receiver.behave("/bad", Answer(200))
    site.advance("2h")
    row = _delivery(site)
    check.equal((row["state"], len(row["attempts"])), ("delivered", 4), "after the restart")
    check.equal(len({g.id for g in receiver.on("/bad")}), 1, "webhook-ids")
    check.equal(receiver.forged, [], "bad signatures")


def a_dead_delivery_is_retried_by_the_api(t):
    receiver = t.receiver()
    site = t.site(hooks=hooks('schedule = { "5s" }'))
    site.subscribe(receiver.url + "/hook")
    receiver.behave("/hook", Answer(500))
    site.create("p1")
    site.settle()
    site.advance("5m")
    row = _delivery(site, "p1")
    check.equal(row["state"], "dead", "state")
    receiver.behave("/hook", Answer(200))
    site.post(f"/v1/deliveries/{row['id']}/retry")
    site.settle()
    check.equal(_delivery(site, "p1", "delivered")["state"], "delivered", "state")
    check.equal(len({g.id for g in receiver.on("/hook", "transaction.created")}), 1,
                "webhook-ids over the retry")


def a_test_delivery_is_sent_on_request(t):
    receiver = t.receiver()
    site = t.site()
    sub = site.subscribe(receiver.url + "/hook", events=["transaction.failed"])
    receiver.secrets["/hook"] = sub["secret"]
    site.post(f"/v1/subscriptions/{sub['id']}/test")
    until(lambda: receiver.on("/hook", "txwatch.test"), "the test webhook")
    check.equal(receiver.forged, [], "bad signatures")


def a_subscription_is_listed_changed_and_deleted(t):
    receiver = t.receiver()
    site = t.site()
    sub = site.subscribe(receiver.url + "/a")
    path = "/v1/subscriptions/" + sub["id"]
    check.equal([s["id"] for s in site.get("/v1/subscriptions")["data"]], [sub["id"]], "list")
    reply = site.ask("PATCH", path, {"target": receiver.url + "/b",
                                     "events": ["transaction.failed"]})
    check.equal(reply.status, 200, repr(reply))
    site.status(site.create("p1"), "failed")
    until(lambda: receiver.on("/b"), "a webhook at the new place")
    site.settle()
    check.equal((len(receiver.on("/a")), len(receiver.on("/b"))), (0, 1), "what came")
    check.true(site.ask("DELETE", path).status in (200, 204), "deleted")
    check.equal(site.ask("GET", path).status, 404, "after it")
    site.status(site.create("p2"), "failed")
    site.settle()
    check.equal(len(receiver.on("/b")), 1, "what came after it")


def a_subscription_survives_a_restart_with_its_secret(t):
    receiver = t.receiver()
    site = t.site()
    sub = site.subscribe(receiver.url + "/hook")
    receiver.secrets["/hook"] = sub["secret"]
    site.restart()
    site.create("p1")
    until(lambda: receiver.on("/hook"), "the webhook")
    check.equal(receiver.forged, [], "bad signatures")


def the_attempts_tell_what_happened(t):
    receiver = t.receiver()
    site = t.site()
    site.subscribe(receiver.url + "/hook")
    receiver.behave("/hook", Answer(500, b"the dog ate it"), Answer(200))
    site.create("p1")
    site.settle()
    site.advance("1m")
    first, second = _delivery(site)["attempts"]
    check.holds(str(first), "the dog ate it", f"127.0.0.1:{receiver.port}", "500")
    check.equal(second["status"], 200, "the second's status")
    check.true(4 <= seconds(second["at"]) - seconds(first["at"]) <= 7, "5 s +- 20 % between")


def headers_of_a_subscription_are_sent_and_cannot_be_injected(t):
    receiver = t.receiver()
    site = t.site()
    site.subscribe(receiver.url + "/hook", headers={"X-Mine": "yes"})
    for bad in ({"X-Mine": "a\r\nX-Evil: 1"}, {"X\r\nEvil": "1"}, {"X Evil": "1"}):
        reply = site.ask("POST", "/v1/subscriptions", {
            "channel": "hooks", "target": receiver.url + "/x", "events": ["*"], "headers": bad})
        check.true(400 <= reply.status < 500, f"{bad}: {reply}")
    site.create("p1")
    until(lambda: receiver.on("/hook"), "the webhook")
    check.equal(receiver.on("/hook")[0].headers.get("x-mine"), "yes", "the header")


def a_burst_is_delivered_whole(t):
    receiver = t.receiver()
    site = t.site(hooks=hooks("concurrency = 32"))
    sub = site.subscribe(receiver.url + "/hook")
    receiver.secrets["/hook"] = sub["secret"]
    ops = [{"op": "create", "flow": "payment", "ref": f"p{i}"} for i in range(500)]
    threads = [threading.Thread(target=site.post, args=(
        "/v1/transactions:batch", {"operations": ops[i::4]})) for i in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    until(lambda: len(receiver.on("/hook")) >= 500, "500 webhooks", 60)
    check.equal(len({g.id for g in receiver.on("/hook")}), 500, "webhook-ids")
    check.equal({g.seq for g in receiver.on("/hook")}, {e["seq"] for e in site.events()}, "seqs")
    check.equal(receiver.forged, [], "bad signatures")
