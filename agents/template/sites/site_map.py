"""How a site's pages and controls are named, so that what was seen at one seed is found at another."""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from agents.contract.origins import path_of
from agents.contract.selectors import quoted
from agents.page import Element, Page, Record

ANY = "*"
MEMBER, AFTER = " (logged in)", " > "
MOST_LINKS = 3  # to one item, in its block: its picture, its name, a button
_FIELDS = ("input[not(@type='hidden')]", "select", "textarea")
_ROWS, _MOST_ROWS = frozenset({"div", "li", "tr", "article", "section"}), 50
# A part of an address that names one of many: with a digit, or longer than words are.
_ID = re.compile(r"\d|^.{25,}$")
# Labels as they are compared: in lower case, without the marks of a field that has to be filled.
_UPPER, _LOWER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ*:", "abcdefghijklmnopqrstuvwxyz"
_UNMARKED = str.maketrans("", "", "*:")


def route_of(url: str) -> str:
    """The path with * for each part that names one of many: /films/* for /films/17."""
    parts = [ANY if _ID.search(part) else part for part in path_of(url).split("/") if part]
    return "/" + "/".join(parts)


def items_of(page: Page) -> tuple[Record, ...]:
    """The page's items or, where it shows none, its rows: blocks side by side that are pressed as a whole."""
    rows = defaultdict[Any, list[Element]](list)
    for one in () if page.records else page.elements:
        if is_row(one):
            rows[page.node(one).getparent()].append(one)
    inside = {page.node(one): list[Element]() for some in rows.values() if len(some) > 1 for one in some[:_MOST_ROWS]}
    for one in page.elements if inside else ():
        node = next((node for node in (page.node(one), *page.node(one).iterancestors()) if node in inside), None)
        if node is not None and one.usable:
            inside[node].append(one)
    return page.records or tuple(Record(_name(node, some[0]), {}, some[0].text, tuple(some)) for node, some in inside.items())


def _name(node: Any, row: Element) -> str:
    return row.label if row.opens == "item" else next((text for text in map(str.strip, node.itertext()) if text), "")


def is_row(element: Element) -> bool:
    return element.usable and not element.href and element.role == "button" and element.tag in _ROWS


def item_at(page: Page, element: Element) -> Record | None:
    """The item that an element belongs to, on a page with several."""
    items = items_of(page)
    found = page.items.get(element.place) if page.records else next((one for one in items if element in one.elements), None)
    return found if len(items) > 1 else None


def control_of(page: Page, element: Element) -> str:
    """An XPath by the structure alone or, of what belongs to an item of a list, where it stands in any of them."""
    record = item_at(page, element)
    return "item" + inside_of(record, element) if record else place_of(page, element)


def inside_of(record: Record, element: Element) -> str:
    alike = [one for one in record.elements if one.tag == element.tag]
    return f"/descendant::{element.tag}[{alike.index(element) + 1}]" if element in alike and not is_row(element) else ""


def place_of(page: Page, element: Element) -> str:
    """An XPath by the structure alone: by the form, dialog or part of the page that an element stands in, and its number there."""
    node: Any = page.node(element)
    found = next(((one, said) for one in node.iterancestors() if (said := _landmark(one))), None)
    outer, said = found or (node.getroottree().getroot(), "//body")
    test = _kind(node)
    alike = [one for one in outer.iter(str(node.tag)) if _kind(one) == test]
    return f"({said}//{node.tag}{test})[{alike.index(node) + 1}]"


def form_of(page: Page, element: Element) -> str:
    """The key of the form that an element stands in; "" outside of any."""
    form = next(page.node(element).iterancestors("form"), None)
    return "" if form is None else route_of(page.url) + AFTER + _landmark(form)


def labels_of(element: Element) -> tuple[str, ...]:
    """What people read of a control and what its markup calls it, as labels are compared. What has digits in it is of one seed."""
    said = (element.label, element.text if element.submits else "", element.placeholder, element.name, element.id)
    plain = (" ".join(text.lower().translate(_UNMARKED).split()) for text in said)
    return tuple(dict.fromkeys(text for text in plain if 1 < len(text) <= 40 and not any(map(str.isdigit, text))))


def by_names(key: str, names: Sequence[str], *, presses: bool) -> str:
    """An XPath of what goes by one of the names and is pressed, or is filled in: of a form, by its key, or anywhere for ""."""
    known = f"[contains({quoted('|' + '|'.join(names) + '|')},concat('|',normalize-space(translate(.,'{_UPPER}','{_LOWER}')),'|'))]"
    within = key.partition(AFTER)[2]
    if presses:
        return f"{within}//*[self::button or self::input or self::a or @role='button'][(self::*|@value|@aria-label|@name|@id){known}]"
    own = "@aria-label|@placeholder|@name|@id|ancestor::label[1]|preceding::*[not(*)][normalize-space()][1]"
    return f"{within}//*[self::input or self::select or self::textarea][({own}){known} or @id=//label{known}/@for]"


def _landmark(node: Any) -> str:
    if node.tag == "form":
        for sign in (".//input[@type='password']", ".//textarea"):
            if node.xpath(sign):
                return f"//form[{sign}]"
        # By how many fields of a kind it has, where no other has as many: which form comes first may differ by seed.
        tests = (f"[count(.//{field})={int(node.xpath(f'count(.//{field})'))}]" for field in _FIELDS)
        alike = f"//form{''.join(tests)}"
        return alike if len(node.xpath(alike)) == 1 else f"//form[count(preceding::form)={len(node.xpath('preceding::form'))}]"
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


def item_key(page_key: str) -> str:
    """Of the list on a page whose items are pressed and lead to no address."""
    return page_key.partition(MEMBER)[0] + AFTER + "item"


def link_to(route: str) -> str:
    """The step of an XPath to a link whose address has the parts of a route that are no * in it."""
    return f"a[{' and '.join(f'contains(@href,{quoted(part)})' for part in route.split(ANY) if part)}]"


def block_of(route: str) -> tuple[str, str]:
    """XPaths of the blocks whose links lead to a route, or that have buttons, and of what leads on in them: of one heading."""
    link = link_to(route) if route else "button"
    is_one = f"count(.//{link})<={MOST_LINKS} and count(.//h2|.//h3|.//h4)<=1"
    return f"//{link}/ancestor-or-self::*[{is_one}][last()]", f"/descendant-or-self::{link}"
