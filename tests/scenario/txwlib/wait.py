"""Waiting for something to come true, without sleeping.

Whoever learns of something (a peer that was asked, a log line) calls
news(); until() looks again at each news, and at least every few
milliseconds, because what the host does inside is seen only by asking it.
"""

import threading
import time

_news = threading.Condition()
PACE = 0.01


def news():
    with _news:
        _news.notify_all()


class Late(AssertionError):
    """A condition did not come true in time."""


def until(condition, what, seconds=15):
    """Returns condition()'s first true value; Late after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Late(f"expected {what} within {seconds} s; came {value!r}")
        with _news:
            _news.wait(PACE)
