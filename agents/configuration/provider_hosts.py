"""Which hosts an account's key may be sent to: public ones, and private ones that the environment lists."""

from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from agents.contract.allowed_hosts import Address, Allowed, entry_of, is_listed, is_never_reached, is_public, is_refused_host, literal
from agents.contract.origins import port_of


def entries() -> tuple[Allowed, ...]:
    own = (urlsplit(url) for url in (settings.CHUTES_BASE_URL, settings.CHUTES_MANAGEMENT_URL))
    return (*(entry_of(str(parts.hostname), port_of(parts)) for parts in own), *settings.PRIVATE_PROVIDER_HOSTS)


def refused(host: str, port: int, addresses: Iterable[Address]) -> Address | None:
    """The first address that may not be connected to, None for none. One is enough to refuse a name: name servers change the order."""
    listed = entries()
    bad = (ip for ip in addresses if is_never_reached(ip) or not (is_public(ip) or is_listed(host, ip, port, listed)))
    return next(bad, None)


def why_refused(address: Address) -> str:
    if is_never_reached(address):
        return f"{address} is a link-local, metadata or reserved address: no key is sent there"
    return f"{address} is a private address that is not listed in PRIVATE_PROVIDER_HOSTS"


def url_fault(parts: SplitResult) -> str:
    """Why a URL may not be a provider's, "" where it may. Names are resolved when they are connected to, not here."""
    host, port, listed = str(parts.hostname), port_of(parts), entries()
    address = literal("127.0.0.1" if host == "localhost" or host.endswith(".localhost") else host)
    if is_refused_host(host):
        return "Link-local and metadata addresses are always refused."
    if any(port in entry.ports and entry.names(host) for entry in listed) or (address and is_listed(host, address, port, listed)):
        return ""
    if address and not is_public(address):
        return f"This is a private address. List {host}:{port} in PRIVATE_PROVIDER_HOSTS of the environment first."
    if parts.scheme == "http":
        return "Use https: over http others on the network can read the key. Only hosts in PRIVATE_PROVIDER_HOSTS may use http."
    return ""
