"""A task's site: its origin and the fixed part of its query, and URLs that keep to both."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote_plus, urljoin, urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Site:
    """`url`: the base of relative URLs; `fixed`: the query parts of the task's own URL, which every URL of the task has."""

    url: str
    fixed: tuple[str, ...] = ()

    def absolute(self, target: str) -> str | None:
        """The target as an absolute URL with the site's scheme, host, port and fixed query; None for another site."""
        parts = split_http(joined(self.url, target))
        home = split_http(self.url)
        if parts is None or home is None or parts.hostname not in {home.hostname, *LOOPBACK} or port_of(parts) != port_of(home):
            return None
        rest, own = self._parted(parts.query)
        query = parts.query if sorted(own) == sorted(self.fixed) else "&".join([*rest, *self.fixed])
        return parts._replace(scheme=home.scheme, netloc=home.netloc, query=query).geturl()

    def href(self, value: str) -> str:
        """An href as the site's pages have it: with the fixed query parts."""
        parts = _split(value)
        if parts is None or not self.fixed or value.startswith("#") or self.absolute(value) is None:
            return value
        rest, own = self._parted(parts.query)
        is_right = own and len(set(own)) == len(own) and set(own) <= set(self.fixed)
        return value if is_right else parts._replace(query="&".join([*rest, *self.fixed])).geturl()

    def _parted(self, query: str) -> tuple[list[str], list[str]]:
        """The query's other parts, and those named as the fixed ones."""
        names, parts = set(map(name_of, self.fixed)), query_parts(query)
        return [part for part in parts if name_of(part) not in names], [part for part in parts if name_of(part) in names]


def split_http(url: str) -> SplitResult | None:
    """The parts of an absolute http(s) URL with a host and a readable port; None for anything else."""
    parts = _split(url)
    return parts if parts and parts.scheme in _DEFAULT_PORTS and parts.hostname else None


def query_parts(query: str) -> list[str]:
    """Not decoded, as that would change placeholders."""
    return [part for part in query.split("&") if part]


def shared_parts(urls: Iterable[str]) -> tuple[str, ...]:
    """The query parts that all URLs with a query share, in the first URL's order: they belong to every page."""
    queries = [parts for url in urls if (split := split_http(url)) and (parts := query_parts(split.query))]
    return tuple(part for part in queries[0] if all(part in query for query in queries)) if queries else ()


def query_names(url: str) -> frozenset[str]:
    parts = _split(url)
    return frozenset(map(name_of, query_parts(parts.query))) if parts else frozenset()


def carried_names(url: str, hrefs: Iterable[str]) -> frozenset[str]:
    """The query names of a page's URL that its links to other pages of the site have too."""
    here, names, left = split_http(url), query_names(url), set(query_names(url))
    for href in hrefs:
        if not left:
            break
        shared = {name for name in left if carries(href, {name})}
        there = split_http(joined(url, href)) if shared else None
        if here and there and there.netloc == here.netloc and there.path != here.path:
            left -= shared
    return names - left


def carries(href: str, names: Iterable[str]) -> bool:
    query = f"&{href.partition('?')[2]}"
    return all(f"&{name}=" in query for name in names)


def same_page(one: str, other: str) -> bool:
    """Ignoring the order of the query, and the fragment."""
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


def name_of(part: str) -> str:
    return unquote_plus(part.partition("=")[0])
