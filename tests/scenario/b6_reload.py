"""A config is taken over whole, or not at all."""

import signal

from txwlib import check
from txwlib.conf import hooks
from txwlib.site import FLOW
from txwlib.wait import until

MORE = FLOW + """
flow parcel {
    initial = "sent"
    state sent { next = { "there" } }
    state there { outcome = "success" }
}
"""


def _listening(site, times):
    until(lambda: sum('"listening"' in line for line in list(site.log)) >= times,
          f"the site to listen for the time {times}")


def _more(site):
    site.write(site.file.read_text().replace(FLOW, MORE))


def sighup_takes_a_new_config_over(t):
    site = t.site()
    tx = site.create("p1")
    check.equal(site.ask("POST", "/v1/transactions", {"flow": "parcel", "ref": "x"}).status, 400,
                "a flow that is not there yet")
    _more(site)
    site.process.send_signal(signal.SIGHUP)
    _listening(site, 2)
    site.create("x", flow="parcel")
    check.equal(site.tx("p1")["id"], tx["id"], "what was there before")
    check.equal([e["seq"] for e in site.events()], [1, 2], "one log")


def reload_is_a_route_for_admins(t):
    site = t.site()
    port = site.port
    _more(site)
    check.equal(site.post("/v1/reload", expect=202)["status"], "reloading", "the answer")
    _listening(site, 2)
    check.equal(site.port, port, "the port, which the config left to the system")
    site.create("x", flow="parcel")


def a_config_with_mistakes_is_refused_and_the_site_goes_on(t):
    site = t.site()
    site.write(site.file.read_text() + "\nflow broken { initial = nowhere }\n")
    reply = site.ask("POST", "/v1/reload")
    check.equal((reply.status, reply.json["type"]), (422, "urn:txwatch:problem:bad-config"),
                "the answer")
    check.holds(reply.json["detail"], "flow broken", "states")
    site.process.send_signal(signal.SIGHUP)
    until(lambda: any("not reloaded" in line for line in list(site.log)), "the refusal in the log")
    site.create("p1")
    check.equal(sum('"listening"' in line for line in site.log), 1, "it listened once")


def a_delivery_in_flight_is_settled_before_the_change(t):
    receiver = t.receiver()
    site = t.site(clock="real", hooks=hooks("timeout = 2s"))
    site.subscribe(receiver.url + "/hook")
    for i in range(50):
        site.create(f"p{i}")
    site.post("/v1/reload", expect=202)
    _listening(site, 2)
    until(lambda: len({g.id for g in receiver.on("/hook")}) == 50, "every webhook")
    check.equal(len(receiver.on("/hook")), 50, "webhooks, none twice")
