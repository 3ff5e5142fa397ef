"""The forms of a page: what their fields go by, gathered over seeds, and what saves them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agents.page import Element, Page
from agents.page.elements import FIELDS
from agents.page.matching import likeness
from agents.template.sites.site_map import form_of, labels_of

MOST_NAMES, MOST_FIELDS = 12, 30
_ALIKE = 0.5
SEND = "send"


def forms(page: Page, known: Mapping[str, Mapping[str, Any]]) -> Mapping[str, dict[str, Any]]:
    """Those with several fields, by key, as they are kept: together with what is `known` of them."""
    found = defaultdict[str, list[Element]](list)
    for one in page.elements:
        if one.form is not None and one.usable and (one.role in FIELDS or one.submits):
            found[form_of(page, one)].append(one)
    several = ((key, some) for key, some in found.items() if sum(one.role in FIELDS for one in some) > 1)
    return {key: {"fields": _merged(known.get(key, {}).get("fields", ()), some)} for key, some in several}


def _merged(known: Sequence[Mapping[str, Any]], shown: Sequence[Element]) -> list[dict[str, Any]]:
    made = [{"kind": kind_of(one), "names": list(labels_of(one))} for one in shown[:MOST_FIELDS]]
    left = [dict(one) for one in known]
    for new, old in list(_pairs(made, left)):
        left.remove(old)
        new["names"] = list(dict.fromkeys((*new["names"], *old["names"])))[:MOST_NAMES]
    return [*made, *left][:MOST_FIELDS]


def _pairs(made: list[dict[str, Any]], left: Sequence[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Which field is which of those that were known: by what they go by or, of a kind of which one is left, by elimination."""
    new, old = list(range(len(made))), list(range(len(left)))
    scored = [(_alike(made[one], left[other]), -one, -other) for one in new for other in old]
    for merit, one, other in sorted(scored, reverse=True):
        if merit >= _ALIKE and -one in new and -other in old:
            new.remove(-one)
            old.remove(-other)
            yield made[-one], left[-other]
    for kind in {one["kind"] for one in made}:
        mine, others = ([at for at in some if fields[at]["kind"] == kind] for some, fields in ((new, made), (old, left)))
        if len(mine) == len(others) == 1:
            yield made[mine[0]], left[others[0]]


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    if one["kind"] != other["kind"]:
        return 0.0
    shared = set(one["names"]) & set(other["names"])
    return 1.0 if shared else max((likeness(mine, its) for mine in one["names"] for its in other["names"]), default=0.0)


def kind_of(element: Element) -> str:
    """Of the value that it takes; SEND for what saves the form."""
    return SEND if element.submits else element.type if element.tag == "input" else element.tag
