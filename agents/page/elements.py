"""What of a page can be operated: the interactive elements, as plain values."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from agents.page.matching import forms, likeness

BUTTONS = frozenset({"button", "link", "tab", "menuitem"})
TEXT_FIELDS = frozenset({"textbox", "searchbox", "spinbutton", "combobox"})
FIELDS = TEXT_FIELDS | {"listbox", "checkbox", "radio", "slider"}
# Fields that are no form control: a press opens a list of options, of which one is pressed then.
PICKER = "picker"
OPTIONS = frozenset({"option", "menuitem", "menuitemradio", "menuitemcheckbox"})
# Fields that are on or off.
TICKED = frozenset({"checkbox", "radio", "switch"})
_INPUT_ROLES = dict.fromkeys(("button", "submit", "reset", "image", "color"), "button") | {
    "file": "file", "checkbox": "checkbox", "radio": "radio", "range": "slider", "number": "spinbutton", "search": "searchbox",
}  # fmt: skip
_TAG_ROLES = {"a": "link", "select": "listbox", "textarea": "textbox"}
_OWN_ROLES = BUTTONS | FIELDS | OPTIONS | {"switch"}

# The value of a checkbox or radio button that is on; of one that is off it is "".
CHECKED = "checked"


@dataclass(frozen=True)
class Element:
    """`place` counts the page's interactive elements from 0 in document order. `role` is the ARIA role ("textbox", "button",
    "link", "listbox" for a select, …), `type` the type attribute in lower case ("text" for an input and "submit" for a form's
    button that have none). `label` is its visible name, `hints` further texts that only the markup has. `form`
    counts forms from 0. `layer`: 0 on the page itself, else the number of the dialog that it stands in, `overlay` of the menu or
    popover, in document order from 1. `options` are the visible texts of a select, `sent_as` what each of them is sent as.
    `longest` is how many characters a field takes. `beside` is the text just before a field, whether or not it is its label;
    `group` the name of the set that a choice belongs to ("Rating" over five stars). `least` and `most` are the bounds of a
    field for numbers, dates or times. `selected`: the tab, page, option or toggle in force. `expanded`: whether what it opens
    is open, None where it opens nothing; `opens`: "menu", "listbox", "dialog", …, "item" for a row or card that is
    pressed as a whole, "" for nothing known.

    `icon` is the name of the icon that a control without a text has ("trash", "star"); its `label` is then made of that, or of its
    test id, id or class, and `is_named` is false; `nth` is its number, from 1, among those of the same label side by side, 0 for
    one alone. `checked`, `pressed` and `starred` are None for what is never so. `current`: the link to the page, step or section
    that is shown. `readonly`: it can be pressed but not typed into. `covered`: it lies behind an open dialog.
    """

    place: int
    tag: str
    role: str
    type: str
    name: str = ""
    id: str = ""
    href: str = ""
    label: str = ""
    text: str = ""
    placeholder: str = ""
    value: str = ""
    hints: str = ""
    form: int | None = None
    hidden: bool = False
    disabled: bool = False
    layer: int = 0
    overlay: int = 0
    footer: bool = False
    options: tuple[str, ...] = ()
    sent_as: tuple[str, ...] = ()
    longest: int | None = None
    beside: str = ""
    group: str = ""
    least: str = ""
    most: str = ""
    required: bool = False
    invalid: bool = False
    selected: bool = False
    expanded: bool | None = None
    opens: str = ""
    icon: str = ""
    is_named: bool = True
    nth: int = 0
    checked: bool | None = None
    pressed: bool | None = None
    starred: bool | None = None
    current: bool = False
    focused: bool = False
    readonly: bool = False
    covered: bool = False

    @classmethod
    def made(cls, values: dict[str, Any]) -> Self:
        """Of its fields by name, which it keeps. Setting forty frozen fields one by one takes longer than all else that is read of a
        link."""
        element = object.__new__(cls)
        object.__setattr__(element, "__dict__", values)
        return element

    @property
    def usable(self) -> bool:
        return not (self.hidden or self.disabled or self.covered)

    @property
    def is_open_tab(self) -> bool:
        """A press on it does nothing."""
        return self.role == "tab" and self.selected

    @property
    def states(self) -> tuple[str, ...]:
        """As short texts; "not …" only where a press may change that."""
        either = (("checked", self.checked), ("pressed", self.pressed), ("starred", self.starred), ("expanded", self.expanded))
        toggled = [name if is_on else f"not {name}" for name, is_on in either if is_on is not None]
        shown = (("disabled", self.disabled), ("read-only", self.readonly), ("current", self.current), ("focused", self.focused))
        selected = self.selected and not (self.checked or self.pressed or self.current)
        further = (("selected", selected), ("required", self.required), ("invalid", self.invalid))
        return (*toggled, *(name for name, is_on in (*shown, *further) if is_on))

    @property
    def pushed(self) -> str:
        return self.value if self.tag == "input" and self.role == "button" else ""

    @cached_property
    def forms(self) -> frozenset[str]:
        """Of the words in all its names: a name with none of them is not its name."""
        return frozenset().union(*map(forms, (self.label, self.text, self.placeholder, self.name, self.hints, self.pushed)))

    @property
    def submits(self) -> bool:
        return self.form is not None and self.type in {"submit", "image"} and self.tag in {"button", "input"}


def role_of(tag: str, type_: str, own: str, opens: str, *, fixed: bool) -> str:
    """`own` is the role attribute; `fixed`: nothing can be typed into it."""
    if (tag not in {"input", "textarea"} or fixed) and (own == "combobox" or opens == "listbox"):
        return PICKER
    if own in _OWN_ROLES:
        return own
    return _INPUT_ROLES.get(type_, "textbox") if tag == "input" else _TAG_ROLES.get(tag, "button")


# Below this an element shares a word with the wanted name and no more.
GOOD_ENOUGH = 0.45
_WEAK_SOURCE = 0.85


def score(element: Element, wanted: str) -> float:
    """The best likeness among label, text, placeholder and name; what only the markup has weighs a little less."""
    if element.forms.isdisjoint(forms(wanted)):
        return 0.0
    shown = max(likeness(wanted, text) for text in (element.label, element.text, element.placeholder))
    marked = max(likeness(wanted, text) for text in (element.name, element.hints, element.pushed))
    return max(shown, marked * _WEAK_SOURCE)
