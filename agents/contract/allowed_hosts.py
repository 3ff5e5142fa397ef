"""Which hosts the miner may connect to, by lists of hosts, addresses and networks with ports. Nothing is resolved here."""

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Parsed = TypeVar("Parsed")

_ENTRY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\](?:/\d+)?|[^:\[\]]+|[0-9A-Fa-f:.]+(?:/\d+)?)(?::(?P<ports>\d+(?:-\d+)?))?")
_NAME = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# NAT64, NAT64 within a network, IPv4-compatible: the last 32 bits are an IPv4 address.
_CARRIERS = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")))
# A host's other ports may be private services.
_USUAL, _LAST_PORT = frozenset({80, 443}), 65_535
# Clouds serve a machine's credentials here, and at the link-local 169.254.0.0/16 and fe80::/10: AWS, Google, Alibaba, Oracle, Azure.
_METADATA = {*map(ipaddress.ip_address, ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"))}
_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "instance-data", "instance-data.ec2.internal"})
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")


@dataclass(frozen=True, slots=True)
class Allowed:
    name: str
    network: Network | None
    ports: frozenset[int] | range

    def names(self, host: str) -> bool:
        return host.endswith(self.name[1:]) if self.name.startswith("*.") else host == self.name

    def holds(self, address: Address) -> bool:
        return address in self.network if self.network else self.name == "localhost" and address.is_loopback


def allowed(entry: str) -> Allowed:
    """Parses an entry such as "demo.example.com", "localhost:8000-8016" or "10.0.0.0/8:80". Raises ValueError with the remedy."""
    match = _ENTRY.fullmatch(entry.strip().lower())
    if match is None:
        raise ValueError(f"“{entry}” is not a host. Write it as demo.example.com, localhost:8000-8016 or 10.0.0.0/8:80.")
    host = match["host"].replace("[", "").replace("]", "")
    network = _parsed(ipaddress.ip_network, host)
    if network is None and (not _NAME.fullmatch(host) or re.fullmatch(r"[\d.]+", host)):
        raise ValueError(f"“{host}” is neither a host's name nor an address. Write it as demo.example.com or 10.0.0.0/8.")
    return Allowed("" if network else host, network, _ports(match["ports"]))


def _parsed(parse: Callable[[str], Parsed], text: str) -> Parsed | None:
    try:
        return parse(text)
    except ValueError:
        return None


def _ports(text: str | None) -> frozenset[int] | range:
    if text is None:
        return _USUAL
    low, _, high = text.partition("-")
    ports = range(int(low), int(high or low) + 1)
    if not ports or ports[0] < 1 or ports[-1] > _LAST_PORT:
        raise ValueError(f"“{text}” is not a port. Give one from 1 to {_LAST_PORT}, or two with a - between them.")
    return ports


def host_is_listed(host: str, port: int, entries: Iterable[Allowed]) -> bool:
    address = _parsed(ipaddress.ip_address, host)
    return any(port in entry.ports and (entry.names(host) or (address is not None and entry.holds(address))) for entry in entries)


def may_connect(address: Address, port: int, entries: Iterable[Allowed]) -> bool:
    """Whether a listed host may be fetched from at this address: a public one, or one that is listed itself."""
    is_listed_itself = any(port in entry.ports and entry.holds(_inner(address)) for entry in entries)
    return is_public(address) or (is_listed_itself and not is_never_reached(address))


def entry_of(host: str, port: int) -> Allowed:
    network = _parsed(ipaddress.ip_network, host)
    return Allowed("" if network else host, network, frozenset({port}))


def is_never_reached(address: Address) -> bool:
    """Link-local, cloud metadata, multicast, reserved and unspecified addresses are never connected to, even if listed."""
    inner = _inner(address)
    if isinstance(inner, ipaddress.IPv4Address):
        is_odd = inner in _THIS_NETWORK or inner.is_reserved
    else:
        is_odd = inner.is_site_local or bool(inner.teredo)
    return is_odd or inner in _METADATA or inner.is_link_local or inner.is_multicast or inner.is_unspecified


def is_public(address: Address) -> bool:
    return _inner(address).is_global and not is_never_reached(address)


def is_listed(host: str, address: Address, port: int, entries: Iterable[Allowed]) -> bool:
    return any(port in entry.ports and (entry.names(host) or entry.holds(_inner(address))) for entry in entries)


def literal(host: str) -> Address | None:
    """The address that a host is, in any form that systems accept (127.1, 0x7f000001); None for a name."""
    address = _parsed(ipaddress.ip_address, host.partition("%")[0])
    if address is not None or not host[:1].isdigit():
        return address
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))  # reads a number as the system does
    except OSError:
        return None


def is_refused_host(host: str) -> bool:
    """Whether a host is refused without resolving it."""
    address = literal(host)
    return is_metadata_name(host) or (address is not None and is_never_reached(address))


def is_metadata_name(host: str) -> bool:
    return host.rstrip(".").lower() in _METADATA_NAMES


def _inner(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one: mapped, 6to4 or NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if any(address in network for network in _CARRIERS):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if int(address) > 1 else address
    return address.ipv4_mapped or address.sixtofour or address
