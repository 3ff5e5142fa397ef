"""The controls to try where no recipe has a move left on a page, the most promising first."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from agents.contract.action_history import PRESSES, Past
from agents.contract.actions import click
from agents.contract.origins import path_of
from agents.page import BUTTONS, OPTIONS, PICKER, TICKED, Element, Page, word_set, words
from agents.page.past import action_in_words
from agents.template.budget import in_time
from agents.template.forms.forms import sends_form
from agents.template.items.finding import fitting, may_show
from agents.template.items.matching import LEADS_TO, best_button, since_cart, was_pressed
from agents.template.items.navigation import adds_to_profile, is_form_open
from agents.template.moves import ESCAPE, Move, made, press
from agents.template.prompt import POSITIVE, Intent, Kind, Trait, holds_all, meanings_of, target_of
from agents.template.prompt.targets import is_of_order
from agents.template.prompt.verbs import BINDS, is_unrequested, verb_of
from agents.template.recipes.recipe import MARKUP, quoted_in

MOST_PRESSES = 24  # a task has at most 50 actions: more presses than this will not help either
_MOST_OF_GROUP = 6  # of one group on one page: the rest of it is less promising than the next group
_PRESSED = BUTTONS | OPTIONS | TICKED | {PICKER}
# Words of prompts and of markup that do not distinguish controls.
_STOP_WORDS = word_set("""user click press button btn link option page view show open go navigate navbar nav navigation sidebar menu from
    where via use detail select choose please then and or with is are equal contain not that which me i want need list item tab new action
    to of the a an my your this it now on for or at in by no any""")
# Verbs: alone they do not identify a control.
_VERBS = word_set("""add edit delete remove save share search find sort filter cancel confirm next apply play preview set write submit send
    start like follow keep post create make update change get book reserve""")
_REVEALS = word_set("more option menu setting ellipsi ellipsis action advanced filter expand account preference")
_ONWARD = ("next", "continue", "next step", "proceed", "chevron right", "arrow right")
_BACK = ("back", "arrow left", "chevron left", "close", "return", "x")
_TAKES_OVER, _SURE = ("continue", "done", "apply", "next", "ok"), 0.9
_OWN_PAGES = frozenset({"profile", "account", "dashboard", "setting"})
_LOGS_IN = frozenset({"account", "login", "signin", "log", "sign"})
_NEVER = frozenset({"logout", "register", "signup", "signin", "login"})
_TAKEN_OFF = re.compile(r"\b(?:remove|delete|erase|discard)\b", re.I)
_CLICKS = re.compile(r"\b(?:click|press|tap)\b", re.I)
_PARTS = MARKUP | {"section", "picker", "selector", "field", "box", "container", "wrapper"}
_DIGITS = re.compile(r"\d+")
_MOST_WORDS, _LEAST_SHARED = 6, 0.5


def further(intent: Intent, page: Page, past: Past) -> Iterator[Move]:
    """Each control that was not tried yet and does nothing that the task does not request, once."""
    if _is_finished(intent, past):
        return
    clicked, is_sure = _heading_presses(intent, page)
    if is_sure:
        yield from (move for move in clicked if not any(map(past.times, move.alternatives)))
    for group in _groups(intent, page, is_anywhere=not _is_near(intent, past)):
        yield from islice(_untried(group, intent, page, past), _MOST_OF_GROUP)
    if any(element.overlay and element.usable for element in page.elements):
        yield Move((ESCAPE,))
    yield from (move for move in clicked if not any(map(past.times, move.alternatives)))


def _is_finished(intent: Intent, past: Past) -> bool:
    presses = [entry for entry in past.entries if entry.type in PRESSES]
    # Without the caller's history and without our records, it is unknown which controls were tried.
    is_unknown = any(entry.type == "ClickAction" and "selector" not in entry.fields for entry in presses)
    # A form is not sent again by another control. What opens a form may have the same label as what saves it.
    sends = past.filled or intent.kind in (Kind.CANCEL, Kind.SHARE)
    since = since_cart(past) if is_of_order(intent) else past
    is_sent = sends and bool(intent.kind.row.sent_by) and was_pressed(since, intent.kind.row.sent_by)
    return is_unknown or is_sent or len(presses) >= MOST_PRESSES


def _untried(elements: Iterable[Element], intent: Intent, page: Page, past: Past) -> Iterator[Move]:
    """By its selectors and, in our records, by its text: controls with the same label in one item or part of the page are one."""
    done = {entry.words for entry in past.entries if entry.words and entry.succeeded is not False}
    saves = BINDS if intent.kind is Kind.DELETE_ITEM and is_form_open(page) else frozenset[str]()
    for element in elements:
        # Only tasks about an account require a log-in by themselves.
        logs_in = element.opens == "dialog" and _LOGS_IN & set(words(element.label)) and not intent.kind.has(Trait.ACCOUNT)
        sends = sends_form(element, intent.kind.row)
        is_open = element.is_open_tab or (element.current and intent.kind is not Kind.NAVIGATE)
        is_other = adds_to_profile(element, intent) or not saves.isdisjoint(words(element.label))
        if logs_in or sends or is_open or is_other or is_unrequested(element, intent):
            continue
        move = press(page, element)
        if move.alternatives and not any(map(past.times, move.alternatives)) and action_in_words(move.alternatives[0], page) not in done:
            yield move


def _heading_presses(intent: Intent, page: Page) -> tuple[list[Move], bool]:
    """Presses of blocks that are recognised by their heading alone, as not all that can be pressed is marked up so; and whether the
    requested one is certainly among them. Next to a block with an excluded value are the others."""
    headings = page.headings[1:] if intent.criteria and _CLICKS.search(intent.text) else ()
    excluded = {word for criterion in intent.criteria if criterion.operator.negative for value in criterion.values for word in words(value)}
    like = [at for at, heading in enumerate(headings) if excluded & set(words(heading))]
    fitting = [(at, heading) for at, heading in enumerate(headings) if at not in like and holds_all(intent.criteria, heading)]
    nearest = sorted(fitting, key=lambda pair: min((abs(pair[0] - at) for at in like), default=0))
    selectors = (page.showing(heading) for _, heading in nearest)
    is_sure = bool(like) or any(criterion.operator in POSITIVE for criterion in intent.criteria)
    return [Move(made(click, (selector,))) for selector in selectors if selector], is_sure


def _is_near(intent: Intent, past: Past) -> bool:
    """Whether the control is probably on this page: what the prompt names was pressed, its form was sent, or it names nothing."""
    if intent.kind.has(Trait.ACCOUNT) or (intent.kind is Kind.OTHER and not intent.criteria):
        return True
    row = intent.kind.row
    names = (*row.sent_by, *(row.opened_by if intent.kind is Kind.CHECKOUT else ()))
    if was_pressed(past, row.buttons, links=False) or was_pressed(past, names):
        return True
    if row.sent_by and past.after_sending() is not None:
        return True
    prompt = meanings_of(intent.head)
    labels = (quoted_in(entry) for entry in past.entries if entry.type in PRESSES)
    return any(len(own := meanings_of(name)) > 1 and own <= prompt for name in labels)


def _groups(intent: Intent, page: Page, *, is_anywhere: bool) -> Iterator[Iterable[Element]]:
    offered = _offered(page)
    if not _is_about_item(intent) or target_of(intent).is_any:
        # The task is about no item, so the controls of items are left out.
        listed = {place for record in page.records if len(page.records) > 1 for place in (element.place for element in record.elements)}
        offered = [element for element in offered if element.place not in listed]
    within = _within(intent, page, offered)
    if within is offered and (not may_show(target_of(intent), page) or _is_unsure(intent, page)):
        # An action on an item must not be done to another one.
        listed = {place for place in page.items if len(page.records) > 1 and not page.elements[place].href}
        within = offered = [element for element in offered if element.place not in listed and not _acts(intent, element)]
    yield by_verb(intent, within)
    yield _like_prompt(intent, within)
    if any(element.layer for element in offered):
        # A button that confirms may match a synonym of "continue", but sends the dialog's form.
        yield filter(None, [best_button((one for one in offered if BINDS.isdisjoint(words(one.label))), _ONWARD, 0.7)])
    yield _revealing(within)
    if within is not offered:
        yield _like_prompt(intent, offered)
    yield _opening(intent, page)
    if not is_anywhere:
        return
    yield _revealing(offered)
    yield _sections(page, offered)
    yield filter(None, [best_button(offered, _BACK, 0.8)])
    yield (element for element in offered if element.href and path_of(element.href) == "/" and path_of(page.url) != "/")


def _offered(page: Page) -> Sequence[Element]:
    """The controls that can be pressed: while a dialog or menu is open, only those in it."""
    usable = [element for element in page.usable(_PRESSED) if not element.footer]
    top = max((element.layer for element in usable), default=0)
    over = [element for element in usable if element.overlay]
    return over or [element for element in usable if element.layer == top] if top or over else usable


def _is_about_item(intent: Intent) -> bool:
    return intent.kind is Kind.OTHER or intent.kind.has(Trait.OF_ITEM)


def _within(intent: Intent, page: Page, offered: Sequence[Element]) -> Sequence[Element]:
    """The controls of the target item, where the page shows it; all controls where the prompt has no item."""
    target = target_of(intent)
    if not _is_about_item(intent) or target.is_any or any(element.layer or element.overlay for element in offered):
        return offered
    fits = [record for record, _ in islice(fitting(target, page), 1)]
    own = {element.place for record in fits for element in record.elements}
    return [element for element in offered if element.place in own] if own else offered


def by_verb(intent: Intent, among: Sequence[Element]) -> Iterator[Element]:
    """The controls for the prompt's verb, by their label or else their icon."""
    if not (requested := verb_of(intent)):
        return
    labels = [meanings_of(label) for label in requested[1].labels]
    ranked = list[tuple[int, int, Element]]()
    for element in in_time(among):
        texts = (meanings_of(element.label), meanings_of(element.text), meanings_of(element.hints) - MARKUP)
        rank = next((rank for rank, label in enumerate(labels) if label in texts), None)
        # A link leads to a list, such as of the liked items.
        if rank is not None and not element.label.startswith(LEADS_TO) and not element.href.strip("#"):
            ranked.append((rank, element.place, element))
    yield from (hit[2] for hit in sorted(ranked, key=lambda hit: hit[:2]))


def _acts(intent: Intent, element: Element) -> bool:
    """Whether its label has a name of the action, as in: archive this letter. A link leads to a list, such as of the archived items."""
    verb = verb_of(intent)
    names = (*(verb[1].labels if verb else ()), *intent.kind.row.buttons)
    own = meanings_of(element.label)
    leads = element.label.startswith(LEADS_TO) or bool(element.href.strip("#"))
    return not leads and any(meanings_of(name) <= own for name in names)


def another(intent: Intent, page: Page, past: Past) -> Iterator[Move]:
    """The next control for the prompt's verb, or the one that takes a choice over: if the caller continues, the first did not suffice."""
    if intent.kind is Kind.SEARCH and page.search_box and not page.search_box.value:
        return  # the search led to another page
    if intent.kind is Kind.CHOOSE:
        takes_over = best_button(page.usable({"button"}), _TAKES_OVER, _SURE)
        yield from _untried([takes_over] if takes_over else (), intent, page, past)
        return
    if not may_show(target_of(intent), page) or _is_unsure(intent, page):
        return
    yield from _untried(islice(by_verb(intent, _offered(page)), _MOST_OF_GROUP), intent, page, past)


def _is_unsure(intent: Intent, page: Page) -> bool:
    """Whether something would be removed from an item that the page does not show."""
    is_known = page.subject is not None or page.records or target_of(intent).is_any
    return not is_known and _is_about_item(intent) and _TAKEN_OFF.search(intent.head) is not None


def _like_prompt(intent: Intent, among: Sequence[Element]) -> Iterator[Element]:
    """The controls whose texts share words with the prompt, most words first; excluded values do not match."""
    values = [(one.operator in POSITIVE, word) for one in intent.criteria for value in one.values for word in words(value)]
    stated, excluded = {word for is_wanted, word in values if is_wanted}, {word for is_wanted, word in values if not is_wanted}
    text = intent.head if is_of_order(intent) else intent.text  # the rest is about what was put into the cart
    prompt = (meanings_of(text) | frozenset(words(text))) - _STOP_WORDS - _VERBS - excluded
    scored = list[tuple[float, int, int, Element]]()
    for element in in_time(among):
        texts = [_meaningful(element.label), _meaningful(element.text), _meaningful(element.hints) - _PARTS]
        shares = [(0.95**at * len(own & prompt) / len(own), len(own & prompt) + len(own & stated)) for at, own in enumerate(texts) if own]
        merit, shared = max(shares, default=(0.0, 0))
        # A navigation link such as "Starred" has the verb's word, but does not star anything.
        is_place = element.label.startswith(LEADS_TO) and intent.kind in (Kind.MARK, Kind.REACT)
        if merit >= _LEAST_SHARED and len(texts[0]) <= _MOST_WORDS and not is_place:
            scored.append((-round(merit, 1), -shared, element.place, element))
    yield from (hit[3] for hit in sorted(scored, key=lambda hit: hit[:3]))


def _meaningful(text: str) -> frozenset[str]:
    return (meanings_of(_DIGITS.sub(" ", text)) | frozenset(words(_DIGITS.sub(" ", text)))) - _STOP_WORDS


def _revealing(among: Sequence[Element]) -> Iterator[Element]:
    """Controls that open a menu, a section or a part of a form; then the tabs that are not open."""
    closed = [element for element in among if element.expanded is False or element.opens in {"menu", "dialog", "listbox"}]
    short = (element for element in among if element not in closed and not element.href and len(words(element.label)) <= 3)
    named = [element for element in short if _REVEALS & set(words(f"{element.label} {element.icon}"))]
    yield from (*closed, *named, *(element for element in among if element.role == "tab" and not element.selected))


def _opening(intent: Intent, page: Page) -> Iterator[Element]:
    target = target_of(intent)
    if not _is_about_item(intent):
        return
    for record, _ in islice(fitting(target, page), 3) if not target.is_any else ():
        is_any = _CLICKS.search(intent.text) is not None
        yield from islice((element for element in record.elements if is_any or element.opens == "item" or element.href.strip("#")), 1)


def _sections(page: Page, offered: Sequence[Element]) -> Iterator[Element]:
    here, taken = path_of(page.url), set(page.items)
    for element in offered:
        path = path_of(element.href) if element.href.strip("#") else ""
        texts = words(f"{element.label} {path}")
        is_near = path.count("/") == 1 or not _OWN_PAGES.isdisjoint(texts)
        leads = is_near and path not in ("/", here) if path else "navigate" in words(element.label)
        if leads and element.place not in taken and not _NEVER & {*texts, "".join(texts)} and len(words(element.label)) <= 4:
            yield element
