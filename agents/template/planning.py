"""From moves to the actions that are sent: what is still open, in an order that can't fail twice in a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agents.actions import Action
from agents.conventions import permitted
from agents.page import Page
from agents.page.elements import BUTTONS
from agents.protocol import Plan, Step
from agents.sites import split_http
from agents.template.intents import Intent, Kind
from agents.template.moves import FILLS, LOADING, NO_PAGE, NOTHING_LEFT, Move, breathing, opened, press
from agents.template.past import Past
from agents.template.preconditions import before
from agents.template.recipes import best_guess, login, logout, recipe_for, search
from agents.template.recipes.recipe import Recipe
from agents.template.sections import to_section

_WAITS_FOR_A_PAGE = 2
_IN_SECTION = "in the part of the site that it is about"
# Sites show a dialog up to five times; one that stays beyond that can't be closed.
_MOST_DIALOGS = 5
_CLOSERS = ("close", "dismiss", "got it", "ok", "no thanks", "not now", "accept", "continue", "skip")


def next_step(step: Step, intent: Intent, page: Page) -> Plan:
    """The next tool calls, from the page as it is and the history as it went.

    What was done last may not have been recorded yet by the site, and callers judge at the last action: so a wait ends a task.
    """
    past = Past(step.history)
    made = _next(step, intent, page, past)
    return Plan((LOADING,), reasoning=made.reasoning) if made.done and past.entries and not past.last_waited else made


def _next(step: Step, intent: Intent, page: Page, past: Past) -> Plan:
    if page.blank:
        return _without_page(step, intent, past)
    if page.dialog and (closing := _close_dialog(step, page, past)):
        return _sent([closing], past, "a dialog is in the way")
    since = past
    if intent.logs_in:
        after = past.after_sending()
        if after is None or not login.achieved(intent, page, past):
            return _stage(step, login, intent, page, past)
        since = after
    elif intent.kind is Kind.OWN_WORDS and page.logged_in is not False:
        since = past.after_entering()
    return _through(step, intent, page, since)


def _through(step: Step, intent: Intent, page: Page, since: Past) -> Plan:
    """The tasks of a chain in order. Being logged out again ends it, whatever this page would say of the tasks before."""
    if any(one.kind is Kind.LOGOUT for one in intent.then[-1:]) and intent.logs_in and logout.achieved(intent.then[-1], page, since):
        return Plan((), done=True, reasoning="Template: all is done, and logged out.")
    made = _stage(step, recipe_for(intent), intent, page, since)
    if not made.done or not intent.then:
        return made
    after = since.after_enter() if intent.kind is Kind.SEARCH else since
    return _through(step, replace(intent.then[0], then=intent.then[1:], logs_in=intent.logs_in), page, after or since)


def _stage(step: Step, recipe: Recipe, intent: Intent, page: Page, past: Past) -> Plan:
    """What one recipe does next; `past` is the part of the history that belongs to it."""
    prior = intent.logs_in and recipe is login
    achieved = not prior and recipe.achieved(intent, page, past)
    acts = recipe.act(intent, page)
    first = () if prior or achieved else before(intent, page, past, acts)
    reach = () if achieved else first or recipe.reach(intent, page)
    reaching = _open(step, past, reach)
    actions = reaching or ([] if first else _open(step, past, acts))
    # What a search led to has its own fields, maybe the same again: a search that was sent is done.
    unfilled = recipe is not search and not reaching and any(action.type in FILLS for action in actions)
    if achieved and not unfilled:
        return Plan((), done=True, reasoning=f"Template: {intent.kind} is done.")
    if actions:
        return _sent(actions, past, intent.kind)
    return _nothing_left(step, intent, page, past)


def _open(step: Step, past: Past, moves: Sequence[Move]) -> list[Action]:
    return Choice(Past(step.history), past).open([_permitted(move, step) for move in moves])


def _permitted(move: Move, step: Step) -> Move:
    """The move with those ways that may leave, as they will leave: only then can they be told from those that failed."""
    return replace(move, ways=permitted(move.ways, step))


def _sent(actions: Sequence[Action], past: Past, why: str) -> Plan:
    """A wait first where the last action failed, so that one more failure is not the second in a row; and one between any two."""
    return Plan(tuple(breathing(actions, after_failure=past.last_failed)), reasoning=f"Template: {why}.")


def _nothing_left(step: Step, intent: Intent, page: Page, past: Past) -> Plan:
    """Nothing on this page answers to the task: one wait, as it may still be loading; then the part of the site that it is about."""
    if not Past(step.history).last_waited:
        return Plan((LOADING,), reasoning="Template: nothing to do on this page yet.")
    named = best_guess.told(intent, page)
    for moves, where in (((press(page, named),) if named else (), "by what the prompt calls it"), (to_section(intent, page), _IN_SECTION)):
        onward = _open(step, past, moves)
        if onward and not any(past.times(action) for action in onward):
            return _sent(onward, past, f"{intent.kind}, {where}")
    return Plan((), done=True, reasoning=NOTHING_LEFT)


def _without_page(step: Step, intent: Intent, past: Past) -> Plan:
    """No page came, or an empty one: it may be loading; then it may need to be opened; then unseen moves are better than none."""
    if past.waits < 1:
        return Plan((LOADING,), reasoning="Template: the page is empty, it may be loading.")
    known = [url for url in (step.url, *(entry.url for entry in reversed(past.entries))) if split_http(url)]
    opening = [action for url in known[:1] for action in opened(url) if not past.times(action)]
    if opening:
        return Plan(tuple(opening), reasoning="Template: the page stayed empty, opening it again.")
    recipe = login if intent.logs_in and past.after_sending() is None else recipe_for(intent)
    moves = (*recipe.reach(intent, None), *recipe.act(intent, None)) if known else ()
    unseen = Choice(past, past).open([_permitted(move, step) for move in moves])
    if unseen:
        return _sent(unseen[:1], past, f"{intent.kind} on a page that did not come along")
    done = past.waits >= _WAITS_FOR_A_PAGE
    return Plan(() if done else (LOADING,), done=done, reasoning=NO_PAGE)


def _close_dialog(step: Step, page: Page, past: Past) -> Action | None:
    """Press what closes a modal dialog without fields; one with fields may be where the task is done."""
    inside = [element for element in page.elements if element.dialog and element.usable]
    buttons = [element for element in inside if element.role in BUTTONS]
    if len(buttons) < len(inside):
        return None
    named = page.find(_CLOSERS, BUTTONS)
    order = ([named] if named in buttons else []) + [button for button in buttons if button is not named]
    ways = (way for button in order[:2] for way in _permitted(press(page, button), step).ways)
    return next((way for way in ways if not past.failed(way) and past.times(way) < _MOST_DIALOGS), None)


@dataclass
class Choice:
    """Chooses among the ways of moves by a history: nothing that failed, nothing twice."""

    whole: Past
    past: Past
    _counted: dict[tuple[str, bool], int] = field(default_factory=dict)

    def open(self, moves: Sequence[Move]) -> list[Action]:
        """The actions still to be sent: the open fills, and the press that follows them."""
        chosen: list[Action] = []
        for move in moves:
            way = self._fill(move) if move.fills else self._press(move, again=any(one.type in FILLS for one in chosen))
            if way is not None:
                chosen.append(way)
                if move.opens:
                    break
        return chosen

    def _fill(self, move: Move) -> Action | None:
        counted = self._nameless(move, succeeded=True)
        if counted or move.shown or any(self.past.did(way) for way in move.ways):
            return None
        return self._untried(move)

    def _press(self, move: Move, *, again: bool) -> Action | None:
        """The next way to press. One that was pressed already is pressed again only after new fills; else the next way has its turn."""
        if move.shown or (move.once and any(self.past.did(way) for way in move.ways)):
            return None
        if again or move.repeats:
            return self._untried(move)
        pressed = [way for way in move.ways if self.past.did(way) and "go_back" not in way.fields]
        left = [way for way in move.ways if way not in pressed]
        if pressed and not (self.past.last_waited or move.tries):
            return None
        return self._untried(Move(tuple(left)))

    def _untried(self, move: Move) -> Action | None:
        return next((way for way in move.ways if not self.whole.failed(way) and not self._nameless(Move((way,)), succeeded=False)), None)

    def _nameless(self, move: Move, *, succeeded: bool) -> bool:
        """Whether one of the outcomes that say no selector is this move's: they are handed out in order."""
        if not move.ways:
            return False
        key = (move.ways[0].type, succeeded)
        left = self._counted.setdefault(key, (self.past if succeeded else self.whole).nameless(key[0], succeeded=succeeded))
        self._counted[key] = max(0, left - 1)
        return left > 0
