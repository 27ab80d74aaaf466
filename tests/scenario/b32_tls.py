"""The listener speaks TLS, and changes its certificate under way."""

import http.client
import json
import shutil
import signal
import socket
import ssl
import subprocess
import threading

from txwlib import check
from txwlib.site import ADMIN, HEAD, command
from txwlib.wait import until


def _openssl(*words):
    if not shutil.which("openssl"):
        raise check.Skip("no openssl program")
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def certify(folder, name, kind="ec"):
    """A self-made certificate for 127.0.0.1: (cert, key)."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else \
          ["-newkey", "rsa:2048"]
    _openssl("req", "-x509", "-nodes", *new, "-keyout", str(key), "-out", str(cert), "-days", "2",
             "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1")
    return cert, key


def _head(cert, key, more=""):
    rows = f'listen = "127.0.0.1:0" tls-cert = "{cert}" tls-key = "{key}" {more}'
    return HEAD.replace('listen = "127.0.0.1:0"', rows)


def _site(t, kind="ec", **options):
    cert, key = certify(t.directory, "first", kind)
    return t.site(head=_head(cert, key), **options), cert


def _trust(cert, **bounds):
    context = ssl.create_default_context(cafile=str(cert))
    for name, value in bounds.items():
        setattr(context, name, value)
    return context


class Client:
    """One connection that is kept."""

    def __init__(self, site, cert, **bounds):
        self.http = http.client.HTTPSConnection("127.0.0.1", site.port, timeout=30,
                                                context=_trust(cert, **bounds))

    def ask(self, method, path, body=None, token=ADMIN):
        self.http.request(method, path, json.dumps(body) if body is not None else None,
                          {"Authorization": "Bearer " + token, "Content-Type": "application/json"})
        answer = self.http.getresponse()
        return answer.status, json.loads(answer.read() or b"null")

    def name(self):
        return dict(row[0] for row in self.http.sock.getpeercert()["subject"])["commonName"]


def requests_and_answers_go_over_tls(t):
    for kind in ("ec", "rsa"):
        site, cert = _site(t, kind)
        client = Client(site, cert)
        check.equal(client.ask("POST", "/v1/transactions", {"flow": "payment", "ref": "p"})[0],
                    201, "made")
        check.equal(client.ask("GET", "/v1/transactions")[1]["data"][0]["ref"], "p", "listed")
        check.equal(client.http.sock.version(), "TLSv1.3", "the newest version")


def large_bodies_and_answers_pass_whole(t):
    site, cert = _site(t)
    client = Client(site, cert)
    ops = [{"op": "create", "flow": "payment", "ref": f"p{i}", "owner": "o" * 200}
           for i in range(5000)]
    results = client.ask("POST", "/v1/transactions:batch", {"operations": ops})[1]["results"]
    check.equal({r["result"] for r in results}, {"created"}, "a body of more than a megabyte")
    page = client.ask("GET", "/v1/transactions?limit=1000")[1]["data"]
    check.equal(len(page), 1000, "a page of hundreds of kilobytes")


def many_connections_are_served_at_once(t):
    site, cert = _site(t)
    clients = [Client(site, cert) for _ in range(40)]
    failed = []
    def work(client, n):
        for i in range(10):
            if client.ask("POST", "/v1/transactions", {"flow": "payment", "ref": f"{n}-{i}"})[0] \
                    != 201:
                failed.append(n)
    threads = [threading.Thread(target=work, args=(c, n)) for n, c in enumerate(clients)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    check.equal(failed, [], "requests that failed")


def old_versions_and_plain_http_are_refused(t):
    site, cert = _site(t)
    for bound in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, bound
        try:
            with socket.create_connection(("127.0.0.1", site.port), 30) as raw, \
                    context.wrap_socket(raw) as wrapped:
                raise AssertionError(f"expected no {bound}\n  came     {wrapped.version()}")
        except ssl.SSLError:
            pass
    client = Client(site, cert, maximum_version=ssl.TLSVersion.TLSv1_2)
    check.equal(client.ask("GET", "/healthz")[0], 200, "TLS 1.2")
    check.equal(client.http.sock.version(), "TLSv1.2", "TLS 1.2")
    with socket.create_connection(("127.0.0.1", site.port), 30) as raw:
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        check.true(b"HTTP/1.1 200" not in raw.recv(4096), "no answer in clear")


def too_large_a_body_is_refused_in_tls_too(t):
    cert, key = certify(t.directory, "first")
    site = t.site(head=_head(cert, key, "max-body = 64KB"))
    context = _trust(cert)
    with socket.create_connection(("127.0.0.1", site.port), 30) as raw, \
            context.wrap_socket(raw, server_hostname="127.0.0.1") as sock:
        sock.sendall(b"POST /v1/transactions:batch HTTP/1.1\r\nHost: x\r\n"
                     b"Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n")
        chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
        for _ in range(5):
            sock.sendall(chunk)
        check.holds(sock.recv(4096).decode(), "HTTP/1.1 413", "too-large")


def _change(t, site, cert, key, first):
    """The files get another certificate's content, then the reload comes."""
    more = certify(t.directory, "second")
    cert.write_bytes(more[0].read_bytes())
    key.write_bytes(more[1].read_bytes())
    return more[0]


def a_reload_shows_a_new_certificate_and_keeps_connections(t):
    cert, key = certify(t.directory, "site")
    old = t.directory / "old.pem"
    shutil.copy(cert, old)
    site = t.site(head=_head(cert, key))
    kept = Client(site, old)
    kept.ask("POST", "/v1/transactions", {"flow": "payment", "ref": "p"})
    sock = kept.http.sock
    check.equal(kept.name(), "site", "the certificate")
    _change(t, site, cert, key, old)
    for n, how in ((2, lambda: site.process.send_signal(signal.SIGHUP)),
                   (3, lambda: check.equal(kept.ask("POST", "/v1/reload")[0], 202, "reload"))):
        how()
        until(lambda: len(site.logged("listening")) == n, "the new site to listen")
        fresh = Client(site, cert)
        check.equal(fresh.ask("GET", "/v1/transactions")[1]["data"][0]["ref"], "p", "by a new one")
        check.equal(fresh.name(), "second", "a new connection's certificate")
        check.equal(kept.ask("GET", "/v1/transactions")[1]["data"][0]["ref"], "p", "by the old")
        check.true(kept.http.sock is sock, "the connection that was there before")


def requests_under_way_outlive_a_reload(t):
    cert, key = certify(t.directory, "site")
    site = t.site(head=_head(cert, key), clock="real")
    stop = threading.Event()
    failed, done = [], []
    def work(n):
        client = Client(site, cert)
        i = 0
        while not stop.is_set():
            i += 1
            status, _ = client.ask("POST", "/v1/transactions", {"flow": "payment",
                                                                "ref": f"{n}-{i}"})
            (done if status == 201 else failed).append((n, i, status))
    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for one in threads:
        one.start()
    for n in range(5):
        until(lambda: len(done) > 50 * (n + 1), "requests")
        site.process.send_signal(signal.SIGHUP)
        until(lambda: len(site.logged("listening")) == n + 2, "the new site to listen")
    stop.set()
    for one in threads:
        one.join()
    check.equal(failed, [], "answers that were no 201")
    client = Client(site, cert)
    seen = {e["transaction"]["ref"] for e in _events(client)}
    check.equal({f"{n}-{i}" for n, i, _ in done} - seen, set(), "acknowledged and lost")


def _events(client):
    after = 0
    while page := client.ask("GET", f"/v1/events?limit=1000&after={after}")[1]["data"]:
        yield from page
        after = page[-1]["seq"]


def plain_http_keeps_its_connections_over_a_reload_too(t):
    site = t.site()
    one = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    def get():
        one.request("GET", "/healthz")
        answer = one.getresponse()
        return answer.status, answer.read()
    check.equal(get()[0], 200, "before")
    sock = one.sock
    site.process.send_signal(signal.SIGHUP)
    until(lambda: len(site.logged("listening")) == 2, "the new site to listen")
    check.equal(get()[0], 200, "after")
    check.true(one.sock is sock, "the same connection")


def a_reload_that_cannot_read_the_certificate_changes_nothing(t):
    cert, key = certify(t.directory, "site")
    site = t.site(head=_head(cert, key))
    client = Client(site, cert)
    old = cert.read_bytes()
    cert.write_bytes(certify(t.directory, "stranger")[0].read_bytes())
    status, problem = client.ask("POST", "/v1/reload")
    check.equal(status, 422, "refused")
    check.holds(problem["detail"], "tls-key", "not the key")
    cert.write_bytes(old)
    check.equal(Client(site, cert).ask("GET", "/healthz")[0], 200, "goes on")


def check_tells_what_is_wrong_with_the_files(t):
    cert, key = certify(t.directory, "one")
    _, other = certify(t.directory, "two")
    junk = t.directory / "junk.pem"
    junk.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    for rows, words in ((f'tls-cert = "{cert}"', ["need each other"]),
                        (f'tls-cert = "{cert}" tls-key = "/nowhere.key"',
                         ["tls-key", "/nowhere.key", "cannot be opened"]),
                        (f'tls-cert = "{junk}" tls-key = "{key}"', ["tls-cert", "not a PEM"]),
                        (f'tls-cert = "{cert}" tls-key = "{cert}"', ["tls-key", "not a PEM"]),
                        (f'tls-cert = "{cert}" tls-key = "{other}"', ["tls-key", "not the key"]),
                        ('tls-cert = "rel.pem" tls-key = "rel.key"', ["whole path"])):
        head = HEAD.replace('listen = "127.0.0.1:0"', f'listen = "127.0.0.1:0" {rows}')
        site = t.site(head=head, start=False)
        done = command("check", "-c", str(site.file), env=site.env)
        check.equal(done.returncode, 1, rows)
        check.holds(done.stdout + done.stderr, "site.conf:", *words)
    site = t.site(head=_head(cert, key), start=False)
    check.equal(command("check", "-c", str(site.file), env=site.env).returncode, 0, "good files")


def curl_trusts_the_listener(t):
    if not shutil.which("curl"):
        raise check.Skip("no curl program")
    site, cert = _site(t)
    done = subprocess.run(["curl", "-sS", "--cacert", str(cert), "--tlsv1.2",
                           f"https://127.0.0.1:{site.port}/healthz"], capture_output=True,
                          text=True, check=False)
    check.equal((done.returncode, json.loads(done.stdout)["status"]), (0, "ok"), done.stderr)
