"""Every limit of docs/api.md is kept, and says by its problem what it is."""

import json
import select
import socket
import threading

from txwlib import check
from txwlib.site import ADMIN, HEAD
from txwlib.wait import until


def _is(reply, status, kind, what, *said):
    check.equal((reply.status, reply.json["type"].rsplit(":", 1)[1]), (status, kind), what)
    check.holds(reply.json["detail"], *said)


def _nested(depth):
    return json.loads("[" * depth + "]" * depth)


def texts_have_their_lengths_and_one_more_is_too_long(t):
    site = t.site()
    tx = site.create("fits")
    make = {"flow": "payment", "ref": "x"}
    state = f"/v1/transactions/{tx['id']}/status"
    for path, body, member, most in (
            ("/v1/transactions", make, "ref", 256),
            ("/v1/transactions", make, "owner", 256),
            ("/v1/transactions", make, "flow", 128),
            ("/v1/transactions", make, "code", 128),
            ("/v1/transactions", make, "reason", 1000),
            (state, {"status": "pending"}, "status", 128),
            (state, {"status": "pending"}, "source_event_id", 256),
            (state, {"status": "pending"}, "source_version", 128)):
        for text in ("x" * most, "é" * most):  # characters, not bytes
            reply = site.ask("POST", path, {**body, member: text})
            check.true(reply.status != 400 or "longer" not in reply.body.decode(),
                       f"{member} of {most} characters to fit: {reply!r}")
        reply = site.ask("POST", path, {**body, member: "x" * (most + 1)})
        _is(reply, 400, "invalid", f"{member} of {most + 1}", member, str(most))
        check.equal(reply.json["member"], member, "the member that is wrong")


def json_of_one_s_own_has_its_size_and_depth(t):
    site = t.site()
    tx = site.create("p1")
    state = f"/v1/transactions/{tx['id']}/status"
    big = {"text": "x" * (64 * 1024)}
    _is(site.ask("POST", "/v1/transactions", {"flow": "payment", "ref": "x", "attributes": big}),
        400, "invalid", "attributes over 64 KB", "attributes", "64 KB")
    _is(site.ask("POST", state, {"status": "settled", "detail": big}),
        400, "invalid", "detail over 64 KB", "detail", "64 KB")
    _is(site.ask("POST", state, {"status": "settled", "detail": _nested(33)}),
        400, "invalid", "33 levels", "detail", "32")
    site.status(tx, "authorized", detail=_nested(32))


def a_batch_has_its_number_of_operations(t):
    site = t.site()
    ops = [{"op": "create", "flow": "payment", "ref": f"p{i}"} for i in range(10001)]
    _is(site.ask("POST", "/v1/transactions:batch", {"operations": ops}),
        400, "invalid", "10 001 operations", "10000")
    check.equal(site.get("/v1/transactions")["data"], [], "none of it was done")
    _is(site.ask("POST", "/v1/transactions:batch", {"operations": []}),
        400, "invalid", "no operation", "1 to 10000")


def questions_have_theirs(t):
    site = t.site()
    for path, kind, said in (
            ("/v1/transactions?limit=0", "invalid", "1000"),
            ("/v1/transactions?limit=1001", "invalid", "1000"),
            ("/v1/events?limit=1001", "invalid", "1000"),
            ("/v1/events?wait=61s", "invalid", "60s"),
            ("/v1/transactions?filter=flow%3D" + "x" * 4100, "bad-filter", "4096"),
            ("/v1/transactions?limit=5&limit=5", "invalid", "more than once")):
        _is(site.ask("GET", path), 400, kind, path[:40], said)


def long_polls_have_their_number(t):
    site = t.site(head=HEAD.replace('"127.0.0.1:0"', '"127.0.0.1:0" max-connections = 1000'))
    ask = (f"GET /v1/events?wait=60s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN}\r\n"
           "\r\n").encode()
    polls, answers = [], []

    def poll():
        one = socket.create_connection(("127.0.0.1", site.port), timeout=20)
        one.sendall(ask)
        polls.append(one)

    def told():
        """What came meanwhile: only the refused are answered."""
        for one in select.select(polls, [], [], 0)[0]:
            answers.append(one.recv(65536))
            polls.remove(one)
        return len(answers) == 3
    try:
        for _ in range(515):
            poll()
        until(told, "three of 515 to be refused", 20)
        for answer in answers:
            check.true(answer.startswith(b"HTTP/1.1 503 "), f"503, not {answer[:60]!r}")
            check.true(b"urn:txwatch:problem:busy" in answer and b"Retry-After: 1" in answer
                       and b"512" in answer, "its problem and when to come again")
        check.equal(site.ask("GET", "/v1/events").status, 200, "one that does not wait")
        site.advance("61s")
        for one in polls:
            check.true(one.recv(65536).startswith(b"HTTP/1.1 200 "), "the rest, when time is up")
    finally:
        for one in polls:
            one.close()


def bodies_in_memory_have_their_sum(t):
    # 8 of the largest, and at least 64 MB: 8 x 9 MB here.
    site = t.site(head=HEAD.replace('"127.0.0.1:0"', '"127.0.0.1:0" max-body = 9MB'))
    head = (f"POST /v1/transactions:batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {9 << 20}\r\n\r\n").encode()
    part = b" " * ((9 << 20) - 1000)
    held = []

    def hold():
        s = socket.create_connection(("127.0.0.1", site.port), timeout=60)
        s.sendall(head + part)
        held.append(s)
    senders = [threading.Thread(target=hold) for _ in range(8)]
    for one in senders:
        one.start()
    for one in senders:
        one.join(60)
    try:
        def refused():
            with socket.create_connection(("127.0.0.1", site.port), timeout=20) as s:
                s.sendall(head)
                s.settimeout(0.2)
                try:
                    return s.recv(65536)
                except TimeoutError:
                    return b""
        answer = until(refused, "the ninth to be refused", 20)
        check.true(answer.startswith(b"HTTP/1.1 503 "), f"503, not {answer[:60]!r}")
        check.true(b"urn:txwatch:problem:busy" in answer and b"Retry-After: 1" in answer,
                   "its problem and when to come again")
        check.equal(site.ask("GET", "/v1/flows").status, 200, "what has no body goes on")
    finally:
        for s in held:
            s.close()
    until(lambda: site.ask("POST", "/v1/transactions", {"flow": "payment", "ref": "x"}).status
          in (200, 201), "bodies to be taken again", 20)
