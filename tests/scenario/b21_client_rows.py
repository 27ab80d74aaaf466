"""The client's long work, bulk changes and jobs; the other shells' completion."""

import json
import os
import pty
import select
import shutil
import signal
import stat
import subprocess
import time

from txwlib import check
from txwlib.check import Skip
from txwlib.client import Client, Scripted
from txwlib.peers import Answer
from txwlib.site import PROGRAM


def _site(t, **options):
    site = t.site(**options)
    return site, Client(t.folder("home"), site.port)


def _scripted(t, *answers):
    peer = t._peer(Scripted(*answers))
    return peer, Client(t.folder("home"), peer.port)


# ---- what is shown of a transaction ----

def a_list_shows_the_fields_asked_for_in_their_order(t):
    site, cli = _site(t)
    site.create("p1", amount="9.50", attributes={"country": "DE"})
    site.create("p2")
    lines = cli.ok("tx", "list", "--fields", "attributes.country, ref,amount").splitlines()
    check.equal(lines[0].split(), ["attributes.country", "ref", "amount"], "titles")
    check.equal([x.split() for x in lines[1:]], [["-", "p2", "-"], ["DE", "p1", "9.50"]], "rows")
    row = json.loads(cli.ok("tx", "list", "--fields", "ref", "--ref", "p1", "--json"))
    check.equal(row, {"ref": "p1"}, "as JSON")
    cli("tx", "list", "--fields", "nope").expect(2, "nope")


def one_is_shown_with_its_history(t):
    site, cli = _site(t)
    site.create("p1")
    cli.ok("tx", "set", "payment/p1", "settled", "--reason", "paid")
    shown = cli.ok("tx", "get", "payment/p1", "--expand", "history,deliveries")
    below = shown[shown.index("history:"):]
    check.holds(below, "transaction.created")
    check.holds(below, "transaction.succeeded")
    cli("tx", "get", "payment/p1", "--expand", "nope").expect(2, "history")


# ---- import, export ----

def _file(t, name, *rows):
    file = t.folder("files") / name
    file.write_text("".join(json.dumps(r) + "\n" if isinstance(r, dict) else r + "\n"
                            for r in rows))
    return file


def rows_are_imported_and_the_refused_are_told(t):
    site, cli = _site(t)
    file = _file(t, "a.ndjson", {"flow": "payment", "ref": "p1", "owner": "渡辺"},
                 {"flow": "payment", "ref": "p1", "status": "settled"},
                 {"flow": "payment", "ref": "p1", "status": "pending"},
                 {"flow": "nope", "ref": "p2"}, "{not json")
    done = cli("tx", "import", str(file)).expect(4)
    lines = done.out.splitlines()
    check.equal([x.split()[0] for x in lines[:4]], ["LINE", "3", "4", "5"], "the refused lines")
    check.holds(lines[1], "refused")
    check.equal(lines[4], "5 rows: 1 created, 1 changed, 1 refused, 2 invalid", "the sum")
    check.equal(site.tx("p1")["status"], "settled", "the row")
    rows = [json.loads(x) for x in cli("tx", "import", str(file), "--json").expect(4).out.splitlines()]
    check.equal([r.get("result") for r in rows[:5]],
                ["unchanged", "unchanged", "refused", "invalid", "invalid"], "every row's result")
    check.equal(rows[5]["summary"]["complete"], True, "the summary")


def a_csv_and_standard_input_are_imported(t):
    site, cli = _site(t)
    file = _file(t, "a.CSV", "flow,ref,amount", "payment,p1,9.50")
    check.holds(cli.ok("tx", "import", str(file)), "1 rows: 1 created")
    cli.ok("tx", "import", "-", "--format", "csv", stdin=b"flow,ref\npayment,p2\n")
    cli.ok("tx", "import", "-", stdin=b'{"flow":"payment","ref":"p3"}\n')
    check.equal(site.tx("p1")["amount"], "9.50", "of the file")
    check.true(site.tx("p2") and site.tx("p3"), "of the standard input")
    cli("tx", "import", str(t.folder("files") / "none")).expect(2, "cannot be opened")
    cli("tx", "import", "-", "--format", "csv", stdin=b"no,such\n1,2\n").expect(2, "column")
    cli("tx", "import", str(file), env={"TXWATCH_TOKEN": "wrong" * 5}).expect(5)


def many_rows_go_in_and_come_out_the_same(t):
    site, cli = _site(t)
    file = _file(t, "a.ndjson", *({"flow": "payment", "ref": f"p{i}", "amount": f"{i}.50",
                                   "attributes": {"n": i, "name": "é" * 20}}
                                  for i in range(20000)))
    check.holds(cli.ok("tx", "import", str(file), timeout=300), "20000 rows: 20000 created")
    out = t.folder("files") / "out.ndjson"
    cli.ok("tx", "export", "-o", str(out), timeout=300)
    rows = [json.loads(x) for x in out.read_text().splitlines()]
    check.equal([(r["ref"], r["amount"]) for r in rows],
                [(f"p{i}", f"{i}.50") for i in range(20000)], "rows, oldest first")
    check.equal(len(list(t.folder("files").iterdir())), 2, "nothing left beside")
    check.holds(cli.ok("tx", "import", str(out), timeout=300), "20000 unchanged")


def an_export_is_narrowed_and_written_as_asked(t):
    site, cli = _site(t)
    site.create("p1", owner="a")
    site.create("p2", owner="b")
    check.equal([json.loads(x)["ref"] for x in cli.ok("tx", "export", "--owner", "b").splitlines()],
                ["p2"], "by owner")
    check.equal([json.loads(x)["ref"]
                 for x in cli.ok("tx", "export", "--filter", "owner = a").splitlines()], ["p1"],
                "by filter")
    text = cli.ok("tx", "export", "--format", "csv", "--order", "desc").splitlines()
    check.holds(text[0], "flow", "ref")
    check.holds(text[1], "p2")
    cli("tx", "export", "--filter", "owner >").expect(2, "column")
    cli("tx", "export", "-o", "/nonexistent/x").expect(1, "cannot be written")
    with open("/dev/full", "w") as full:
        done = subprocess.run([PROGRAM, "tx", "export"], stdout=full, stderr=subprocess.PIPE,
                              env=cli.env, check=False)
    check.true(done.returncode != 0, "a full disk is told")


def an_export_that_breaks_off_leaves_what_was_there(t):
    peer, cli = _scripted(t, Answer(200, b'{"ref":"p1"}\n{"ref":', {"Transfer-Encoding": "chunked"},
                                    kind="application/x-ndjson"))
    out = t.folder("files") / "out"
    out.write_text("before")
    cli("tx", "export", "-o", str(out)).expect(6)
    check.equal(out.read_text(), "before", "the file")
    check.equal([p.name for p in t.folder("files").iterdir()], ["out"], "nothing beside it")


def an_exports_file_has_the_rights_of_any_new_file(t):
    site, cli = _site(t)
    out = t.folder("files") / "out"
    before = os.umask(0o027)
    try:
        cli.ok("tx", "export", "-o", str(out))
    finally:
        os.umask(before)
    check.equal(stat.S_IMODE(out.stat().st_mode), 0o640, "mode")


def an_import_shows_on_a_terminal_how_far_it_is(t):
    site, cli = _site(t)
    file = _file(t, "a.ndjson", *({"flow": "payment", "ref": f"p{i}"} for i in range(3000)))
    status, said = cli.terminal("tx", "import", str(file))
    check.equal(status, 0, said)
    check.holds(said, "KB sent", "[###", "100 %", "3000 rows: 3000 created")
    done = cli("tx", "import", str(file)).expect(0)
    check.equal(done.err, "", "nothing of it in a pipe")


# ---- bulk, jobs ----

def a_bulk_change_is_a_job_that_can_be_waited_for(t):
    site, cli = _site(t)
    for i in range(5):
        site.create(f"p{i}", owner="a" if i else "b")
    tried = json.loads(cli.ok("tx", "bulk", "set", "failed", "--filter", "owner = a", "--dry-run",
                              "--wait", "--json"))
    check.equal((tried["state"], tried["progress"]["changed"]), ("done", 4), "a dry run")
    check.equal(site.tx("p1")["status"], "pending", "nothing is changed")
    cli.ok("tx", "bulk", "set", "failed", "--filter", "owner = a", "--reason", "lost", "--wait")
    check.equal((site.tx("p1")["status"], site.tx("p1")["reason"]), ("failed", "lost"), "changed")
    check.equal(site.tx("p0")["status"], "pending", "the other one")
    made = json.loads(cli.ok("tx", "bulk", "update", "--owner", "c", "--filter", "", "--json"))
    check.holds(cli.ok("job", "get", made["id"], "--wait"), "done", made["id"])
    check.equal({r["owner"] for r in cli.rows("tx", "list")}, {"c"}, "all of them")
    check.holds(cli.ok("job", "list"), made["id"], "5/5")
    check.equal(len(cli.rows("job", "list", "-n", "2")), 2, "a limit")
    cli.ok("job", "cancel", made["id"])
    cli("job", "get", "job_01h455vb4pex5vsknk084sn02q").expect(3)
    cli("tx", "bulk", "pause").expect(2, "--filter")
    cli("tx", "bulk", "set", "--filter", "").expect(2, "STATUS")
    cli("tx", "bulk", "pause", "--filter", "", "--owner", "x").expect(2, "--owner")
    cli("tx", "bulk", "pause", "x", "--filter", "").expect(2, "too many")


def what_finished_long_ago_is_purged_as_a_job(t):
    site, cli = _site(t)
    site.status(site.create("p1"), "settled")
    site.create("p2")
    site.advance("48h")
    before = ("--finished-before", "2026-01-02T00:00:00Z", "--wait", "--json")
    tried = json.loads(cli.ok("tx", "purge", *before, "--dry-run"))
    check.equal((tried["kind"], tried["state"]), ("purge", "done"), "a dry run")
    check.true(site.tx("p1"), "still there")
    cli.ok("tx", "purge", *before, "--flow", "payment", "--outcome", "failure")
    check.true(site.tx("p1"), "of another outcome")
    cli.ok("tx", "purge", *before)
    check.equal([r["ref"] for r in cli.rows("tx", "list")], ["p2"], "what is left")
    cli("tx", "purge").expect(2, "--finished-before")


def a_waiting_job_shows_a_bar_and_its_end_is_the_exit_status(t):
    def job(state, done):
        return Answer(200, json.dumps({"id": "job_1", "kind": "bulk", "state": state,
                                       "progress": {"matched": 10, "done": done}}))
    peer, cli = _scripted(t, job("queued", 0), job("running", 5), job("done", 10))
    status, said = cli.terminal("job", "get", "job_1", "--wait")
    check.equal(status, 0, said)
    check.holds(said, "50 %", "running, 5 done")
    peer.answers = [job("running", 5), job("failed", 6)]
    cli("job", "get", "job_1", "-w").expect(1)
    peer.answers = [job("cancelled", 6)]
    cli("job", "get", "job_1", "-w").expect(4)


# ---- tokens ----

def a_token_is_made_used_and_revoked(t):
    site, cli = _site(t)
    made = json.loads(cli.ok("token", "create", "ci", "--scope", "write", "--scope", "read",
                             "--expires", "90d", "--json"))
    site.secrets.append(made["token"])
    its = {"TXWATCH_TOKEN": made["token"]}
    cli.ok("tx", "create", "payment/p1", env=its)
    cli("token", "list", env=its).expect(5, "admin")
    rows = cli.rows("token", "list")
    check.equal([(r["name"], sorted(r["scopes"])) for r in rows], [("ci", ["read", "write"])], "list")
    check.true(made["token"] not in cli.ok("token", "list"), "it is not shown again")
    check.true(rows[0]["expires_at"] > rows[0]["created_at"], "an expiry")
    cli.ok("token", "revoke", "ci")
    cli("tx", "list", env=its).expect(5, "token")
    cli("token", "revoke", "ci").expect(3)
    check.equal([(r["action"], r["object"]) for r in cli.rows("audit", "list", "--action",
                                                              "token.*")],
                [("token.revoke", made["id"]), ("token.create", made["id"])], "the audit log")
    check.holds(cli.ok("audit", "list", "--from", "2025-01-01T00:00:00Z"), "token.revoke")
    reader = json.loads(cli.ok("token", "create", "r", "--expires", "2099-01-01T00:00:00Z", "-j"))
    site.secrets.append(reader["token"])
    check.equal((reader["scopes"], reader["expires_at"]), (["read"], "2099-01-01T00:00:00Z"),
                "unless asked for")
    cli.ok("token", "revoke", reader["id"])
    other = json.loads(cli.ok("token", "create", "ci", "--tenant", "acme", "--json"))
    site.secrets.append(other["token"])
    check.equal([r["id"] for r in cli.rows("token", "list", "--tenant", "acme")], [other["id"]],
                "another tenant's")
    check.equal(cli.rows("tx", "list", env={"TXWATCH_TOKEN": other["token"]}), [], "its own rows")
    cli.ok("token", "revoke", "ci", "--tenant", "acme")


# ---- completion ----

def _needs(shell):
    if not shutil.which(shell):
        raise Skip(f"{shell} is not installed")


def fish_completes_from_the_table_of_commands(t):
    _needs("fish")
    script = t.folder("completion") / "txwatch.fish"
    script.write_text(subprocess.run([PROGRAM, "completion", "fish"], capture_output=True,
                                     text=True, check=True).stdout)

    def offered(line):
        done = subprocess.run(["fish", "--no-config", "-c", f'source {script}; complete -C "{line}"'],
                              capture_output=True, text=True, check=True,
                              env={"HOME": str(t.folder("home")), "PATH": os.environ["PATH"]})
        check.equal(done.stderr, "", "fish's stderr")
        return {x.split("\t")[0] for x in done.stdout.splitlines()}

    check.true({"tx", "sub", "run", "token"} <= offered("txwatch "), "nouns and commands")
    check.true({"list", "get", "history"} <= offered("txwatch tx "), "verbs")
    check.true("run" not in offered("txwatch tx "), "no command after a noun")
    check.equal(offered("txwatch tx list --outcome f"), {"failure"}, "a choice")
    check.true({"--flow", "--json"} <= offered("txwatch tx list --"), "options")
    check.equal(offered("txwatch completion z"), {"zsh"}, "a word's choice")


class Shell:
    """An interactive zsh on a terminal."""

    def __init__(self, home):
        self.said = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe("zsh", ["zsh", "-f", "-i"], {"HOME": str(home), "TERM": "dumb",
                                                    "PATH": os.environ["PATH"]})

    def write(self, text):
        os.write(self.fd, text.encode())

    def until(self, text, seconds=20):
        end = time.monotonic() + seconds
        while text not in self.said and time.monotonic() < end:
            if select.select([self.fd], [], [], 0.2)[0]:
                self.said += os.read(self.fd, 65536).decode(errors="replace")
        check.true(text in self.said, f"{text!r} in {self.said!r}")
        self.said = ""

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def zsh_completes_from_the_table_of_commands(t):
    _needs("zsh")
    script = t.folder("completion") / "txwatch.zsh"
    script.write_text(subprocess.run([PROGRAM, "completion", "zsh"], capture_output=True,
                                     text=True, check=True).stdout)
    zsh = Shell(t.folder("home"))
    t.stack.callback(zsh.close)
    zsh.write(f"PS1=; autoload -U compinit; compinit -D -u; source {script}; print BE''GUN\n")
    zsh.until("BEGUN")
    for typed, whole in (("deliv", "delivery"), ("tx hist", "tx history"),
                         ("tx list --outc", "tx list --outcome"),
                         ("tx list --outcome fa", "tx list --outcome failure"),
                         ("completion z", "completion zsh")):
        zsh.write(f"txwatch {typed}\t")
        zsh.until(f"txwatch {whole}")
        zsh.write("\x15")  # the line is cleared
