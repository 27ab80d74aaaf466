"""RFC 3339 texts as seconds, and config durations."""

import datetime


def seconds(text):
    """Unix seconds (float) of an RFC 3339 text."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def text(unix):
    moment = datetime.datetime.fromtimestamp(unix, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
