"""The sender of a request: the client's address by trusted proxies, and whether it is the panel's own test."""

import ipaddress

from django.conf import settings
from django.core import signing
from django.http import HttpRequest

# A signed header marks the panel's own test steps, good for a minute.
HEADER = "X-Minerpanel-Test"
_SALT = "minerpanel live API test"
# Seconds that a request may take to arrive, with the difference of two clocks.
_GOOD_SECONDS = 60


def client_address(request: HttpRequest) -> str | None:
    """None for unknown. X-Forwarded-For is read from its end, as long as each hop is in TRUSTED_PROXIES: its start is written by the
    client."""
    address = _parsed(request.META.get("REMOTE_ADDR", ""))
    for hop in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        forwarded = _parsed(_without_port(hop.strip()))
        # What precedes an unreadable hop is not trusted.
        if forwarded is None or not is_trusted(str(address)):
            break
        address = forwarded
    return str(address) if address else None


def is_trusted(peer: str) -> bool:
    address = _parsed(peer)
    return address is not None and any(address in ipaddress.ip_network(network) for network in settings.TRUSTED_PROXIES)


def _without_port(hop: str) -> str:
    """Some proxies write 203.0.113.7:4711 or [2001:db8::7]:4711."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        # Without the zone of a link-local address: it names an interface of this machine, and databases refuse it.
        address = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def mark() -> dict[str, str]:
    """The header that marks a test. Other miners ignore it."""
    return {HEADER: signing.dumps("test", salt=_SALT)}


def is_test(request: HttpRequest) -> bool:
    if (signed := request.headers.get(HEADER)) is None:  # as of every caller
        return False
    try:
        signing.loads(signed, salt=_SALT, max_age=_GOOD_SECONDS)
    except signing.BadSignature:
        return False
    return True
