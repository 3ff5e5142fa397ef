"""The facts that a page shows of its site: its structure, the control that led to it, its lists and its forms."""

import re
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from agents.contract.selectors import Selector, quoted
from agents.learning.reading.forms import forms
from agents.page import BUTTONS, Page, Record
from agents.page.bounding import bounded
from agents.template.blind_xpath import picked
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
    place_of,
    route_of,
)

MOST_HTML = 18_000  # characters of a page as stored
_HEADINGS = ("h2", "h3", "h4")
_NAMING = frozenset({"a", "b", "strong"})
_MOST_SHAPES, _LONGEST_UNIT = 3, 3
_MOSTLY = 0.7  # of a list's entries
_SURE = 0.9  # of a label
# Prompts use these for an item's name.
_NAMES = "name|title|subject"
MOST_ALIKE = 3  # siblings of the same structure that are kept to show how an item is built: lists differ by seed
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
# Class names that show visibility or the icon.
_CLASSES = re.compile(
    r"hidden|sr-only|invisible|lucide-|icon|^fa-|dialog|modal|overlay|pop(?:over|per|up)|backdrop-|active|selected|cursor-pointer|fixed|absolute"
    r"|:(?:block|flex|grid|inline|table)|^fill-|line-through"
)
_STYLES = re.compile(r"(?:display|visibility|position|cursor)\s*:\s*[a-z]+")
_TYPED = frozenset({"", "text", "search", "email", "password", "tel", "url", "number", "date", "time"})

# Its kind and key
Fact = tuple[str, str]


def key_of(page: Page) -> str:
    """The key of a page: its route, and whether the user is logged in, since that changes pages."""
    return route_of(page.url) + (MEMBER if page.logged_in else "")


def reduced(html: str) -> str:
    """The page's HTML without scripts, styles and typed values, but with everything that identifies controls and items; "" for none."""
    root: Any = etree.HTML(bounded(html)[0] or "<html/>", etree.HTMLParser(remove_comments=True, remove_pis=True))
    if root is None:
        return ""
    for node in list(root.iter(*_DROPPED)):
        if node.getparent() is not None:
            _drop(node)
    for node in list(root.iter(etree.Element)):
        _trim(node)
    for shape, most in ((_tags, MOST_ALIKE), (_tags, 2), (frozenset, 2), (frozenset, 1), (_first, 1)):
        _thin(root, shape, most)
        text = etree.tostring(root, encoding="unicode", method="html")
        if len(text) <= MOST_HTML:
            return text
    return ""


def _tags(tags: Sequence[str]) -> Hashable:
    return tuple(tags)


def _first(tags: Sequence[str]) -> Hashable:
    return tags[0]


def _drop(node: Any) -> None:
    """Remove a node, but not the text after it."""
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
        elif name == "style":
            kept = ";".join(_STYLES.findall(value))
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


def _thin(root: Any, shape_of: Callable[[Sequence[str]], Hashable], most: int) -> None:
    """Keep only the first of similar siblings. `shape_of`: what similar ones have in common, of the tags in them."""
    for parent in list(root.iter("ul", "ol", "tbody", "div", "section", "main", "select", "datalist")):
        seen = dict[Hashable, int]()
        for child in list(parent):
            if child.tag in {"option", "label", "input"} and parent.tag not in {"select", "datalist"}:
                continue
            tags = [str(node.tag) for node in child.iter()]
            shape = shape_of(tags)
            seen[shape] = seen.get(shape, 0) + 1
            if seen[shape] > (40 if child.tag == "option" else most) and (len(tags) > 3 or child.tag == "option"):
                _drop(child)


def learned(
    page: Page, html: str, before: Page | None, pressed: Sequence[Selector], stored: Mapping[Fact, Mapping[str, Any]]
) -> dict[Fact, dict[str, Any]]:
    """The facts that a page shows. `pressed`: the selectors of presses on the page `before`; `stored`: the facts of earlier pages."""
    kept = reduced(html)
    if page.blank or page.is_loading or not kept:
        return {}
    shown = lists(page)
    # Of two lists of the same items, the one with more numbers of each, or else with more items, is kept.
    better = {key: made for key, made in shown.items() if _worth(made) >= _worth(stored.get(("list", key), {}))}
    gathered = forms(page, {key: facts for (kind, key), facts in stored.items() if kind == "form"})
    return {
        **_structure(page, kept, before, pressed),
        **{("list", key): made for key, made in better.items()},
        **{("form", key): made for key, made in gathered.items()},
    }


def _worth(facts: Mapping[str, Any]) -> tuple[int, int]:
    return len(facts.get("numbers", ())), facts.get("entries", 0)


def _structure(page: Page, kept: str, before: Page | None, pressed: Sequence[Selector]) -> dict[Fact, dict[str, Any]]:
    shown: dict[Fact, dict[str, Any]] = {("route", key_of(page)): {"html": kept}}
    is_elsewhere = before is None or route_of(before.url) != route_of(page.url)
    if before is None or not pressed:
        # What earlier presses changed on a page is still so; as visitors find it, it was the step before.
        return shown if before is None or is_elsewhere or before.is_loading or before.blank else {}
    element = picked(pressed[0], before) if len(pressed) == 1 else None
    if element is None or element.href.strip("#"):
        # After an action on it a page is no longer as visitors find it.
        return shown if is_elsewhere else {}
    control = key_of(before) + AFTER + control_of(before, element)
    return {**shown, ("effect", control): {"to": key_of(page)}} if is_elsewhere else {("effect", control): {"html": kept}}


def lists(page: Page) -> dict[str, dict[str, Any]]:
    """The lists of a page as items of site facts, by the route of their entries: XPaths of their names and numbers."""
    by_key = dict[str, list[tuple[Any, Record]]]()
    for record in items_of(page):
        linked = ((route_of(element.href), element) for element in record.elements if element.href.strip("#"))
        if hit := next((hit for hit in linked if hit[0].endswith(f"/{ANY}")), None):
            by_key.setdefault(hit[0], []).append((_block(page.node(hit[1]), hit[0]), record))
        elif row := next(filter(is_row, record.elements), None):
            by_key.setdefault(item_key(key_of(page)), []).append((_card(page, page.node(row), record), record))
        elif button := next((element for element in record.elements if element.tag == "button"), None):
            by_key.setdefault(item_key(key_of(page)), []).append((_block(page.node(button), ""), record))
    several = by_key.items() if ANY not in route_of(page.url) else ()
    return {key: made for key, entries in several if (made := _list(page, key, entries))}


def _list(page: Page, key: str, entries: list[tuple[Any, Record]]) -> dict[str, Any]:
    path, times = Counter(_path(block, record.name) for block, record in entries).most_common(1)[0]
    alike = [(block, record.attributes) for block, record in entries if _path(block, record.name) == path]
    card, on = block_of(key, _beside(page, key)) if ANY in key else _cards(page, entries)
    if times < 2 or not card:
        return {}
    numbers = {name: at for name in sorted({name for _, facts in alike for name in facts}) if (at := _number_path(name, alike))}
    texts = {"texts": {_NAMES: path}} if path else {}
    turned = _next(page)
    return {"list": route_of(page.url), "card": card, "link": on, **texts, **turned, "numbers": numbers, "entries": times}


def _next(page: Page) -> dict[str, str]:
    """An XPath of the control to the list's next page, by its label or else its place."""
    button = page.pagination.next or page.find(("next page", "next"), BUTTONS, _SURE)
    if button is None:
        return {}
    is_next = "contains(translate(concat(.,@aria-label),'NEXT','next'),'next')"
    path = f"//{button.tag}[{is_next}]" if "next" in button.label.lower() else place_of(page, button)
    return {"next": path}


def _beside(page: Page, key: str) -> list[str]:
    """The page's other links that begin like those of its items: /jobs/applied beside /jobs/17."""
    routes = {route_of(element.href) for element in page.elements if element.href.startswith(key.partition(ANY)[0])}
    return sorted(route for route in routes if ANY not in route)[:2]


def _card(page: Page, row: Any, record: Record) -> Any:
    """The block with all controls of an entry: the row that is pressed, or one around it and its buttons."""
    outside = (
        str(page.node(element).tag) for element in record.elements if row not in {page.node(element), *page.node(element).iterancestors()}
    )
    tag = next(outside, "")
    return next((outer for outer in row.iterancestors() if outer.xpath(f".//{tag}")), row) if tag else row


def _cards(page: Page, entries: list[tuple[Any, Record]]) -> tuple[str, str]:
    """XPaths of the blocks of entries that are pressed as a whole, and of what is pressed in them, "" for the block itself."""
    rows = [page.node(row) for _, record in entries if (row := next(filter(is_row, record.elements), None))]
    if not rows:
        return _with_buttons([block for block, _ in entries])
    expression, blocks = _rows(rows), {block for block, _ in entries}
    if not expression or blocks == set(rows):
        return expression, ""
    around = (f"{expression}/ancestor::*[.//{tag}][1]" for tag in ("button", "a", "input"))
    return next((card for card in around if set(rows[0].xpath(card)) == blocks), ""), f"/descendant::{expression[2:]}"


def _rows(rows: Sequence[Any]) -> str:
    """An XPath of entries that are pressed as a whole, by attributes that only they have."""
    first, parent = rows[0], rows[0].getparent()
    signs = [f"[@{name}={quoted(first.get(name))}]" for name in ("role", "tabindex") if first.get(name)]
    signs += ["[contains(@class,'cursor-pointer')]"] if "cursor-pointer" in first.get("class", "") else []
    above = f"//{parent.tag}[count({first.tag})>1]/{first.tag}"
    for expression in (*(f"//{first.tag}{sign}" for sign in ("".join(signs), *signs, "")), above):
        if set(first.xpath(expression)) == set(rows):
            return expression
    return ""


def _with_buttons(blocks: Sequence[Any]) -> tuple[str, str]:
    """XPaths of blocks by their number of buttons, and of the first button in them."""
    first, (general, button) = blocks[0], block_of("")
    if len(set(blocks)) < len(blocks):
        return "", ""
    # Which tags they have may differ by seed.
    alike = f"[count(.//button)={len(first.findall('.//button'))}]"
    ways = (f"//*[count({tag}{alike})>1]/{tag}{alike}" for tag in ("*", first.tag))
    return next((way for way in ways if set(first.xpath(way)) == set(blocks)), general), button


def _number_path(name: str, entries: list[tuple[Any, Mapping[str, str]]]) -> str:
    """An XPath of the first text of a block with the number's shape, such as "9.9", "9999" or "999m". Its position differs by seed."""
    values = [attributes[name] for _, attributes in entries if any(map(str.isdigit, attributes.get(name, "")))]
    shapes = [shape for shape, _ in Counter(map(_shape, values)).most_common(_MOST_SHAPES)]
    texts = (next((text for text in _leaves(block) if any(shape in _shape(text) for shape in shapes)), "") for block, _ in entries)
    right = sum(attributes.get(name, "-") in text for text, (_, attributes) in zip(texts, entries, strict=True))
    units = {"".join(filter(str.isalpha, value)) for value in values}
    is_number = len(units) == 1 or max(map(len, units), default=0) <= _LONGEST_UNIT
    if not shapes or not is_number or right < _MOSTLY * len(entries):
        return ""
    test = " or ".join(f"contains(translate(.,'012345678','999999999'),{quoted(shape)})" for shape in shapes)
    return f"(.//*[not(*)][{test}])[1]"


def _shape(text: str) -> str:
    return re.sub(r"\d", "9", text)


def _leaves(block: Any) -> Iterator[str]:
    return ("".join(node.itertext()) for node in block.iter(etree.Element) if not len(node))


def _block(node: Any, route: str) -> Any:
    """The same block as `block_of` has as an XPath."""
    count = f"count(.//{link_to(route) if route else 'button'})<={MOST_LINKS} and count(.//h2|.//h3|.//h4)<=1"
    return next(iter(deque(takewhile(lambda outer: outer.xpath(count), node.iterancestors()), maxlen=1)), node)


def _path(block: Any, value: str) -> str:
    own = ((node, "".join(node.xpath("text()"))) for node in block.iter(etree.Element))
    leaf = next((node for node, text in own if value.strip() and value in text), block)
    if leaf.tag in _HEADINGS and leaf is not block:  # which of them it is differs by seed
        return f"({'|'.join(f'.//{tag}' for tag in _HEADINGS)})[1]"
    # Of several plain texts any may be what a prompt uses as the name.
    is_name = leaf is not block and leaf.tag in _NAMING
    return f"(.//{leaf.tag})[{list(block.iter(str(leaf.tag))).index(leaf) + 1}]" if is_name else ""
