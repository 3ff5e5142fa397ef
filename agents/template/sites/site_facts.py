"""Facts about sites: routes, forms, lists and plans of tasks. Read from TOML by `agents.configuration.known_sites`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.template.solutions.solution import Solution

MOST_PAGES = 8  # most items are on a list's first pages. Each further page costs 3 s.
HOLE = re.compile(r"\{([a-z][a-z |]*)\}")


@dataclass(frozen=True, slots=True)
class Item:
    """How an item of a list is located. All mappings are from or to field names, alternated by |. `next`: the control to the list's next
    page; `here`: a node of the list's page alone; `pages`: how many further pages are searched; `entries`: how many the list had, 0 if
    unknown."""

    list: str
    card: str
    link: str = ""
    next: str = ""
    here: str = ""
    pages: int = 2
    entries: int = 0
    texts: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, str] = field(default_factory=dict)
    dates: Mapping[str, str] = field(default_factory=dict)
    times: Mapping[str, str] = field(default_factory=dict)
    filters: Mapping[str, str] = field(default_factory=dict)
    search: Mapping[str, str] = field(default_factory=dict)
    sort: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SiteAction:
    """`names`: its field; `default`: the value without a criterion, None to leave the action out; `options`: possible values; `only_if`:
    the field whose criterion it requires, with + a positive one; `inside`: the control within a card; `tries`: how many values to choose in
    turn where the offered ones are unknown; `each`: the field for each of whose values it is repeated; `times`: the field with the number
    of repetitions."""

    verb: str
    target: str
    names: str = ""
    default: str | None = None
    options: tuple[str, ...] = ()
    only_if: str = ""
    inside: str = ""
    tries: int = 1
    each: str = ""
    times: str = ""


@dataclass(frozen=True, slots=True)
class SitePlan:
    task: str
    says: tuple[re.Pattern[str], ...]
    actions: tuple[SiteAction, ...]
    login: bool = False
    unless: re.Pattern[str] | None = None

    def fits(self, text: str) -> bool:
        """`text` is the prompt without its values."""
        return all(pattern.search(text) for pattern in self.says) and not (self.unless and self.unless.search(text))


@dataclass(frozen=True, slots=True)
class FormField:
    """A control of a form. `kind`: its type, or "send" for the button that saves the form. `names`: learned names by `site_map.labels_of`,
    the latest first."""

    kind: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """`confidence`: the share of tasks that its plans have done, 0 to 1; the default is that of a blind plan for an understood task.
    `pages`: how the site's pages are built, by key: the `html`, or the key of the page `to` which a control led. `forms`: by
    `site_map.form_of`. `solutions`: of whole tasks, from runs. `port`: identifies the site if a caller names no project; None for any.
    `title`: is in the title of each of its pages; "" if unknown."""

    login: tuple[SiteAction, ...] = ()
    items: Mapping[str, Item] = field(default_factory=dict)
    plans: tuple[SitePlan, ...] = ()
    pages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    forms: Mapping[str, tuple[FormField, ...]] = field(default_factory=dict)
    solutions: tuple[Solution, ...] = ()
    confidence: float = 0.6
    port: int | None = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    file: str
    entry: str
    remedy: str


Sites = Mapping[str, SiteFacts]
