"""Signed tokens (JWT) of a site's own users."""

import base64
import hashlib
import hmac
import json
import shutil
import signal
import subprocess

from txwlib import check
from txwlib.site import command
from txwlib.wait import until

SECRET = b"0123456789abcdef0123456789abcdef"


def _b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def oct_key(secret=SECRET, **more):
    return {"kty": "oct", "k": _b64(secret), **more}


def hs256(text, secret=SECRET):
    return hmac.new(secret, text, hashlib.sha256).digest()


def jwt(claims, sign=hs256, **header):
    header = {"alg": "HS256", "typ": "JWT", **header}
    text = ".".join(_b64(json.dumps(part).encode()) for part in (header, claims))
    return text + "." + _b64(sign(text.encode()))


class World:
    def __init__(self, t, *keys, rows="", **options):
        self.keys = t.directory / "jwks.json"
        self.write(*(keys or (oct_key(),)))
        self.site = t.site(f'jwt {{ keys = "{self.keys}" issuer = "https://id.example" '
                           f'audience = "txwatch" {rows} }}\n', **options)

    def write(self, *keys):
        self.keys.write_text(json.dumps({"keys": list(keys)}))

    def claims(self, **more):
        return {"iss": "https://id.example", "aud": "txwatch", "sub": "alice",
                "exp": int(self.site.now()) + 3600, "scope": "openid txwatch:write", **more}

    def ask(self, token, method="GET", path="/v1/transactions", body=None, **options):
        return self.site.ask(method, path, body, token=token, **options)


class Signer:
    """A private key of the openssl program's making."""

    def __init__(self, t, kind):
        if not shutil.which("openssl"):
            raise check.Skip("no openssl program")
        self.file = t.directory / f"{kind}.pem"
        self.text = t.directory / f"{kind}.txt"
        self.kind = kind
        more = ["-pkeyopt", "rsa_keygen_bits:2048"] if kind == "RSA" else []
        self._run("genpkey", "-algorithm", kind, *more, "-out", str(self.file))
        der = self._run("pkey", "-in", str(self.file), "-pubout", "-outform", "DER")
        if kind == "RSA":
            words = self._run("rsa", "-in", str(self.file), "-noout", "-modulus").decode()
            modulus = bytes.fromhex(words.strip().partition("=")[2])
            self.jwk = {"kty": "RSA", "n": _b64(modulus), "e": "AQAB", "kid": "r"}
        else:
            self.jwk = {"kty": "OKP", "crv": "Ed25519", "x": _b64(der[-32:]), "kid": "e"}
        self.public = der

    @staticmethod
    def _run(*words):
        return subprocess.run(["openssl", *words], capture_output=True, check=True).stdout

    def __call__(self, text):
        self.text.write_bytes(text)
        if self.kind == "RSA":
            return self._run("dgst", "-sha256", "-sign", str(self.file), str(self.text))
        return self._run("pkeyutl", "-sign", "-rawin", "-inkey", str(self.file), "-in",
                         str(self.text))


def a_signed_token_opens_what_its_scopes_say(t):
    w = World(t)
    token = jwt(w.claims())
    made = w.ask(token, "POST", body={"flow": "payment", "ref": "p"})
    check.equal(made.status, 201, "write")
    check.equal(w.site.events()[0]["actor"], "jwt:alice", "the actor")
    check.equal(w.ask(token, path="/v1/tokens").status, 403, "no admin")
    reader = jwt(w.claims(scope=["txwatch:read"]))
    check.equal(w.ask(reader).status, 200, "read")
    check.equal(w.ask(reader, "POST", body={"flow": "payment", "ref": "q"}).status, 403, "no write")
    check.equal(w.ask(jwt(w.claims(scope="admin"))).status, 401, "another's scopes")


def rsa_and_ed25519_keys_prove_tokens_too(t):
    rsa, ed = Signer(t, "RSA"), Signer(t, "ED25519")
    w = World(t, rsa.jwk, ed.jwk)
    for sign, alg, kid in ((rsa, "RS256", "r"), (ed, "EdDSA", "e")):
        good = jwt(w.claims(), sign, alg=alg, kid=kid)
        check.equal(w.ask(good).status, 200, alg)
        check.equal(w.ask(good[:-8] + "AAAAAAAA").status, 401, alg + " with another signature")
        # The public key, which everybody has, as HMAC's secret.
        for secret in (sign.public, base64.urlsafe_b64decode(
                (sign.jwk.get("n") or sign.jwk["x"]) + "==")):
            forged = jwt(w.claims(scope="txwatch:admin"), lambda x, s=secret: hs256(x, s), kid=kid)
            check.equal(w.ask(forged).status, 401, alg + "'s public key as a secret")
    check.equal(w.ask(jwt(w.claims(), rsa, alg="EdDSA", kid="e")).status, 401, "the other's key")


def what_is_wrong_with_a_proven_token_is_told_and_with_others_not(t):
    w = World(t)
    for more, words in (({"aud": "shop"}, "aud"), ({"iss": "https://evil.example"}, "iss"),
                        ({"exp": 1}, "expired"), ({"nbf": w.site.now() + 3600}, "not valid yet"),
                        ({"sub": None}, "sub"), ({"scope": "openid"}, "scope")):
        reply = w.ask(jwt(w.claims(**more)))
        check.equal(reply.status, 401, str(more))
        check.holds(reply.json["detail"], words)
        check.holds(reply.headers["www-authenticate"], "invalid_token")
    stranger = jwt(w.claims(aud="shop"), lambda text: hs256(text, b"x" * 32))
    check.equal(w.ask(stranger).json["detail"], "the token is not known here", "a stranger's")
    for alg in ("none", "HS512", "RS256"):
        check.equal(w.ask(jwt(w.claims(), alg=alg)).status, 401, alg)
    check.equal(w.ask(jwt(w.claims(), lambda text: b"", alg="none")).status, 401, "unsigned")


def a_token_ends_by_the_sites_clock_and_its_skew(t):
    w = World(t, rows="skew = 30s")
    token = jwt(w.claims(exp=int(w.site.now()) + 600))
    w.site.advance("10m")
    check.equal(w.ask(token).status, 200, "within the skew")
    w.site.advance("31s")
    reply = w.ask(token)
    check.equal((reply.status, reply.json["detail"]), (401, "the token has expired"), "after it")


def tenants_come_from_a_claim_and_do_not_see_each_other(t):
    w = World(t, rows='tenant-claim = "org"')
    a, b = (jwt(w.claims(org=org, sub=org, scope="txwatch:admin")) for org in ("a", "b"))
    made = w.ask(a, "POST", body={"flow": "payment", "ref": "p"}).json
    check.equal(w.ask(b).json["data"], [], "b's list")
    check.equal(w.ask(b, path="/v1/transactions/" + made["id"]).status, 404, "a's in b")
    check.equal(w.ask(b, "POST", "/v1/reload").status, 403, "no operator")
    check.equal(w.ask(jwt(w.claims())).status, 401, "without the claim")
    token = w.ask(b, "POST", "/v1/tokens", {"name": "x", "scopes": ["read"]}).json
    w.site.secrets.append(token["token"])
    check.equal((token["tenant"], token["created_by"]), ("b", "jwt:b"), "a token b makes")
    check.equal(w.site.get("/v1/audit?tenant=b")["data"][0]["actor"], "jwt:b", "audit")


def one_persons_idempotency_keys_are_not_anothers(t):
    w = World(t)
    def ask(sub, ref):
        return w.ask(jwt(w.claims(sub=sub)), "POST", body={"flow": "payment", "ref": ref},
                     headers={"Idempotency-Key": "same"})
    check.equal([ask("alice", "a").status, ask("bob", "b").status, ask("alice", "a").status],
                [201, 201, 201], "answers")
    check.equal(len(w.site.events()), 2, "events")


def a_reload_reads_the_keys_again(t):
    w = World(t)
    old, new = jwt(w.claims(exp=2000000000)), jwt(w.claims(exp=2000000000),
                                                   lambda text: hs256(text, b"n" * 32))
    check.equal((w.ask(old).status, w.ask(new).status), (200, 401), "before")
    w.write(oct_key(b"n" * 32))
    w.site.process.send_signal(signal.SIGHUP)
    until(lambda: len(w.site.logged("listening")) == 2, "the new site to listen")
    check.equal((w.ask(old).status, w.ask(new).status), (401, 200), "after")
    w.keys.write_text("nonsense")
    check.equal(w.site.ask("POST", "/v1/reload").status, 422, "a bad file")
    check.equal(w.ask(new).status, 200, "goes on")


def check_tells_what_is_wrong_with_the_keys(t):
    w = World(t, start=False)
    def says(*words):
        done = command("check", "-c", str(w.site.file), env=w.site.env)
        check.equal(done.returncode, 1, "the exit status")
        check.holds(done.stdout + done.stderr, "site.conf:", "jwt", *words)
    w.write(oct_key(b"short"))
    says("key 1", "5 bytes")
    w.keys.write_text("{}")
    says("not a JWKS")
    w.keys.unlink()
    says("cannot be opened")
    w.write(oct_key())
    check.equal(command("check", "-c", str(w.site.file), env=w.site.env).returncode, 0, "good")


def guesses_at_signatures_are_throttled(t):
    w = World(t)
    wrong = [jwt(w.claims(sub=str(i)), lambda text: hs256(text, b"g" * 32)) for i in range(12)]
    check.equal([w.ask(token).status for token in wrong], [401] * 10 + [429] * 2, "answers")
    check.equal(w.ask(jwt(w.claims())).status, 200, "a good one passes")
    w.site.advance("61s")
    check.equal(w.ask(wrong[0]).status, 401, "a minute later")
    # What is proven is no guess, though it is refused.
    for _ in range(20):
        check.equal(w.ask(jwt(w.claims(aud="x"))).status, 401, "refused")
