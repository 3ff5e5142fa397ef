"""Which pages the miner may look at by itself: an admin's list of hosts, addresses and networks with their ports."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_ENTRY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\](?:/\d+)?|[^:\[\]]+|[0-9A-Fa-f:.]+(?:/\d+)?)(?::(?P<ports>\d+(?:-\d+)?))?")
_NAME = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_USUAL = frozenset({80, 443})
_LAST_PORT = 65_535
_LOCAL = "localhost"


@dataclass(frozen=True, slots=True)
class Allowed:
    """One entry: a name ("*.example.com" for all below it) or a network, and its ports."""

    name: str
    network: Network | None
    ports: frozenset[int] | range

    def names(self, host: str) -> bool:
        """Whether the entry is for this name."""
        return host.endswith(self.name[1:]) if self.name.startswith("*.") else host == self.name

    def holds(self, address: Address) -> bool:
        """Whether the entry is for this address: by its network, or as this machine's own name."""
        if self.network is not None:
            return address in self.network
        return self.name == _LOCAL and address.is_loopback


def allowed(entry: str) -> Allowed:
    """What an entry such as "demo.example.com", "localhost:8000-8016" or "10.0.0.0/8:80" allows. Raises ValueError with the remedy."""
    found = _ENTRY.fullmatch(entry.strip().lower())
    if found is None:
        raise ValueError(f"“{entry}” is no host. Write it as demo.example.com, localhost:8000-8016 or 10.0.0.0/8:80.")
    host = found["host"].replace("[", "").replace("]", "")
    network = _network(host)
    if network is None and (not _NAME.fullmatch(host) or re.fullmatch(r"[\d.]+", host)):
        raise ValueError(f"“{host}” is neither a host's name nor an address. Write it as demo.example.com or 10.0.0.0/8.")
    return Allowed("" if network else host, network, _ports(found["ports"]))


def _network(host: str) -> Network | None:
    try:
        return ipaddress.ip_network(host)
    except ValueError:
        return None


def _ports(text: str | None) -> frozenset[int] | range:
    """The usual ones where an entry says none: a host's other ports are services that nobody meant."""
    if text is None:
        return _USUAL
    low, _, high = text.partition("-")
    ports = range(int(low), int(high or low) + 1)
    if not ports or ports[0] < 1 or ports[-1] > _LAST_PORT:
        raise ValueError(f"“{text}” are no ports. Give one from 1 to {_LAST_PORT}, or two with a - between them.")
    return ports


def host_is_listed(host: str, port: int, entries: Iterable[Allowed]) -> bool:
    """Whether a URL's host may be looked at. An address counts as listed by its network."""
    address = _address(host)
    fitting = (one for one in entries if port in one.ports)
    return any(one.names(host) or (address is not None and one.holds(address)) for one in fitting)


def may_connect(address: Address, port: int, entries: Iterable[Allowed]) -> bool:
    """Whether an address that a listed host leads to may be asked: a public one, or one that is listed itself."""
    plain = getattr(address, "ipv4_mapped", None) or address
    if plain.is_global and not plain.is_multicast and not _carries_another(plain):
        return True
    return any(port in one.ports and one.holds(plain) for one in entries)


def _carries_another(address: Address) -> bool:
    """Whether it leads to an IPv4 address that is written within it, by 6to4, Teredo or NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return False
    return bool(address.sixtofour or address.teredo or address in _NAT64)


def _address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
