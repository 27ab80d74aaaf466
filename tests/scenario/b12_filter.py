"""Filters: the site's clock, errors with their column, one language everywhere."""

import re
import urllib.parse

from txwlib import check
from txwlib.conf import hooks
from txwlib.site import TOP, command
from txwlib.wait import until


def _found(site, text):
    rows = site.get("/v1/transactions?limit=1000&filter=" + urllib.parse.quote(text))["data"]
    return sorted(r["ref"] for r in rows)


def relative_times_count_from_the_sites_clock_at_each_question(t):
    site = t.site()
    site.create("old")
    site.advance("3h")
    site.create("new")
    check.equal(_found(site, "created_at < -2h"), ["old"], "two hours ago")
    site.advance("3h")
    check.equal(_found(site, "created_at < -2h"), ["new", "old"], "three hours later")
    check.equal(_found(site, "created_at > now"), [], "to come")


def a_subscriptions_relative_times_count_from_each_event(t):
    shop = t.receiver()
    site = t.site()
    site.subscribe(shop.url + "/old", filter="created_at < -1h")
    tx = site.create("p1")
    site.status(tx, "authorized")
    site.advance("2h")
    check.equal(len(shop.on("/old")), 0, "deliveries of young ones")
    site.status(tx, "settled")
    until(lambda: len(shop.on("/old", type="transaction.succeeded")) == 1, "the old one's")


def a_routes_relative_times_count_from_each_event(t):
    shop = t.receiver()
    site = t.site(env={"HOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
                  hooks=hooks('secret = "env:HOOK_SECRET"'),
                  config=f'route old {{ when = "created_at < -1h" to = {{ "hooks:{shop.url}/route" }} }}\n')
    tx = site.create("p1")
    site.restart()
    site.status(tx, "authorized")
    site.advance("2h")
    check.equal(len(shop.on("/route")), 0, "deliveries of young ones")
    site.status(tx, "settled")
    until(lambda: len(shop.on("/route", type="transaction.succeeded")) == 1, "the old one's")


def mistakes_are_told_with_their_column_everywhere(t):
    site = t.site()
    bad = "status = failed refund"
    for path in ("/v1/transactions?filter=", "/v1/events?filter="):
        problem = site.get(path + urllib.parse.quote(bad), expect=400)
        check.holds(problem["type"], "bad-filter")
        check.holds(problem["detail"], "column 17", "`refund` stands alone")
    problem = site.post("/v1/subscriptions", {"channel": "hooks", "target": "https://x.example/",
                                              "events": ["transaction.*"], "filter": bad},
                        expect=400)
    check.holds(problem["detail"], "column 17")


def a_dear_filter_is_refused(t):
    site = t.site()
    dear = " OR ".join(f"attributes.a{i} = 1" for i in range(129))
    problem = site.get("/v1/transactions?filter=" + urllib.parse.quote(dear), expect=400)
    check.holds(problem["detail"], "too dear")


def or_binds_tighter_than_and(t):
    site = t.site()
    site.create("a", owner="ann")
    site.create("b", owner="bob")
    site.status(site.create("c", owner="bob"), "failed")
    check.equal(_found(site, "status = pending AND owner = ann OR owner = bob"), ["a", "b"], "found")
    check.equal(_found(site, "(status = pending AND owner = ann) OR owner = bob"), ["a", "b", "c"],
                "with parentheses")
    check.equal(_found(site, "-owner = 'ann' status != \"failed\""), ["b"], "side by side")


def the_fields_are_explained(t):
    done = command("explain", "filter")
    check.equal(done.returncode, 0, done.stderr)
    check.holds(done.stdout, "updated_at", "time", "attributes.NAME", "seq")


def the_guides_table_is_the_programs(t):
    done = command("explain", "filter", "--markdown")
    page = (TOP / "docs" / "filter.md").read_text()
    check.true(done.stdout in page, "docs/filter.md with the table that "
               "`txwatch explain filter --markdown` prints")


def every_example_of_the_guide_is_understood_or_refused_as_it_says(t):
    site = t.site()
    site.create("p1", amount="12.50", currency="EUR", attributes={"country": "DE"})
    page = (TOP / "docs" / "filter.md").read_text()
    good = re.findall(r"^```filter\n(.*?)^```", page, re.M | re.S)
    check.true(len(good) >= 5, "examples")
    n = 0
    for line in (line for block in good for line in block.splitlines() if line):
        n += 1
        events = re.search(r"(^|[ (])(type|from|to|source|actor|at|seq) ", line)
        path = "/v1/events?filter=" if events else "/v1/transactions?filter="
        reply = site.ask("GET", path + urllib.parse.quote(line))
        check.equal(reply.status, 200, f"{line}: {reply!r}")
    check.true(n >= 20, "enough of them")
    bad = re.findall(r"^\| `([^`]+)` \| column (\d+): (.*) \|$", page, re.M)
    check.true(len(bad) >= 5, "refusals")
    for line, column, words in bad:
        problem = site.get("/v1/transactions?filter=" + urllib.parse.quote(line), expect=400)
        check.equal(problem["detail"], f"column {column}: {words}", line)
