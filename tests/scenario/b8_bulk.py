"""Many transactions at once: bulk by filter as a job."""

from txwlib import check
from txwlib.site import HOOKS
from txwlib.wait import until

TENANTS = """
token other { value = "env:TXW_TEST_OTHER" scopes = { "write" } tenant = "other" }
token reader { value = "env:TXW_TEST_READER" scopes = { "read" } }
"""
OTHER = "oth_0123456789abcdefghijklmnopqrstuvwxyz"
READER = "rdr_0123456789abcdefghijklmnopqrstuvwxyz"
ENV = {"TXW_TEST_OTHER": OTHER, "TXW_TEST_READER": READER}


def fill(site, n, first=0, **options):
    """n pending payments in batches; owner a or b in turn."""
    for at in range(first, first + n, 5000):
        ops = [{"op": "create", "flow": "payment", "ref": f"p{i}", "owner": "ab"[i % 2],
                "amount": f"{i}.50"} for i in range(at, min(at + 5000, first + n))]
        results = site.post("/v1/transactions:batch", {"operations": ops}, **options)["results"]
        check.equal({r["result"] for r in results}, {"created"}, "created all")


def ended(site, job, seconds=60, **options):
    """The job, once it is over."""
    def look():
        now = site.get("/v1/jobs/" + job["id"], **options)
        return now if now["state"] not in ("queued", "running") else None
    return until(look, "the job to end", seconds)


def bulk(site, body, **options):
    job = site.post("/v1/transactions:bulk", body, expect=202, **options)
    check.true(job["id"].startswith("job_"), "an id job_...")
    return job


def a_bulk_job_moves_what_the_filter_holds_for(t):
    site = t.site()
    fill(site, 1000)
    site.status(site.tx("p1"), "settled")
    site.status(site.tx("p3"), "failed")
    job = ended(site, bulk(site, {
        "filter": 'owner = "b"', "action": {"status": {"status": "cancelled", "reason": "recall"}}}))
    check.equal(job["state"], "done", "state")
    check.equal(job["kind"], "bulk", "kind")
    check.true(job["started_at"] and job["finished_at"], "its times")
    done = job["progress"]
    check.equal(done["matched"], 500, "matched")
    check.equal({k: done[k] for k in ("done", "changed", "unchanged", "refused",
                                      "skipped")},
                {"done": 500, "changed": 498, "unchanged": 0, "refused": 2,
                 "skipped": 0}, "progress")
    check.equal({r["count"] for r in done["reasons"]}, {1}, "a reason each")
    check.equal({e["ref"] for e in done["examples"]}, {"p1", "p3"}, "examples")
    check.equal({e["result"] for e in done["examples"]}, {"refused"}, "refused")
    rows = site.pages("/v1/transactions?limit=1000")
    check.equal({r["status"] for r in rows if r["owner"] == "a"}, {"pending"}, "untouched")
    moved = [r for r in rows if r["status"] == "cancelled"]
    check.equal(len(moved), 498, "moved")
    check.equal({r["reason"] for r in moved}, {"recall"}, "with the reason")
    check.equal({e["actor"] for e in site.events(type="transaction.cancelled")}, {"token:admin"},
                "actor")
    check.equal([j["id"] for j in site.get("/v1/jobs")["data"]], [job["id"]], "listed")


def a_dry_run_says_what_the_real_run_does(t):
    site = t.site()
    fill(site, 700)
    for i in range(0, 100):
        site.status(site.tx(f"p{i}"), "settled")
    body = {"filter": "amount < 350", "action": {"status": {"status": "authorized"}}}
    seq = site.events()[-1]["seq"]
    dry = ended(site, bulk(site, {**body, "dry_run": True}))
    check.equal(site.events()[-1]["seq"], seq, "a dry run writes no event")
    real = ended(site, bulk(site, body))
    check.equal(dry["progress"], real["progress"], "the same")
    check.equal(real["progress"]["changed"], 250, "changed")
    check.equal(real["progress"]["refused"], 100, "refused")
    check.equal(dry["request"]["dry_run"], True, "told")


def pause_resume_update_and_poll_work_in_bulk(t):
    site = t.site()
    fill(site, 10)
    for action, field, value in (({"pause": {}}, "paused", True), ({"resume": {}}, "paused", False),
                                 ({"update": {"owner": "carol"}}, "owner", "carol")):
        job = ended(site, bulk(site, {"filter": "", "action": action}))
        check.equal(job["progress"]["changed"], 10, str(action))
        check.equal({r.get(field, False) for r in site.pages("/v1/transactions")}, {value}, field)
    job = ended(site, bulk(site, {"filter": "", "action": {"poll": {}}}))
    check.equal(job["progress"]["unchanged"], 10, "nobody polls them")


def a_wrong_bulk_request_is_refused_with_the_member(t):
    site = t.site()
    for body, word in (
            ({"filter": "x ="}, "action"),
            ({"filter": "statu = x", "action": {"poll": {}}}, "status"),
            ({"filter": "", "action": {}}, "action"),
            ({"filter": "", "action": {"poll": {}, "pause": {}}}, "action"),
            ({"filter": "", "action": {"poll": {"a": 1}}}, "action.poll.a"),
            ({"filter": "", "action": {"poll": 1}}, "action"),
            ({"filter": "", "action": {"status": {}}}, "action.status.status"),
            ({"filter": "", "action": {"status": {"status": "setled"}}}, "action.status.status"),
            ({"filter": "", "action": {"update": {"amount": 1.5}}}, "action.update.amount"),
            ({"filter": "", "action": {"update": {}}}, "action.update"),
            ({"action": {"poll": {}}}, "filter")):
        reply = site.ask("POST", "/v1/transactions:bulk", body)
        check.equal(reply.status, 400, str(body))
        check.holds(reply.body.decode(), word)
    check.equal(site.get("/v1/jobs")["data"], [], "no job came of it")


def a_killed_bulk_job_goes_on_and_does_no_row_twice(t):
    site = t.site()
    fill(site, 20000)
    job = bulk(site, {"filter": "", "action": {"status": {"status": "authorized"}}})
    until(lambda: site.get("/v1/jobs/" + job["id"])["progress"].get("done", 0) >= 1000,
          "a part of it")
    site.kill()
    site.start()
    middle = site.get("/v1/jobs/" + job["id"])
    check.true(middle["state"] == "running" and middle["progress"]["done"] < 20000,
               "the kill to come in the middle")
    over = ended(site, job)
    check.equal(over["progress"]["done"], 20000, "done")
    check.equal(over["progress"]["changed"], 20000, "changed")
    check.equal({(r["status"], r["version"]) for r in site.pages("/v1/transactions?limit=1000")},
                {("authorized", 2)}, "each once")


def a_cancelled_job_ends_before_its_next_step(t):
    site = t.site()
    fill(site, 20000)
    job = bulk(site, {"filter": "", "action": {"status": {"status": "authorized"}}})
    gone = site.post(f"/v1/jobs/{job['id']}/cancel")
    check.equal(gone["state"], "cancelled", "state")
    check.true(gone["progress"].get("done", 0) < 20000, "not all was done")
    moved = len(site.events(type="transaction.status_changed"))
    check.equal(moved, gone["progress"].get("done", 0), "as much as it says, and no more")
    check.equal(site.post(f"/v1/jobs/{job['id']}/cancel")["state"], "cancelled", "again: the same")
    site.post("/v1/jobs/job_00000000000000000000000000/cancel", expect=404)


def jobs_are_their_tenants_alone(t):
    site = t.site(TENANTS, env=ENV)
    fill(site, 20)
    fill(site, 20, token=OTHER)
    job = bulk(site, {"filter": "", "action": {"status": {"status": "failed"}}}, token=OTHER)
    over = ended(site, job, token=OTHER)
    check.equal(over["progress"]["changed"], 20, "its own")
    check.equal({r["status"] for r in site.pages("/v1/transactions")}, {"pending"}, "not ours")
    site.get("/v1/jobs/" + job["id"], expect=404)
    site.post(f"/v1/jobs/{job['id']}/cancel", expect=404)
    check.equal(site.get("/v1/jobs")["data"], [], "not listed")
    site.post("/v1/transactions:bulk", {"filter": "", "action": {"poll": {}}}, expect=403,
              token=READER)


def sixteen_jobs_may_be_unfinished_and_one_key_makes_one(t):
    site = t.site()
    fill(site, 30000)
    body = {"filter": "", "action": {"status": {"status": "authorized"}}}
    same = {"Idempotency-Key": "once"}
    first = bulk(site, body, headers=same)
    check.equal(bulk(site, body, headers=same)["id"], first["id"], "one job")
    made = 1
    while True:
        reply = site.ask("POST", "/v1/transactions:bulk", body)
        if reply.status != 202:
            break
        made += 1
        check.true(made < 40, "a limit")
    check.equal(reply.status, 503, "too many")
    check.holds(reply.body.decode(), "16 jobs are unfinished")
    check.true(made >= 16, "at least sixteen")
    page = site.get("/v1/jobs?limit=5")
    check.equal(len(page["data"]), 5, "a page")
    jobs = site.pages("/v1/jobs?limit=5")
    check.equal(len(jobs), made, "all of them")
    check.equal([j["id"] for j in jobs], sorted((j["id"] for j in jobs), reverse=True), "newest first")


def finished_jobs_are_kept_for_a_week(t):
    site = t.site(hooks=HOOKS)
    fill(site, 5)
    job = ended(site, bulk(site, {"filter": "", "action": {"pause": {}}}))
    site.advance("6d")
    site.get("/v1/jobs/" + job["id"])
    site.advance("25h")
    site.get("/v1/jobs/" + job["id"], expect=404)


def a_job_s_events_carry_the_trace_of_its_request_also_after_a_kill(t):
    site = t.site()
    fill(site, 1000)
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    job = bulk(site, {"filter": "", "action": {"status": {"status": "cancelled"}}},
               headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    site.kill()
    site.start()
    check.equal(ended(site, job)["progress"]["changed"], 1000, "all")
    moved = site.events(type="transaction.cancelled")
    check.equal(len(moved), 1000, "an event each")
    check.true(all(trace in e["trace"] for e in moved), "its trace on each")
