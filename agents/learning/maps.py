"""Site maps: learned from the page, the URL and the actions of each step, and read by plans."""

import logging
import re
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from threading import Lock
from typing import Any

from agents.configuration.known_sites import read_table
from agents.contract.action_history import PRESSES, WAITS
from agents.contract.origins import port_of, split_http
from agents.contract.protocol import Form
from agents.database import UNAVAILABLE, answering
from agents.hybrid import page_archive
from agents.learning import store
from agents.learning.reading.pages import key_of, learned
from agents.learning.solutions import solutions_of
from agents.learning.store import AnsweredStep, Place
from agents.models import Learned, Step, StepPage
from agents.page import Page, read
from agents.template.sites.site_facts import Fault, SiteFacts
from agents.template.sites.site_map import route_of

logger = logging.getLogger(__name__)

REREAD_SECONDS = 10.0  # as long as the worker's rounds; reading a place takes some milliseconds, for up to 1 MB
MOST_PLACES = 64
MOST_EARLIER = 10  # steps of a task that may have waited in a row
NOTHING = SiteFacts()
# The most sites that are compared with a page of an unknown site, and the least similarity of the most similar one.
_MOST_COMPARED, _SAME_SITE = 50, 0.6
_HREFS, _TITLE = re.compile(r'href="(/[^"]*)"'), re.compile(r"<title>([^<]+)</title>")

_read = OrderedDict[Place, tuple[float, SiteFacts]]()
_reading = Lock()


def learn_map(answered: AnsweredStep) -> None:
    step, parts = answered.step, split_http(answered.step.url)
    # The page is of another site.
    if step.form is not Form.STEP or not step.page or parts is None or f"{parts.hostname}:{port_of(parts)}" != answered.place.site:
        return
    kinds, place = (Learned.Kind.LIST, Learned.Kind.FORM), answered.place
    stored = Learned.objects.filter(site=place.site, callers=place.callers, kind__in=kinds)
    page = read(step.page, step.url)
    facts = learned(page, step.page, *_before(answered.row), {(row.kind, row.key): row.facts for row in stored})
    if facts:
        store.save(answered.place, facts, answered.row.pk, answered.now)


def _before(row: Step) -> tuple[Page | None, list[dict[str, Any]]]:
    """The page of the last step with an effect, None for none, and the selectors of its presses."""
    earlier = Step.objects.filter(task=row.task_id, index__lt=row.index, pk__lt=row.pk).order_by("-pk")[:MOST_EARLIER]
    # What a page shows after a wait, or a failed action, was still loading before.
    before = next((step for step in earlier if any(map(_has_effect, step.actions, [*step.worked, *(None for _ in step.actions)]))), None)
    kept = StepPage.objects.filter(step=before).first() if before else None
    if before is None or kept is None:
        return None, []
    kept_step = page_archive.unpacked(bytes(kept.gz))
    pressed = [action.get("selector") or {} for action in before.actions if action["type"] in PRESSES]
    return read(kept_step.page, kept_step.url), pressed


def _has_effect(action: Mapping[str, Any], worked: bool | None) -> bool:
    return action["type"] not in WAITS and worked is not False


def facts_at(place: Place | None, page: Page | None = None) -> SiteFacts:
    """The facts of a site for one group of callers; those read before, while the database is down. Raises nothing.

    An unknown site is recognised by the step's `page`.
    """
    if place is None:
        return NOTHING
    with _reading:
        read_at, facts = _read.get(place, (0.0, NOTHING))
    if read_at and time.monotonic() - read_at < REREAD_SECONDS:
        return facts
    try:
        with answering():
            rows = store.stored(place) or (store.stored(similar) if page and (similar := _recognised(place, page)) else {})
        facts = facts_of(rows.values())
    except UNAVAILABLE as error:
        logger.warning("The learned facts of %s can't be read (%s).", place.site, error)
    with _reading:
        _read[place] = time.monotonic(), facts
        _read.move_to_end(place)
        while len(_read) > MOST_PLACES:
            _read.popitem(last=False)
    return facts


def forget() -> None:
    """Drop the facts in memory; the next step reads them again."""
    with _reading:
        _read.clear()


def _recognised(place: Place, page: Page) -> Place | None:
    """The place of the same callers whose page at the same route has the same title and links to the same routes."""
    if not page.title:
        return None
    alike = Learned.objects.filter(callers=place.callers, kind=Learned.Kind.ROUTE, key=key_of(page)).order_by("-seen_at")
    own = {route_of(element.href) for element in page.elements if element.href.startswith("/")}
    merits = ((_shared(own, row.facts.get("html", ""), page.title), row.site) for row in alike[:_MOST_COMPARED])
    merit, site = max(merits, default=(0.0, ""))
    return replace(place, site=site, project="") if merit >= _SAME_SITE else None


def _shared(own: set[str], html: str, title: str) -> float:
    named = _TITLE.search(html)
    routes = set(map(route_of, _HREFS.findall(html)))
    return len(own & routes) / len(own | routes) if named and named[1].strip() == title and len(routes) > 1 else 0.0


def facts_of(rows: Iterable[Learned]) -> SiteFacts:
    """The site facts, as of a TOML file, and solutions; invalid ones are left out."""
    facts = list(rows)
    return replace(read_table("learned", table(facts), NOTHING, []), solutions=tuple(solutions_of(facts)))


def faults_of(row: Learned) -> list[Fault]:
    faults = list[Fault]()
    read_table(row.key, table([row]), NOTHING, faults)
    return faults


_TABLES = {Learned.Kind.ROUTE: "pages", Learned.Kind.EFFECT: "pages", Learned.Kind.LIST: "items", Learned.Kind.FORM: "forms"}


def table(rows: Iterable[Learned]) -> dict[str, Mapping[str, Any]]:
    """The rows in the form of a TOML file."""
    made: dict[str, dict[str, Any]] = {"items": {}, "forms": {}, "pages": {}}
    for row in rows:
        if name := _TABLES.get(Learned.Kind(row.kind)):
            made[name][row.key] = row.facts
    return {name: entries for name, entries in made.items() if entries}
