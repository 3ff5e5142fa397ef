"""Reading a task's page before it is planned, where an admin allows it. Each fetch has a client of its own: no cookies of another one."""

from collections.abc import Iterable, Sequence
from urllib.parse import urljoin

import httpx

from agents.contract.allowed_hosts import Address, Allowed, allowed, host_is_listed, may_connect
from agents.contract.origins import port_of, split_http
from agents.llm.checked_transport import CheckedTransport
from agents.llm.client import LLMError, start

LONGEST_SECONDS = 3.0
MAX_BYTES = 2_000_000
MOST_REDIRECTS = 2
HEADERS = {"Accept": "text/html", "User-Agent": "Mozilla/5.0"}


def fetch(url: str, hosts: Sequence[str], seconds: float) -> tuple[str, str]:
    """The HTML of the page at `url`, "" for none, and a sentence for the record. Takes at most `seconds`; never raises."""
    try:
        entries = [allowed(host) for host in hosts]
        html = start(_page(url, entries), min(seconds, LONGEST_SECONDS)).result()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return "", f"The page was not fetched: it can't be reached ({error or type(error).__name__})."
    except (LLMError, ValueError) as error:
        return "", f"The page was not fetched: {error}"
    return html, f"Fetched {url} first ({len(html) // 1000 + 1} kB)."


async def _page(url: str, entries: Sequence[Allowed]) -> str:
    """Raises ValueError with the reason, for the record, where no page was read."""

    def check(host: str, port: int, addresses: Iterable[Address]) -> None:
        if not host_is_listed(host, port, entries):
            raise ValueError(f"{host}:{port} is not on the list of hosts.")
        for address in addresses:
            if not may_connect(address, port, entries):
                raise ValueError(f"{host} is at {address}, a private address that is not listed.")

    origin = _, host, port = _origin(url)
    check(host, port, ())
    transport = CheckedTransport(httpx.Limits(), check)
    async with httpx.AsyncClient(transport=transport, trust_env=False, timeout=LONGEST_SECONDS) as client:
        for _ in range(MOST_REDIRECTS + 1):
            async with client.stream("GET", url, headers=HEADERS) as response:
                if not response.is_redirect:
                    return await _html(response)
            url = urljoin(url, response.headers.get("Location", "") or "/")
            if _origin(url) != origin:
                raise ValueError("it leads to another host.")
    raise ValueError("it redirects too often.")


async def _html(response: httpx.Response) -> str:
    if not response.is_success:
        raise ValueError(f"it answers {response.status_code}.")
    if "html" not in response.headers.get("Content-Type", "html"):
        raise ValueError("it is no HTML.")
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_BYTES:
            raise ValueError(f"it is longer than {MAX_BYTES} bytes.")
    return body.decode(response.charset_encoding or "utf-8", "replace")


def _origin(url: str) -> tuple[str, str, int]:
    """Raises ValueError for what is no absolute http(s) URL."""
    parts = split_http(url)
    if parts is None:
        raise ValueError("it has no http or https address.")
    return parts.scheme, str(parts.hostname), port_of(parts)
