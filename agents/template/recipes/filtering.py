"""Filter a list: set the controls that the criteria are about, and apply them where the page wants that."""

from __future__ import annotations

from agents.page import Page
from agents.page.elements import FIELDS
from agents.template.deeds import deed, did, named
from agents.template.fields import link_to
from agents.template.filters import controls
from agents.template.intents import Intent, Kind
from agents.template.moves import Move
from agents.template.past import Past

_APPLY = ("apply", "apply filters", "show results", "filter", "update results", "search")
_UNFOLD = ("filters", "show filters", "more filters", "advanced filters", "filter")
_LISTS = ("search", "browse", "filter", "catalog", "explore", "discover", "shop", "all")


def fits(intent: Intent) -> bool:
    return intent.kind is Kind.FILTER


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    """To the controls: unfolded where they hide, else on the page that lists what is filtered."""
    if page is None or controls(page, intent.criteria):
        return ()
    unfold = named(page.elements, _UNFOLD, least=0.9)
    if unfold is not None:
        return (deed(page, unfold, _UNFOLD),)
    return link_to(page, (*_things(intent), *_LISTS))


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None:
        return ()
    set_ = controls(page, intent.criteria)
    button = named(page.elements, _APPLY, least=0.9) if set_ else None
    return (*set_, deed(page, button, _APPLY)) if button else set_


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    """The controls were set, and what applies them was pressed where there is such a thing."""
    if not past.filled and not past.pressed:
        return False
    button = named(page.elements, _APPLY, least=0.9) if page.usable(FIELDS) else None
    return button is None or did(past, _APPLY)


def _things(intent: Intent) -> tuple[str, ...]:
    return (intent.subject,) if 0 < len(intent.subject) <= 20 else ()
