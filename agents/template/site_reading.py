"""Reads what is known of sites from TOML files, one a site.

A file is named after the caller's `web_project_id`. Its tables:
`confidence` the share of tasks that its ways have done, 0 to 1 · `login` the deeds that log in · `items.NAME` how one of many things is
found: `list` its route, `card` an XPath, `link` what to press within the card, `next` what leads to the list's next page, `here` what
only the list's page has and `pages` how many further ones to look at, `texts`, `lists`, `numbers`, `dates` and `times` field names to
XPaths within the card, `filters` and `search` query parameters to field names, `sort` its parameter and field names to the values that
bring the highest and the lowest first · `ways` how a task is done: `task`, `says` expressions that the prompt's words must all meet,
`unless` one they must not, `login` whether an account is needed, `deeds`.
A deed has one verb: `open` a route, `list` an item's, `item` press its link, `fill` and `choose` a field by XPath, `press` and `enter` an
XPath, `keys`, `wait` seconds. `{field}` in a route or XPath is the value wanted of a field; names are alternated by |.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.actions import send_keys
from agents.selectors import InvalidAction, check_xpath
from agents.template.site_facts import HOLE, MOST_PAGES, UNMEASURED, Deed, Fault, Item, SiteFacts, Sites, Way

KNOWN = Path(__file__).parent / "known"
VERBS = frozenset({"open", "list", "item", "fill", "choose", "press", "enter", "keys", "wait"})
# A wrong choice costs a second or two, and so does waiting for what is there already.
MOST_TRIES = 6
LONGEST_WAIT = 10
_XPATHS = frozenset({"fill", "choose", "press", "enter"})
_OPTIONS = {
    "with": str,
    "else": str,
    "options": list,
    "if": str,
    "inside": str,
    "tries": int,
    "each": str,
    "times": str,
}
_ITEM = {
    "list": str,
    "card": str,
    "link": str,
    "next": str,
    "here": str,
    "pages": int,
    "texts": dict,
    "lists": dict,
    "numbers": dict,
    "dates": dict,
    "times": dict,
    "filters": dict,
    "search": dict,
    "sort": dict,
}
_WAY = {"task": str, "says": list, "unless": str, "login": bool, "deeds": list}


def load(*folders: Path) -> tuple[Sites, tuple[Fault, ...]]:
    """The facts of all `*.toml` in the folders, by project. Of a site that several folders know, what a later one says comes first.

    What can't be used is left out and told; nothing raises.
    """
    sites: dict[str, SiteFacts] = {}
    faults: list[Fault] = []
    for folder in folders:
        if not folder.is_dir():
            faults.append(Fault(str(folder), "folder", "Make it a folder with a TOML file a site, or leave the setting empty."))
        for file in sorted(folder.glob("*.toml")):
            known = sites.get(file.stem, SiteFacts())
            sites[file.stem] = _merged(known, _Reader(file.name, known, faults).read(file))
    return sites, tuple(faults)


def _merged(known: SiteFacts, more: SiteFacts) -> SiteFacts:
    measured = more.confidence if more.confidence != UNMEASURED else known.confidence
    return SiteFacts(more.login or known.login, {**known.items, **more.items}, (*more.ways, *known.ways), measured)


class _Wrong(ValueError):
    """What is wrong with an entry, said as its remedy."""


@dataclass
class _Reader:
    """Reads one file and notes what is wrong in it."""

    name: str
    known: SiteFacts
    faults: list[Fault]

    def read(self, file: Path) -> SiteFacts:
        try:
            raw = tomllib.loads(file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            self._note("file", f"Make it readable TOML: {error}.")
            return SiteFacts()
        for name in sorted(raw.keys() - {"login", "items", "ways", "confidence"}):
            self._note(name, "Only login, items, ways and confidence are known here; take it out.")
        items = dict(self._items(raw.get("items", {})))
        names = self.known.items.keys() | items.keys()
        ways = tuple(self._ways(raw.get("ways", []), names))
        return SiteFacts(self._login(raw.get("login", []), names), items, ways, self._confidence(raw.get("confidence", UNMEASURED)))

    def _note(self, entry: str, remedy: str) -> None:
        self.faults.append(Fault(self.name, entry, remedy))

    def _confidence(self, raw: object) -> float:
        if isinstance(raw, int | float) and not isinstance(raw, bool) and 0 <= raw <= 1:
            return float(raw)
        self._note("confidence", "Give a number from 0 to 1.")
        return UNMEASURED

    def _login(self, raw: object, items: set[str]) -> tuple[Deed, ...]:
        try:
            return _deeds(raw, items)
        except _Wrong as wrong:
            self._note("login", str(wrong))
            return ()

    def _items(self, raw: object) -> Iterator[tuple[str, Item]]:
        if not isinstance(raw, dict):
            return self._note("items", "Make it a table of items.")
        for name, table in raw.items():
            try:
                yield name, _item(table)
            except _Wrong as wrong:
                self._note(f"items.{name}", str(wrong))

    def _ways(self, raw: object, items: set[str]) -> Iterator[Way]:
        if not isinstance(raw, list):
            return self._note("ways", "Make it a list of ways, each under [[ways]].")
        for number, table in enumerate(raw, 1):
            try:
                yield _way(table, items)
            except _Wrong as wrong:
                self._note(f"ways, entry {number}", str(wrong))


def _typed(table: object, types: Mapping[str, type], needed: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise _Wrong("Make it a table.")
    for name, value in table.items():
        if name not in types:
            raise _Wrong(f"{name} is not known here; take it out. Known are {', '.join(types)}.")
        if not isinstance(value, types[name]):
            raise _Wrong(f"{name} must be a {types[name].__name__}.")
    missing = [name for name in needed if name not in table]
    if missing:
        raise _Wrong(f"{missing[0]} is missing; add it.")
    return dict(table)


def _item(table: object) -> Item:
    given = _typed(table, _ITEM, ("list", "card"))
    _check_route("list", given["list"])
    _check_xpath("card", given["card"])
    _check_xpath("link", given["card"] + given.get("link", ""))
    if not 0 <= given.get("pages", 0) <= MOST_PAGES:
        raise _Wrong(f"pages must be 0 to {MOST_PAGES}.")
    for name in ("next", "here"):
        if name in given:
            _check_xpath(name, given[name])
    relative = [*(path for name in ("texts", "lists", "numbers", "dates", "times") for path in given.get(name, {}).values())]
    for path in relative:
        if not isinstance(path, str):
            raise _Wrong("An XPath must be a text.")
        _check_xpath("XPath", f"//*[{path}]")
    return Item(**given)


def _way(table: object, items: set[str]) -> Way:
    given = _typed(table, _WAY, ("task", "says", "deeds"))
    says = tuple(_expression(one) for one in given["says"])
    unless = _expression(given["unless"]) if "unless" in given else None
    return Way(given["task"], says, _deeds(given["deeds"], items), given.get("login", False), unless)


def _expression(text: object) -> re.Pattern[str]:
    if not isinstance(text, str):
        raise _Wrong("Expressions must be texts.")
    try:
        return re.compile(rf"\b(?:{text})\b")
    except re.error as error:
        raise _Wrong(f"{text!r} is no regular expression ({error}); correct it.") from None


def _deeds(raw: object, items: set[str]) -> tuple[Deed, ...]:
    if not isinstance(raw, list):
        raise _Wrong("Deeds must be a list of tables.")
    return tuple(_deed(one, items) for one in raw)


def _deed(raw: object, items: set[str]) -> Deed:
    verbs = sorted(VERBS & raw.keys()) if isinstance(raw, dict) else []
    if len(verbs) != 1:
        raise _Wrong(f"A deed has exactly one of {', '.join(sorted(VERBS))}: {raw!r}.")
    verb = verbs[0]
    given = _typed(raw, {**_OPTIONS, verb: int if verb == "wait" else str}, ())
    _check_target(verb, given[verb], items)
    if not 1 <= given.get("tries", 1) <= MOST_TRIES:
        raise _Wrong(f"tries must be 1 to {MOST_TRIES}.")
    return Deed(
        verb,
        str(given[verb]),
        given.get("with", ""),
        given.get("else"),
        tuple(map(str, given.get("options", ()))),
        given.get("if", ""),
        given.get("inside", ""),
        given.get("tries", 1),
        given.get("each", ""),
        given.get("times", ""),
    )


def _check_target(verb: str, target: Any, items: set[str]) -> None:
    if verb == "open":
        _check_route(verb, target)
    elif verb == "wait" and not 1 <= target <= LONGEST_WAIT:
        raise _Wrong(f"wait must be 1 to {LONGEST_WAIT} seconds.")
    elif verb == "keys":
        _check_keys(target)
    elif verb in _XPATHS:
        _check_xpath(verb, HOLE.sub("'x'", target))
    elif verb in {"list", "item"} and target not in items:
        raise _Wrong(f"There is no item {target!r}; add items.{target}.")


def _check_keys(keys: str) -> None:
    try:
        send_keys(keys)
    except InvalidAction as error:
        raise _Wrong(str(error)) from None


def _check_route(name: str, route: str) -> None:
    if not route.startswith("/"):
        raise _Wrong(f"{name} must be a route that begins with /, without scheme, host and seed.")


def _check_xpath(name: str, expression: str) -> None:
    try:
        check_xpath(expression, name)
    except InvalidAction as error:
        raise _Wrong(f"{error}") from None
