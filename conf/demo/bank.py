#!/usr/bin/env python3
"""A simulated bank: payments that come up and move at random.

Some are paid, some declined, some stay silent for ever; once it is out of
order for 8 seconds.

  GET  /payments?after=CURSOR   new payments, oldest first, and where to go on
  GET  /payments/ID             one of them
  POST /start                   opens its doors
  POST /stop                    no new payments; those on their way go on
  GET  /truth                   how every payment stands, for the demo's check
"""

import argparse
import random
import threading
import time

import peer

PAGE = 100
OUTAGE = 8.0


class Bank:
    """A payment's life is drawn when it comes up: a list of (time, state)."""

    def __init__(self, seed, first, per_second, outage_at):
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.payments = {}
        self.order = []
        self.first = first
        self.per_second = per_second
        self.outage_at = outage_at
        self.outage = (0, 0)
        self.last = 0
        self.is_open = False

    def start(self, now):
        self.last = now
        self.outage = (now + self.outage_at, now + self.outage_at + OUTAGE)
        self.is_open = True
        for _ in range(self.first):
            self.make(now)

    def make(self, now):
        draw = self.random
        payment = {"id": f"pay-{len(self.order) + 1:05d}",
                   "amount": f"{draw.randint(1, 2500)}.{draw.randint(0, 99):02d}",
                   "currency": draw.choice(("EUR", "EUR", "USD", "GBP")),
                   "life": [(now, "NEW", None)]}
        fate = draw.random()
        at = now + draw.uniform(0.5, 3)
        if fate < 0.80 and draw.random() < 0.6:
            payment["life"].append((at, "HELD", None))
            at += draw.uniform(0.5, 3)
        if fate < 0.65:
            payment["life"].append((at, "PAID", None))
        elif fate < 0.80:
            payment["life"].append((at, "DECLINED", draw.choice(
                ("insufficient funds", "card expired", "limit exceeded"))))
        # the rest stays silent
        self.payments[payment["id"]] = payment
        self.order.append(payment["id"])

    def grow(self, now):
        """The payments that came up since the last question."""
        while self.is_open and self.last + 1 / self.per_second <= now:
            self.last += 1 / self.per_second
            self.make(self.last)

    @staticmethod
    def seen(payment, now):
        _, state, reason = [step for step in payment["life"] if step[0] <= now][-1]
        return {"id": payment["id"], "state": state, "reason": reason,
                "amount": payment["amount"], "currency": payment["currency"]}

    def answer(self, method, path, query, headers, body):
        now = time.time()
        with self.lock:
            self.grow(now)
            if method == "POST" and path == "/start":
                self.start(now)
                return 200, {}
            if method == "POST" and path == "/stop":
                self.is_open = False
                return 200, {}
            if path == "/truth":
                return 200, {name: [{"at": at, "state": state} for at, state, _ in p["life"]]
                             for name, p in self.payments.items()}
            if self.outage[0] <= now < self.outage[1]:
                return 503, {"error": "out of order"}
            if path == "/payments":
                after = int(query.get("after") or 0)
                page = self.order[after:after + PAGE]
                return 200, {"payments": [self.seen(self.payments[one], now) for one in page],
                             "next": str(after + len(page)),
                             "more": after + len(page) < len(self.order)}
            payment = self.payments.get(path.removeprefix("/payments/"))
            if not payment:
                return 404, {"error": "no such payment"}
            return 200, self.seen(payment, now)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=int, default=8421)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--first", type=int, default=300, help="payments at the start")
    parser.add_argument("--per-second", type=float, default=10, help="new ones")
    parser.add_argument("--outage-at", type=float, default=8, help="seconds after the doors open")
    options = parser.parse_args()
    bank = Bank(options.seed, options.first, options.per_second, options.outage_at)
    peer.serve(bank.answer, options.port)


if __name__ == "__main__":
    main()
