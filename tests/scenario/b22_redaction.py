"""What `redact` names is never kept: by no way in, in no table, log or delivery."""

import json

from txwlib import check, conf
from txwlib.wait import until

NUMBER = "4111111111111111"
POINTERS = 'redact = { "/card/number", "/items/*/pan", "/a~1b/m~0n" }\n'
GONE = "[redacted]"


def _secret():
    return {"card": {"number": NUMBER, "exp": "12/30"}, "items": [{"pan": NUMBER}, {"pan": [NUMBER]}],
            "a/b": {"m~n": {"deep": NUMBER}}, "kept": 1.5}


KEPT = {"card": {"number": GONE, "exp": "12/30"}, "items": [{"pan": GONE}, {"pan": GONE}],
        "a/b": {"m~n": GONE}, "kept": 1.5}


def _nowhere(site):
    """The number is in no file of the site and no line of its log."""
    site.settle()
    site.stop()
    for path in site.directory.iterdir():
        check.true(NUMBER.encode() not in path.read_bytes(), f"no number in {path.name}")
    check.true(NUMBER not in "\n".join(site.log), "no number in the log")


def what_is_redacted_is_kept_by_no_route(t):
    site = t.site(POINTERS, level="debug")
    receiver = t.receiver()
    site.subscribe(receiver.url + "/hook", events=["*"])
    made = site.post("/v1/transactions", {"flow": "payment", "ref": "p1", "attributes": _secret()},
                     headers={"Idempotency-Key": "k1"})
    check.equal(made["attributes"], KEPT, "created")
    path = "/v1/transactions/" + made["id"]
    shown = json.loads(site.ask("PATCH", path, {"attributes": {**_secret(), "more": 1}}).body)
    check.equal(shown["attributes"], {**KEPT, "more": 1}, "changed")
    site.post(path + "/status?dry_run=true", {"status": "settled", "detail": _secret()})
    site.post(path + "/status", {"status": "nonsense", "detail": _secret()}, expect=400)
    site.status(made, "settled", detail=_secret())
    check.equal(site.events()[-1]["change"]["detail"], KEPT, "the detail")
    site.status(made, "pending", expect=409, detail=_secret())
    site.post("/v1/transactions:batch", {"operations": [
        {"op": "create", "flow": "payment", "ref": "p2", "attributes": _secret()},
        {"op": "update", "flow": "payment", "ref": "p2", "attributes": _secret()},
        {"op": "status", "flow": "payment", "ref": "p2", "status": "failed",
         "detail": _secret()},
        {"op": "create", "flow": "none", "ref": "p3", "attributes": _secret()}]})
    until(lambda: receiver.on("/hook", "transaction.failed"), "the last delivery")
    check.true(all(NUMBER.encode() not in got.body for got in receiver.got), "none delivered")
    check.equal(receiver.on("/hook", "transaction.failed")[0].event["change"]["detail"], KEPT,
                "delivered")
    _nowhere(site)


def arrays_on_the_way_are_followed_and_unnamed_places_are_kept(t):
    site = t.site('redact = { "/0/card" }\n')
    made = site.create("p1")
    site.status(made, "settled", detail=[{"card": NUMBER}, {"card": "other"}])
    check.equal(site.events()[-1]["change"]["detail"], [{"card": GONE}, {"card": "other"}], "detail")
    _nowhere(site)


def a_bulk_job_keeps_none_of_it_either(t):
    site = t.site(POINTERS)
    site.create("p1")
    job = site.post("/v1/transactions:bulk", {"filter": "flow = payment", "action": {
        "update": {"attributes": _secret()}}}, expect=202)
    site.advance("1s")
    until(lambda: site.get("/v1/jobs/" + job["id"])["state"] == "done", "the job to end")
    check.equal(site.tx("p1")["attributes"], KEPT, "attributes")
    _nowhere(site)


def an_import_and_the_export_have_none_of_it(t):
    site = t.site(POINTERS)
    rows = [{"flow": "payment", "ref": "i1", "attributes": _secret()},
            {"flow": "none", "ref": "i2", "attributes": _secret()},
            {"flow": "payment", "ref": "i3", "attributes": _secret(), "wrong": 1}]
    raw = "".join(json.dumps(row) + "\n" for row in rows).encode()
    reply = site.ask("POST", "/v1/transactions:import", raw=raw,
                     headers={"Content-Type": "application/x-ndjson"})
    check.equal(reply.status, 200, "the import")
    check.true(NUMBER.encode() not in reply.body, "no number in its results")
    check.equal(site.tx("i1")["attributes"], KEPT, "kept")
    out = site.ask("GET", "/v1/transactions:export").body
    check.true(NUMBER.encode() not in out and GONE.encode() in out, "none in the export")
    _nowhere(site)


def what_pollers_see_and_discover_is_redacted_too(t):
    bank = t.bank()
    site = t.site(conf.poller(bank, f'discover = "{bank.url}/list?after={{{{cursor}}}}"',
                              "discover-every = 30s", 'discover-list = "/payments"',
                              'discover-next = "/next"', 'discover-more = "/more"', 'ref = "/id"',
                              'attributes = "/attributes"'),
                  flow=conf.flow(top='redact = { "/card/number", "/items/*/pan", "/a~1b/m~0n",'
                                 ' "/attributes" }'), level="debug")
    bank.list({"id": "d1", "state": "PENDING", "attributes": _secret(), **_secret()})
    bank.script("d1", {"state": "SUCCESS", **_secret()})
    site.advance("2m")
    row = site.tx("d1")
    check.equal((row["status"], row["attributes"]), ("settled", KEPT), "the row")
    details = [e["change"].get("detail") for e in site.events()]
    check.equal(details[-1], {"id": "d1", "state": "SUCCESS", **KEPT}, "the answer")
    check.equal(details[0], {"id": "d1", "state": "PENDING", "attributes": GONE, **KEPT}, "listed")
    _nowhere(site)


def a_pointer_that_is_none_stops_the_start(t):
    for bad in ("card/number", "/a~2"):
        site = t.site(f'redact = {{ "{bad}" }}\n', start=False)
        site.refuses("redact", bad)
    site = t.site(flow=conf.flow(top='redact = { "nope" }'), start=False)
    site.refuses("flow payment", "nope")
