"""From moves to the actions that are sent: those still to be done, in an order that can't fail twice in a row."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agents.contract.action_history import WAITS, Past
from agents.contract.actions import FILLS, Action
from agents.contract.origins import path_of, split_http
from agents.contract.protocol import PastAction, Plan, Step
from agents.contract.task_rules import permitted
from agents.page import BUTTONS, TEXT_FIELDS, Element, Page, words
from agents.template.explore import another, further
from agents.template.forms.forms import passwords
from agents.template.forms.widgets import counted, offers_choice, uncovered, wizard
from agents.template.items.answers import answer
from agents.template.items.finding import BACK, fitting, is_target_page, press_on_item, to_things, towards
from agents.template.items.matching import about_listed, judge, was_pressed
from agents.template.items.navigation import OWNERS, is_of_section, is_own_item, list_of, place_of, to_own_page, to_own_part, to_section
from agents.template.moves import GUESS, LOADING, NO_PAGE, NOTHING_LEFT, Move, breathing, opened, press
from agents.template.prompt import Intent, Kind, Trait, besides_item, is_itself_chosen, is_of_order, only_opens, target_of
from agents.template.prompt.verbs import VERBS, is_unrequested, verb_of
from agents.template.recipes import LOGIN, LOGOUT, Recipe, recipe_for
from agents.template.recipes.accounts import log_in
from agents.template.recipes.form_task import FormTask, whole_form
from agents.template.recipes.item_tasks import before_cart_task, takes_from_cart
from agents.template.recipes.page_tasks import FILTER
from agents.template.recipes.recipe import named_button

# Kinds where trying another control with the same label does no harm.
_BY_VERB = frozenset({Kind.MARK, Kind.REACT, Kind.SEARCH, Kind.WISHLIST, Kind.READING_LIST, Kind.CHOOSE})
# Kinds that are done on a page after the item's own.
_BEYOND_ITEM = frozenset({Kind.BOOKING, Kind.PERSON, Kind.CHOOSE, Kind.REPLY, Kind.FORWARD, Kind.DRAFT})
_ANSWERS = frozenset({Kind.REPLY, Kind.FORWARD})
# A search box for these is not used to search for things.
_PEOPLE = frozenset({"people", "person", "professional", "user", "member", "expert", "friend", "connection"})
# As in: show hotels where …: the list is filtered before one of them is opened.
_MANY = re.compile(r"\b(?!details)[a-z]{3,}[^is]s,? (?:where|whose|which|that|with)\b", re.I)
_MOST_WAITS = 2  # after so many waits in a row a page is not loading any more
_LEAST_TELLING = 3  # shorter words are in any heading
_BUY = ("buy now", "buy it now", "order now", "purchase now", "checkout now", "buy", "purchase")


def next_step(step: Step, intent: Intent, page: Page) -> Plan:
    """A wait ends a task: the site may not have recorded the last action yet, and callers judge the result right after it."""
    past = Past(step.history)
    path = path_of(page.url)
    owner = page.headings[0] if page.headings and len(page.records) > 1 and path.count("/") > 1 else ""
    opened_as = past.opened_as(path)
    # An item that is still listed among others was pressed in vain, if it led nowhere. What is in the navigation is a part of the site.
    is_listed = len(page.records) > 1 and not past.led_here and any(record.name == opened_as for record in page.records)
    links = (link for link in page.elements if link.href and link.place not in page.items)
    is_part = any(link.label == opened_as and path_of(link.href) == path for link in links)
    intent = about_listed(replace(intent, opened_as="" if is_listed or is_part else opened_as, page_of=owner), page)
    planned = _next(step, intent, page, past)
    if not planned.done or planned.answer or not past.entries:
        return planned
    if not past.last_waited:
        return Plan((LOADING,), reasoning=planned.reasoning)
    moves = another(intent, page, past) if not intent.then and intent.kind in _BY_VERB else ()
    onward = next(filter(None, (_open(step, past, [move]) for move in moves)), [])
    return _sent(onward, past, f"{intent.kind}, another control") if onward else planned


def _next(step: Step, intent: Intent, page: Page, past: Past) -> Plan:
    if page.blank:
        return _without_page(step, intent, past)
    if page.is_loading and past.waited < _MOST_WAITS and not (page.records or page.subject):
        return Plan((LOADING,), reasoning="Template: the page is still loading.")
    if page.dialogs and not offers_choice(page, intent) and (closing := _close_dialog(step, intent, page, past)):
        return _sent([closing], past, "closing the dialog that covers the page")
    if intent.kind is Kind.QUESTION and (value := answer(intent, page)):
        return Plan((), done=True, reasoning="Template: the page shows the answer.", answer=value)
    since = past
    if intent.logs_in:
        after = past.after_sending()
        if after is None or not LOGIN.achieved(intent, page, past):
            return _stage(step, LOGIN, intent, page, past)
        since = after
    elif not intent.kind.has(Trait.ACCOUNT) and page.logged_in is not False:
        since = past.after_entering()
    return _through(step, intent, page, since)


def _through(step: Step, intent: Intent, page: Page, since: Past) -> Plan:
    """The tasks of a chain in order. A log-out at its end completes it, whatever this page shows of the tasks before."""
    if any(stage.kind is Kind.LOGOUT for stage in intent.then[-1:]) and intent.logs_in and LOGOUT.achieved(intent.then[-1], page, since):
        return Plan((), done=True, reasoning="Template: all is done, and logged out.")
    planned = _stage(step, recipe_for(intent), intent, page, since)
    if not planned.done or not intent.then:
        return planned
    after = since.after_enter() if intent.kind is Kind.SEARCH else since
    return _through(step, replace(intent.then[0], then=intent.then[1:], logs_in=intent.logs_in), page, after or since)


def _stage(step: Step, recipe: Recipe, intent: Intent, page: Page, past: Past) -> Plan:
    """`past` is the part of the history that belongs to the recipe."""
    if past.pressed and only_opens(intent) and _is_open(intent, page):
        return Plan((), done=True, reasoning=f"Template: {intent.kind}, the dialog is open.")
    prior = intent.logs_in and recipe is LOGIN
    steps = () if prior else _steps_ahead(intent, page, past)
    achieved = not (prior or steps) and recipe.achieved(intent, page, past)
    # A person is contacted on their own page: the form on another's goes to that person, that on the contact page to the site's owners.
    is_astray = intent.kind is Kind.PERSON and not is_target_page(target_of(intent), page)
    if is_astray and path_of(page.url).count("/") > 1 and past.pressed and not past.last_went_back:
        return _sent([BACK], past, f"{intent.kind}, back from another's page")
    is_owners = is_astray and place_of(page.url) in OWNERS
    # A form for messages elsewhere sends a new one.
    is_new = intent.kind in _ANSWERS and not (was_pressed(past, intent.kind.row.opened_by) or is_target_page(target_of(intent), page))
    is_other = is_owners or is_new or (isinstance(recipe, FormTask) and recipe.is_other_sort(intent, page, past))
    counts = _counted(intent, page)
    acts = counts if _open(step, past, counts) else recipe.act(intent, page)
    # While there is a next step, the dialog's other buttons, such as to add a skill, do not send the form.
    is_ahead = intent.kind in (Kind.ADD_ITEM, Kind.TODO) and bool(steps) and steps[-1].repeats
    acts = steps if is_ahead and not any(move.fills for move in acts) else acts
    acts = () if is_other else _requested(intent, page, acts)
    first = () if prior or achieved else _before(intent, page, past, acts)
    reach = () if is_astray or steps else first or recipe.reach(intent, page)  # what an open dialog may add leads to no other form
    reaching = [] if achieved else _open(step, past, _requested(intent, page, first or reach))
    actions = reaching or ([] if first else _open(step, past, acts))
    # A page of results has its own fields, maybe the same again: a search that was sent is done.
    unfilled = intent.kind not in (Kind.SEARCH, Kind.OWN_COMMENT) and not reaching and any(action.type in FILLS for action in actions)
    if achieved and not unfilled:
        return Plan((), done=True, reasoning=f"Template: {intent.kind} is done.")
    actions = actions or ([] if first else _open(step, past, _requested(intent, page, recipe.onward(intent, page))))
    return _sent(uncovered(page, past, actions), past, intent.kind) if actions else _nothing_left(step, intent, page, past)


def _is_open(intent: Intent, page: Page) -> bool:
    """Whether a dialog is open; where the kind of task is unknown, one whose heading the prompt names."""
    return any(intent.kind is not Kind.OTHER or _telling(intent) & set(words(dialog)) for dialog in page.dialogs)


def _telling(intent: Intent) -> set[str]:
    return {word for word in words(intent.head) if len(word) > _LEAST_TELLING}


def _counted(intent: Intent, page: Page) -> tuple[Move, ...]:
    """The counters of a search, or on an item's own page; those of a cart are its recipe's."""
    is_here = not intent.kind.has(Trait.OF_ITEM) or is_target_page(target_of(intent), page)
    return counted(page, besides_item(intent)) if is_here and intent.kind is not Kind.CART else ()


def _steps_ahead(intent: Intent, page: Page, past: Past) -> tuple[Move, ...]:
    """The moves where the task's dialog is open and has further steps."""
    is_form = intent.kind in (Kind.OTHER, Kind.CHOOSE, Kind.ADD_ITEM, Kind.TODO, Kind.CALENDAR)
    return wizard(intent, page, past) if is_form and page.dialogs else ()


def _requested(intent: Intent, page: Page, moves: Sequence[Move]) -> tuple[Move, ...]:
    """Without moves that destroy, send or bind something that the task does not request."""

    def is_allowed(move: Move) -> bool:
        return not any(is_unrequested(element, intent) for element in _pressed(page, move))

    ways = [tuple(way for way in move.alternatives if not move.tries or is_allowed(Move((way,)))) for move in moves]
    kept = (replace(move, alternatives=left) for move, left in zip(moves, ways, strict=True) if left or not move.tries)
    allowed = tuple(move for move in kept if is_allowed(move))
    # Without the press there is nothing to wait for.
    return allowed if len(allowed) == len(moves) or any(way.type not in WAITS for move in allowed for way in move.alternatives) else ()


def _pressed(page: Page, move: Move) -> list[Element]:
    """What a press is on. Enter in a field presses its form's button, even one that is disabled until something is typed."""
    presses = (action for action in move.alternatives[:1] if action.type in ("ClickAction", "SubmitAction"))
    on = [element for action in presses if (selector := action.fields.get("selector")) and (element := page.element(selector))]
    forms = {element.form for element in on if element.role in TEXT_FIELDS} - {None}
    return on + [element for element in page.elements if element.submits and element.form in forms]


def _before(intent: Intent, page: Page, past: Past, acts: tuple[Move, ...]) -> tuple[Move, ...]:
    """The moves that the task needs first; none if nothing is missing. `acts`: the recipe's moves on this page."""
    kind, path = intent.kind, path_of(page.url)
    if passwords(page) and page.logged_in is not True and not kind.has(Trait.ACCOUNT):
        return log_in(intent, page)
    # After the cart nothing is left to be put in.
    if kind is Kind.CHECKOUT and ({"checkout", "payment"} & set(words(path)) or was_pressed(past, _BUY)):
        return ()
    if is_of_order(intent):
        return before_cart_task(intent, page, past)
    onward = _into_section(intent, page, past, acts) if path == "/" else ()
    return onward or _before_item_task(intent, page, past, acts)


def _before_item_task(intent: Intent, page: Page, past: Past, acts: tuple[Move, ...]) -> tuple[Move, ...]:
    kind = intent.kind
    if not kind.has(Trait.OF_ITEM) or (acts and _is_in_list(intent, page, acts[0])):
        return ()
    if kind.row.sent_by and _is_beyond(page, past):  # the page of a booking shows little of the item
        return ()
    is_opened = past.is_in_item or (kind in _BEYOND_ITEM and was_pressed(past, kind.row.opened_by))
    if acts and kind.row.sent_by and is_opened and not _is_refuted(intent, page):
        return ()
    if kind is Kind.EDIT_ITEM and is_own_item(intent):
        return () if acts else to_own_page(intent, page)
    return _to_item(intent, page, past)


def _is_in_list(intent: Intent, page: Page, move: Move) -> bool:
    """Whether the task is done in the list: on an item's card, by choosing an item, or by filling an item's field."""
    if intent.kind.has(Trait.ON_CARDS) or is_itself_chosen(intent):
        return True
    fields = [page.element(action.fields["selector"]) for action in move.alternatives[:1] if action.type in FILLS]
    return len(page.records) > 1 and any(field and field.place in page.items for field in fields)


def _is_refuted(intent: Intent, page: Page) -> bool:
    """Whether the page of an item shows that it is another one."""
    subject, criteria = page.subject, target_of(intent).criteria
    return subject is not None and bool(criteria) and not page.dialogs and not judge(criteria, subject, whole=True).fits


def _is_beyond(page: Page, past: Past) -> bool:
    """Whether the page belongs to an earlier one: /stays/7/confirm after /stays/7."""
    path = path_of(page.url).rstrip("/")
    before = {path_of(entry.url).rstrip("/") for entry in past.entries}
    return any(earlier.count("/") > 1 and path.startswith(f"{earlier}/") for earlier in before)


def _to_item(intent: Intent, page: Page, past: Past) -> tuple[Move, ...]:
    target, buys = target_of(intent), intent.kind is Kind.CHECKOUT
    at_once = buys and re.search(r"\bbuy now\b", intent.text, re.I) is not None
    if (buys and not at_once and not target.is_any) or takes_from_cart(intent):
        return before_cart_task(intent, page, past)
    if (target.is_any and intent.kind.has(Trait.ITEM_OPTIONAL)) or whole_form(intent, page):
        return ()
    if undoing := _to_undone(intent, page, past):
        return undoing
    if target.thing and (leading := to_things(target, page, past)):
        return leading
    if intent.kind is Kind.OPEN_ITEM and _MANY.search(intent.text):
        narrowing = FILTER.act(replace(intent, criteria=target.criteria), page)
        if narrowing and not any(move.shown or any(map(past.times, move.alternatives)) for move in narrowing):
            return narrowing
    if not is_target_page(target, page):
        # The only way to the page of an item may be its button to book it.
        books = press_on_item(intent, page, intent.kind.row.opened_by) if intent.kind is Kind.BOOKING else ()
        return books if books and not any(map(past.times, books[0].alternatives)) else towards(target, page, past)
    return press_on_item(intent, page, _BUY) if at_once and not was_pressed(past, _BUY) else ()


def _to_undone(intent: Intent, page: Page, past: Past) -> tuple[Move, ...]:
    """To the list of items where the action can be undone: the hidden posts, after a post was hidden."""
    name, verb = (intent.kind is Kind.REACT and verb_of(intent)) or ("", None)
    done = verb.undoes if verb and name.startswith("un") else ""
    if not done or not was_pressed(past, VERBS[done].labels):
        return ()
    link = list_of(done, page)
    move = press(page, link) if link and path_of(link.href) != path_of(page.url) else None
    return (move,) if move and not any(map(past.times, move.alternatives)) else ()


def _into_section(intent: Intent, page: Page, past: Past, acts: tuple[Move, ...]) -> tuple[Move, ...]:
    box = page.search_box
    is_of_others = intent.kind is Kind.SEARCH and box is not None and bool(_PEOPLE & set(words(f"{box.label} {box.placeholder}")))
    lists = intent.kind.has(Trait.ON_LIST) and (not acts or (is_of_others and not _PEOPLE & set(words(intent.head))))
    target = target_of(intent)
    opens_item = intent.kind.has(Trait.IN_SECTION) and (target.is_any or not any(verdict.certain for _, verdict in fitting(target, page)))
    # An action of unknown kind on a thing is done in the part of the site with such things.
    is_to_thing = intent.kind is Kind.OTHER and bool(intent.criteria)
    in_profile = to_own_part(intent, page) if intent.kind is Kind.ADD_ITEM else ()  # as in: add an experience
    moves = in_profile or (to_section(intent, page) if lists or opens_item or is_to_thing or is_of_section(intent) else ())
    return () if any(past.times(action) for move in moves for action in move.alternatives) else moves


def _open(step: Step, past: Past, moves: Sequence[Move]) -> list[Action]:
    # In the form in which they are sent, alternatives can be compared with those that failed.
    return Choice(Past(step.history), past).open([replace(move, alternatives=permitted(move.alternatives, step)) for move in moves])


def _sent(actions: Sequence[Action], past: Past, why: str, how: str = "Template: ") -> Plan:
    return Plan(tuple(breathing(actions, after_failure=past.last_failed)), reasoning=f"{how}{why}.")


def _nothing_left(step: Step, intent: Intent, page: Page, past: Past) -> Plan:
    """Where no recipe has a move: controls that the prompt names, then any that may help."""
    whole = Past(step.history)
    if not (whole.last_waited or whole.last_changed):
        return Plan((LOADING,), reasoning="Template: nothing to do on this page yet.")
    if onward := _open(step, past, _requested(intent, page, wizard(intent, page, past))):
        return _sent(onward, past, f"{intent.kind}, to the next step of the dialog")
    guesses = {
        "the button named in the prompt": named_button(intent, page),
        "on the user's own page": to_own_part(intent, page),
        "in the part of the site for it": to_section(intent, page),
    }
    for where, moves in guesses.items():
        onward = _open(step, past, _requested(intent, page, moves))
        if onward and not any(past.times(action) for move in moves for action in move.alternatives):
            return _sent(onward, past, f"{intent.kind}, {where}", GUESS)
    for move in further(intent, page, whole):
        if onward := _open(step, whole, [move]):
            return _sent(onward, past, f"{intent.kind}, exploring", GUESS)
    return Plan((), done=True, reasoning=NOTHING_LEFT)


def _without_page(step: Step, intent: Intent, past: Past) -> Plan:
    """Without a page, or with an empty one: wait for it, then open it, then send moves for an unseen page."""
    if past.waits < 1:
        return Plan((LOADING,), reasoning="Template: the page is empty, it may be loading.")
    known = [url for url in (step.url, *(entry.url for entry in reversed(past.entries))) if split_http(url)]
    opening = [action for url in known[:1] for action in opened(url) if not past.times(action)]
    if opening:
        return Plan(tuple(opening), reasoning="Template: the page stayed empty, opening it again.")
    recipe = LOGIN if intent.logs_in and past.after_sending() is None else recipe_for(intent)
    moves = (*recipe.blind_reach(intent), *recipe.blind_act(intent)) if known else ()
    unseen = _open(step, past, moves)
    if unseen:
        return _sent(unseen[:1], past, f"{intent.kind} on a page that was not sent")
    done = past.waits >= 2
    return Plan(() if done else (LOADING,), done=done, reasoning=NO_PAGE)


def _close_dialog(step: Step, intent: Intent, page: Page, past: Past) -> Action | None:
    """Press the button that closes a modal dialog without fields; one with fields may be part of the task."""
    # A popover blocks nothing, and may offer a choice.
    inside = [element for element in page.elements if element.layer and element.usable and not element.overlay]
    buttons = [element for element in inside if element.role in BUTTONS]
    # What an item's press opened may show the item, with a button for the task.
    is_items = past.is_in_item and any(_telling(intent) & set(words(button.label)) for button in buttons)
    if len(buttons) < len(inside) or not inside or is_items:
        return None
    named = page.find(("close", "dismiss", "got it", "ok", "no thanks", "not now", "accept", "continue", "skip"), BUTTONS)
    order = sorted(buttons, key=lambda button: button is not named)
    harmless = [button for button in order if not is_unrequested(button, intent)]
    actions = (action for button in harmless[:2] for action in permitted(press(page, button).alternatives, step))
    # Sites show a dialog up to five times; one that is still there can't be closed.
    return next((action for action in actions if not past.failed(action) and past.times(action) < 5), None)


_MOST_SENT = 2  # a form is sent once more where the page refused it, and never again


@dataclass
class Choice:
    """Chooses among the alternatives of moves by the history: none that failed, none twice."""

    whole: Past
    past: Past
    _pressed: int = 0
    _left_over: dict[tuple[str, bool], list[PastAction]] = field(default_factory=dict)

    def open(self, moves: Sequence[Move]) -> list[Action]:
        chosen: list[Action] = []
        for move in moves:
            left = self._left(move, again=any(action.type in FILLS for action in chosen), is_last=move is moves[-1])
            untried = (action for action in left if not self.whole.failed(action) and not self._is_nameless(action, succeeded=False))
            action = next(untried, None)
            if action is not None:
                chosen.append(action)
                if move.opens:
                    break
        return chosen

    def _left(self, move: Move, *, again: bool, is_last: bool) -> Sequence[Action]:
        """The alternatives that are left. A control is pressed again only after new fills; otherwise the next one is used."""
        if move.alternatives and move.alternatives[0].type == "WaitAction":
            return move.alternatives
        # The opener of a choice may have the same selector as one on the page before.
        past = self.past.here if move.opens else self.past
        done = [action for action in move.alternatives if past.did(action)]
        done = done or (self._pressed_unseen(move, is_last=is_last) if move.alternatives else [])
        is_filled = move.fills and (self._is_nameless(move.alternatives[0], succeeded=True) or done)
        if is_filled or move.shown or (move.once and done):
            return ()
        if move.repeats and self.whole.is_stuck(move.alternatives):
            return ()
        if move.fills or move.repeats or (again and max(map(self.whole.times, move.alternatives), default=0) < _MOST_SENT):
            return move.alternatives
        pressed = [action for action in done if "go_back" not in action.fields]
        waits = pressed and not (self.past.last_waited or move.tries)
        return () if waits else [action for action in move.alternatives if action not in pressed]

    def _pressed_unseen(self, move: Move, *, is_last: bool) -> list[Action]:
        """A form's presses, where the history has no selectors: the presses after the last fill are assigned in order. The last one,
        which sends the form, is included only if two presses are left: one may have been a choice that the page shows as made."""
        left = self.past.presses_since_filling()[self._pressed :]
        if move.fills or move.shown or len(left) < 1 + is_last or left[0].type != move.alternatives[0].type:
            return []
        self._pressed += 1
        types = {entry.type for entry in left}
        return [action for action in move.alternatives if action.type in types]

    def _is_nameless(self, action: Action, *, succeeded: bool) -> bool:
        """Whether an outcome without a selector is this action's: each is assigned once, in order."""
        past = self.past if succeeded else self.whole
        left = self._left_over.setdefault((action.type, succeeded), list(past.nameless(action.type, succeeded=succeeded)))
        own = next((entry for entry in left if _may_be_of(entry, action)), None)
        if own is not None:
            left.remove(own)
        return own is not None


def _may_be_of(entry: PastAction, action: Action) -> bool:
    """The typed text distinguishes fields; callers replace placeholders."""
    typed, text = entry.fields.get("text"), str(action.fields.get("text", ""))
    return typed is None or typed == text or "<" in text
