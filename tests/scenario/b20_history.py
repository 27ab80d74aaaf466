"""History: a transaction as it was."""

from txwlib import check, conf, times


def a_transaction_is_shown_as_it_was_at_any_time(t):
    site = t.site()
    made = site.create("p1", owner="alice")
    path = "/v1/transactions/" + made["id"]
    shown = [(site.now(), made)]
    for change in ("authorized", "settled"):
        site.advance("1h")
        shown.append((site.now(), site.status(made, change)))
    site.advance("1h")
    for at, row in shown:
        for later in (0, 1, 3599):
            check.equal(site.get(f"{path}?at={times.text(at + later)}"), row,
                        f"{row['status']} and {later} s")
        check.equal(site.get(f"/v1/transactions/by-ref/payment/p1?at={times.text(at)}"), row,
                    "by ref")
    check.equal(site.get(f"{path}?at={times.text(site.now() + 1000)}"), shown[-1][1], "ahead")


def of_events_in_one_moment_the_newest_counts(t):
    site = t.site()
    made = site.create("p1")
    ops = [{"op": "status", "id": made["id"], "status": "authorized"},
           {"op": "update", "id": made["id"], "owner": "bob"},
           {"op": "update", "id": made["id"], "owner": "carol"}]
    site.post("/v1/transactions:batch", {"operations": ops})
    now = site.tx("p1")
    check.equal((now["version"], now["owner"]), (4, "carol"), "after the batch")
    check.equal(len({e["at"] for e in site.events()}), 1, "times of its events")
    check.equal(site.get(f"/v1/transactions/{made['id']}?at={now['updated_at']}"), now, "then")


def before_its_creation_there_is_nothing_and_the_answer_says_when(t):
    site = t.site()
    site.advance("1h")
    made = site.create("p1")
    path = "/v1/transactions/" + made["id"]
    reply = site.ask("GET", f"{path}?at={times.text(site.now() - 1)}")
    check.equal(reply.status, 404, "status")
    check.holds(reply.json["detail"], "not there yet", made["created_at"])
    for bad in ("yesterday", ""):
        check.equal(site.ask("GET", f"{path}?at={bad}").status, 400, repr(bad))
    other = "/v1/transactions/tx_01h455vb4pex5vsknk084sn02q?at=" + made["created_at"]
    check.equal(site.ask("GET", other).status, 404, "no such transaction")


def a_long_history_is_walked_back_to_its_beginning(t):
    site = t.site()
    made = site.create("p1")
    then = site.now()
    site.advance("1s")
    for part in range(5):
        site.post("/v1/transactions:batch", {"operations": [
            {"op": "update", "id": made["id"], "owner": f"o{part}-{n}"} for n in range(200)]})
    path = "/v1/transactions/" + made["id"]
    check.equal(site.get(path)["version"], 1001, "version")
    check.equal(site.get(f"{path}?at={times.text(then)}"), made, "as it was")


WRITER = "wri_" + "w" * 32


def a_legal_hold_is_an_admins_to_set_and_lift_by_every_way(t):
    site = t.site('token writer { value = "env:T_WRITER" scopes = { "write" } }\n',
                  env={"T_WRITER": WRITER})
    made = site.create("p1")
    path = "/v1/transactions/" + made["id"]
    for hold in (True, False):
        for method, where, body in (
                ("PATCH", path, {"owner": "x", "legal_hold": hold}),
                ("POST", "/v1/transactions:batch", {"operations": [
                    {"op": "update", "id": made["id"], "legal_hold": hold}]}),
                ("POST", "/v1/transactions:bulk", {"filter": "flow = payment", "action": {
                    "update": {"legal_hold": hold}}})):
            reply = site.ask(method, where, body, token=WRITER)
            check.equal((reply.status, reply.json.get("scope")), (403, "admin"), where)
        check.equal("legal_hold" in site.get(path), not hold, "nothing changed")
        reply = site.ask("PATCH", path, {"legal_hold": hold})
        check.equal(reply.json.get("legal_hold", False), hold, "changed")
        again = site.ask("PATCH", path, {"legal_hold": hold})
        check.equal(again.json, reply.json, "once more changes nothing")
    check.equal(site.ask("PATCH", path, {"legal_hold": None}).status, 400, "null")
    events = site.events()
    check.equal([e["transaction"].get("legal_hold", False) for e in events], [False, True, False],
                "its events")
    check.equal(events[1]["actor"], "token:admin", "who")
    check.equal([(r["action"], r["actor"], r["object"])
                 for r in site.get("/v1/audit?action=transaction.*")["data"]],
                [(f"transaction.{what}", "token:admin", made["id"])
                 for what in ("release", "hold")], "audited")


def an_event_tells_who_and_by_which_request(t):
    bank = t.bank()
    site = t.site(conf.poller(bank), flow=conf.flow(authorized="expires = 1h"))
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    for bad in ("nonsense", trace[:-1], trace.upper(), "00-" + "0" * 32 + trace[35:],
                trace.replace("00f067aa0ba902b7", "0" * 16), "ff" + trace[2:]):
        site.post("/v1/transactions", {"flow": "payment", "ref": "x" + bad},
                  headers={"traceparent": bad})
        check.true("trace" not in site.events()[-1], bad)
    seq = site.events()[-1]["seq"]
    made = site.post("/v1/transactions", {"flow": "payment", "ref": "p1"},
                     headers={"traceparent": trace})
    bank.script("p1", "AUTHORIZED")
    site.advance("30s")
    site.advance("2h")
    told = [(e["type"], e["source"], e.get("actor"), (e.get("trace") or "")[:35] or None)
            for e in site.events(after=seq, ref="p1")]
    check.equal(told, [("transaction.created", "api", "token:admin", trace[:35]),
                       ("transaction.status_changed", "bank", None, None),
                       ("transaction.expired", "watch", None, None)], "who")
    site.post("/v1/transactions:batch", {"operations": [
        {"op": "create", "flow": "payment", "ref": "p2"}]}, headers={"traceparent": trace})
    check.equal(site.events()[-1]["trace"][:35], trace[:35], "a batch")
    check.equal(site.get(f"/v1/transactions/{made['id']}/history")["data"][0]["trace"][:35], trace[:35],
                "in its history")
