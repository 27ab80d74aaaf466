"""An upstream in trouble: nothing regresses, nothing crashes, all is seen."""

import collections
import threading

from txwlib import check
from txwlib.conf import flow, inside_name, poller
from txwlib.peers import Answer, CUT
from txwlib.wait import until

BAD = {
    "an error page": Answer(500, b"<html>oops</html>", kind="text/html"),
    "HTML instead of JSON": Answer(200, b"<!doctype html><p>Maintenance", kind="text/html"),
    "invalid UTF-8": Answer(200, b'{"state":"SUCC\xff\xfeESS"}'),
    "NaN": Answer(200, b'{"state":NaN}'),
    "a number as the status": Answer(200, b'{"state":NaN,"x":1e999}'),
    "half a JSON": Answer(200, b'{"state":"SUCCESS"'),
    "something after the JSON": Answer(200, b'{"state":"SUCCESS"} {"state":"DECLINED"}'),
    "an empty answer": Answer(200, b""),
    "no status in it": Answer(200, b'{"other":1}'),
    "null": Answer(200, b"null"),
    "a NUL in the status": Answer(200, b'{"state":"SUCCESS\\u0000"}'),
    "a deep nest": Answer(200, b"[" * 200000),
    "10 MB": Answer(200, b'{"state":"SUCCESS","pad":"' + b"x" * 10_000_000 + b'"}'),
    "a closed connection": CUT,
    "a redirect": Answer(302, b"", {"Location": "http://169.254.169.254/latest/meta-data/"}),
}


def _failures(site):
    """What the metrics count as not well, of the instance bank."""
    return sum(v for (name, labels), v in site.metrics().items()
               if name.startswith("txwatch_poll") and name.endswith("_total")
               and ("instance", "bank") in labels
               and any(x[1] in ("failed", "error", "unknown", "anomaly", "invalid", "timeout",
                                "not_found", "throttled", "hold") for x in labels))


def a_bad_answer_moves_nothing_is_counted_and_is_recovered_from(t):
    bank = t.bank()
    site = t.site(poller(bank, "breaker-failures = 1000", every="10s"))
    for i, (what, answer) in enumerate(BAD.items()):
        ref = f"p{i}"
        bank.script(ref, answer)
        site.create(ref)
        failed = _failures(site)
        site.advance("15s")
        check.equal(site.tx(ref)["status"], "pending", f"status after {what}")
        check.true(_failures(site) > failed, f"{what} to be counted in /metrics")
        bank.script(ref, "SUCCESS")
        site.advance("30m")
        check.equal(site.tx(ref)["status"], "settled", f"status when all is well after {what}")
    check.true(site.rss() < 400 * 1024 * 1024, "memory that stays bounded")


def a_slow_upstream_costs_itself_only(t):
    slow, fast = t.bank(), t.bank()
    flow_two = """
flow order { initial = "pending"
    state pending { next = { "settled" } }
    state settled { outcome = "success" } }
"""
    site = t.site(poller(slow, "timeout = 10s", "concurrency = 2")
                  + poller(fast, name="shop").replace('flow = "payment"', 'flow = "order"')
                  .replace('"DECLINED=failed", "VOID=cancelled", "REFUND=refunded"', "")
                  .replace('"AUTHORIZED=authorized", "SUCCESS=settled",', '"SUCCESS=settled"')
                  + flow_two)
    slow.everyone = Answer(hang=True)
    for i in range(10):
        site.create(f"p{i}")
        fast.script(f"o{i}", "SUCCESS")
        site.create(f"o{i}", flow="order")
    site.advance("30s")
    settled = site.get("/v1/transactions?flow=order&status=settled")["data"]
    check.equal(len(settled), 10, "orders settled beside the slow bank")
    check.equal(site.tx("p1")["status"], "pending", "a payment of the slow bank")
    check.true(_failures(site) > 0, "timeouts in /metrics")


def half_an_hour_down_opens_the_breaker_and_a_probe_closes_it(t):
    bank = t.bank()
    receiver = t.receiver()
    site = t.site(poller(bank, "breaker-failures = 5", "breaker-pause = 30s", every="10s"))
    site.subscribe(receiver.url + "/ops", events=["poller.*"])
    for i in range(20):
        bank.script(f"p{i}", "PENDING")
        site.create(f"p{i}")
    site.advance("1m")
    bank.everyone = Answer(500, b"down")
    before = bank.count()
    site.advance("30m")
    asked = bank.count() - before
    check.true(5 <= asked <= 130, f"a probe each pause instead of {20 * 180} questions: {asked}")
    down = site.events(type="poller.down")
    check.equal(len(down), 1, "poller.down events")
    check.holds(str(down[0]), "bank")
    check.equal(site.metric("txwatch_poller_up", instance="bank"), 0, "txwatch_poller_up")
    check.equal({r["status"] for r in site.pages("/v1/transactions")}, {"pending"}, "statuses")
    bank.everyone = None
    for i in range(20):
        bank.script(f"p{i}", "SUCCESS")
    site.advance("15m")
    check.equal({r["status"] for r in site.pages("/v1/transactions")}, {"settled"}, "statuses")
    check.equal(len(site.events(type="poller.recovered")), 1, "poller.recovered events")
    check.equal(site.metric("txwatch_poller_up", instance="bank"), 1, "txwatch_poller_up")
    until(lambda: len(receiver.on("/ops")) == 2, "both webhooks")
    check.equal([g.json["type"] for g in receiver.on("/ops")],
                ["poller.down", "poller.recovered"], "webhooks")


def a_503_without_retry_after_is_a_failure_like_any_other(t):
    bank = t.bank()
    site = t.site(poller(bank, "breaker-failures = 5", "breaker-pause = 30s", every="10s"))
    for i in range(20):
        bank.script(f"p{i}", "PENDING")
        site.create(f"p{i}")
    site.advance("1m")
    bank.everyone = Answer(503, b"down")
    site.advance("10m")
    check.equal(len(site.events(type="poller.down")), 1, "poller.down events")
    bank.everyone = None
    site.advance("10m")
    check.equal(len(site.events(type="poller.recovered")), 1, "poller.recovered events")


def a_probe_that_fails_keeps_the_breaker_open(t):
    bank = t.bank()
    site = t.site(poller(bank, "breaker-failures = 3", "breaker-pause = 30s", every="10s"))
    bank.everyone = Answer(500)
    for i in range(10):
        site.create(f"p{i}")
    site.advance("1m")
    before = bank.count()
    site.advance("29s")
    check.true(bank.count() - before <= 1, "one probe a pause")
    check.equal(len(site.events(type="poller.down")), 1, "poller.down events")


def an_upstream_that_refuses_connections_is_down_not_fatal(t):
    bank = t.bank()
    site = t.site(poller(bank, "breaker-failures = 3", every="10s"))
    port = bank.port
    bank.close()
    site.create("p1")
    site.advance("10m")
    check.equal(site.tx("p1")["status"], "pending", "status")
    check.equal(len(site.events(type="poller.down")), 1, "poller.down events")
    again = t.bank(port)
    again.script("p1", "SUCCESS")
    site.advance("10m")
    check.equal(site.tx("p1")["status"], "settled", "status")


def an_upstream_inside_is_refused_unless_allowed(t):
    bank = t.bank()
    bank.script("p1", "SUCCESS")
    conf = poller(bank).replace('    allow-networks = { "127.0.0.0/8" }\n', "").replace(
        "127.0.0.1", inside_name())
    site = t.site(conf)
    site.create("p1")
    site.advance("1m")
    check.equal(bank.count(), 0, "questions that reached it")
    check.equal(site.tx("p1")["status"], "pending", "status")
    check.true(_failures(site) > 0, "refusals in /metrics")


def a_ref_cannot_change_the_url(t):
    bank = t.bank()
    site = t.site(poller(bank))
    evil = "../list?after=1#x\r\nX-Evil: 1 ü"
    bank.script(evil, "SUCCESS")
    reply = site.ask("POST", "/v1/transactions", {"flow": "payment", "ref": evil})
    if reply.status == 201:
        site.advance("1m")
        check.true(all(one[0].startswith("/payments/") for one in bank.asked), "paths asked for")
        check.true(all("x-evil" not in one[3] for one in bank.asked), "no header was added")
    else:
        check.true(reply.status in (400, 422), repr(reply))


def a_finished_one_never_regresses(t):
    bank = t.bank()
    site = t.site(poller(bank))
    bank.script("p1", "SUCCESS", "PENDING")
    tx = site.create("p1")
    site.advance("1m")
    check.equal(site.tx("p1")["status"], "settled", "status")
    reply = site.ask("POST", f"/v1/transactions/{tx['id']}/poll")
    if reply.status in (404, 405):
        return
    site.advance("10m")
    check.equal(site.tx("p1")["status"], "settled", "status after another look")


def an_answer_that_a_push_overtook_is_stale(t):
    bank = t.bank()
    site = t.site(poller(bank, every="10s"), flow=flow(top='illegal = "flag"'))
    bank.script("p1", "PENDING")
    tx = site.create("p1")
    site.advance("1s")
    bank.script("p1", "AUTHORIZED")
    asked, pushed, handle = threading.Event(), threading.Event(), bank.handle

    def slowly(request):
        answer = handle(request)
        asked.set()
        pushed.wait(20)
        return answer
    bank.handle = slowly
    mover = threading.Thread(target=site.advance, args=("12s",))
    mover.start()
    check.true(asked.wait(20), "a question")
    site.status(tx, "settled")
    pushed.set()
    mover.join()
    check.equal(site.tx("p1")["status"], "settled", "status")
    check.equal([e["type"] for e in site.events(ref="p1")],
                ["transaction.created", "transaction.succeeded"], "events")
    check.equal(site.metric("txwatch_observations_total", instance="bank", result="stale"), 1,
                "stale observations")


def twin_words_from_push_and_poll_make_one_event(t):
    bank = t.bank()
    site = t.site(poller(bank, 'event-id = "/event"', every="10s"))
    won = collections.Counter()
    statuses = []

    def push(twins):
        for body, tx in twins:
            statuses.append(site.ask("POST", f"/v1/transactions/{tx['id']}/status", body).status)
    for r in range(20):
        twins = []
        for i in range(40):
            ref, word = f"r{r}-{i}", {"status": "settled"}
            if i % 2:    # the upstream's name for the message, by both ways
                word["source_event_id"] = ref
            bank.script(ref, "PENDING")
            twins.append((word, site.create(ref)))
        site.advance("1s")
        for word, tx in twins:
            bank.script(tx["ref"], {"state": "SUCCESS", "event": word.get("source_event_id")})
        pushers = [threading.Thread(target=push, args=(twins[k::2],)) for k in range(2)]
        for one in pushers:
            one.start()
        site.advance("15s")
        for one in pushers:
            one.join()
        for _, tx in twins:
            events = site.get(f"/v1/transactions/{tx['id']}/history")["data"]
            check.equal([(e["type"], e["transaction"]["version"]) for e in events],
                        [("transaction.created", 1), ("transaction.succeeded", 2)], tx["ref"])
            won[events[1]["source"]] += 1
        if len(won) == 2:
            break
    check.equal(set(statuses), {200}, "what the pushes were answered")
    check.equal(set(won), {"api", "bank"}, "who was first, now and then")
