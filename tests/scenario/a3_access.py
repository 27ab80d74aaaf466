"""Who may do what: tokens, scopes, tenants; and what people are shown."""

import hashlib

from txwlib import check
from txwlib.site import ADMIN, HEAD, STORE, command

READER, WRITER, GONE, SPARE = ("rea_" + "r" * 32, "wri_" + "w" * 32, "gon_" + "g" * 32,
                               "has_" + "h" * 32)
TOKENS = f"""
token reader {{ value = "env:T_READER" scopes = {{ "read" }} }}
token writer {{ value = "env:T_WRITER" scopes = {{ "read", "write" }} }}
token gone {{ value = "env:T_GONE" scopes = {{ "admin" }} expires = "2025-06-01T00:00:00Z" }}
token hashed {{ hash = "sha256:{hashlib.sha256(SPARE.encode()).hexdigest()}" scopes = {{ "read" }} }}
token other {{ value = "env:T_OTHER" scopes = {{ "read", "write", "admin" }} tenant = "other" }}
"""
OTHER = "oth_" + "o" * 32
ENV = {"T_READER": READER, "T_WRITER": WRITER, "T_GONE": GONE, "T_OTHER": OTHER}


def _site(t):
    return t.site(TOKENS, env=ENV)


def without_a_token_there_is_401_and_no_data(t):
    site = _site(t)
    for token in (None, "wrong", ADMIN + "x", ADMIN[:-1], "sha256:" + "0" * 64):
        reply = site.ask("GET", "/v1/transactions", token=token)
        check.equal(reply.status, 401, repr(token))
        check.holds(reply.headers["www-authenticate"], "Bearer")
        check.holds(reply.headers["content-type"], "application/problem+json")
    reply = site.ask("GET", "/v1/transactions", token=None,
                     headers={"Authorization": "Basic " + ADMIN})
    check.equal(reply.status, 401, "another scheme")


def an_expired_token_is_401(t):
    check.equal(_site(t).ask("GET", "/v1/transactions", token=GONE).status, 401, "expired")


def a_token_given_as_a_hash_works(t):
    check.equal(_site(t).ask("GET", "/v1/transactions", token=SPARE).status, 200, "hashed")


def a_scope_that_is_missing_is_403(t):
    site = _site(t)
    tx = site.create("p1")
    check.equal(site.ask("GET", "/v1/transactions", token=READER).status, 200, "may read")
    for path, body in (("/v1/transactions", {"flow": "payment", "ref": "x"}),
                       (f"/v1/transactions/{tx['id']}/status", {"status": "settled"})):
        reply = site.ask("POST", path, body, token=READER)
        check.equal(reply.status, 403, path)
        check.holds(reply.body.decode(), "write")
        check.true(site.ask("POST", path, body, token=WRITER).status in (200, 201), "may write")


def tenants_never_see_each_other(t):
    site = _site(t)
    mine = site.create("p1")
    check.equal(site.ask("GET", "/v1/transactions", token=OTHER).json["data"], [], "list")
    check.equal(site.ask("GET", "/v1/events?after=0", token=OTHER).json["data"], [], "events")
    for path in ("/v1/transactions/" + mine["id"], "/v1/transactions/by-ref/payment/p1"):
        check.equal(site.ask("GET", path, token=OTHER).status, 404, path)
    reply = site.ask("POST", f"/v1/transactions/{mine['id']}/status", {"status": "settled"},
                     token=OTHER)
    check.equal(reply.status, 404, "a move by another tenant")
    theirs = site.post("/v1/transactions", {"flow": "payment", "ref": "p1"}, expect=201,
                       token=OTHER)
    check.true(theirs["id"] != mine["id"], "another object of the same ref")
    check.equal(site.tx("p1")["status"], "pending", "mine is untouched")


def a_subscription_hears_its_own_tenant_only(t):
    receiver = t.receiver()
    site = _site(t)
    site.subscribe(receiver.url + "/mine")
    site.post("/v1/transactions", {"flow": "payment", "ref": "theirs"}, token=OTHER)
    site.create("mine")
    site.settle()
    check.equal([g.ref for g in receiver.on("/mine")], ["mine"], "refs that came")


def metrics_are_prometheus_text_and_counters_only_grow(t):
    site = _site(t)
    before = site.metrics()
    for i in range(20):
        tx = site.create(f"p{i}")
        site.status(tx, "settled")
    after = site.metrics()
    check.true(any(name.startswith("txwatch_") for name, _ in after), "txwatch_ series")
    for key, value in before.items():
        if key[0].endswith("_total"):
            check.true(after.get(key, -1) >= value, f"{key} that does not shrink")


def flows_and_plugins_are_listed(t):
    site = _site(t)
    flows = site.get("/v1/flows")["data"]
    check.equal([f["name"] for f in flows], ["payment"], "flows")
    names = str(site.get("/v1/plugins"))
    check.holds(names, "store." + STORE, "poller.http", "notifier.webhook", "exporter.prometheus")


def the_token_command_makes_a_token_that_works(t):
    done = command("token")
    check.equal(done.returncode, 0, done.stderr)
    words = done.stdout.split()
    hashed = next(w for w in words if "sha256:" in w).strip('",')
    hashed = hashed[hashed.index("sha256:"):]
    plain = next(w for w in words if hashlib.sha256(w.encode()).hexdigest() == hashed[7:])
    site = t.site(f'token made {{ hash = "{hashed}" scopes = {{ "read" }} }}\n', head=HEAD)
    check.equal(site.ask("GET", "/v1/transactions", token=plain).status, 200, "it works")


def a_request_id_is_carried_to_the_answer_and_the_log(t):
    site = t.site(level="debug")
    reply = site.ask("GET", "/v1/transactions", headers={"X-Request-Id": "my-request-1"})
    check.equal(reply.headers.get("x-request-id"), "my-request-1", "the answer's")
    from txwlib.wait import until
    until(lambda: any("my-request-1" in line for line in list(site.log)), "a log line with the id")


def a_request_id_cannot_forge_a_log_line(t):
    site = t.site(level="debug")
    import socket
    with socket.create_connection(("127.0.0.1", site.port)) as raw:
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\x1b[31m\"}\tb\r\n"
                    b"Connection: close\r\n\r\n")
        check.holds(raw.recv(100).decode("latin1"), " 200 ")
    site.stop()
    import json
    for line in site.log:
        json.loads(line)
