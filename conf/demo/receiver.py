#!/usr/bin/env python3
"""A webhook receiver: checks each signature (Standard Webhooks 1.0), counts,
and now and then fails on purpose, as real ones do.

  POST /hook      a webhook
  POST /secret    {"secret": "whsec_..."}: what to check with
  GET  /stats     {"delivered", "repeats", "failed", "forged"}
  GET  /seen      {"SEQ": "webhook-id", ...}
"""

import argparse
import base64
import hashlib
import hmac
import json
import random
import threading

import peer


class Receiver:
    def __init__(self, fail_percent):
        self.lock = threading.Lock()
        self.fail_percent = fail_percent
        self.key = None
        self.seen = {}
        self.counts = {"delivered": 0, "repeats": 0, "failed": 0, "forged": 0}

    def is_signed(self, headers, body):
        text = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.".encode() + body
        want = base64.b64encode(hmac.new(self.key, text, hashlib.sha256).digest()).decode()
        return any(hmac.compare_digest("v1," + want, one)
                   for one in headers.get("webhook-signature", "").split(" "))

    def take(self, headers, body):
        if self.key is None or not self.is_signed(headers, body):
            self.counts["forged"] += 1
            return 401, {"error": "bad signature"}
        if random.uniform(0, 100) < self.fail_percent:
            self.counts["failed"] += 1
            return 500, {"error": "on purpose"}
        seq = str(json.loads(body)["data"]["seq"])
        if seq in self.seen:
            self.counts["repeats"] += 1
        else:
            self.counts["delivered"] += 1
        self.seen[seq] = headers["webhook-id"]
        return 200, {}

    def answer(self, method, path, query, headers, body):
        with self.lock:
            if (method, path) == ("POST", "/hook"):
                return self.take(headers, body)
            if (method, path) == ("POST", "/secret"):
                self.key = base64.b64decode(json.loads(body)["secret"].removeprefix("whsec_"))
                return 200, {}
            if path == "/stats":
                return 200, self.counts
            if path == "/seen":
                return 200, self.seen
            return 404, None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=int, default=8422)
    parser.add_argument("--fail-percent", type=float, default=2)
    options = parser.parse_args()
    peer.serve(Receiver(options.fail_percent).answer, options.port)


if __name__ == "__main__":
    main()
