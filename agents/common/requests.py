"""Who sent a request: the client's address as far as trusted proxies vouch for it, and whether it is the panel's own test."""

import ipaddress

from django.conf import settings
from django.core import signing
from django.http import HttpRequest

# A signed header marks the panel's own test steps, good for a minute.
HEADER = "X-Minerpanel-Test"
_SALT = "minerpanel live API test"
# The time a request may take to arrive, with the difference of two clocks.
_GOOD_SECONDS = 60


def client_address(request: HttpRequest) -> str | None:
    """None where it is unknown. X-Forwarded-For is read from its end, as far as the proxies in TRUSTED_PROXIES vouch for it: a client
    can write what it likes into its start."""
    address = _parsed(request.META.get("REMOTE_ADDR", ""))
    for hop in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        said = _parsed(_without_port(hop.strip()))
        # Nothing vouches for what stands before a hop that can't be read.
        if said is None or not is_trusted(str(address)):
            break
        address = said
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
    """Another miner ignores it."""
    return {HEADER: signing.dumps("test", salt=_SALT)}


def is_test(request: HttpRequest) -> bool:
    if (said := request.headers.get(HEADER)) is None:  # that of every caller
        return False
    try:
        signing.loads(said, salt=_SALT, max_age=_GOOD_SECONDS)
    except signing.BadSignature:
        return False
    return True
