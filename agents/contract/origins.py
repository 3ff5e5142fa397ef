"""Where a task lives: its origin, its seed, and URLs that keep to both."""

from dataclasses import dataclass
from urllib.parse import SplitResult, unquote_plus, urljoin, urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Site:
    """`url`: where relative URLs start; `seed`: its query part ("seed=58"), "" for none, None when it can't be known;
    `kept`: query parts that every URL carries unless it has its own."""

    url: str
    seed: str | None = None
    kept: tuple[str, ...] = ()

    def absolute(self, target: str) -> str | None:
        """The target as an absolute URL with the site's own scheme, host, port, seed and kept query; None when it leads elsewhere."""
        parts = split_http(joined(self.url, target))
        home = split_http(self.url)
        if parts is None or home is None or parts.hostname not in {home.hostname, *LOOPBACK} or port_of(parts) != port_of(home):
            return None
        return parts._replace(scheme=home.scheme, netloc=home.netloc, query=self._query(parts.query)).geturl()

    def href(self, value: str) -> str:
        """A link's href as a page writes it, with the seed in its query; unchanged where it leads elsewhere or nowhere."""
        parts = _split(value)
        if parts is None or not self.seed or value.startswith("#") or self.absolute(value) is None:
            return value
        own = query_parts(parts.query)
        if seeds(own) == [self.seed]:
            return value
        return parts._replace(query="&".join([*without_seeds(own), self.seed])).geturl()

    def _query(self, query: str) -> str:
        own = query_parts(query)
        wanted = [self.seed] if self.seed else []
        right = self.seed is None or seeds(own) == wanted
        own = own if right else without_seeds(own)
        names = {_name(part) for part in own}
        missing = [part for part in self.kept if _name(part) not in names]
        return "&".join([*own, *missing, *([] if right else wanted)])


def split_http(url: str) -> SplitResult | None:
    """The parts of an absolute http(s) URL with a host and a readable port; None for anything else."""
    parts = _split(url)
    return parts if parts and parts.scheme in _DEFAULT_PORTS and parts.hostname else None


def query_parts(query: str) -> list[str]:
    """As written: decoding them would change placeholders."""
    return [part for part in query.split("&") if part]


def seeds(parts: list[str]) -> list[str]:
    return [part for part in parts if _name(part) == "seed"]


def without_seeds(parts: list[str]) -> list[str]:
    return [part for part in parts if _name(part) != "seed"]


def same_page(one: str, other: str) -> bool:
    """Apart from the order of their query and their fragment."""
    first, second = ((parts.path or "/", sorted(query_parts(parts.query))) for parts in map(urlsplit, (one, other)))
    return first == second


def path_of(address: str) -> str:
    parts = _split(address)
    return parts.path if parts else ""


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - read for its error: a port that is no number shows only here
    except ValueError:
        return None
    return parts


def joined(base: str, target: str) -> str:
    try:
        return urljoin(base, target)
    except ValueError:
        return ""


def port_of(parts: SplitResult) -> int:
    return parts.port if parts.port is not None else _DEFAULT_PORTS[parts.scheme]


def _name(part: str) -> str:
    return unquote_plus(part.partition("=")[0])
