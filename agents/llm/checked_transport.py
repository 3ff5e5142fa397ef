"""HTTP transports that resolve a name and check its addresses at each connection, then connect to what was checked."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from typing import Any

import httpcore
import httpx

from agents.configuration import provider_hosts
from agents.contract.allowed_hosts import Address, is_never_reached

# Returns the first of a host's addresses that may not be connected to, None for none.
Check = Callable[[str, int, Iterable[Address]], Address | None]


def never_reached(host: str, port: int, addresses: Iterable[Address]) -> Address | None:
    """For hosts that get no key: only link-local, metadata and reserved addresses are refused."""
    return next((address for address in addresses if is_never_reached(address)), None)


class CheckedTransport(httpx.AsyncHTTPTransport):
    def __init__(self, limits: httpx.Limits, check: Check = provider_hosts.refused) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_certificates(),
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_Backend(check),
        )


class CheckedSyncTransport(httpx.HTTPTransport):
    """For single requests outside of the client's event loop."""

    def __init__(self, check: Check = provider_hosts.refused) -> None:
        self._pool = httpcore.ConnectionPool(ssl_context=_certificates(), network_backend=_SyncBackend(check))


class _Backend(httpcore.AnyIOBackend):
    def __init__(self, check: Check) -> None:
        self._check = check

    async def connect_tcp(self, host: str, port: int, timeout: float | None = None, *more: Any, **kw: Any) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                addresses = await asyncio.to_thread(_checked, host, port, self._check)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"{host} was not resolved in time") from error
        share = timeout and timeout / len(addresses)  # leaves time for the next address where one drops packets
        for address in addresses[:-1]:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return await super().connect_tcp(address, port, share, *more, **kw)
        return await super().connect_tcp(addresses[-1], port, share, *more, **kw)


class _SyncBackend(httpcore.SyncBackend):
    def __init__(self, check: Check) -> None:
        self._check = check

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, *more: Any, **kw: Any) -> httpcore.NetworkStream:
        addresses = _checked(host, port, self._check)
        share = timeout and timeout / len(addresses)  # leaves time for the next address where one drops packets
        for address in addresses[:-1]:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return super().connect_tcp(address, port, share, *more, **kw)
        return super().connect_tcp(addresses[-1], port, share, *more, **kw)


def _checked(host: str, port: int, check: Check) -> list[str]:
    """The host's addresses, at least one, in the system's order. Raises ConnectError before anything is sent."""
    try:
        resolved = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"{host} can't be resolved ({error})") from error
    addresses = list(dict.fromkeys(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in resolved))
    bad = check(host, port, addresses)
    if bad is not None:
        raise httpcore.ConnectError(f"{host} is refused: {provider_hosts.why_refused(bad)}")
    return [str(address) for address in addresses]


@cache
def _certificates() -> ssl.SSLContext:
    """Cached, as reading them takes longer than most requests."""
    return httpx.create_ssl_context()
