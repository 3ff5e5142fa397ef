"""What may be tried where no recipe has anything left to do on a page: its controls, those first that are likely to lead on."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from agents.contract.action_history import PRESSES, Past
from agents.contract.actions import click, validate
from agents.contract.origins import path_of
from agents.page import Element, Page
from agents.page.elements import BUTTONS, OPTIONS, PICKER, TICKED
from agents.page.matching import words
from agents.page.past import action_in_words
from agents.template.budget import in_time
from agents.template.items.finding import fitting, may_show
from agents.template.items.matching import LEADS_TO, best_button, was_pressed
from agents.template.items.navigation import only_sends
from agents.template.moves import Move, made, press
from agents.template.prompt import Intent, Kind, Trait, holds, target_of
from agents.template.prompt.operators import POSITIVE
from agents.template.prompt.synonyms import meant
from agents.template.prompt.verbs import is_unasked, verb_of
from agents.template.recipes.recipe import MARKUP, quoted_in

# A task has at most 50 actions: what is not found after so many presses is not found by more of them.
MOST_PRESSES = 24
# Of one way, on one page: the rest is less likely than what the next way offers.
_MOST_OF_WAY = 6
_PRESSED = BUTTONS | OPTIONS | TICKED | {PICKER}
# Words of prompts and of markup that say nothing of a control.
_NOTHING = frozenset(
    """
    user click press button btn link option page view show open go navigate navbar nav navigation sidebar menu from where via use
    detail select choose please then and or with is are equal contain not that which me i want need list item tab new
    action to of the a an my your this it now on for or at in by no any""".split()  # noqa: SIM905 (words read best as words)
)
# Alone they say what is done, not to what.
_VERBS = frozenset(
    """add edit delete remove save share search find sort filter cancel confirm next apply play preview set write submit send start like
    follow keep post create make update change get book reserve""".split()  # noqa: SIM905 (words read best as words)
)
_REVEALS = frozenset(
    {"more", "option", "menu", "setting", "ellipsi", "ellipsis", "action", "advanced", "filter", "expand", "account", "preference"}
)
_ONWARD = ("next", "continue", "next step", "proceed", "chevron right", "arrow right")
_BACK = ("back", "arrow left", "chevron left", "close", "return", "x")
_OWN_PAGES = frozenset({"profile", "account", "dashboard", "setting"})
_LOGS_IN = frozenset({"account", "login", "signin", "log", "sign"})
_NEVER = frozenset({"logout", "register", "signup", "signin", "login"})
_ESCAPE = validate({"type": "SendKeysIWAAction", "keys": "Escape"})
_TAKEN_OFF = re.compile(r"\b(?:remove|delete|erase|discard)\b", re.I)
_CLICKS = re.compile(r"\b(?:click|press|tap)\b", re.I)
_DIGITS = re.compile(r"\d+")
_MOST_WORDS, _LEAST_SHARED = 6, 0.5


def further(intent: Intent, page: Page, past: Past) -> Iterator[Move]:
    """Each thing that is untried and unasked-for by nothing, once: it may be pressed, and undone by what the site offers for that."""
    if _is_over(intent, past):
        return
    clicked, is_sure = _shown(intent, page)
    if is_sure:
        yield from (move for move in clicked if not any(map(past.times, move.alternatives)))
    for way in _ways(intent, page, is_anywhere=not _is_near(intent, past)):
        yield from islice(_untried(way, intent, page, past), _MOST_OF_WAY)
    if any(one.overlay and one.usable for one in page.elements):
        yield Move((_ESCAPE,))
    yield from (move for move in clicked if not any(map(past.times, move.alternatives)))


def _is_over(intent: Intent, past: Past) -> bool:
    presses = [entry for entry in past.entries if entry.type in PRESSES]
    # Without the caller's history and without our records, it is unknown which controls were tried.
    is_unknown = any(entry.type == "ClickAction" and "selector" not in entry.fields for entry in presses)
    # What was sent is not sent again in another way. What only opened a form to be changed may be called like what saves it.
    sends = past.filled or intent.kind in (Kind.CANCEL, Kind.SHARE)
    is_sent = sends and bool(intent.kind.row.sent_by) and was_pressed(past, intent.kind.row.sent_by)
    return is_unknown or is_sent or len(presses) >= MOST_PRESSES


def _untried(elements: Iterable[Element], intent: Intent, page: Page, past: Past) -> Iterator[Move]:
    """By its selectors and, in our records, by its words: what is called alike in one item or part of the page is one thing."""
    done = {entry.words for entry in past.entries if entry.words and entry.succeeded is not False}
    for element in elements:
        # A task that is not about an account needs no log-in that nothing asked for.
        logs_in = element.opens == "dialog" and _LOGS_IN & set(words(element.label)) and not intent.kind.has(Trait.ACCOUNT)
        sends = bool(intent.kind.row.sent_by) and only_sends(element)
        if logs_in or sends or is_unasked(element, intent) or element.is_open_tab or (element.current and intent.kind is not Kind.NAVIGATE):
            continue
        move = press(page, element)
        if move.alternatives and not any(map(past.times, move.alternatives)) and action_in_words(move.alternatives[0], page) not in done:
            yield move


def _shown(intent: Intent, page: Page) -> tuple[list[Move], bool]:
    """Presses of what only its heading shows: not all that can be pressed looks like it; and whether it surely is among them. What is
    excluded may be called a little differently; the others stand beside it."""
    headings = page.headings[1:] if intent.criteria and _CLICKS.search(intent.words) else ()
    excluded = {word for one in intent.criteria if one.operator.negative for value in one.values for word in words(value)}
    like = [at for at, heading in enumerate(headings) if excluded & set(words(heading))]
    fitting = [(at, one) for at, one in enumerate(headings) if at not in like and all(holds(each, one) for each in intent.criteria)]
    nearest = sorted(fitting, key=lambda pair: min((abs(pair[0] - at) for at in like), default=0))
    selectors = (page.showing(heading) for _, heading in nearest)
    is_sure = bool(like) or any(one.operator in POSITIVE for one in intent.criteria)
    return [Move(made(click, (selector,))) for selector in selectors if selector], is_sure


def _is_near(intent: Intent, past: Past) -> bool:
    """Whether what is sought is on this page, if anywhere: what the prompt names was pressed, or its form was sent, or it names nothing."""
    if intent.kind.has(Trait.ACCOUNT) or (intent.kind is Kind.OTHER and not intent.criteria):
        return True
    row = intent.kind.row
    if was_pressed(past, row.buttons, links=False) or was_pressed(
        past, (*row.sent_by, *(row.opened_by if intent.kind is Kind.CHECKOUT else ()))
    ):
        return True
    if row.sent_by and past.after_sending() is not None:
        return True
    said = meant(intent.head)
    called = (quoted_in(entry) for entry in past.entries if entry.type in PRESSES)
    return any(len(own := meant(name)) > 1 and own <= said for name in called)


def _ways(intent: Intent, page: Page, *, is_anywhere: bool) -> Iterator[Iterable[Element]]:
    offered = _offered(page)
    if not _is_about_item(intent) or target_of(intent).is_any:
        # No item is meant: what one of a list offers is for that one.
        listed = {place for record in page.records if len(page.records) > 1 for place in (one.place for one in record.elements)}
        offered = [one for one in offered if one.place not in listed]
    within = _within(intent, page, offered)
    if within is offered and (not may_show(target_of(intent), page) or _is_unsure(intent, page)):
        # What is done to an item is not done to another one, least of all where it takes something away.
        acting = {one.place for one in by_verb(intent, offered)}
        within = offered = [one for one in offered if one.place not in acting]
    yield by_verb(intent, within)
    yield _said(intent, within)
    if any(one.layer for one in offered):
        yield filter(None, [best_button(offered, _ONWARD, 0.7)])
    yield _revealing(within)
    if within is not offered:
        yield _said(intent, offered)
    yield _opening(intent, page)
    if not is_anywhere:
        return
    yield _revealing(offered)
    yield _places(page, offered)
    yield filter(None, [best_button(offered, _BACK, 0.8)])
    yield (one for one in offered if one.href and path_of(one.href) == "/" and path_of(page.url) != "/")


def _offered(page: Page) -> Sequence[Element]:
    """What can be pressed: while a dialog or menu lies over the page, only what is in it."""
    usable = [one for one in page.usable(_PRESSED) if not one.footer]
    top = max((one.layer for one in usable), default=0)
    over = [one for one in usable if one.overlay]
    return over or [one for one in usable if one.layer == top] if top or over else usable


def _is_about_item(intent: Intent) -> bool:
    return intent.kind is Kind.OTHER or intent.kind.has(Trait.OF_ITEM)


def _within(intent: Intent, page: Page, offered: Sequence[Element]) -> Sequence[Element]:
    """The controls of the item that is meant, where the page shows it; all of them where the prompt speaks of none."""
    target = target_of(intent)
    if not _is_about_item(intent) or target.is_any or any(one.layer or one.overlay for one in offered):
        return offered
    fits = [record for record, _ in islice(fitting(target, page), 1)]
    own = {one.place for record in fits for one in record.elements}
    return [one for one in offered if one.place in own] if own else offered


def by_verb(intent: Intent, among: Sequence[Element]) -> Iterator[Element]:
    """What does what the prompt's verb says, by its words or else its icon."""
    if not (found := verb_of(intent)):
        return
    labels = [meant(label) for label in found[1].labels]
    ranked = list[tuple[int, int, Element]]()
    for one in in_time(among):
        called = (meant(one.label), meant(one.text), meant(one.hints) - MARKUP)
        rank = next((rank for rank, label in enumerate(labels) if label in called), None)
        # A link leads to the list of what was done so.
        if rank is not None and not one.label.startswith(LEADS_TO) and not one.href.strip("#"):
            ranked.append((rank, one.place, one))
    yield from (hit[2] for hit in sorted(ranked, key=lambda hit: hit[:2]))


def another(intent: Intent, page: Page, past: Past) -> Iterator[Move]:
    """Of what is called by the prompt's verb the next: where the caller asks on after the first was pressed, it was not the right one."""
    if intent.kind is Kind.SEARCH and page.search_box and not page.search_box.value:
        return  # it led to another page
    if not may_show(target_of(intent), page) or _is_unsure(intent, page):
        return
    yield from _untried(islice(by_verb(intent, _offered(page)), _MOST_OF_WAY), intent, page, past)


def _is_unsure(intent: Intent, page: Page) -> bool:
    """Whether something would be taken from an item of which the page shows nothing."""
    is_known = page.subject is not None or page.records or target_of(intent).is_any
    return not is_known and _is_about_item(intent) and _TAKEN_OFF.search(intent.head) is not None


def _said(intent: Intent, among: Sequence[Element]) -> Iterator[Element]:
    """What is called as the prompt calls something, the most of its words first; a value that is excluded is not said."""
    values = [(one.operator in POSITIVE, word) for one in intent.criteria for value in one.values for word in words(value)]
    wanted, excluded = {word for is_wanted, word in values if is_wanted}, {word for is_wanted, word in values if not is_wanted}
    said = (meant(intent.words) | frozenset(words(intent.words))) - _NOTHING - _VERBS - excluded
    scored = list[tuple[float, int, int, Element]]()
    for one in in_time(among):
        texts = [_own(text) for text in (one.label, one.text, one.hints)]
        shares = [(0.95**at * len(own & said) / len(own), len(own & said) + len(own & wanted)) for at, own in enumerate(texts) if own]
        merit, shared = max(shares, default=(0.0, 0))
        # The part of the site with what was starred is called like the verb, and is no way to do it.
        is_place = one.label.startswith(LEADS_TO) and intent.kind in (Kind.MARK, Kind.REACT)
        if merit >= _LEAST_SHARED and len(texts[0]) <= _MOST_WORDS and not is_place:
            scored.append((-round(merit, 1), -shared, one.place, one))
    yield from (hit[3] for hit in sorted(scored, key=lambda hit: hit[:3]))


def _own(text: str) -> frozenset[str]:
    return (meant(_DIGITS.sub(" ", text)) | frozenset(words(_DIGITS.sub(" ", text)))) - _NOTHING


def _revealing(among: Sequence[Element]) -> Iterator[Element]:
    """What opens a menu, a section, a part of a form; then the tabs that are not open."""
    closed = [one for one in among if one.expanded is False or one.opens in {"menu", "dialog", "listbox"}]
    short = (one for one in among if one not in closed and not one.href and len(words(one.label)) <= 3)
    named = [one for one in short if _REVEALS & set(words(f"{one.label} {one.icon}"))]
    yield from (*closed, *named, *(one for one in among if one.role == "tab" and not one.selected))


def _opening(intent: Intent, page: Page) -> Iterator[Element]:
    target = target_of(intent)
    if not _is_about_item(intent):
        return
    for record, _ in islice(fitting(target, page), 3) if not target.is_any else ():
        is_any = _CLICKS.search(intent.words) is not None
        yield from islice((one for one in record.elements if is_any or one.opens == "item" or one.href.strip("#")), 1)


def _places(page: Page, offered: Sequence[Element]) -> Iterator[Element]:
    """Other parts of the site."""
    here, taken = path_of(page.url), set(page.items)
    for one in offered:
        path = path_of(one.href) if one.href.strip("#") else ""
        said = words(f"{one.label} {path}")
        is_near = path.count("/") == 1 or not _OWN_PAGES.isdisjoint(said)
        leads = is_near and path not in ("/", here) if path else "navigate" in words(one.label)
        if leads and one.place not in taken and not _NEVER & {*said, "".join(said)} and len(words(one.label)) <= 4:
            yield one
