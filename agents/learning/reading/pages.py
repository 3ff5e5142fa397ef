"""What a page shows of its site: its structure, what led to it, its lists and its forms."""

import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from agents.contract.selectors import Selector, quoted
from agents.learning.reading.forms import forms
from agents.page import Page, Record
from agents.page.bounding import bounded
from agents.template.sites.site_map import (
    AFTER,
    ANY,
    MEMBER,
    MOST_LINKS,
    block_of,
    control_of,
    is_row,
    item_key,
    items_of,
    link_to,
    route_of,
)

MOST_HTML = 18_000  # characters of a page as it is kept
_HEADINGS = ("h2", "h3", "h4")
_NAMING = frozenset({"a", "b", "strong"})
_MOST_SHAPES, _LONGEST_UNIT = 3, 3
_MOSTLY = 0.7  # of a list's entries
# What prompts call an item's name.
_NAMES = "name|title|subject"
MOST_ALIKE = 3  # siblings of the same structure that are kept: lists differ by seed, and these say how an item is built
LONGEST_TEXT, LONGEST_HREF = 80, 120
_DROPPED = (
    "script",
    "style",
    "noscript",
    "template",
    "link",
    "meta",
    "iframe",
    "path",
    "circle",
    "rect",
    "line",
    "polyline",
    "g",
    "defs",
    "source",
)
_KEPT = frozenset(
    """name type role href for placeholder alt title hidden disabled required readonly min max value maxlength selected checked open
    multiple contenteditable tabindex id""".split()  # noqa: SIM905 (words read best as words)
)
# Of class names those that say what can't be seen, or which icon it is.
_CLASSES = re.compile(r"hidden|sr-only|invisible|lucide-|icon|^fa-|dialog|modal|overlay|active|selected|cursor-pointer|fixed|absolute")
_TYPED = frozenset({"", "text", "search", "email", "password", "tel", "url", "number", "date", "time"})

# Its kind and key
Fact = tuple[str, str]


def key_of(page: Page) -> str:
    """The key of a page: its route, and whether the user is logged in, since that changes pages."""
    return route_of(page.url) + (MEMBER if page.logged_in else "")


def reduced(html: str) -> str:
    """The page's HTML without scripts, styles and typed values, but with all that identifies its controls and items. "" for none."""
    root: Any = etree.HTML(bounded(html)[0] or "<html/>", etree.HTMLParser(remove_comments=True, remove_pis=True))
    if root is None:
        return ""
    for node in list(root.iter(*_DROPPED)):
        if node.getparent() is not None:
            _drop(node)
    for node in list(root.iter(etree.Element)):
        _trim(node)
    text = ""
    for most in (MOST_ALIKE, 1):
        _thin(root, most)
        text = etree.tostring(root, encoding="unicode", method="html")
        if len(text) <= MOST_HTML:
            return text
    return ""


def _drop(node: Any) -> None:
    """With its text after it left in place."""
    before, parent = node.getprevious(), node.getparent()
    if node.tail and before is not None:
        before.tail = (before.tail or "") + node.tail
    elif node.tail:
        parent.text = (parent.text or "") + node.tail
    parent.remove(node)


def _trim(node: Any) -> None:
    for name, value in list(node.attrib.items()):
        if name == "class":
            kept = " ".join(part for part in value.split() if _CLASSES.search(part))
            node.attrib[name] = kept
        elif not (name in _KEPT or name.startswith(("aria-", "data-testid"))) or (name == "value" and node.get("type", "") in _TYPED):
            kept = ""
        else:
            kept = value[:LONGEST_HREF]
        if name == "href":
            kept = urlsplit(kept)._replace(query="").geturl() if kept.startswith("/") else kept
        if kept or (name in _KEPT and value == ""):
            node.set(name, kept)
        else:
            del node.attrib[name]
    node.text, node.tail = (
        " ".join(text.split())[:LONGEST_TEXT] if text and not text.isspace() else " " if text else None for text in (node.text, node.tail)
    )


def _thin(root: Any, most: int) -> None:
    """Of siblings alike only the first ones."""
    for parent in list(root.iter("ul", "ol", "tbody", "div", "section", "main", "select", "datalist")):
        seen = dict[tuple[str, ...], int]()
        for child in list(parent):
            if child.tag in {"option", "label", "input"} and parent.tag not in {"select", "datalist"}:
                continue
            shape = tuple(str(one.tag) for one in child.iter())
            seen[shape] = seen.get(shape, 0) + 1
            if seen[shape] > (40 if child.tag == "option" else most) and (len(shape) > 3 or child.tag == "option"):
                _drop(child)


def learned(
    page: Page, html: str, before: Page | None, pressed: Sequence[Selector], known: Mapping[Fact, Mapping[str, Any]]
) -> dict[Fact, dict[str, Any]]:
    """What a page shows of its site. `pressed`: the selectors that were pressed on the page `before`; `known`: what was shown earlier."""
    kept = reduced(html)
    if page.blank or page.is_loading or not kept:
        return {}
    found = lists(page)
    # Of two pages that list the same things the one that says more numbers of them, or else has more of them, is their list.
    better = {key: made for key, made in found.items() if _worth(made) >= _worth(known.get(("list", key), {}))}
    gathered = forms(page, {key: facts for (kind, key), facts in known.items() if kind == "form"})
    return {
        **_structure(page, kept, before, pressed),
        **{("list", key): made for key, made in better.items()},
        **{("form", key): made for key, made in gathered.items()},
    }


def _worth(facts: Mapping[str, Any]) -> tuple[int, int]:
    return len(facts.get("numbers", ())), facts.get("entries", 0)


def _structure(page: Page, kept: str, before: Page | None, pressed: Sequence[Selector]) -> dict[Fact, dict[str, Any]]:
    shown: dict[Fact, dict[str, Any]] = {("route", key_of(page)): {"html": kept}}
    if before is None or not pressed:
        return shown
    is_elsewhere = route_of(before.url) != route_of(page.url)
    element = before.element(pressed[0]) if len(pressed) == 1 else None
    if element is None or element.href.strip("#"):
        # A page on which something was done is no longer as its visitors find it.
        return shown if is_elsewhere else {}
    control = key_of(before) + AFTER + control_of(before, element)
    return {**shown, ("effect", control): {"to": key_of(page)}} if is_elsewhere else {("effect", control): {"html": kept}}


def lists(page: Page) -> dict[str, dict[str, Any]]:
    """The lists of a page as items of site facts, by where their entries lead: where their names and numbers stand."""
    found = dict[str, list[tuple[Any, Record]]]()
    for record in items_of(page):
        linked = ((route_of(one.href), one) for one in record.elements if one.href.strip("#"))
        if hit := next((hit for hit in linked if hit[0].endswith(f"/{ANY}")), None):
            found.setdefault(hit[0], []).append((_block(page.node(hit[1]), hit[0]), record))
        elif row := next(filter(is_row, record.elements), None):
            found.setdefault(item_key(key_of(page)), []).append((page.node(row), record))
    several = found.items() if ANY not in route_of(page.url) else ()
    return {key: made for key, entries in several if (made := _list(page, key, entries))}


def _list(page: Page, key: str, entries: list[tuple[Any, Record]]) -> dict[str, Any]:
    path, times = Counter(_path(block, record.name) for block, record in entries).most_common(1)[0]
    alike = [(block, record.attributes) for block, record in entries if _path(block, record.name) == path]
    card, on = block_of(key) if ANY in key else (_rows([block for block, _ in entries]), "")
    if times < 2 or not card:
        return {}
    numbers = {name: place for name in sorted({name for _, said in alike for name in said}) if (place := _number_path(name, alike))}
    texts = {"texts": {_NAMES: path}} if path else {}
    return {"list": route_of(page.url), "card": card, "link": on, **texts, "numbers": numbers, "entries": times}


def _rows(rows: Sequence[Any]) -> str:
    """An XPath of entries that are pressed as a whole: by what they have in common, where nothing else on the page has it too."""
    first, parent = rows[0], rows[0].getparent()
    signs = [f"[@{name}={quoted(first.get(name))}]" for name in ("role", "tabindex") if first.get(name)]
    signs += ["[contains(@class,'cursor-pointer')]"] if "cursor-pointer" in first.get("class", "") else []
    above = f"//{parent.tag}[count({first.tag})>1]/{first.tag}"
    for expression in (*(f"//{first.tag}{sign}" for sign in ("".join(signs), *signs, "")), above):
        if set(first.xpath(expression)) == set(rows):
            return expression
    return ""


def _number_path(name: str, entries: list[tuple[Any, Mapping[str, str]]]) -> str:
    """The first text of a block that looks as the number does in most of them: "9.9", "9999", "999m". Where it stands differs by seed."""
    values = [said[name] for _, said in entries if any(map(str.isdigit, said.get(name, "")))]
    shapes = [shape for shape, _ in Counter(map(_shape, values)).most_common(_MOST_SHAPES)]
    found = (next((text for text in _leaves(block) if any(shape in _shape(text) for shape in shapes)), "") for block, _ in entries)
    right = sum(said.get(name, "-") in text for text, (_, said) in zip(found, entries, strict=True))
    units = {"".join(filter(str.isalpha, value)) for value in values}
    is_number = len(units) == 1 or max(map(len, units), default=0) <= _LONGEST_UNIT
    if not shapes or not is_number or right < _MOSTLY * len(entries):
        return ""
    test = " or ".join(f"contains(translate(.,'012345678','999999999'),{quoted(shape)})" for shape in shapes)
    return f"(.//*[not(*)][{test}])[1]"


def _shape(text: str) -> str:
    return re.sub(r"\d", "9", text)


def _leaves(block: Any) -> Iterator[str]:
    return ("".join(one.itertext()) for one in block.iter(etree.Element) if not len(one))


def _block(node: Any, route: str) -> Any:
    """As `block_of` says it in XPath."""
    count = f"count(.//{link_to(route)})<={MOST_LINKS} and count(.//h2|.//h3|.//h4)<=1"
    return next(iter(deque(takewhile(lambda outer: outer.xpath(count), node.iterancestors()), maxlen=1)), node)


def _path(block: Any, value: str) -> str:
    own = ((one, "".join(one.xpath("text()"))) for one in block.iter(etree.Element))
    leaf = next((one for one, text in own if value.strip() and value in text), block)
    if leaf.tag in _HEADINGS and leaf is not block:  # which of them it is differs by seed
        return f"({'|'.join(f'.//{tag}' for tag in _HEADINGS)})[1]"
    # Of plain texts side by side any may be what a prompt calls the name.
    is_name = leaf is not block and leaf.tag in _NAMING
    return f"(.//{leaf.tag})[{list(block.iter(str(leaf.tag))).index(leaf) + 1}]" if is_name else ""
