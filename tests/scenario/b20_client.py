"""The client: each noun's commands against a real host, on a terminal and in
a pipe, and what the exit status says."""

import json
import re
import shutil
import signal
import ssl
import subprocess
import threading
import unicodedata

from txwlib import check
from txwlib.client import Client, Scripted
from txwlib.peers import Answer
from txwlib.site import ADMIN, HEAD, PROGRAM, STORE
from txwlib.wait import until

READER = "rdr_0123456789abcdefghijklmnopqrstuvwxyz"
SGR = re.compile(r"\033\[[0-9;]*m")


def _site(t, **options):
    head = HEAD + 'token reader { value = "env:TXW_TEST_READER" scopes = { "read" } }\n'
    site = t.site(head=head, env={"TXW_TEST_READER": READER}, **options)
    return site, Client(t.folder("home"), site.port)


def _width(text):
    """Columns of a terminal, by Python's tables and not by ours."""
    return sum(0 if unicodedata.combining(c) else
               2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _scripted(t, *answers):
    peer = t._peer(Scripted(*answers))
    return peer, Client(t.folder("home"), peer.port)


def _problem(status, name, **more):
    headers = more.pop("headers", {})
    return Answer(status, json.dumps({"type": "urn:txwatch:problem:" + name, "title": name,
                                      "status": status, **more}), headers,
                  kind="application/problem+json")


# ---- transactions ----

def a_transaction_lives_its_life_by_name(t):
    site, cli = _site(t)
    made = json.loads(cli.ok("tx", "create", "payment/order/1 ä", "--owner", "alice", "--amount",
                             "12.50", "--currency", "EUR", "--attributes", '{"country":"DE"}',
                             "--json"))
    check.equal((made["ref"], made["amount"], made["attributes"]),
                ("order/1 ä", "12.50", {"country": "DE"}), "as created")
    check.holds(cli.ok("tx", "get", "payment/order/1 ä"), "alice", made["id"])
    check.holds(cli.ok("tx", "get", made["id"]), "order/1 ä")
    cli.ok("tx", "update", "payment/order/1 ä", "--owner", "", "--amount", "13")
    cli.ok("tx", "set", "payment/order/1 ä", "settled", "--reason", "paid", "--detail", '{"n":1}',
           "--source-event-id", "e1")
    row = site.tx("order/1 ä")
    check.equal((row["status"], row["owner"], row["amount"], row["version"]),
                ("settled", None, "13", 3), "the row")
    check.equal(site.events()[-1]["change"]["detail"], {"n": 1}, "the detail")
    history = cli.rows("tx", "history", "payment/order/1 ä")
    check.equal([e["transaction"]["version"] for e in history], [1, 2, 3], "versions")
    check.equal(cli.ok("tx", "history", made["id"]).count("\n"), 4, "a heading and three lines")


def a_transaction_is_paused_resumed_and_polled(t):
    site, cli = _site(t)
    site.create("p1")
    cli.ok("tx", "pause", "payment/p1")
    check.equal(site.tx("p1").get("paused"), True, "paused")
    cli.ok("tx", "resume", "payment/p1")
    check.equal(site.tx("p1").get("paused"), None, "resumed")
    cli.ok("tx", "poll", "payment/p1")


def a_dry_run_changes_nothing(t):
    site, cli = _site(t)
    site.create("p1")
    check.holds(cli.ok("tx", "set", "payment/p1", "settled", "--dry-run"), "dry run", "yes")
    check.equal(site.tx("p1")["status"], "pending", "the status")


def refusals_say_why_and_have_their_status(t):
    site, cli = _site(t)
    site.create("p1")
    cli("tx", "set", "payment/p1", "refunded").expect(4, "does not move", "settled")
    cli("tx", "set", "payment/p1", "settled", "--if-version", "7").expect(4)
    check.equal(site.tx("p1")["status"], "pending", "the status")
    cli("tx", "get", "payment/none").expect(3, "no such transaction")
    cli("tx", "get", "tx_01h455vb4pex5vsknk084sn02q").expect(3)
    cli("delivery", "get", "dlv_nonsense").expect(3)
    cli("sub", "get", "https://nobody.example").expect(3, "there is none")
    cli("tx", "list", "--filter", "amount >").expect(2, "column 9")
    cli("tx", "create", "payment/p2", "--attributes", "{").expect(2, "JSON")
    cli("tx", "create", "nope/p2").expect(2, "nope")
    for words in (("tx",), ("tx", "lst"), ("tx", "get"), ("tx", "get", "a", "b"),
                  ("tx", "get", "nonsense"), ("tx", "list", "--outcome", "opn"),
                  ("tx", "list", "--limit", "many"), ("tx", "update", "payment/p1"),
                  ("tx", "set", "payment/p1"), ("nothing",), ("tx", "list", "--token", "x")):
        done = cli(*words).expect(2)
        check.equal(done.out, "", "stdout")
        check.true(done.err, "a word on stderr")


def who_may_not_is_told_so(t):
    site, cli = _site(t)
    cli("tx", "list", env={"TXWATCH_TOKEN": ""}).expect(5, "TXWATCH_TOKEN")
    done = cli("tx", "list", env={"TXWATCH_TOKEN": "wrong" * 5}).expect(5, "token")
    check.true("wrong" * 5 not in done.err + done.out, "no token in what is said")
    cli("tx", "create", "payment/p", env={"TXWATCH_TOKEN": READER}).expect(5, "write")
    cli("tx", "list", env={"TXWATCH_TOKEN": "two words"}).expect(2, "TXWATCH_TOKEN")


def a_host_that_is_not_there_is_unreachable(t):
    peer, cli = _scripted(t, Answer(200, "{}"))
    port = peer.port
    peer.close()
    cli("tx", "list").expect(6, f"127.0.0.1:{port}")
    cli("tx", "list", env={"TXWATCH_URL": "http://nobody.invalid"}).expect(6, "nobody.invalid")
    cli("tx", "list", "--url", "ftp://x").expect(2, "http://")
    done = cli("tx", "list", "--url", "http://me:secret@x").expect(2)
    check.true("secret" not in done.err, "no password told")


def a_host_that_hangs_is_left_after_the_timeout(t):
    peer, cli = _scripted(t, Answer(hang=True))
    cli("tx", "list", "--timeout", "300ms").expect(6)
    check.equal(len(peer.asked), 1, "tries")


def a_legal_hold_is_put_and_taken_away(t):
    site, cli = _site(t)
    site.create("p1")
    cli.ok("tx", "update", "payment/p1", "--hold")
    check.equal(site.tx("p1").get("legal_hold"), True, "held")
    cli.ok("tx", "update", "payment/p1", "--release")
    check.true(not site.tx("p1").get("legal_hold"), "released")


# ---- lists ----

def a_list_is_walked_page_by_page(t):
    site, cli = _site(t)
    site.post("/v1/transactions:batch", {"operations": [
        {"op": "create", "flow": "payment", "ref": f"p{i}"} for i in range(1203)]})
    check.equal(len(cli.rows("tx", "list")), 50, "unless asked")
    check.equal(len(cli.rows("tx", "list", "-n", "3")), 3, "a limit")
    rows = cli.rows("tx", "list", "--all")
    check.equal(len({r["id"] for r in rows}), 1203, "all of them")
    check.equal(cli.ok("tx", "list", "-n", "1100").count("\n"), 1101, "lines")
    check.equal([r["ref"] for r in cli.rows("tx", "list", "--order", "asc", "-n", "2")],
                ["p0", "p1"], "oldest first")
    check.equal([r["ref"] for r in cli.rows("tx", "list", "--filter", 'ref = "p7"')], ["p7"],
                "a filter")
    check.equal(cli.rows("tx", "list", "--status", "failed"), [], "none")
    check.equal(cli.ok("tx", "list", "--status", "failed"), "", "not even a heading")


def transactions_are_searched_sorted_and_counted(t):
    site, cli = _site(t)
    for i, amount in enumerate(("9.00", "100.00", "20.00")):
        site.create(f"p{i}", amount=amount, currency="EUR", owner="ab" if i else "x")
    site.status(site.tx("p1"), "failed")
    check.equal([r["ref"] for r in cli.rows("tx", "list", "--order-by", "amount desc")],
                ["p1", "p2", "p0"], "by amount")
    check.equal([r["ref"] for r in cli.rows("tx", "list", "--text", "AB", "--order-by", "ref")],
                ["p1", "p2"], "with a text")
    check.equal(cli.ok("tx", "count"), "3\n", "all")
    check.equal(cli.ok("tx", "count", "--filter", "amount > 10"), "2\n", "with a filter")
    check.equal(cli.rows("tx", "count", "--status", "failed"), [{"total": 1}], "as JSON")
    check.equal(cli.rows("tx", "count", "--by", "status"),
                [{"by": "status", "value": "pending", "count": 2},
                 {"by": "status", "value": "failed", "count": 1}], "by status")
    check.holds(cli.ok("tx", "count", "--by", "flow,outcome"), "VALUE", "payment", "failure")
    cli("tx", "count", "--by", "owner").expect(2, "owner")


def what_reads_the_list_may_stop(t):
    site, cli = _site(t)
    site.post("/v1/transactions:batch", {"operations": [
        {"op": "create", "flow": "payment", "ref": f"p{i}"} for i in range(3000)]})
    done = subprocess.run(f"{PROGRAM} tx list --all | head -n 1", shell=True, env=cli.env,
                          capture_output=True, text=True, timeout=60, check=False)
    check.equal((done.returncode, done.stderr), (0, ""), "head's end")
    check.holds(done.stdout, "TRANSACTION")
    rows = t.folder("rows") / "rows.ndjson"
    rows.write_text("".join(f'{{"flow":"payment","ref":"i{i}","status":"no"}}\n'
                            for i in range(20000)))
    for words in ("tx export", f"tx import {rows}", f"tx import {rows} --json"):
        done = subprocess.run(["bash", "-c", f"{PROGRAM} {words} | head -n 1; "
                               "exit ${PIPESTATUS[0]}"], env=cli.env, capture_output=True,
                              text=True, timeout=60, check=False)
        check.equal((done.returncode, done.stderr), (128 + signal.SIGPIPE, ""), words)


# ---- terminal and pipe ----

def tables_fit_the_terminal_and_are_whole_in_a_pipe(t):
    site, cli = _site(t)
    site.create("注文-1001-とても長い名前", owner="渡辺", amount="1250.00", currency="EUR")
    site.create("e\u0301te\u0301-2", owner="b")
    site.create("plain", owner="🙂🙂")
    for columns in (20, 41, 60, 80, 120, 200):
        status, said = cli.terminal("tx", "list", columns=columns)
        check.equal(status, 0, said)
        for line in SGR.sub("", said).splitlines():
            check.true(_width(line) <= columns, f"at most {columns} columns: {line!r}")
    wide = SGR.sub("", cli.terminal("tx", "list", columns=200)[1]).splitlines()
    starts = {_width(line[:re.search(r"pending|STATUS", line).start()]) for line in wide}
    check.equal(len(starts), 1, "the second column stands in a line")
    piped = cli.ok("tx", "list")
    check.holds(piped, "注文-1001-とても長い名前", "1250.00 EUR", site.tx("plain")["id"])
    check.true("\033" not in piped, "no colour in a pipe")


def colours_are_for_terminals_that_want_them(t):
    site, cli = _site(t)
    site.status(site.create("p1"), "failed")
    check.true("\033[31m" in cli.terminal("tx", "list")[1], "a failure is red")
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        check.true("\033" not in cli.terminal("tx", "list", env=env)[1], f"none with {env}")


def what_others_wrote_cannot_write_on_the_terminal(t):
    site, cli = _site(t)
    site.create("p1", owner="\u202eevil", attributes={"a": "\x9b31m"})
    site.status(site.tx("p1"), "settled", reason="\x1b]0;owned\x07\r\n")
    for words in (("tx", "list"), ("tx", "get", "payment/p1"), ("tx", "history", "payment/p1"),
                  ("events", "tail")):
        said = SGR.sub("", cli.terminal(*words, columns=300)[1]).replace("\x1b[K", "")
        said += cli.ok(*words)
        for bad in "\x1b\x07\x9b\u202e":
            check.true(bad not in said, f"no {bad!r} in {said!r}")
        check.holds(said, "\\u202eevil" if words[0] + words[1] == "txlist" else "\\x1b]0;owned\\x07")


# ---- events ----

def the_logs_end_is_shown_and_followed(t):
    site, cli = _site(t)
    for i in range(30):
        site.create(f"p{i}")
    site.status(site.tx("p3"), "failed")
    check.equal([e["seq"] for e in cli.rows("events", "tail")], list(range(22, 32)), "the last ten")
    check.equal([e["seq"] for e in cli.rows("events", "tail", "-n", "2")], [30, 31], "the last two")
    check.equal(len(cli.rows("events", "tail", "--after", "0")), 31, "the whole log")
    far = cli.rows("events", "tail", "-n", "5", "--filter", 'ref = "p1"')
    check.equal([e["transaction"]["ref"] for e in far], ["p1"], "one far from the end")
    tail = cli.start("events", "tail", "-f", "-n", "1", "--json", "--filter",
                     "type = transaction.failed")
    try:
        check.equal(json.loads(tail.stdout.readline())["transaction"]["ref"], "p3", "the last")
        site.create("q1")
        site.status(site.tx("q1"), "failed")
        check.equal(json.loads(tail.stdout.readline())["transaction"]["ref"], "q1", "what came")
    finally:
        tail.terminate()
        tail.wait(10)


def a_tail_goes_on_over_a_restart_without_a_gap(t):
    site, cli = _site(t)
    site.create("p0")
    port = site.port
    tail = cli.start("events", "tail", "-f", "--after", "0", "--json")
    seen, said = [], []
    threading.Thread(target=lambda: [seen.append(json.loads(x)) for x in tail.stdout],
                     daemon=True).start()
    threading.Thread(target=lambda: [said.append(x) for x in tail.stderr], daemon=True).start()
    try:
        until(lambda: len(seen) == 1, "the first event")
        site.kill()
        site.write(site.file.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        site.start()
        for i in range(5):
            site.create(f"q{i}")
        until(lambda: len(seen) == 6, "the events after the restart", 30)
        check.equal([e["seq"] for e in seen], [1, 2, 3, 4, 5, 6], "every seq once")
        check.holds("".join(said), "is there again")
    finally:
        tail.terminate()
        tail.wait(10)


def a_log_that_does_not_reach_the_seq_is_gone(t):
    site, cli = _site(t)
    site.create("p1")
    cli("events", "tail", "--after", "99").expect(8, "gone", "seq 99", "epoch")
    cli("events", "tail", "-f", "--after", "99").expect(8, "gone")


def another_log_under_the_tail_is_told(t):
    page = {"data": [], "next": None, "last_seq": 3, "epoch": "a"}
    peer, cli = _scripted(t, Answer(200, json.dumps(page)),
                          Answer(200, json.dumps({**page, "epoch": "b"})))
    cli("events", "tail", "-f", "--after", "3").expect(8, "another one", "seq 3")


# ---- subscriptions and deliveries ----

def a_subscription_is_managed_by_its_target(t):
    site, cli = _site(t)
    hook = t.receiver()
    url = hook.url + "/a"
    made = json.loads(cli.ok("sub", "create", url, "--event", "transaction.failed", "--event",
                             "transaction.succeeded", "--filter", "amount > 10", "--header",
                             "X-Team: ops", "--ordered", "--description", "of ops", "--json"))
    site.secrets.append(made["secret"])
    check.equal((made["events"], made["headers"], made["ordered"], made["filter"]),
                (["transaction.failed", "transaction.succeeded"], {"X-Team": "ops"}, True,
                 "amount > 10"), "as created")
    check.holds(cli.ok("sub", "list"), url, "transaction.failed,transaction.succeeded")
    cli.ok("sub", "update", url, "--event", "transaction.*", "--filter", "", "--unordered")
    row = json.loads(cli.ok("sub", "get", url, "--json"))
    check.equal((row["events"], row["filter"], row["ordered"]), (["transaction.*"], "", False),
                "as changed")
    cli.ok("sub", "test", url)
    until(lambda: hook.on("/a", "txwatch.test"), "the test event")
    cli.ok("sub", "update", made["id"], "--disable")
    site.create("p1")
    until(lambda: site.deliveries(state="parked"), "a parked delivery")
    cli.ok("sub", "update", url, "--enable")
    check.holds(cli.ok("sub", "replay", url), "1")
    until(lambda: hook.on("/a", "transaction.created"), "the parked one")
    cli("sub", "update", url, "--enable", "--disable").expect(2, "not both")
    cli.ok("sub", "delete", url)
    check.equal(cli.rows("sub", "list"), [], "none is left")
    cli("sub", "delete", made["id"]).expect(3)


def a_target_of_two_subscriptions_names_neither(t):
    site, cli = _site(t)
    for _ in range(2):
        site.subscribe("http://127.0.0.1:9/x")
    cli("sub", "get", "http://127.0.0.1:9/x").expect(2, "give an id")


def deliveries_are_listed_read_and_sent_again(t):
    site, cli = _site(t)
    hook = t.receiver()
    hook.behave("/a", Answer(500), Answer(200))
    sub = site.subscribe(hook.url + "/a")
    site.create("p1")
    until(lambda: site.deliveries(state="pending", attempt_count=1), "a failed try")
    rows = cli.rows("delivery", "list", "--subscription", hook.url + "/a", "--transaction",
                    "payment/p1")
    check.equal([r["subscription"] for r in rows], [sub["id"]], "of the subscription")
    check.equal(cli.rows("delivery", "list", "--state", "dead"), [], "none is dead")
    check.holds(cli.ok("delivery", "list"), "pending", "transaction.created", "payment/p1")
    check.holds(cli.ok("delivery", "get", rows[0]["id"]), "attempts:", "500")
    cli.ok("delivery", "retry", rows[0]["id"])
    until(lambda: site.deliveries(state="delivered"), "the delivery")


# ---- the host ----

def the_host_tells_what_it_runs(t):
    site, cli = _site(t)
    check.holds(cli.ok("host", "flows"), "payment", "pending,authorized")
    check.holds(cli.ok("host", "plugins"), "store." + STORE, "loaded", "hooks")
    check.equal(cli.rows("host", "pollers"), [], "no pollers")
    check.holds(cli.ok("host", "ready", env={"TXWATCH_TOKEN": ""}), "ready")
    cli.ok("host", "reload")


# ---- manners ----

def a_busy_host_is_asked_again_under_one_key(t):
    busy = _problem(503, "busy", headers={"Retry-After": "0"})
    peer, cli = _scripted(t, busy, _problem(429, "throttled", headers={"Retry-After": "0"}),
                          Answer(201, '{"id":"x"}'))
    cli.ok("tx", "create", "payment/p1")
    keys = {names["idempotency-key"] for _, _, names, _ in peer.asked}
    check.equal((len(peer.asked), len(keys)), (3, 1), "tries and keys")
    peer.answers = [busy]
    cli("tx", "list", "--retries", "2").expect(7, "busy")
    check.equal(len(peer.asked), 6, "tries")
    peer.answers = [_problem(503, "busy", headers={"Retry-After": "3600"})]
    cli("tx", "list").expect(7)
    check.equal(len(peer.asked), 7, "an hour is not waited for")


def an_answer_that_broke_off_is_asked_for_again_under_the_same_key(t):
    peer, cli = _scripted(t, Answer(cut=True), Answer(201, '{"id":"x"}'))
    cli.ok("tx", "create", "payment/p1")
    check.equal(len({names["idempotency-key"] for _, _, names, _ in peer.asked}), 1, "keys")
    check.equal(len(peer.asked), 2, "tries")
    peer.answers = [Answer(cut=True)]
    cli("sub", "delete", "sub_01h455vb4pex5vsknk084sn02q").expect(6)
    check.equal(len(peer.asked), 3, "a DELETE is not repeated blindly")


def what_is_no_txwatch_is_said_to_be_none(t):
    peer, cli = _scripted(t, Answer(200, "<html>", kind="text/html"))
    cli("tx", "list").expect(1, "no list of txwatch")
    cli("events", "tail", "--after", "0").expect(1, "no log of txwatch")
    peer.answers = [Answer(302, "", {"Location": peer.url + "/elsewhere"})]
    cli("tx", "list").expect(1, "302")
    check.true(all("elsewhere" not in path for _, path, _, _ in peer.asked), "no redirect followed")


def a_certificate_is_trusted_only_with_a_reason(t):
    if not shutil.which("openssl"):
        raise check.Skip("openssl is not installed")
    folder = t.folder("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
                   check=True, capture_output=True)
    peer, cli = _scripted(t, Answer(200, '{"data":[],"next":null}'))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    peer.server.socket = context.wrap_socket(peer.server.socket, server_side=True)
    url = f"https://localhost:{peer.port}"
    cli("tx", "list", "--url", url).expect(6, "certificate")
    check.equal(peer.asked, [], "what the host was told")
    cli.ok("tx", "list", "--url", url, "--ca-file", str(folder / "cert.pem"))
    cli("tx", "list", "--url", url.replace("localhost", "127.0.0.1"), "--ca-file",
        str(folder / "cert.pem")).expect(6)
    check.equal(len(peer.asked), 1, "requests")


# ---- the client's file ----

def the_clients_file_says_where_and_who(t):
    site, cli = _site(t)
    folder = t.folder("home") / ".config" / "txwatch"
    folder.mkdir(parents=True)
    file = folder / "client.conf"
    secret = t.folder("home") / "token"
    secret.write_text(ADMIN + "\n")
    secret.chmod(0o600)
    env = {"TXWATCH_URL": "", "TXWATCH_TOKEN": ""}
    url = f"http://127.0.0.1:{site.port}"
    file.write_text(f'host near {{ url = "{url}/" token = "{ADMIN}" timeout = 20s }}\n'
                    f'host far {{ url = "{url}" token-file = "{secret}" }}\n')
    file.chmod(0o644)
    cli("tx", "list", env=env).expect(2, "others may read it", "chmod 600")
    file.chmod(0o620)
    cli("tx", "list", env=env).expect(2, "others may write it")
    file.chmod(0o600)
    cli.ok("tx", "list", env=env)
    cli.ok("tx", "list", "--host", "far", env=env)
    cli("tx", "list", "--host", "none", env=env).expect(2, "no host")
    cli.ok("tx", "list", "--token-file", str(secret), env={"TXWATCH_TOKEN": ""})
    secret.chmod(0o640)
    cli("tx", "list", "--token-file", str(secret)).expect(2, "others may read it")
    cli("tx", "list", "--token-file", str(secret) + "x").expect(2, "cannot be opened")
    file.write_text('host near { ulr = "http://x" }\n')
    cli("tx", "list", env=env).expect(2, "client.conf:1", "url")


def the_token_of_the_clients_file_goes_to_no_other_host(t):
    peer, cli = _scripted(t, Answer(200, '{"data":[],"next":null}'))
    folder = t.folder("home") / ".config" / "txwatch"
    folder.mkdir(parents=True)
    file = folder / "client.conf"
    file.write_text(f'host main {{ url = "{peer.url}" token = "{ADMIN}" }}\n')
    file.chmod(0o600)
    cli.ok("tx", "list", env={"TXWATCH_TOKEN": "", "TXWATCH_URL": ""})
    check.equal(peer.asked[-1][2].get("authorization"), "Bearer " + ADMIN, "to its own")
    other = peer.url.replace("127.0.0.1", "localhost")
    cli.ok("tx", "list", "--url", other, env={"TXWATCH_TOKEN": ""})
    check.equal(peer.asked[-1][2].get("authorization"), None, "to another")


# ---- completion, help ----

def _bash(t, *words):
    """What bash would offer for the last of the words."""
    script = t.folder("completion") / "txwatch.bash"
    script.write_text(subprocess.run([PROGRAM, "completion", "bash"], capture_output=True,
                                     text=True, check=True).stdout)
    quoted = " ".join(f"'{w}'" for w in words)
    done = subprocess.run(["bash", "-c", f'. "{script}"; COMP_WORDS=({quoted}); COMP_CWORD='
                           f'{len(words) - 1}; _txwatch; printf "%s\\n" "${{COMPREPLY[@]}}"'],
                          capture_output=True, text=True, check=True)
    check.equal(done.stderr, "", "bash's stderr")
    return set(done.stdout.split())


def bash_completes_from_the_table_of_commands(t):
    check.true({"tx", "sub", "run", "token"} <= _bash(t, "txwatch", ""), "nouns and commands")
    check.equal(_bash(t, "txwatch", "del"), {"delivery"}, "a noun")
    check.true({"list", "get", "set"} <= _bash(t, "txwatch", "tx", ""), "verbs")
    check.true({"--flow", "--outcome", "--json"} <= _bash(t, "txwatch", "tx", "list", "--"),
               "options")
    check.equal(_bash(t, "txwatch", "tx", "list", "--outcome", "f"), {"failure"}, "a choice")
    check.equal(_bash(t, "txwatch", "completion", "z"), {"zsh"}, "a word's choice")
    check.equal(_bash(t, "txwatch", "tx", "list", "--owner", ""), set(), "a value nobody knows")


def every_command_explains_itself(t):
    cli = Client(t.folder("home"), 1)
    listed = re.findall(r"^  ([a-z]+(?: [a-z]+)?)  +[A-Z]", cli.ok("help"), re.M)
    check.true(len(listed) > 30, "commands")
    for name in listed:
        said = cli.ok(*name.split(), "--help")
        check.holds(said, f"Usage: txwatch {name}")
        check.equal(cli.ok("help", *name.split()), said, f"help {name}")


def a_token_is_made_offline_as_ever(t):
    cli = Client(t.folder("home"), 1, token=None)
    for words in (("token", "shop", "--scope", "write"), ("token", "make", "shop", "--scope=write")):
        token, section = cli.ok(*words).splitlines()
        check.true(token.startswith("txw_"), "a token")
        check.holds(section, "token shop {", '"write"')
    cli("token", "--scope", "root").expect(2, "read, write or admin")


def a_full_disk_behind_stdout_is_no_success(t):
    site, cli = _site(t)
    site.post("/v1/transactions:batch", {"operations": [
        {"op": "create", "flow": "payment", "ref": f"p{i}"} for i in range(200)]})
    for words in (("tx", "list", "-n", "1"), ("tx", "list"), ("tx", "export"), ("help",)):
        with open("/dev/full", "w") as full:
            done = subprocess.run([PROGRAM, *words], stdout=full, stderr=subprocess.PIPE,
                                  env=cli.env, check=False)
        check.equal(done.returncode, 1, str(words))
        check.holds(done.stderr.decode(), "cannot write: No space left")
        check.equal(done.stderr.count(b"\n"), 1, "lines")
