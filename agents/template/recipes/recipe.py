"""What every recipe offers, and the best reading of a prompt that no other recipe is for."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping

from agents.contract.action_history import PRESSES, Past
from agents.contract.protocol import PastAction
from agents.page import Element, Page
from agents.page.elements import BUTTONS, FIELDS, TEXT_FIELDS, TICKED
from agents.page.matching import words
from agents.template import blind_xpath
from agents.template.budget import in_time
from agents.template.forms.filling import answers, filled
from agents.template.forms.forms import form_of
from agents.template.forms.slots import Slot
from agents.template.moves import Move, blind_press, press, send
from agents.template.prompt import Intent
from agents.template.prompt.synonyms import meant
from agents.template.prompt.task_rows import ADDING, begins

# What markup says of any button.
MARKUP = frozenset({"button", "btn", "link", "action", "cta", "trigger", "click"})

_CALLED = 0.6


class Recipe(ABC):
    """How tasks of some kinds are done. Nothing is kept between two steps."""

    def reach(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """The moves to where the task can be done; none when this page is the place."""
        return ()

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """The moves that do the task, the fills before what sends them."""
        return ()

    def onward(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """The moves that lead on where all that can be done here is done, and the task is not."""
        return ()

    @abstractmethod
    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        """Whether the history and the page show that the task is done."""

    def blind_reach(self, intent: Intent) -> tuple[Move, ...]:
        """`reach` on a page that nobody has seen yet: by selectors that suit unknown sites."""
        return ()

    def blind_act(self, intent: Intent) -> tuple[Move, ...]:
        return ()


_FORM = r"(?:forms?|dialogs?|modals?|windows?|popups?)"
_OPENS = begins("open|views?|show|see|display", _FORM)
_OPENED = re.compile(rf"\b{_FORM} (?:is )?(?:open|opens|opened)\b", re.I)
_SENDS = re.compile(r"\b(?:submit|send|fill|post|save|complete)", re.I)


def only_opens(intent: Intent) -> bool:
    """Whether a form is only to be opened: then it is not to be sent."""
    return bool(_OPENS.search(intent.head) or _OPENED.search(intent.head)) and not _SENDS.search(intent.head)


class BestGuess(Recipe):
    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        if only_opens(intent):
            guess = self._named(intent, page)
            return (press(page, guess),) if guess and not guess.submits else ()
        slots = [Slot(field) for field in page.usable(FIELDS) if field.type != "hidden"]
        # Where not even the kind of task is known, a field must be called as the prompt says.
        fills = filled(page, [one for one in answers(intent.criteria, slots, page) if one.merit >= _CALLED])
        # A text field among those that are filled: the form to send is the one around it.
        used = [move.alternatives[0].fields["selector"] for move in fills if move.alternatives]
        anchor = next((field for field in page.usable(TEXT_FIELDS) if used and page.selector(field) in used), None)
        if anchor is not None:
            return (*fills, send(page, anchor, form_of(page, anchor, (intent.words, "submit", "save", "send")).button))
        guess = self._named(intent, page)
        return (*fills, press(page, guess)) if guess else fills

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        """A form was sent, one that still stands by its own button; or something was pressed, and nothing else answers to the prompt."""
        moves = self.act(intent, page)
        if any(move.fills for move in moves) and not past.nameless("ClickAction", succeeded=True):
            return any(past.did_any(move.alternatives) for move in moves if not move.fills)
        return past.after_sending() is not None or (self._pressed_named(intent, past) and self._named(intent, page) is None)

    def blind_act(self, intent: Intent) -> tuple[Move, ...]:
        is_short = 0 < len(intent.subject) <= 40 and len(intent.subject.split()) <= 3
        return (blind_press(blind_xpath.pressed((intent.subject,))),) if is_short else ()

    def _pressed_named(self, intent: Intent, past: Past) -> bool:
        """Whether what was pressed last is called in the prompt; where that is not known, whether anything was pressed."""
        prompt = set(words(intent.words))
        presses = [entry for entry in past.entries if entry.type in PRESSES and entry.succeeded is not False]
        label = quoted_in(presses[-1]) if presses else ""
        return bool(presses) and (not label or self._share(prompt, label) >= _CALLED)

    def _named(self, intent: Intent, page: Page) -> Element | None:
        prompt = set(words(intent.words))
        # What an item of a list offers is for that item.
        listed = set(page.items) if len(page.records) > 1 and not intent.criteria else set[int]()
        offered = (element for element in page.usable(BUTTONS | TICKED) if element.place not in listed)
        scored = [(self._likeness(prompt, element), element) for element in in_time(offered)]
        best = max((merit for merit, _ in scored), default=0.0)
        # Half of what a button says must stand in the prompt, and one word that says what to do.
        alike = [element for merit, element in scored if merit >= max(best - 0.01, 0.6)]
        return max(alike, key=lambda element: (len(prompt & set(words(page.card(element)))), -element.place), default=None)

    def _likeness(self, prompt: set[str], element: Element) -> float:
        return self._share(prompt, element.label)

    def _share(self, prompt: set[str], label: str) -> float:
        own = words(label)
        shared = sum(word in prompt for word in own)
        return shared / len(own) + min(shared, 5) / 50 if own and shared else 0.0


BEST_GUESS = BestGuess()
_QUOTED = re.compile(r"[\"']([^\"']{2,60})[\"']")


def quoted_in(entry: PastAction) -> str:
    """What was pressed is called, by our records or by its selector; "" where neither says it."""
    selector = entry.fields.get("selector")
    value = selector.get("value") if isinstance(selector, Mapping) else ""
    found = _QUOTED.search(entry.words or str(value))
    return found[1] if found else str(value) if "'" not in str(value) and not str(value).startswith(("/", "(")) else ""


def named_button(intent: Intent, page: Page) -> tuple[Move, ...]:
    """Press what the prompt itself names: all that it says, or that its markup calls it, stands in the prompt's own words."""
    said = _meanings(intent.head)
    offered = (one for one in in_time(page.usable(BUTTONS)) if words(one.label or one.text) != ("send",))
    buttons = ((one, [_meanings(text) - MARKUP for text in (one.label, one.hints)]) for one in offered)
    counts = (([len(own) if own <= said else 0 for own in texts], -one.place, one) for one, texts in buttons)
    best = max((hit for hit in counts if max(hit[0]) >= 2), key=lambda hit: hit[:2], default=None)
    return (press(page, best[2]),) if best else ()


def _meanings(text: str) -> frozenset[str]:
    return frozenset("add" if word in ADDING else word for word in meant(text))
