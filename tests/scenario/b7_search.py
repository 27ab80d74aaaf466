"""Search: filters, text, orders, cursors, counts, facets, what is shown."""

import collections
import random
import threading
import urllib.parse

from txwlib import check
from txwlib.site import HEAD

PATH = "/v1/transactions"
STATUSES = ("pending", "authorized", "settled", "failed", "cancelled", "refunded")


def query(**words):
    return PATH + "?" + urllib.parse.urlencode(words)


def batch(site, operations, atomic=False, expect=200):
    return site.post(PATH + ":batch", {"operations": operations, "atomic": atomic}, expect=expect)


def fill(site, n, seed=1):
    """n transactions, some moved on; the rows as the API shows them, by ref."""
    chance = random.Random(seed)
    batch(site, [{"op": "create", "flow": "payment", "ref": f"r{i:04}",
                  **({"owner": chance.choice(("ada", "Bob", "eve"))} if i % 3 else {}),
                  **({"amount": str(chance.choice((5, 10, "10.00", "-3", "700.5")))}
                     if i % 4 else {}),
                  "attributes": {"country": chance.choice(("DE", "FR")), "n": i}}
                 for i in range(n)])
    batch(site, [{"op": "status", "flow": "payment", "ref": f"r{i:04}",
                  "status": chance.choice(("authorized", "settled", "failed", "cancelled"))}
                 for i in range(n) if i % 2])
    return {row["ref"]: row for row in site.pages(PATH + "?limit=1000")}


def pages_in_any_order_are_what_a_sort_would_give(t):
    site = t.site()
    rows = list(fill(site, 60).values())          # newest first
    rows.reverse()

    def amount(row):
        return float("-inf") if row["amount"] is None else float(row["amount"])
    for words, key, reverse in (
            ("created_at", None, False), ("created_at desc", None, True),
            ("ref", lambda r: r["ref"], False), ("ref desc", lambda r: r["ref"], True),
            ("amount", amount, False), ("amount desc", amount, True),
            ("owner, amount", lambda r: (r["owner"] or "", amount(r)), False),
            ("status, owner, amount, ref",
             lambda r: (r["status"], r["owner"] or "", amount(r), r["ref"]), False),
            ("finished_at", lambda r: r["finished_at"] or "", False),
            ("finished_at desc", lambda r: r["finished_at"] or "", True)):
        # Ties stay in the order of creation, or its reverse.
        want = sorted(rows, key=key, reverse=False) if key else list(rows)
        if reverse:
            want = sorted(rows, key=key) if key else list(rows)
            want.reverse()
        for limit in (1, 7, 1000):
            came = site.pages(query(order_by=words, limit=limit))
            check.equal([r["ref"] for r in came], [r["ref"] for r in want],
                        f"{words}, {limit} a page")


def an_order_that_cannot_be_is_refused_in_words(t):
    site = t.site()
    site.create("p1")
    for words, says in (("amuont", "amount"), ("ref down", "asc or desc"), ("ref,", "missing"),
                        ("ref,amount,owner,code,version", "at most 4"), ("ref, ref", "twice")):
        problem = site.get(query(order_by=words), expect=400)
        check.holds(problem["detail"], "order_by", says)
    check.holds(site.get(query(order_by="ref", order="asc"), expect=400)["detail"], "order_by")


def an_order_without_an_index_is_refused_over_too_many(t):
    site = t.site()
    for start in (0, 10_000):
        batch(site, [{"op": "create", "flow": "payment", "ref": f"r{i}"}
                     for i in range(start, start + 10_000)])
    problem = site.get(query(order_by="amount desc"), expect=400)
    check.equal(problem["type"], "urn:txwatch:problem:too-broad", "type")
    check.holds(problem["detail"], "10000", "narrow")
    check.equal(len(site.get(query(order_by="ref desc"))["data"]), 50, "by ref")
    check.equal(len(site.get(query(order_by="finished_at"))["data"]), 50, "by finished_at")
    check.equal(len(site.get(query(order_by="amount", filter='ref = "r12*"', limit=1000))["data"]),
                1000, "of what a filter narrows")


def text_is_found_in_ref_owner_reason_and_attributes(t):
    site = t.site()
    site.create("Order-77", owner="Grace Hopper")
    site.create("x1", attributes={"note": "The Needle 100%"})
    site.status(site.create("x2"), "failed", reason="Insufficient funds")
    for q, refs in (("order-7", ["Order-77"]), ("HOPPER", ["Order-77"]), ("needle", ["x1"]),
                    ("100%", ["x1"]), ("%", ["x1"]), ("FUNDS", ["x2"]), ("x", ["x2", "x1"]),
                    ("nothing", [])):
        check.equal([r["ref"] for r in site.get(query(q=q))["data"]], refs, q)
    check.equal(site.get(query(q="x", outcome="failure", count="true"))["total"], 1, "total")
    for q in ("", "y" * 257):
        site.get(query(q=q), expect=400)


def paging_while_others_insert_shows_each_row_once(t):
    site = t.site()
    before = set(fill(site, 400))
    stop = threading.Event()

    def insert():
        n = 0
        while not stop.is_set():
            batch(site, [{"op": "create", "flow": "payment", "ref": f"a{n}-{i}"}
                         for i in range(5)] +
                  [{"op": "create", "flow": "payment", "ref": f"z{n}-{i}"} for i in range(5)] +
                  [{"op": "update", "flow": "payment", "ref": f"r{n % 400:04}",
                    "attributes": {"n": n}}])
            n += 1
    thread = threading.Thread(target=insert)
    thread.start()
    try:
        for words in ({}, {"order": "asc"}, {"order_by": "ref"}, {"order_by": "ref desc"},
                      {"filter": 'ref = "r*"', "order_by": "amount desc, ref"},
                      {"filter": 'ref = "r*"', "order_by": "owner"}):
            seen, cursor = collections.Counter(), None
            for _ in range(4000):       # ascending, what is inserted comes too
                page = site.get(query(limit=20, **words, **({"cursor": cursor} if cursor else {})))
                seen.update(r["ref"] for r in page["data"])
                cursor = page["next"]
                if not cursor or before <= seen.keys():
                    break
            check.equal({r for r in before if seen[r] != 1}, set(), f"rows not shown once: {words}")
            check.equal([r for r, n in seen.items() if n > 1], [], f"shown twice: {words}")
    finally:
        stop.set()
        thread.join()


def a_cursor_is_good_for_its_query_and_tenant_alone(t):
    tenants = HEAD + """
token other { value = "env:TXW_TEST_OTHER" tenant = "other" scopes = { "write" } }
"""
    other = "oth_0123456789abcdefghijklmnopqrstuvwxyz"
    site = t.site(head=tenants, env={"TXW_TEST_OTHER": other})
    fill(site, 30)
    for words in ({"limit": 5}, {"limit": 5, "order_by": "amount desc, ref"},
                  {"limit": 5, "q": "r00"}, {"limit": 5, "filter": "amount > 0"}):
        page = site.get(query(**words))
        cursor = page["next"]
        check.true(cursor, "a cursor")
        good = site.get(query(cursor=cursor, **words))
        # How much is shown, and what of it, is free.
        free = site.get(query(cursor=cursor, **{**words, "limit": 3}, fields="id", count="true",
                              facets="flow"))
        check.equal([r["id"] for r in free["data"]], [r["id"] for r in good["data"]][:3], "free")
        bad = [dict(words, cursor=cursor, status="pending"), dict(words, cursor=cursor, q="r0"),
               dict(words, cursor=cursor, order_by="ref"), dict(words, cursor=cursor[:-1]),
               dict(words, cursor="x" + cursor), dict(words, cursor=cursor + "AAAA")]
        for i in range(0, len(cursor), 3):
            bad.append(dict(words, cursor=cursor[:i] + ("B" if cursor[i] == "A" else "A") +
                            cursor[i + 1:]))
        for one in bad:
            problem = site.get(query(**one), expect=400)
            check.true(problem["type"].endswith((":bad-cursor", ":invalid")), f"{one}: {problem}")
        problem = site.get(query(cursor=cursor, **words), expect=400, token=other)
        check.equal(problem["type"], "urn:txwatch:problem:bad-cursor", "another tenant's")
        site.restart()
        check.equal(site.get(query(cursor=cursor, **words)), good, "after a restart")


def recount(site, **words):
    """total and facets as the API counts them, and as its pages do."""
    page = site.get(query(limit=1, count="true", facets="flow,status,outcome", **words))
    rows = site.pages(query(limit=1000, **words))
    check.equal(page["total"], len(rows), f"total of {words}")
    check.true("total_is_at_least" not in page, "an exact total")
    for name in ("flow", "status", "outcome"):
        want = collections.Counter(r[name] for r in rows)
        came = [(f["value"], f["count"]) for f in page["facets"][name]]
        check.equal(came, sorted(want.items(), key=lambda f: (-f[1], f[0])), f"{name} of {words}")


def recount_all(site):
    for words in ({}, {"status": "failed"}, {"outcome": "open"},
                  {"flow": "payment", "filter": "status != pending"},
                  {"filter": "outcome = failure OR status = authorized"},
                  {"owner": "ada"}, {"q": "r1"}, {"filter": "amount > 6", "outcome": "open"},
                  {"status": "nosuch"}):
        recount(site, **words)


def storm(site, chance, rounds):
    """Random work with refusals and undone batches."""
    undone = 0
    for _ in range(rounds):
        operations = []
        for _ in range(chance.randrange(1, 30)):
            ref = f"r{chance.randrange(120)}"
            what = chance.randrange(4)
            if what == 0:
                operations.append({"op": "create", "flow": "payment", "ref": ref,
                                   "owner": chance.choice(("ada", "bob")),
                                   "amount": str(chance.randrange(12))})
            elif what == 1:
                operations.append({"op": "update", "flow": "payment", "ref": ref,
                                   "owner": chance.choice(("ada", "bob"))})
            else:
                operations.append({"op": "status", "flow": "payment", "ref": ref,
                                   "status": chance.choice(STATUSES)})
        atomic = chance.random() < 0.4
        reply = site.ask("POST", PATH + ":batch", {"operations": operations, "atomic": atomic})
        undone += reply.status == 409
    return undone


def counts_and_facets_equal_a_recount_after_refusals_and_undone_batches(t):
    site = t.site()
    undone = storm(site, random.Random(3), 80)
    check.true(undone > 5, f"undone batches: {undone}")
    recount_all(site)
    site.restart()
    recount_all(site)


def counts_are_exact_after_kills(t):
    site = t.site()
    chance = random.Random(5)
    for n in range(4):
        stop = threading.Event()

        def work(seed):
            try:
                while not stop.is_set():
                    storm(site, random.Random(seed), 1)
            except (OSError, AttributeError, TypeError):
                pass        # killed under it
            except Exception as trouble:    # http.client's kinds, as it dies
                if not type(trouble).__module__.startswith("http"):
                    raise
        threads = [threading.Thread(target=work, args=(n * 10 + i,)) for i in range(3)]
        for thread in threads:
            thread.start()
        storm(site, chance, 5)
        site.kill()
        stop.set()
        for thread in threads:
            thread.join()
        site.start()
        recount_all(site)


def only_the_fields_asked_for_are_shown(t):
    site = t.site()
    made = site.create("p1", owner="ada", attributes={"country": "DE", "x": {"y": 1.10, "z": 2}})
    one = PATH + "/" + made["id"]
    check.equal(site.get(one + "?fields=status,attributes.x.y"),
                {"status": "pending", "attributes": {"x": {"y": 1.10}}}, "one")
    check.equal(site.get(PATH + "?fields=ref,owner")["data"], [{"ref": "p1", "owner": "ada"}],
                "a list")
    check.equal(site.get(PATH + "/by-ref/payment/p1?fields=id"), {"id": made["id"]}, "by ref")
    for fields in ("", "stauts", "status,", "status.x"):
        check.holds(site.get(one + "?fields=" + fields, expect=400)["detail"], "fields")


def history_and_deliveries_come_with_their_transaction(t):
    site = t.site()
    made = site.create("p1")
    other = site.create("p2")
    site.status(made, "authorized")
    site.status(made, "settled")
    events = site.get(f"{PATH}/{made['id']}/history")["data"]
    one = site.get(f"{PATH}/{made['id']}?expand=history,deliveries")
    check.equal(one["history"], {"data": events, "more": False}, "history")
    check.equal(one["deliveries"], {"data": [], "more": False}, "deliveries")
    rows = site.get(PATH + "?expand=history&fields=ref")["data"]
    check.equal([r["ref"] for r in rows], ["p2", "p1"], "the list")
    check.equal(rows[1]["history"]["data"], events, "the list's history")
    for i in range(25):
        batch(site, [{"op": "update", "id": other["id"], "owner": f"o{i}"}])
    newest = site.get(f"{PATH}/{other['id']}?expand=history")["history"]
    check.equal(newest["more"], True, "more")
    check.equal([e["transaction"]["version"] for e in newest["data"]], list(range(7, 27)),
                "the newest, oldest first")
    site.get(PATH + "?expand=history&limit=101", expect=400)
    site.get(PATH + "?expand=everything", expect=400)


def a_count_that_must_look_stops_at_its_limit(t):
    site = t.site()
    for start in (0, 10_000):
        batch(site, [{"op": "create", "flow": "payment", "ref": f"r{i}", "amount": "1"}
                     for i in range(start, start + 10_000)])
    page = site.get(query(limit=1, count="true"))
    check.equal(page["total"], 20_000, "what was counted as it happened")
    check.true("total_is_at_least" not in page, "exact")
    page = site.get(query(limit=1, count="true", filter="amount = 1", facets="status"))
    check.equal((page["total"], page["total_is_at_least"]), (10_000, True), "what must look")
    check.equal(page["facets"], {"status": [{"value": "pending", "count": 20_000}]}, "facets")
    page = site.get(query(limit=1, count="true", filter="amount = 2"))
    check.equal(page["total"], 0, "none")


def counts_and_pages_are_exact_after_retention_has_purged(t):
    site = t.site('retention old { flow = "payment" after = 2d }\n')
    storm(site, random.Random(9), 40)
    before = site.get(query(count="true", limit=1))["total"]
    site.create("later")
    site.advance("50h")
    left = site.get(query(count="true", limit=1))["total"]
    check.true(0 < left < before, f"fewer than {before}: {left}")
    check.equal([f["value"] for f in site.get(query(facets="outcome"))["facets"]["outcome"]],
                ["open"], "outcomes left")
    recount_all(site)
