"""
The API's own description (OpenAPI 3.1), and whether an answer keeps to it.

Schemas are compiled once into functions. Only the keywords that our
description uses are known here; another one is an error, so nothing goes
unchecked. An answer's object with members that its schema does not name is
wrong, too, though the description allows clients to meet new ones.
"""

import functools
import json
import re
import subprocess

SKIPPED = {"description", "default"}
TYPES = {
    "string": lambda v: isinstance(v, str),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "boolean": lambda v: isinstance(v, bool),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
    "null": lambda v: v is None,
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$")


class Mismatch(Exception):
    pass


class Description:
    def __init__(self, document):
        self.document = document
        self.compiled = {}
        self.routes = []
        for path, item in document["paths"].items():
            for method, operation in item.items():
                self.routes.append((method.upper(), self._path_pattern(path, operation), path,
                                    operation))

    @staticmethod
    def _path_pattern(path, operation):
        rest = {p["name"] for p in operation["parameters"] if p.get("x-rest-of-path")}
        text = re.escape(path).replace(r"\{", "{").replace(r"\}", "}")
        return re.compile(re.sub(r"{(\w+)}", lambda m: ".+" if m[1] in rest else "[^/]+", text))

    def find(self, method, path):
        """(path, operation), or None: the first that matches, as the host does."""
        method = "GET" if method == "HEAD" else method
        for one, pattern, name, operation in self.routes:
            if one == method and pattern.fullmatch(path):
                return name, operation
        return None

    # ---- schemas ----

    def check(self, schema, value, where):
        self._compile(schema)(value, where)

    def _compile(self, schema):
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            return lambda v, at: self._named(name)(v, at)
        rest = dict(schema)
        for key in SKIPPED:
            rest.pop(key, None)
        tests = []
        for key in list(rest):
            maker = getattr(self, "_" + key, None)
            if key in ("required", "additionalProperties"):
                continue
            if not maker:
                raise AssertionError(f"a schema's keyword {key} is not known to the tests")
            tests.append(maker(rest[key], schema))

        def run(value, at):
            for test in tests:
                test(value, at)
        return run

    def _named(self, name):
        if name not in self.compiled:
            self.compiled[name] = self._compile(self.document["components"]["schemas"][name])
        return self.compiled[name]

    def _type(self, types, _):
        types = types if isinstance(types, list) else [types]
        tests = [TYPES[t] for t in types]

        def run(v, at):
            if not any(t(v) for t in tests):
                raise Mismatch(f"{at}: {v!r} is not of type {' or '.join(types)}")
        return run

    def _format(self, name, _):
        def run(v, at):
            if name == "date-time" and isinstance(v, str) and not TIME.match(v):
                raise Mismatch(f"{at}: {v!r} is not a time")
        return run

    def _enum(self, values, _):
        def run(v, at):
            if v not in values:
                raise Mismatch(f"{at}: {v!r} is not one of {values}")
        return run

    def _pattern(self, text, _):
        pattern = re.compile(text)

        def run(v, at):
            if isinstance(v, str) and not pattern.search(v):
                raise Mismatch(f"{at}: {v!r} is not like {text}")
        return run

    def _maxLength(self, n, _):
        def run(v, at):
            if isinstance(v, str) and len(v) > n:
                raise Mismatch(f"{at}: longer than {n}")
        return run

    def _minimum(self, n, _):
        def run(v, at):
            if v is not None and v < n:
                raise Mismatch(f"{at}: {v} is less than {n}")
        return run

    def _items(self, schema, _):
        item = self._compile(schema)

        def run(v, at):
            for i, one in enumerate(v or ()):
                item(one, f"{at}[{i}]")
        return run

    def _allOf(self, schemas, _):
        all_of = [self._compile(s) for s in schemas]

        def run(v, at):
            for one in all_of:
                one(v, at)
        return run

    def _anyOf(self, schemas, _):
        any_of = [self._compile(s) for s in schemas]

        def run(v, at):
            why = []
            for one in any_of:
                try:
                    one(v, at)
                    return
                except Mismatch as e:
                    why.append(str(e))
            raise Mismatch(f"{at}: none of its schemas holds: {why}")
        return run

    def _oneOf(self, schemas, _):
        one_of = [self._compile(s) for s in schemas]

        def run(v, at):
            why = []
            for one in one_of:
                try:
                    one(v, at)
                    why.append(None)
                except Mismatch as e:
                    why.append(str(e))
            if why.count(None) != 1:
                raise Mismatch(f"{at}: {why.count(None)} of its schemas hold: {why}")
        return run

    def _properties(self, properties, schema):
        tests = {name: self._compile(s) for name, s in properties.items()}
        required = schema.get("required", [])

        def run(v, at):
            if not isinstance(v, dict):
                return
            for name in required:
                if name not in v:
                    raise Mismatch(f"{at}: lacks {name}")
            for name, one in v.items():
                if name not in tests:
                    raise Mismatch(f"{at}: has {name}, which its schema does not name")
                tests[name](one, f"{at}.{name}")
        return run

    # ---- answers ----

    def answer(self, method, path, sent, status, headers, body):
        """Raises Mismatch unless the answer is one that the route describes."""
        kind = headers.get("content-type", "").partition(";")[0]
        found = self.find(method, path)
        if not found:
            if status >= 400 and kind != "text/html":
                self._problem(kind, body, "no route")
            return
        name, operation = found
        where = f"{method} {name} {status}"
        described = operation["responses"].get(str(status))
        if kind == "text/html" and status in (400, 431):
            return  # the HTTP library's own: docs/api.md tells of them
        if described is None:
            raise Mismatch(f"{where}: not among {list(operation['responses'])}: {body[:300]!r}")
        if "$ref" in described:
            self._problem(kind, body, where)
            return
        if status == 304 or method == "HEAD" or "content" not in described:
            if body:
                raise Mismatch(f"{where}: has a body")
            return
        media = described["content"].get(kind)
        if media is None:
            raise Mismatch(f"{where}: is {kind!r}, not one of {list(described['content'])}")
        if kind == "application/json":
            self.check(media["schema"], json.loads(body), where)
        self._sent(operation, sent, where)

    def _sent(self, operation, sent, where):
        """A body that was taken is one that the description allows."""
        wanted = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if wanted and sent:
            self.check(wanted["schema"], json.loads(sent), where + " the body sent")

    def _problem(self, kind, body, where):
        if not body:
            return  # HEAD
        if kind != "application/problem+json":
            raise Mismatch(f"{where}: a problem of type {kind!r}")
        self.check({"$ref": "#/components/schemas/Problem"}, json.loads(body), where)


@functools.lru_cache(maxsize=None)
def of(program, is_virtual):
    """The description of a build, under a virtual clock or not."""
    words = ["explain", "--openapi"] + (["--all"] if is_virtual else [])
    done = subprocess.run([str(program), *words], capture_output=True, check=True, timeout=60)
    return Description(json.loads(done.stdout))
