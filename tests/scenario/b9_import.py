"""Import and export: streams of rows, in and out."""

import csv
import gzip
import http.client
import io
import json
import socket
import threading

from txwlib import check
from txwlib.site import ADMIN, BUILD, HEAD
from txwlib.wait import until

TENANTS = """
token other { value = "env:TXW_TEST_OTHER" scopes = { "write" } tenant = "other" }
token reader { value = "env:TXW_TEST_READER" scopes = { "read" } }
"""
OTHER = "oth_0123456789abcdefghijklmnopqrstuvwxyz"
READER = "rdr_0123456789abcdefghijklmnopqrstuvwxyz"
ENV = {"TXW_TEST_OTHER": OTHER, "TXW_TEST_READER": READER}
NDJSON = "application/x-ndjson"
IMPORT = "/v1/transactions:import"
EXPORT = "/v1/transactions:export"


def imported(site, raw, kind=NDJSON, **options):
    """The result lines and the summary of an import."""
    raw = raw.encode() if isinstance(raw, str) else raw
    reply = site.ask("POST", IMPORT, raw=raw, headers={"Content-Type": kind}, **options)
    check.equal(reply.status, 200, reply)
    check.equal(reply.headers["content-type"], NDJSON, "type")
    lines = [json.loads(line) for line in reply.body.splitlines()]
    return lines[:-1], lines[-1]["summary"]


def results(lines):
    return [(one["line"], one["result"]) for one in lines]


def rows(n, first=0, **fields):
    return b"".join(json.dumps({"flow": "payment", "ref": f"p{i}", "amount": f"{i}.25",
                                "attributes": {"n": i, "country": "DE"}, **fields}).encode()
                    + b"\n" for i in range(first, first + n))


class Upload:
    """A chunked POST on a socket of its own, piece by piece."""

    def __init__(self, site, path=IMPORT, kind=NDJSON):
        self.http = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
        self.http.putrequest("POST", path)
        self.http.putheader("Authorization", "Bearer " + ADMIN)
        self.http.putheader("Content-Type", kind)
        self.http.putheader("Transfer-Encoding", "chunked")
        self.http.endheaders()

    def send(self, data):
        self.http.send(b"%x\r\n" % len(data) + data + b"\r\n")

    def end(self):
        self.http.send(b"0\r\n\r\n")
        reply = self.http.getresponse()
        lines = [json.loads(line) for line in reply.read().splitlines()]
        self.http.close()
        return reply.status, lines

    def abort(self):
        self.http.sock.shutdown(socket.SHUT_RDWR)
        self.http.close()


def exported(site, query="", **options):
    reply = site.ask("GET", EXPORT + query, **options)
    check.equal(reply.status, 200, reply)
    return reply


def each_row_has_a_result_line_in_order(t):
    site = t.site()
    lines, summary = imported(site, "\n".join((
        '{"flow":"payment","ref":"a"}', "", '{"flow":"payment","ref":"a"}\r',
        '{"flow":"payment","ref":"a","status":"settled","reason":"paid"}',
        '{"flow":"payment","ref":"a","status":"settled"}',
        '{"flow":"payment","ref":"a","status":"pending"}',
        '{"flow":"payment","ref":"b","status":"failed","code":"51"}',
        '{"flow":"payment","ref":"c","status":"nowhere"}', '{"flow":"payment","reff":"d"}',
        '{"flow":"payment","ref":"e","amount":1.5}', "[1]", '{"flow":"payment","ref":"f"}')))
    check.equal(results(lines), [
        (1, "created"), (3, "unchanged"), (4, "changed"), (5, "unchanged"), (6, "refused"),
        (7, "created"), (8, "invalid"), (9, "invalid"), (10, "invalid"), (11, "invalid"),
        (12, "created")], "results")
    check.equal(summary, {"lines": 11, "created": 3, "changed": 1, "unchanged": 2, "refused": 1,
                          "invalid": 4, "complete": True}, "summary")
    check.holds(lines[4]["why"], "refunded")
    check.holds(lines[7]["why"], 'did you mean "ref"')
    check.equal(lines[0]["id"], site.tx("a")["id"], "id")
    check.equal((site.tx("a")["reason"], site.tx("b")["code"]), ("paid", "51"), "members")
    check.equal({e["actor"] for e in site.events()}, {"token:admin"}, "actor")


def broken_lines_are_told_by_their_number_and_the_rest_goes_on(t):
    site = t.site()
    long = b'{"flow":"payment","ref":"x","attributes":{"a":"' + b"a" * 300000 + b'"}}'
    raw = b"\n".join((b'\xef\xbb\xbf{"flow":"payment","ref":"a"}', b"\xff\xfe",
                      b'{"flow":"payment","ref":"n\x00l"}', long, b'{"flow":"payment",',
                      b'{"flow":"payment","flow":"payment","ref":"b"}',
                      b'{"flow":"payment","ref":"z"}'))
    lines, _ = imported(site, raw)
    check.equal(results(lines), [(1, "created"), (2, "invalid"), (3, "invalid"), (4, "invalid"),
                                 (5, "invalid"), (6, "invalid"), (7, "created")], "results")
    check.holds(lines[1]["why"], "UTF-8")
    check.holds(lines[3]["why"], "longer than 256 KB")


def csv_follows_rfc_4180(t):
    site = t.site()
    raw = ("\ufeffflow,ref,amount,attributes.country,attributes,reason,expires_in\r\n"
           'payment,c1,12.50,DE,"{""n"":1}","two\r\nlines, ""quoted""",\r\n'
           "payment,c2,,,,,36h\n"
           "\r\n"
           "payment,c3,,\r\n"
           'payment,"c"4,,,,,\r\n'
           'payment,c5,,,{,,\r\n'
           "payment,'=c6,-3.00,'+x,,,\r\n"
           'payment,"c7,,,,,\r\n')
    lines, _ = imported(site, raw, "text/csv; charset=utf-8")
    check.equal(results(lines), [(2, "created"), (4, "created"), (6, "invalid"), (7, "invalid"),
                                 (8, "invalid"), (9, "created"), (10, "invalid")], "results")
    check.holds(lines[2]["why"], "4 fields, where the header has 7")
    check.holds(lines[6]["why"], "never closed")
    one = site.tx("c1")
    check.equal((one["amount"], one["attributes"], one["reason"]),
                ("12.50", {"n": 1, "country": "DE"}, 'two\r\nlines, "quoted"'), "c1")
    check.equal(site.tx("=c6")["attributes"], {"country": "+x"}, "a quote before a formula goes")
    check.true(site.tx("c2")["expires_at"], "a deadline")


def a_wrong_header_or_type_is_refused_as_a_whole(t):
    site = t.site(TENANTS, env=ENV)
    for raw, kind, status, word in (
            ("flow,reff\npayment,a\n", "text/csv", 400, 'did you mean \\"ref\\"'),
            ("flow,flow,ref\npayment,a,b\n", "text/csv", 400, "twice"),
            ("ref\na\n", "text/csv", 400, "flow"), ("", "text/csv", 400, "empty"),
            ('"flow\n', "text/csv", 400, "never closed"),
            ("{}", "application/json", 415, "ndjson")):
        reply = site.ask("POST", IMPORT, raw=raw.encode(), headers={"Content-Type": kind})
        check.equal(reply.status, status, raw)
        check.holds(reply.body.decode(), word)
    reply = site.ask("POST", IMPORT, raw=b"{}", token=READER, headers={"Content-Type": NDJSON})
    check.equal(reply.status, 403, "the scope read does not import")
    check.equal(site.ask("POST", IMPORT, raw=rows(10), token=None,
                         headers={"Content-Type": NDJSON}).status, 401, "nor nobody")


def a_hundred_thousand_rows_take_no_more_memory_than_a_few(t):
    site = t.site()
    imported(site, rows(20000))
    before = site.rss()
    most = 0
    up = Upload(site)
    for at in range(20000, 120000, 1000):
        up.send(rows(1000, at))
        most = max(most, site.rss())
    status, lines = up.end()
    most = max(most, site.rss())
    check.equal(status, 200, "status")
    check.equal(lines[-1]["summary"]["created"], 100000, "created")
    check.equal([one["line"] for one in lines[:-1]], list(range(1, 100001)), "a line each, in order")
    if BUILD.name not in ("asan", "tsan"):  # which keep what was freed
        check.true(most - before < 40 << 20, f"less than 40 MB more (came {(most - before) >> 20})")
    check.equal(site.get("/v1/transactions?limit=1&ref=p119999")["data"][0]["amount"],
                "119999.25", "the last one")


def rows_are_durable_before_the_answer_and_a_kill_midway_loses_none_of_them(t):
    site = t.site()
    up = Upload(site)
    up.send(rows(5000))
    until(lambda: site.events(), "some of it to be committed")
    site.kill()
    site.start()
    have = {r["ref"] for r in site.pages("/v1/transactions?limit=1000")}
    check.true(have == {f"p{i}" for i in range(len(have))}, "the first ones, without a gap")
    lines, summary = imported(site, rows(5000))
    check.equal(summary["unchanged"], len(have), "the same file again: what was there")
    check.equal(summary["created"], 5000 - len(have), "... and the rest")


def a_client_that_leaves_midway_leaves_what_was_committed(t):
    # Whose end comes together with its last bytes is told from one that is
    # slow by the idle timeout alone.
    site = t.site(head=HEAD.replace("127.0.0.1:0\"", "127.0.0.1:0\" idle-timeout = 1s"))
    up = Upload(site)
    up.send(rows(3000) + b'{"flow":"payment","ref":"half')
    until(lambda: len(site.events()) > 0, "some rows")
    up.abort()
    until(lambda: site.logged("an import's client left before its end"), "the host to notice")
    site.get("/v1/flows")  # on a connection of its own: the kept one idled too
    _, summary = imported(site, rows(10, 5000))
    check.equal(summary["created"], 10, "the next one works")
    check.equal(site.ask("GET", "/v1/transactions/by-ref/payment/half").status, 404, "half a row")


def four_imports_are_the_most(t):
    site = t.site()
    ups = [Upload(site) for _ in range(4)]
    for i, up in enumerate(ups):
        up.send(rows(1, i))
    until(lambda: len(site.events()) == 4, "all four to be read")
    reply = site.ask("POST", IMPORT, raw=rows(1, 9), headers={"Content-Type": NDJSON})
    check.equal(reply.status, 503, "a fifth")
    check.true(reply.headers.get("retry-after"), "Retry-After")
    for up in ups:
        check.equal(up.end()[1][-1]["summary"]["created"], 1, "each of the four")
    imported(site, rows(1, 9))


def what_was_exported_is_imported_as_it_was(t):
    site = t.site()
    odd = ['plain', 'comma, "quote"', "line\nbreak", "=1+1", "'=x", "-5", "@a", "ü€😀", "'", "\ttab"]
    for i, text in enumerate(odd):
        site.create(f"r{i}", owner=text.replace("\n", " ").replace("\t", "x"), reason=text,
                    amount="-12.50" if i % 2 else "1", currency="EUR",
                    attributes={"t": text, "n": i, "deep": {"a": [1, None, True]}})
    for i in range(0, 5):
        site.status(site.tx(f"r{i}"), "settled", reason=odd[i], code="00", source_version=str(i),
                    source_at="2025-12-31T00:00:00Z")
    late = site.create("late", expires_in="48h")
    site.post(f"/v1/transactions/{late['id']}/pause")
    hold = site.ask("PATCH", f"/v1/transactions/{late['id']}", {"legal_hold": True})
    check.equal(hold.status, 200, hold)
    shared = ("flow", "ref", "status", "outcome", "owner", "amount", "currency", "attributes",
              "reason", "code", "source_version", "source_at", "expires_at", "paused", "legal_hold")

    def content(one):
        return sorted(([{k: r.get(k) for k in shared} for r in
                        one.pages("/v1/transactions?limit=1000")]), key=lambda r: r["ref"])
    for kind, query in ((NDJSON, ""), ("text/csv", "?format=csv")):
        file = exported(site, query)
        check.true(file.headers["content-type"].startswith(kind), "type")
        empty = t.site()
        lines, summary = imported(empty, file.body, kind)
        check.equal((summary["created"], summary["lines"]), (11, 11), kind)
        check.equal(content(empty), content(site), kind)
    read = list(csv.DictReader(io.StringIO(exported(site, "?format=csv").body.decode())))
    check.equal([r["ref"] for r in read], [f"r{i}" for i in range(10)] + ["late"], "oldest first")
    check.equal(read[3]["reason"], "'=1+1", "no formula for a spreadsheet")
    check.equal(read[1]["amount"], "-12.50", "a number is one")


def a_hold_is_an_admin_s_to_import_and_is_in_the_audit_log(t):
    site = t.site(TENANTS, env=ENV)
    line = '{"flow":"payment","ref":"h","legal_hold":true}\n'
    lines, _ = imported(site, line, token=OTHER)
    check.equal(results(lines), [(1, "invalid")], "by one who may only write")
    check.holds(lines[0]["why"], "legal_hold", "admin")
    lines, _ = imported(site, line)
    check.equal(results(lines), [(1, "created")], "by an admin")
    check.equal(site.get("/v1/audit?action=transaction.hold")["data"][0]["object"],
                lines[0]["id"], "its row")
    lines, _ = imported(site, "flow,ref,paused\npayment,p,true\npayment,q,maybe\n", "text/csv")
    check.equal(results(lines), [(2, "created"), (3, "invalid")], "cells")
    check.equal(site.tx("p")["paused"], True, "paused")


def an_export_is_packed_as_it_goes(t):
    site = t.site()
    imported(site, rows(20000))
    for query in ("", "?format=csv", "?status=failed"):
        plain = exported(site, query)
        packed = exported(site, query, headers={"Accept-Encoding": "gzip"})
        check.true("content-encoding" not in plain.headers, "plain unless asked for")
        check.equal(packed.headers["content-encoding"], "gzip", query)
        check.holds(packed.headers["vary"], "Accept-Encoding")
        check.equal(gzip.decompress(packed.body), plain.body, query)
        check.true(len(packed.body) < max(100, len(plain.body) / 4), "it is shorter")


def an_export_is_narrowed_as_a_list_is(t):
    site = t.site(TENANTS, env=ENV)
    imported(site, rows(3000))
    imported(site, rows(10, 0, owner="theirs"), token=OTHER)
    check.equal(exported(site).body.count(b"\n"), 3000, "all of one's own")
    check.equal(exported(site, token=OTHER).body.count(b"\n"), 10, "of a tenant")
    check.equal(exported(site, token=READER).body.count(b"\n"), 3000, "the scope read suffices")
    some = [json.loads(x)["ref"] for x in
            exported(site, "?filter=amount%20%3C%20100%20AND%20attributes.country%3DDE&order=desc")
            .body.splitlines()]
    check.equal(some, [f"p{i}" for i in range(99, -1, -1)], "filtered, newest first")
    check.equal(exported(site, "?ref=p7").body.count(b"\n"), 1, "by ref")
    check.equal(exported(site, "?status=failed").body, b"", "none")
    check.equal(exported(site, "?status=failed&format=csv").body.count(b"\n"), 1, "a header alone")
    check.true(exported(site, headers={"Accept": "text/csv"}).body.startswith(b"id,flow,ref"),
               "by Accept")
    for query in ("?format=xml", "?order=up", "?filter=x%3D", "?outcome=bad", "?limit=5"):
        check.equal(site.ask("GET", EXPORT + query).status, 400, query)


def an_export_under_writes_is_one_moment(t):
    site = t.site()
    imported(site, rows(20000, 0))
    over = threading.Event()
    failed = []

    def write():
        # Each batch moves a pair to the same amount: a mixture would show.
        i = 0
        while not over.is_set():
            ops = [{"op": "update", "flow": "payment", "ref": ref, "amount": f"{i}.00"}
                   for ref in ("p0", "p19999")]
            ops += [{"op": "create", "flow": "payment", "ref": f"new{i}"}]
            reply = site.ask("POST", "/v1/transactions:batch", {"operations": ops, "atomic": True})
            if reply.status != 200:
                failed.append(reply)
                return
            i += 1
    site.post("/v1/transactions:batch", {"operations": [
        {"op": "update", "flow": "payment", "ref": ref, "amount": "0"} for ref in ("p0", "p19999")]})
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            seen = [json.loads(x) for x in exported(site).body.splitlines()]
            by = {r["ref"]: r for r in seen}
            check.equal(len(by), len(seen), "no row twice")
            check.equal(by["p0"]["amount"].split(".")[0], by["p19999"]["amount"].split(".")[0],
                        "of one moment")
            new = sum(1 for ref in by if ref.startswith("new"))
            check.true({f"new{i}" for i in range(new)} <= set(by), "no gap")
    finally:
        over.set()
        writer.join()
    check.equal(failed, [], "writes")


def a_slow_export_ends_after_ten_minutes_and_says_so(t):
    site = t.site()
    imported(site, rows(60000))
    sock = socket.create_connection(("127.0.0.1", site.port), timeout=30)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    sock.sendall(f"GET {EXPORT} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ADMIN}\r\n\r\n"
                 .encode())
    got = sock.recv(1000)
    check.holds(got.decode(), "200 OK", "chunked")
    site.advance("11m")
    while True:
        piece = sock.recv(65536)
        if not piece:
            break
        got += piece
    sock.close()
    check.holds(got[-1000:].decode(), '"error"', "ten minutes")
    check.true(not got.endswith(b"0\r\n\r\n"), "seen to be cut off")
    check.equal(exported(site).body.count(b"\n"), 60000, "the next one is whole")


def a_slow_reader_of_an_export_costs_no_memory(t):
    site = t.site()
    imported(site, rows(60000))
    before = site.rss()
    socks = []
    for _ in range(4):
        sock = socket.create_connection(("127.0.0.1", site.port), timeout=30)
        sock.sendall(f"GET {EXPORT} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ADMIN}\r\n\r\n"
                     .encode())
        check.holds(sock.recv(100).decode(), "200 OK")
        socks.append(sock)
    check.equal(site.ask("GET", EXPORT).status, 503, "four are the most")
    if BUILD.name not in ("asan", "tsan"):
        check.true(site.rss() - before < 30 << 20, "a bounded buffer each")
    for sock in socks:
        sock.close()
    until(lambda: site.ask("GET", EXPORT + "?ref=p1").status == 200, "room again")


def a_reload_waits_for_streams_and_then_cuts_them_off(t):
    site = t.site("drain = 1s\n")
    imported(site, rows(60000, 100000))
    up = Upload(site)
    up.send(rows(100) + b'{"flow":"payment"')
    until(lambda: site.ask("GET", "/v1/transactions/by-ref/payment/p99").status == 200, "its rows")
    sock = socket.create_connection(("127.0.0.1", site.port), timeout=30)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    sock.sendall(f"GET {EXPORT} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ADMIN}\r\n\r\n"
                 .encode())
    check.holds(sock.recv(100).decode(), "200 OK")
    site.post("/v1/reload", expect=(200, 202))
    until(lambda: site.logged("changing over"), "the old site to end")
    until(lambda: site.ask("GET", "/healthz").status == 200, "the new one to answer")
    got = b"x"
    try:
        while got:
            last, got = got, sock.recv(65536)
        check.true(not last.endswith(b"0\r\n\r\n"), "the export to be cut off")
    except ConnectionError:
        pass
    sock.close()
    try:
        up.send(b',"ref":"late"}\n')
        up.end()
        raise AssertionError("expected the import to be cut off")
    except (ConnectionError, http.client.HTTPException):
        pass
    check.equal(site.ask("GET", "/v1/transactions/by-ref/payment/late").status, 404, "not taken")
    check.equal(imported(site, rows(100))[1]["unchanged"], 100, "sent again: all there")
    check.equal(exported(site).body.count(b"\n"), 60100, "and an export is whole")
