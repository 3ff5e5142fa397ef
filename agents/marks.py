"""How the miner tells its own panel's test from a validator's step: a signed header, good for a minute."""

from __future__ import annotations

from django.core import signing
from django.http import HttpRequest

HEADER = "X-Minerpanel-Test"
_SALT = "minerpanel live API test"
# The time a request may take to arrive, with the difference of two clocks.
_GOOD_SECONDS = 60


def mark() -> dict[str, str]:
    """The header that marks a request as a test of this panel. Another miner ignores it."""
    return {HEADER: signing.dumps("test", salt=_SALT)}


def is_test(request: HttpRequest) -> bool:
    """Whether the request carries this panel's mark."""
    given = request.headers.get(HEADER)
    if not given:
        return False
    try:
        signing.loads(given, salt=_SALT, max_age=_GOOD_SECONDS)
    except signing.BadSignature:
        return False
    return True
