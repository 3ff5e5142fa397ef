"""Who sent a request: the peer, or what trusted proxies say of it."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """The client's IP address, None where it can't be told.

    X-Forwarded-For is read from its end, and only as far as the proxies in TRUSTED_PROXIES vouch for it:
    a client can write what it likes into its start.
    """
    address = _parsed(request.META.get("REMOTE_ADDR", ""))
    for hop in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        if address is None or not _is_trusted(address):
            break
        said = _parsed(_without_port(hop.strip()))
        if said is None:
            # What stands before a hop that can't be read has nobody to vouch for it.
            break
        address = said
    return str(address) if address else None


def _is_trusted(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return any(address in ipaddress.ip_network(network) for network in settings.TRUSTED_PROXIES)


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
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
