"""What strangers and slips may not do: bodies without a token, two lengths,
other charsets, empty keys, tokens that end midway."""

import json
import socket

from b33_jwt import World, jwt
from b9_import import NDJSON, Upload, imported, results, rows
from txwlib import check
from txwlib.site import ADMIN, HEAD
from txwlib.wait import until

READER = "rdr_0123456789abcdefghijklmnopqrstuvwxyz"


def _raw(site, head, body=b"", token=ADMIN):
    """One request as it stands; what came until the answer's end or silence."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as s:
        who = f"Authorization: Bearer {token}\r\n" if token else ""
        s.sendall(f"{head}\r\nHost: x\r\n{who}Connection: close\r\n".encode() + body)
        out = b""
        while piece := s.recv(65536):
            out += piece
    return out


def a_body_of_two_lengths_is_refused(t):
    site = t.site()
    body = b'{"flow":"payment","ref":"x"}'
    for framing in (b"Content-Length: 28\r\nContent-Length: 28\r\n",
                    b"Content-Length: 28\r\nContent-Length: 2\r\n",
                    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                    b"Content-Length: 28\r\nTransfer-Encoding: chunked\r\n"):
        answer = _raw(site, "POST /v1/transactions HTTP/1.1",
                      b"Content-Type: application/json\r\n" + framing + b"\r\n" + body)
        check.true(answer.startswith(b"HTTP/1.1 400 "), f"{framing}: {answer[:60]}")
        check.holds(answer.decode(), "urn:txwatch:problem:malformed")
    check.equal(site.get("/v1/transactions")["data"], [], "nothing was made")


def another_charset_is_415(t):
    site = t.site()
    for kind in ("application/json; charset=utf-16", 'application/json;charset="latin1"'):
        reply = site.ask("POST", "/v1/transactions", {"flow": "payment", "ref": "x"},
                         headers={"Content-Type": kind})
        check.equal(reply.status, 415, kind)
    reply = site.ask("POST", "/v1/transactions:import", raw=b"flow,ref\npayment,x\n",
                     headers={"Content-Type": "text/csv; charset=iso-8859-1"})
    check.equal(reply.status, 415, "an import")
    site.post("/v1/transactions", {"flow": "payment", "ref": "x"},
              headers={"Content-Type": 'application/json; charset="UTF-8"'})


def an_empty_idempotency_key_is_refused_not_passed_over(t):
    site = t.site()
    reply = site.ask("POST", "/v1/transactions", {"flow": "payment", "ref": "x"},
                     headers={"Idempotency-Key": ""})
    check.equal((reply.status, reply.json["type"]), (400, "urn:txwatch:problem:invalid"), reply)
    check.equal(site.get("/v1/transactions")["data"], [], "nothing was made")


def strangers_cannot_take_the_memory_of_bodies(t):
    site = t.site('token reader { value = "env:T_READER" scopes = { "read" } }\n',
                  head=HEAD.replace('listen = "127.0.0.1:0"',
                                    'listen = "127.0.0.1:0" max-body = 16MB'),
                  env={"T_READER": READER})
    begun, before = [], site.rss()
    try:
        # As much as all bodies may have, of strangers and of one who may not write.
        for token in [None, "guess", READER] * 4:
            s = socket.create_connection(("127.0.0.1", site.port), timeout=20)
            begun.append(s)
            who = f"Authorization: Bearer {token}\r\n" if token else ""
            s.sendall(f"POST /v1/transactions:batch HTTP/1.1\r\nHost: x\r\n{who}"
                      "Content-Type: application/json\r\nContent-Length: 16000000\r\n\r\n"
                      .encode())
            s.sendall(b" " * 15999999)
        made = {"operations": [{"op": "create", "flow": "payment", "ref": "r" * 200}] * 100}
        site.post("/v1/transactions:batch", made, expect=200)
        check.true(site.rss() - before < 64 << 20, f"{site.rss() - before} bytes more")
        for i, s in enumerate(begun):
            s.sendall(b" ")
            check.holds(s.recv(4096).decode(), "HTTP/1.1 403 " if i % 3 == 2 else "HTTP/1.1 401 ")
    finally:
        for s in begun:
            s.close()


def an_import_ends_with_its_token(t):
    site = t.site()
    made = site.post("/v1/tokens", {"name": "loader", "scopes": ["write"], "expires_in": "1h"})
    for how in ("ended", "expired"):
        up = Upload(site)
        if how == "ended":
            up.http.close()
            up = Upload.__new__(Upload)
            _open(up, site, made["token"])
            up.send(rows(500))
            until(lambda: site.events(ref="p499"), "the first rows")
            check.equal(site.ask("DELETE", "/v1/tokens/" + made["id"]).status, 204, "ended")
        else:
            up.http.close()
            made = site.post("/v1/tokens", {"name": "b", "scopes": ["write"], "expires_in": "1h"})
            up = Upload.__new__(Upload)
            _open(up, site, made["token"])
            up.send(rows(500, first=2000))
            until(lambda: site.events(ref="p2499"), "the first rows")
            site.advance("2h")
        up.send(rows(500, first=1000))
        up.send(b"")
        answer = up.http.getresponse()
        last = json.loads(answer.read().splitlines()[-1])
        check.equal(last["summary"]["complete"], False, how)
        check.equal(last["error"]["type"], "urn:txwatch:problem:unauthenticated", how)
        check.equal(site.events(ref="p1000"), [], "what came after its end")


def _open(up, site, token):
    import http.client
    up.http = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    up.http.putrequest("POST", "/v1/transactions:import")
    up.http.putheader("Authorization", "Bearer " + token)
    up.http.putheader("Content-Type", NDJSON)
    up.http.putheader("Transfer-Encoding", "chunked")
    up.http.endheaders()


def a_signed_token_s_import_is_its_subject_s_with_its_trace(t):
    w = World(t)
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    reply = w.ask(jwt(w.claims()), "POST", "/v1/transactions:import", raw=rows(1),
                  headers={"Content-Type": NDJSON,
                           "traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    check.equal(reply.status, 200, reply)
    event = w.site.events(ref="p0")[0]
    check.equal(event["actor"], "jwt:alice", "who did it")
    check.holds(event["trace"], trace)


def what_had_its_time_can_be_imported(t):
    site = t.site()
    done, _ = imported(site, json.dumps({"flow": "payment", "ref": "old", "status": "settled",
                                         "expires_at": "2001-01-01T00:00:00Z"}))
    check.equal(results(done), [(1, "created")], "a finished one")
    reply = site.ask("POST", "/v1/transactions", {"flow": "payment", "ref": "x",
                                                  "expires_at": "2001-01-01T00:00:00Z"})
    check.equal(reply.status, 400, "by itself it is a slip")


def files_of_plugins_are_for_operators(t):
    site = t.site('token reader { value = "env:T_READER" scopes = { "read" } }\n'
                  'token other { value = "env:T_OTHER" scopes = { "admin" } tenant = "other" }\n',
                  env={"T_READER": READER, "T_OTHER": "o" * 40})
    check.holds(site.get("/v1/plugins")["data"][0]["path"], ".so")
    for token in (READER, "o" * 40):
        for one in site.get("/v1/plugins", token=token)["data"]:
            check.true("path" not in one and "reason" not in one, f"no file in {one}")


def a_long_poll_ends_with_its_token(t):
    site = t.site()
    made = site.post("/v1/tokens", {"name": "tail", "scopes": ["read"]})
    last = site.get("/v1/events")["last_seq"]
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as s:
        s.sendall(f"GET /v1/events?after={last}&wait=60s HTTP/1.1\r\nHost: x\r\n"
                  f"Authorization: Bearer {made['token']}\r\n\r\n".encode())
        site.settle()
        check.equal(site.ask("DELETE", "/v1/tokens/" + made["id"]).status, 204, "ended")
        site.create("secret")
        answer = s.recv(65536).decode()
    check.holds(answer, "HTTP/1.1 401 ")
    check.true("secret" not in answer, "nothing of what came after its end")


def a_subscription_is_changed_only_in_the_version_one_knows(t):
    site = t.site()
    sub = site.subscribe("http://127.0.0.1:1/")
    path = "/v1/subscriptions/" + sub["id"]

    def change(tag, method="PATCH"):
        return site.ask(method, path, {"description": tag} if method == "PATCH" else None,
                        headers={"If-Match": tag})
    done = change('"1"')
    check.equal((done.status, done.headers["etag"]), (200, '"2"'), "the one there is")
    for tag in ('"1"', '"3"', "2", 'W/"2"'):
        late = change(tag)
        check.equal((late.status, late.json["type"]),
                    (412, "urn:txwatch:problem:precondition-failed"), tag)
    check.equal(site.get(path)["description"], '"1"', "nobody's word was lost")
    check.equal(change('"1"', "DELETE").status, 412, "an old one is not ended")
    check.equal(change("*").status, 200, "any")
    check.equal(change('"3"', "DELETE").status, 204, "ended")


def whoever_drips_is_closed_and_a_long_upload_is_not(t):
    site = t.site(head=HEAD.replace('listen = "127.0.0.1:0"',
                                    'listen = "127.0.0.1:0" idle-timeout = 1s'))
    up = Upload(site)
    drips = [b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ",
             b"G",
             b"POST /v1/transactions HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n",
             b"POST /v1/transactions:batch HTTP/1.1\r\nHost: x\r\n"
             b"Content-Length: 90000\r\n\r\n"]
    socks = [socket.create_connection(("127.0.0.1", site.port), timeout=0.1) for _ in drips]
    for s, first in zip(socks, drips):
        s.sendall(first)

    def all_closed():
        up.send(b"\n")  # of an import: it takes its time
        open_ones = 0
        for s in socks:
            try:
                s.sendall(b"E")
                open_ones += s.recv(1000) != b""
            except TimeoutError:
                open_ones += 1
            except OSError:
                pass  # closed
        return open_ones == 0
    until(all_closed, "every dripping connection to be closed", 20)
    until(lambda: site.logged("a connection without a whole request is closed"), "it to be told")
    up.send(rows(1))
    up.send(b"")
    check.equal(up.http.getresponse().status, 200, "the upload went on")
    check.equal(site.get("/healthz")["status"], "ok", "and the site")
