"""What markup shows of a control besides texts: the icon in it, names made for machines, and the state that it is in."""

import re
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from agents.page.elements import BUTTONS, CHECKED, OPTIONS, TICKED, Element
from agents.page.nodes import Attributes, Node, one_line

Get = Callable[..., str]

# A control with more inside is no mere icon.
_MOST_IN_ICON = 12
_ICON_TAGS = frozenset({"svg", "i", "use", "span", "img", "mat-icon", "ion-icon", "iconify-icon"})
_ICON = re.compile(
    r"(?:^|\s)(?:lucide|icon-tabler|tabler-icon|feather|fa|bi|ri|ti|mdi|pi|glyphicon|octicon|codicon|anticon|heroicon|icon|ph|la|bx|el-icon)"
    r"-([a-z][a-z0-9-]*)"
)
_FONT_ICON = re.compile(r"(?:^|\s)material-(?:icons|symbols)")
# Parts of such classes for how an icon is drawn rather than what it shows.
_DRAWN_AS = frozenset(
    """icon icons solid regular light thin duotone brands fw lg sm xs xl md fill filled line outline outlined rounded sharp two tone
    svg tabler lucide feather fixed width spin left right inline button btn link""".split()  # noqa: SIM905 (words read best as words)
) - {"left", "right", "link"}
# A button's name by its class, where nothing else names it.
_CLASS_NAMES = frozenset(
    """close dismiss delete remove edit add next prev previous back menu hamburger search cart like favorite favourite wishlist star
    bookmark share download upload play pause settings more expand collapse toggle filter sort refresh send reply copy pin archive
    minus plus increment decrement increase decrease up down left right clear save cancel submit login logout user profile notification
    calendar""".split()  # noqa: SIM905 (the same)
)
_MADE_FOR_MACHINES = frozenset({"button", "btn", "link", "action", "trigger", "icon", "a", "input", "field", "select", "svg"})
_GENERATED = re.compile(r"\d{3}|[-_:]r?\d+:?$|(?=[0-9a-f]*\d)[0-9a-f]{6}|^(?:radix|headlessui|mui|react|ember|ng|__)[-_:]|[«»:]", re.I)
_WORD = re.compile(r"[a-z]+|[A-Z][a-z]*")

_STARS = frozenset({"star", "heart", "bookmark", "favorite", "favourite", "like", "thumb", "flag", "pin"})
_FILLED = re.compile(r"(?:^|\s)(?:fill-(?!none|transparent)[a-z][\w-]*|fas|fa-solid|[\w-]+-fill(?:ed)?|(?:is-)?filled|solid)(?=\s|$)")
_TAKES_OFF = re.compile(
    r"(?:unstar|unlike|unfavou?rite|unbookmark|remove from (?:my )?(?:favou?rites|wish ?list|watch ?list|bookmarks|saved))\b", re.I
)
_SIGNS = {"★": True, "♥": True, "❤": True, "☆": False, "♡": False, "🤍": False}


class Icon(NamedTuple):
    """`name` is a word or two, such as "star"; `filled`: drawn as an area rather than as a line."""

    name: str = ""
    filled: bool = False


NO_ICON = Icon()


def icon_in(node: Node) -> Icon:
    """The first icon that a small control holds, or is itself."""
    for inner in islice(node.iter(), _MOST_IN_ICON):
        if inner.tag in _ICON_TAGS and (name := next(filter(None, map(_plain, _names_of(inner))), "")):
            drawn = f"{inner.get('class', '')} {inner.get('data-prefix', '')}"
            fill = inner.get("fill", "none") if inner.tag == "svg" else "none"
            is_filled = fill not in {"none", "transparent"} or _FILLED.search(drawn) is not None
            return Icon(name, is_filled or inner.get("data-weight") == "fill")
    return NO_ICON


def _names_of(inner: Node) -> Iterator[str]:
    yield inner.get("data-lucide") or inner.get("data-icon") or inner.get("aria-label") or inner.get("name") or ""
    classes = inner.get("class", "")
    if _FONT_ICON.search(classes):
        yield inner.text or ""
    if inner.tag in {"svg", "i", "span"}:
        yield from _ICON.findall(classes)
    if inner.tag == "svg":
        yield inner.get("data-testid", "")
        title = next(iter(inner.iter("title")), None)
        yield (title.text or "") if title is not None else ""
    if inner.tag == "use":
        yield (inner.get("href") or inner.get("xlink:href") or "").rpartition("#")[2]


def _plain(name: str) -> str:
    parts = [word.lower() for word in _WORD.findall(name)]
    return " ".join(word for word in parts if word not in _DRAWN_AS and (len(word) > 1 or word == "x"))[:40]


def made_name(get: Get) -> str:
    """The name of a control without any text by its test id, name, id or class; "" where these have no meaning."""
    for key in ("data-testid", "data-test", "data-cy", "data-action", "name", "id"):
        value = get(key, "")
        if value and not _GENERATED.search(value) and (name := _without_parts(value)):
            return one_line(name, 40)
    return next((name for token in get("class", "").split() if ":" not in token and (name := _class_name(token))), "")


def _without_parts(value: str) -> str:
    return " ".join(word.lower() for word in _WORD.findall(value) if word.lower() not in _MADE_FOR_MACHINES)


def _class_name(token: str) -> str:
    parts = [word.lower() for word in _WORD.findall(token)]
    is_name = not _CLASS_NAMES.isdisjoint(parts) and len(parts) <= 3
    return " ".join(word for word in parts if word not in _MADE_FOR_MACHINES) if is_name else ""


@lru_cache(maxsize=4_096)  # the items of a list have buttons of the same names
def takes_off(label: str) -> bool:
    return _TAKES_OFF.match(label) is not None


def is_starred(get: Get, label: str, text: str, icon: Icon, *, is_on: bool) -> bool | None:
    """None for what is no star, heart or bookmark to be set or taken off."""
    sign, is_taken_off = _SIGNS.get(text.strip("\ufe0e\ufe0f ")), takes_off(label)
    if sign is None and (not icon.name or _STARS.isdisjoint(icon.name.split())):
        return is_taken_off or None
    if (pressed := get("aria-pressed") or get("aria-checked")) in {"true", "false"}:
        return pressed == "true"
    return bool(sign) or icon.filled or is_on or is_taken_off


# Signs of controls without a text, with the names of what they do.
_SYMBOLS = {
    **dict.fromkeys("×✕✖✗xX⨯", "close"), **dict.fromkeys("☰≡", "menu"), **dict.fromkeys("⋮⋯…", "more"), **dict.fromkeys("★☆", "star"),
    **dict.fromkeys("♥❤♡🤍", "heart"), **dict.fromkeys("✎✏🖉", "edit"), **dict.fromkeys("🗑", "trash"), **dict.fromkeys("🔍🔎", "search"),
    **dict.fromkeys("▼▾⌄", "expand"), "⚙": "settings", "🛒": "cart", "🔔": "notifications", "📅": "calendar",
}  # fmt: skip


def symbol(text: str) -> str:
    """The name of a text that is one sign."""
    bare = text.strip("\ufe0e\ufe0f ")
    return _SYMBOLS.get(bare, "") if len(bare) == 1 else ""


_ON, _ON_STATES = frozenset({"true", "page", "step", "location", "date", "time"}), frozenset({"active", "on", "checked"})
_FIXED_STATES = {"on": True, "off": False}
_CURRENT = BUTTONS - {"menuitem"}
_PRESSED, _SELECTED = BUTTONS | OPTIONS | {"switch"}, BUTTONS | OPTIONS
_CHECKED = TICKED | {"menuitemcheckbox", "menuitemradio"}


def shown_by(node: Node, attributes: Attributes, class_states: Set[str], role: str, label: str, text: str) -> dict[str, Any]:
    """The fields of an Element that its icon, names and states make up. `label`: by its texts, "" for none; `class_states`: by its
    class names."""
    get, is_pressed = attributes.get, role in _PRESSED
    icon = icon_in(node) if is_pressed and len(text) <= 2 else NO_ICON
    sign = (symbol(label) if label == text else "") or (_sign_in(node) if is_pressed and not label else "")
    called = (sign or icon.name or made_name(get)) if is_pressed and (sign or not label) else label
    is_on = _is_on(attributes, class_states, role)
    shown = {
        "label": called or label,
        "is_named": bool(label and not sign),
        "selected": is_on,
        "focused": "autofocus" in attributes or "focused" in class_states,
    }
    if sign or icon.name:
        shown["icon"] = sign or icon.name
    if is_pressed:
        shown["current"] = role in _CURRENT and (get("aria-current", "false") != "false" or (is_on and role == "link"))
        shown["pressed"] = _is_pressed(get, role)
        shown["starred"] = is_starred(get, label, text, icon, is_on=is_on)
    if role in _CHECKED and (checked := _is_checked(get, class_states)) is not None:
        shown["checked"] = checked
        shown |= {"value": CHECKED if checked else ""} if role in TICKED else {}
    return shown


def _sign_in(node: Node) -> str:
    """The sign that a button shows to those who see it, and hides from screen readers."""
    texts = (inner.text.strip() for inner in islice(node.iter(), _MOST_IN_ICON) if inner.text)
    return symbol(next(filter(None, texts), ""))


def _is_on(attributes: Attributes, class_states: Set[str], role: str) -> bool:
    get = attributes.get
    marked = get("aria-selected") or get("aria-current") or get("aria-pressed") or get("aria-checked")
    if marked or "data-state" in attributes:
        return marked in _ON if marked else attributes["data-state"] in _ON_STATES
    return role in _SELECTED and "selected" in class_states


def _is_checked(get: Get, class_states: Set[str]) -> bool | None:
    state = get("aria-checked") or {"checked": "true", "unchecked": "false"}.get(get("data-state", ""))
    return state == "true" if state else get("checked") is not None or "checked" in class_states


def _is_pressed(get: Get, role: str) -> bool | None:
    if role != "button":
        return None
    return get("aria-pressed") == "true" if get("aria-pressed") else _FIXED_STATES.get(get("data-state", ""))


def finished(parents: Sequence[int], elements: Sequence[Element], covering: Set[int]) -> tuple[Element, ...]:
    """With what depends on the other elements: which are behind an open dialog, and the number of each among those of the same label."""
    top = max((element.layer for element in elements if element.layer in covering and not element.hidden), default=0)
    numbered, alike = list(elements), dict[tuple[int, str, str], list[int]]()
    last = max((at for at, element in enumerate(elements) if top and element.layer == top), default=0)
    for at, element in enumerate(elements):
        # Some libraries append the options of a dialog's field to the end of the page.
        is_appended = at > last and element.role in OPTIONS
        if element.layer < top and not (element.overlay or is_appended):
            numbered[at] = replace(element, covered=True)
        if not (element.is_named or element.hidden) and element.role in _PRESSED:
            alike.setdefault((parents[at], element.role, element.label), []).append(at)
    for places in alike.values():
        for nth, at in enumerate(places if len(places) > 1 or not numbered[places[0]].label else (), 1):
            numbered[at] = replace(numbered[at], nth=nth)
    return tuple(numbered)
