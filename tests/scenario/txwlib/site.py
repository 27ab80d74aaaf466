"""A site under test: its config, its txwatch process, its API, its log."""

import contextlib
import hashlib
import gzip
import http.client
import json
import os
import pathlib
import resource
import signal
import sqlite3
import subprocess
import threading
import time
import urllib.parse

from . import check, description, times
from .wait import news, until

TOP = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("TXW_BUILD") or TOP / "build" / "dev").resolve()
PROGRAM = BUILD / "txwatch"

# The store every site is on that names none itself: TXW_STORE. For postgresql
# TXW_PG is the server's conninfo; tests/scenario/run starts one if need be.
STORE = os.environ.get("TXW_STORE") or "sqlite"

ADMIN = "adm_0123456789abcdefghijklmnopqrstuvwxyz"

HEAD = """
plugins = { "store.sqlite", "poller.http", "notifier.webhook", "exporter.prometheus" }
log-format = "json"
http { listen = "127.0.0.1:0" }
token admin { value = "env:TXW_TEST_ADMIN" scopes = { "read", "write", "admin" } }
exporter.prometheus metrics { }
"""

FLOW = """
flow payment {
    initial = "pending"
    state pending    { next = { "authorized", "settled", "failed", "cancelled" } }
    state authorized { next = { "settled", "failed", "cancelled" } }
    state settled    { outcome = "success" next = { "refunded" } }
    state refunded   { outcome = "cancelled" }
    state failed     { outcome = "failure" }
    state cancelled  { outcome = "cancelled" }
    state expired    { outcome = "expired" }
}
"""

HOOKS = """
notifier.webhook hooks { allow-networks = { "127.0.0.0/8" } }
"""


def command(*words, env=None, timeout=60):
    """Runs one txwatch command to its end."""
    return subprocess.run([str(PROGRAM), *words], capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, **(env or {})}, check=False)


def _literal(value):
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'::bytea"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "NULL" if value is None else str(value)


class Reply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:600]!r}>"


class Site:
    """
    site = Site(directory, config); site.start(); ... site.stop()

    The database is the directory's (site.db, or a schema named after it) and
    survives stop, kill and start.
    """

    def __init__(self, directory, config="", *, flow=FLOW, hooks=HOOKS, head=HEAD, store=None,
                 clock="virtual", env=None, level="info", file_limit=None):
        self.directory = pathlib.Path(directory)
        if file_limit and STORE != "sqlite":
            raise check.Skip("about files that may not grow: the server has its own")
        self.file = self.directory / "site.conf"
        self.clock = clock
        self.at = None        # where the virtual clock goes on after a restart
        self.env = {"TXW_TEST_ADMIN": ADMIN, **(env or {})}
        self.secrets = [v for v in self.env.values() if len(v) > 7]
        self.file_limit = file_limit
        if store is None:
            store = self._store()
            head = head.replace('"store.sqlite"', f'"store.{STORE}"')
        self.write(f'log-level = "{level}"\n' + head + store + flow + hooks + config)
        self.log = []
        self.log_news = threading.Condition()
        self.process = None
        self.port = None
        self.local = threading.local()

    @property
    def database(self):
        """The file; what is about it cannot be tested on a server."""
        if STORE != "sqlite":
            raise check.Skip("about SQLite's file")
        return self.directory / "site.db"

    def sql(self, statement, *values):
        """Changes the database behind the site's back; how many rows. A ? of
        the statement is a value: text, number, bytes or None."""
        if STORE == "sqlite":
            with contextlib.closing(sqlite3.connect(self.database)) as db:
                count = db.execute(statement, values).rowcount
                db.commit()
                return count
        for value in values:
            statement = statement.replace("?", _literal(value), 1)
        done = subprocess.run(["psql", os.environ["TXW_PG"], "-X", "-v", "ON_ERROR_STOP=1", "-c",
                               f"SET search_path = {self.schema}", "-c", statement],
                              capture_output=True, text=True, check=False)
        check.equal((done.returncode, done.stderr), (0, ""), statement)
        return int(done.stdout.split()[-1])

    @property
    def schema(self):
        """On a server: what is this site's alone."""
        return "s_" + hashlib.sha256(str(self.directory).encode()).hexdigest()[:20]

    def _store(self):
        if STORE == "sqlite":
            return f'store.sqlite main {{ path = "{self.directory / "site.db"}" }}\n'
        return (f'store.postgresql main {{ conninfo = "{os.environ["TXW_PG"]}" '
                f'schema = "{self.schema}" }}\n')

    def write(self, text):
        self.file.write_text(text)

    # ---- the process ----

    def spawn(self):
        """Starts it without waiting for anything."""
        def limit():
            # SIGXFSZ stays ignored over exec: a write beyond the limit then
            # fails with EFBIG, which is how a test makes a disk full.
            if self.file_limit:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE,
                                   (self.file_limit, resource.RLIM_INFINITY))
        clock = self.clock
        if clock == "virtual" and self.at is not None:
            clock += ":" + times.text(self.at)
        self.port = None
        self.started = time.monotonic()
        self.mark = len(self.log)
        self.process = subprocess.Popen(
            [str(PROGRAM), "run", "-c", str(self.file), f"--clock={clock}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**os.environ, **self.env}, preexec_fn=limit)
        self.reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self.reader.start()

    def start(self, seconds=30):
        self.spawn()
        until(lambda: self.port or self.process.poll() is not None, "the host to listen", seconds)
        if not self.port:
            self.reader.join(5)
            raise AssertionError(f"txwatch ended with {self.process.returncode} instead of "
                                 f"listening:\n{self.tail()}")
        return self

    def refuses(self, *parts):
        """It does not start: exits with 1 (or 2), saying all the parts."""
        self.spawn()
        code = self.process.wait(30)
        self._gone()
        check.true(code in (1, 2), f"exit status 1 or 2 of a refusal, not {code}")
        return check.holds("\n".join(self.log[self.mark:]), *parts)

    def _read(self, process):
        for raw in process.stderr:
            line = raw.decode("utf-8", "backslashreplace").rstrip("\n")
            with self.log_news:
                self.log.append(line)
            if not self.port and '"listening"' in line:
                try:
                    self.port = int(json.loads(line)["address"].rpartition(":")[2])
                except (ValueError, KeyError):
                    pass
            news()

    def stop(self, seconds=30):
        """SIGTERM; drains; must exit 0."""
        if not self.process:
            return
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        self._gone()
        self.verify_log()
        check.equal(code, 0, "exit status after SIGTERM")

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
            self._gone()

    def _gone(self):
        self.reader.join(5)
        self.process.stderr.close()
        self.process = None
        self.local = threading.local()

    def restart(self):
        self.stop()
        return self.start()

    def down_for(self, seconds):
        """Killed now, started again when so much virtual time has passed."""
        self.at = self.now() + seconds
        self.kill()
        return self.start()

    def verify_log(self):
        """No sanitizer's report and no secret, ever."""
        for line in self.log:
            for bad in ("ERROR: AddressSanitizer", "runtime error:", "ERROR: LeakSanitizer",
                        "WARNING: ThreadSanitizer"):
                if bad in line:
                    raise AssertionError(f"expected no sanitizer's report\n  came     {line}")
            for secret in self.secrets:
                if secret in line or secret.removeprefix("whsec_") in line:
                    raise AssertionError(f"expected no secret in the log\n  came     {line}")

    def tail(self, n=40):
        """The log's end; a sanitizer's report from its beginning."""
        for i, line in enumerate(self.log):
            if "ERROR: " in line and "Sanitizer" in line or "runtime error:" in line:
                return "\n".join(self.log[max(0, i - 5):i + n])
        return "\n".join(self.log[-n:])

    def logged(self, message):
        """The log's JSON lines with such a message."""
        found = []
        for line in list(self.log):
            try:
                one = json.loads(line)
            except ValueError:
                continue
            if one.get("message") == message:
                found.append(one)
        return found

    def rss(self):
        """Resident bytes."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) * 1024

    # ---- the API ----

    def _connection(self):
        if getattr(self.local, "port", None) != self.port:
            self.local.http = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            self.local.port = self.port
        return self.local.http

    def ask(self, method, path, body=None, *, token=ADMIN, headers=None, raw=None):
        """One request; a Reply whatever the status."""
        send = dict(headers or {})
        if token:
            send["Authorization"] = "Bearer " + token
        if raw is None and body is not None:
            raw = json.dumps(body).encode()
        if raw is not None:
            send.setdefault("Content-Type", "application/json")
        for last in (False, True):
            connection = self._connection()
            try:
                connection.request(method, path, body=raw, headers=send)
                answer = connection.getresponse()
                reply = Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()},
                              answer.read())
                break
            except (http.client.HTTPException, ConnectionError):
                # A kept connection the server closed meanwhile: once more,
                # unless the request may have been carried out.
                self.local.http.close()
                if last or method != "GET":
                    raise
        self._verify(method, path, raw, reply)
        return reply

    def _verify(self, method, path, sent, reply):
        """Every answer is one that the API's description allows."""
        path = urllib.parse.unquote(path.partition("?")[0])
        try:
            body = reply.body
            if reply.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            known = description.of(PROGRAM, self.clock.startswith("virtual"))
            known.answer(method, path, sent, reply.status, reply.headers, body)
        except description.Mismatch as wrong:
            raise AssertionError(f"an answer that the description does not allow\n"
                                 f"  {wrong}") from None

    def get(self, path, expect=200, **options):
        return self._expect(self.ask("GET", path, **options), "GET " + path, expect)

    def post(self, path, body=None, expect=(200, 201, 202, 204), **options):
        return self._expect(self.ask("POST", path, body, **options), "POST " + path, expect)

    @staticmethod
    def _expect(reply, what, expect):
        allowed = expect if isinstance(expect, tuple) else (expect,)
        if reply.status not in allowed:
            raise AssertionError(f"{what}\n  expected {allowed}\n  came     {reply!r}")
        return json.loads(reply.body) if reply.body else None

    # ---- shorthands ----

    def advance(self, by):
        """Moves the virtual clock: "36h", "5s"."""
        now = self.post("/v1/test/clock", {"advance": by})["now"]
        self.at = max(self.at or 0, times.seconds(now))

    def settle(self):
        """Lets what is under way come to rest."""
        return self.advance("1ms")

    def now(self):
        """Unix seconds of the site's clock."""
        return times.seconds(self.get("/v1/test/clock")["now"])

    def create(self, ref, flow="payment", **fields):
        return self.post("/v1/transactions", {"flow": flow, "ref": ref, **fields})

    def tx(self, ref, flow="payment"):
        return self.get(f"/v1/transactions/by-ref/{flow}/{urllib.parse.quote(ref, safe='')}")

    def status(self, tx, status, expect=200, **fields):
        tx_id = tx if isinstance(tx, str) else tx["id"]
        return self.post(f"/v1/transactions/{tx_id}/status", {"status": status, **fields},
                         expect=expect)

    def becomes(self, ref, status, seconds=15):
        """Waits until the transaction is in that status."""
        return until(lambda: (lambda row: row if row["status"] == status else None)(self.tx(ref)),
                     f"{ref} to become {status}", seconds)

    def pages(self, path):
        """Every object of a list, over all its pages."""
        found = []
        cursor = None
        while True:
            join = "&" if "?" in path else "?"
            at = path + (f"{join}cursor={urllib.parse.quote(cursor)}" if cursor else "")
            page = self.get(at)
            found += page["data"]
            cursor = page["next"]
            if not cursor:
                return found

    def events(self, after=0, **match):
        """The whole log after a seq; match: type=..., ref=..."""
        found = []
        while True:
            page = self.get(f"/v1/events?after={after}&limit=1000")["data"]
            if not page:
                break
            found += page
            after = page[-1]["seq"]
        if "type" in match:
            found = [e for e in found if e["type"] == match["type"]]
        if "ref" in match:
            found = [e for e in found if (e.get("transaction") or {}).get("ref") == match["ref"]]
        return found

    def subscribe(self, url, events=("transaction.*",), **fields):
        """A webhook subscription; its secret is watched for in the log."""
        made = self.post("/v1/subscriptions", {"channel": "hooks", "target": url,
                                               "events": list(events), **fields})
        self.secrets.append(made["secret"])
        return made

    def deliveries(self, **match):
        rows = self.pages("/v1/deliveries?limit=1000")
        return [r for r in rows if all(r.get(k) == v for k, v in match.items())]

    def metrics(self):
        """{(name, frozenset(labels.items())): value} of /metrics."""
        from .prometheus import parse
        reply = self.ask("GET", "/metrics")
        check.equal(reply.status, 200, "GET /metrics")
        return parse(reply.body.decode())

    def metric(self, name, **labels):
        """The sum over every series of that name with those labels."""
        want = set(labels.items())
        return sum(value for (one, has), value in self.metrics().items()
                   if one == name and want <= has)
