"""A look at a task's page before it is planned, where an admin allows it.

The host is resolved once, and the address that was checked is the one that is connected to: a name that leads somewhere else a moment
later gains nothing. Redirects are followed on the same origin only, proxies of the environment are not used, and each look has a client
of its own, which remembers no cookies of another one.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import SplitResult, urljoin

import httpx

from agents.llm import LLMError, start
from agents.look_hosts import Address, Allowed, allowed, host_is_listed, may_connect
from agents.sites import split_http

LONGEST_SECONDS = 3.0
MAX_BYTES = 2_000_000
MOST_REDIRECTS = 2
_PORTS = {"http": 80, "https": 443}


class NotSeen(Exception):
    """No page was got. The text says why, for the record."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look brought: the page's HTML, "" for none, and a sentence for the record."""

    html: str
    told: str


def look(url: str, hosts: Sequence[str], seconds: float) -> Sight:
    """The page at `url`, in at most `seconds`; never raises."""
    limit = min(seconds, LONGEST_SECONDS)
    try:
        entries = [allowed(host) for host in hosts]
        html = start(_page(url, entries), limit).result()
    except (NotSeen, LLMError, ValueError) as error:
        return Sight("", f"The page was not looked at: {error}")
    return Sight(html, f"Looked at {url} first ({len(html) // 1000 + 1} kB).")


async def _page(url: str, entries: Sequence[Allowed]) -> str:
    origin = _origin(url)
    for _ in range(MOST_REDIRECTS + 1):
        moved, html = await _got(url, entries)
        if not moved:
            return html
        url = urljoin(url, moved)
        if _origin(url) != origin:
            raise NotSeen("it leads to another host.")
    raise NotSeen("it leads on and on.")


async def _got(url: str, entries: Sequence[Allowed]) -> tuple[str, str]:
    """Where the page has moved to, or its HTML."""
    parts = _parts(url)
    address = await _checked(parts, entries)
    literal = f"[{address}]" if address.version == 6 else str(address)
    target = parts._replace(netloc=f"{literal}:{_port(parts)}", fragment="").geturl()
    headers = {"Host": parts.netloc.rpartition("@")[2], "Accept": "text/html", "User-Agent": "Mozilla/5.0"}
    try:
        async with (
            httpx.AsyncClient(trust_env=False, verify=_certificates(), timeout=LONGEST_SECONDS) as client,
            client.stream("GET", target, headers=headers, extensions={"sni_hostname": parts.hostname}) as response,
        ):
            if response.is_redirect:
                return response.headers.get("Location", "") or "/", ""
            if not response.is_success:
                raise NotSeen(f"it answers {response.status_code}.")
            if "html" not in response.headers.get("Content-Type", "html"):
                raise NotSeen("it is no HTML.")
            return "", await _read(response)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotSeen(f"it can't be reached ({type(error).__name__}).") from error


async def _read(response: httpx.Response) -> str:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_BYTES:
            raise NotSeen(f"it is longer than {MAX_BYTES} bytes.")
    return body.decode(response.charset_encoding or "utf-8", "replace")


async def _checked(parts: SplitResult, entries: Sequence[Allowed]) -> Address:
    """The address to connect to; one that may not be asked spoils the name."""
    host, port = str(parts.hostname), _port(parts)
    if not host_is_listed(host, port, entries):
        raise NotSeen(f"{host}:{port} is not on the list of hosts.")
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotSeen(f"{host} is not known ({error}).") from error
    addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    refused = next((one for one in addresses if not may_connect(one, port, entries)), None)
    if refused or not addresses:
        raise NotSeen(f"{host} is at {refused}, a private address that is not listed.")
    return addresses[0]


def _parts(url: str) -> SplitResult:
    parts = split_http(url)
    if parts is None:
        raise NotSeen("it has no http or https address.")
    return parts


def _origin(url: str) -> tuple[str, str | None, int]:
    parts = _parts(url)
    return parts.scheme, parts.hostname, _port(parts)


def _port(parts: SplitResult) -> int:
    return parts.port if parts.port is not None else _PORTS[parts.scheme]


@cache
def _certificates() -> ssl.SSLContext:
    """Reading them takes longer than a look."""
    return httpx.create_ssl_context(trust_env=False)
