"""The interface of recipes, and the recipe for prompts of unknown kind."""

import re
from collections.abc import Mapping

from agents.contract.action_history import PRESSES, Past
from agents.contract.protocol import PastAction
from agents.page import BUTTONS, FIELDS, TEXT_FIELDS, TICKED, Element, Page, words
from agents.template import blind_xpath
from agents.template.budget import in_time
from agents.template.forms.filling import answers, filled
from agents.template.forms.forms import form_of, sends_form
from agents.template.forms.slots import Slot
from agents.template.items.finding import may_show
from agents.template.moves import Move, blind_press, press, send
from agents.template.prompt import ADDING, Intent, Trait, meanings_of, only_opens, target_of

MARKUP = frozenset({"button", "btn", "link", "action", "cta", "trigger", "click"})  # words in the markup of any button

_CALLED = 0.6


class Recipe:
    """How tasks of some kinds are done. Recipes have no state between steps. A question has no moves of its own: `next_step` moves towards
    the item, and `items.answers` reads the answer on each page."""

    def reach(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """The moves to the page where the task can be done; none if this is it."""
        return ()

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """The moves that do the task, the fills before the press that sends them."""
        return ()

    def onward(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """The moves to the next page if nothing is left to do here and the task is not done."""
        return ()

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        """Whether the history and the page show that the task is done."""
        return False

    def blind_reach(self, intent: Intent) -> tuple[Move, ...]:
        """`reach` for an unseen page: by selectors for unknown sites."""
        return ()

    def blind_act(self, intent: Intent) -> tuple[Move, ...]:
        return ()


class BestGuess(Recipe):
    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        if only_opens(intent):
            guess = self._named(intent, page)
            return (press(page, guess),) if guess and not guess.submits else ()
        slots = [Slot(field) for field in page.usable(FIELDS) if field.type != "hidden"]
        # As the kind of task is unknown, a field must have the name in the prompt.
        fills = filled(page, [answer for answer in answers(intent.criteria, slots, page) if answer.merit >= _CALLED])
        # A filled text field: the form around it is the one to send.
        used = [move.alternatives[0].fields["selector"] for move in fills if move.alternatives]
        anchor = next((field for field in page.usable(TEXT_FIELDS) if used and page.selector(field) in used), None)
        if anchor is not None:
            return (*fills, send(page, anchor, form_of(page, anchor, (intent.text, "submit", "save", "send")).button))
        guess = self._named(intent, page)
        return (*fills, press(page, guess)) if guess else fills

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        """A form was sent, by its own button if it is still there; or a button was pressed, and no other matches the prompt."""
        moves = self.act(intent, page)
        if any(move.fills for move in moves) and not past.nameless("ClickAction", succeeded=True):
            return any(past.did_any(move.alternatives) for move in moves if not move.fills)
        return past.after_sending() is not None or (self._pressed_named(intent, past) and self._named(intent, page) is None)

    def blind_act(self, intent: Intent) -> tuple[Move, ...]:
        is_short = 0 < len(intent.subject) <= 40 and len(intent.subject.split()) <= 3
        return (blind_press(blind_xpath.pressed((intent.subject,))),) if is_short else ()

    def _pressed_named(self, intent: Intent, past: Past) -> bool:
        """Whether the last press was on a label in the prompt; if the label is unknown, whether anything was pressed."""
        prompt = set(words(intent.text))
        presses = [entry for entry in past.entries if entry.type in PRESSES and entry.succeeded is not False]
        label = quoted_in(presses[-1]) if presses else ""
        return bool(presses) and (not label or self._share(prompt, label) >= _CALLED)

    def _named(self, intent: Intent, page: Page) -> Element | None:
        prompt = set(words(intent.text))
        # A list item's controls are for that item.
        listed = set(page.items) if len(page.records) > 1 and not intent.criteria else set[int]()
        offered = (element for element in page.usable(BUTTONS | TICKED) if element.place not in listed)
        scored = [(self._share(prompt, element.label), element) for element in in_time(offered)]
        best = max((merit for merit, _ in scored), default=0.0)
        # More than half of a label must be in the prompt.
        alike = [element for merit, element in scored if merit >= max(best - 0.01, 0.6)]
        return max(alike, key=lambda element: (len(prompt & set(words(page.card(element)))), -element.place), default=None)

    def _share(self, prompt: set[str], label: str) -> float:
        own = words(label)
        shared = sum(word in prompt for word in own)
        return shared / len(own) + min(shared, 5) / 50 if own and shared else 0.0


BEST_GUESS = BestGuess()
_QUOTED = re.compile(r"[\"']([^\"']{2,60})[\"']")


def quoted_in(entry: PastAction) -> str:
    """The label of what was pressed, by our records or by its selector; "" if unknown."""
    selector = entry.fields.get("selector")
    value = selector.get("value") if isinstance(selector, Mapping) else ""
    match = _QUOTED.search(entry.words or str(value))
    return match[1] if match else str(value) if "'" not in str(value) and not str(value).startswith(("/", "(")) else ""


def named_button(intent: Intent, page: Page) -> tuple[Move, ...]:
    """Press the button whose label or markup consists of the prompt's words. A list item's button would be for another item, and so
    would any button on a page that does not show the task's item."""
    prompt, target = _meanings(intent.head), target_of(intent)
    listed = page.items if len(page.records) > 1 and not target.is_any else ()
    is_elsewhere = intent.kind.has(Trait.OF_ITEM) and not target.is_any and not may_show(target, page)
    usable = (button for button in in_time(page.usable(BUTTONS)) if button.place not in listed and not (is_elsewhere and not button.href))
    offered = (button for button in usable if not sends_form(button, intent.kind.row))
    buttons = ((button, [_meanings(text) - MARKUP for text in (button.label, button.hints)]) for button in offered)
    counts = (([len(own) if own <= prompt else 0 for own in texts], -button.place, button) for button, texts in buttons)
    best = max((hit for hit in counts if max(hit[0]) >= 2), key=lambda hit: hit[:2], default=None)
    return (press(page, best[2]),) if best else ()


def _meanings(text: str) -> frozenset[str]:
    return frozenset("add" if word in ADDING else word for word in meanings_of(text))
