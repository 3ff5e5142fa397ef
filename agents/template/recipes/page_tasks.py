"""What is done with a list or a page as a whole: search, filter, sort, turn pages; go to a page, switch its view, unfold, scroll."""

import re
from collections.abc import Sequence
from dataclasses import replace

from agents.contract.action_history import Past
from agents.contract.origins import path_of
from agents.page import Element, Page
from agents.page.elements import BUTTONS, FIELDS, OPTIONS, TICKED
from agents.page.matching import words
from agents.template import blind_xpath
from agents.template.budget import in_time
from agents.template.forms.filling import fills_for
from agents.template.forms.forms import search_for
from agents.template.items.filters import controls, loose
from agents.template.items.finding import is_target_page
from agents.template.items.matching import best_button, press_best, press_labelled, was_pressed
from agents.template.items.navigation import list_of
from agents.template.moves import Move, blind_press, fill, link_to, opened, press
from agents.template.prompt import Criterion, Intent, besides_item, example, holds, meets, target_of
from agents.template.prompt.task_rows import NAVIGATION, names
from agents.template.recipes.recipe import Recipe

_APPLY = ("apply", "apply filters", "show results", "filter", "update results")
_LIST_ROUTE = re.compile(r"/(?:search|browse|catalog(?:ue)?|explore|products|shop|items|all)(?:[/?#]|$)", re.I)
_LISTS = ("search", "browse", "filter", "catalog", "explore", "discover", "shop", "all")
_FALLING = frozenset("desc descending highest newest latest longest most high z expensive".split())  # noqa: SIM905 (words read best as words)
_RISING = frozenset("asc ascending lowest oldest earliest shortest least low cheapest a".split())  # noqa: SIM905
_NO_COLUMN = re.compile(r"\b(?:by|on|in|where|column|order|equals?|sort(?:ed)?|arrange|the|a|an|them|it|is|first|to|'|\")\b|['\",.]", re.I)
_BACKWARDS = re.compile(r"\b(?:prev(?:ious)?|earlier|preceding|backwards?)\b", re.I)
_NEXT = ("next page", "next", "forward", "older", "chevron right", "arrow right")
_PREVIOUS = ("previous page", "previous", "prev page", "prev", "back page", "back", "newer", "chevron left", "arrow left")
_BACK = ("back to all", "back to list", "back to results", "back", "return to list", "all", "return")
_SURE, _BACK_SURE = 0.7, 0.45


class Search(Recipe):
    def reach(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        return () if search_for(page, "") else link_to(page, ("search", "find", "browse", "catalog"))

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        fills = self._fills(intent, page)
        sending = press_best(page, page.usable({"button"}), ("search", "find", *_APPLY), least=0.9) if fills else ()
        return (*fills, *sending) if sending else search_for(page, self._text(intent))

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        return (past.after_sending() if self._fills(intent, page) else past.after_enter()) is not None

    def _fills(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """Where a search has a field for each of several things: what the criteria say of them."""
        fields = [one for one in page.usable(FIELDS - TICKED) if one.type not in {"password", "email"} and one.form is None]
        return fills_for(page, intent.criteria, fields) if len(fields) > 1 else ()

    def blind_act(self, intent: Intent) -> tuple[Move, ...]:
        return search_for(None, self._text(intent))

    def _text(self, intent: Intent) -> str:
        stated = [one for one in intent.criteria if not one.operator.negative]
        is_named = not intent.criteria or intent.is_quoted or intent.subject in {one.value for one in stated}
        return intent.subject or intent.words if is_named else example((stated or intent.criteria)[0])


class Filter(Recipe):
    def reach(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        if controls(page, intent.criteria):
            return ()
        if unfold := press_best(page, page.elements, ("filters", "show filters", "more filters", "advanced filters", "filter"), least=0.9):
            return unfold
        routes = (link for link in page.usable({"link"}) if _LIST_ROUTE.search(link.href) and not _LIST_ROUTE.search(page.url))
        things = (intent.subject,) if 0 < len(intent.subject) <= 20 else ()
        found = next(routes, None) or best_button(page.elements, (*things, *_LISTS), least=0.8)
        return (press(page, found),) if found else ()

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        moves = controls(page, intent.criteria) or loose(page, intent.criteria)
        return (*moves, *self._apply(page, moves))

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        moves = controls(page, intent.criteria) or loose(page, intent.criteria)
        if not moves:
            return past.filled or past.pressed
        is_applied = not self._apply(page, moves) or was_pressed(past, _APPLY)
        return is_applied and all(move.shown or past.did_any(move.alternatives) for move in moves)

    def _apply(self, page: Page, moves: Sequence[Move]) -> tuple[Move, ...]:
        typed = any(action.type == "TypeAction" for move in moves for action in move.alternatives)
        return press_best(page, page.elements, (*_APPLY, "search") if typed else _APPLY, least=0.9) if moves else ()


FILTER = Filter()


class Sort(Recipe):
    def reach(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        return () if self.act(intent, page) else link_to(page, ("search", "browse", "catalog", "view all", "all"))

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        selects = ((select, self._order(intent, select.options)) for select in page.usable({"listbox"}))
        chosen = next(((fill(page, select, option),) for select, option in selects if option), ())
        return chosen or press_best(page, [one for one in page.usable(BUTTONS) if not one.href], self._columns(intent), _SURE)

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        return any(past.did_any(move.alternatives) for move in self.act(intent, page)) or was_pressed(past, self._columns(intent))

    def _order(self, intent: Intent, options: Sequence[str]) -> str:
        prompt = frozenset(words(intent.words))
        wanted = bool(prompt & _FALLING) - bool(prompt & _RISING - {"a"})
        scored = list[tuple[float, int]]()
        for at, option in enumerate(options):
            direction = next((1 if name in _FALLING else -1 for name in words(option) if name in _FALLING | _RISING), 0)
            scored.append((len(prompt & set(words(option)) - _FALLING - _RISING) + direction * wanted / 2, -at))
        merit, at = max(scored, default=(0.0, 0))
        return options[-at] if merit >= 1 else ""

    def _columns(self, intent: Intent) -> tuple[str, ...]:
        values = tuple(value for one in intent.criteria for value in one.values)
        after = re.split(r"\bby\b", intent.words, maxsplit=1, flags=re.I)[-1]
        left = " ".join(word for word in _NO_COLUMN.sub(" ", after).split() if word.lower() not in _FALLING | _RISING)
        return (*values, left, f"sort by {left}") if left else values


class TurnPage(Recipe):
    def reach(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """On a list's first page there is nothing to go back to: on first."""
        goes_on_first = _BACKWARDS.search(intent.words) and not self.act(intent, page)
        return self._turn(page, page.pagination.next, _NEXT) if goes_on_first else ()

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        pages = page.pagination
        return self._turn(page, pages.previous, _PREVIOUS) if _BACKWARDS.search(intent.words) else self._turn(page, pages.next, _NEXT)

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        by_name = was_pressed(past, _PREVIOUS if _BACKWARDS.search(intent.words) else _NEXT)
        return by_name or any(past.did_any(move.alternatives) for move in self.act(intent, page))

    def _turn(self, page: Page, button: Element | None, labels: Sequence[str]) -> tuple[Move, ...]:
        return (press_labelled(page, button, labels),) if button else press_best(page, page.elements, labels, _SURE)


class BackToList(Recipe):
    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        return press_best(page, page.elements, _BACK, _BACK_SURE) if is_target_page(target_of(intent), page) else ()

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        return was_pressed(past, _BACK[:4]) and not is_target_page(target_of(intent), page)


_URL = re.compile(r"https?://[^\s'\"<>]+")
_HOME = frozenset({"", "home", "start", "main", "homepage", "landing", "front"})
_PAGE_WORDS = re.compile(
    rf"\b(?:(?:from|in|on|via|using) (?:the )?(?:[a-z]+ )?{NAVIGATION}\b.*|clicks?|press(?:es)?|taps?|option|link|button|icon|"
    r"page|tab|section|screen|view|all|my|the|please|back)\b",
    re.I,
)
_DONE_BY_ME = re.compile(r"\bI(?:['’]ve| have)? (?:[a-z]+ly |already |just |once )?(?P<done>[a-z]{3,})", re.I)
_VIEW = re.compile(r"\b(?!to\b)([\w-]+)[ -]view\b", re.I)
_NO_VIEW = frozenset({"view", "select", "switch", "show", "to", "the", "calendar"})
_EXPAND = names("show details, details, view details, product details, more details, specifications, expand, show more, read more")
_COLLAPSES = re.compile(r"\b(?:collapse|close|fold|hide)\b", re.I)
_COLLAPSE = ("hide details", "collapse", "show less", "hide", "close")
_ASKED_ON = frozenset({"faq", "help", "support", "question"})
# Shorter texts are no questions.
_LEAST_ASKED = 3
_SIDES = {
    "right": ("scroll right", "next", "right", "next slide"),
    "left": ("scroll left", "back", "previous", "prev", "left", "previous slide"),
}


class Navigate(Recipe):
    """To a page of the site, or to another view of what this page shows: a day, a month, a list."""

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        if view := _VIEW.search(intent.words):
            found = self._view(view[1], page) or self._menu_of_views(page)
        elif _URL.search(intent.words):
            return self._by_url(intent)
        elif (own := self._own(intent, page)) is not None:
            found = own
        else:
            place = self._place(intent)
            by_route = self._by_route(page, place) or self._by_route(page, intent.words)
            by_route = by_route or (self._home(page) if place in _HOME else None)
            named = by_route or best_button(page.usable(BUTTONS), (place or "home",)) or page.find((place or "home",), BUTTONS)
            found = named or page.find((intent.words,), BUTTONS)
        return (press(page, found),) if found else ()

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        if view := _VIEW.search(intent.words):
            presses = sum(entry.type == "ClickAction" and entry.succeeded is not False for entry in past.entries)
            return presses > 1 or (presses == 1 and self._view(view[1], page) is None)
        own = self._own(intent, page)
        if own is not None and path_of(own.href) != path_of(page.url):
            return False
        return past.pressed or any(entry.type == "NavigateAction" and entry.succeeded is not False for entry in past.entries)

    def blind_act(self, intent: Intent) -> tuple[Move, ...]:
        place = self._place(intent)
        if place in _HOME or _URL.search(intent.words):
            return self._by_url(intent)
        return (blind_press(blind_xpath.pressed((place,), ("/" + "-".join(place.split()),))),)

    def _own(self, intent: Intent, page: Page) -> Element | None:
        """What is called like what I did, as in: the jobs that I applied to, the posts I hid."""
        did = _DONE_BY_ME.search(intent.words)
        return list_of(did["done"], page) if did else None

    def _by_url(self, intent: Intent) -> tuple[Move, ...]:
        return tuple(Move((action,)) for url in _URL.findall(intent.words)[:1] for action in opened(url.rstrip(".,;)")))

    def _place(self, intent: Intent) -> str:
        return " ".join(_PAGE_WORDS.sub(" ", intent.subject).split()).lower()[:60].strip(" .,!?/")

    def _by_route(self, page: Page, place: str) -> Element | None:
        """The link whose route is one of the place's words: routes are not restyled, and not translated."""
        wanted = set(words(place))
        routes = [(link, words(path_of(link.href))) for link in in_time(page.usable({"link"}))]
        whole = max((hit for hit in routes if hit[1] and set(hit[1]) <= wanted), key=lambda hit: len(hit[1]), default=(None,))
        # One's own page is called by one's name: /profile/ann.
        return whole[0] or next((link for link, route in routes if len(route) > 1 and set(route[:1]) == wanted), None)

    def _home(self, page: Page) -> Element | None:
        """The start page's link in the navigation, whatever it is called; the site's own name leads there too."""
        links = [one for one in page.usable({"link"}) if one.href and path_of(one.href) == "/"]
        return max(links, key=lambda one: ("logo" not in one.hints.lower(), -one.place), default=None)

    def _view(self, name: str, page: Page) -> Element | None:
        named = ((one, words(one.label or one.text)) for one in page.usable(BUTTONS | FIELDS | OPTIONS))
        return next((one for one, label in named if tuple(word for word in label if word not in _NO_VIEW) == words(name)), None)

    def _menu_of_views(self, page: Page) -> Element | None:
        """It is called a view, and says which one is shown, not which one it leads to."""
        menus = (one for one in page.usable(BUTTONS | FIELDS) if not one.href and len(words(one.label)) <= 4)
        return next((one for one in menus if "view" in words(f"{one.label} {one.hints}")), None)


class Unfold(Recipe):
    def reach(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        is_elsewhere = self._questions(intent) and not self.act(intent, page)
        return link_to(page, ("faq", "help", "help center", "support"), 0.7) if is_elsewhere else ()

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        if questions := self._questions(intent):
            asked = (one for one in page.usable(BUTTONS) if all(holds(question, one.text or one.label) for question in questions))
            # Where a question is only excluded, any other of that part of the site will do.
            is_there = not _ASKED_ON.isdisjoint(words(" ".join((path_of(page.url), *page.headings[:3]))))
            is_any = all(question.operator.negative for question in questions)
            asked = (one for one in asked if not is_any or (is_there and len(words(one.text)) > _LEAST_ASKED))
            likely = sorted(asked, key=lambda one: "?" not in one.text and one.expanded is None)
            return tuple(replace(press(page, one), once=True) for one in likely[:1])
        if page.subject is None and page.records:
            return ()
        buttons = [one for one in page.usable(BUTTONS) if not one.href]
        foldable = [one for one in buttons if one.expanded is not None and not one.opens]
        if _COLLAPSES.search(intent.words) and (open_ := best_button(buttons, self._fold_labels(intent)[: len(_COLLAPSE) + 1], 0.8)):
            return (replace(press(page, open_), repeats=True),)
        found = best_button(foldable, self._fold_labels(intent), 0.4) or best_button(buttons, self._fold_labels(intent), 0.7)
        return (press(page, found),) if found else ()

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        if acts := self.act(intent, page):
            # What is to be collapsed is expanded first where it is not: then it takes two presses.
            least = 2 if _COLLAPSES.search(intent.words) and not was_pressed(past, _COLLAPSE) else 1
            return not acts[0].repeats and any(past.times(action) >= least for move in acts for action in move.alternatives)
        return was_pressed(past, self._fold_labels(intent)) and page.subject is not None

    def _questions(self, intent: Intent) -> tuple[Criterion, ...]:
        return besides_item(intent)

    def _fold_labels(self, intent: Intent) -> tuple[str, ...]:
        part = re.search(r"\b(details?|menu|description|reviews?|specifications?|faq|section|panel)\b", intent.words, re.I)
        name = part[1] if part else "details"
        unfolding = (f"show full {name}", f"expand {name}", name, *_EXPAND)
        return (*_COLLAPSE, f"hide {name}", *unfolding) if _COLLAPSES.search(intent.words) else unfolding


class Scroll(Recipe):
    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """Towards the side that the prompt names. A row that is at that end has no such button until it was moved the other way."""
        movers = [one for one in in_time(page.usable(BUTTONS)) if not self._is_slide_show(page, one)]
        titled = [one for one in intent.criteria if {"title", "name", "section", "carousel"} & set(words(one.field))]
        in_row = [one for one in in_time(movers) if all(holds(title, page.heading_before(one)) for title in titled)] if titled else []
        if not in_row:
            # The row whose heading shares most of a title's words: "Technology & more" for "Top sellers in technology".
            wanted = {word for one in titled if not one.operator.negative for word in words(one.value)}
            shared = [(len(wanted & set(words(page.heading_before(one)))), one) for one in movers]
            most = max((count for count, _ in shared), default=0)
            in_row = [one for count, one in shared if count == most > 0]
        tries = (press_best(page, among, labels, 0.8) for among in (in_row, movers) for labels in (self._sides(intent), *_SIDES.values()))
        return next(filter(None, tries), ())

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        return was_pressed(past, self._sides(intent))

    def _is_slide_show(self, page: Page, element: Element) -> bool:
        """Whether a button moves a slide show, which has a button for each slide: no row of items has."""
        around = page.elements[max(0, element.place - 4) : element.place + 4]
        return any(re.search(r"\b(?:slide|page) \d+$|^\d+$", one.label, re.I) for one in around)

    def _sides(self, intent: Intent) -> tuple[str, ...]:
        directions = [one for one in intent.criteria if "direction" in words(one.field)]
        sides = [side for side in _SIDES if all(meets(one, side) for one in directions)] or list(_SIDES)
        named = [] if directions else [side for side in _SIDES if side in words(intent.words)]
        return _SIDES[(named or sides)[0]]
