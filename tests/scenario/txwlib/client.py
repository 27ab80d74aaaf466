"""The client's commands against a site, in a pipe or on a terminal."""

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import termios
import time

from . import check
from .peers import Peer
from .site import ADMIN, PROGRAM


class Client:
    """
    cli = Client(t.folder("home"), site.port)
    cli("tx", "list")            -> Done; whatever the exit status
    cli.ok("tx", "list")         -> its stdout; status 0 is needed
    cli.rows("tx", "list")       -> its NDJSON
    """

    def __init__(self, home, port, token=ADMIN, url=None):
        self.env = {"HOME": str(home), "PATH": os.environ["PATH"], "TERM": "xterm",
                    "TXWATCH_URL": url or f"http://127.0.0.1:{port}"}
        if token:
            self.env["TXWATCH_TOKEN"] = token
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def __call__(self, *words, env=None, stdin=None, timeout=60):
        done = subprocess.run([str(PROGRAM), *words], capture_output=True, timeout=timeout,
                              env={**self.env, **(env or {})}, check=False,
                              **({"input": stdin} if stdin is not None
                                 else {"stdin": subprocess.DEVNULL}))
        return Done(words, done.returncode, done.stdout.decode(), done.stderr.decode())

    def ok(self, *words, **options):
        return self(*words, **options).expect(0).out

    def rows(self, *words, **options):
        return [json.loads(line) for line in self.ok(*words, "--json", **options).splitlines()]

    def start(self, *words, env=None):
        """Begins one that goes on; the caller ends it."""
        return subprocess.Popen([str(PROGRAM), *words], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={**self.env, **(env or {})})

    def terminal(self, *words, columns=80, env=None, timeout=60):
        """Runs it on a terminal so wide: (status, what the terminal was sent)."""
        pid, fd = pty.fork()
        if pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            os.execve(PROGRAM, [str(PROGRAM), *words], {**self.env, **(env or {})})
        said, end = b"", time.monotonic() + timeout
        while time.monotonic() < end:
            if not select.select([fd], [], [], 1)[0]:
                continue
            try:
                more = os.read(fd, 65536)
            except OSError:  # the other end is closed
                break
            if not more:
                break
            said += more
        os.close(fd)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said.decode()


class Done:
    def __init__(self, words, status, out, err):
        self.words, self.status, self.out, self.err = words, status, out, err
        for bad in ("AddressSanitizer", "runtime error:", "LeakSanitizer", "ThreadSanitizer"):
            if bad in err:
                raise AssertionError(f"expected no sanitizer's report\n  came     {err}")

    def expect(self, status, *parts):
        """The status is this one, and stderr says the parts."""
        if self.status != status:
            raise AssertionError(f"txwatch {' '.join(self.words)}\n  expected status {status}\n"
                                 f"  came     {self.status}: {self.out[-400:]} {self.err[-800:]}")
        check.holds(self.err, *parts)
        return self


class Scripted(Peer):
    """A host that answers as it is told; the last answer stays."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        super().__init__()

    def handle(self, request):
        with self.lock:
            self.asked.append((request.command, request.path, request.names, request.content))
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
