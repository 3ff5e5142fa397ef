"""What rows of long tables are made of: pieces of HTML, in which every text is escaped that is not HTML already."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape

from django.urls import reverse
from django.utils.safestring import SafeString

# Stands for each row's number in the address that is looked up.
PLACE = 777_000_777
NOTHING = SafeString()


def joined(*parts: object) -> SafeString:
    """The parts as one piece. Django's format_html would take three times as long."""
    return SafeString("".join([_escaped(part) for part in parts]))


def rows(found: Iterable[SafeString]) -> SafeString:
    """Rows, a line each."""
    return SafeString("\n".join(found))


def filled(text: str, **values: object) -> SafeString:
    """A translated text with its named places filled."""
    return SafeString(text.format(**{name: _escaped(value) for name, value in values.items()}))


def tag(name: str, *content: object, look: str = "") -> SafeString:
    """An element. `look`: its classes."""
    classes = f' class="{look}"' if look else ""
    return SafeString(f"<{name}{classes}>{''.join([_escaped(part) for part in content])}</{name}>")


def row(name: str, *cells: SafeString) -> SafeString:
    """A row, and the name by which it is linked to and found again."""
    return SafeString(f'<tr id="{name}">{"".join(cells)}</tr>')


def cell(*content: object, look: str = "", label: str = "") -> SafeString:
    """A cell. `label`: its column's name, for a screen too narrow for the table's head."""
    named = f' data-label="{escape(label)}"' if label else ""
    classes = f' class="{look}"' if look else ""
    return SafeString(f"<td{named}{classes}>{''.join([_escaped(part) for part in content])}</td>")


def wide(*content: object) -> SafeString:
    """The cell that has the width to itself on a narrow screen."""
    return cell(*content, look="wide")


def number(value: object, label: str = "") -> SafeString:
    """A cell with a number."""
    return cell(value, look="num", label=label)


def fact(value: object) -> SafeString:
    """A part of a line; nothing where there is none."""
    return tag("span", value) if value else NOTHING


def sub(*facts: object) -> SafeString:
    """A smaller line below."""
    return tag("div", *facts, look="sub")


def link(address: str, *content: object) -> SafeString:
    """A link."""
    return SafeString(f'<a href="{escape(address)}">{"".join([_escaped(part) for part in content])}</a>')


def details(name: str, summary: str, *content: object) -> SafeString:
    """What is told when it is asked for. By its name it stays open when its page is refreshed."""
    return joined(SafeString(f'<details id="{name}">'), tag("summary", summary), *content, SafeString("</details>"))


def addresses(page: str) -> Callable[[int], str]:
    """From a row's number to the address of its page, which is looked up once: `{% url %}` takes 10 µs."""
    before, _, after = reverse(page, args=[PLACE]).partition(str(PLACE))
    return lambda pk: f"{before}{pk}{after}"


def _escaped(part: object) -> str:
    return part if isinstance(part, SafeString) else escape(str(part))
