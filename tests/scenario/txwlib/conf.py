"""Config sections for the scripted peers of peers.py."""

import ipaddress
import socket

from .check import Skip


def inside_name():
    """A name of this machine's that looks like any other and resolves to an
    address inside."""
    for name in (socket.gethostname(), "ip6-localhost"):
        try:
            found = {row[4][0] for row in socket.getaddrinfo(name, None)}
        except OSError:
            continue
        if found and not any(ipaddress.ip_address(one.split("%")[0]).is_global for one in found):
            return name
    raise Skip("this machine has no name of its own")


def poller(bank, *rows, name="bank", every="10s", url="/payments/{{ref}}"):
    """A poller.http that asks a Bank; rows: further lines of its section."""
    return "\n".join((
        f"poller.http {name} {{",
        '    flow = "payment"',
        f'    url = "{bank.url}{url}"',
        '    status = "/state"',
        '    reason = "/reason"',
        '    code = "/code"',
        f"    every = {every}",
        "    jitter = 0",
        '    map = { "PENDING=pending", "AUTHORIZED=authorized", "SUCCESS=settled",',
        '            "DECLINED=failed", "VOID=cancelled", "REFUND=refunded" }',
        '    allow-networks = { "127.0.0.0/8" }',
        *("    " + row for row in rows),
        "}\n"))


def flow(pending="", authorized="", top="", settled='next = { "refunded" }'):
    """The payment flow with further options in some of its states."""
    return f"""
flow payment {{
    initial = "pending"
    {top}
    state pending {{
        next = {{ "authorized", "settled", "failed", "cancelled" }}
        {pending}
    }}
    state authorized {{
        next = {{ "settled", "failed", "cancelled" }}
        {authorized}
    }}
    state settled    {{ outcome = "success" {settled} }}
    state refunded   {{ outcome = "cancelled" }}
    state failed     {{ outcome = "failure" }}
    state cancelled  {{ outcome = "cancelled" }}
    state expired    {{ outcome = "expired" }}
}}
"""


def hooks(*rows, networks=True):
    """A notifier.webhook that may reach the loopback, unless told not to."""
    allow = ['    allow-networks = { "127.0.0.0/8" }'] if networks else []
    return "\n".join(("", "notifier.webhook hooks {", *allow, *("    " + r for r in rows), "}\n"))
