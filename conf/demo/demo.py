#!/usr/bin/env python3
"""Starts the demo's bank, receiver and txwatch; tells what happens; checks at
the end that nothing was lost. conf/demo/run builds first and then runs this."""

import argparse
import http.client
import json
import os
import pathlib
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime

HERE = pathlib.Path(__file__).resolve().parent
WORDS = {"NEW": "pending", "HELD": "authorized", "PAID": "settled", "DECLINED": "failed"}
PORT = 8420


def duration(text):
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h)?", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration such as 30s or 2m")
    return float(match.group(1)) * {"s": 1, "m": 60, "h": 3600, None: 1}[match.group(2)]


def free_port(wish):
    for port in (wish, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return probe.getsockname()[1]
            except OSError:
                continue
    raise SystemExit("no free port on 127.0.0.1")


class Service:
    """An HTTP server of the demo's, with JSON in and out."""

    def __init__(self, port, token=None):
        self.port = port
        self.headers = {"Content-Type": "application/json"}
        if token:
            self.headers["Authorization"] = "Bearer " + token
        self.line = None

    def ask(self, method, path, body=None):
        for last in (False, True):
            if self.line is None:
                self.line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            try:
                self.line.request(method, path, json.dumps(body) if body is not None else None,
                                  self.headers)
                answer = self.line.getresponse()
                text = answer.read()
                break
            except (OSError, http.client.HTTPException):
                self.line.close()
                self.line = None
                if last:
                    raise
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text) if text else None


class Demo:
    def __init__(self, build, length):
        self.build = pathlib.Path(build)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="txwatch-demo-"))
        self.length = length
        self.children = []
        self.log = None
        self.token = "demo_" + secrets.token_urlsafe(24)
        self.states = {}                 # ref -> status, as the log tells
        self.expired_at = {}             # ref -> unix seconds
        self.events = {}                 # seq -> type
        self.counts = {}                 # type -> how many
        self.last = 0
        self.pause = threading.Event()   # never set: a clock to wait by

    # ---- starting and ending ----

    def peer(self, name, *words):
        """Starts one of our Python peers; its port. A session of its own
        keeps Ctrl-C from it: we end it ourselves, in order."""
        child = subprocess.Popen([sys.executable, str(HERE / name), *words],
                                 stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.children.append(child)
        return int(child.stdout.readline())

    def start(self):
        outage = min(8.0, self.length / 4) if self.length else 8.0
        self.bank = Service(self.peer("bank.py", "--outage-at", str(outage)))
        self.receiver = Service(self.peer("receiver.py"))
        port = free_port(PORT)
        text = (HERE / "demo.conf").read_text()
        for old, new in (("127.0.0.1:8420", f"127.0.0.1:{port}"),
                         ("127.0.0.1:8421", f"127.0.0.1:{self.bank.port}"),
                         ('"demo.db"', f'"{self.folder}/demo.db"')):
            text = text.replace(old, new)
        conf = self.folder / "demo.conf"
        conf.write_text(text)
        self.log = self.folder / "txwatch.log"
        with open(self.log, "wb") as log:
            self.txwatch = subprocess.Popen(
                [str(self.build / "txwatch"), "run", "-c", str(conf)], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "TXWATCH_TOKEN": self.token})
        self.children.insert(0, self.txwatch)
        self.api = Service(port, self.token)
        self.wait_ready()
        made = self.api.ask("POST", "/v1/subscriptions", {
            "channel": "hooks", "target": f"http://127.0.0.1:{self.receiver.port}/hook",
            "events": ["transaction.*"]})
        self.receiver.ask("POST", "/secret", {"secret": made["secret"]})
        # Only now, so that no event is older than the subscription.
        self.bank.ask("POST", "/start")

    def wait_ready(self):
        end = time.monotonic() + 30
        while True:
            try:
                self.api.ask("GET", "/readyz")
                return
            except (OSError, RuntimeError, http.client.HTTPException) as error:
                if self.txwatch.poll() is not None or time.monotonic() > end:
                    raise SystemExit(f"txwatch did not start ({error}); its log:\n"
                                     + self.log.read_text()[-3000:]) from None
                self.pause.wait(0.05)

    def introduce(self):
        print(f"""
  txwatch    http://127.0.0.1:{self.api.port}/v1/transactions   (metrics: /metrics)
  bank       http://127.0.0.1:{self.bank.port}/payments
  receiver   http://127.0.0.1:{self.receiver.port}/stats
  token      {self.token}
  its log    {self.log}

  curl -H 'Authorization: Bearer {self.token}' \\
       'http://127.0.0.1:{self.api.port}/v1/transactions?limit=3'
""", flush=True)

    def end(self):
        """SIGTERM for all, txwatch first; True if it ended well."""
        well = True
        for child in self.children:
            if child.poll() is None:
                child.terminate()
            try:
                code = child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                code = child.wait()
            if child is getattr(self, "txwatch", None) and code != 0:
                print(f"txwatch ended with {code}; its log:\n{self.log.read_text()[-3000:]}")
                well = False
        return well

    # ---- watching ----

    def follow(self):
        """Reads what is new in the event log."""
        while True:
            page = self.api.ask("GET", f"/v1/events?after={self.last}&limit=1000")["data"]
            for event in page:
                self.last = event["seq"]
                self.events[event["seq"]] = event["type"]
                self.counts[event["type"]] = self.counts.get(event["type"], 0) + 1
                row = event.get("transaction")
                if not row:
                    continue
                if event["type"] == "transaction.expired" or (
                        row["status"] == "failed" and "expire" in str(event["change"]).lower()):
                    self.expired_at[row["ref"]] = seconds(event["at"])
                self.states[row["ref"]] = row["status"]
            if len(page) < 1000:
                return

    def open(self):
        return sum(1 for s in self.states.values() if s in ("pending", "authorized"))

    def changed(self):
        return sum(n for kind, n in self.counts.items()
                   if kind.startswith("transaction.") and kind != "transaction.created")

    def line(self):
        got = self.receiver.ask("GET", "/stats")
        return (f"watched {len(self.states)}  open {self.open()}  changed {self.changed()}  "
                f"expired {self.counts.get('transaction.expired', 0)}  "
                f"failed {sum(s == 'failed' for s in self.states.values())}  "
                f"delivered {got['delivered']}  (retried {got['failed']})")

    def show(self, text):
        if sys.stdout.isatty():
            print("\r\x1b[K" + text, end="", flush=True)
        else:
            print(text, flush=True)

    def watch(self, seconds_long, until_true=lambda: False):
        """A line a second, for so long or until something is true."""
        end = time.monotonic() + seconds_long if seconds_long else float("inf")
        while time.monotonic() < end:
            if self.txwatch.poll() is not None:
                raise SystemExit(f"\ntxwatch ended with {self.txwatch.returncode}; its log:\n"
                                 + self.log.read_text()[-3000:])
            self.follow()
            self.show(self.line())
            if until_true():
                break
            self.pause.wait(min(1.0, max(0.0, end - time.monotonic())))
        if sys.stdout.isatty():
            print()

    # ---- judging ----

    def wanted(self):
        """The events that a webhook is due for."""
        return {str(seq) for seq, kind in self.events.items() if kind.startswith("transaction.")}

    def is_drained(self):
        if self.open() > 0 or self.bank.ask("GET", "/truth").keys() - self.states.keys():
            return False
        return self.wanted() <= self.receiver.ask("GET", "/seen").keys()

    def compare_with_bank(self):
        """What the bank says and txwatch does not, one sentence each."""
        wrong = []
        truth = self.bank.ask("GET", "/truth")
        for ref in truth.keys() - self.states.keys():
            wrong.append(f"{ref}: the bank has it, txwatch never saw it")
        for ref in self.states.keys() - truth.keys():
            wrong.append(f"{ref}: txwatch has it, the bank does not")
        for ref in truth.keys() & self.states.keys():
            last = truth[ref][-1]
            want, have = WORDS[last["state"]], self.states[ref]
            if want == have:
                continue
            # Silent ones expire; one that the bank had finished by then must not.
            gone = self.expired_at.get(ref)
            if gone and (last["state"] in ("NEW", "HELD") or last["at"] > gone):
                continue
            wrong.append(f"{ref}: the bank says {want}, txwatch {have}")
        return wrong

    def compare_with_receiver(self):
        seen = self.receiver.ask("GET", "/seen")
        missing = sorted(self.wanted() - seen.keys(), key=int)
        strange = sorted(seen.keys() - self.wanted(), key=int)
        stats = self.receiver.ask("GET", "/stats")
        wrong = []
        if missing:
            wrong.append(f"{len(missing)} events never reached the receiver: {missing[:5]}")
        if strange:
            wrong.append(f"{len(strange)} webhooks that are not in the log: {strange[:5]}")
        if len(set(seen.values())) != len(seen):
            wrong.append("two events under one webhook-id")
        if stats["forged"]:
            wrong.append(f"{stats['forged']} webhooks with a bad signature")
        return wrong

    def summary(self):
        got = self.receiver.ask("GET", "/stats")
        ends = {}
        for status in self.states.values():
            ends[status] = ends.get(status, 0) + 1
        print(f"watched   {len(self.states)} payments: "
              + ", ".join(f"{n} {status}" for status, n in sorted(ends.items())))
        print(f"changed   {self.changed()} times, in {len(self.events)} events")
        print(f"expired   {self.counts.get('transaction.expired', 0)}")
        print(f"delivered {got['delivered']} webhooks, every signature checked, "
              f"{got['failed']} failed at first, {got['repeats']} came twice")
        outages = self.counts.get("poller.down", 0)
        print(f"outages   {outages} of the bank seen, "
              f"{self.counts.get('poller.recovered', 0)} ended")


def seconds(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def timed(demo):
    """--for: lets it run, lets it drain, judges; the problems."""
    demo.watch(demo.length)
    print("The bank takes no more payments; what is under way comes to its end ...")
    demo.bank.ask("POST", "/stop")
    demo.watch(90, demo.is_drained)
    demo.follow()
    demo.summary()
    return demo.compare_with_bank() + demo.compare_with_receiver()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--for", dest="length", type=duration, default=0, metavar="30s",
                        help="end by itself after so long")
    parser.add_argument("--build", required=True)
    options = parser.parse_args()
    demo = Demo(options.build, options.length)
    wrong = []
    try:
        demo.start()
        demo.introduce()
        if options.length:
            wrong = timed(demo)
        else:
            demo.watch(0)
    except KeyboardInterrupt:
        print()
        demo.summary()
    finally:
        well = demo.end()
        for text in wrong[:20]:
            print("LOST", text)
        if well and not wrong:
            shutil.rmtree(demo.folder, ignore_errors=True)
        else:
            print(f"kept for a look: {demo.folder}")
    if options.length and not wrong:
        print("nothing lost" if well else "")
    return 0 if well and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
