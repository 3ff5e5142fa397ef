"""The forms of a page: the names of their fields, gathered over seeds, and the control that saves them."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agents.page import Element, Page
from agents.page.elements import FIELDS
from agents.page.matching import likeness
from agents.template.sites.site_map import form_of, labels_of

MOST_NAMES, MOST_FIELDS = 12, 30
_ALIKE = 0.5
SEND = "send"


def forms(page: Page, stored: Mapping[str, Mapping[str, Any]]) -> Mapping[str, dict[str, Any]]:
    """Forms with several fields, by key, as stored: merged with `stored`."""
    by_form = defaultdict[str, list[Element]](list)
    for element in page.elements:
        if element.form is not None and element.usable and (element.role in FIELDS or element.submits):
            by_form[form_of(page, element)].append(element)
    several = ((key, some) for key, some in by_form.items() if sum(element.role in FIELDS for element in some) > 1)
    return {key: {"fields": _merged(stored.get(key, {}).get("fields", ()), some)} for key, some in several}


def _merged(stored: Sequence[Mapping[str, Any]], shown: Sequence[Element]) -> list[dict[str, Any]]:
    names = [labels_of(element) for element in shown[:MOST_FIELDS]]
    times = Counter(name for own in names for name in own)
    # A name that several fields have identifies none of them.
    made = [
        {"kind": kind_of(element), "names": [name for name in own if times[name] == 1]} for element, own in zip(shown, names, strict=False)
    ]
    left = [dict(field) for field in stored]
    for new, old in list(_pairs(made, left)):
        left.remove(old)
        new["names"] = list(dict.fromkeys((*new["names"], *old["names"])))[:MOST_NAMES]
    return [*made, *left][:MOST_FIELDS]


def _pairs(made: list[dict[str, Any]], left: Sequence[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Pairs of a new and a stored field: by name, else by elimination where one of a kind is left."""
    new, old = list(range(len(made))), list(range(len(left)))
    scored = [(_alike(made[one], left[other]), -one, -other) for one in new for other in old]
    for merit, one, other in sorted(scored, reverse=True):
        if merit >= _ALIKE and -one in new and -other in old:
            new.remove(-one)
            old.remove(-other)
            yield made[-one], left[-other]
    for kind in {field["kind"] for field in made}:
        mine, theirs = ([at for at in some if fields[at]["kind"] == kind] for some, fields in ((new, made), (old, left)))
        if len(mine) == len(theirs) == 1:
            yield made[mine[0]], left[theirs[0]]


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    if one["kind"] != other["kind"]:
        return 0.0
    shared = set(one["names"]) & set(other["names"])
    return 1.0 if shared else max((likeness(mine, its) for mine in one["names"] for its in other["names"]), default=0.0)


def kind_of(element: Element) -> str:
    """The kind of value that a field accepts; SEND for the control that saves the form."""
    return SEND if element.submits else element.type if element.tag == "input" else element.tag
