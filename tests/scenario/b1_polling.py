"""Watching: polls drive transactions; when and how often they are made."""

from txwlib import check
from txwlib.conf import flow, poller
from txwlib.peers import Answer
from txwlib.times import seconds


def _gaps(site, bank, ref, advances, step="1s"):
    """On the site's clock, the moments at which the bank was asked about ref."""
    moments = []
    at = 0
    for _ in range(advances):
        before = bank.count(ref)
        site.advance(step)
        at += float(step.rstrip("s"))
        moments += [at] * (bank.count(ref) - before)
    return moments


def a_poll_drives_a_payment_to_settled(t):
    bank = t.bank()
    site = t.site(poller(bank))
    bank.script("p1", "PENDING", "AUTHORIZED",
                {"state": "SUCCESS", "reason": "all well", "code": "00"})
    site.create("p1")
    site.advance("1m")
    row = site.tx("p1")
    check.equal((row["status"], row["version"], row["reason"], row["code"]),
                ("settled", 3, "all well", "00"), "the row")
    events = site.events(ref="p1")
    check.equal([e["type"] for e in events],
                ["transaction.created", "transaction.status_changed", "transaction.succeeded"],
                "types")
    check.equal([e["source"] for e in events], ["api", "bank", "bank"], "sources")


def what_is_finished_is_asked_no_more(t):
    bank = t.bank()
    site = t.site(poller(bank))
    bank.script("p1", "SUCCESS")
    site.create("p1")
    site.advance("1m")
    asked = bank.count("p1")
    site.advance("6h")
    check.equal(bank.count("p1"), asked, "questions")


def the_interval_is_kept(t):
    bank = t.bank()
    site = t.site(poller(bank, every="10s"))
    bank.script("p1", "PENDING")
    site.create("p1")
    site.settle()
    asked = bank.count("p1")
    site.advance("100s")
    check.true(9 <= bank.count("p1") - asked <= 11, f"about 10 questions, not "
               f"{bank.count('p1') - asked}")


def the_interval_grows_by_its_multiplier_to_its_cap_and_resets_on_a_change(t):
    bank = t.bank()
    site = t.site(poller(bank, 'slow-to = 40s', 'multiplier = "2"', every="10s"))
    bank.script("p1", "PENDING")
    site.create("p1")
    site.settle()
    check.equal(bank.count("p1"), 1, "questions at once")
    moments = [0] + _gaps(site, bank, "p1", 200)
    gaps = [b - a for a, b in zip(moments, moments[1:])]
    check.equal(gaps, [10, 20, 40, 40, 40, 40], f"gaps between questions at {moments}")
    bank.script("p1", "AUTHORIZED")
    moments = _gaps(site, bank, "p1", 140)
    gaps = [b - a for a, b in zip(moments, moments[1:])]
    check.equal(gaps[:3], [10, 20, 40], "gaps after the change")


def jitter_spreads_polls_within_its_range(t):
    bank = t.bank()
    site = t.site(poller(bank, every="100s").replace("jitter = 0", "jitter = 20"))
    for i in range(40):
        bank.script(f"p{i}", "PENDING")
        site.create(f"p{i}")
    site.settle()
    first = {i: bank.count(f"p{i}") for i in range(40)}
    site.advance("79s")
    early = sum(bank.count(f"p{i}") - first[i] for i in range(40))
    site.advance("42s")
    times = len({round(one[2], 4) for one in bank.asked})
    check.true(times > 1, "several moments")
    check.true(all(bank.count(f"p{i}") > first[i] for i in range(40)), "each asked by 121 s")
    check.equal(early, 0, "asked before 80 s")


def the_first_question_waits_for_first_after(t):
    bank = t.bank()
    site = t.site(poller(bank, "first-after = 30s"))
    bank.script("p1", "SUCCESS")
    site.create("p1")
    site.advance("29s")
    check.equal(bank.count("p1"), 0, "questions before 30 s")
    site.advance("2s")
    check.equal(bank.count("p1"), 1, "questions after 30 s")


def a_state_has_a_cadence_of_its_own(t):
    bank = t.bank()
    site = t.site(poller(bank, every="10s"), flow=flow(authorized="every = 2m"))
    bank.script("p1", "AUTHORIZED")
    site.create("p1")
    site.advance("30s")
    asked = bank.count("p1")
    site.advance("10m")
    check.true(4 <= bank.count("p1") - asked <= 6, "about 5 questions in 10 minutes")


def rate_limits_the_questions(t):
    bank = t.bank()
    site = t.site(poller(bank, 'rate = "2/s"', every="1h"))
    for i in range(40):
        bank.script(f"p{i}", "SUCCESS")
        site.create(f"p{i}")
    site.settle()
    before = bank.count()
    site.advance("5s")
    check.true(6 <= bank.count() - before <= 14, f"about 10 in 5 s, not {bank.count() - before}")
    site.advance("30s")
    check.equal(bank.count(), 40, "all asked in the end")


def concurrency_limits_what_is_in_flight(t):
    bank = t.bank()
    bank.everyone = Answer(hang=True)
    site = t.site(poller(bank, "concurrency = 3", "timeout = 10s"))
    for i in range(12):
        site.create(f"p{i}")
    site.settle()
    check.equal(bank.count(), 3, "questions in flight")
    bank.everyone = None


def an_answer_that_never_comes_ends_at_the_timeout(t):
    bank = t.bank()
    site = t.site(poller(bank, "timeout = 7s", every="20s"))
    bank.script("p1", Answer(hang=True), "SUCCESS")
    site.create("p1")
    site.advance("1m")
    check.equal(site.tx("p1")["status"], "settled", "status after the second question")
    check.true(bank.count("p1") == 2, "two questions")


def retry_after_is_obeyed(t):
    bank = t.bank()
    site = t.site(poller(bank, every="10s"))
    bank.script("p1", Answer(429, b"", {"Retry-After": "120"}), "SUCCESS")
    bank.script("p2", "PENDING")
    site.create("p1")
    site.settle()
    check.equal(bank.count("p1"), 1, "the first question")
    site.create("p2")
    site.advance("118s")
    check.equal((bank.count("p1"), bank.count("p2")), (1, 0), "questions during the pause")
    site.advance("20s")
    check.true(bank.count("p2") >= 1, "asked after the pause")
    check.equal(site.tx("p1")["status"], "settled", "status")


def what_the_upstream_does_not_know_yet_gets_its_grace(t):
    bank = t.bank()
    site = t.site(poller(bank, "not-found-grace = 1m", 'not-found = "failed"', every="10s"))
    site.create("new")
    site.create("never")
    site.advance("45s")
    check.equal(site.tx("new")["status"], "pending", "within the grace")
    bank.script("new", "SUCCESS")
    site.advance("40s")
    check.equal(site.tx("new")["status"], "settled", "it came up")
    check.equal(site.tx("never")["status"], "failed", "it never did")


def not_found_without_a_state_to_go_to_is_an_anomaly_once(t):
    bank = t.bank()
    site = t.site(poller(bank, "not-found-grace = 1m", every="10s"))
    site.create("never")
    site.advance("10m")
    check.equal(site.tx("never")["status"], "pending", "status")
    check.equal(len(site.events(type="transaction.anomaly")), 1, "anomalies")


def a_word_never_heard_of_holds_and_is_told_once(t):
    bank = t.bank()
    site = t.site(poller(bank))
    bank.script("p1", "FROBNICATED")
    site.create("p1")
    site.advance("5m")
    check.equal(site.tx("p1")["status"], "pending", "status")
    told = site.events(type="transaction.anomaly")
    check.equal(len(told), 1, "anomalies")
    check.holds(str(told[0]), "FROBNICATED")
    bank.script("p1", "SUCCESS")
    site.advance("1m")
    check.equal(site.tx("p1")["status"], "settled", "status")


def a_word_never_heard_of_can_be_ignored(t):
    bank = t.bank()
    site = t.site(poller(bank, 'unknown = "ignore"'))
    bank.script("p1", "FROBNICATED")
    site.create("p1")
    site.advance("5m")
    check.equal(site.events(type="transaction.anomaly"), [], "anomalies")


def an_older_state_after_a_newer_one_is_ignored_by_version(t):
    bank = t.bank()
    site = t.site(poller(bank, 'source-version = "/version"'))
    bank.script("p1", {"state": "AUTHORIZED", "version": 10}, {"state": "PENDING", "version": 9},
                {"state": "DECLINED", "version": 2}, {"state": "SUCCESS", "version": 11})
    site.create("p1")
    site.advance("25s")
    check.equal(bank.count("p1"), 3, "questions")
    check.equal(site.tx("p1")["status"], "authorized", "after the older ones")
    site.advance("30s")
    check.equal(site.tx("p1")["status"], "settled", "after the newer one")
    check.equal(len(site.events(ref="p1")), 3, "events")


def an_older_state_after_a_newer_one_is_ignored_by_time(t):
    bank = t.bank()
    site = t.site(poller(bank, 'source-time = "/at"'))
    bank.script("p1", {"state": "AUTHORIZED", "at": "2025-12-31T10:00:00Z"},
                {"state": "DECLINED", "at": "2025-12-31T09:59:59Z"},
                {"state": "SUCCESS", "at": "2025-12-31T10:00:01+00:00"})
    site.create("p1")
    site.advance("15s")
    check.equal(site.tx("p1")["status"], "authorized", "after the older one")
    site.advance("1m")
    check.equal(site.tx("p1")["status"], "settled", "after the newer one")
    last = site.events(ref="p1")[-1]
    check.true(last["change"]["to"] == "settled", "the last event")


def an_illegal_word_of_the_upstream_is_recorded_and_not_applied(t):
    bank = t.bank()
    site = t.site(poller(bank))
    bank.script("p1", "REFUND", "SUCCESS")
    site.create("p1")
    site.settle()
    site.advance("5s")
    check.equal(site.tx("p1")["status"], "pending", "status")
    check.equal(len(site.events(type="transaction.anomaly")), 1, "anomalies")
    site.advance("1m")
    check.equal(site.tx("p1")["status"], "settled", "status")


def many_are_asked_about_at_once_by_a_batch_url(t):
    bank = t.bank()
    site = t.site(poller(bank, 'batch = 50', 'list = "/items"', 'ref = "/id"',
                         url="/batch?refs={{refs}}", every="10s"))
    for i in range(120):
        bank.script(f"p{i}", "SUCCESS")
    ops = [{"op": "create", "flow": "payment", "ref": f"p{i}"} for i in range(120)]
    site.post("/v1/transactions:batch", {"operations": ops})
    site.advance("1m")
    check.equal(len(site.get("/v1/transactions?status=settled&limit=1000")["data"]), 120,
                "settled")
    check.true(3 <= len(bank.asked) <= 20, f"few requests, not {len(bank.asked)}")


def one_missing_in_a_batch_answer_does_not_hurt_the_others(t):
    bank = t.bank()
    site = t.site(poller(bank, 'batch = 10', 'list = "/items"', 'ref = "/id"',
                         "not-found-grace = 1h", url="/batch?refs={{refs}}"))
    bank.script("a", "SUCCESS")
    bank.script("c", "DECLINED")
    for ref in "abc":
        site.create(ref)
    site.advance("30s")
    check.equal([site.tx(r)["status"] for r in "abc"], ["settled", "pending", "failed"], "states")


def new_transactions_are_discovered_and_the_cursor_is_kept_over_a_restart(t):
    bank = t.bank()
    # Before the site starts: its first question comes at once.
    for i in range(9):
        bank.script(f"d{i}", "PENDING")
    bank.list(*({"id": f"d{i}", "state": "PENDING", "amount": f"{i}.50"} for i in range(5)))
    site = t.site(poller(bank, *_DISCOVERY.format(url=bank.url).split("\n")))
    site.advance("1m")
    rows = site.pages("/v1/transactions")
    check.equal(sorted(r["ref"] for r in rows), [f"d{i}" for i in range(5)], "discovered")
    check.equal(site.tx("d3")["amount"], "3.50", "amount")
    site.kill()
    pages = [one for one in bank.asked if one[0] == "/list"]
    bank.list(*({"id": f"d{i}", "state": "SUCCESS"} for i in range(5, 9)))
    site.start()
    site.advance("2m")
    check.equal(len(site.pages("/v1/transactions")), 9, "discovered after the restart")
    check.equal(site.tx("d7")["status"], "settled", "its status as listed")
    check.true(len(pages) >= 3, "pages asked for")
    check.equal(len(site.events(type="transaction.created")), 9, "created events")


def a_discovered_one_with_an_unknown_word_is_taken_up_whatever_its_messages_id(t):
    bank = t.bank()
    bank.script("d1", "PENDING")
    bank.list({"id": "d1", "state": "ODD", "event": "m-1"})
    site = t.site(poller(bank, 'event-id = "/event"',
                         *_DISCOVERY.format(url=bank.url).split("\n")))
    site.advance("1m")
    check.equal(site.tx("d1")["status"], "pending", "status")
    check.equal([(e["type"], e["change"].get("source_event_id")) for e in site.events(ref="d1")],
                [("transaction.created", "m-1"), ("transaction.anomaly", None)], "events")


_DISCOVERY = """discover = "{url}/list?after={{{{cursor}}}}"
discover-every = 30s
discover-list = "/payments"
discover-next = "/next"
discover-more = "/more"
ref = "/id"
amount = "/amount\""""


def a_secret_of_the_poller_is_sent_and_never_logged(t):
    bank = t.bank()
    secret = "bank-secret-0123456789"
    site = t.site(poller(bank, 'bearer = "env:BANK_SECRET"'), env={"BANK_SECRET": secret},
                  level="debug")
    bank.script("p1", Answer(500, b"no"), "SUCCESS")
    site.create("p1")
    site.advance("1m")
    check.equal(bank.asked[0][3].get("authorization"), "Bearer " + secret, "the header")
    reply = site.ask("GET", "/v1/plugins")
    check.true(secret not in reply.body.decode(), "no secret in /v1/plugins")


def pausing_stops_the_questions_and_resuming_starts_them(t):
    bank = t.bank()
    site = t.site(poller(bank))
    bank.script("p1", "PENDING")
    tx = site.create("p1")
    reply = site.ask("POST", f"/v1/transactions/{tx['id']}/pause")
    if reply.status in (404, 405):
        raise check.Skip("this host has no pause")
    site.settle()
    asked = bank.count("p1")
    site.advance("10m")
    check.equal(bank.count("p1"), asked, "questions while paused")
    site.post(f"/v1/transactions/{tx['id']}/resume")
    site.advance("1m")
    check.true(bank.count("p1") > asked, "questions after resuming")


def polls_go_on_after_a_restart(t):
    bank = t.bank()
    site = t.site(poller(bank))
    bank.script("p1", "PENDING")
    site.create("p1")
    site.advance("1m")
    site.kill()
    bank.script("p1", "SUCCESS")
    site.start()
    site.advance("1m")
    check.equal(site.tx("p1")["status"], "settled", "status")


def the_source_and_its_time_are_in_the_event(t):
    bank = t.bank()
    site = t.site(poller(bank, 'source-time = "/at"'))
    bank.script("p1", {"state": "SUCCESS", "at": "2025-12-31T23:59:58Z"})
    site.create("p1")
    site.advance("1m")
    event = site.events(ref="p1")[-1]
    check.equal(event["source"], "bank", "source")
    if "source_at" in event:
        check.equal(seconds(event["source_at"]), seconds("2025-12-31T23:59:58Z"), "source_at")
