"""What a test says about what it saw; a failure tells expected and came."""


def _show(value):
    text = repr(value)
    return text if len(text) < 2000 else text[:2000] + "..."


def equal(came, expected, what=""):
    if came != expected:
        raise AssertionError(f"{what}\n  expected {_show(expected)}\n  came     {_show(came)}")
    return came


def true(came, what):
    if not came:
        raise AssertionError(f"expected {what}\n  came     {_show(came)}")
    return came


def holds(text, *parts):
    """Every part is in the text, whatever the case."""
    for part in parts:
        if part.lower() not in text.lower():
            raise AssertionError(f"expected a text with {part!r}\n  came     {_show(text)}")
    return text


def near(came, expected, share, what=""):
    """came is within share (0.2 = 20 %) of expected."""
    if abs(came - expected) > share * expected:
        raise AssertionError(f"{what}\n  expected {expected} +- {share * 100:.0f} %"
                             f"\n  came     {came}")
    return came


class Skip(Exception):
    """The test cannot run here; the reason is told and counted apart."""
