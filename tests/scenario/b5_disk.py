"""A disk that is full: 507, nothing lost, and on again when there is space."""

import contextlib
import os
import subprocess

from txwlib import check
from txwlib.site import STORE
from txwlib.wait import until


def _fill(site, n=4000, size=2000):
    """Creates until the host says 507; how many were acknowledged."""
    made = 0
    for start in range(0, n, 50):
        ops = [{"op": "create", "flow": "payment", "ref": f"p{i}",
                "attributes": {"pad": "x" * size}} for i in range(start, start + 50)]
        reply = site.ask("POST", "/v1/transactions:batch", {"operations": ops})
        if reply.status == 507:
            check.holds(reply.headers["content-type"], "application/problem+json")
            return made
        check.equal(reply.status, 200, repr(reply))
        made += 50
    raise AssertionError("expected 507 in the end, came 200 always")


@contextlib.contextmanager
def _small_disk(folder, size):
    """Mounts a small file system; Skip where that is not allowed."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)],
                          capture_output=True, check=False)
    if done.returncode:
        raise check.Skip("this user cannot mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def a_full_disk_answers_507_and_it_recovers_when_space_is_back(t):
    if STORE != "sqlite":
        raise check.Skip("about the disk of SQLite's file")
    folder = t.folder("disk")
    with _small_disk(folder, "8m"):
        ballast = folder / "ballast"
        ballast.write_bytes(b"x" * 3_000_000)
        site = t.site(directory=folder, flow=_SIMPLE)
        made = _fill(site)
        check.equal(site.ask("GET", "/v1/transactions").status, 200, "reads go on")
        check.equal(site.ask("GET", "/healthz").status, 200, "it is alive")
        check.equal(site.ask("GET", "/readyz").status, 503, "it is not ready")
        os.unlink(ballast)
        until(lambda: site.ask("POST", "/v1/transactions",
                               {"flow": "payment", "ref": "after"}).status in (200, 201),
              "writes to go on", 30)
        check.equal(site.ask("GET", "/readyz").status, 200, "it is ready again")
        refs = {r["ref"] for r in site.pages("/v1/transactions?limit=1000")}
        check.true({f"p{i}" for i in range(made)} <= refs, "all that was acknowledged")
        site.restart()
        again = {r["ref"] for r in site.pages("/v1/transactions?limit=1000")}
        check.equal(again, refs, "the same after a restart")
        site.stop()


def a_file_that_may_not_grow_answers_507(t):
    site = t.site(file_limit=3_000_000)
    made = _fill(site)
    check.equal(site.ask("GET", "/v1/transactions").status, 200, "reads go on")
    site.kill()
    site.file_limit = None
    site.start()
    refs = {r["ref"] for r in site.pages("/v1/transactions?limit=1000")}
    check.true({f"p{i}" for i in range(made)} <= refs, "all that was acknowledged")
    site.create("after")


_SIMPLE = """
flow payment {
    initial = "pending"
    state pending { next = { "settled" } }
    state settled { outcome = "success" }
}
"""
