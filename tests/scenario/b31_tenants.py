"""Tenant A learns nothing of tenant B, by whatever route.

The routes are read from the host's own table: one that is new here is tried
with the ids of its path at once, and fails until PROBES says what else it
could tell.
"""

import base64
import json
import re
import statistics
import time
import urllib.parse

from txwlib import check
from txwlib.site import HEAD, TOP
from txwlib.wait import until

THEIRS = "the_" + "t" * 32     # tenant B's admin
MARK = "zebra"                 # is in every text of tenant B's
CONFIG = 'token theirs { value = "env:T_THEIRS" scopes = { "admin" } tenant = "stable" }\n' \
         'token mine { value = "env:T_MINE" scopes = { "admin" } tenant = "meadow" }\n'
MINE = "min_" + "m" * 32
ENV = {"T_THEIRS": THEIRS, "T_MINE": MINE}

# An id of each kind that nobody has.
NOBODY = {"tx": "tx_01h455vb4pex5vsknk084sn02q", "sub": "sub_01h455vb4pex5vsknk084sn02q",
          "dlv": "dlv_01h455vb4pex5vsknk084sn02q", "job": "job_01h455vb4pex5vsknk084sn02q",
          "tok": "tok_01h455vb4pex5vsknk084sn02q"}
# The path's second part says whose ids it takes.
KINDS = {"transactions": "tx", "subscriptions": "sub", "deliveries": "dlv", "jobs": "job",
         "tokens": "tok"}
# Bodies that a route with an id would carry out.
BODIES = {
    "PATCH /v1/transactions/{id}": {"owner": "me"},
    "POST /v1/transactions/{id}/status": {"status": "settled"},
    "PATCH /v1/subscriptions/{id}": {"description": "me"},
    "POST /v1/subscriptions/{id}/replay": {},
}


def routes():
    """[(method, path, [parameters])] of host/api/routes.c."""
    text = (TOP / "host/api/routes.c").read_text()
    words = dict(re.findall(r'#define (\w+)\s+"([^"]*)"', text))
    lists = {name: re.findall(r'\{"(\w+)",', rows) for name, rows in
             re.findall(r"struct route_query (\w+)\[\] = \{(.*?)\n\};", text, re.S)}
    table = text[text.index("const struct route ROUTES[]"):]
    found = []
    for one in re.split(r"\n    ROUTE\(", table)[1:]:
        method, word, _, rest = re.match(r'"(\w+)",\s*(\w+)?\s*("([^"]*)")?,', one).groups()
        path = (words[word] if word else "") + (rest or "")
        queries = re.search(r"(\w+)\),", one).group(1)
        found.append((method, path, lists.get(queries, [])))
    check.equal(len(found), len(re.findall(r"\n    ROUTE\(", table)), "rows that were read")
    check.true(len(found) > 30, "a table of routes")
    return found


class World:
    """Two tenants on one site; B has two of everything."""

    def __init__(self, t):
        self.receiver = t.receiver()
        self.site = site = t.site(CONFIG, env=ENV)
        self.ids = {kind: [] for kind in NOBODY}
        sub = None
        for i in (1, 2):
            sub = self._make("/v1/subscriptions", "sub",
                             {"channel": "hooks", "target": f"{self.receiver.url}/{MARK}{i}",
                              "events": ["transaction.*"], "description": MARK})
            site.secrets.append(sub["secret"])
        self._make("/v1/tokens", "tok", {"name": MARK, "scopes": ["read"]})
        self._make("/v1/tokens", "tok", {"name": MARK + "2", "scopes": ["read"]})
        for i in (1, 2):
            tx = self._make("/v1/transactions", "tx",
                            {"flow": "payment", "ref": f"{MARK}-{i}", "owner": MARK,
                             "amount": "77.77", "currency": "XTS", "attributes": {"is": MARK}})
            site.post(f"/v1/transactions/{tx['id']}/status",
                      {"status": "failed", "reason": MARK, "code": MARK}, token=THEIRS)
        for _ in (1, 2):
            self._make("/v1/transactions:bulk", "job",
                       {"filter": f'owner = "{MARK}"', "action": {"pause": {}}}, (202,))
        site.settle()
        self.ids["dlv"] = [d["id"] for d in self.theirs("/v1/deliveries")["data"]]
        check.true(len(self.receiver.on(f"/{MARK}1")) >= 4, "webhooks of B")
        # A has one of its own, so that its answers are not just empty.
        site.post("/v1/transactions", {"flow": "payment", "ref": "mine"}, token=MINE)

    def _make(self, path, kind, body, expect=(200, 201)):
        made = self.site.post(path, body, token=THEIRS, expect=expect)
        self.ids[kind].append(made["id"])
        return made

    def theirs(self, path):
        return self.site.get(path, token=THEIRS)

    def ask(self, method, path, body=None, **headers):
        """As A: the status, the headers and the body, without what every
        request has of its own."""
        given = {"X-Request-Id": "same", **headers}
        reply = self.site.ask(method, path, body, token=MINE, headers=given)
        kept = {k: v for k, v in reply.headers.items()
                if k not in ("date", "traceparent") and not k.startswith("ratelimit")}
        return reply.status, kept, reply.body

    def tells_nothing(self, came, what, given=()):
        """No word of B's, but those that were asked with."""
        text = came[2].decode() + json.dumps(came[1])
        for word in [MARK, "stable", "77.77", *(i for ids in self.ids.values() for i in ids)]:
            if word not in given and word in text:
                raise AssertionError(f"{what}: expected nothing of B\n  came     {text[:2000]}")

    def same(self, method, path, theirs, nobodys, body=None, **headers):
        """Asked with B's and with nobody's, A gets the same bytes."""
        def fill(value):
            filled = {} if body is None else json.loads(json.dumps(body).replace("@@", value))
            return self.ask(method, path.replace("@@", value), filled if body is not None
                            else None, **headers)
        hit, miss = fill(theirs), fill(nobodys)
        blank = lambda came, word: (came[0], json.dumps(came[1]).replace(word, "X"),
                                    came[2].decode().replace(word, "X"))
        check.equal(blank(hit, theirs), blank(miss, nobodys), f"{method} {path} of B and of nobody")
        self.tells_nothing(hit, f"{method} {path}", given=(theirs, MARK))
        return hit


# ---- routes without an id: what A could try ----

def _create(w, method, path):
    status, _, body = w.ask("POST", path, {"flow": "payment", "ref": f"{MARK}-1"})
    check.equal(status, 201, "a ref that B has is free for A")
    check.true(json.loads(body)["id"] not in w.ids["tx"], "another transaction")


def _batch(w, method, path):
    for op in ({"op": "status", "id": "@@", "status": "settled"},
               {"op": "update", "id": "@@", "owner": "me"}):
        w.same(method, path, w.ids["tx"][0], NOBODY["tx"], {"operations": [op]})
    for op in ({"op": "status", "flow": "payment", "ref": "@@", "status": "settled"},
               {"op": "update", "flow": "payment", "ref": "@@", "owner": "me"}):
        w.same(method, path, f"{MARK}-2", "nobody-2", {"operations": [op]})


def _same_jobs(w, path, body, theirs, nobodys):
    """Jobs over B's and over nobody's tell A the same."""
    answers = []
    for word in (theirs, nobodys):
        job = w.site.post(path, json.loads(json.dumps(body).replace("@@", word)), token=MINE,
                          expect=202)
        done = until(lambda: (lambda j: j if j["state"] not in ("queued", "running") else None)(
            w.site.get("/v1/jobs/" + job["id"], token=MINE)), "the job's end")
        check.equal(done["state"], "done", "the job's state")
        for own in ("id", "created_at", "started_at", "finished_at", "updated_at"):
            done.pop(own, None)
        answers.append(json.dumps(done).replace(word, "X"))
    check.equal(answers[0], answers[1], f"a job of {path} over B's and over nobody's")


def _bulk(w, method, path):
    _same_jobs(w, path, {"filter": 'owner = "@@"', "action": {"resume": {}}}, MARK, "nobody")


def _purge(w, method, path):
    """B has failures, A has none, and nobody has cancelled ones."""
    w.site.advance("1s")
    until_now = w.site.get("/v1/test/clock")["now"]
    _same_jobs(w, path, {"outcome": "@@", "finished_before": until_now}, "failure", "cancelled")


def _token(w, method, path):
    w.same(method, path, "stable", "nosuch", {"name": "x", "scopes": ["read"], "tenant": "@@"})


def _subscribe(w, method, path):
    status, _, _ = w.ask(method, path, {"channel": "hooks", "events": ["transaction.*"],
                                        "target": w.receiver.url + "/mine"})
    check.equal(status, 201, "a subscription of A")
    w.site.post(f"/v1/transactions/{w.ids['tx'][0]}/status", {"status": "failed"}, token=THEIRS)
    w.site.post("/v1/transactions", {"flow": "payment", "ref": f"{MARK}-3"}, token=THEIRS)
    w.site.settle()
    check.equal(w.receiver.on("/mine"), [], "what A's target hears of B")


def _import(w, method, path):
    row = json.dumps({"flow": "payment", "ref": "@@", "status": "settled"})
    answers = []
    for ref in (f"{MARK}-2", "nobody-2"):
        came = w.site.ask(method, path, raw=(row.replace("@@", ref) + "\n").encode(), token=MINE,
                          headers={"Content-Type": "application/x-ndjson"})
        answers.append(re.sub(r"tx_\w{26}", "ID", came.body.decode()).replace(ref, "X"))
    check.equal(answers[0], answers[1], "rows that B has and that nobody has")


def _is_of_the_site(w, method, path):
    """Its answer is the same for all, and refused to A where it acts."""


def _refused(w, method, path):
    check.equal(w.ask(method, path)[0], 403, f"{method} {path} for an admin who is no operator")


PROBES = {
    "POST /v1/transactions": _create,
    "POST /v1/transactions:batch": _batch,
    "POST /v1/transactions:bulk": _bulk,
    "POST /v1/transactions:import": _import,
    "POST /v1/transactions:purge": _purge,
    "POST /v1/tokens": _token,
    "POST /v1/subscriptions": _subscribe,
    "POST /v1/reload": _refused,
    "POST /v1/test/clock": _is_of_the_site,
}

# What parameters of lists are tried with: B's, and nobody's.
VALUES = {
    "owner": (MARK, "nobody"),
    "ref": (f"{MARK}-1", "nobody-1"),
    "filter": (f'owner = "{MARK}"', 'owner = "nobody"'),
    "q": (MARK, "nobody"),
    "object": ("sub", "sub"),
    "actor": ("token:theirs", "token:nobody"),
    "action": ("token.create", "token.nobody"),
    "tenant": ("stable", "nosuch"),
    "subscription": ("sub", "sub"),
    "transaction": ("tx", "tx"),
    "target": ("sub", "sub"),
}
# Parameters that choose among A's own, or how they are shown.
PLAIN = {"flow", "status", "outcome", "order", "order_by", "limit", "cursor", "at", "dry_run",
         "after", "wait", "state", "from", "to", "count", "facets", "fields", "expand", "format", "content", "gaps"}


def _try_id(w, method, path):
    """A route whose path names something."""
    what = f"{method} {path}"
    if path.endswith("/by-ref/{flow}/{ref}"):
        at = path.replace("{flow}", "payment").replace("{ref}", "@@")
        came = w.same(method, at, f"{MARK}-1", "nobody-1")
    else:
        kind = KINDS.get(path.split("/")[2])
        check.true(kind and path.count("{") == 1, f"an entry of KINDS for the ids of {what}")
        body = BODIES.get(what, {} if method == "PATCH" else None)
        for number in (0, 1):
            came = w.same(method, path.replace("{id}", "@@"), w.ids[kind][number], NOBODY[kind],
                          body)
        for header in ({"If_Match": '"1"'}, {"If_None_Match": '"1"'}, {"Idempotency_Key": "k"}):
            header = {k.replace("_", "-"): v for k, v in header.items()}
            again = w.same(method, path.replace("{id}", "@@"), w.ids[kind][0], NOBODY[kind], body,
                           **header)
            check.equal(again[0], came[0], f"{what} with {header}")
    check.equal(came[0], 404, f"{what} for what is B's")


def _try_list(w, method, path, queries):
    """A route that shows what A has."""
    w.tells_nothing(w.ask(method, path), path)
    for name in queries:
        if name in PLAIN:
            continue
        check.true(name in VALUES, f"an entry of VALUES or PLAIN for {name} of {path}")
        theirs, nobodys = VALUES[name]
        if theirs in w.ids:
            theirs, nobodys = w.ids[theirs][0], NOBODY[nobodys]
        quote = lambda v: urllib.parse.quote(v, safe="")
        hit, miss = (w.ask(method, f"{path}?{name}={quote(v)}") for v in (theirs, nobodys))
        blank = lambda came, v: came[2].decode().replace(v, "X")
        check.equal((hit[0], blank(hit, theirs)), (miss[0], blank(miss, nobodys)),
                    f"{path}?{name}= of B and of nobody")
    if "cursor" in queries and path != "/v1/events":
        _try_cursor(w, path)


def _try_cursor(w, path):
    page = w.theirs(path + "?limit=1")
    check.true(page["next"], f"two rows of B at {path}")
    at = path + "?limit=1&cursor="
    came, junk = (w.ask("GET", at + urllib.parse.quote(c, safe=""))
                  for c in (page["next"], base64.urlsafe_b64encode(b"x" * 24).decode()))
    check.equal((came[0], came[2]), (400, junk[2]), f"B's cursor at {path}, and junk")
    check.holds(came[2].decode(), "bad-cursor")


def every_route_tells_tenant_a_nothing_of_tenant_b(t):
    w = World(t)
    rest = []
    for method, path, queries in routes():
        if "{" in path:
            _try_id(w, method, path)
        elif method == "GET":
            _try_list(w, method, path, queries)
        else:
            rest.append((method, path))
    # These leave A things of its own with B's words in them.
    check.equal([f"{m} {p}" for m, p in rest if f"{m} {p}" not in PROBES], [],
                "routes that PROBES says nothing of")
    for method, path in rest:
        PROBES[f"{method} {path}"](w, method, path)
    # And B's are as they were.
    for i in (1, 2):
        tx = w.theirs(f"/v1/transactions/by-ref/payment/{MARK}-{i}")
        check.equal((tx["owner"], tx["status"]), (MARK, "failed"), "a transaction of B")
    for sub in w.ids["sub"]:
        check.equal(w.theirs("/v1/subscriptions/" + sub)["description"], MARK, "a subscription")


def metrics_name_no_tenant(t):
    w = World(t)
    for token in (None, MINE):
        reply = w.site.ask("GET", "/metrics", token=token)
        check.equal(reply.status, 200, "open")
        w.tells_nothing((200, {}, reply.body), "/metrics")


def metrics_can_be_kept_for_the_site(t):
    site = t.site(CONFIG + 'token scraper { value = "env:T_SCRAPER" scopes = { "read" } }\n',
                  head=_head("metrics = site"), env={**ENV, "T_SCRAPER": "scr_" + "s" * 32})
    site.secrets.append("scr_" + "s" * 32)
    check.equal(site.ask("GET", "/metrics", token=None).status, 401, "without a token")
    check.equal(site.ask("GET", "/metrics", token=MINE).status, 403, "another tenant's admin")
    check.equal(site.ask("GET", "/metrics", token="scr_" + "s" * 32).status, 200, "a reader")
    check.equal(site.ask("POST", "/metrics", token=None).status, 401, "before the method")
    check.equal(site.ask("GET", "/healthz", token=None).status, 200, "alive stays open")


def _head(row):
    return HEAD.replace('listen = "127.0.0.1:0"', 'listen = "127.0.0.1:0" ' + row)


def a_refusal_takes_as_long_for_bs_as_for_nobodys(t):
    w = World(t)
    def took(path):
        begin = time.perf_counter()
        w.ask("GET", path)
        return time.perf_counter() - begin
    def ratio(kind, path):
        hit, miss = [], []
        for _ in range(300):
            hit.append(took(f"{path}/{w.ids[kind][0]}"))
            miss.append(took(f"{path}/{NOBODY[kind]}"))
        return statistics.median(hit) / statistics.median(miss)
    for kind, path in (("tx", "/v1/transactions"), ("sub", "/v1/subscriptions"),
                       ("tok", "/v1/tokens")):
        # A busy machine is given three tries; a real difference stays.
        ratios = []
        while len(ratios) < 3 and not (ratios and 0.8 < ratios[-1] < 1.25):
            ratios.append(ratio(kind, path))
        check.true(0.8 < ratios[-1] < 1.25, f"the same time at {path}, not {ratios} times")
