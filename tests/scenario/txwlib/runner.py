"""Finds and runs the scenarios; see tests/scenario/run."""

import contextlib
import importlib.util
import inspect
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

from . import check
from .peers import Bank, Receiver
from .site import Site

HERE = pathlib.Path(__file__).resolve().parent.parent


class T:
    """What a test is given: makers of sites and peers that end with it."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="txw-"))
        self.sites = []
        self.stack = contextlib.ExitStack()

    def folder(self, name):
        made = self.directory / name
        made.mkdir(exist_ok=True)
        return made

    def site(self, config="", start=True, **options):
        folder = options.pop("directory", None) or self.folder(f"site{len(self.sites)}")
        site = Site(folder, config, **options)
        self.sites.append(site)
        return site.start() if start else site

    def bank(self, port=0):
        return self._peer(Bank(port))

    def receiver(self, port=0):
        return self._peer(Receiver(port))

    def _peer(self, peer):
        self.stack.callback(peer.close)
        return peer

    def finish(self):
        """The test went well: what still runs must end well, too."""
        for peer in self.sites:
            if peer.process:
                peer.stop()
            else:
                peer.verify_log()

    def clean(self):
        for site in self.sites:
            site.kill()
        self.stack.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def sentence(name):
    return name.replace("_", " ")


def files(patterns):
    found = sorted(p for p in HERE.glob("*.py") if re.match(r"[abr]\d*_", p.name))
    if not patterns:
        return found
    return [p for p in found if any(x in p.name or x in p.read_text() for x in patterns)]


def tests_of(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [f for name, f in vars(module).items()
            if inspect.isfunction(f) and f.__module__ == path.stem and not name.startswith("_")
            and list(inspect.signature(f).parameters)[:1] == ["t"]]


def run_one(test):
    """None, or a text that says what went wrong."""
    t = T()
    try:
        test(t)
        t.finish()
        return None
    except check.Skip:
        raise
    except BaseException as error:  # a KeyboardInterrupt is told, too
        where = "".join(traceback.format_exception(error)[-6:])
        lines = [str(error) or repr(error), "", where]
        for n, site in enumerate(t.sites):
            site.kill()
            lines += [f"--- the log of site {n}, its end:", site.tail()]
        if isinstance(error, KeyboardInterrupt):
            raise
        return "\n".join(lines)
    finally:
        t.clean()


def run_file(path, only):
    """Runs a file's tests here; (passed, failed, skipped)."""
    passed = failed = skipped = 0
    print(f"{path.name}")
    for test in tests_of(path):
        if only and not any(x in path.name or x in test.__name__ for x in only):
            continue
        began = time.monotonic()
        try:
            wrong = run_one(test)
        except check.Skip as skip:
            skipped += 1
            print(f"  skip   {sentence(test.__name__)}: {skip}", flush=True)
            continue
        took = time.monotonic() - began
        if wrong is None:
            passed += 1
            print(f"  ok     {sentence(test.__name__)} ({took:.1f} s)", flush=True)
        else:
            failed += 1
            print(f"  FAIL   {sentence(test.__name__)} ({took:.1f} s)")
            print("\n".join("         " + line for line in wrong.split("\n")), flush=True)
    return passed, failed, skipped


def run_apart(paths, only, jobs):
    """Each file in a process of its own, so many at once; output by file."""
    waiting, running, totals = list(paths), [], [0, 0, 0]
    while waiting or running:
        while waiting and len(running) < jobs:
            path = waiting.pop(0)
            out = tempfile.TemporaryFile("w+")
            running.append((path, out, subprocess.Popen(
                [sys.executable, str(HERE / "run"), "--one", str(path), *only], stdout=out,
                stderr=subprocess.STDOUT)))
        path, out, process = running[0]
        if len(running) == jobs or not waiting:
            process.wait()
            running.pop(0)
            out.seek(0)
            text = out.read()
            print(re.sub(r"^TOTAL .*\n?", "", text, flags=re.M), end="", flush=True)
            found = re.search(r"^TOTAL (\d+) (\d+) (\d+)$", text, re.M)
            counts = [int(x) for x in found.groups()] if found else [0, 1, 0]
            totals = [a + b for a, b in zip(totals, counts)]
    return totals


def main(argv):
    jobs, one, only = 1, None, []
    words = iter(argv)
    for word in words:
        if word == "--one":
            one = pathlib.Path(next(words))
        elif word.startswith("-j"):
            jobs = int(word[2:] or next(words))
        elif word in ("-l", "--list"):
            for path in files(only):
                for test in tests_of(path):
                    print(f"{path.name}: {sentence(test.__name__)}")
            return 0
        elif word.startswith("-"):
            print("usage: tests/scenario/run [-jN] [--list] [WORD...]\n"
                  "TXW_BUILD=DIR says which build; a WORD picks files and tests by name.")
            return 2
        else:
            only.append(word)
    if one:
        print("TOTAL %d %d %d" % run_file(one, only))
        return 0
    began = time.monotonic()
    if jobs > 1:
        passed, failed, skipped = run_apart(files(only), only, jobs)
    else:
        passed = failed = skipped = 0
        for path in files(only):
            counts = run_file(path, only)
            passed, failed, skipped = (a + b for a, b in zip((passed, failed, skipped), counts))
    if skipped:
        print(f"{skipped} skipped")
    print(f"{time.monotonic() - began:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0
