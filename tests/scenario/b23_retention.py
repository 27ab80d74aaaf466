"""What is no longer kept: retention, purge as a job, legal hold, and what readers are told."""

import contextlib
import sqlite3

from txwlib import check
from txwlib.peers import Answer
from txwlib.site import STORE, command
from txwlib.wait import until

KEEP = 'retention old { flow = "payment" outcome = { "success", "cancelled" } after = 2d }\n'
WRITER = "wri_" + "w" * 32


def _finish(site, ref, status="settled", **fields):
    return site.status(site.create(ref, **fields), status)


def _refs(site):
    return sorted(row["ref"] for row in site.pages("/v1/transactions?limit=1000"))


def _rows(site, sql):
    with contextlib.closing(sqlite3.connect(f"file:{site.database}?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()


def _now_counts(site):
    return dict(_rows(site, "SELECT key, count FROM rollup WHERE kind = 'now' AND count <> 0"))


def _job(site, body, token=None):
    begun = site.post("/v1/transactions:purge", body, expect=202)
    site.advance("1s")
    return until(lambda: (lambda job: job if job["state"] in ("done", "failed") else None)(
        site.get("/v1/jobs/" + begun["id"])), "the purge to end")


def finished_ones_go_when_they_are_old_and_the_rest_stays(t):
    site = t.site(KEEP)
    _finish(site, "good")
    _finish(site, "void", "cancelled")
    _finish(site, "bad", "failed")
    held = _finish(site, "held")
    check.equal(site.ask("PATCH", "/v1/transactions/" + held["id"], {"legal_hold": True}).status,
                200, "the hold")
    site.create("open")
    events = _rows(site, "SELECT sum(count) FROM rollup WHERE kind = 'events'")
    site.advance("47h")
    check.equal(_refs(site), ["bad", "good", "held", "open", "void"], "before")
    site.advance("3h")
    check.equal(_refs(site), ["bad", "held", "open"], "after")
    check.equal(site.ask("GET", "/v1/transactions/by-ref/payment/good").status, 404, "good")
    check.equal(_rows(site, "SELECT sum(count) FROM rollup WHERE kind = 'events'"), events,
                "what was counted stays counted")
    check.equal(_now_counts(site), {"failure/failed": 1, "success/settled": 1, "open/pending": 1},
                "what is there is counted")
    check.equal(site.metric("txwatch_retention_transactions_total"), 2, "transactions, told")
    check.equal(site.metric("txwatch_retention_events_total"), 4, "events, told")
    logged = until(lambda: site.logged("purged by retention"), "it to be logged")
    check.equal(logged[0]["transactions"], "2", "logged")
    site.ask("PATCH", "/v1/transactions/" + held["id"], {"legal_hold": False})
    site.create("later")
    site.advance("25h")
    check.equal(_refs(site), ["bad", "later", "open"], "when the hold is lifted")
    check.equal(site.create("good")["version"], 1, "the name is free again")


def more_than_one_step_is_purged_in_steps(t):
    site = t.site(KEEP)
    for part in range(3):
        site.post("/v1/transactions:batch", {"operations": [
            {"op": "create", "flow": "payment", "ref": f"p{part}-{n}",
             "status": "settled" if n % 3 else "failed"} for n in range(300)]})
    site.create("last")
    site.advance("50h")
    check.equal(len(_refs(site)), 301, "left")


def a_reader_of_the_log_is_told_what_it_would_miss(t):
    site = t.site(KEEP)
    _finish(site, "good")
    _finish(site, "bad", "failed")
    site.create("open")
    for restarted in (False, True):
        if restarted:
            site.restart()
        else:
            check.equal(len(site.events()), 5, "events")
            site.advance("50h")
        for query in ("", "?after=0", "?after=1", "?cursor=1"):
            reply = site.ask("GET", "/v1/events" + query)
            check.equal(reply.status, 410, query)
            check.equal(reply.json["oldest"], 3, "whole from there on")
            check.true(reply.json["type"].endswith(":gone"), "its type")
        check.equal([e["seq"] for e in site.get("/v1/events?after=2")["data"]], [3, 4, 5], "whole")
        page = site.get("/v1/events?after=0&gaps=true&limit=1")
        check.equal([e["seq"] for e in page["data"]], [3], "read on all the same")
        page = site.get(f"/v1/events?gaps=true&cursor={page['next']}")
        check.equal([e["seq"] for e in page["data"]], [4, 5], "and on")


def of_another_tenants_purge_nobody_hears(t):
    other = "oth_" + "o" * 32
    site = t.site('retention old { after = 2d tenant = "other" }\n'
                  'token other { value = "env:T_OTHER" scopes = { "admin" } tenant = "other" }\n',
                  env={"T_OTHER": other})
    _finish(site, "mine")
    site.post("/v1/transactions", {"flow": "payment", "ref": "theirs", "status": "settled"},
              token=other)
    site.create("last")
    site.advance("50h")
    check.equal(site.ask("GET", "/v1/transactions/by-ref/payment/theirs", token=other).status, 404,
                "theirs")
    check.equal(site.ask("GET", "/v1/events", token=other).status, 410, "they are told")
    check.equal([e["seq"] for e in site.events()], [1, 2, 4], "mine is whole")


def what_purged_events_leave_still_proves_the_log(t):
    site = t.site(KEEP + 'evidence = "hash-chain"\n')
    for i in range(4):
        _finish(site, f"p{i}", "settled" if i % 2 else "failed")
    site.create("last")
    site.advance("50h")
    check.equal(_refs(site), ["last", "p0", "p2"], "left")
    site.create("more")
    site.stop()

    def verify():
        return command("verify", "-c", str(site.file), env=site.env)

    done = verify()
    check.equal(done.returncode, 0, f"verify: {done.stdout}{done.stderr}")
    check.holds(done.stdout, "6 events from 1 to 10 and 4 digests of purged ones", "proven")
    left = {"sqlite": "purged", "postgresql": "digest"}[STORE]
    for sql, value, says in ((f"UPDATE {left} SET digest = ? WHERE seq = 3", bytes(32),
                              "event 3: link"),
                             (f"DELETE FROM {left} WHERE seq = ?", 8, "event 8: missing")):
        check.equal(site.sql(sql, value), 1, "rows altered")
        done = verify()
        check.equal(done.returncode, 1, "exit status")
        check.holds(done.stdout, says)
    check.equal(done.stdout.splitlines()[0].split(":")[0], "event 3", "the first one named")


def deliveries_that_are_not_settled_keep_a_transaction(t):
    site = t.site(KEEP, hooks='notifier.webhook hooks { allow-networks = { "127.0.0.0/8" }\n'
                              'schedule = { 3d, 3d } jitter = 0 disable-after = 100d }\n')
    receiver = t.receiver()
    receiver.behave("/hook", Answer(500), Answer(200))
    site.subscribe(receiver.url + "/hook", events=["transaction.succeeded"])
    _finish(site, "good")
    site.create("last")
    until(lambda: receiver.on("/hook"), "the first attempt")
    site.advance("60h")
    check.equal(_refs(site), ["good", "last"], "while it is to be sent again")
    site.advance("40h")
    check.equal(_refs(site), ["last"], "when it was delivered")
    check.equal(site.deliveries(), [], "deliveries")


def a_purge_is_an_admins_job_with_progress(t):
    site = t.site('token writer { value = "env:T_WRITER" scopes = { "write" } }\n',
                  env={"T_WRITER": WRITER})
    for i in range(120):
        _finish(site, f"g{i}")
    _finish(site, "bad", "failed")
    held = _finish(site, "held")
    site.ask("PATCH", "/v1/transactions/" + held["id"], {"legal_hold": True})
    row = site.tx("g1")
    site.advance("1h")
    now = site.get("/v1/test/clock")["now"]
    body = {"flow": "payment", "outcome": "success", "finished_before": now}
    check.equal(site.ask("POST", "/v1/transactions:purge", body, token=WRITER).status, 403, "scope")
    for bad in ({}, {"finished_before": "2100-01-01T00:00:00Z"}, {**body, "outcome": "open"},
                {**body, "outcome": "nice"}, {**body, "more": 1}):
        check.equal(site.ask("POST", "/v1/transactions:purge", bad).status, 400, str(bad))
    job = _job(site, {**body, "dry_run": True})
    check.equal((job["state"], job["progress"]), ("done", {"transactions": 120, "events": 0}),
                "the dry run")
    check.equal(len(_refs(site)), 122, "all are there")
    check.equal(site.get("/v1/transactions/" + row["id"]), row, "and in the cache")
    job = _job(site, body)
    check.equal((job["state"], job["progress"]), ("done", {"transactions": 120, "events": 240}),
                "the purge")
    check.equal(_refs(site), ["bad", "held"], "left")
    for path in ("", "/history", "?at=" + row["updated_at"]):
        check.equal(site.ask("GET", f"/v1/transactions/{row['id']}{path}").status, 404, path)
    job = _job(site, {"finished_before": now})
    check.equal(job["progress"], {"transactions": 1, "events": 2}, "of any flow and outcome")
    rows = site.get("/v1/audit?action=transaction.purge")["data"]
    check.equal([(r["actor"], r["object"]) for r in rows][0], ("token:admin", job["id"]), "audited")
    check.equal(len(rows), 3, "each once")


def a_retention_that_makes_no_sense_is_refused(t):
    for section, says in (('retention r { after = 1m }', "after"),
                          ('retention r { }', "after"),
                          ('retention r { after = 2d flow = "nope" }', "no flow"),
                          ('retention r { after = 2d outcome = { "open" } }', "outcome")):
        t.site(section + "\n", start=False).refuses("retention", says)
