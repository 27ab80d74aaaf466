"""Tamper evidence: the chain of hashes, and what `txwatch verify` says of it."""

import base64
import hashlib
import json
import re
import subprocess
import sys

from txwlib import check
from txwlib.site import STORE, TOP, command

ON = 'evidence = "hash-chain"\n'


def _site(t, n=6, **options):
    site = t.site(ON, **options)
    for i in range(n):
        site.create(f"p{i}", attributes={"n": i, "text": "ü\n"}, amount="1.50", currency="EUR")
    site.status(site.tx("p1"), "authorized", detail={"a": [1, 2.50]}, reason="seen", code="00")
    site.status(site.tx("p1"), "settled")
    site.settle()
    return site


def _verify(site, *words):
    return command("verify", "-c", str(site.file), *words, env=site.env)


def _proven(site, *words):
    done = _verify(site, *words)
    check.equal(done.returncode, 0, f"exit status of verify: {done.stdout}{done.stderr}")
    return re.search(r"anchor: (\d+:[0-9a-f]{64})", done.stdout).group(1)


def _edit(site, *statements):
    for sql, *values in statements:
        check.true(site.sql(sql, *values) > 0, f"a row to change by {sql}")


def _broken(site, first, *parts):
    """verify exits with 1, and the first thing it names is `first`."""
    done = _verify(site)
    check.equal(done.returncode, 1, f"exit status of verify: {done.stdout}{done.stderr}")
    check.holds(done.stdout.splitlines()[0], first, *parts)
    check.holds(done.stdout, "broken:")
    return done.stdout


def every_event_carries_a_digest_and_a_hash_that_follows_the_one_before(t):
    site = _site(t)
    before = bytes(32)
    events = site.get("/v1/events?after=0&limit=1000&content=true")["data"]
    check.equal(len(events), 8, "events")
    for event in events:
        content = base64.b64decode(event["content"], validate=True)
        digest = hashlib.sha256(content).digest()
        check.equal(event["digest"], digest.hex(), f"digest of {event['seq']}")
        before = hashlib.sha256(before + digest).digest()
        check.equal(event["hash"], before.hex(), f"hash of {event['seq']}")
    check.equal([{k: v for k, v in e.items() if k != "content"} for e in events], site.events(),
                "the same without content")
    path = f"/v1/transactions/{site.tx('p1')['id']}/history"
    shown = site.get(path + "?content=true")["data"]
    check.equal(shown, [e for e in events if e["transaction"]["ref"] == "p1"], "its history")


def without_the_option_there_is_none(t):
    site = t.site()
    site.create("p1")
    check.true("hash" not in site.events()[0], "no hash")
    site.stop()
    done = _verify(site)
    check.equal(done.returncode, 1, "exit status")
    check.holds(done.stdout, "carries no evidence")


def the_chain_goes_on_over_a_restart_a_crash_and_a_reload(t):
    site = _site(t)
    site.restart()
    site.create("q1")
    site.down_for(1)
    site.create("q2")
    site.post("/v1/transactions:batch", {"atomic": True, "operations": [
        {"op": "create", "flow": "payment", "ref": "q3"},
        {"op": "status", "flow": "payment", "ref": "none", "status": "settled"}]}, expect=409)
    site.create("q4")
    site.stop()
    anchor = _proven(site)
    check.equal(anchor.split(":")[0], "11", "the last event")
    check.equal(_proven(site, "--anchor", anchor), anchor, "again")


def switched_on_later_it_begins_there_and_switched_off_is_told(t):
    site = t.site()
    config = site.file.read_text()
    site.create("p1")
    site.stop()
    site.write(config + ON)
    site.start()
    site.create("p2")
    site.create("p3")
    site.stop()
    check.holds(_verify(site).stdout, "1 event carried no evidence before", "2 events from 2 to 3",
                "proven")
    site.write(config)
    site.start()
    site.create("p4")
    site.create("p5")
    site.stop()
    _broken(site, "events 4 to 5: no evidence")
    site.write(config + ON)
    site.start()
    site.create("p6")
    site.stop()
    check.holds(_broken(site, "events 4 to 5: no evidence"), "broken: 1 finding")
    _proven(site, "--from", "6")


def a_changed_event_is_named_whatever_was_changed(t):
    site = _site(t)
    site.stop()
    columns = {"reason": "other", "actor": "nobody", "detail": "{\"a\": [1,2.5]}",
               "version": 9, "owner": "mallory", "amount": "9.99", "type": 2, "held": 1,
               "attributes": "{}", "from_status": None, "source_event_id": "x", "tx": 1, "prev": 1}
    site.sql("CREATE TABLE kept AS SELECT * FROM event WHERE seq = 7")
    for column, value in columns.items():
        _edit(site, (f"UPDATE event SET {column} = ? WHERE seq = 7", value))
        _broken(site, "event 7: content")
        _edit(site, (f"UPDATE event SET {column} = (SELECT {column} FROM kept) WHERE seq = 7",))
    _edit(site, ("UPDATE event SET at = at + 1 WHERE seq = 7",))
    _broken(site, "event 7: content")
    _edit(site, ("UPDATE event SET at = at - 1 WHERE seq = 7",))
    _proven(site)


def a_deleted_event_is_named(t):
    site = _site(t)
    site.stop()
    _edit(site, ("DELETE FROM event WHERE seq = 3",), ("DELETE FROM event WHERE seq = 4",))
    _broken(site, "events 3 to 4: missing")


def the_deleted_end_of_the_log_is_told_by_the_rows_and_by_an_anchor(t):
    site = _site(t)
    site.stop()
    anchor = _proven(site)
    _edit(site, ("DELETE FROM event WHERE seq = 8",))
    _broken(site, "transaction tx_", "event 8", "not in the log")
    _edit(site, ("UPDATE tx SET last_seq = 7, status = (SELECT to_status FROM event WHERE"
                 " seq = 7), version = 2 WHERE last_seq = 8",))
    done = _verify(site, "--anchor", anchor)
    check.equal(done.returncode, 1, "exit status")
    check.holds(done.stdout.splitlines()[0], "event 8: anchor: the chain does not reach it")


def two_events_that_changed_places_are_named(t):
    site = _site(t)
    site.stop()
    _edit(site, ("UPDATE event SET seq = -1 WHERE seq = 3",),
          ("UPDATE event SET seq = 3 WHERE seq = 5",),
          ("UPDATE event SET seq = 5 WHERE seq = -1",))
    check.holds(_broken(site, "event 3: content"), "event 5: content")


def an_event_with_hashes_made_anew_does_not_fit_the_next_one(t):
    site = _site(t)
    events = site.get("/v1/events?after=0&limit=1000&content=true")["data"]
    site.stop()
    one = events[3]
    content = base64.b64decode(one["content"]).replace(b"4:1.50,", b"4:9.50,")
    digest = hashlib.sha256(content).digest()
    made = hashlib.sha256(bytes.fromhex(events[2]["hash"]) + digest).digest()
    _edit(site, ("UPDATE event SET amount = '9.50', digest = ?, hash = ? WHERE seq = 4",
                 digest, made))
    _broken(site, "event 5: link: it does not follow from event 4")
    # What a chain alone cannot tell, a noted hash does: all made anew.
    before = made
    for event in events[4:]:
        before = hashlib.sha256(before + bytes.fromhex(event["digest"])).digest()
        _edit(site, ("UPDATE event SET hash = ? WHERE seq = ?", before, event["seq"]))
    _edit(site, ("UPDATE tx SET amount = '9.50' WHERE last_seq = 4",))
    _proven(site)
    done = _verify(site, "--anchor", f"8:{events[7]['hash']}")
    check.equal(done.returncode, 1, "exit status")
    check.holds(done.stdout, "event 8: anchor")


def evidence_taken_away_is_named(t):
    site = _site(t)
    site.stop()
    _edit(site, ("UPDATE event SET digest = NULL, hash = NULL, owner = 'x' WHERE seq = 4",))
    check.holds(_broken(site, "event 4: no evidence"), "event 5: link")


def a_row_that_is_not_as_its_newest_event_says_is_named(t):
    site = _site(t)
    made = site.tx("p1")
    site.stop()
    _edit(site, ("UPDATE tx SET owner = 'mallory' WHERE ref = 'p1'",))
    _broken(site, f"transaction {made['id']} (event 8): row: its owner")
    _edit(site, ("UPDATE tx SET owner = NULL, last_seq = 7 WHERE ref = 'p1'",))
    _broken(site, f"transaction {made['id']} (event 7): row")


def an_event_taken_away_as_by_a_purge_is_missed_in_its_transaction(t):
    site = _site(t)
    events = site.get("/v1/events?after=0&limit=1000")["data"]
    newest = {e["transaction"]["id"]: e["seq"] for e in events if "transaction" in e}
    gone = next(e for e in events if newest.get(e.get("transaction", {}).get("id")) not in
                (None, e["seq"]))
    site.stop()
    table = "purged" if STORE == "sqlite" else "digest"
    _edit(site, (f"INSERT INTO {table} (seq, digest, hash) SELECT seq, digest, hash FROM event"
                 " WHERE seq = ?", gone["seq"]),
          ("DELETE FROM event WHERE seq = ?", gone["seq"]))
    tx = gone["transaction"]
    _broken(site, f"transaction {tx['id']} (event {newest[tx['id']]}): row: its event of version "
            f"{tx['version']} is not in the log")


def a_running_site_is_left_alone(t):
    site = _site(t)
    if STORE != "sqlite":
        raise check.Skip("a server serves several hosts: verify reads beside the site")
    done = _verify(site)
    check.equal(done.returncode, 1, "exit status")
    check.holds(done.stderr, "txwatch verify", "site.db")
    site.create("after")


def the_verifier_of_the_docs_proves_exported_events_without_txwatch(t):
    site = _site(t)
    events = site.get("/v1/events?after=0&limit=1000&content=true")["data"]
    text = (TOP / "docs" / "history.md").read_text()
    program = text.split("```python\n")[1].split("```")[0]

    def verify(lines):
        return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                              input="".join(json.dumps(line) + "\n" for line in lines), timeout=60,
                              check=False)

    done = verify(events)
    check.equal((done.returncode, done.stdout), (0, "proven\n"), f"as they are: {done.stderr}")
    for change in (lambda e: e["transaction"].update(status="failed"),
                   lambda e: e["change"].update(detail={"a": [1, 3]}),
                   lambda e: e["change"].update(reason="other"),
                   lambda e: e.update(digest=events[0]["digest"]),
                   lambda e: e.update(hash=events[0]["hash"]),
                   lambda e: e.update(content=base64.b64encode(
                       base64.b64decode(e["content"]).replace(b"4:seen", b"4:sein")).decode())):
        altered = json.loads(json.dumps(events))
        change(altered[6])
        done = verify(altered)
        check.true(done.returncode and "event 7 is broken" in done.stderr, f"told: {done}")
    check.holds(verify(events[:3] + events[4:]).stderr, "event 5 is broken")
