"""It starts, answers, stops; it refuses to start when it must."""

import os
import signal
import sqlite3

from txwlib import check
from txwlib.site import FLOW, HEAD, command
from txwlib.wait import until


def the_version_is_told(t):
    check.holds(command("version").stdout, "txwatch", "0.")


def a_site_starts_and_is_alive_and_ready(t):
    site = t.site()
    check.equal(site.ask("GET", "/healthz", token=None).status, 200, "/healthz")
    check.equal(site.ask("GET", "/readyz", token=None).status, 200, "/readyz")


def sigterm_ends_it_with_exit_status_0(t):
    site = t.site()
    site.create("p1")
    site.stop()


def sigterm_lets_a_delivery_in_flight_finish(t):
    receiver = t.receiver()
    site = t.site(clock="real")
    site.subscribe(receiver.url + "/slow")
    from txwlib.peers import Answer
    receiver.behave("/slow", Answer(200, b"....", trickle=True))
    site.create("p1")
    until(lambda: receiver.on("/slow"), "the delivery to begin")
    site.stop()
    site.start()
    check.equal(len(site.deliveries(state="delivered")), 1, "deliveries that ended well")


def the_virtual_clock_moves_only_when_told(t):
    site = t.site()
    before = site.now()
    site.create("p1")
    check.true(abs(site.now() - before) < 1, "a clock that stands still")
    site.advance("36h")
    check.true(abs(site.now() - before - 36 * 3600) < 1, "36 hours later")


def a_real_clock_has_no_route_that_moves_it(t):
    site = t.site(clock="real")
    check.equal(site.ask("POST", "/v1/test/clock", {"advance": "1s"}).status, 404, "clock route")


def what_was_acknowledged_is_there_after_kill_9(t):
    site = t.site()
    tx = site.create("p1")
    site.status(tx, "authorized")
    site.kill()
    site.start()
    row = site.tx("p1")
    check.equal((row["status"], row["version"], row["id"]), ("authorized", 2, tx["id"]),
                "the row after kill -9")


def a_corrupt_database_is_refused(t):
    site = t.site()
    for i in range(200):
        site.create(f"p{i}")
    site.stop()
    size = os.path.getsize(site.database)
    with open(site.database, "r+b") as f:
        f.seek(4096)
        f.write(os.urandom(max(size - 8192, 4096)))
    site.refuses(str(site.database), "damaged")


def a_file_that_is_no_database_is_refused(t):
    site = t.site(start=False)
    site.database.write_bytes(b"This is a letter, not a database. " * 400)
    site.refuses(str(site.database))


def a_database_that_another_holds_locked_is_refused(t):
    site = t.site()
    site.create("p1")
    site.stop()
    other = sqlite3.connect(site.database)
    try:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        site.refuses(str(site.database), "lock")
    finally:
        other.close()


def a_second_host_on_the_same_database_is_refused(t):
    site = t.site()
    second = t.site(start=False, directory=site.directory)
    second.refuses(str(site.database))
    check.equal(site.ask("GET", "/healthz").status, 200, "the first goes on")


def a_database_of_a_newer_schema_is_refused(t):
    site = t.site()
    site.stop()
    db = sqlite3.connect(site.database)
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version:
        db.execute(f"PRAGMA user_version = {version + 1000}")
    else:
        raise check.Skip("the schema's version is not in user_version")
    db.commit()
    db.close()
    site.refuses(str(site.database), "newer")


def a_port_in_use_is_refused_in_words(t):
    site = t.site()
    second = t.site(start=False, head=HEAD.replace("127.0.0.1:0", f"127.0.0.1:{site.port}"))
    second.refuses(f"127.0.0.1:{site.port}")


def a_signal_during_a_long_load_loses_nothing(t):
    site = t.site()
    ops = [{"op": "create", "flow": "payment", "ref": f"p{i}"} for i in range(500)]
    site.post("/v1/transactions:batch", {"operations": ops})
    site.process.send_signal(signal.SIGTERM)
    check.equal(site.process.wait(30), 0, "exit status")
    site._gone()
    site.start()
    check.equal(len(site.pages("/v1/transactions?limit=1000")), 500, "transactions")


def the_flow_of_the_examples_is_accepted(t):
    site = t.site(start=False, flow=FLOW)
    done = command("check", "-c", str(site.file), env=site.env)
    check.equal(done.returncode, 0, done.stdout + done.stderr)
