"""Manners of the API: allowances, gzip, other origins, OPTIONS, traces, limits."""

import gzip
import json
import re
import socket
import threading

from txwlib import check
from txwlib.site import ADMIN, HEAD
from txwlib.wait import until

SECOND = "sec_" + "s" * 32


def _head(more):
    return HEAD.replace('listen = "127.0.0.1:0"', 'listen = "127.0.0.1:0" ' + more)


# ---- allowances ----

def a_token_has_its_allowance_and_is_told_when_it_is_spent(t):
    site = t.site('token second { value = "env:T_SECOND" scopes = { "read" } }\n',
                  head=_head('rate = "5/m"'), env={"T_SECOND": SECOND})
    for left in (4, 3, 2, 1, 0):
        reply = site.ask("GET", "/v1/flows")
        check.equal(reply.status, 200, f"with {left} left")
        check.equal(reply.headers["ratelimit-policy"], '"token";q=5;w=60', "the policy")
        check.holds(reply.headers["ratelimit"], f'"token";r={left};t=')
    reply = site.ask("GET", "/v1/flows")
    check.equal(reply.status, 429, "the sixth")
    check.equal(reply.json["type"], "urn:txwatch:problem:rate-limited", "its type")
    check.equal(reply.headers["retry-after"], "12", "when there is one again")
    check.holds(reply.headers["ratelimit"], "r=0")
    check.equal(site.ask("GET", "/v1/flows", token=SECOND).status, 200, "another token")
    check.equal(site.ask("GET", "/healthz", token=None).status, 200, "what is open to all")
    check.true("ratelimit" not in site.ask("GET", "/healthz", token=None).headers,
               "no field where nothing is limited")
    site.advance("11s")
    check.equal(site.ask("GET", "/v1/flows").status, 429, "a second too early")
    site.advance("1s")
    check.equal(site.ask("GET", "/v1/flows").status, 200, "by the site's clock")


def without_a_rate_nothing_is_told(t):
    reply = t.site().ask("GET", "/v1/flows")
    check.true("ratelimit" not in reply.headers, "no RateLimit")


def a_rate_or_an_origin_that_is_none_is_a_mistake_of_the_file(t):
    t.site(head=_head('rate = "fast"'), start=False).refuses("rate", "fast", "100/s")
    t.site(head=_head('cors-origins = { "ops.example/" }'), start=False).refuses(
        "cors-origins", "ops.example/", "https://")


# ---- gzip ----

def _many(site, n=40):
    site.post("/v1/transactions:batch", {"operations": [
        {"op": "create", "flow": "payment", "ref": f"p-{i}"} for i in range(n)]})


def a_long_answer_is_packed_for_those_who_take_it(t):
    site = t.site()
    _many(site)
    plain = site.ask("GET", "/v1/transactions")
    check.true("content-encoding" not in plain.headers, "plain unless asked for")
    check.holds(plain.headers["vary"], "Accept-Encoding")
    for path in ("/v1/transactions", "/openapi.json", "/v1/events"):
        packed = site.ask("GET", path, headers={"Accept-Encoding": "br, gzip;q=0.8"})
        check.equal(packed.headers["content-encoding"], "gzip", path)
        check.holds(packed.headers["vary"], "Accept-Encoding")
        check.equal(gzip.decompress(packed.body), site.ask("GET", path).body, path)
        check.true(len(packed.body) < len(gzip.decompress(packed.body)) / 3, "it is shorter")
        refused = site.ask("GET", path, headers={"Accept-Encoding": "gzip;q=0, identity"})
        check.true("content-encoding" not in refused.headers, "q=0 is no")


def a_short_answer_is_not_packed(t):
    site = t.site()
    reply = site.ask("GET", "/healthz", headers={"Accept-Encoding": "gzip"})
    check.true("content-encoding" not in reply.headers, "a short one")
    check.true("vary" not in reply.headers, "and does not vary")


def the_tag_of_a_packed_answer_is_its_own_and_works_for_both(t):
    site = t.site()
    tx = site.create("p1", attributes={"text": "long " * 500})
    path = f"/v1/transactions/{tx['id']}"
    plain = site.ask("GET", path)
    packed = site.ask("GET", path, headers={"Accept-Encoding": "gzip"})
    check.equal((plain.headers["etag"], packed.headers["etag"]), ('"1"', '"1-gzip"'), "tags")
    for tag in ('"1"', '"1-gzip"', 'W/"1-gzip"', '"7", "1"'):
        again = site.ask("GET", path, headers={"Accept-Encoding": "gzip", "If-None-Match": tag})
        check.equal((again.status, again.body), (304, b""), tag)
    check.equal(site.ask("GET", path, headers={"If-None-Match": '"11"'}).status, 200, "another")
    done = site.ask("PATCH", path, {"owner": "bob"}, headers={"If-Match": '"1-gzip"'})
    check.equal(done.status, 200, "If-Match with the packed answer's tag")
    late = site.ask("PATCH", path, {"owner": "eve"}, headers={"If-Match": '"1-gzip"'})
    check.equal(late.status, 412, "once more")


def a_packed_body_is_refused_and_says_what_is_taken(t):
    site = t.site()
    body = gzip.compress(json.dumps({"flow": "payment", "ref": "p1"}).encode())
    reply = site.ask("POST", "/v1/transactions", raw=body, headers={"Content-Encoding": "gzip"})
    check.equal(reply.status, 415, "a packed body")
    check.holds(reply.json["detail"], "Content-Encoding")
    check.equal(reply.headers["accept-encoding"], "identity", "what is taken")
    check.equal(site.get("/v1/transactions")["data"], [], "nothing was made")
    done = site.ask("POST", "/v1/transactions", {"flow": "payment", "ref": "p1"},
                    headers={"Content-Encoding": "identity"})
    check.equal(done.status, 201, "identity is none")


def accept_is_not_looked_at(t):
    site = t.site()
    reply = site.ask("GET", "/v1/flows", headers={"Accept": "text/html"})
    check.equal((reply.status, reply.headers["content-type"]), (200, "application/json"),
                "there is only JSON")


# ---- other origins, OPTIONS ----

def options_tells_the_methods_of_a_path(t):
    site = t.site()
    for path, methods in (("/v1/transactions", {"POST", "GET", "HEAD", "OPTIONS"}),
                          ("/v1/transactions/x", {"GET", "HEAD", "PATCH", "OPTIONS"}),
                          ("/metrics", {"GET", "HEAD", "OPTIONS"})):
        reply = site.ask("OPTIONS", path, token=None)
        check.equal((reply.status, reply.body), (204, b""), path)
        check.equal(set(reply.headers["allow"].split(", ")), methods, path)
        refused = site.ask("PUT", path)
        check.equal(refused.status, 405, path)
        check.equal(set(refused.headers["allow"].split(", ")), methods, "as 405 does")
    check.equal(site.ask("OPTIONS", "/v1/nothing", token=None).status, 404, "no such path")


PAGE = "https://ops.example"


def a_listed_origin_may_ask_and_see(t):
    site = t.site(head=_head(f'cors-origins = {{ "{PAGE}", "http://localhost:3000" }}'))
    ask = {"Origin": PAGE, "Access-Control-Request-Method": "PATCH",
           "Access-Control-Request-Headers": "authorization, idempotency-key"}
    reply = site.ask("OPTIONS", "/v1/transactions/x", token=None, headers=ask)
    check.equal(reply.status, 204, "the preflight")
    check.equal(reply.headers["access-control-allow-origin"], PAGE, "the origin")
    check.holds(reply.headers["access-control-allow-methods"], "PATCH")
    check.holds(reply.headers["access-control-allow-headers"], "Authorization", "Idempotency-Key")
    check.equal(reply.headers["access-control-max-age"], "600", "how long it holds")
    check.holds(reply.headers["vary"], "Origin")
    for status, token in ((200, ADMIN), (401, None)):
        reply = site.ask("GET", "/v1/flows", token=token, headers={"Origin": PAGE})
        check.equal(reply.status, status, "the request itself")
        check.equal(reply.headers["access-control-allow-origin"], PAGE, "the origin")
        check.holds(reply.headers["access-control-expose-headers"], "ETag", "RateLimit", "Link")
        check.true("access-control-allow-credentials" not in reply.headers, "never credentials")
        check.holds(reply.headers["vary"], "Origin")


def another_origin_is_told_nothing(t):
    site = t.site(head=_head(f'cors-origins = {{ "{PAGE}" }}'))
    for origin in ("https://evil.example", PAGE + ".evil.example", PAGE + ":444", "null",
                   PAGE.upper(), "http://ops.example"):
        reply = site.ask("OPTIONS", "/v1/flows", token=None,
                         headers={"Origin": origin, "Access-Control-Request-Method": "GET"})
        check.true(not any(k.startswith("access-control") for k in reply.headers), origin)
        check.holds(reply.headers["vary"], "Origin")
    check.holds(site.ask("GET", "/v1/flows").headers["vary"], "Origin")


def without_origins_in_the_config_there_is_no_cors(t):
    reply = t.site().ask("GET", "/v1/flows", headers={"Origin": PAGE})
    check.true(not any(k.startswith("access-control") for k in reply.headers), "nothing")
    check.true("vary" not in reply.headers, "and nothing varies")


def a_star_lets_any_page_ask(t):
    site = t.site(head=_head('cors-origins = { "*" }'))
    reply = site.ask("GET", "/v1/flows", headers={"Origin": "https://any.example"})
    check.equal(reply.headers["access-control-allow-origin"], "*", "the star")
    check.true("access-control-allow-credentials" not in reply.headers, "and no credentials")


# ---- traces ----

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
THEIRS = f"00-{TRACE}-00f067aa0ba902b7-01"
SHAPE = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$")


def a_trace_goes_on_through_answer_event_and_delivery(t):
    hook = t.receiver()
    site = t.site()
    site.subscribe(hook.url + "/h")
    reply = site.ask("POST", "/v1/transactions", {"flow": "payment", "ref": "p1"},
                     headers={"traceparent": THEIRS})
    ours = reply.headers["traceparent"]
    check.true(SHAPE.match(ours), f"a traceparent, not {ours}")
    check.true(ours.startswith(f"00-{TRACE}-") and ours.endswith("-01"), f"their trace: {ours}")
    check.true("00f067aa0ba902b7" not in ours, "our span")
    event = site.events()[-1]
    check.equal(event["trace"], ours, "the event's")
    site.settle()
    check.equal(hook.on("/h")[0].headers["traceparent"], ours, "the delivery's")


def a_new_trace_begins_where_there_is_none(t):
    site = t.site()
    seen = set()
    for theirs in (None, "00-xyz", THEIRS.upper(), THEIRS + "-x"):
        reply = site.ask("GET", "/healthz", token=None,
                         headers={"traceparent": theirs} if theirs else None)
        ours = reply.headers["traceparent"]
        check.true(SHAPE.match(ours), f"a traceparent, not {ours}")
        check.true(TRACE not in ours, "not theirs")
        seen.add(ours.split("-")[1])
    check.equal(len(seen), 4, "a trace each")


def a_problem_that_is_logged_has_its_trace(t):
    site = t.site(level="debug")
    site.ask("GET", "/v1/transactions/nothing", headers={"traceparent": THEIRS})
    until(lambda: [one for one in site.logged("answered") if TRACE in one.get("trace", "")],
          "a line of the log with the trace")


# ---- limits ----

def _type(reply):
    return (reply.status, reply.json["type"].rsplit(":", 1)[1])


def every_limit_of_a_request_has_its_problem(t):
    site = t.site(head=_head("max-body = 512KB"))
    long = "x" * (300 * 1024)
    check.equal(_type(site.ask("POST", "/v1/transactions", {"flow": "payment", "ref": long})),
                (413, "too-large"), "a body over 256 KB")
    check.equal(_type(site.ask("GET", "/v1/transactions?ref=" + "x" * 6100)),
                (414, "uri-too-long"), "a target over 6000 bytes")
    check.equal(_type(site.ask("GET", "/v1/flows", headers={"X-Long": "x" * 11000})),
                (431, "headers-too-large"), "headers over 10000 bytes")
    check.equal(_type(site.ask("GET", "/v1/transactions?" + "&".join(["ref=x"] * 65))),
                (400, "malformed"), "65 parameters")
    check.equal(_type(site.ask("GET", "/v1/transactions?limit=1001")), (400, "invalid"),
                "a page of 1001")
    check.equal(_type(site.ask("POST", "/v1/transactions", {"flow": "payment", "ref": "x" * 257})),
                (400, "invalid"), "a ref of 257")
    check.equal(_type(site.ask("POST", "/v1/transactions", {"flow": "payment", "ref": "x"},
                               headers={"Idempotency-Key": "k" * 256})),
                (400, "invalid"), "a key of 256")
    check.equal(_type(site.ask("POST", "/v1/transactions", raw=b"flow=payment",
                               headers={"Content-Type": "application/x-www-form-urlencoded"})),
                (415, "unsupported-media-type"), "a form")
    check.equal(_type(site.ask("BREW" * 5, "/v1/flows")), (501, "unknown-method"),
                "a method of 20 letters")
    check.equal(_type(site.ask("PUT", "/v1/flows")), (405, "method-not-allowed"), "PUT")


def a_body_over_the_site_s_limit_is_refused_before_it_is_sent(t):
    site = t.site(head=_head("max-body = 1MB"))
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as s:
        s.sendall(b"POST /v1/transactions:batch HTTP/1.1\r\nHost: x\r\n"
                  b"Content-Length: 2000000\r\n\r\n")
        answer = s.recv(65536)
    check.true(answer.startswith(b"HTTP/1.1 413 "), f"413 at once, not {answer[:80]!r}")
    check.true(b"urn:txwatch:problem:too-large" in answer, "its problem")


# ---- races ----

def _all_at_once(n, run):
    """run(i) on n threads that begin together; what each returned."""
    gate, out = threading.Barrier(n), [None] * n

    def one(i):
        gate.wait()
        out[i] = run(i)
    threads = [threading.Thread(target=one, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return out


def fifty_twins_under_one_key_make_one_object(t):
    site = t.site()

    def one(_):
        while True:
            reply = site.ask("POST", "/v1/transactions", {"flow": "payment", "ref": "twin"},
                             headers={"Idempotency-Key": "k-1"})
            if reply.status != 409:
                return reply
            check.equal(_type(reply), (409, "in-flight"), "a twin under way")
            check.equal(reply.headers["retry-after"], "1", "when to come again")
    replies = _all_at_once(50, one)
    check.equal({r.status for r in replies}, {201}, "every answer is the first one's")
    check.equal(len({r.body for r in replies}), 1, "word for word")
    check.equal(sum("idempotency-replayed" in r.headers for r in replies), 49, "replays")
    check.equal(len(site.events(type="transaction.created")), 1, "events")
    site.kill()
    site.start()
    again = site.ask("POST", "/v1/transactions", {"flow": "payment", "ref": "twin"},
                     headers={"Idempotency-Key": "k-1"})
    check.equal((again.status, again.body), (201, replies[0].body), "after a kill")
    other = site.ask("POST", "/v1/transactions", {"flow": "payment", "ref": "other"},
                     headers={"Idempotency-Key": "k-1"})
    check.equal(_type(other), (422, "key-reused"), "another body")


def a_stored_answer_is_kept_for_a_day(t):
    site = t.site()
    ask = {"body": {"flow": "payment", "ref": "p1"}, "headers": {"Idempotency-Key": "k-1"}}
    site.ask("POST", "/v1/transactions", **ask)
    site.advance("23h59m")
    check.equal(site.ask("POST", "/v1/transactions", **ask).status, 201, "within a day")
    site.advance("2m")
    reply = site.ask("POST", "/v1/transactions", **ask)
    check.equal(reply.status, 200, "after it the request is done again: it exists")
    check.true("idempotency-replayed" not in reply.headers, "no replay")


def of_many_with_one_if_match_one_wins(t):
    site = t.site()
    tx = site.create("p1")

    def one(i):
        return site.ask("PATCH", f"/v1/transactions/{tx['id']}", {"owner": f"o-{i}"},
                        headers={"If-Match": '"1"'}).status
    statuses = _all_at_once(32, one)
    check.equal(sorted(statuses), [200] + [412] * 31, "one 200, the rest 412")
    check.equal(site.tx("p1")["version"], 2, "one change")
