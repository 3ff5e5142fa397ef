"""What is known of sites: routes, forms, lists and how their tasks are done. Read from TOML by `agents.configuration.known_sites`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.template.solutions.solution import Solution

# What is wanted mostly stands on a list's first pages. Each further page costs 3 s where it was found already.
MOST_PAGES = 8
HOLE = re.compile(r"\{([a-z][a-z |]*)\}")


@dataclass(frozen=True, slots=True)
class Item:
    """How one of many things of a kind is found. All mappings are from or to field names, alternated by |.

    `next`: what leads to the list's next page; `here`: what only the list's page has; `pages`: how many further pages are searched;
    `entries`: how many the list had, 0 if unknown.
    """

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
    """`names`: the field that it is about; `default`: what to do it with where no criterion says, None to leave it out; `options`: what may
    be chosen from; `only_if`: the field without whose criterion it is left out, with + before it without one that says what is wanted;
    `inside`: what to press within a card; `tries`: how many values to choose one after the other where nobody knows which are offered;
    `each`: the field for each of whose wanted values it is done; `times`: the field that says how many are wanted where there is one.
    """

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

    def fits(self, words: str) -> bool:
        """`words` are the prompt's, without the values in them."""
        return all(one.search(words) for one in self.says) and not (self.unless and self.unless.search(words))


@dataclass(frozen=True, slots=True)
class FormField:
    """A control of a form. `kind`: of the value that it takes, as its type says; "send" for what saves the form. `names`: what its labels
    and its markup have called it, as `site_map.labels_of` writes them, those that were seen last first."""

    kind: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """`confidence`: the share of tasks that its plans have done, 0 to 1; unmeasured, about as good as an unseen page that is understood.

    `pages`: how the site's pages are built, by key: the `html`, or the key of the page `to` which a control led. `forms`: by
    `site_map.form_of`. `solutions`: what runs have shown of whole tasks.
    `port`: by it the site is known where a caller names no project; None for a site that listens anywhere.
    """

    login: tuple[SiteAction, ...] = ()
    items: Mapping[str, Item] = field(default_factory=dict)
    plans: tuple[SitePlan, ...] = ()
    pages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    forms: Mapping[str, tuple[FormField, ...]] = field(default_factory=dict)
    solutions: tuple[Solution, ...] = ()
    confidence: float = 0.6
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    file: str
    entry: str
    remedy: str


Sites = Mapping[str, SiteFacts]
