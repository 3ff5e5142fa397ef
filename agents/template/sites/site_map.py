"""A site as steps have shown it: how its pages are built, by route, and what its controls led to. Independent of the seed's addresses."""

import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from agents.contract.origins import path_of
from agents.contract.selectors import Selector, quoted
from agents.page import Element, Page, Record
from agents.page.bounding import bounded

ANY = "*"
MEMBER, AFTER = " (logged in)", " > "
MOST_HTML = 18_000  # characters of a page as it is kept
_HEADINGS = ("h2", "h3", "h4")
_MOST_SHAPES = 3
_MOSTLY = 0.7  # of a list's entries
# What prompts call an item's name.
_NAMES = "name|title|subject"
_MOST_LINKS = 3  # to one item, in its block: its picture, its name, a button
MOST_ALIKE = 3  # siblings of the same structure that are kept: lists differ by seed, and these say how an item is built
LONGEST_TEXT, LONGEST_HREF = 80, 120
# A part of an address that names one of many: with a digit, or longer than words are.
_ID = re.compile(r"\d|^.{25,}$")
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


def route_of(url: str) -> str:
    """The path with * for each part that names one of many: /films/* for /films/17."""
    parts = [ANY if _ID.search(part) else part for part in path_of(url).split("/") if part]
    return "/" + "/".join(parts)


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


def control_of(page: Page, element: Element) -> str:
    """An XPath by the structure alone or, of what belongs to an item of a list, where it stands in any of them."""
    record = page.items.get(element.place) if len(page.records) > 1 else None
    return "item" + inside_of(record, element) if record else place_of(page, element)


def inside_of(record: Record, element: Element) -> str:
    alike = [one for one in record.elements if one.tag == element.tag]
    return f"/descendant::{element.tag}[{alike.index(element) + 1}]" if element in alike and element.opens != "item" else ""


def place_of(page: Page, element: Element) -> str:
    """An XPath by the structure alone: by the form, dialog or part of the page that an element stands in, and its number there."""
    node: Any = page.node(element)
    found = next(((one, said) for one in node.iterancestors() if (said := _landmark(one))), None)
    outer, said = found or (node.getroottree().getroot(), "//body")
    test = _kind(node)
    alike = [one for one in outer.iter(str(node.tag)) if _kind(one) == test]
    return f"({said}//{node.tag}{test})[{alike.index(node) + 1}]"


def _landmark(node: Any) -> str:
    if node.tag == "form":
        for sign in (".//input[@type='password']", ".//textarea"):
            if node.xpath(sign):
                return f"//form[{sign}]"
        return f"//form[count(preceding::form)={len(node.xpath('preceding::form'))}]"
    if node.get("role") == "dialog":
        return "//*[@role='dialog']"
    return f"//{node.tag}" if node.tag in {"nav", "header", "footer", "aside", "main"} else ""


def _kind(node: Any) -> str:
    """What an element is besides its tag: the type of a field, the icon of a button."""
    if node.tag in {"input", "button"} and node.get("type") in {
        "submit",
        "checkbox",
        "radio",
        "email",
        "password",
        "date",
        "time",
        "number",
        "search",
        "range",
    }:
        return f"[@type='{node.get('type')}']"
    icons = [part for one in node.iter("svg") for part in one.get("class", "").split() if part.startswith("lucide-")]
    return f"[.//*[contains(@class,{quoted(icons[0])})]]" if icons else ""


def shown_by(page: Page, html: str, before: Page | None, pressed: Sequence[Selector]) -> Mapping[tuple[str, str], dict[str, Any]]:
    """What a page shows of its site, by kind and key. `pressed`: the selectors that were pressed on the page before."""
    kept = reduced(html)
    if page.blank or page.is_loading or not kept:
        return {}
    shown = {("route", key_of(page)): {"html": kept}}
    if before is None or not pressed:
        return shown
    is_elsewhere = route_of(before.url) != route_of(page.url)
    element = before.element(pressed[0]) if len(pressed) == 1 else None
    if element is None or element.href.strip("#"):
        # A page on which something was done is no longer as its visitors find it.
        return shown if is_elsewhere else {}
    control = key_of(before) + AFTER + control_of(before, element)
    return {**shown, ("effect", control): {"to": key_of(page)}} if is_elsewhere else {("effect", control): {"html": kept}}


def lists(page: Page) -> Mapping[tuple[str, str], dict[str, Any]]:
    """The lists of a page as items of site facts, by where their entries lead: where their names and numbers stand."""
    found = dict[str, list[tuple[Any, Record]]]()
    for record in page.records:
        linked = ((route_of(one.href), one) for one in record.elements if one.href.strip("#"))
        route, link = next((hit for hit in linked if hit[0].endswith(f"/{ANY}")), ("", None))
        if link is not None:
            found.setdefault(route, []).append((page.node(link), record))
    made = dict[tuple[str, str], dict[str, Any]]()
    for route, entries in found.items() if ANY not in route_of(page.url) else ():
        named = Counter(_path(node, record.name) for node, record in entries)
        path, times = named.most_common(1)[0]
        alike = [(node, record.attributes) for node, record in entries if _path(node, record.name) == path]
        if times > 1:
            numbers = {name: place for name in sorted({name for _, said in alike for name in said}) if (place := _number_path(name, alike))}
            card, on = block_of(route)
            texts = {"texts": {_NAMES: path}} if path else {}
            made["list", route] = {
                "list": route_of(page.url),
                "card": card,
                "link": on,
                **texts,
                "numbers": numbers,
                "entries": times,
            }
    return made


def block_of(route: str) -> tuple[str, str]:
    """XPaths of the blocks whose links lead to a route, or that have buttons, and of what leads on in them: of one heading."""
    link = f"a[contains(@href,{quoted(route.removesuffix(ANY))})]" if route else "button"
    is_one = f"count(.//{link})<={_MOST_LINKS} and count(.//h2|.//h3|.//h4)<=1"
    return f"//{link}/ancestor-or-self::*[{is_one}][last()]", f"/descendant-or-self::{link}"


def _number_path(name: str, entries: list[tuple[Any, Mapping[str, str]]]) -> str:
    """The first text of a block that looks as the number does in most of them: "9.9", "9999", "999m". Where it stands differs by seed."""
    values = [said[name] for _, said in entries if any(map(str.isdigit, said.get(name, "")))]
    shapes = [shape for shape, _ in Counter(map(_shape, values)).most_common(_MOST_SHAPES)]
    found = (next((text for text in _leaves(node) if any(shape in _shape(text) for shape in shapes)), "") for node, _ in entries)
    right = sum(said.get(name, "-") in text for text, (_, said) in zip(found, entries, strict=True))
    if not shapes or right < _MOSTLY * len(entries):
        return ""
    test = " or ".join(f"contains(translate(.,'012345678','999999999'),{quoted(shape)})" for shape in shapes)
    return f"(.//*[not(*)][{test}])[1]"


def _shape(text: str) -> str:
    return re.sub(r"\d", "9", text)


def _leaves(node: Any) -> Iterator[str]:
    return ("".join(one.itertext()) for one in _block(node).iter(etree.Element) if not len(one))


def _block(node: Any) -> Any:
    alone = takewhile(lambda outer: len(list(outer.iter(*_HEADINGS))) <= 1, node.iterancestors())
    return next(iter(deque(alone, maxlen=1)), node)


def _path(node: Any, value: str) -> str:
    block = _block(node)
    own = ((one, "".join(one.xpath("text()"))) for one in block.iter(etree.Element))
    leaf = next((one for one, text in own if value.strip() and value in text), None)
    if leaf is not None and leaf.tag in _HEADINGS:  # which of them it is differs by seed
        return f"({'|'.join(f'.//{tag}' for tag in _HEADINGS)})[1]"
    return "" if leaf is None or leaf is block else f"(.//{leaf.tag})[{list(block.iter(str(leaf.tag))).index(leaf) + 1}]"
