"""Transactions through the API: create, read, list, move, history."""

from txwlib import check
from txwlib.times import seconds


def a_created_transaction_is_read_by_id_and_by_ref(t):
    site = t.site()
    made = site.post("/v1/transactions", {
        "flow": "payment", "ref": "p/1 ü", "owner": "alice", "amount": "1250.00",
        "currency": "EUR", "attributes": {"country": "DE", "n": [1, 2]}}, expect=201)
    check.true(made["id"].startswith("tx_"), "an id tx_...")
    for field, value in {"flow": "payment", "ref": "p/1 ü", "status": "pending", "version": 1,
                         "owner": "alice", "amount": "1250.00", "currency": "EUR",
                         "attributes": {"country": "DE", "n": [1, 2]}}.items():
        check.equal(made[field], value, field)
    check.equal(site.get("/v1/transactions/" + made["id"]), made, "by id")
    check.equal(site.tx("p/1 ü"), made, "by ref")


def the_same_flow_and_ref_again_answers_200_with_the_one_that_exists(t):
    site = t.site()
    made = site.post("/v1/transactions", {"flow": "payment", "ref": "p1"}, expect=201)
    again = site.post("/v1/transactions", {"flow": "payment", "ref": "p1", "owner": "bob"},
                      expect=200)
    check.equal(again, made, "the second answer")
    check.equal(len(site.events()), 1, "events")


def a_transaction_can_begin_in_another_state(t):
    site = t.site()
    check.equal(site.create("p1", status="authorized")["status"], "authorized", "status")


def what_is_not_there_is_404_as_a_problem(t):
    site = t.site()
    for path in ("/v1/transactions/tx_01h455vb4pex5vsknk084sn02q", "/v1/transactions/nonsense",
                 "/v1/transactions/by-ref/payment/none", "/v1/nothing", "/nothing"):
        reply = site.ask("GET", path)
        check.equal(reply.status, 404, path)
        check.holds(reply.headers["content-type"], "application/problem+json")
        check.true(reply.json["type"] and reply.json["title"], "a type and a title")
        check.equal(reply.json["status"], 404, "the problem's status")


def what_makes_no_sense_is_400_and_changes_nothing(t):
    site = t.site()
    for body in ({}, {"flow": "payment"}, {"ref": "x"}, {"flow": "nope", "ref": "x"},
                 {"flow": "payment", "ref": ""}, {"flow": "payment", "ref": 7},
                 {"flow": "payment", "ref": "x", "status": "nope"},
                 {"flow": "payment", "ref": "x", "amount": 12.5},
                 {"flow": "payment", "ref": "x", "amount": "twelve"},
                 {"flow": "payment", "ref": "x", "attributes": "no object"},
                 {"flow": "payment", "ref": "x", "surprise": 1},
                 {"flow": "payment", "ref": "x", "expires_at": "tomorrow"},
                 {"flow": "payment", "ref": "r" * 70000}):
        reply = site.ask("POST", "/v1/transactions", body)
        check.true(reply.status in (400, 404, 413, 422), f"a refusal of {str(body)[:60]}: {reply}")
        check.holds(reply.headers["content-type"], "application/problem+json")
    for raw in (b"", b"{", b"[]", b"null", b'{"flow":"payment","ref":"x"} x', b"\xff\xfe",
                b'{"flow":"payment","ref":"\xff"}', b"[" * 100000):
        reply = site.ask("POST", "/v1/transactions", raw=raw)
        check.true(reply.status in (400, 422), f"a refusal of {raw[:40]!r}: {reply}")
    check.equal(site.events(), [], "events")


def a_body_over_the_limit_is_413(t):
    from txwlib.site import HEAD
    site = t.site(head=HEAD.replace('127.0.0.1:0"', '127.0.0.1:0" max-body = 64KB'))
    reply = site.ask("POST", "/v1/transactions", {"flow": "payment", "ref": "x",
                                                   "attributes": {"a": "b" * 100000}})
    check.equal(reply.status, 413, repr(reply))


def a_method_that_a_route_does_not_have_is_405(t):
    site = t.site()
    check.equal(site.ask("PUT", "/v1/transactions", {}).status, 405, "PUT /v1/transactions")


def a_status_moves_along_the_flow_and_each_move_is_an_event(t):
    site = t.site()
    tx = site.create("p1")
    site.status(tx, "authorized", reason="looks good", code="A1")
    row = site.status(tx, "settled", detail={"receipt": 7}, source_event_id="bank-9",
                      source_at="2025-12-31T23:00:00Z")
    check.equal((row["status"], row["version"]), ("settled", 3), "the row")
    check.true(row["finished_at"], "finished_at of an end state")
    events = site.events()
    check.equal([e["type"] for e in events],
                ["transaction.created", "transaction.status_changed", "transaction.succeeded"],
                "types")
    check.equal([e["transaction"]["version"] for e in events], [1, 2, 3], "versions")
    check.equal([e["seq"] for e in events], sorted({e["seq"] for e in events}), "seqs ascend")
    second = events[1]["change"]
    check.equal((second["from"], second["to"], second["reason"], second["code"]),
                ("pending", "authorized", "looks good", "A1"), "the change")
    check.equal(events[2]["change"]["detail"], {"receipt": 7}, "detail")
    check.true(all(e["id"].startswith("evt_") for e in events), "ids evt_...")


def every_outcome_has_its_event_type(t):
    site = t.site()
    for ref, states, kind in (("a", ["settled"], "succeeded"), ("b", ["failed"], "failed"),
                              ("c", ["cancelled"], "cancelled"),
                              ("d", ["settled", "refunded"], "cancelled")):
        tx = site.create(ref)
        for state in states:
            site.status(tx, state)
        check.equal(site.events(ref=ref)[-1]["type"], "transaction." + kind, ref)


def an_illegal_move_is_409_and_names_what_is_allowed(t):
    site = t.site()
    tx = site.create("p1")
    site.status(tx, "failed")
    reply = site.ask("POST", f"/v1/transactions/{tx['id']}/status", {"status": "settled"})
    check.equal(reply.status, 409, repr(reply))
    site.create("p2")
    reply = site.ask("POST", f"/v1/transactions/{site.tx('p2')['id']}/status",
                     {"status": "refunded"})
    check.equal(reply.status, 409, repr(reply))
    check.holds(reply.body.decode(), "authorized", "settled", "failed", "cancelled")
    check.equal(site.tx("p1")["status"], "failed", "status")


def the_same_status_again_is_200_and_makes_no_event(t):
    site = t.site()
    tx = site.create("p1")
    site.status(tx, "authorized")
    before = len(site.events())
    row = site.status(tx, "authorized")
    check.equal((row["version"], len(site.events())), (2, before), "version and events")


def the_same_source_event_twice_makes_one_event(t):
    site = t.site()
    tx = site.create("p1")
    site.status(tx, "authorized", source_event_id="e1")
    site.status(tx, "settled", source_event_id="e2")
    site.status(tx, "settled", source_event_id="e2")
    check.equal(len(site.events()), 3, "events")


def a_refused_message_counts_when_it_comes_again_in_its_turn(t):
    site = t.site()
    tx = site.create("p1")
    for _ in range(2):
        site.status(tx, "refunded", source_event_id="e2", expect=409)
    site.status(tx, "settled", source_event_id="e1")
    for _ in range(2):
        check.equal(site.status(tx, "refunded", source_event_id="e2")["status"], "refunded",
                    "status")
    check.equal([(e["type"], e["change"].get("source_event_id")) for e in site.events()],
                [("transaction.created", None), ("transaction.anomaly", None),
                 ("transaction.succeeded", "e1"), ("transaction.cancelled", "e2")], "events")


def a_newer_version_of_the_same_status_is_shown_by_every_route(t):
    site = t.site()
    tx = site.create("p1")
    path = "/v1/transactions/" + tx["id"]
    site.get(path)
    site.status(tx, "pending", source_version="7")
    check.equal([row.get("source_version") for row in
                 (site.get(path), site.tx("p1"), site.get("/v1/transactions")["data"][0])],
                ["7"] * 3, "its version")


def a_dry_run_says_what_would_be_and_changes_nothing(t):
    site = t.site()
    tx = site.create("p1")
    path = f"/v1/transactions/{tx['id']}/status?dry_run=true"
    check.equal(site.ask("POST", path, {"status": "settled"}).status, 200, "a legal move")
    check.equal(site.ask("POST", path, {"status": "refunded"}).status, 409, "an illegal one")
    check.equal(site.tx("p1")["version"], 1, "version")


def history_is_the_transactions_events_oldest_first(t):
    site = t.site()
    tx, other = site.create("p1"), site.create("p2")
    for state in ("authorized", "settled", "refunded"):
        site.status(tx, state)
        site.status(other, state)
    rows = site.pages(f"/v1/transactions/{tx['id']}/history?limit=2")
    check.equal([e["change"]["to"] for e in rows],
                ["pending", "authorized", "settled", "refunded"], "states")
    check.true(all(e["transaction"]["ref"] == "p1" for e in rows), "only its own")


def a_list_is_walked_by_cursor_without_gap_or_repeat(t):
    site = t.site()
    refs = [f"p{i}" for i in range(25)]
    for ref in refs:
        site.create(ref)
    page = site.get("/v1/transactions?limit=10")
    check.equal(len(page["data"]), 10, "a page")
    check.true(page["next"], "a cursor")
    site.create("in-between")
    found = [row["ref"] for row in site.pages("/v1/transactions?limit=7")]
    check.equal(sorted(found), sorted(refs + ["in-between"]), "all pages")
    check.equal(len(found), len(set(found)), "no repeats")
    for bad in ("limit=0", "limit=1001", "limit=x", "cursor=nonsense", "surprise=1"):
        check.equal(site.ask("GET", "/v1/transactions?" + bad).status, 400, bad)


def a_list_is_narrowed_by_its_parameters(t):
    site = t.site()
    for i in range(6):
        site.create(f"p{i}", owner="alice" if i % 2 else "bob", amount=f"{i}00")
    site.status(site.tx("p1"), "failed")
    site.status(site.tx("p2"), "settled")

    def refs(query):
        return sorted(row["ref"] for row in site.get("/v1/transactions?" + query)["data"])
    check.equal(refs("status=failed"), ["p1"], "by status")
    check.equal(refs("outcome=success"), ["p2"], "by outcome")
    check.equal(refs("owner=alice"), ["p1", "p3", "p5"], "by owner")
    check.equal(refs("ref=p4"), ["p4"], "by ref")
    check.equal(refs("flow=payment&status=pending&owner=bob"), ["p0", "p4"], "by several")


def events_are_read_after_a_seq(t):
    site = t.site()
    for i in range(5):
        site.create(f"p{i}")
    everything = site.events()
    check.equal(len(everything), 5, "events")
    rest = site.get(f"/v1/events?after={everything[2]['seq']}&limit=1")["data"]
    check.equal([e["seq"] for e in rest], [everything[3]["seq"]], "the one after")


def an_idempotency_key_replays_the_answer_and_refuses_another_body(t):
    site = t.site()
    key = {"Idempotency-Key": "k-1"}
    first = site.ask("POST", "/v1/transactions", {"flow": "payment", "ref": "p1"}, headers=key)
    check.equal(first.status, 201, repr(first))
    again = site.ask("POST", "/v1/transactions", {"flow": "payment", "ref": "p1"}, headers=key)
    check.equal((again.status, again.json), (201, first.json), "the replay")
    other = site.ask("POST", "/v1/transactions", {"flow": "payment", "ref": "p2"}, headers=key)
    check.true(other.status in (409, 422), f"a refusal of another body: {other}")
    check.equal(site.ask("GET", "/v1/transactions/by-ref/payment/p2").status, 404, "p2")


def an_idempotency_key_survives_a_restart(t):
    site = t.site()
    key = {"Idempotency-Key": "k-1"}
    tx = site.create("p1")
    path = f"/v1/transactions/{tx['id']}/status"
    first = site.ask("POST", path, {"status": "authorized"}, headers=key)
    site.status(tx, "settled")
    site.kill()
    site.start()
    again = site.ask("POST", path, {"status": "authorized"}, headers=key)
    check.equal((again.status, again.json), (first.status, first.json), "the replay")
    check.equal(site.tx("p1")["status"], "settled", "status")


def a_batch_answers_in_order(t):
    site = t.site()
    site.create("old")
    reply = site.post("/v1/transactions:batch", {"operations": [
        {"op": "create", "flow": "payment", "ref": "new"},
        {"op": "create", "flow": "payment", "ref": "old"},
        {"op": "status", "flow": "payment", "ref": "new", "status": "authorized"},
        {"op": "status", "flow": "payment", "ref": "new", "status": "refunded"},
        {"op": "status", "flow": "payment", "ref": "none", "status": "settled"}]})
    results = [r["result"] for r in reply["results"]]
    check.equal(results, ["created", "unchanged", "changed", "refused", "not_found"], repr(reply))


def an_atomic_batch_is_all_or_nothing(t):
    site = t.site()
    before = len(site.events())
    reply = site.ask("POST", "/v1/transactions:batch", {"atomic": True, "operations": [
        {"op": "create", "flow": "payment", "ref": "a"},
        {"op": "status", "flow": "payment", "ref": "a", "status": "refunded"}]})
    check.true(reply.status in (200, 409, 422), repr(reply))
    check.equal(site.ask("GET", "/v1/transactions/by-ref/payment/a").status, 404, "a")
    check.equal(len(site.events()), before, "events")


def concurrent_twins_make_one_object(t):
    import threading
    site = t.site()
    replies = []

    def make():
        replies.append(site.ask("POST", "/v1/transactions", {"flow": "payment", "ref": "p1"}))
    threads = [threading.Thread(target=make) for _ in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    check.equal(sorted(r.status for r in replies), [200] * 15 + [201], "statuses")
    check.equal(len({r.json["id"] for r in replies}), 1, "ids")
    check.equal(len(site.events()), 1, "events")


def times_are_rfc_3339_in_utc(t):
    site = t.site()
    row = site.create("p1", expires_in="2h")
    check.true(row["created_at"].endswith("Z"), row["created_at"])
    check.equal(seconds(row["expires_at"]) - seconds(row["created_at"]), 7200.0, "expires_in")


def _strict(mode):
    from txwlib.conf import flow
    return flow(top=f'illegal = "{mode}"')


def illegal_refuse_makes_no_event(t):
    site = t.site(flow=_strict("refuse"))
    tx = site.create("p1")
    site.status(tx, "refunded", expect=409)
    check.equal(len(site.events()), 1, "events")


def illegal_record_refuses_and_tells_once(t):
    site = t.site(flow=_strict("record"))
    tx = site.create("p1")
    site.status(tx, "refunded", expect=409)
    site.status(tx, "refunded", expect=409)
    row = site.tx("p1")
    check.equal(row["status"], "pending", "status")
    check.equal([e["type"] for e in site.events()],
                ["transaction.created", "transaction.anomaly"], "events")


def illegal_flag_applies_and_tells(t):
    site = t.site(flow=_strict("flag"))
    tx = site.create("p1")
    check.equal(site.status(tx, "refunded")["status"], "refunded", "status")
    check.true("transaction.anomaly" in [e["type"] for e in site.events()]
               or "flag" in str(site.events()[-1]).lower(), f"a flag: {site.events()[-1]}")


def if_match_keeps_two_writers_apart(t):
    site = t.site()
    tx = site.create("p1")
    reply = site.ask("GET", "/v1/transactions/" + tx["id"])
    etag = reply.headers["etag"]
    site.status(tx, "authorized")
    late = site.ask("POST", f"/v1/transactions/{tx['id']}/status", {"status": "settled"},
                    headers={"If-Match": etag})
    check.equal(late.status, 412, repr(late))
    check.equal(site.tx("p1")["status"], "authorized", "status")


def a_long_poll_wakes_with_the_next_event(t):
    import threading
    site = t.site(clock="real")
    site.create("p1")
    after = site.events()[-1]["seq"]
    got = []
    waiting = threading.Thread(target=lambda: got.append(
        site.get(f"/v1/events?after={after}&wait=30s")["data"]))
    waiting.start()
    site.create("p2")
    waiting.join(20)
    check.true(got and got[0], "an event before the wait is over")
    check.equal(got[0][0]["transaction"]["ref"], "p2", "whose it is")
