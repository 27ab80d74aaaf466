"""The other ends: Bank, a scriptable upstream, and Receiver, a scriptable
webhook receiver. Both are HTTP/1.1 servers in threads of the test, remember
all they were asked, and let go of whatever hangs when they are closed."""

import http.server
import json
import socket
import socketserver
import threading
import time
import urllib.parse

from . import webhook
from .wait import news


class Answer:
    """One scripted HTTP answer."""

    def __init__(self, status=200, body=b"", headers=None, kind="application/json", hang=False,
                 trickle=False, cut=False):
        self.status = status
        self.body = body if isinstance(body, bytes) else body.encode()
        self.headers = headers or {}
        self.kind = kind
        self.hang = hang          # never answer, until the peer is closed
        self.trickle = trickle    # one byte a second
        self.cut = cut            # close the connection without an answer


HANG = Answer(hang=True)
CUT = Answer(cut=True)


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        pass  # a client that went away is not our trouble


class Peer:
    """A server on a port of its own; handle(request) -> Answer."""

    def __init__(self, port=0):
        self.lock = threading.RLock()
        self.over = threading.Event()
        peer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def serve(self):
                length = int(self.headers.get("Content-Length") or 0)
                self.content = self.rfile.read(length) if length else b""
                self.names = {k.lower(): v for k, v in self.headers.items()}
                peer.respond(self, peer.handle(self))

            do_GET = do_POST = do_PUT = do_HEAD = do_PATCH = do_DELETE = serve

            def log_message(self, *args):
                pass

        self.server = _Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def respond(self, handler, answer):
        news()
        if answer.hang or answer.cut:
            if answer.hang:
                self.over.wait()
            handler.close_connection = True
            try:
                handler.connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            return
        handler.send_response(answer.status)
        handler.send_header("Content-Type", answer.kind)
        handler.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        if answer.trickle:
            handler.wfile.flush()
            for i in range(len(answer.body)):
                handler.wfile.write(answer.body[i:i + 1])
                handler.wfile.flush()
                if self.over.wait(1):
                    break
            handler.close_connection = True
        else:
            handler.wfile.write(answer.body)
            handler.wfile.flush()

    def close(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


class Bank(Peer):
    """
    GET /payments/REF       {"id","state","reason","code","version","at"}
    GET /batch?refs=A,B     {"items":[the same, ...]}
    GET /list?after=CURSOR  {"payments":[...],"next":"CURSOR"}; a page of 2

    script(ref, step, ...): each question takes the next step, the last stays.
    A step is a word ("SUCCESS"), a dict merged into the answer, or an Answer.
    everyone: an Answer that overrides all, while set.
    """

    PAGE = 2

    def __init__(self, port=0):
        self.steps = {}
        self.asked = []      # (path, ref, time.monotonic(), headers, body)
        self.listed = []     # discovery: dicts, in order
        self.everyone = None
        super().__init__(port)

    def script(self, ref, *steps):
        with self.lock:
            self.steps[ref] = list(steps)

    def list(self, *payments):
        with self.lock:
            self.listed.extend(payments)

    def count(self, ref=None):
        with self.lock:
            return sum(1 for one in self.asked if ref is None or ref in one[1].split(","))

    def _step(self, ref):
        steps = self.steps.get(ref)
        if not steps:
            return None
        return steps.pop(0) if len(steps) > 1 else steps[0]

    @staticmethod
    def _object(ref, step):
        return {"id": ref, "state": step} if isinstance(step, str) else {"id": ref, **step}

    def handle(self, request):
        url = urllib.parse.urlsplit(request.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        with self.lock:
            kind, _, ref = url.path.lstrip("/").partition("/")
            ref = urllib.parse.unquote(ref)
            if kind == "batch":
                ref = query.get("refs", "")
                if request.content:
                    ref = ",".join(json.loads(request.content)["refs"])
            self.asked.append((url.path, ref, time.monotonic(), request.names, request.content))
            if self.everyone:
                return self.everyone
            if kind == "payments":
                step = self._step(ref)
                if isinstance(step, Answer):
                    return step
                if step is None:
                    return Answer(404, b'{"error":"no such payment"}')
                return Answer(200, json.dumps(self._object(ref, step)))
            if kind == "batch":
                found = ((one, self._step(one)) for one in ref.split(","))
                items = [self._object(one, step) for one, step in found if step is not None]
                return Answer(200, json.dumps({"items": items}))
            if kind == "list":
                after = int(query.get("after") or 0)
                page = self.listed[after:after + self.PAGE]
                return Answer(200, json.dumps({"payments": page, "next": str(after + len(page)),
                                               "more": after + len(page) < len(self.listed)}))
            return Answer(404, b"{}")


class Got:
    """One webhook as it came."""

    def __init__(self, request):
        self.path = request.path
        self.headers = request.names
        self.body = request.content
        self.id = request.names.get("webhook-id")
        self.timestamp = int(request.names.get("webhook-timestamp") or 0)
        try:
            self.json = json.loads(self.body)
        except ValueError:
            self.json = {}

    @property
    def event(self):
        return self.json.get("data") or {}

    @property
    def seq(self):
        return self.event.get("seq")

    @property
    def ref(self):
        return (self.event.get("transaction") or {}).get("ref")


class Receiver(Peer):
    """
    Every path is a target: behave(path, Answer, ...) scripts it, the last
    answer stays, the default is 200. secrets[path] is what signatures are
    checked with: a bad one is noted in `forged` and answered 401.
    """

    def __init__(self, port=0):
        self.got = []
        self.forged = []
        self.secrets = {}
        self.scripts = {}
        super().__init__(port)

    def behave(self, path, *answers):
        with self.lock:
            self.scripts[path] = list(answers)

    def handle(self, request):
        got = Got(request)
        with self.lock:
            secret = self.secrets.get(got.path)
            if secret and not webhook.is_signed(secret, got.headers, got.body):
                self.forged.append(got)
                return Answer(401)
            self.got.append(got)
            script = self.scripts.get(got.path)
            if not script:
                return Answer(200, b"ok", kind="text/plain")
            return script.pop(0) if len(script) > 1 else script[0]

    def on(self, path, type=None, ref=None):
        """What came at a path, in order, of an event type and a ref."""
        with self.lock:
            return [g for g in self.got
                    if g.path == path and type in (None, g.json.get("type"))
                    and ref in (None, g.ref)]
