"""Flows: warnings, what comes late, reversal and reopening, trying and drawing."""

import re
import threading

from txwlib import check
from txwlib.conf import flow, poller
from txwlib.site import HEAD, TOP, command
from txwlib.times import seconds, text
from txwlib.wait import until


def _warned(site, ref=None):
    found = site.events(type="transaction.expiring")
    return [e for e in found if not ref or e["transaction"]["ref"] == ref]


# ---- warnings ----

def a_deadline_is_told_of_before_it_comes_and_once(t):
    site = t.site(flow=flow(top="warn-before = 10m", pending="expires = 30m"))
    made = site.create("p1")
    site.advance("19m")
    check.equal(_warned(site), [], "at 19 minutes")
    site.advance("2m")
    event = _warned(site)[0]
    check.true(abs(seconds(event["at"]) - seconds(made["created_at"]) - 1200) <= 2,
               f"at 20 minutes: {event['at']}")
    check.equal((event["transaction"]["status"], event["transaction"]["version"]), ("pending", 2),
                "the row")
    site.advance("20m")
    check.equal(site.tx("p1")["status"], "expired", "status")
    check.equal(len(_warned(site)), 1, "warnings")
    check.equal([e["transaction"]["version"] for e in site.events(ref="p1")], [1, 2, 3],
                "versions")


def a_warning_goes_where_its_events_are_wanted(t):
    shop = t.receiver()
    site = t.site(flow=flow(top="warn-before = 10m", pending="expires = 30m"))
    site.subscribe(shop.url + "/hook", ["transaction.expiring"])
    site.create("p1")
    site.advance("21m")
    until(lambda: len(shop.on("/hook", type="transaction.expiring")) == 1, "the delivery")


def a_state_warns_in_its_own_time_or_not(t):
    site = t.site(flow=flow(top="warn-before = 10m", pending="expires = 30m warn-before = 1m",
                            authorized="expires = 30m warn-before = 0"))
    site.create("p1")
    site.status(site.create("p2"), "authorized")
    site.advance("28m")
    check.equal(_warned(site), [], "at 28 minutes")
    site.advance("90s")
    check.equal([e["transaction"]["ref"] for e in _warned(site)], ["p1"], "warned of")


def polling_goes_on_beside_a_warning(t):
    bank = t.bank()
    site = t.site(poller(bank, every="7m"),
                  flow=flow(top="warn-before = 10m", pending="expires = 30m"))
    bank.script("p1", "PENDING")
    site.create("p1")
    site.advance("22m")
    check.equal(len(_warned(site)), 1, "warnings")
    bank.script("p1", "SUCCESS")
    site.advance("7m")
    check.equal(site.tx("p1")["status"], "settled", "status")


def an_extended_deadline_is_warned_of_anew(t):
    site = t.site(flow=flow(top="warn-before = 10m"))
    tx = site.create("p1", expires_in="30m")
    site.advance("21m")
    check.equal(len(_warned(site)), 1, "of the first")
    reply = site.ask("PATCH", "/v1/transactions/" + tx["id"],
                     {"expires_at": text(site.now() + 3600)})
    check.equal(reply.status, 200, repr(reply))
    site.advance("49m")
    check.equal(len(_warned(site)), 1, "not yet of the second")
    site.advance("2m")
    check.equal(len(_warned(site)), 2, "of the second")


def after_downtime_one_is_sent_if_the_deadline_is_still_to_come(t):
    site = t.site(flow=flow(top="warn-before = 10m"))
    site.create("near", expires_in="30m")
    site.create("past", expires_in="24m")
    site.down_for(1500)
    site.settle()
    check.equal([e["transaction"]["ref"] for e in _warned(site)], ["near"], "warned of")
    check.equal(site.tx("past")["status"], "expired", "the one whose deadline passed")
    site.restart()
    site.settle()
    check.equal(len(_warned(site)), 1, "still one")


def killed_in_the_midst_each_deadline_is_warned_of_once(t):
    site = t.site(flow=flow(top="warn-before = 10m", pending="expires = 30m"))
    site.post("/v1/transactions:batch", {"operations": [
        {"op": "create", "flow": "payment", "ref": f"p{i}"} for i in range(6000)]})
    start = site.now()

    def advance():
        try:
            site.advance("21m")
        except Exception:                         # killed under it
            pass
    for _ in range(3):
        before = len(_warned(site))
        mover = threading.Thread(target=advance)
        mover.start()
        try:
            until(lambda: site.get("/v1/events?limit=1&after=%d" % (6000 + before))["data"],
                  "a warning", 20)
        finally:
            site.kill()
            mover.join()
        site.at = start + 1140
        site.start()
    site.at = start + 1260
    site.advance("2m")
    until(lambda: len(_warned(site)) >= 6000, "all warnings", 30)
    refs = [e["transaction"]["ref"] for e in _warned(site)]
    check.equal((len(refs), len(set(refs))), (6000, 6000), "warnings, and of how many")


# ---- late ----

def a_late_success_is_recorded_once_by_default(t):
    site = t.site(flow=flow(pending="expires = 30m"))
    tx = site.create("p1")
    site.advance("31m")
    problem = site.status(tx, "settled", expect=409, reason="paid by card")
    check.holds(problem["detail"], "its deadline", "had passed")
    site.status(tx, "settled", expect=409)
    check.equal(site.tx("p1")["status"], "expired", "status")
    check.equal(len(site.events(type="transaction.anomaly")), 1, "anomalies")


def a_late_success_counts_where_the_flow_reopens(t):
    site = t.site(flow=flow(top='late = "reopen"', pending="expires = 30m",
                            authorized='expires = 1h expires-to = "failed"'))
    tx = site.create("p1")
    site.advance("31m")
    row = site.status(tx, "settled", reason="paid by card")
    check.equal((row["outcome"], row["reason"]), ("success", "late: paid by card"), "the row")
    other = site.create("p2")
    site.status(other, "authorized")
    site.advance("2h")
    check.equal(site.tx("p2")["status"], "failed", "its deadline leads to a failure")
    check.equal(site.status(other, "settled")["outcome"], "success", "which counts as one")
    check.equal(len(site.events(type="transaction.succeeded")), 2, "successes")
    check.equal(len(site.events(type="transaction.anomaly")), 0, "anomalies")


def a_failure_that_no_deadline_made_is_not_late(t):
    site = t.site(flow=flow(top='late = "reopen"', pending="expires = 30m",
                            authorized='expires = 1h expires-to = "failed"'))
    tx = site.create("p1")
    site.status(tx, "failed")
    site.status(tx, "settled", expect=409)


def a_late_success_leaves_no_trace_where_it_is_refused(t):
    site = t.site(flow=flow(top='late = "refuse"', pending="expires = 30m"))
    tx = site.create("p1")
    site.advance("31m")
    seen = len(site.events())
    site.status(tx, "settled", expect=409)
    check.equal(len(site.events()), seen, "events")


# ---- reversal, reopening ----

def a_reversal_and_a_reopening_have_their_events_and_time_anew(t):
    bank = t.bank()
    site = t.site(poller(bank, every="5m"),
                  flow=flow(pending="expires = 30m", settled='next = { "refunded", "pending" }'))
    bank.script("p1", "PENDING")
    tx = site.create("p1")
    site.status(tx, "settled")
    site.advance("2h")
    asked = bank.count("p1")
    row = site.status(tx, "pending", reason="charge back")
    check.equal(site.events()[-1]["type"], "transaction.reopened", "the event")
    check.true(abs(seconds(row["expires_at"]) - site.now() - 1800) <= 2, "time anew")
    site.advance("6m")
    check.true(bank.count("p1") > asked, "it is polled again")
    bank.script("p1", "SUCCESS")
    site.advance("6m")
    check.equal(site.tx("p1")["status"], "settled", "by polling")
    site.status(tx, "refunded")
    check.equal(site.events()[-1]["type"], "transaction.cancelled", "the reversal's event")
    site.advance("2h")
    check.equal(site.tx("p1")["status"], "refunded", "for good")


def unknown_words_are_refused_by_the_api_and_told_of_by_pollers(t):
    bank = t.bank()
    site = t.site(poller(bank, every="1m"))
    problem = site.post("/v1/transactions", {"flow": "payment", "ref": "p0", "status": "setled"},
                        expect=400)
    check.holds(problem["detail"], "no state", "settled")
    bank.script("p1", "PENDING")
    tx = site.create("p1")
    problem = site.status(tx, "setled", expect=400)
    check.holds(problem["detail"], "no state", "settled")
    check.equal(site.events(type="transaction.anomaly"), [], "anomalies of the API's words")
    results = site.post("/v1/transactions:batch", {"operations": [
        {"op": "status", "flow": "payment", "ref": "p1", "status": "setled"}]})["results"]
    check.equal(results[0]["result"], "invalid", "in a batch")
    bank.script("p1", "GONE FISHING")
    site.advance("5m")
    found = site.events(type="transaction.anomaly")
    check.equal(len(found), 1, "anomalies of a poller's word")
    check.equal(site.tx("p1")["status"], "pending", "status")


def a_state_that_becomes_an_end_ends_those_in_it_and_no_deadline_undoes_it(t):
    open_yet = flow(settled='next = { "refunded" } expires = 1h').replace(
        'settled    { outcome = "success"', "settled    {")
    bank = t.bank()
    site = t.site(poller(bank, every="5m"), flow=open_yet)
    for ref in ("polled", "told"):
        bank.script(ref, "SUCCESS")
    site.create("polled")
    told = site.create("told")
    site.status(told, "settled")
    site.advance("1m")
    site.write(site.file.read_text().replace(open_yet, flow()))
    site.post("/v1/reload")
    until(lambda: len(site.logged("listening")) == 2, "the reload")
    site.status(told, "settled", reason="seen again")
    site.advance("10m")
    asked = bank.count()
    site.advance("2h")
    check.equal(bank.count(), asked, "questions about what is at its end")
    for ref in ("polled", "told"):
        row = site.tx(ref)
        check.equal((row["status"], row["outcome"], row["expires_at"], row["version"]),
                    ("settled", "success", None, 3), ref)
        check.equal(site.events(ref=ref)[-1]["type"], "transaction.succeeded", "its event")
    facets = site.get("/v1/transactions?facets=outcome&limit=1")["facets"]
    check.equal(facets["outcome"], [{"value": "success", "count": 2}], "counts")


# ---- dry runs ----

def a_dry_run_tells_event_and_deadline_and_changes_nothing(t):
    site = t.site(flow=flow(top="warn-before = 10m", pending="expires = 30m",
                            authorized='expires = 7d expires-to = "failed"'))
    tx = site.create("p1")
    seen = len(site.events())
    path = f"/v1/transactions/{tx['id']}/status?dry_run=true"
    told = site.post(path, {"status": "authorized"})
    check.equal((told["dry_run"], told["result"], told["events"]),
                (True, "changed", ["transaction.status_changed"]), "what is told")
    check.equal(told["deadline"]["to"], "failed", "where its deadline leads")
    check.equal(seconds(told["deadline"]["at"]) - seconds(told["deadline"]["warns_at"]), 600,
                "the warning's time")
    check.equal(told["deadline"]["at"], told["transaction"]["expires_at"], "its time")
    told = site.post(path, {"status": "pending"})
    check.equal((told["result"], told["events"]), ("unchanged", []), "the same status")
    told = site.post(path, {"status": "settled"})
    check.equal((told["events"], told["deadline"]), (["transaction.succeeded"], None), "an end")
    told = site.post(path, {"status": "refunded"}, expect=409)
    check.equal(told["events"], ["transaction.anomaly"], "what a refusal would tell")
    check.holds(str(told["allowed"]), "authorized")
    check.equal(len(site.events()), seen, "events")
    check.equal(site.tx("p1")["version"], 1, "version")


# ---- the command ----

def _file(t):
    file = t.folder("flows") / "site.conf"
    file.write_text('plugins = { "store.sqlite", "nowhere.plugin" }\n'
                    'token x { value = "env:TXW_NOT_SET_AT_ALL" scopes = { "read" } }\n'
                    + flow(top="warn-before = 10m", pending="expires = 30m")
                    + 'poller.nowhere bank { flow = "payment" }\n')
    return str(file)


def flows_are_listed_without_plugins_or_secrets(t):
    done = command("flow", "list", "-c", _file(t))
    check.equal(done.returncode, 0, done.stderr)
    check.holds(done.stdout, "payment: begins in pending")


def a_flow_is_drawn_for_graphviz(t):
    done = command("flow", "graph", "payment", "-c", _file(t))
    check.equal(done.returncode, 0, done.stderr)
    name = r'"(?:[^"\\]|\\.)*"'
    attribute = rf'[a-z]+=(?:[a-z0-9]+|{name})'
    line = re.compile(rf'\t(rankdir=LR|node \[.*\]|{name}( -> {name})?'
                      rf'( \[{attribute}(, {attribute})*\])?);')
    lines = done.stdout.splitlines()
    check.equal((lines[0], lines[-1]), ('digraph "payment" {', "}"), "first and last line")
    for one in lines[1:-1]:
        check.true(line.fullmatch(one), f"a line of dot: {one}")
    check.holds(done.stdout, '"pending" -> "settled";',
                '"pending" -> "expired" [style=dashed, label="30m"];')


def trying_a_flow_tells_each_step(t):
    file = _file(t)
    done = command("flow", "try", "payment", "authorized", "settled", "refunded", "-c", file)
    check.equal(done.returncode, 0, done.stderr)
    check.holds(done.stdout, "transaction.status_changed", "transaction.succeeded",
                "transaction.cancelled")
    done = command("flow", "try", "payment", "refunded", "-c", file)
    check.equal(done.returncode, 1, done.stdout)
    check.holds(done.stdout, "refused", "allowed", '"authorized"')
    done = command("flow", "try", "payment", "+1h", "-c", file)
    check.equal(done.returncode, 0, done.stdout)
    check.holds(done.stdout, "after 20m", "transaction.expiring", "after 30m",
                "transaction.expired")


def an_unknown_flow_and_a_wrong_call_are_told(t):
    file = _file(t)
    done = command("flow", "graph", "paiment", "-c", file)
    check.equal(done.returncode, 1, done.stderr)
    check.holds(done.stderr, "did you mean `payment`?")
    for words in ((), ("draw",), ("graph",), ("list", "payment"), ("try",)):
        check.equal(command("flow", *words, "-c", file).returncode, 2, str(words))


# ---- docs/flows.md ----

def the_guides_flows_pass_the_check(t):
    page = (TOP / "docs" / "flows.md").read_text()
    blocks = re.findall(r"^```conf\n(.*?)^```", page, re.M | re.S)
    check.true(len(blocks) >= 4, "examples")
    for block in blocks:
        file = t.folder("guide") / "site.conf"
        file.write_text(HEAD + f'store.sqlite main {{ path = "{t.folder("guide")}/x.db" }}\n' + block)
        done = command("check", "-c", str(file), env={"TXW_TEST_ADMIN": "x" * 20})
        check.equal(done.returncode, 0, block + done.stderr)
        check.equal(done.stderr, "", block)


def the_guides_dialogues_are_what_the_program_says(t):
    page = (TOP / "docs" / "flows.md").read_text()
    file = t.folder("guide") / "flows.conf"
    file.write_text("".join(re.findall(r"^```conf\n(.*?)^```", page, re.M | re.S)))
    n = 0
    for block in re.findall(r"^```console\n(.*?)^```", page, re.M | re.S):
        for line, said in re.findall(r"^\$ txwatch (.*)\n((?:(?!\$ ).*\n)*)", block, re.M):
            done = command(*line.split(), "-c", str(file))
            check.equal(done.stdout, said, line)
            n += 1
    check.true(n >= 5, "dialogues")
