"""Actions on a list or a page as a whole: search, filter, sort, turn pages; go to a page, switch its view, unfold, scroll."""

import re
from collections.abc import Sequence
from dataclasses import replace

from agents.contract.action_history import Past
from agents.contract.origins import path_of
from agents.page import BUTTONS, FIELDS, OPTIONS, Element, Page, word_set, words
from agents.template import blind_xpath
from agents.template.budget import in_time
from agents.template.forms.forms import search_for
from agents.template.forms.search_form import search_button, search_fields, search_form
from agents.template.forms.widgets import cell_chosen, is_cell
from agents.template.items.filters import APPLY, applied, controls, loose, other_chip
from agents.template.items.finding import is_target_page
from agents.template.items.matching import attribute_of, best_button, places_of, press_best, press_labelled, was_pressed
from agents.template.items.navigation import list_of
from agents.template.moves import Move, blind_press, fill, link_to, opened, press
from agents.template.prompt import POSITIVE, Criterion, Intent, Operator, besides_item, example, holds, number_in, target_of
from agents.template.prompt.task_kinds import NAVIGATION, names
from agents.template.prompt.values import holds_all, meets_all, only_exclude, without_exclusions
from agents.template.recipes.recipe import Recipe, quoted_in

_LIST_ROUTE = re.compile(r"/(?:search|browse|catalog(?:ue)?|explore|products|shop|items|all)(?:[/?#]|$)", re.I)
_LISTS = ("search", "browse", "filter", "catalog", "explore", "discover", "shop", "all")
_FALLING = word_set("desc descending highest newest latest longest most high z expensive")
_RISING = word_set("asc ascending lowest oldest earliest shortest least low cheapest a")
_DATED, _AGES = frozenset({"date", "created", "updated", "time", "age"}), frozenset({"newest", "latest", "oldest", "earliest", "recent"})
_NO_COLUMN = re.compile(r"\b(?:by|on|in|where|column|order|equals?|sort(?:ed)?|arrange|the|a|an|them|it|is|first|to|'|\")\b|['\",.]", re.I)
_BACKWARDS = re.compile(r"\b(?:prev(?:ious)?|earlier|preceding|backwards?)\b", re.I)
_NEXT = ("next page", "next", "forward", "older", "chevron right", "arrow right")
_PREVIOUS = ("previous page", "previous", "prev page", "prev", "back page", "back", "newer", "chevron left", "arrow left")
_BACK = ("back to all", "back to list", "back to results", "back", "return to list", "all", "return")
_SURE, _BACK_SURE = 0.7, 0.45


class Search(Recipe):
    def reach(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        is_here = search_fields(self._sought(intent, page), page) or search_for(page, "")
        return () if is_here else link_to(page, ("search", "find", "browse", "catalog"))

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        return search_form(self._sought(intent, page), page) or search_for(page, self._text(intent))

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        if not (fields := search_fields(self._sought(intent, page), page)):
            return past.after_enter() is not None
        sends = search_button(page)
        return sends is not None and past.did_any(press(page, sends).alternatives) and all(answer.shown for answer in fields)

    def _sought(self, intent: Intent, page: Page) -> tuple[Criterion, ...]:
        return tuple(self._whole(one, page) for one in intent.criteria)

    def _whole(self, criterion: Criterion, page: Page) -> Criterion:
        """Of a stated part the whole value that an item of the list shows: many searches find only these."""
        values = (attribute_of(record, criterion.field) for record in page.records if criterion.operator is Operator.CONTAINS)
        whole = next((value for value in values if value and holds(criterion, value)), "")
        return replace(criterion, operator=Operator.EQUALS, values=(whole,)) if whole else criterion

    def blind_act(self, intent: Intent) -> tuple[Move, ...]:
        return search_for(None, self._text(intent))

    def _text(self, intent: Intent) -> str:
        stated = without_exclusions(intent.criteria)
        is_named = not intent.criteria or intent.is_quoted or intent.subject in {criterion.value for criterion in stated}
        # Words are searched for rather than numbers, such as of guests.
        ordered = sorted(stated or intent.criteria, key=lambda criterion: number_in(criterion.value) is not None)
        return intent.subject or intent.text if is_named else example(ordered[0])


class Filter(Recipe):
    def reach(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        if controls(page, intent.criteria) or other_chip(page, intent.criteria):
            return ()
        if unfold := press_best(page, page.elements, ("filters", "show filters", "more filters", "advanced filters", "filter"), least=0.9):
            return unfold
        routes = (link for link in page.usable({"link"}) if _LIST_ROUTE.search(link.href) and not _LIST_ROUTE.search(page.url))
        things = (intent.subject,) if 0 < len(intent.subject) <= 20 else ()
        link = next(routes, None) or best_button(page.elements, (*things, *_LISTS), least=0.8)
        return (press(page, link),) if link else ()

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        moves = self._set(intent, page)
        return (*moves, *applied(page, moves))

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        moves = self._set(intent, page)
        if not moves:
            return past.filled or past.pressed
        applies = applied(page, moves)
        is_applied = not applies or was_pressed(past, APPLY) or any(past.did_any(move.alternatives) for move in applies)
        return is_applied and all(move.shown or past.did_any(move.alternatives) for move in moves)

    def _set(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        return controls(page, intent.criteria) or loose(page, intent.criteria) or other_chip(page, intent.criteria)


FILTER = Filter()


class Sort(Recipe):
    def reach(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        return () if self.act(intent, page) else link_to(page, ("search", "browse", "catalog", "view all", "all"))

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        selects = ((select, self._order(intent, select.options)) for select in page.usable({"listbox"}))
        chosen = next(((fill(page, select, option),) for select, option in selects if option), ())
        return chosen or press_best(page, [button for button in page.usable(BUTTONS) if not button.href], self._columns(intent), _SURE)

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        return any(past.did_any(move.alternatives) for move in self.act(intent, page)) or was_pressed(past, self._columns(intent))

    def _order(self, intent: Intent, options: Sequence[str]) -> str:
        prompt = frozenset(words(intent.text))
        direction_sought = bool(prompt & _FALLING) - bool(prompt & _RISING - {"a"})
        scored = list[tuple[float, int]]()
        for at, option in enumerate(options):
            said = set(words(option))
            direction = next((1 if name in _FALLING else -1 for name in words(option) if name in _FALLING | _RISING), 0)
            # "Oldest first" names no column: it is by date.
            shared = len(prompt & said - _FALLING - _RISING) + bool(prompt & _DATED and said & _AGES)
            scored.append((shared + direction * direction_sought / 2, -at))
        merit, at = max(scored, default=(0.0, 0))
        return options[-at] if merit >= 1 else ""

    def _columns(self, intent: Intent) -> tuple[str, ...]:
        values = tuple(value for criterion in intent.criteria for value in criterion.values)
        after = re.split(r"\bby\b", intent.text, maxsplit=1, flags=re.I)[-1]
        left = " ".join(word for word in _NO_COLUMN.sub(" ", after).split() if word.lower() not in _FALLING | _RISING)
        return (*values, left, f"sort by {left}") if left else values


class TurnPage(Recipe):
    def reach(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """A list's first page has no previous one: go to the next first."""
        goes_on_first = _BACKWARDS.search(intent.text) and not self.act(intent, page)
        return self._turn(page, page.pagination.next, _NEXT) if goes_on_first else ()

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        pages = page.pagination
        return self._turn(page, pages.previous, _PREVIOUS) if _BACKWARDS.search(intent.text) else self._turn(page, pages.next, _NEXT)

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        by_name = was_pressed(past, _PREVIOUS if _BACKWARDS.search(intent.text) else _NEXT)
        return by_name or any(past.did_any(move.alternatives) for move in self.act(intent, page))

    def _turn(self, page: Page, button: Element | None, labels: Sequence[str]) -> tuple[Move, ...]:
        return (press_labelled(page, button, labels),) if button else press_best(page, page.elements, labels, _SURE)


class BackToList(Recipe):
    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        back = (element for element in page.elements if not places_of(element))  # a wishlist is another list
        return press_best(page, back, _BACK, _BACK_SURE) if is_target_page(target_of(intent), page) else ()

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        return was_pressed(past, _BACK[:4]) and not is_target_page(target_of(intent), page)


_URL = re.compile(r"https?://[^\s'\"<>]+")
_HOME = frozenset({"", "home", "start", "main", "homepage", "landing", "front"})
_PAGE_WORDS = re.compile(
    rf"(?i)\b(?:(?:from|in|on|via|using) (?:the )?(?:[a-z]+ )?{NAVIGATION}\b.*|clicks?|press(?:es)?|taps?|option|link|button|icon|"
    r"page|tab|section|screen|view|all|my|the|please|back)\b"
)
_DONE_BY_ME = re.compile(r"\bI(?:['’]ve| have)? (?:[a-z]+ly |already |just |once )?(?P<done>[a-z]{3,})", re.I)
_VIEW = re.compile(r"\b(?!to\b)([\w-]+)(?: (?:calendar|schedule|work ?week))?[ -]view\b", re.I)
_NO_VIEW = frozenset({"view", "select", "switch", "show", "to", "the", "calendar"})
_NUMBERS = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7"}
_EXPAND = names("show details, details, view details, product details, more details, specifications, expand, show more, read more")
_COLLAPSES = re.compile(r"\b(?:collapse|close|fold|hide)\b", re.I)
_COLLAPSE = ("hide details", "collapse", "show less", "hide", "close")
_LESSENS = ("hide", "fold", "reduce", "minimize", "close")
_QUESTION_PAGES = frozenset({"faq", "help", "support", "question"})
_SHORTEST_QUESTION = 3  # in words
_SIDES = {
    "right": ("scroll right", "next", "right", "next slide"),
    "left": ("scroll left", "back", "previous", "prev", "left", "previous slide"),
}


class Navigate(Recipe):
    """To a page of the site, or to another view of this page: a day, a month, a list."""

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        if view := _VIEW.search(intent.text):
            link = self._view(view[1], page) or self._menu_of_views(page)
        elif _URL.search(intent.text):
            return self._by_url(intent)
        elif (own := self._own(intent, page)) is not None:
            link = own
        else:
            place = self._place(intent)
            by_route = self._by_route(page, place) or self._by_route(page, intent.text)
            by_route = by_route or (self._home(page) if place in _HOME else None)
            named = by_route or best_button(page.usable(BUTTONS), (place or "home",)) or page.find((place or "home",), BUTTONS)
            link = named or page.find((intent.text,), BUTTONS)
        return (press(page, link),) if link else ()

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        if view := _VIEW.search(intent.text):
            presses = sum(entry.type == "ClickAction" and entry.succeeded is not False for entry in past.entries)
            return presses > 1 or (presses == 1 and self._view(view[1], page) is None)
        own = self._own(intent, page)
        if own is not None and path_of(own.href) != path_of(page.url):
            return False
        return past.pressed or any(entry.type == "NavigateAction" and entry.succeeded is not False for entry in past.entries)

    def blind_act(self, intent: Intent) -> tuple[Move, ...]:
        place = self._place(intent)
        if place in _HOME or _URL.search(intent.text):
            return self._by_url(intent)
        return (blind_press(blind_xpath.pressed((place,), ("/" + "-".join(place.split()),))),)

    def _own(self, intent: Intent, page: Page) -> Element | None:
        """The list of items with an action of the user's, as in: the jobs that I applied to, the posts I hid."""
        did = _DONE_BY_ME.search(intent.text)
        return list_of(did["done"], page) if did else None

    def _by_url(self, intent: Intent) -> tuple[Move, ...]:
        return tuple(Move((action,)) for url in _URL.findall(intent.text)[:1] for action in opened(url.rstrip(".,;)")))

    def _place(self, intent: Intent) -> str:
        return " ".join(_PAGE_WORDS.sub(" ", intent.subject).split()).lower()[:60].strip(" .,!?/")

    def _by_route(self, page: Page, place: str) -> Element | None:
        """The link whose route consists of the place's words: routes are neither restyled nor translated."""
        place_words = set(words(place))
        routes = [(link, words(path_of(link.href))) for link in in_time(page.usable({"link"}))]
        whole = max((hit for hit in routes if hit[1] and set(hit[1]) <= place_words), key=lambda hit: len(hit[1]), default=(None,))
        # A user's own page may contain the name: /profile/ann.
        return whole[0] or next((link for link, route in routes if len(route) > 1 and set(route[:1]) == place_words), None)

    def _home(self, page: Page) -> Element | None:
        """The start page's link, preferably not the logo."""
        links = [link for link in page.usable({"link"}) if link.href and path_of(link.href) == "/"]
        return max(links, key=lambda link: ("logo" not in link.hints.lower(), -link.place), default=None)

    def _view(self, name: str, page: Page) -> Element | None:
        usable = page.usable(BUTTONS | FIELDS | OPTIONS)
        named = ((element, words(text)) for element in usable for text in (element.label, element.text))
        return next((element for element, label in named if tuple(word for word in label if word not in _NO_VIEW) == words(name)), None)

    def _menu_of_views(self, page: Page) -> Element | None:
        """A menu labelled as view, with the current view's name."""
        menus = (menu for menu in page.usable(BUTTONS | FIELDS) if not menu.href and len(words(menu.label)) <= 4)
        return next((menu for menu in menus if "view" in words(f"{menu.label} {menu.hints}")), None)


class Cell(Navigate):
    """Press a calendar's cell, in the view that the prompt names."""

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        views = (criterion.value for criterion in intent.criteria if criterion.field == "view" and criterion.operator in POSITIVE)
        name, menu = next(views, ""), self._menu_of_views(page)
        if name and menu and not self._is_in(name, menu):
            option = self._view("-".join(words(name)), page)
            return (replace(press(page, option or menu), opens=option is None),)
        return cell_chosen(page, intent.criteria)

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        return any(is_cell(quoted_in(entry), intent.criteria) for entry in past.entries if entry.type == "ClickAction")

    def _is_in(self, view: str, menu: Element) -> bool:
        shown = [_NUMBERS.get(word, word) for word in words(menu.text or menu.label)]
        return all(any(word.startswith(name) for word in shown) for name in words(view))


class Unfold(Recipe):
    def reach(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        is_elsewhere = besides_item(intent) and not self.act(intent, page)
        return link_to(page, ("faq", "help", "help center", "support"), 0.7) if is_elsewhere else ()

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        if questions := besides_item(intent):
            matching = (button for button in page.usable(BUTTONS) if holds_all(questions, button.text or button.label))
            # If a question is only excluded, any other one there will do.
            is_there = not _QUESTION_PAGES.isdisjoint(words(" ".join((path_of(page.url), *page.headings[:3]))))
            is_any = only_exclude(questions)
            matching = (button for button in matching if not is_any or (is_there and len(words(button.text)) > _SHORTEST_QUESTION))
            likely = sorted(matching, key=lambda button: "?" not in button.text and button.expanded is None)
            return tuple(replace(press(page, button), once=True) for button in likely[:1])
        if page.subject is None and page.records:
            return ()
        buttons = [button for button in page.usable(BUTTONS) if not button.href]
        foldable = [button for button in buttons if button.expanded is not None and not button.opens]
        folding = self._fold_labels(intent)[: len((*_COLLAPSE, *_LESSENS))]
        if _COLLAPSES.search(intent.text) and (open_ := best_button(buttons, folding, 0.8)):
            return (replace(press(page, open_), repeats=True),)
        button = best_button(foldable, self._fold_labels(intent), 0.4) or best_button(buttons, self._fold_labels(intent), 0.7)
        return (press(page, button),) if button else ()

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        if acts := self.act(intent, page):
            # To be collapsed, a closed part is expanded first: that takes two presses.
            least = 2 if _COLLAPSES.search(intent.text) and not was_pressed(past, _COLLAPSE) else 1
            return not acts[0].repeats and any(past.times(action) >= least for move in acts for action in move.alternatives)
        return was_pressed(past, self._fold_labels(intent)) and page.subject is not None

    def blind_act(self, intent: Intent) -> tuple[Move, ...]:
        texts = [criterion.value for criterion in besides_item(intent) if criterion.operator in POSITIVE]
        return (blind_press(blind_xpath.pressed(texts)),) if texts else ()

    def _fold_labels(self, intent: Intent) -> tuple[str, ...]:
        part = re.search(r"\b(details?|menu|description|reviews?|specifications?|faq|section|panel)\b", intent.text, re.I)
        name = part[1] if part else "details"
        unfolding = (f"show full {name}", f"expand {name}", name, *_EXPAND)
        folding = (*_COLLAPSE, *(f"{verb} {name}" for verb in _LESSENS))
        return (*folding, *unfolding) if _COLLAPSES.search(intent.text) else unfolding


class Scroll(Recipe):
    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """Towards the side in the prompt. A row at that end has no such button until it is moved the other way."""
        movers = [button for button in in_time(page.usable(BUTTONS)) if not self._is_slide_show(page, button)]
        titled = [criterion for criterion in intent.criteria if {"title", "name", "section", "carousel"} & set(words(criterion.field))]
        in_row = [button for button in in_time(movers) if holds_all(titled, page.heading_before(button))] if titled else []
        if not in_row:
            # The row whose heading shares most words with the title: "Technology & more" for "Top sellers in technology".
            sought = {word for criterion in without_exclusions(titled) for word in words(criterion.value)}
            shared = [(len(sought & set(words(page.heading_before(button)))), button) for button in movers]
            most = max((count for count, _ in shared), default=0)
            in_row = [button for count, button in shared if count == most > 0]
        tries = (press_best(page, among, labels, 0.8) for among in (in_row, movers) for labels in (self._sides(intent), *_SIDES.values()))
        return next(filter(None, tries), ())

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        return was_pressed(past, self._sides(intent))

    def _is_slide_show(self, page: Page, element: Element) -> bool:
        """Whether a button moves a slide show, which has a button for each slide, unlike a row of items."""
        around = page.elements[max(0, element.place - 4) : element.place + 4]
        return any(re.search(r"\b(?:slide|page) \d+$|^\d+$", element.label, re.I) for element in around)

    def _sides(self, intent: Intent) -> tuple[str, ...]:
        directions = [criterion for criterion in intent.criteria if "direction" in words(criterion.field)]
        sides = [side for side in _SIDES if meets_all(directions, side)] or list(_SIDES)
        named = [] if directions else [side for side in _SIDES if side in words(intent.text)]
        return _SIDES[(named or sides)[0]]
