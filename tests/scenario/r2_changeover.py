"""A change-over from one site to the next is no hole for what comes in it."""

import signal

from txwlib import check
from txwlib.wait import until


def a_signal_at_any_moment_of_a_change_over_ends_the_host(t):
    moments = (None, "reloading", "changing over", "listening")
    for n in range(24):
        site = t.site()
        site.post("/v1/reload", expect=202)
        moment = moments[n % len(moments)]
        if moment:
            wanted = 2 if moment == "listening" else 1
            until(lambda: len(site.logged(moment)) >= wanted, moment)
        site.process.send_signal(signal.SIGTERM)
        check.equal(site.process.wait(30), 0, f"exit status of a stop at: {moment or 'the answer'}")
        site.kill()
        t.sites.remove(site)
