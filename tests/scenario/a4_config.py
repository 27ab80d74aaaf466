"""Config: every mistake with its line, plugins refused in clear sentences."""

import os
import re
import shutil
import subprocess

from txwlib import check
from txwlib.site import BUILD, FLOW, HEAD, HOOKS, command


def _check(t, text, env=None):
    """`txwatch check` of a text: (exit status, what it said)."""
    file = t.folder("conf") / "site.conf"
    file.write_text(text)
    done = command("check", "-c", str(file), env={"TXW_TEST_ADMIN": "x" * 20, **(env or {})})
    return done.returncode, done.stdout + done.stderr


def _store(t):
    return f'store.sqlite main {{ path = "{t.folder("conf")}/x.db" }}\n'


def _lines(text):
    """The lines that errors were reported for."""
    return {int(n) for n in re.findall(r"site\.conf:(\d+): error", text)}


def a_good_file_passes_without_starting_anything(t):
    code, said = _check(t, HEAD + _store(t) + FLOW + HOOKS)
    check.equal(code, 0, said)
    check.true(not os.path.exists(t.folder("conf") / "x.db"), "no database")


def every_mistake_is_reported_with_its_line(t):
    text = (HEAD + _store(t) + FLOW + HOOKS).rstrip("\n") + "\n"
    first = text.count("\n") + 1
    text += ('poller.http bank {\n'                               # first
             '    # a comment, which shifts libconfuse\'s lines\n'
             '    flow = "paiment"\n'                             # +2
             '    url = "http://127.0.0.1:1/{{ref}}"\n'
             '    evry = 5s\n'                                    # +4
             '    timeout = "soon"\n'                             # +5
             '}\n'
             'route bad {\n'                                      # +7
             '    when = "amount >"\n'                            # +8
             '    to = { "nowhere:x" }\n'                         # +9
             '}\n')
    code, said = _check(t, text)
    check.equal(code, 1, said)
    check.holds(said, "evry", "every", "soon")
    check.true({first + 4, first + 5} <= _lines(said), f"lines {first + 4}, {first + 5}: {said}")


def names_that_are_not_known_are_told_with_the_nearest(t):
    text = (HEAD + _store(t) + FLOW + HOOKS).rstrip("\n") + "\n"
    first = text.count("\n") + 1
    code, said = _check(t, text + 'poller.http bank {\n    flow = "paiment"\n'
                                  '    url = "https://bank.example/{{ref}}"\n}\n')
    check.equal(code, 1, said)
    check.true(_lines(said) & {first, first + 1}, said)
    check.holds(said, "paiment", "payment")


def a_flow_is_proven_at_load(t):
    flow = FLOW.replace('next = { "refunded" }', 'next = { "refnded" }')
    code, said = _check(t, HEAD + _store(t) + flow + HOOKS)
    check.equal(code, 1, said)
    check.holds(said, "refnded", "payment")


def an_unset_secret_is_an_error_that_names_the_variable(t):
    code, said = _check(t, HEAD + _store(t) + FLOW + HOOKS
                        + 'token x { value = "env:TXW_NOT_SET" scopes = { "read" } }\n')
    check.equal(code, 1, said)
    check.holds(said, "TXW_NOT_SET")


def a_secret_in_the_file_itself_is_refused_and_not_repeated(t):
    code, said = _check(t, HEAD + _store(t) + FLOW + HOOKS
                        + 'token x { value = "hunter2hunter2hunter2" scopes = { "read" } }\n')
    check.equal(code, 1, said)
    check.true("hunter2" not in said, "a message without the secret")


def an_option_twice_is_an_error(t):
    code, said = _check(t, HEAD + _store(t) + FLOW
                        + 'notifier.webhook hooks { timeout = 5s\n timeout = 6s }\n')
    check.equal(code, 1, said)
    check.holds(said, "timeout")


def an_unterminated_quote_is_told_where_it_began(t):
    text = HEAD + _store(t) + FLOW
    line = text.count("\n") + 1
    code, said = _check(t, text + 'notifier.webhook hooks { timeout = "5s }\n\n\n')
    check.equal(code, 1, said)
    check.true(line in _lines(said), f"line {line}: {said}")


def a_file_that_is_not_there_is_told(t):
    done = command("check", "-c", "/nonexistent/site.conf")
    check.true(done.returncode in (1, 2), "a failure")
    check.holds(done.stdout + done.stderr, "/nonexistent/site.conf", "no such file")


def run_refuses_what_check_refuses(t):
    site = t.site("nonsense = 1\n", start=False)
    site.refuses("nonsense")


def explain_tells_each_option_of_a_plugin(t):
    done = command("explain", "poller.http")
    check.equal(done.returncode, 0, done.stderr)
    check.holds(done.stdout, "url", "every", "timeout", "breaker-failures", "flow")


def an_unknown_command_is_usage(t):
    check.equal(command("dance").returncode, 2, "exit status")


# ---- plugins that cannot be used ----

PLUGIN = r"""
#include "txwatch/txwatch.h"
static int32_t make(const txw_setup *s, void **out, txw_error *e)
{ (void)s; (void)e; *out = (void *)1; return TXW_OK; }
static int32_t send(void *i, const txw_delivery *d, size_t stride, size_t n, txw_error *e)
{ (void)i; (void)d; (void)stride; (void)n; (void)e; return TXW_OK; }
static const txw_notifier vtable = {.size = sizeof(vtable), .send = send};
static const txw_option rows[] = {
    {.size = sizeof(txw_option), .type = TXW_OPT_STRING, .name = ROW, .help = "Anything"}};
static const txw_role roles[] = {{.size = sizeof(txw_role), .kind = TXW_ROLE_NOTIFIER,
    .n_options = 1, .name = "odd", .summary = "A test", .options = rows,
    .option_stride = sizeof(txw_option), .vtable = &vtable, .create = make}};
static const txw_plugin plugin = {.size = sizeof(plugin), .abi_major = MAJOR,
    .abi_minor = MINOR, .n_roles = 1, .version = "9", .author = "a", .license = "MIT",
    .roles = roles, .role_stride = sizeof(txw_role)};
TXW_EXPORT const txw_plugin *SYMBOL(void);
TXW_EXPORT const txw_plugin *SYMBOL(void) { return &plugin; }
"""


def _plugin(t, major="TXW_ABI_MAJOR", minor="TXW_ABI_MINOR", row='"thing"', symbol="txw_plugin_1",
            extra=()):
    """Builds notifier.odd.so into the folder of its own; the folder."""
    folder = t.folder("plugins")
    source = folder / "odd.c"
    source.write_text(PLUGIN)
    cache = (BUILD / "CMakeCache.txt").read_text()
    top = re.search(r"^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$", cache, re.M).group(1)
    subprocess.run(["cc", "-shared", "-fPIC", "-fvisibility=hidden", f"-I{top}/sdk/include",
                    f"-DMAJOR={major}", f"-DMINOR={minor}", f"-DROW={row}", f"-DSYMBOL={symbol}",
                    "-o", str(folder / "notifier.odd.so"), str(source), *extra],
                   check=True, capture_output=True)
    return folder


def _with_odd(folder):
    return HEAD.replace('"exporter.prometheus" }',
                        '"exporter.prometheus", "notifier.odd" }\n'
                        f'plugin-path = {{ "{folder}", "{BUILD}/plugins" }}')


def _refused(t, folder, *parts):
    """The odd plugin is refused in these words; the rest of the site runs."""
    site = t.site("", head=_with_odd(folder), start=False)
    site.spawn()
    from txwlib.wait import until
    until(lambda: site.port or site.process.poll() is not None, "an end or a beginning", 30)
    if site.port:
        rows = site.get("/v1/plugins")["data"]
        row = next(r for r in rows if r.get("name") == "notifier.odd")
        check.holds(str(row), *parts)
        site.create("p1")
    check.holds("\n".join(site.log), "notifier.odd", *parts)
    done = command("plugins", "-c", str(site.file), env=site.env)
    check.holds(done.stdout + done.stderr, "notifier.odd", *parts)


def a_plugin_of_our_abi_is_loaded(t):
    folder = _plugin(t)
    site = t.site('notifier.odd one { thing = "x" }\n', head=_with_odd(folder))
    check.holds(str(site.get("/v1/plugins")), "notifier.odd")


def a_plugin_of_another_major_is_refused(t):
    _refused(t, _plugin(t, major="7"), "7.0", "1.0", "upgrade")


def a_plugin_that_needs_a_newer_minor_is_refused(t):
    _refused(t, _plugin(t, minor="99"), "1.99", "1.0", "upgrade")


def a_plugin_without_the_symbol_is_refused(t):
    _refused(t, _plugin(t, symbol="something_else"), "txw_plugin_1")


def a_plugin_with_malformed_rows_is_refused(t):
    _refused(t, _plugin(t, row='"Not A Name"'), "Not A Name")


def a_plugin_whose_library_is_missing_is_refused(t):
    folder = t.folder("plugins")
    (folder / "dep.c").write_text("int dep(void); int dep(void) { return 1; }\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(folder / "libdepofodd.so"),
                    str(folder / "dep.c")], check=True)
    (folder / "use.c").write_text("int dep(void); int use(void); int use(void) { return dep(); }\n")
    _plugin(t, extra=(str(folder / "use.c"), f"-L{folder}", "-Wl,--no-as-needed", "-ldepofodd"))
    os.unlink(folder / "libdepofodd.so")
    _refused(t, folder, "libdepofodd.so")


def a_plugin_that_is_nowhere_is_refused(t):
    folder = t.folder("plugins")
    _refused(t, folder, "notifier.odd")


def a_plugin_file_that_is_no_library_is_refused(t):
    folder = t.folder("plugins")
    (folder / "notifier.odd.so").write_text("not ELF\n")
    _refused(t, folder, "notifier.odd.so")


def a_plugin_folder_that_cannot_be_read_is_a_warning(t):
    head = HEAD + f'plugin-path = {{ "{BUILD}/plugins", "/nonexistent/folder" }}\n'
    code, said = _check(t, head + _store(t) + FLOW + HOOKS)
    check.equal(code, 0, said)
    check.holds(said, "/nonexistent/folder", "warning")


def the_same_plugin_in_two_folders_loads_once_from_the_first(t):
    folder = t.folder("copy")
    shutil.copy(BUILD / "plugins" / "notifier.webhook.so", folder / "notifier.webhook.so")
    head = HEAD + f'plugin-path = {{ "{folder}", "{BUILD}/plugins" }}\n'
    site = t.site(head=head)
    rows = [r for r in site.get("/v1/plugins")["data"] if r["name"] == "notifier.webhook"]
    check.equal(len(rows), 1, "rows of it")
    check.holds(rows[0]["path"], str(folder))


def the_shipped_files_pass(t):
    cache = (BUILD / "CMakeCache.txt").read_text()
    top = re.search(r"^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$", cache, re.M).group(1)
    files = [os.path.join(at, name) for at, _, names in os.walk(os.path.join(top, "conf"))
             for name in names if name.endswith(".conf")]
    check.true(len(files) >= 3, "shipped files")
    for file in files:
        with open(file, encoding="utf-8") as text:
            names = re.findall(r'"env:(\w+)"', text.read())
        done = command("check", "-c", file, env={
            name: "whsec_" + "YWJj" * 11 if "HOOK" in name else "a-secret-of-a-test"
            for name in names})
        check.equal(done.returncode, 0, done.stdout + done.stderr)
