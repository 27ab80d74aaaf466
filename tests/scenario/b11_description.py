"""The API's description: served, linted, and what every answer is checked by."""

import copy
import json
import subprocess

from txwlib import check, description
from txwlib.site import PROGRAM, TOP, command


def the_description_is_served_to_all_and_is_what_the_command_prints(t):
    site = t.site()
    reply = site.ask("GET", "/openapi.json", token=None)
    check.equal(reply.status, 200, "without a token")
    check.equal(reply.headers["content-type"], "application/json", "its type")
    printed = command("explain", "--openapi", "--all")
    check.equal(reply.json, json.loads(printed.stdout), "served and printed")
    tag = reply.headers["etag"]
    again = site.ask("GET", "/openapi.json", token=None, headers={"If-None-Match": tag})
    check.equal((again.status, again.body), (304, b""), "asked again with the ETag")
    other = site.ask("GET", "/openapi.json", token=None, headers={"If-None-Match": '"other"'})
    check.equal(other.status, 200, "with another ETag")


def the_clock_is_described_only_where_it_is_virtual(t):
    real = json.loads(command("explain", "--openapi").stdout)["paths"]
    virtual = json.loads(command("explain", "--openapi", "--all").stdout)["paths"]
    check.equal(set(virtual) - set(real), {"/v1/test/clock"}, "paths only under a virtual clock")
    check.true("/v1/test/clock" not in t.site(clock="real").get("/openapi.json")["paths"],
               "a real site does not describe the clock")


def _lint(document):
    return subprocess.run([str(TOP / "tests" / "openapi" / "lint"), "-"],
                          input=json.dumps(document), capture_output=True, text=True, check=False)


def the_description_is_valid_openapi_and_the_linter_sees_what_is_not(t):
    document = json.loads(command("explain", "--openapi", "--all").stdout)
    done = _lint(document)
    check.equal((done.returncode, done.stdout, done.stderr), (0, "", ""), "the linter")
    for spoil in (lambda d: d.pop("info"),
                  lambda d: d["components"]["schemas"].pop("Transaction"),
                  lambda d: d["components"]["schemas"]["Event"].update(type="thing"),
                  lambda d: d["paths"]["/v1/jobs/{id}"]["get"].update(operationId="get_jobs"),
                  lambda d: d["paths"]["/v1/jobs/{id}"]["get"].update(parameters=[])):
        worse = copy.deepcopy(document)
        spoil(worse)
        check.equal(_lint(worse).returncode, 1, "the linter's status on a spoilt one")


def an_answer_that_strays_from_its_description_is_found(t):
    site = t.site()
    tx = site.create("a-1")
    known = description.of(PROGRAM, True)

    def found(status, body, kind="application/json"):
        try:
            known.answer("POST", "/v1/transactions", None, status, {"content-type": kind},
                         json.dumps(body).encode())
            return None
        except description.Mismatch as wrong:
            return str(wrong)
    check.equal(found(200, tx), None, "a right one")
    check.holds(found(200, {**tx, "colour": "red"}), "colour")
    check.holds(found(200, {k: v for k, v in tx.items() if k != "status"}), "lacks status")
    check.holds(found(200, {**tx, "outcome": "fine"}), "outcome")
    check.holds(found(200, {**tx, "created_at": "yesterday"}), "not a time")
    check.holds(found(200, {**tx, "version": "1"}), "version")
    check.holds(found(200, {**tx, "id": "evt_1"}), "id")
    check.holds(found(200, tx, "text/plain"), "text/plain")
    check.holds(found(202, tx), "not among")
    check.holds(found(409, {"error": "no"}, "application/json"), "problem")
