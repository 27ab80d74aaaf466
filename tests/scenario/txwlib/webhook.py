"""Standard Webhooks signatures, checked on our own: nothing shared with the
code under test."""

import base64
import hashlib
import hmac


def sign(secret, message_id, timestamp, body):
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


def is_signed(secret, headers, body):
    """headers: lower-case names."""
    want = sign(secret, headers.get("webhook-id", ""), headers.get("webhook-timestamp", ""), body)
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(want, one) for one in given)
