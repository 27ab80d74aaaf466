"""docs/api.md: every example runs as it stands, in the page's order."""

import re
import shlex
import subprocess
import urllib.parse

from txwlib import check, description
from txwlib.site import ADMIN, PROGRAM, TOP

PAGE = TOP / "docs" / "api.md"
# The page's own setting of these is for its reader; the rest of the block runs.
SETTINGS = re.compile(r"^export TXWATCH(_TOKEN)?=.*\n", re.M)


def _blocks():
    """(heading, the shell code below it), as the page has them."""
    found, heading, code = [], "", None
    for line in PAGE.read_text().splitlines(keepends=True):
        if code is not None:
            if line.startswith("```"):
                found.append((heading, "".join(code)))
                code = None
            else:
                code.append(line)
        elif line.startswith("```sh"):
            code = []
        elif line.startswith("#"):
            heading = line.lstrip("#").strip()
    return found


def _script(site, hook):
    """One bash program; every curl adds `status method url` to descriptor 3."""
    lines = ["shopt -s expand_aliases", "set -u",
             f"export TXWATCH=http://127.0.0.1:{site.port} TXWATCH_TOKEN={ADMIN}",
             "curl() { command curl --max-time 20 -w '%{stderr}%{http_code} %{method} "
             "%{url_effective}\\n' \"$@\" 2>&3; }"]
    for heading, code in _blocks():
        code = SETTINGS.sub("", code).replace("https://example.com/hook", hook)
        lines += [f"printf '# %s\\n' {shlex.quote(heading)} >&3", code]
    return "\n".join(lines) + "\n"


def _run(t, site, hook):
    """[(heading, [(status, method, path)])] of the whole page."""
    told = t.directory / "requests"
    with told.open("w") as out:
        done = subprocess.run(["bash", "-c", 'exec 3>&"$0"; exec bash', str(out.fileno())],
                              input=_script(site, hook), text=True, capture_output=True,
                              timeout=120, check=False, cwd=t.directory, pass_fds=[out.fileno()])
    check.equal(done.stderr, "", "what the shell complains of")
    sections = []
    for line in told.read_text().splitlines():
        if line.startswith("# "):
            sections.append((line[2:], []))
            continue
        words = line.split(" ", 2)
        check.equal(len(words), 3, f"curl says, below {sections[-1][0]}: {line}")
        sections[-1][1].append((int(words[0]), words[1],
                                urllib.parse.unquote(urllib.parse.urlsplit(words[2]).path)))
    return sections, done.stdout


def every_example_of_the_page_runs_and_is_of_its_route(t):
    hook = t.receiver()
    site = t.site()
    known = description.of(PROGRAM, True)
    sections, out = _run(t, site, hook.url + "/hook")
    check.true(len(sections) > 25, "more than 25 examples")
    for heading, requests in sections:
        for status, method, path in requests:
            check.true(200 <= status < 300,
                       f"a good answer below {heading}, not {status} to {method} {path}\n{out}")
        route = re.fullmatch(r"`([A-Z]+) (\S+)`", heading)
        if not route:
            continue
        reached = {(method, (known.find(method, path) or (path,))[0])
                   for _, method, path in requests}
        check.true(route.groups() in reached, f"an example of {heading}; it has {reached}")
