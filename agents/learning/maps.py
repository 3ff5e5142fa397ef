"""Site maps: what the page, the address and the actions of each step show of its site, and what plans get of that."""

import logging
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Any

from agents.configuration.known_sites import read_table
from agents.contract.action_history import PRESSES
from agents.contract.origins import port_of, split_http
from agents.contract.protocol import Form
from agents.database import UNAVAILABLE, answering
from agents.hybrid import page_archive
from agents.learning import store
from agents.learning.seen import Seen
from agents.learning.store import Fact, Place
from agents.models import Learned, Step, StepPage
from agents.page import Page, read
from agents.template.sites.site_facts import Fault, SiteFacts
from agents.template.sites.site_map import lists, shown_by

logger = logging.getLogger(__name__)

REREAD_SECONDS = 20.0  # a step's map takes some milliseconds to read, for up to 1 MB
MOST_PLACES = 32
NOTHING = SiteFacts()

_read = OrderedDict[Place, tuple[float, SiteFacts]]()
_reading = Lock()


def learn_map(seen: Seen) -> None:
    step, parts = seen.step, split_http(seen.step.url)
    # A page of another host says nothing of this site.
    if step.form is not Form.STEP or not step.page or parts is None or f"{parts.hostname}:{port_of(parts)}" != seen.place.site:
        return
    page = read(step.page, step.url)
    facts = {**shown_by(page, step.page, *_before(seen.row)), **_better(lists(page), seen.place)}
    if facts:
        store.save(seen.place, facts, seen.row.pk, seen.now)


def _before(row: Step) -> tuple[Page | None, list[dict[str, Any]]]:
    """The page of the step before, None for none, and the selectors of what it pressed."""
    before = Step.objects.filter(task=row.task_id, index=row.index - 1, pk__lt=row.pk).order_by("-pk").first() if row.index else None
    kept = StepPage.objects.filter(step=before).first() if before else None
    if before is None or kept is None:
        return None, []
    came = page_archive.unpacked(bytes(kept.gz))
    pressed = [action.get("selector") or {} for action in before.actions if action["type"] in PRESSES]
    return read(came.page, came.url), pressed


def _better(found: Mapping[Fact, dict[str, Any]], place: Place) -> dict[Fact, dict[str, Any]]:
    """Of two pages that list the same things the one that says more numbers of them, or else has more of them, is their list."""
    known = {row.key: row.facts for row in Learned.objects.filter(site=place.site, callers=place.callers, kind=Learned.Kind.LIST)}
    return {fact: made for fact, made in found.items() if _worth(made) >= _worth(known.get(fact[1], {}))}


def _worth(facts: Mapping[str, Any]) -> tuple[int, int]:
    return len(facts.get("numbers", ())), facts.get("entries", 0)


def facts_at(place: Place | None) -> SiteFacts:
    """What is known of a site, for one group of callers; what was known before, while the database is away."""
    if place is None:
        return NOTHING
    with _reading:
        read_at, facts = _read.get(place, (0.0, NOTHING))
    if read_at and time.monotonic() - read_at < REREAD_SECONDS:
        return facts
    try:
        with answering():
            facts = facts_of(store.known(place).values())
    except UNAVAILABLE as error:
        logger.warning("What was learned of %s can't be read (%s).", place.site, error)
    with _reading:
        _read[place] = time.monotonic(), facts
        while len(_read) > MOST_PLACES:
            _read.popitem(last=False)
    return facts


def forget() -> None:
    with _reading:
        _read.clear()


def facts_of(rows: Iterable[Learned]) -> SiteFacts:
    """As those of a TOML file; what can't be used is left out."""
    return read_table("learned", table(rows), NOTHING, [])


def faults_of(row: Learned) -> list[Fault]:
    faults = list[Fault]()
    read_table(row.key, table([row]), NOTHING, faults)
    return faults


def table(rows: Iterable[Learned]) -> dict[str, Any]:
    """The rows as a TOML file has them."""
    made: dict[str, dict[str, Any]] = {"items": {}, "pages": {}}
    for row in rows:
        if row.kind in (Learned.Kind.ROUTE, Learned.Kind.EFFECT):
            made["pages"][row.key] = row.facts
        elif row.kind == Learned.Kind.LIST:
            made["items"][row.key] = row.facts
    return {name: entries for name, entries in made.items() if entries}
