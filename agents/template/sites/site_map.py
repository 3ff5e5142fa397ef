"""Keys of a site's pages and controls that stay the same for all seeds."""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from agents.contract.origins import path_of
from agents.contract.selectors import quoted
from agents.page import Element, Page, Record, word_set

ANY = "*"
MEMBER, AFTER, WITH = " (logged in)", " > ", " with "
MOST_LINKS = 3  # to one item, in its block: its picture, its name, a button
_FIELDS = ("input[not(@type='hidden')]", "select", "textarea")
_TYPES = word_set("submit checkbox radio email password date time number search range")
_ROWS, _MOST_ROWS = frozenset({"div", "li", "tr", "article", "section"}), 50
_ID = re.compile(r"\d|^.{25,}$")  # a part of an address that identifies an item: with a digit, or longer than words are
# Labels are compared in lower case, without the marks of required fields.
_UPPER, _LOWER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ*:", "abcdefghijklmnopqrstuvwxyz"
_UNMARKED = str.maketrans("", "", "*:")


def route_of(url: str) -> str:
    """The path with * for each part that identifies an item: /films/* for /films/17."""
    parts = [ANY if _ID.search(part) else part for part in path_of(url).split("/") if part]
    return "/" + "/".join(parts)


def items_of(page: Page) -> tuple[Record, ...]:
    """The page's items, else its rows: sibling blocks that are pressed as a whole."""
    rows = defaultdict[Any, list[Element]](list)
    for element in () if page.records else page.elements:
        if is_row(element):
            rows[page.node(element).getparent()].append(element)
    inside = {page.node(row): list[Element]() for some in rows.values() if len(some) > 1 for row in some[:_MOST_ROWS]}
    for element in page.elements if inside else ():
        node = next((node for node in (page.node(element), *page.node(element).iterancestors()) if node in inside), None)
        if node is not None and element.usable:
            inside[node].append(element)
    return page.records or tuple(Record(_name(node, some[0]), {}, some[0].text, tuple(some)) for node, some in inside.items())


def _name(node: Any, row: Element) -> str:
    return row.label if row.opens == "item" else next((text for text in map(str.strip, node.itertext()) if text), "")


def is_row(element: Element) -> bool:
    return element.usable and not element.href and element.role == "button" and element.tag in _ROWS


def item_at(page: Page, element: Element) -> Record | None:
    """The item that an element belongs to, on a page with several."""
    items = items_of(page)
    record = page.items.get(element.place) if page.records else next((item for item in items if element in item.elements), None)
    return record if len(items) > 1 else None


def control_of(page: Page, element: Element) -> str:
    """An XPath by the structure alone; for a control of a list's item, relative to the item."""
    record = item_at(page, element)
    return "item" + inside_of(record, element) if record else place_of(page, element)


def inside_of(record: Record, element: Element) -> str:
    alike = [other for other in record.elements if other.tag == element.tag]
    return f"/descendant::{element.tag}[{alike.index(element) + 1}]" if element in alike and not is_row(element) else ""


def place_of(page: Page, element: Element) -> str:
    """An XPath by the structure alone: by the form, dialog or part of the page around the element, and its number there."""
    node: Any = page.node(element)
    landmark = next(((ancestor, path) for ancestor in node.iterancestors() if (path := _landmark(ancestor))), None)
    outer, path = landmark or (node.getroottree().getroot(), "//body")
    test = _kind(node)
    alike = [other for other in outer.iter(str(node.tag)) if _kind(other) == test]
    return f"({path}//{node.tag}{test})[{alike.index(node) + 1}]"


def form_of(page: Page, element: Element) -> str:
    """The key of the form around an element; "" outside of any. A page may show forms in turn: they differ by their number of fields."""
    form = next(page.node(element).iterancestors("form"), None)
    if form is None:
        return ""
    fields = int(form.xpath(f"count({'|'.join(f'.//{field}' for field in _FIELDS)})"))
    return f"{route_of(page.url)}{AFTER}{_landmark(form)}{WITH}{fields} fields"


def labels_of(element: Element) -> tuple[str, ...]:
    """A control's visible labels and names in the markup, as labels are compared. Those with digits differ by seed and are left out."""
    texts = (element.label, element.text if element.submits else "", element.placeholder, element.name, element.id)
    plain = (" ".join(text.lower().translate(_UNMARKED).split()) for text in texts)
    return tuple(dict.fromkeys(text for text in plain if 1 < len(text) <= 40 and not any(map(str.isdigit, text))))


def by_names(key: str, names: Sequence[str], *, presses: bool) -> str:
    """An XPath of a button or field with one of the names, in the form with this key, or anywhere for ""."""
    known = f"[contains({quoted('|' + '|'.join(names) + '|')},concat('|',normalize-space(translate(.,'{_UPPER}','{_LOWER}')),'|'))]"
    within = key.partition(AFTER)[2].partition(WITH)[0]
    if presses:
        return f"{within}//*[self::button or self::input or self::a or @role='button'][(self::*|@value|@aria-label|@name|@id){known}]"
    own = "@aria-label|@placeholder|@name|@id|ancestor::label[1]|preceding::text()[normalize-space()][1]"
    return f"{within}//*[self::input or self::select or self::textarea][({own}){known} or @id=//label{known}/@for]"


def _landmark(node: Any) -> str:
    if node.tag == "form":
        for sign in (".//input[@type='password']", ".//textarea"):
            if node.xpath(sign):
                return f"//form[{sign}]"
        # By the number of its fields of each kind, if that is unique: the order of forms may differ by seed.
        tests = (f"[count(.//{field})={int(node.xpath(f'count(.//{field})'))}]" for field in _FIELDS)
        alike = f"//form{''.join(tests)}"
        return alike if len(node.xpath(alike)) == 1 else f"//form[count(preceding::form)={len(node.xpath('preceding::form'))}]"
    if node.get("role") == "dialog":
        return "//*[@role='dialog']"
    return f"//{node.tag}" if node.tag in {"nav", "header", "footer", "aside", "main"} else ""


def _kind(node: Any) -> str:
    """A predicate for the type of a field or the icon of a button."""
    if node.tag in {"input", "button"} and node.get("type") in _TYPES:
        return f"[@type='{node.get('type')}']"
    if node.tag == "input" and node.get("type", "text") == "text":
        return "[not(@type) or @type='text']"
    icons = [part for icon in node.iter("svg") for part in icon.get("class", "").split() if part.startswith("lucide-")]
    return f"[.//*[contains(@class,{quoted(icons[0])})]]" if icons else ""


def item_key(page_key: str) -> str:
    """The key of a page's list whose items have no address."""
    return page_key.partition(MEMBER)[0] + AFTER + "item"


def link_to(route: str, others: Sequence[str] = ()) -> str:
    """The step of an XPath to a link whose address contains the parts of a route, except *, but none of the `others`."""
    tests = [f"contains(@href,{quoted(part)})" for part in route.split(ANY) if part]
    return f"a[{' and '.join((*tests, *(f'not(contains(@href,{quoted(other)}))' for other in others)))}]"


def link_with(path: str) -> str:
    """An XPath of the first link to a page."""
    return f"(//a[@href={quoted(path)} or starts-with(@href,{quoted(path + '?')})])[1]"


def block_of(route: str, others: Sequence[str] = ()) -> tuple[str, str]:
    """XPaths of the blocks of one heading with links to a route, or with buttons, and of these links or buttons in them."""
    link = link_to(route, others) if route else "button"
    is_one = f"count(.//{link})<={MOST_LINKS} and count(.//h2|.//h3|.//h4)<=1"
    return f"//{link}/ancestor-or-self::*[{is_one}][last()]", f"/descendant-or-self::{link}"
