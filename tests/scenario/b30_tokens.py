"""Tokens made by the API, and the audit log that tells who did what."""


from txwlib import check
from txwlib.site import ADMIN

OTHER = "oth_" + "o" * 32
TENANTS = 'token other { value = "env:T_OTHER" scopes = { "admin" } tenant = "other" }\n'
ENV = {"T_OTHER": OTHER}


def _site(t, config="", **options):
    return t.site(TENANTS + config, env=ENV, **options)


def _make(site, scopes=("read",), expect=201, token=ADMIN, **fields):
    made = site.post("/v1/tokens", {"name": "laptop", "scopes": list(scopes), **fields},
                     expect=expect, token=token)
    if expect == 201:
        site.secrets.append(made["token"])
    return made


def _audit(site, query="", token=ADMIN):
    return site.get("/v1/audit?limit=1000" + query, token=token)["data"]


def a_made_token_is_shown_once_and_opens_what_it_says(t):
    site = _site(t)
    made = _make(site, ["write"])
    check.equal((made["scopes"], made["tenant"], made["created_by"]),
                (["read", "write"], "default", "token:admin"), "the answer")
    check.equal(site.post("/v1/transactions", {"flow": "payment", "ref": "p"},
                          token=made["token"])["status"], "pending", "what it may")
    check.equal(site.events()[0]["actor"], "token:" + made["id"], "the actor")
    check.equal(site.ask("GET", "/v1/tokens", token=made["token"]).status, 403, "what it may not")
    for shown in (site.get("/v1/tokens")["data"][0], site.get("/v1/tokens/" + made["id"])):
        check.equal((shown["id"], shown["name"]), (made["id"], "laptop"), "listed")
        check.true("token" not in shown and "sum" not in shown, "no secret")


def nothing_in_the_database_opens_the_site(t):
    site = _site(t)
    made = _make(site)
    site.stop()
    for file in site.directory.glob("site.db*"):
        check.true(made["token"].encode() not in file.read_bytes(), f"no token in {file.name}")


def a_revoked_token_opens_nothing_from_its_answer_on(t):
    site = _site(t)
    made = _make(site)
    check.equal(site.ask("GET", "/v1/flows", token=made["token"]).status, 200, "before")
    check.equal(site.ask("DELETE", "/v1/tokens/" + made["id"]).status, 204, "revoked")
    check.equal(site.ask("GET", "/v1/flows", token=made["token"]).status, 401, "after")
    for method in ("GET", "DELETE"):
        check.equal(site.ask(method, "/v1/tokens/" + made["id"]).status, 404, method + " again")
    site.restart()
    check.equal(site.ask("GET", "/v1/flows", token=made["token"]).status, 401, "after a restart")


def tokens_survive_a_kill_and_a_reload(t):
    site = _site(t)
    made = _make(site)
    site.kill()
    site.start()
    check.equal(site.ask("GET", "/v1/flows", token=made["token"]).status, 200, "after a kill")
    site.post("/v1/reload", expect=202)
    from txwlib.wait import until
    until(lambda: len(site.logged("listening")) == 3, "the new site to listen")
    check.equal(site.ask("GET", "/v1/flows", token=made["token"]).status, 200, "after a reload")


def a_token_ends_when_it_says(t):
    site = _site(t)
    made = _make(site, expires_in="1h")
    site.advance("59m")
    check.equal(site.ask("GET", "/v1/flows", token=made["token"]).status, 200, "before")
    site.advance("1m")
    reply = site.ask("GET", "/v1/flows", token=made["token"])
    check.equal((reply.status, reply.json["detail"]), (401, "the token has expired"), "after")
    check.equal(site.get("/v1/tokens/" + made["id"])["expires_at"], made["expires_at"], "listed")


def when_it_was_last_used_is_told_a_minute_later(t):
    site = _site(t)
    made = _make(site)
    commits = lambda: site.metric("txwatch_store_commit_seconds_count")
    check.equal(site.get("/v1/tokens/" + made["id"])["last_used_at"], None, "not yet")
    site.settle()
    before = commits()
    used = site.now()
    for _ in range(50):
        site.get("/v1/flows", token=made["token"])
    check.equal(commits(), before, "commits of requests that only read")
    site.advance("61s")
    shown = site.get("/v1/tokens/" + made["id"])["last_used_at"]
    from txwlib import times
    check.near(times.seconds(shown), used, 1e-6, "last used")
    check.equal(commits(), before + 1, "commits for fifty uses")
    used = site.now()
    site.get("/v1/flows", token=made["token"])
    site.restart()
    shown = site.get("/v1/tokens/" + made["id"])["last_used_at"]
    check.near(times.seconds(shown), used, 1e-6, "last used, written before the end")


def mistakes_of_a_token_are_told(t):
    site = _site(t)
    for body, words in (({"scopes": ["read"]}, "name"),
                        ({"name": "x"}, "scopes"),
                        ({"name": "x", "scopes": []}, "scopes"),
                        ({"name": "x", "scopes": ["root"]}, "scopes"),
                        ({"name": "x", "scopes": "read"}, "scopes"),
                        ({"name": "x", "scopes": ["read"], "expires_in": "0s"}, "expires_in"),
                        ({"name": "x", "scopes": ["read"],
                          "expires_at": "2001-01-01T00:00:00Z"}, "passed"),
                        ({"name": "x", "scopes": ["read"], "expire_in": "1h"}, "did you mean")):
        reply = site.ask("POST", "/v1/tokens", body)
        check.equal(reply.status, 400, str(body))
        check.holds(reply.json["detail"], words)
    check.equal(site.get("/v1/tokens")["data"], [], "tokens")


def an_idempotent_repeat_makes_no_second_token_and_shows_no_secret(t):
    site = _site(t)
    ask = lambda: site.ask("POST", "/v1/tokens", {"name": "ci", "scopes": ["read"]},
                           headers={"Idempotency-Key": "one"})
    first, again = ask(), ask()
    check.equal((first.status, again.status), (201, 201), "answers")
    check.true("token" in first.json and "token" not in again.json, "shown once")
    check.equal(again.json["id"], first.json["id"], "the same")
    check.equal(len(site.get("/v1/tokens")["data"]), 1, "tokens")


def admins_rule_their_tenant_and_operators_all(t):
    site = _site(t)
    theirs = _make(site, token=OTHER)
    check.equal(theirs["tenant"], "other", "an admin's token")
    check.equal(_make(site, token=OTHER, expect=403, tenant="default")["status"], 403,
                "of another tenant")
    check.equal(site.get("/v1/tokens")["data"], [], "an operator's own tenant")
    path = "/v1/tokens/" + theirs["id"]
    check.equal(site.ask("GET", path).status, 404, "not in the operator's tenant")
    check.equal(site.get(path + "?tenant=other")["id"], theirs["id"], "by the operator")
    check.equal(site.ask("GET", path + "?tenant=default", token=OTHER).status, 403, "by the other")
    made = _make(site, tenant="third")
    check.equal(site.get("/v1/transactions", token=made["token"])["data"], [], "a third tenant")
    check.equal(site.ask("DELETE", path + "?tenant=other").status, 204, "ended by the operator")
    check.equal(site.ask("GET", "/v1/flows", token=theirs["token"]).status, 401, "ended")
    check.equal(site.ask("POST", "/v1/reload", token=OTHER).status, 403, "reload by the other")


def every_act_has_its_row_newest_first(t):
    receiver = t.receiver()
    site = _site(t)
    made = _make(site, ["admin"])
    site.ask("DELETE", "/v1/tokens/" + made["id"])
    sub = site.subscribe(receiver.url + "/hook")
    site.ask("PATCH", "/v1/subscriptions/" + sub["id"], {"description": "mine"})
    site.ask("DELETE", "/v1/subscriptions/" + sub["id"])
    rows = _audit(site)
    check.equal([(r["action"], r["object"]) for r in rows],
                [("subscription.delete", sub["id"]), ("subscription.change", sub["id"]),
                 ("subscription.create", sub["id"]), ("token.revoke", made["id"]),
                 ("token.create", made["id"])], "rows")
    check.equal({r["actor"] for r in rows}, {"token:admin"}, "actors")
    check.equal(rows[1]["detail"], {"members": ["description"]}, "what was changed")
    check.equal(rows[4]["detail"]["scopes"], ["read", "write", "admin"], "what it opens")
    check.equal([r["action"] for r in _audit(site, "&action=token.*")],
                ["token.revoke", "token.create"], "by action")
    check.equal(len(_audit(site, "&object=" + sub["id"])), 3, "by object")
    check.equal(_audit(site, "&actor=token:nobody"), [], "by actor")
    check.equal(_audit(site, token=OTHER), [], "another tenant's")
    check.equal([r["id"] for r in site.pages("/v1/audit?limit=2")], [r["id"] for r in rows],
                "page by page")
    site.restart()
    check.equal([r["id"] for r in _audit(site)], [r["id"] for r in rows], "after a restart")


def long_work_has_rows(t):
    from txwlib.wait import until
    site = _site(t)
    job = site.post("/v1/transactions:bulk", {"filter": "", "action": {"pause": {}}}, expect=202)
    until(lambda: site.get("/v1/jobs/" + job["id"])["state"] == "done", "the job to end")
    rows = _audit(site)
    check.equal([(r["action"], r["object"], r["actor"], r["detail"]) for r in rows],
                [("job.end", job["id"], "token:admin",
                  {"kind": "bulk", "state": "done", "matched": 0, "done": 0, "changed": 0,
                   "unchanged": 0, "refused": 0, "skipped": 0}),
                 ("job.create", job["id"], "token:admin", {"kind": "bulk"})], "rows")


def a_period_of_the_audit_log_is_found(t):
    site = _site(t)
    made = []
    for _ in range(3):
        made.append(_make(site))
        site.advance("1h")
    middle = made[1]["created_at"]
    objects = lambda query: [r["object"] for r in _audit(site, query)]
    check.equal(objects(f"&from={middle}"), [made[2]["id"], made[1]["id"]], "from")
    check.equal(objects(f"&to={middle}"), [made[0]["id"]], "to")
    check.equal(objects(f"&from={middle}&to={made[2]['created_at']}"), [made[1]["id"]], "both")
    check.equal(site.ask("GET", "/v1/audit?from=yesterday").status, 400, "no time")


def a_refused_act_leaves_no_row(t):
    site = _site(t)
    site.ask("POST", "/v1/tokens", {"name": "x"})
    site.ask("DELETE", "/v1/tokens/tok_01h455vb4pex5vsknk084sn02q")
    site.ask("POST", "/v1/subscriptions", {"channel": "nowhere", "target": "http://x"})
    check.equal(_audit(site), [], "rows")


def reloads_and_guessers_have_rows_for_the_operators(t):
    site = _site(t)
    _break = site.file.read_text()
    site.write(_break + "\nnonsense\n")
    check.equal(site.ask("POST", "/v1/reload").status, 422, "a reload that is refused")
    for _ in range(12):
        site.ask("GET", "/v1/flows", token="guess")
    site.settle()
    rows = _audit(site)
    check.equal([(r["action"], r["actor"]) for r in rows],
                [("login.throttled", "peer:127.0.0.1"), ("reload", "token:admin")], "rows")
    check.equal(rows[1]["detail"], {"result": "refused"}, "how it went")
    check.equal(_audit(site, token=OTHER), [], "another tenant's")


def rows_of_the_audit_log_go_when_their_time_is_over(t):
    site = _site(t, config='audit-keep = "30d"\n')
    _make(site)
    site.advance("29d")
    check.equal(len(_audit(site)), 1, "kept")
    site.advance("2d")
    check.equal(_audit(site), [], "gone")
